"""The debtor's situations and how events lead from one to the next: what the limits and the next step need, never a history.

Of payments a fixed number is remembered (`promise_state`).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.collections import (
    AgreedHours,
    ArrearsUpdated,
    CaseAssigned,
    CaseClosed,
    CaseOpened,
    CasePaymentCorrected,
    CasePaymentRecorded,
    CaseRanked,
    CaseStageChanged,
    ContactLogged,
    ContactStarted,
    DebtorClaimed,
    DebtorReleased,
    MissAdded,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseMended,
    PromiseReleased,
    PromiseReopened,
    QueueEntry,
)
from libs.events.flags import DebtorFlagged, DebtorUnflagged
from libs.events.money import Count
from libs.events.plans import PlanAnswered, PlanProposed
from services.collections.domain.call_counting import DayCalls, counted, is_counted, unanswered_after
from services.collections.domain.contact_state import LastContact, OpenContact, begun
from services.collections.domain.flag_state import Flagged, flags_after
from services.collections.domain.plan_state import Plan, planned
from services.collections.domain.promise_state import (
    Promise,
    PromiseEvent,
    Tally,
    TallyEvent,
    promise_after,
    tallied,
    tally_of,
)

_DAY = timedelta(days=1)


@record
class OpenCase:
    """A loan with arrears. `overdue_fen` counts what was missed by then; in older records everything due before `overdue_as_of`.

    `last_missed` (the due date: a new schedule counts its rows anew), `last_payment` and `last_promise` recognise what comes again; `entry` is what the queue was last told.
    """

    kind: Literal["open"] = "open"
    case_id: str
    loan_id: str
    opening: int
    region: str
    product: str
    stage: str
    bucket: str
    dpd: int
    overdue_fen: Count
    overdue_as_of: date
    last_missed: date
    last_payment: str | None
    last_promise: str | None
    broken_promises: int
    assigned_to: str | None
    next_on: date | None
    call_back_minute: int | None
    promise: Promise | None
    entry: QueueEntry | None


@record
class ClosedCase:
    """A loan without arrears that had some. `promise`: one that is open again, until the case is or its date is over."""

    kind: Literal["closed"] = "closed"
    case_id: str
    loan_id: str
    opening: int
    last_missed: date
    broken_promises: int
    promise: Promise | None = None


@record
class Free:
    """Nobody works on the debtor."""

    kind: Literal["free"] = "free"


@record
class Leased:
    """One collector was given the debtor until a moment; a lease whose moment has passed holds nobody."""

    kind: Literal["leased"] = "leased"
    collector: str
    until: datetime


@record
class NoDebtor:
    """Nothing was ever missed; a flag may stand before that."""

    kind: Literal["no_debtor"] = "no_debtor"
    flags: tuple[Flagged, ...] = ()


@record
class Debtor:
    """Somebody who has missed a payment. Cases stand in the order of their first opening; `region` is the newest one's.

    `unanswered` are attempts at himself since he was last spoken to, `stopped` third parties who are never contacted again.
    """

    kind: Literal["debtor"] = "debtor"
    debtor_id: str
    borrower: str
    region: str
    cases: tuple[OpenCase | ClosedCase, ...]
    lease: Free | Leased
    contacts: int
    open_contacts: tuple[OpenContact, ...]
    last_contact: LastContact | None
    call_days: tuple[DayCalls, ...]
    unanswered: int
    stopped: tuple[str, ...]
    agreed_hours: AgreedHours | None
    plans: tuple[Plan, ...] = ()
    tallies: tuple[Tally, ...] = ()
    flags: tuple[Flagged, ...] = ()


DebtorState = NoDebtor | Debtor
CaseEvent = (
    MissAdded
    | ArrearsUpdated
    | CaseStageChanged
    | CasePaymentRecorded
    | CasePaymentCorrected
    | CaseClosed
    | CaseRanked
    | CaseAssigned
    | PromiseMade
    | PromiseKept
    | PromiseBroken
    | PromiseMended
    | PromiseReleased
    | PromiseReopened
)
PlanEvent = PlanProposed | PlanAnswered
FlagEvent = DebtorFlagged | DebtorUnflagged
DebtorEvent = (
    CaseOpened
    | CaseEvent
    | DebtorClaimed
    | DebtorReleased
    | ContactStarted
    | ContactLogged
    | PlanEvent
    | FlagEvent
)


def evolve(state: DebtorState, event: DebtorEvent) -> DebtorState:
    """The state after one event."""
    if isinstance(event, CaseOpened):
        return _opened(state, event)
    if isinstance(event, DebtorFlagged | DebtorUnflagged):
        return replace(state, flags=flags_after(state.flags, event))
    if isinstance(state, NoDebtor):
        return state
    match event:
        case DebtorClaimed():
            return replace(state, lease=Leased(collector=event.collector, until=event.claimed_until))
        case DebtorReleased():
            return replace(state, lease=Free())
        case ContactStarted():
            return replace(state, contacts=event.number, open_contacts=(*state.open_contacts, begun(event)))
        case ContactLogged():
            return _logged(state, event)
        case PlanProposed() | PlanAnswered():
            return replace(state, plans=planned(state.plans, event))
        case _:
            return _evolve_cases(state, event)


def case_in(state: Debtor, case_id: str) -> OpenCase | ClosedCase | None:
    """The debtor's case of that id, whatever became of it."""
    return next((case for case in state.cases if case.case_id == case_id), None)


