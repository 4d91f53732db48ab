"""What a loan remembers of measures and of its standing beside bucket and class, and how their events change it."""

from dataclasses import replace
from datetime import date
from typing import Final, assert_never, get_args

from libs.events.codec import record
from libs.events.corrections import CorrectionExamined, CostStanding, FloorStanding, MeasuredStanding
from libs.events.deferrals import MeasureDeferred, MeasureResumed
from libs.events.flags import FlagKind, LoanFlagged, LoanUnflagged
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import (
    LoanMoved,
    LoanRescheduled,
    LoanWrittenOff,
    MeasureApplied,
    MeasureExamined,
    MeasureTerms,
    NonAccrual,
    PenaltyWaived,
    Reclassification,
    RecoveryReceived,
)
from libs.events.money import Count
from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded
from libs.events.recovery_costs import RecoveryCostBooked, RecoveryCostPaid
from libs.events.repayment import LoanClass, LoanClassified
from libs.events.voidance import LoanVoided

#: How many measures a loan recognises when they come again.
_REMEMBERED = 32

TroubledEvent = (
    MeasureExamined
    | MeasureDeferred
    | MeasureResumed
    | CorrectionExamined
    | MeasureApplied
    | LoanRescheduled
    | LoanWrittenOff
    | RecoveryReceived
    | RecoveryCostBooked
    | RecoveryCostPaid
    | PenaltyWaived
    | NonAccrualStarted
    | NonAccrualEnded
    | LoanMoved
    | DebtSettledInKind
    | DelinquencyPaused
    | DelinquencyPauseEnded
    | LoanFlagged
    | LoanUnflagged
)


#: The five, best first.
CLASSES: Final[tuple[LoanClass, ...]] = get_args(LoanClass)


@record
class Floor:
    """The best class that the loan may have, until the end of `until`; None: until somebody says otherwise by hand."""

    best: LoanClass
    until: date | None = None


@record
class Waiting:
    """A measure that all have agreed to and that waits for a debit's answer."""

    measure_id: str
    terms: MeasureTerms
    waivable_fen: Count | None = None


@record
class Cost:
    """What it cost to pursue a loss, as far as it is not paid, and to whom that is owed."""

    measure_id: str
    account_id: str
    owed_fen: Count


