"""What a loan remembers of measures and of its standing beside bucket and class, and how their events change it."""

from dataclasses import replace
from datetime import date
from typing import assert_never

from libs.events.codec import record
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import (
    LoanMoved,
    LoanRescheduled,
    LoanWrittenOff,
    MeasureExamined,
    NonAccrualEnded,
    NonAccrualStarted,
    PenaltyWaived,
    RecoveryReceived,
)
from libs.events.money import Count
from libs.events.repayment import LoanClass, LoanClassified

#: How many measures a loan recognises when they come again.
_REMEMBERED = 32

TroubledEvent = (
    MeasureExamined
    | LoanRescheduled
    | LoanWrittenOff
    | RecoveryReceived
    | PenaltyWaived
    | NonAccrualStarted
    | NonAccrualEnded
    | LoanMoved
    | DebtSettledInKind
)


@record
class Floor:
    """The best class that the loan may have, until the end of `until`; None: until somebody says otherwise by hand."""

    best: LoanClass
    until: date | None = None


@record
class Trouble:
    """The measures that the loan has examined and carried out (the last of them), and what they left behind.

    `reschedulings` says which kinds it had, each once; `written_off_on` and `recovered_fen` are of a loan that was written off.
    `branch` looks after it; None: that of its region. `in_kind`: an asset took the place of some of its debt.
    """

    examined: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    reschedulings: tuple[str, ...] = ()
    floor: Floor | None = None
    non_accrual: bool = False
    written_off_on: date | None = None
    recovered_fen: Count = 0
    branch: str | None = None
    in_kind: bool = False


def after_event(trouble: Trouble, event: TroubledEvent) -> Trouble:
    """What the loan remembers after an event."""
    match event:
        case MeasureExamined():
            return replace(trouble, examined=(*trouble.examined, event.measure_id)[-_REMEMBERED:])
        case LoanRescheduled():
            return replace(
                _done(trouble, event.measure_id),
                reschedulings=(*trouble.reschedulings, event.kind),
                floor=Floor(best=event.floor_class, until=event.floor_until),
            )
        case LoanWrittenOff():
            return replace(_done(trouble, event.measure_id), written_off_on=event.written_off_on)
        case RecoveryReceived():
            return replace(trouble, recovered_fen=event.recovered_fen)
        case PenaltyWaived():
            return _done(trouble, event.measure_id)
        case DebtSettledInKind():
            return replace(_done(trouble, event.measure_id), in_kind=True)
        case NonAccrualStarted():
            return replace(_done(trouble, event.measure_id), non_accrual=True)
        case NonAccrualEnded():
            return replace(trouble, non_accrual=False)
        case LoanMoved():
            return replace(_done(trouble, event.measure_id), branch=event.to_branch)
        case _:
            assert_never(event)


def classified(trouble: Trouble, event: LoanClassified) -> Trouble:
    """A class that was given by hand is the best until another is, also where it is the normal one."""
    if not event.measure_id or event.measure_id in trouble.done:
        return trouble
    return replace(_done(trouble, event.measure_id), floor=Floor(best=event.to_class))


def floor_on(trouble: Trouble, on: date) -> LoanClass:
    """The best class that the loan may have on a day."""
    floor = trouble.floor
    return "normal" if floor is None or (floor.until is not None and floor.until < on) else floor.best


def _done(trouble: Trouble, measure_id: str) -> Trouble:
    if not measure_id or measure_id in trouble.done:
        return trouble
    return replace(trouble, done=(*trouble.done, measure_id)[-_REMEMBERED:])