def _with_case(state: Debtor, case_id: str, change: Callable[[OpenCase], OpenCase | ClosedCase]) -> Debtor:
    cases = tuple(
        change(case) if isinstance(case, OpenCase) and case.case_id == case_id else case
        for case in state.cases
    )
    return replace(state, cases=cases)


def _evolve_cases(state: Debtor, event: CaseEvent) -> Debtor:
    if isinstance(event, TallyEvent):
        state = replace(state, tallies=tallied(state.tallies, event))
    tally = tally_of(state.tallies, event.case_id)
    cases = tuple(
        case
        if case.case_id != event.case_id
        else _evolve_case(case, event, tally)
        if isinstance(case, OpenCase)
        else _evolve_closed(case, event, tally)
        for case in state.cases
    )
    return replace(state, cases=cases)


def _evolve_closed(case: ClosedCase, event: CaseEvent, tally: Tally | None) -> ClosedCase:
    """Only a correction changes what a closed case remembers: a promise that had been kept."""
    if not isinstance(event, TallyEvent):
        return case
    return replace(
        case,
        promise=promise_after(case.promise, event, tally),
        broken_promises=_broken_after(case, event),
    )


def _evolve_case(case: OpenCase, event: CaseEvent, tally: Tally | None) -> OpenCase | ClosedCase:
    match event:
        case MissAdded():
            return replace(
                case,
                last_missed=event.due_on,
                overdue_fen=event.overdue_fen,
                overdue_as_of=max(case.overdue_as_of, event.due_on + _DAY),
                dpd=event.dpd,
            )
        case ArrearsUpdated():
            return replace(
                case,
                bucket=event.bucket,
                dpd=event.dpd,
                overdue_fen=event.overdue_fen,
                overdue_as_of=event.as_of,
            )
        case CaseStageChanged():
            # who worked the old stage need not be able to work the new one: it goes back to the queue (chosen)
            return replace(case, stage=event.to_stage, assigned_to=None)
        case CasePaymentRecorded():
            return replace(
                case,
                promise=promise_after(case.promise, event, tally),
                last_payment=event.payment_id,
                overdue_fen=event.overdue_fen,
                overdue_as_of=event.as_of,
            )
        case CasePaymentCorrected():
            return replace(case, promise=promise_after(case.promise, event, tally))
        case CaseClosed():
            return ClosedCase(
                case_id=case.case_id,
                loan_id=case.loan_id,
                opening=case.opening,
                last_missed=case.last_missed,
                broken_promises=case.broken_promises,
            )
        case CaseRanked():
            return replace(case, entry=event.entry)
        case CaseAssigned():
            return replace(case, assigned_to=event.collector)
        case (
            PromiseMade()
            | PromiseKept()
            | PromiseBroken()
            | PromiseMended()
            | PromiseReleased()
            | PromiseReopened()
        ):
            return _promised(case, event, tally)
        case _:
            assert_never(event)