@record
class Trouble:
    """The measures that the loan has examined and carried out (the last of them, beside corrections that it has examined), and what they left behind.

    `reschedulings` says which kinds it had, each once; `written_off_on` and `recovered_fen` are of a loan that was written off.
    `granted_months` are all by which they stretched it. `observed` holds beside any other floor, for nobody ends it early.
    `branch` looks after it; None: that of its region. `in_kind`: an asset took the place of some of its debt. `unreplayed`: a measure
    that is none of the journal's inputs changed what they alone would give. `waived_fen` is all penalty that it was forgiven. `voided_on`:
    its contract is void since. `flags` stand in the order in which they were raised. `asked_again_on`: the day after the death was lifted, on which the account is
    asked for what fell due meanwhile. `waiting` are done, or not, once the last debit is answered. `no_income_by_hand`: two
    people decided that its interest is none, and no payment takes it back. `cost` is paid before the debt.
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
    granted_months: Count = 0
    observed: Floor | None = None
    unreplayed: bool = False
    waived_fen: Count = 0
    voided_on: date | None = None
    flags: tuple[FlagKind, ...] = ()
    asked_again_on: date | None = None
    waiting: tuple[Waiting, ...] = ()
    no_income_by_hand: bool = False
    cost: Cost | None = None


def after_event(trouble: Trouble, event: TroubledEvent) -> Trouble:
    """What the loan remembers after an event."""
    match event:
        case MeasureExamined(measure_id=name) | CorrectionExamined(correction_id=name):
            return replace(trouble, examined=(*trouble.examined, name)[-_REMEMBERED:])
        case MeasureDeferred() | MeasureResumed():
            return replace(trouble, waiting=_waiting(trouble.waiting, event))
        case MeasureApplied():
            return _applied(_done(trouble, event.measure_id), event.terms)
        case LoanRescheduled():
            return _rescheduled(_changed(trouble, event.measure_id), event)
        case LoanWrittenOff():
            return replace(_changed(trouble, event.measure_id), written_off_on=event.written_off_on)
        case RecoveryReceived() | RecoveryCostBooked() | RecoveryCostPaid():
            return _recovered(trouble, event)
        case PenaltyWaived():
            changed = _changed(trouble, event.measure_id)
            return replace(changed, waived_fen=trouble.waived_fen + event.waived_fen)
        case DebtSettledInKind():
            return replace(_done(trouble, event.measure_id), in_kind=True)
        case NonAccrualStarted():
            is_by_hand = trouble.no_income_by_hand or event.cause == "by_hand"
            return replace(
                _changed(trouble, event.measure_id), non_accrual=True, no_income_by_hand=is_by_hand
            )
        case NonAccrualEnded():
            ended = _changed(trouble, event.measure_id)
            return replace(ended, non_accrual=False, no_income_by_hand=False)
        case LoanMoved():
            return replace(_done(trouble, event.measure_id), branch=event.to_branch)
        case DelinquencyPaused() | DelinquencyPauseEnded() | LoanFlagged() | LoanUnflagged():
            return replace(_done(trouble, event.measure_id), flags=_flags(trouble.flags, event))
        case _:
            assert_never(event)


def _recovered(trouble: Trouble, event: RecoveryReceived | RecoveryCostBooked | RecoveryCostPaid) -> Trouble:
    match event:
        case RecoveryReceived():
            return replace(trouble, recovered_fen=event.recovered_fen)
        case RecoveryCostBooked():
            cost = Cost(measure_id=event.measure_id, account_id=event.account_id, owed_fen=event.cost_fen)
            return replace(_done(trouble, event.measure_id), cost=cost)
        case RecoveryCostPaid():
            left = replace(trouble.cost, owed_fen=event.left_fen) if trouble.cost and event.left_fen else None
            return replace(trouble, cost=left, unreplayed=trouble.unreplayed or event.arrival is None)
        case _:
            assert_never(event)


def _applied(trouble: Trouble, terms: MeasureTerms) -> Trouble:
    match terms:
        case Reclassification():
            # A class that was given by hand is the best until another is, also where it is the normal one.
            return replace(trouble, floor=Floor(best=terms.to_class))
        case NonAccrual():
            # What two people decided of income is theirs, also where a replay finds that the days had stopped it before.
            return replace(trouble, no_income_by_hand=not terms.ends)
        case _:
            return trouble


def _rescheduled(trouble: Trouble, event: LoanRescheduled) -> Trouble:
    floor = Floor(best=event.floor_class, until=event.floor_until)
    kept = trouble.floor if trouble.floor and trouble.floor.until is None else floor
    return replace(
        trouble,
        reschedulings=(*trouble.reschedulings, event.kind),
        # What two people said without an end holds beside what is observed.
        floor=kept if event.floor_until is not None else floor,
        granted_months=trouble.granted_months + event.months,
        observed=trouble.observed if event.floor_until is None else floor,
    )


def _waiting(waiting: tuple[Waiting, ...], event: MeasureDeferred | MeasureResumed) -> tuple[Waiting, ...]:
    if isinstance(event, MeasureResumed):
        return tuple(each for each in waiting if each.measure_id != event.measure_id)
    waits = Waiting(measure_id=event.measure_id, terms=event.terms, waivable_fen=event.waivable_fen)
    return (*waiting, waits)


def _flags(
    flags: tuple[FlagKind, ...],
    event: DelinquencyPaused | DelinquencyPauseEnded | LoanFlagged | LoanUnflagged,
) -> tuple[FlagKind, ...]:
    match event:
        case LoanFlagged():
            return (*flags, event.flag)
        case LoanUnflagged():
            return tuple(flag for flag in flags if flag != event.flag)
        case _:
            return flags


def voided(trouble: Trouble, event: LoanVoided) -> Trouble:
    """What the loan remembers once its contract is void: its class is better no more by itself."""
    return replace(
        _done(trouble, event.measure_id),
        voided_on=event.voided_on,
        floor=Floor(best=event.floor_class),
    )


def classified(trouble: Trouble, event: LoanClassified) -> Trouble:
    """The class that a measure gave in records from before it was said what it does (MeasureApplied)."""
    if not event.measure_id or event.measure_id in trouble.done:
        return trouble
    return replace(_changed(trouble, event.measure_id), floor=Floor(best=event.to_class))


def restated(trouble: Trouble, measured: MeasuredStanding) -> Trouble:
    """What measures left behind once they were decided again."""
    return replace(
        trouble,
        floor=_floor(measured.floor),
        observed=_floor(measured.observed),
        recovered_fen=measured.recovered_fen,
        no_income_by_hand=measured.no_income_by_hand,
        cost=_cost(measured.cost, trouble.cost),
    )


def _cost(standing: CostStanding | None, before: Cost | None) -> Cost | None:
    if standing is None:
        return before
    if not standing.owed_fen:
        return None
    return Cost(
        measure_id=standing.measure_id,
        account_id=standing.account_id,
        owed_fen=standing.owed_fen,
    )


def _floor(standing: FloorStanding | None) -> Floor | None:
    return Floor(best=standing.best, until=standing.until) if standing else None


def floor_on(trouble: Trouble, on: date) -> LoanClass:
    """The best class that the loan may have on a day."""
    floors = [trouble.floor, trouble.observed]
    best = [each.best for each in floors if each and (each.until is None or each.until >= on)]
    return max(best, key=CLASSES.index, default="normal")


def observed_on(trouble: Trouble, on: date) -> LoanClass:
    """The best class that observation allows on a day: no measure makes that better (rules.md 1.4)."""
    observed = trouble.observed
    is_over = observed is None or (observed.until is not None and observed.until < on)
    return "normal" if observed is None or is_over else observed.best


def _done(trouble: Trouble, measure_id: str) -> Trouble:
    if not measure_id or measure_id in trouble.done:
        return trouble
    return replace(trouble, done=(*trouble.done, measure_id)[-_REMEMBERED:])


def _changed(trouble: Trouble, measure_id: str) -> Trouble:
    """Records from before MeasureApplied: a replay of the loan's inputs knows nothing of it. What the days bring by themselves has no
    measure."""
    if not measure_id or measure_id in trouble.done:
        return trouble
    return replace(_done(trouble, measure_id), unreplayed=True)
