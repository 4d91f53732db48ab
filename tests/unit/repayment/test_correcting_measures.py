"""Corrections of loans that measures were taken of: the measure is decided again on the loan without the error, or the correction refused."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.corrections import LoanRestated
from libs.events.measures import PenaltyWaived
from libs.events.money import money_context
from libs.events.repayment import LoanOpened
from libs.events.rescheduling import ScheduleChanged
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.repayment.inputs import Input, clean
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.measured import Measured, given_for
from tests.unit.repayment.test_correcting import Corrected, compared, money

DEMO = profile_named("demo")

#: As which a measure is refused in the clean history that had no more to do than there is.
NOTHING = {"nothing_to_waive", "not_accruing", "loan_repaid"}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_interleaving_of_payments_measures_and_corrections_ends_in_the_clean_history(seed: int) -> None:
    """State, claims, money and what was given up are those of the loan that only the right payments and the same measures ever reached;
    what a row that was not there before has received is said, be it nothing; and a correction is refused by a measure's name only where that history has no such measure."""
    play(seed)


def play(seed: int) -> Counter[str]:
    """One life; how often what happened."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = CorrectedMeasured(chance, terms.funded_on)
    lived.terms = terms
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 200)):
            if chance.random() < 0.08:
                lived.correct()
                again = clean(terms, lived.inputs(), lived.today, lived.applied)
                assert all(not isinstance(said, str) or said in NOTHING for said in lived.again.values())
                assert measured(lived.state) == measured(again.state)
                assert money(lived.events) == money(again.events)
                assert waived(lived.events) == waived(again.events)
                assert not untold(lived.events)
                assert is_replayable(DEMO, lived.state, lived.today)
            for _ in lived.day():
                pass
    return lived.seen


@dataclass
class CorrectedMeasured(Measured, Corrected):
    """Measures and corrections in one life."""

    terms: Any = None
    seen: Counter[str] = field(default_factory=Counter)

    def busy(self) -> set[date]:
        """Nor to a day on which a measure came."""
        return super().busy() | {applied.on for applied in self.applied}

    def refused(self, code: str, came: Input, to_date: date | None) -> None:
        """By a measure's name where the clean history has it not, or not as it was."""
        self.seen[code] += 1
        if not code.endswith("_would_differ"):
            super().refused(code, came, to_date)
            return
        other = copy(self)
        other.wrong, other.moved, other.taken = set(self.wrong), dict(self.moved), list(self.taken)
        other.right(came, to_date)
        clean(self.terms, other.inputs(), self.today, self.applied)
        kinds = {
            applied.measure.terms.kind for applied in self.applied if self.differs(applied.measure.measure_id)
        }
        assert code.removesuffix("_would_differ") in kinds, (code, kinds)

    def right(self, came: Input, to_date: date | None) -> None:
        """Counted."""
        if self.applied:
            self.seen["corrected after a measure"] += 1
        super().right(came, to_date)

    def differs(self, measure_id: str) -> bool:
        """Whether the clean history has it not, or gives holders something else for their claims."""
        said = self.again[measure_id]
        if isinstance(said, str):
            return said not in NOTHING or said == "loan_repaid"
        return given_for(said) != given_for(self.first[measure_id])


def measured(state: Any) -> Running:
    """What is compared: a measure that came to nothing has not been done in the clean history."""
    last = compared(state)
    return replace(last, trouble=replace(last.trouble, done=()))


def waived(events: Sequence[Any]) -> int:
    """Penalty that was given up, corrections included."""
    return sum(event.waived_fen for event in events if isinstance(event, PenaltyWaived | LoanRestated))


def untold(events: Sequence[Any]) -> set[int]:
    """Rows that a correction gives the loan, which it never had, without a word of what they have received."""
    known: set[int] = set()
    missing: set[int] = set()
    for event in events:
        if isinstance(event, LoanOpened | ScheduleChanged):
            known |= {row.number for row in event.rows}
        elif isinstance(event, LoanRestated):
            known |= {row.number for row in event.rows}
            missing |= {row.number for row in event.standing.rows or ()} - known
    return missing