def _promised(case: OpenCase, event: PromiseEvent, tally: Tally | None) -> OpenCase:
    promise = promise_after(case.promise, event, tally)
    after = replace(case, promise=promise, broken_promises=_broken_after(case, event))
    if isinstance(event, PromiseMade):
        after = replace(after, last_promise=event.promise_id)
    if promise == case.promise:
        return after
    # until its date is over there is nothing to ask for
    next_on = promise.promised_on + _DAY if promise else None
    return replace(after, next_on=next_on, call_back_minute=None)


def _broken_after(case: OpenCase | ClosedCase, event: TallyEvent) -> int:
    if isinstance(event, PromiseBroken | PromiseMended):
        return event.broken_promises
    return case.broken_promises


def _opened(state: DebtorState, event: CaseOpened) -> Debtor:
    debtor = _nobody_yet(event, state.flags) if isinstance(state, NoDebtor) else state
    before = case_in(debtor, event.case_id)
    # a correction that makes the loan late again may have reopened it before
    promise = before.promise if before else None
    opened = OpenCase(
        case_id=event.case_id,
        loan_id=event.loan_id,
        opening=event.opening,
        region=event.region,
        product=event.product,
        stage=event.stage,
        bucket=event.bucket,
        dpd=event.dpd,
        overdue_fen=event.overdue_fen,
        overdue_as_of=event.due_on + _DAY,
        last_missed=event.due_on,
        last_payment=None,
        last_promise=None,
        broken_promises=before.broken_promises if before else 0,
        assigned_to=None,
        next_on=promise.promised_on + _DAY if promise else None,
        call_back_minute=None,
        promise=promise,
        entry=None,
    )
    if before is None:
        return replace(debtor, region=event.region, cases=(*debtor.cases, opened))
    cases = tuple(opened if case.case_id == event.case_id else case for case in debtor.cases)
    return replace(debtor, region=event.region, cases=cases)


def _nobody_yet(event: CaseOpened, flags: tuple[Flagged, ...]) -> Debtor:
    return Debtor(
        debtor_id=event.debtor_id,
        borrower=event.borrower,
        region=event.region,
        cases=(),
        lease=Free(),
        contacts=0,
        open_contacts=(),
        last_contact=None,
        call_days=(),
        unanswered=0,
        stopped=(),
        agreed_hours=None,
        flags=flags,
    )


# --- contacts ------------------------------------------------------------------------------------------------------


def _logged(state: Debtor, event: ContactLogged) -> Debtor:
    still_open = tuple(contact for contact in state.open_contacts if contact.contact_id != event.contact_id)
    stopped = state.stopped
    if event.stop_party is not None and event.stop_party not in stopped:
        stopped = (*stopped, event.stop_party)
    is_promise = event.outcome == "promise"
    logged = replace(
        state,
        open_contacts=still_open,
        last_contact=LastContact(contact_id=event.contact_id, promised=is_promise),
        call_days=counted(state.call_days, event.local_day) if is_counted(event) else state.call_days,
        unanswered=unanswered_after(state.unanswered, event),
        stopped=stopped,
        agreed_hours=event.agreed_hours or state.agreed_hours,
    )
    return _with_case(
        logged,
        event.case_id,
        lambda case: replace(case, next_on=event.next_on, call_back_minute=event.call_back_minute),
    )
