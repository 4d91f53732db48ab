"""A payment that is told late counts as of its value date; what was charged before it came is put right by two people (docs/decisions/0005, 0024)."""

from typing import Any

import pytest

from libs.events.corrections import Correction, LoanRestated
from libs.events.repayment import PaymentReceived
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.given import decided, given, step
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LOAN,
    SECOND_DUE,
    days,
    due,
    failed,
    on,
    pays,
)
from tests.unit.repayment.test_correcting import compared, money

DEMO = profile_named("demo")
END = days(FIRST_DUE, 36)
OWN_DATE = CorrectPayment(
    correction=Correction(
        correction_id="cor_1",
        loan_id="loan_7",
        payment_id="pay_1",
        kind="redate",
        reason="told_late",
        value_date=FIRST_DUE,
        to_date=FIRST_DUE,
    ),
    booking="same_year",
)


def told(on_day: Any) -> Story:
    """The first instalment left the account on its due day; the loan hears of it on another."""
    return Story(paid={on_day: [pays(FIRST_DUE, INSTALLMENT)]}).live(END)


@pytest.mark.parametrize("late_days", [2, 10, 33, 35])
def test_redated_to_its_own_date_it_is_as_if_it_had_been_told_in_time(late_days: int) -> None:
    """Told 33 days late it paid a penalty of 5.20 of days on which it had been paid: after it the loan stood in M2."""
    late, in_time = told(days(FIRST_DUE, late_days)), told(FIRST_DUE)
    late.say(OWN_DATE, days(END, 1))
    assert compared(late.state) == compared(in_time.state)
    assert money([event for _, event in late.events]) == money([event for _, event in in_time.events])
    assert is_replayable(DEMO, late.state, on(days(END, 1)))
    assert late.state.book.penalty_of(1) is None
    assert not decided(LOAN, late.state, OWN_DATE, on(days(END, 1)))
    assert len(late.said(LoanRestated)) == 1


def test_what_was_told_in_time_is_where_it_belongs() -> None:
    """There is nothing to put right."""
    assert decided(LOAN, told(FIRST_DUE).state, OWN_DATE, on(days(END, 1))) == "changes_nothing"


@pytest.mark.parametrize(("late_days", "behind"), [(0, False), (10, False), (33, True)])
def test_a_payment_says_that_it_came_behind_a_charge(late_days: int, *, behind: bool) -> None:
    """Penalty was charged at the month's end, up to a day after its value date."""
    assert days(FIRST_DUE, 33) > SECOND_DUE
    (received,) = told(days(FIRST_DUE, late_days)).said(PaymentReceived)
    assert received.behind_charge == behind


def test_a_charge_up_to_its_own_day_is_none_behind_it() -> None:
    """Two payments of one day, the first of which is charged the penalty up to it: the second comes after no charge of a later day."""
    day = days(FIRST_DUE, 10)
    first = given(LOAN, CONTRACTED, due(1), failed(FIRST_DUE)).when(pays(day, 1_000), on(day))
    [penalty] = first.state.book.penalties
    assert penalty.to == day
    second = step(LOAN, first.state, pays(day, 1_000, payment_id="pay_2"), on(day))
    behind = [event.behind_charge for event in second.events if isinstance(event, PaymentReceived)]
    assert behind == [False]
    # of the day before it, it is
    before = step(LOAN, first.state, pays(days(day, -1), 1_000, payment_id="pay_2"), on(day))
    assert [event.behind_charge for event in before.events if isinstance(event, PaymentReceived)] == [True]
