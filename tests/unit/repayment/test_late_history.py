"""Late days are held against a history that is told anew, not replayed: what came to the loan, on the days on which it came, and the same days missing.

The clean history shares no code with the replay: it is the loan's own decider, asked day by day. It knows of lateness what the runtime knows, which
wakes were due and did not come, and which debits were answered when; never what the loan said about it (LoanWaited, Arrival, Answered).
"""

from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import reduce
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.deciding import WakeOn
from libs.events.lateness import LatenessJudged
from libs.events.measures import MeasureApplied
from libs.events.money import money_context
from libs.events.repayment import PaymentMissed, PaymentReturned
from services.repayment.commands import RecordDebitFailure
from services.repayment.domain.loan_state import Running, found, reopened
from services.repayment.domain.pending import Pending
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.given import decided
from tests.unit.repayment.inputs import PLACES, Input, Lived, come
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.measured import Applied
from tests.unit.repayment.stories import FIRST_DUE, INSTALLMENT, LOAN, days, found_nothing, on, pays
from tests.unit.repayment.test_correcting import compared, money
from tests.unit.repayment.test_correcting_measures import (
    NOTHING,
    CorrectedMeasured,
    go_on,
    measured,
    said,
    unpaid,
    waived,
    wrong,
)
from tests.unit.repayment.test_waiting import LATE, NEXT, Late

DEMO = profile_named("demo")
#: As which a measure is refused that had no more to do than there is: a flag stands, or does not, whatever was booked.
_NOTHING = {*NOTHING, "flag_stands", "no_flag"}
_AFTER_DUES = ("between", "answers", "late", "after")


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_interleaving_of_lateness_measures_and_corrections_ends_in_the_clean_history(seed: int) -> None:
    """Stuck for days, answered days later, paid with an earlier date, paused, measured, reversed and dated back: state, claims, money and what
    was given up are those of the loan to which only the right payments ever came, on the same days and as late."""
    play(seed)


def play(seed: int) -> "LateLife":
    """One life."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = LateLife(chance, terms.funded_on)
    lived.terms = terms
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 160)):
            if chance.random() < 0.1 and not lived.is_late():
                lived.correct()
                again = lived.clean()
                assert all(not isinstance(came, str) or came in _NOTHING for came in lived.again.values())
                assert late(lived.state) == late(again.state)
                assert money(lived.events) == money(again.events)
                assert waived(lived.events) == waived(again.events)
                assert is_replayable(DEMO, lived.state, lived.context)
            for _ in lived.day():
                pass
    return lived


def test_what_a_morning_has_judged_is_put_right_on_the_same_day() -> None:
    """The last answer comes nine days late, so the next morning's wake judges the loan; a payment of 1.00 is reversed at noon."""
    lived = unpaid(FIRST_DUE)
    lived.wake(2)
    go_on(lived, LATE)
    lived.say(pays(LATE, 100))
    lived.say(found_nothing(FIRST_DUE))
    lived.wake(2)
    assert lived.state.bucket == "M1"
    assert is_replayable(DEMO, lived.state, lived.context)
    assert said(lived, wrong("pay_1", LATE)).principal_after_fen == 100_000
    assert (lived.state.bucket, lived.state.next_missed) == ("M1", 2)
    assert is_replayable(DEMO, lived.state, lived.context)


def test_a_payment_that_counts_as_of_the_day_on_which_a_late_loan_was_woken_comes_before_that() -> None:
    """The loan was stuck until the ninth day after its due date; what came on the tenth counts as of the ninth, on which it would have found a loan
    that nobody had judged."""
    lived, clean = unpaid(NEXT), unpaid(NEXT)
    lived.today = clean.today = LATE
    clean.say(pays(LATE, 40_000))
    go_on(lived, days(LATE, 1))
    go_on(clean, days(LATE, 2))
    lived.say(pays(days(LATE, 1), 40_000))
    go_on(lived, days(LATE, 2))
    assert compared(lived.state) != compared(clean.state)
    said(lived, wrong("pay_1", days(LATE, 1), LATE))
    assert compared(lived.state) == compared(clean.state)
    assert money(lived.events) == money(clean.events)


