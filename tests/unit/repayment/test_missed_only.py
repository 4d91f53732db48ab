"""Overdue is what is open of instalments that were missed: on the day after a due date none is before the evening has judged it."""

from typing import Any

from libs.events.measures import Restructuring
from libs.events.repayment import OverdueBucketChanged, PaymentMissed, PaymentReceived, PenaltyCharged
from tests.unit.given import Outcome, given, step
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LOAN,
    SECOND_DUE,
    days,
    found_nothing,
    misses,
    on,
    pays,
)
from tests.unit.repayment.test_loan_day import NEXT_DAY, UNPAID
from tests.unit.repayment.troubled_story import done


def _overdue(outcome: Outcome, kind: Any) -> list[int]:
    return [event.overdue_after_fen for event in outcome.events if isinstance(event, kind)]


def test_a_payment_on_the_day_after_makes_no_loan_overdue() -> None:
    """A fen in the morning leaves nothing overdue; the evening misses what is left, and a fen after it leaves a fen less."""
    morning = given(LOAN, *UNPAID).when(pays(NEXT_DAY, 1), on(NEXT_DAY))
    assert _overdue(morning, PaymentReceived) == [0]
    evening = step(LOAN, morning.state, misses(NEXT_DAY), on(NEXT_DAY))
    assert _overdue(evening, PaymentMissed) == [INSTALLMENT - 1]
    later = days(FIRST_DUE, 2)
    nothing = step(LOAN, evening.state, found_nothing(NEXT_DAY, INSTALLMENT - 1), on(NEXT_DAY))
    again = step(LOAN, nothing.state, pays(later, 1, payment_id="pay_2"), on(later))
    assert _overdue(again, PaymentReceived) == [INSTALLMENT - 2]


def test_what_is_not_judged_is_not_overdue_beside_what_is() -> None:
    """The second instalment is one day old, and the first was missed: only that one counts, until the evening counts both."""
    state = given(LOAN, *UNPAID).when(misses(NEXT_DAY), on(NEXT_DAY)).state
    for day in (NEXT_DAY, days(FIRST_DUE, 2), days(FIRST_DUE, 3), SECOND_DUE):
        for debit in state.unanswered:
            state = step(LOAN, state, found_nothing(debit.asked_on), on(day)).state
        state = step(LOAN, state, misses(day), on(day)).state
    for debit in state.unanswered:
        state = step(LOAN, state, found_nothing(debit.asked_on), on(SECOND_DUE)).state
    state = step(LOAN, state, misses(SECOND_DUE), on(SECOND_DUE)).state
    morning = days(SECOND_DUE, 1)
    paid = step(LOAN, state, pays(morning, 1), on(morning))
    assert _overdue(paid, PaymentReceived) == [INSTALLMENT - 1]
    evening = step(LOAN, paid.state, misses(morning), on(morning))
    assert _overdue(evening, PaymentMissed) == [2 * INSTALLMENT - 1]


def test_rows_that_are_made_anew_have_not_been_missed() -> None:
    """Ten days late with the first instalment the loan is restructured: charged it is overdue with that one and its penalty; with rows anew, which
    are as open, with nothing."""
    late = days(FIRST_DUE, 10)
    story = Story(contract=CONTRACTED).live(days(late, -1))
    anew = step(LOAN, story.state, done(Restructuring(months=3)), on(late))
    [charge] = [event for event in anew.events if isinstance(event, PenaltyCharged)]
    assert charge.overdue_after_fen == INSTALLMENT + charge.penalty_after_fen
    [better] = [event for event in anew.events if isinstance(event, OverdueBucketChanged)]
    assert (better.from_bucket, better.to_bucket, better.overdue_fen) == ("M1", "current", 0)
    assert anew.state.book.rows[0].number == 1
