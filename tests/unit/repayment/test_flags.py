"""Flags on a loan: raised once, lifted once, and what our debits make of a death."""

from dataclasses import replace
from datetime import date

import pytest

from libs.events.corrections import Correction
from libs.events.flags import Flag, Unflag
from libs.events.measures import MeasureExamined
from libs.events.repayment import DebitRequested
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.bidding.specs import Spec
from tests.unit.given import given
from tests.unit.repayment.pause_story import (
    ASKED_FOR,
    DEATH,
    DIED,
    NO_DEATH,
    applied,
    done,
    due_unasked,
    flagged,
    paused,
    unflagged,
)
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LOAN,
    OPENED,
    SECOND_DUE,
    days,
    due,
    dues,
    misses,
    on,
    pays,
)
from tests.unit.repayment.test_loan_day import LATE

DISPUTE = Flag(flag="dispute")
_REVERSED = Correction(
    correction_id="cor_1",
    loan_id="loan_7",
    payment_id="pay_1",
    kind="reverse",
    reason="duplicate",
    value_date=date(2024, 2, 12),
    to_date=None,
)
SETTLED = given(LOAN, OPENED, *DIED).when(pays(ASKED_FOR, 1_000_000, settle=True), on(ASKED_FOR))
REPAID = (OPENED, *DIED, *SETTLED.events)


@pytest.mark.parametrize(
    "spec",
    [
        Spec("the debtor has died", (OPENED,), done(DEATH), DIED),
        Spec("he is dead once", (OPENED, *DIED), done(DEATH), ()),
        Spec("and nobody says so twice", (OPENED, *DIED), done(DEATH, "msr_2"), "flag_stands"),
        Spec(
            "who is dead may have disputed it",
            (OPENED, *DIED),
            done(DISPUTE, "msr_2"),
            (
                applied(DISPUTE, ASKED_FOR, "msr_2"),
                replace(flagged("dispute"), measure_id="msr_2"),
            ),
        ),
        Spec(
            "it was another",
            (OPENED, *DIED),
            done(NO_DEATH, "msr_2"),
            (
                applied(NO_DEATH, ASKED_FOR, "msr_2"),
                unflagged("death"),
            ),
        ),
        Spec("it is lifted once", (OPENED, *DIED, unflagged("death")), done(NO_DEATH, "msr_2"), ()),
        Spec("and not again", (OPENED, *DIED, unflagged("death")), done(NO_DEATH, "msr_3"), "no_flag"),
        Spec("nor where none stands", (OPENED, *DIED), done(Unflag(flag="dispute"), "msr_2"), "no_flag"),
        Spec("a loan that is repaid is not flagged", REPAID, done(DISPUTE, "msr_2"), "loan_repaid"),
        Spec("but is cleared", REPAID, done(NO_DEATH, "msr_2"), (unflagged("death"),)),
        Spec("once", (*REPAID, unflagged("death")), done(NO_DEATH, "msr_2"), ()),
        Spec("and no more", (*REPAID, unflagged("death")), done(NO_DEATH, "msr_3"), "no_flag"),
    ],
    ids=lambda spec: spec.says,
)
def test_a_flag_stands_until_it_is_lifted(spec: Spec) -> None:
    """Whole events, or the code of the refusal."""
    replace(spec, context=on(ASKED_FOR)).check(LOAN)


def test_whoever_signs_is_told_what_stands_on_the_loan() -> None:
    """The answer to a proposal names the flags, also of a loan that is repaid."""
    expected = MeasureExamined(
        loan_id="loan_7",
        measure_id="msr_2",
        borrower="usr_bo",
        examined_on=ASKED_FOR,
        mandate="not_needed",
        holders=("usr_1", "usr_2", "usr_3"),
        flags=("death",),
    )
    ask = ExamineMeasure(measure_id="msr_2", terms=NO_DEATH)
    given(LOAN, OPENED, *DIED).when(ask, on(ASKED_FOR)).then(expected)
    given(LOAN, *REPAID).when(ask, on(ASKED_FOR)).then(expected)
    given(LOAN, *REPAID, expected).when(ask, on(ASKED_FOR)).then()