@pytest.mark.parametrize("told_days", [6, 40])
def test_a_debit_that_a_correction_leaves_unasked_still_holds_the_loan_until_its_answer(
    told_days: int,
) -> None:
    """The retry of the day after the due date waits for its answer; what came on the next counts as of the due date, so it would not have been
    asked. It was: nothing is judged before it is answered, and the loan can be put right before and after."""
    told_on = days(FIRST_DUE, told_days)
    lived = Story(
        told_on={NEXT: told_on},
        paid={
            days(FIRST_DUE, 2): [pays(days(FIRST_DUE, 2), INSTALLMENT)],
            days(FIRST_DUE, 4): [wrong("pay_1", days(FIRST_DUE, 2), FIRST_DUE)],
        },
    )
    for until in (days(told_on, -1), told_on, days(told_on, 9)):
        story = replace(lived, waiting={}, events=[], decisions=[]).live(until)
        assert is_replayable(DEMO, story.state, on(days(until, 1)))
        back = replace(wrong("pay_1", FIRST_DUE), booking="same_year")
        back = replace(back, correction=replace(back.correction, correction_id="cor_2"))
        assert not isinstance(decided(LOAN, story.state, back, on(days(until, 1))), str)


def test_a_loan_whose_end_was_recorded_before_lateness_was_said_says_it_with_its_correction() -> None:
    """Rules 8 said nothing of it, and no day wakes a loan that is repaid."""
    paid, answered = days(FIRST_DUE, 95), days(FIRST_DUE, 100)
    story = Story(told_on={FIRST_DUE: answered}, paid={paid: [pays(paid, 200_000)]}).live(answered)
    told = [*story.said(PaymentMissed), *story.said(LatenessJudged)]
    recorded = (event for _, events in story.decisions for event in events if event not in told)
    state = reduce(LOAN.evolve, recorded, LOAN.initial)
    said = decided(LOAN, state, wrong("pay_1", paid), on(answered))
    assert said == (*told, *decided(LOAN, story.state, wrong("pay_1", paid), on(answered)))
    assert is_replayable(DEMO, reduce(LOAN.evolve, said, state), on(answered))


@dataclass(frozen=True)
class Answering:
    """A debit was answered on a later day, at a place of it: where nothing of its money is the loan's, it found nothing, but that it was
    there is known (`found_fen`)."""

    on: date
    place: str
    debit: Any
    found_fen: int = 0

    def come(self, lived: Lived) -> None:
        """It is answered, if it still waits."""
        if self.found_fen:
            lived.state = found(lived.state, self.debit.debit_id, self.found_fen, self.on)
        lived.say(
            RecordDebitFailure(
                debit_id=self.debit.debit_id,
                requested_fen=self.debit.debit_fen,
                value_date=self.debit.value_date,
            )
        )


