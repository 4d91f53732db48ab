"""Random lives with pauses and flags: days counted one by one say where the loan stands, and its journal gives its state."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.flags import Flag, FlagKind, LoanFlagged, LoanUnflagged, Unflag
from libs.events.measures import MeasureTerms
from libs.events.money import money_context
from libs.events.non_accrual import NonAccrualEnded
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded, Pause, PauseEnd
from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    LoanClass,
    LoanClassified,
    PaymentMissed,
    PenaltyCharged,
)
from services.repayment.commands import RecordDebitFailure, RecordPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan_state import Repaid, Running, reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.lives import random_terms

DEMO = profile_named("demo")


class Poor(Lived):
    """Pays little, seldom, so that the loan lives long and late."""

    def pay(self, place: str) -> None:
        """A small amount, if anything."""
        if self.state.kind == "running" and self.chance.random() < 0.3:
            self.count += 1
            payment = RecordPayment(
                payment_id=f"pay_{self.count}",
                account_id="acc_bo",
                payer="usr_bo",
                amount_fen=self.chance.choice(
                    [1, self.chance.randint(1, 3_000), self.chance.randint(1, 40_000)]
                ),
                value_date=self.today,
                settle=self.chance.random() < 0.01,
            )
            if place == "early":
                self.say(payment)

    def answer(self, debit: InstallmentDue | DebitRequested) -> Sequence[Any] | str:
        """Mostly there is nothing; what was not asked has no answer."""
        if isinstance(debit, InstallmentDue) and not debit.asked:
            return []
        if self.chance.random() < 0.8:
            return self.say(
                RecordDebitFailure(
                    debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
                )
            )
        return super().answer(debit)


class Known:
    """What anybody could write down while listening: the days that do not count, one by one, and whether the debtor lives."""

    def __init__(self) -> None:
        self.paused: set[date] = set()
        self.dead = False
        self.heard = 0

    def hear(self, lived: Lived) -> None:
        """Everything said since."""
        for event in lived.events[self.heard :]:
            match event:
                case DelinquencyPaused():
                    self.paused |= set(_days(event.from_on, event.to_on))
                case DelinquencyPauseEnded():
                    self.paused -= {day for day in self.paused if day > event.ended_on}
                case LoanFlagged(flag="death"):
                    self.dead = True
                case LoanUnflagged(flag="death"):
                    self.dead = False
                case InstallmentDue():
                    assert event.asked == (event.value_date not in self.paused and not self.dead)
                case DebitRequested():
                    assert event.value_date not in self.paused
                    assert not self.dead
                case PaymentMissed():
                    assert lived.today not in self.paused, "nothing is missed on a day that does not count"
                    assert event.dpd == self.late(_oldest(lived.state, event), lived.today)
                case LoanClassified(from_class=before, to_class=after):
                    is_better = get_args(LoanClass).index(after) < get_args(LoanClass).index(before)
                    assert not (is_better and self.owes(lived)), "nothing is cured that is unpaid"
                case NonAccrualEnded():
                    assert not self.owes(lived), "nothing is income again that is unpaid"
                case PenaltyCharged(lines=lines):
                    for line in lines:
                        due_on = reopened(lived.state).book.rows[line.number - 1].due_on
                        assert line.days <= self.late(due_on, event.charged_on)
                case _:
                    pass
        self.heard = len(lived.events)

    def owes(self, lived: Lived) -> bool:
        """Whether an instalment of a day before is unpaid, whatever days count."""
        oldest = reopened(lived.state).book.oldest_due_on
        return oldest is not None and oldest < lived.today

    def late(self, since: date, on: date) -> int:
        """The days that count after one, up to another."""
        return sum(day not in self.paused for day in _days(since + timedelta(days=1), on))


def _oldest(state: Running | Repaid, missed: PaymentMissed) -> date:
    oldest = reopened(state).book.oldest_due_on
    assert oldest is not None, "something was missed"
    return min(oldest, missed.due_on)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def random_pause(chance: Random, today: date) -> MeasureTerms:
    """Some terms: a pause, a flag, or the end of one."""
    first = today + timedelta(days=chance.randint(-2, 12))
    flag: FlagKind = chance.choice(("death", "dispute"))
    return chance.choice(
        (
            Pause(from_on=first, to_on=first + timedelta(days=chance.randint(0, 40)), cause="disaster"),
            Pause(from_on=first, to_on=first + timedelta(days=chance.randint(0, 40)), cause="illness"),
            PauseEnd(),
            Flag(flag=flag),
            Unflag(flag=flag),
        )
    )


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_a_loan_stands_where_the_days_that_count_put_it(seed: int) -> None:
    """After each close the bucket is that of the days counted one by one, nothing is asked on a paused day or of the dead, nothing is cured that is
    unpaid, and what came to the loan gives its state."""
    play(seed)


def play(seed: int) -> None:
    """One life."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived, known = Poor(chance, terms.funded_on), Known()
    lived.open(terms)
    rules = DEMO.on(terms.funded_on)
    with money_context():
        for number in range(chance.randint(60, 300)):
            for place in lived.day():
                if place == "early" and chance.random() < 0.05:
                    lived.say(
                        CarryOutMeasure(measure_id=f"msr_{number}", terms=random_pause(chance, lived.today))
                    )
                known.hear(lived)
            closed = lived.today - timedelta(days=1)
            lived.today = closed
            known.hear(lived)
            lived.today = closed + timedelta(days=1)
            if lived.state.kind == "running":
                oldest = lived.state.book.oldest_due_on
                assert lived.state.bucket == rules.bucket_of(known.late(oldest, closed))
            if chance.random() < 0.1:
                assert is_replayable(DEMO, lived.state, lived.context)