def test_the_account_of_the_dead_is_left_alone() -> None:
    """What falls due is said and judged as ever, and nothing is asked on the day or after it; of a dispute everything is."""
    dead = given(LOAN, OPENED, *DIED)
    dead.when(dues(FIRST_DUE)).then(due_unasked(1))
    late = given(LOAN, OPENED, *DIED, due_unasked(1))
    assert LOAN.wake_on(late.state) == (days(FIRST_DUE, 1), 4)
    late.when(misses(days(FIRST_DUE, 1))).then(*LATE)
    disputed = given(LOAN, OPENED, applied(DISPUTE, ASKED_FOR), flagged("dispute"))
    disputed.when(dues(FIRST_DUE)).then(due(1))


LIFTED_ON, ASKED_AGAIN_ON = days(FIRST_DUE, 10), days(FIRST_DUE, 11)
LIFTED = replace(unflagged("death"), unflagged_on=LIFTED_ON)
AGAIN = DebitRequested(
    loan_id="loan_7",
    borrower="usr_bo",
    borrower_account="acc_bo",
    debit_id=f"dbt_7_{ASKED_AGAIN_ON:%Y%m%d}",
    debit_fen=INSTALLMENT,
    value_date=ASKED_AGAIN_ON,
)


def test_the_account_is_asked_on_the_day_after_the_flag_is_lifted() -> None:
    """Once, for what fell due meanwhile, also where no instalment comes after it; where nothing is owed, nothing."""
    late = (OPENED, *DIED, due_unasked(1), *LATE, LIFTED)
    loan = given(LOAN, *late)
    assert LOAN.wake_on(loan.state) == (ASKED_AGAIN_ON, 2)
    loan.when(dues(LIFTED_ON)).then()
    loan.when(dues(ASKED_AGAIN_ON)).then(AGAIN)
    asked = given(LOAN, *late, AGAIN)
    asked.when(dues(ASKED_AGAIN_ON)).then()
    assert LOAN.wake_on(asked.state) == (SECOND_DUE, 2)
    asked.when(dues(SECOND_DUE)).then(due(2, 2 * INSTALLMENT))
    early = replace(LIFTED, unflagged_on=ASKED_FOR)
    assert LOAN.wake_on(given(LOAN, OPENED, *DIED, early).state) == (FIRST_DUE, 2)


def test_a_pause_moves_the_day_on_which_it_is_asked_again() -> None:
    """Nothing is asked in a pause: it is asked on the day after that."""
    pause = paused(LIFTED_ON, days(LIFTED_ON, 4), on=days(FIRST_DUE, 5))
    loan = given(LOAN, OPENED, *DIED, due_unasked(1), *LATE, pause, LIFTED)
    assert LOAN.wake_on(loan.state) == (days(LIFTED_ON, 5), 2)


def test_a_flag_that_was_lifted_of_a_repaid_loan_may_be_raised_again() -> None:
    """The settlement is reversed, so the loan runs again; its replay never saw the flag lifted, and takes the new one for the old."""
    state = LOAN.evolve(LOAN.initial, CONTRACTED)
    for day, command in (
        (10, CarryOutMeasure(measure_id="msr_1", terms=Flag(flag="dispute"))),
        (12, pays(date(2024, 2, 12), 101_000, settle=True, payment_id="pay_1")),
        (13, CarryOutMeasure(measure_id="msr_2", terms=Unflag(flag="dispute"))),
        (14, CorrectPayment(correction=_REVERSED, booking="same_year")),
        (15, CarryOutMeasure(measure_id="msr_3", terms=Flag(flag="dispute"))),
    ):
        for event in LOAN.decide(command, state, on(date(2024, 2, day))):
            state = LOAN.evolve(state, event)
    assert isinstance(state, Running)
    assert is_replayable(profile_named("demo"), state, on(date(2024, 2, 15)))