@dataclass
class LateLife(Late, CorrectedMeasured):
    """Lateness, measures, pauses and corrections in one life, and what the runtime knows of each."""

    pauses: bool = True
    pays: float = 0.03
    sticks: float = 0.03
    dated_back: float = 0.3
    missed: set[tuple[date, int]] = field(default_factory=set)
    """Wakes that were due and did not come."""
    past_dues: date = date.min
    """The last day of which the loan knows that its dues are over: it was asked for some, or woken after days on which it was not."""
    answers: list[Answering] = field(default_factory=list)
    came: list[str] = field(default_factory=list)
    """The ids of all that came, in its order."""
    due: WakeOn = None
    """What was due before the last that was said."""

    def say(self, command: Any) -> Any:
        """Remembering what was due before it."""
        self.due = LOAN.wake_on(self.state)
        return super().say(command)

    def is_late(self) -> bool:
        """Whether the day has not come to the loan yet: then nothing of it is corrected."""
        due = LOAN.wake_on(self.state)
        return due is not None and due < (self.today, 2)

    def wake(self, phase: int) -> list[Any]:
        """What is due and does not come is remembered: while the loan is stuck, and where what came after the dues made it due before them."""
        due = LOAN.wake_on(self.state)
        asked = super().wake(phase)
        over = (2, 4) if self.today <= self.stuck_to else (2,) if phase == 4 and not self._is_after() else ()
        for each in over:
            if due is not None and due <= (self.today, each) and each <= phase:
                self.missed.add((self.today, each))
        is_catching_up = due is not None and due < (self.today, 2) and not over and not self._came_today()
        if asked or (phase == 2 and is_catching_up):
            self.past_dues = self.today
        return asked

    def pay(self, place: str) -> None:
        """What comes to a loan that the dues of its day have not reached comes before them."""
        before = len(self.taken)
        super().pay(place)
        if len(self.taken) > before:
            place = self.taken[-1].place
            if self._before_dues():
                place = "ahead" if place in _AFTER_DUES else place
            elif place == "after" and not self._is_judged():
                place = "late"
            self._put(self.taken[-1].payment.payment_id, place)
            self.taken[-1] = replace(self.taken[-1], place=place)

    def answered_late(self, debit: Any, place: str) -> None:
        """At its place, with money or without."""
        before = len(self.events)
        super().answered_late(debit, place)
        back = [each.amount_fen for each in self.events[before:] if isinstance(each, PaymentReturned)]
        place = self._where(place, debit.debit_id)
        self._put(debit.debit_id, place)
        self.answers.append(Answering(self.today, place, debit, sum(back)))
        if self.taken and self.taken[-1].payment.payment_id == debit.debit_id:
            self.taken[-1] = replace(self.taken[-1], place=place)

    def answer(self, debit: Any) -> Any:
        """Of its day."""
        self.came.append(debit.debit_id)
        return super().answer(debit)

    def _place(self, said: MeasureApplied, place: str) -> str:
        place = self._where(place)
        self._put(said.measure_id, place)
        return place

    def _where(self, place: str, name: str = "") -> str:
        """Where in the day something else than a payment came. A loan that has nothing to ask does not know whether its dues are over, and takes
        them to be still to come unless something came after them."""
        if place == "after" and self._is_judged():
            return place
        if place in _AFTER_DUES and self._is_after(name) and not self._before_dues():
            return "late" if place == "after" else place
        return (
            "ahead" if any((each.on, each.place) == (self.today, "ahead") for each in self.taken) else "early"
        )

    def _is_after(self, name: str = "") -> bool:
        """Whether the loan knows that its dues of today are over, by others than what comes just now."""
        came = (each for each in self._came_today() if _name(each) != name)
        return self.past_dues == self.today or any(each.place in _AFTER_DUES for each in came)

    def _came_today(self) -> list[Any]:
        came: list[Any] = [*self.taken, *self.applied, *self.answers]
        return [each for each in came if each.on == self.today]

    def _is_judged(self) -> bool:
        """Whether the last phase, which runs for others, has nothing more to do with the loan."""
        return self.due is None or self.due > (self.today, 4)

    def _before_dues(self) -> bool:
        return self.due is not None and self.due <= (self.today, 2)

    def _put(self, name: str, place: str) -> None:
        """What comes before the dues comes while they are not late."""
        self.came.append(name)
        if place not in _AFTER_DUES:
            self.missed.discard((self.today, 2))

    # --- corrections ---------------------------------------------------------------------------------------------------

    def busy(self) -> set[date]:
        """Nor to a day on which a debit of another was answered."""
        return super().busy() | {answering.on for answering in self.answers}

    def right(self, came: Input, to_date: date | None) -> None:
        """What is dated back comes after what was there."""
        super().right(came, to_date)
        if to_date is not None:
            self.came = [*self.came, came.payment.payment_id]

    def refused(self, code: str, came: Input, to_date: date | None) -> None:
        """By a measure's name where the clean history has it not, or not as it was."""
        if not code.endswith("_would_differ"):
            super().refused(code, came, to_date)
            return
        other = copy(self)
        other.wrong, other.moved, other.taken = set(self.wrong), dict(self.moved), list(self.taken)
        other.right(came, to_date)
        other.clean()
        kinds = {each.measure.terms.kind for each in self.applied if self.differs(each.measure.measure_id)}
        assert code.removesuffix("_would_differ") in kinds, (code, kinds)

    # --- the clean history ---------------------------------------------------------------------------------------------

    def clean(self) -> Lived:
        """The loan to which only what is right ever came, on the morning of today."""
        lived = Lived(Random(0), self.terms.funded_on)
        lived.open(self.terms)
        while lived.today < self.today:
            for place in PLACES:
                if place == "between" and (lived.today, 2) not in self.missed:
                    self._wake(lived, 2)
                if place == "after":
                    self._judge(lived)
                self._come(lived, place)
            self._judge(lived)
            self._hold(lived)
            lived.phase = 0
            lived.today += timedelta(days=1)
        self._come(lived, "early")
        return lived

    def _hold(self, lived: Lived) -> None:
        """What was asked was asked, though this history would not have: its answer is waited for from the end of its day."""
        debits = (each.debit for each in self._answers() if getattr(each.debit, "asked", True))
        was = [Pending(debit_id=debit.debit_id, asked_on=debit.value_date) for debit in debits]
        state = lived.state
        known = {debit.debit_id for debit in state.unanswered}
        more = (debit for debit in (*was, *reopened(self.state).unanswered) if debit.asked_on == lived.today)
        unasked = tuple(debit for debit in more if debit.debit_id not in known)
        lived.state = replace(state, unanswered=(*state.unanswered, *unasked))

    def _judge(self, lived: Lived) -> None:
        """The last phase comes to the loan if it came, and goes on for others."""
        if (lived.today, 4) not in self.missed:
            self._wake(lived, 4)
        lived.phase = 4

    def _come(self, lived: Lived, place: str) -> None:
        for each in self._at(lived.today, place):
            if isinstance(each, Input):
                come(lived, each)
            else:
                each.come(lived)

    def _wake(self, lived: Lived, phase: int) -> None:
        """A debit finds nothing but what comes, and waits for its answer where that came late."""
        late = {each.debit.debit_id for each in self._answers()} | {
            debit.debit_id for debit in reopened(self.state).unanswered
        }
        now = {each.payment.payment_id for each in self.inputs() if each.on == lived.today}
        for debit in lived.wake(phase):
            if debit.debit_id not in late | now:
                Answering(lived.today, "answers", debit).come(lived)

    def _answers(self) -> list[Answering]:
        """A debit whose money counts as of another day now was answered on its own."""
        return [each for each in self.answers if each.debit.debit_id not in self.moved]

    def _at(self, on: date, place: str) -> list[Any]:
        """What came at a place of a day, in its order."""
        order = {name: number for number, name in enumerate(self.came)}
        came: list[Any] = [*self.inputs(), *self._answers(), *self.applied]
        here = [each for each in came if (each.on, each.place) == (on, place)]
        return sorted(here, key=lambda each: order[_name(each)])


def late(state: Any) -> Running:
    """What is compared: who has died is dead, and what is disputed is, whatever was booked; what waits for an answer is no input yet."""
    last = measured(state)
    return replace(last, trouble=replace(last.trouble, flags=(), asked_again_on=None, waiting=()))


def _name(came: Input | Answering | Applied) -> str:
    if isinstance(came, Input):
        return came.payment.payment_id
    return str(came.debit.debit_id) if isinstance(came, Answering) else came.measure.measure_id
