"""What came late is said, and a loan whose days were late is decided again with the same days missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from libs.events.arrival import Answered, LoanWaited
from libs.events.measures import Reclassification
from libs.events.money import money_context
from libs.events.voidance import LoanVoided, Voidance
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.journal import entries_of
from services.repayment.domain.journal_entries import moment_of
from services.repayment.domain.loan_state import reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable, replay
from tests.unit.given import context as at
from tests.unit.given import given
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.measured import Measured
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    INSTALLMENT,
    LOAN,
    OPENED,
    asked_again,
    days,
    due,
    dues,
    failed,
    found_nothing,
    misses,
    on,
    pays,
)

DEMO = profile_named("demo")
NEXT = days(FIRST_DUE, 1)
LATE = days(FIRST_DUE, 9)
JUDGING = at(NEXT, phase=4)


def waited(since: tuple[date, int], until: tuple[date, int], *, woken: bool) -> LoanWaited:
    """The day had not come to the loan, by (date, phase)."""
    return LoanWaited(
        loan_id="loan_7",
        since=since[0],
        since_phase=since[1],
        until=until[0],
        until_phase=until[1],
        woken=woken,
    )


def test_a_wake_in_time_says_nothing_of_it() -> None:
    """The day of the due date asks, and no more."""
    given(LOAN, OPENED).when(dues(FIRST_DUE), on(FIRST_DUE)).then(due(1))


def test_a_late_wake_says_since_when_the_day_had_not_come() -> None:
    """First of its record; said once, for the next wake is in time."""
    late = given(LOAN, OPENED, due(1), failed(FIRST_DUE)).when(misses(LATE), on(LATE))
    assert late.events[0] == waited((NEXT, 2), (LATE, 4), woken=True)
    assert [type(event) for event in late.events].count(LoanWaited) == 1


def test_what_comes_before_a_late_wake_says_so_and_the_wake_goes_on_from_there() -> None:
    """The gap has no hole, and its parts do not overlap."""
    story = given(LOAN, OPENED, due(1), failed(FIRST_DUE))
    paid = story.when(pays(LATE, 5), on(LATE))
    assert paid.events[0] == waited((NEXT, 2), (LATE, 2), woken=False)
    woken = given(LOAN, OPENED, due(1), failed(FIRST_DUE), *paid.events).when(
        misses(days(LATE, 1)), on(days(LATE, 1))
    )
    assert woken.events[0] == waited((LATE, 2), (days(LATE, 1), 4), woken=True)


def test_a_debit_that_was_answered_late_with_nothing_says_when() -> None:
    """On its own day it needs no word; days later it is an input of the loan."""
    asked = given(LOAN, OPENED, due(1))
    asked.when(found_nothing(FIRST_DUE), on(FIRST_DUE)).then(failed(FIRST_DUE))
    late = asked.when(found_nothing(FIRST_DUE), on(NEXT))
    assert [event.answered for event in late.events] == [Answered(on=NEXT, before_phase=2)]


@pytest.mark.parametrize("seed", range(40))
def test_a_loan_whose_days_were_late_is_what_came_to_it(seed: int) -> None:
    """Stuck for days, asked and answered days later, measures and payments in between: the journal gives the loan, field by field."""
    live(seed)


def live(seed: int) -> Any:
    """One life, looked at every day."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Late(chance, terms.funded_on)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 160)):
            for _ in lived.day():
                if chance.random() < 0.1:
                    check(lived)
            check(lived)
    return lived


def check(lived: Measured) -> None:
    """The anchor of every correction, of a loan to which the day has come by now."""
    due = LOAN.wake_on(lived.state)
    if due is not None and due < (lived.today, 2):
        return
    live = reopened(lived.state)
    again = replay(DEMO, lived.state, lived.context, entries_of(live.journal))
    assert again.state == live
    assert is_replayable(DEMO, lived.state, lived.context)


@dataclass
class Late(Measured):
    """A loan that is stuck now and then, and of whose debits some are answered days later."""

    often: float = 0.1
    pays: float = 0.02
    sticks: float = 0.01
    """How likely the day does not come to it, at each phase."""
    stuck_to: date = date.min
    waiting: list[tuple[date, str, Any]] = field(default_factory=list)

    def wake(self, phase: int) -> list[Any]:
        """Not while it is stuck."""
        if self.chance.random() < self.sticks:
            self.stuck_to = self.today + timedelta(days=self.chance.randint(0, 5))
        return super().wake(phase) if self.today > self.stuck_to else []

    def answer(self, debit: Any) -> Sequence[Any] | str:
        """Today, or at some place of a day to come."""
        if self.chance.random() < 0.7:
            return super().answer(debit)
        place = self.chance.choice(("early", "between", "late"))
        self.waiting.append((self.today + timedelta(days=self.chance.randint(1, 6)), place, debit))
        return []

    def meanwhile(self, place: str) -> None:
        """What was asked is answered."""
        for each in [each for each in self.waiting if each[:2] == (self.today, place)]:
            self.waiting.remove(each)
            self.answered_late(each[2], place)
        super().meanwhile(place)

    def answered_late(self, debit: Any, _place: str) -> None:
        """The answer to a debit of another day."""
        super().answer(debit)


def test_what_comes_to_a_loan_that_was_judged_comes_after_the_judgement() -> None:
    """The last phase still runs for others of its partition: who pays now pays what was missed, a measure and a correction find it missed,
    and what came to the loan gives it."""
    state: Any = given(LOAN, CONTRACTED).state
    for command, context in (
        (dues(FIRST_DUE), on(FIRST_DUE)),
        (found_nothing(FIRST_DUE), on(FIRST_DUE)),
        (dues(NEXT), on(NEXT)),
        (found_nothing(NEXT), on(NEXT)),
        (misses(NEXT), JUDGING),
        (pays(days(NEXT, 1), INSTALLMENT), JUDGING),
        (CarryOutMeasure(measure_id="msr_1", terms=Reclassification(to_class="doubtful")), JUDGING),
    ):
        for event in LOAN.decide(command, state, context):
            state = LOAN.evolve(state, event)
    assert state.next_missed == 2
    assert [moment_of(each)[1] for each in entries_of(state.journal)] == [5, 5]
    assert is_replayable(DEMO, state, JUDGING)
    assert is_replayable(DEMO, state, on(days(NEXT, 1)))
    void = CarryOutMeasure(measure_id="msr_2", terms=Voidance(ground="fraud"))
    for context in (JUDGING, on(days(NEXT, 1))):
        assert type(LOAN.decide(void, state, context)[0]) is LoanVoided


def test_what_comes_before_its_judgement_comes_before_it_though_others_are_judged() -> None:
    """A loan to which the running phase has not come yet is where it was."""
    story = given(LOAN, OPENED, due(1), failed(FIRST_DUE), asked_again(NEXT, INSTALLMENT), failed(NEXT))
    paid = story.when(pays(NEXT, INSTALLMENT), JUDGING)
    assert [moment_of(each)[1] for each in entries_of(reopened(paid.state).journal)] == [2]
