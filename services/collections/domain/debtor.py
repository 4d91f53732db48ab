"""The debtor: his cases, who works on them, every contact with him, and what he promised.

One stream holds all of it, because the limits are his: three calls a day over all collectors and all his loans can only be
kept where every call is decided. Facts of repayment and the day stand in `debtor_cases`, the gate's limits in `contact_gate`,
the queue's order in `ranking`; whatever a decision changes, its last events say how his cases stand in the queue.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial, reduce
from typing import assert_never

from libs.events.collections import (
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
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.flags import DebtorFlagged, DebtorUnflagged
from libs.events.plans import PlanAnswered, PlanProposed
from services.collections.commands import (
    AnswerPlan,
    AssignCase,
    ClaimCase,
    CloseCase,
    CorrectCasePayment,
    Desk,
    JudgeAgain,
    LogContact,
    MakePromise,
    ProposePlan,
    RecordBucket,
    RecordCasePayment,
    RecordFlag,
    RecordMiss,
    RecordPenalty,
    RecordUnflag,
    ReleaseDebtor,
    StartContact,
)
from services.collections.domain import debtor_cases, debtor_corrections
from services.collections.domain.debtor_contacts import log_contact, make_promise, start_contact
from services.collections.domain.debtor_flags import record_flag, record_unflag
from services.collections.domain.debtor_plans import answer_plan, propose_plan
from services.collections.domain.debtor_state import (
    Debtor,
    DebtorEvent,
    DebtorState,
    Leased,
    NoDebtor,
    OpenCase,
    case_in,
    evolve,
)
from services.collections.domain.profile import Profile, Rules
from services.collections.domain.ranking import ranked

#: The phase of a day in which promises are judged and next steps become due (design.md 2.7).
FOLLOW_UP_PHASE = 5

_DAY = timedelta(days=1)

CorrectionCommand = CorrectCasePayment | JudgeAgain
FactCommand = (
    RecordMiss
    | RecordBucket
    | RecordPenalty
    | RecordCasePayment
    | CorrectionCommand
    | CloseCase
    | AnswerPlan
    | RecordFlag
    | RecordUnflag
)
CaseCommand = ClaimCase | AssignCase | StartContact | LogContact | MakePromise | ProposePlan
WorkCommand = CaseCommand | ReleaseDebtor
DebtorCommand = FactCommand | WorkCommand


def decide(
    profile: Profile, command: DebtorCommand | Wake, state: DebtorState, context: Context
) -> Sequence[DebtorEvent]:
    """The debtor's answer to a command, ending with the changed places of his cases in the queue.

    Raises Refused with the codes that the commands name.
    """
    rules = profile.on(context.business_date)
    if isinstance(command, Wake):
        events = debtor_cases.judge_promises(state, command.business_date)
        # the close of a day is the eve of the next: that one's steps are due
        on = command.business_date + _DAY
    else:
        events = _decided(rules, command, state, context)
        on = context.business_date
        if not events:
            return []
    return [*events, *ranked(rules, reduce(evolve, events, state), on)]


def _decided(
    rules: Rules, command: DebtorCommand, state: DebtorState, context: Context
) -> Sequence[DebtorEvent]:
    match command:
        case RecordMiss():
            return debtor_cases.record_miss(rules, command, state, context)
        case RecordBucket():
            return debtor_cases.record_bucket(rules, command, state)
        case RecordPenalty():
            return debtor_cases.record_penalty(command, state)
        case RecordCasePayment():
            return debtor_cases.record_payment(command, state)
        case CorrectCasePayment():
            return debtor_corrections.correct_payment(command, state)
        case JudgeAgain():
            return debtor_corrections.judge_again(command, state, context)
        case CloseCase():
            return debtor_cases.close_case(command, state)
        case ReleaseDebtor():
            return _release(command, state, context)
        case AnswerPlan():
            return answer_plan(command, state, context)
        case RecordFlag():
            return record_flag(command, state)
        case RecordUnflag():
            return record_unflag(command, state)
        case ClaimCase() | AssignCase() | StartContact() | LogContact() | MakePromise() | ProposePlan():
            return _work(rules, command, state, context)
        case _:
            assert_never(command)


def _work(rules: Rules, command: CaseCommand, state: DebtorState, context: Context) -> Sequence[DebtorEvent]:
    if isinstance(command, LogContact):
        if isinstance(state, NoDebtor):
            raise Refused("unknown_contact")
        return log_contact(rules, command, state, context)
    if isinstance(state, NoDebtor):
        raise Refused("unknown_case")
    case = case_in(state, command.case_id)
    if not isinstance(case, OpenCase):
        raise Refused("unknown_case")
    match command:
        case ClaimCase():
            return _claim(rules, command, state, case, context)
        case AssignCase():
            return _assign(command, state, case)
        case StartContact() | MakePromise() | ProposePlan() if not _may_know(state, case, command, context):
            raise Refused("unknown_case")
        case StartContact():
            return start_contact(rules, command, state, case, context)
        case MakePromise():
            return make_promise(rules, command, state, case, context)
        case ProposePlan():
            return propose_plan(command, state, case, context)
        case _:
            assert_never(command)


# --- who works on him ----------------------------------------------------------------------------------------------


def _covers(desk: Desk, case: OpenCase, collector: str) -> bool:
    """Whether a case exists for a collector: it is on his desk, or he was given it. What he reads follows the same rule."""
    on_desk = case.stage in desk.stages and (not desk.regions or case.region in desk.regions)
    return on_desk or case.assigned_to == collector


def _may_know(
    state: Debtor, case: OpenCase, command: StartContact | MakePromise | ProposePlan, context: Context
) -> bool:
    """Who holds the debtor goes on with a case that has left his desk meanwhile; for others it does not exist."""
    lease = state.lease
    holds = isinstance(lease, Leased) and lease.collector == command.collector and lease.until > context.at
    return holds or command.desk is None or _covers(command.desk, case, command.collector)


def _claim(
    rules: Rules, command: ClaimCase, state: Debtor, case: OpenCase, context: Context
) -> Sequence[DebtorEvent]:
    if not _covers(command.desk, case, command.collector):
        raise Refused("unknown_case")
    if case.stage not in command.desk.stages:
        raise Refused("forbidden_stage")
    if command.desk.regions and case.region not in command.desk.regions:
        raise Refused("forbidden_region")
    if rules.stage_named(case.stage).skill not in command.desk.skills:
        raise Refused("forbidden_skill")
    if case.assigned_to not in (None, command.collector):
        raise Refused("assigned_to_another")
    lease, until = state.lease, context.at + timedelta(minutes=rules.lease_minutes)
    if isinstance(lease, Leased) and lease.until > context.at:
        if lease.collector != command.collector:
            raise Refused("claimed_by_another")
        if lease.until >= until:
            return []
    return [
        DebtorClaimed(
            debtor_id=state.debtor_id,
            case_id=case.case_id,
            collector=command.collector,
            claimed_at=context.at,
            claimed_until=until,
        )
    ]


def _may_know_of(state: Debtor, command: ReleaseDebtor) -> bool:
    """Whether a debtor whom he does not hold exists for who asks: one of his cases does."""
    desk = command.desk
    if desk is None or command.supervisor:
        return True
    return any(
        isinstance(case, OpenCase) and _covers(desk, case, command.released_by) for case in state.cases
    )


def _release(command: ReleaseDebtor, state: DebtorState, context: Context) -> Sequence[DebtorEvent]:
    if isinstance(state, NoDebtor):
        raise Refused("unknown_debtor")
    lease = state.lease
    holds = isinstance(lease, Leased) and lease.collector == command.released_by
    if not holds and not _may_know_of(state, command):
        raise Refused("unknown_debtor")
    if not isinstance(lease, Leased) or lease.until <= context.at:
        return []
    if lease.collector != command.released_by and not command.supervisor:
        raise Refused("claimed_by_another")
    return [
        DebtorReleased(
            debtor_id=state.debtor_id,
            collector=lease.collector,
            released_by=command.released_by,
            released_at=context.at,
        )
    ]


def _assign(command: AssignCase, state: Debtor, case: OpenCase) -> Sequence[DebtorEvent]:
    if case.assigned_to == command.collector:
        return []
    return [
        CaseAssigned(
            debtor_id=state.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            collector=command.collector,
            assigned_by=command.assigned_by,
        )
    ]


# --- the aggregate -------------------------------------------------------------------------------------------------


def wake_on(state: DebtorState) -> WakeOn:
    """When the day next has something to do: the date of a promise, or the eve of a next step."""
    if isinstance(state, NoDebtor):
        return None
    days = [case.promise.promised_on for case in state.cases if case.promise]
    days += [
        case.next_on - _DAY
        for case in state.cases
        if isinstance(case, OpenCase) and case.next_on and not (case.entry and case.entry.due)
    ]
    return (min(days), FOLLOW_UP_PHASE) if days else None


def debtor_aggregate(profile: Profile) -> Aggregate:
    """The aggregate of the streams `dbt_…` under a profile's rules."""
    return Aggregate(
        name="debtor",
        prefix="dbt",
        commands=(
            RecordMiss,
            RecordBucket,
            RecordPenalty,
            RecordCasePayment,
            CorrectCasePayment,
            JudgeAgain,
            CloseCase,
            ClaimCase,
            ReleaseDebtor,
            AssignCase,
            StartContact,
            LogContact,
            MakePromise,
            ProposePlan,
            AnswerPlan,
            RecordFlag,
            RecordUnflag,
        ),
        events=(
            CaseOpened,
            MissAdded,
            ArrearsUpdated,
            CaseStageChanged,
            CasePaymentRecorded,
            CasePaymentCorrected,
            CaseClosed,
            CaseRanked,
            CaseAssigned,
            DebtorClaimed,
            DebtorReleased,
            ContactStarted,
            ContactLogged,
            PromiseMade,
            PromiseKept,
            PromiseBroken,
            PromiseMended,
            PromiseReleased,
            PromiseReopened,
            PlanProposed,
            PlanAnswered,
            DebtorFlagged,
            DebtorUnflagged,
        ),
        state=DebtorState,
        initial=NoDebtor(),
        decide=partial(decide, profile),
        evolve=evolve,
        wake_on=wake_on,
    )
