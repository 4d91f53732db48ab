"""A loan that measures are taken of while it is lived and corrected, and the history that never had the error, told day by day."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, get_args

from libs.events.flags import Flag, FlagKind, Unflag
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import (
    Extension,
    MeasureApplied,
    MeasureTerms,
    NonAccrual,
    Reclassification,
    Restructuring,
    Waiver,
    WriteOff,
)
from libs.events.pauses import Pause, PauseEnd
from libs.events.repayment import LoanClass
from services.repayment.commands.measures import CarryOutMeasure
from tests.unit.repayment.asset_story import LORRY
from tests.unit.repayment.inputs import Lived


@dataclass(frozen=True)
class Applied:
    """A measure that was applied, and where in which day."""

    on: date
    place: str
    measure: CarryOutMeasure
    answers: dict[str, Any]
    """What each measure came to in the clean history: its events, or its refusal."""

    def come(self, lived: Lived) -> None:
        """It is decided."""
        said = lived.say(self.measure)
        self.answers[self.measure.measure_id] = said
        if said == "not_accruing":  # nothing is left to do, and two people have decided it all the same
            lived.state = replace(lived.state, trouble=replace(lived.state.trouble, no_income_by_hand=True))


@dataclass
class Measured(Lived):
    """Now and then a measure is carried out, mostly where the loan is late."""

    often: float = 0.04
    pauses: bool = False
    """Whether pauses and flags are among them."""
    measures: int = 0
    applied: list[Applied] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    """What each came to when it was applied."""
    again: dict[str, Any] = field(default_factory=dict)

    def meanwhile(self, place: str) -> None:
        """Some measure, if the loan can."""
        is_late = self.state.kind == "running" and self.state.bucket != "current"
        if place in ("ahead", "answers") or self.chance.random() > (
            self.often if is_late else self.often / 4
        ):
            return
        if self.pauses and self.state.kind != "running":
            return  # a flag of a repaid loan is lifted beside its journal: nothing of how it ran depends on that
        self.measures += 1
        terms = random_measure(self.chance, self.today, pauses=self.pauses)
        measure = CarryOutMeasure(
            measure_id=f"msr_{self.measures}",
            terms=terms,
            waivable_fen=self.chance.choice((None, 200, 400)) if isinstance(terms, Waiver) else None,
        )
        answer = self.say(measure)
        if isinstance(answer, str):
            return
        said = next((event for event in answer if isinstance(event, MeasureApplied)), None)
        if said is None:
            return  # it waits for a debit's answer, and nobody asks for it again here
        self.first[measure.measure_id] = answer
        self.applied.append(Applied(self.today, self._place(said, place), measure, self.again))

    def _place(self, said: MeasureApplied, place: str) -> str:
        """A loan with nothing to ask today does not know whether that is over."""
        if said.before_phase >= 4:
            return place
        ahead = any((came.on, came.place) == (self.today, "ahead") for came in self.taken)
        return "ahead" if ahead else "early"


def random_measure(chance: Random, on: date, *, pauses: bool = False) -> MeasureTerms:
    """Terms of some kind."""
    if pauses and chance.random() < 0.5:
        return _random_pause(chance, on)
    kinds: list[MeasureTerms] = [
        Extension(months=chance.randint(1, 3)),
        Restructuring(months=chance.randint(1, 3)),
        _random_loss(chance),
        Waiver(amount_fen=chance.choice((1, 100, 10**6))),
        Waiver(amount_fen=chance.randint(1, 500)),
        Reclassification(to_class=chance.choice(get_args(LoanClass))),
        NonAccrual(),
        NonAccrual(ends=True),
        replace(LORRY, agreed_fen=chance.choice((100, 10_000, 30_000, 40_000)), valued_on=on, acquired_on=on),
    ]
    return chance.choice(kinds)


def _random_loss(chance: Random) -> WriteOff:
    """What its pursuit has cost is said with it, if at all, and afterwards again."""
    loss = WriteOff(ground=chance.choice(("overdue", "court", "court")))
    fen = chance.choice((0, 1, chance.randint(1, 3_000), chance.randint(1, 90_000)))
    return (
        replace(loss, cost_fen=fen, cost_account=chance.choice(("acc_law", "acc_bailiff"))) if fen else loss
    )


def _random_pause(chance: Random, on: date) -> MeasureTerms:
    from_on = on + timedelta(days=chance.randint(-3, 20))
    flag: FlagKind = chance.choice(get_args(FlagKind))
    kinds: list[MeasureTerms] = [
        Pause(from_on=from_on, to_on=from_on + timedelta(days=chance.randint(0, 60)), cause="illness"),
        Pause(from_on=from_on, to_on=from_on + timedelta(days=chance.randint(0, 9)), cause="disaster"),
        PauseEnd(),
        Flag(flag=flag),
        Unflag(flag=flag),
    ]
    return chance.choice(kinds)


def given_for(events: Any) -> list[Any]:
    """What holders were given for their claims."""
    return [
        (event.settled_fen, event.excess_fen, event.shares)
        for event in events
        if isinstance(event, DebtSettledInKind)
    ]
