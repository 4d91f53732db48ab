"""When a loan's interest is income again: once its arrears are paid, and what was decided by hand is taken back by hand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from libs.events.measures import NonAccrual, Restructuring
from libs.events.non_accrual import NonAccrualEnded
from libs.events.repayment import LoanRepaid, PaymentReceived, PaymentReturned
from tests.unit.bidding.specs import Spec
from tests.unit.given import fold, given
from tests.unit.repayment.guarantee_story import AMOUNT, DAY, LATE, RECORD, SIGNED
from tests.unit.repayment.stories import (
    INSTALLMENT,
    LOAN,
    SECOND_DUE,
    applied,
    check_applied,
    days,
    due,
    failed,
    in_time,
    line,
    no_income,
    on,
    pays,
)
from tests.unit.repayment.troubled_story import (
    BY_HAND,
    LATE_ON,
    LOSS,
    LOST,
    LOST_ON,
    MARCH,
    MISSED,
    PAID,
    RESTRUCTURED,
    done,
)

#: Nothing was ever paid, its interest is no income, and all of it is due anew: 36,009 on 31 May, 2,007 of which are the arrears of interest.
RESTRUCTURE = done(Restructuring(months=3))
STRETCHED = (*MISSED, no_income(LATE_ON, 63), applied(RESTRUCTURE, LATE_ON), *RESTRUCTURED)
MAY = RESTRUCTURED[1].rows[0].due_on


def ends(events: Sequence[Any]) -> list[NonAccrualEnded]:
    """Whether it is income again."""
    return [event for event in events if isinstance(event, NonAccrualEnded)]


def test_a_restructuring_pays_nothing() -> None:
    """Nothing is behind by its new days, and nothing was paid: the interest is no income yet (processes.md 1.P: "when all arrears are paid")."""
    outcome = given(LOAN, *MISSED, no_income(LATE_ON, 63)).when(RESTRUCTURE, on(LATE_ON))
    in_time(outcome).then(applied(RESTRUCTURE, LATE_ON), *RESTRUCTURED)
    assert outcome.state.trouble.non_accrual


def test_the_first_new_row_pays_the_arrears() -> None:
    """In time and in full; a fen less ends nothing."""
    part = given(LOAN, *STRETCHED).when(pays(MAY, 35_942), on(MAY))
    assert not ends(part.events)
    whole = given(LOAN, *STRETCHED).when(pays(MAY, 35_943), on(MAY))
    assert ends(whole.events) == [
        NonAccrualEnded(loan_id="loan_7", borrower="usr_bo", ended_on=MAY, principal_fen=66_998)
    ]
    last = given(LOAN, *STRETCHED, *part.events).when(
        pays(days(MAY, 1), 1, payment_id="pay_2"), on(days(MAY, 1))
    )
    assert len(ends(last.events)) == 1


def test_so_does_who_settles_it_at_once() -> None:
    """Before anything is due anew: nothing is owed any more."""
    outcome = given(LOAN, *STRETCHED).when(pays(LATE_ON, 10**6, settle=True), on(LATE_ON))
    assert len(ends(outcome.events)) == 1
    assert any(isinstance(event, LoanRepaid) for event in outcome.events)


def test_a_prepayment_does_not_forget_the_arrears() -> None:
    """Rows in place of the one that asks for them would ask for the interest of a month only: it goes back whole. Once that row is paid it is taken."""
    early = replace(pays(LATE_ON, 20_000), prepay="reamortise")
    given(LOAN, *STRETCHED).when(early, on(LATE_ON)).then(
        PaymentReturned(
            loan_id="loan_7",
            payment_id="pay_1",
            account_id="acc_bo",
            amount_fen=20_000,
            code="arrears_unpaid",
        )
    )
    late = replace(pays(MAY, 56_009), prepay="reamortise")
    taken = next(
        event
        for event in given(LOAN, *STRETCHED).when(late, on(MAY)).events
        if isinstance(event, PaymentReceived)
    )
    assert taken.allocation[0] == line(1, 2_941, 33_002)


# --- by hand -------------------------------------------------------------------------------------------------------

#: Two people say so on 15 March; the second instalment is paid a day late.
BY_TWO = (*PAID, BY_HAND)
AFTER = days(SECOND_DUE, 1)
END = done(NonAccrual(ends=True), "msr_2")
ENDED = NonAccrualEnded(
    loan_id="loan_7", borrower="usr_bo", ended_on=MARCH, principal_fen=66_998, measure_id="msr_2"
)

SPECS = [
    Spec("two people take it back", BY_TWO, END, (ENDED,), on(MARCH)),
    Spec("once", (*BY_TWO, ENDED), END, (), on(MARCH)),
    Spec("not where nobody said it", PAID, END, "accruing", on(MARCH)),
    Spec("nor while something is overdue", (*PAID, due(2), failed(SECOND_DUE), BY_HAND), END, "not_cured", on(AFTER)),
    Spec("nor where new days were given for it", STRETCHED, END, "not_cured", on(LATE_ON)),
    Spec("nor of a loss", (*LOST, *LOSS), END, "loan_written_off", on(LOST_ON)),
    Spec("and it may be said again", (*BY_TWO, ENDED), done(NonAccrual(), "msr_3"), (replace(BY_HAND, measure_id="msr_3"),), on(MARCH)),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_by_hand_there_and_back(spec: Spec) -> None:
    """What two people decided without a day being missed has no arrears whose payment could end it."""
    check_applied(spec)


def test_a_day_of_delay_ends_nothing_that_was_decided_by_hand() -> None:
    """The business still stands still, or whatever the reason was."""
    late = (*BY_TWO, due(2), failed(SECOND_DUE))
    outcome = given(LOAN, *late).when(pays(AFTER, INSTALLMENT), on(AFTER))
    assert not ends(outcome.events)
    assert outcome.state.trouble.non_accrual


# --- a guarantor pays ----------------------------------------------------------------------------------------------


def test_a_guarantors_money_pays_no_arrears() -> None:
    """The holders have theirs, and the borrower owes it to somebody else: no payment of him has ended his days (decision 26). Nor do two people."""
    stopped = (*LATE, no_income(DAY, 91), *SIGNED)
    paid = given(LOAN, *stopped).when(RECORD, on(DAY))
    assert not ends(paid.events)
    after = (*stopped, *paid.events)
    assert fold(LOAN, after).book.is_behind(DAY)
    given(LOAN, *after).when(END, on(DAY)).then_refused("not_cured")


def test_what_the_borrower_pays_the_guarantor_does() -> None:
    """Once he has it all, and not a fen before."""
    stopped = (*LATE, no_income(DAY, 91), *SIGNED)
    after = (*stopped, *given(LOAN, *stopped).when(RECORD, on(DAY)).events)
    assert not ends(given(LOAN, *after).when(pays(DAY, AMOUNT - 1), on(DAY)).events)
    assert ends(given(LOAN, *after).when(pays(DAY, AMOUNT), on(DAY)).events) == [
        NonAccrualEnded(loan_id="loan_7", borrower="usr_bo", ended_on=DAY, principal_fen=66_998)
    ]
