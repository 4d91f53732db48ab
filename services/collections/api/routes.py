"""Routes of collections. A collector sees and works what his desk covers; a supervisor, if he is appointed to that post, sees
all of it and fixes the desks.

Refusals of the log are listed on the commands (services/collections/commands.py) and reach the caller as problems. The desk
that a collector's command is held against is read from the view and travels in it, so the log says what the decision knew;
a case beyond his desk does not exist for him.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from libs.events import collections as events
from libs.events import plans as plan_events
from libs.runtime.auth import Principal
from libs.runtime.http import (
    NoFields,
    Order,
    Page,
    ServiceRouter,
    Sight,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import himself
from libs.runtime.http.problems import Problem
from services.collections import commands
from services.collections.api.desks import (
    ANALYST,
    COLLECTOR,
    SUPERVISOR,
    Collectors,
    Oversees,
    OwnDesk,
    Supervises,
    Supervisor,
    desk_of,
)
from services.collections.api.shapes import (
    REGION,
    AssignmentIn,
    AssignmentOut,
    CaseFileOut,
    ClaimOut,
    CollectorOut,
    ContactIn,
    ContactOut,
    DeskIn,
    DeskOut,
    LoggedOut,
    OutcomeIn,
    PlanIn,
    PlanOut,
    PromiseIn,
    PromiseOut,
    QueuedOut,
    QueueOut,
    ReleaseOut,
    StageOut,
    StagesOut,
)
from services.collections.domain.profile import profile_named

router = ServiceRouter("collections", "The work of getting paid: cases, contacts, promises.")

#: More stages than any profile has.
_STAGES_MAX = 200

DebtorId = Annotated[str, id_path("dbt")]
CaseId = Annotated[str, id_path("case")]
StaffId = Annotated[str, id_path("stf")]
RegionQuery = Annotated[str | None, Query(pattern=REGION, examples=["CN-31"])]


async def _stage(
    request: Request, stage: Annotated[str | None, Query(examples=["early"])] = None
) -> str | None:
    """The stage that is asked for. Raises Problem 422 `invalid_stage` for one that the profile does not have."""
    profile = profile_named(edge_of(request).settings.profile)
    stages = {known.name for _, rules in profile.dated for known in rules.stages}
    if stage is not None and stage not in stages:
        raise Problem(422, "invalid_stage", f"The stages are: {', '.join(sorted(stages))}.")
    return stage


ThisStage = Annotated[str | None, Depends(_stage)]

Queue = Annotated[ViewReader, Depends(view_reader("collections.queue"))]
Files = Annotated[ViewReader, Depends(view_reader("collections.case-files"))]
Stages = Annotated[ViewReader, Depends(view_reader("collections.stages"))]
Himself = Annotated[str | None, Depends(himself("collections"))]


def _told(desk: CollectorOut) -> commands.Desk:
    """The desk as a command tells it."""
    return commands.Desk(stages=tuple(desk.stages), regions=tuple(desk.regions), skills=tuple(desk.skills))


# --- reading -------------------------------------------------------------------------------------------------------


async def _visible_cases(desk: OwnDesk, stage: ThisStage, region: RegionQuery = None) -> Sight:
    """A supervisor sees the queue; a collector what of his desk nobody else holds or was given. The same for pages and for
    the stream, so that the stream never tells more than a page shows."""
    if desk is None:
        return Sight(_where(stage, region))
    stage = stage or (desk.stages[0] if len(desk.stages) == 1 else None)
    region = region or (desk.regions[0] if len(desk.regions) == 1 else None)
    return Sight(_where(stage, region), sees=lambda document: _is_open_to(desk, _queued(document)))


VisibleCases = Annotated[Sight, Depends(_visible_cases)]


@router.read("/queue", scopes(COLLECTOR, SUPERVISOR), answer=QueueOut)
async def read_queue(queue: Queue, page: ThisPage, visible: VisibleCases) -> QueueOut:
    """Open cases, highest priority first. A collector is shown those of his desk that nobody else holds or was given."""
    found, following = await queue.page(page, where=visible.where)
    items = [_queued(document) for document in found if visible.shows(document)]
    return QueueOut(items=items, next=following)


@router.live(
    "/live/queue",
    scopes(COLLECTOR, SUPERVISOR),
    view="collections.queue",
    shown=lambda document: _queued(document),
    answer=QueuedOut,
)
async def watch_queue(visible: VisibleCases) -> Sight:
    """The queue, live: a case of it has changed, or is there for the caller no more. That a claim runs out is told by
    nobody: its end stands in the case."""
    return visible


def _queued(document: Mapping[str, Any]) -> QueuedOut:
    return QueuedOut.of(document, datetime.now(UTC))


def _where(stage: str | None, region: str | None) -> dict[str, str]:
    """The field whose index serves the page."""
    if stage is not None and region is not None:
        return {"lane": f"{stage}:{region}"}
    if stage is not None:
        return {"stage": stage}
    return {} if region is None else {"region": region}


def _is_open_to(desk: CollectorOut, item: QueuedOut) -> bool:
    others = (item.assigned_to, item.claimed_by)
    return desk.may_work(item.stage, item.region) and all(who in (None, desk.staff_id) for who in others)


@router.read("/cases/{case}", scopes(COLLECTOR, SUPERVISOR), answer=CaseFileOut)
async def read_case(case: CaseId, files: Files, desk: OwnDesk) -> CaseFileOut:
    """A case's file. For a collector there are only the cases of his desk and those he was given."""
    document = await files.get(case, missing="unknown_case")
    if desk is not None:
        is_given = document["assigned_to"] == desk.staff_id
        if not is_given and not desk.may_work(document["stage"], document["region"]):
            raise not_found("unknown_case")
    return CaseFileOut.of(document)


@router.read("/stages", scopes(SUPERVISOR, ANALYST), answer=StagesOut)
async def read_stages(stages: Stages, _: Oversees) -> StagesOut:
    """How much work stands in each stage."""
    found, _more = await stages.page(Page(None, _STAGES_MAX), where={"kind": "stage"})
    return StagesOut(items=[StageOut(**{name: row[name] for name in StageOut.model_fields}) for row in found])


@router.read("/collectors/{staff}", scopes(COLLECTOR, SUPERVISOR), answer=CollectorOut)
async def read_collector(
    staff: StaffId, principal: ThisPrincipal, collectors: Collectors, supervises: Supervises
) -> CollectorOut:
    """One's own desk and figures; a supervisor reads everybody's."""
    if staff != principal.subject and not supervises:
        raise not_found("unknown_collector")
    return await desk_of(Principal(staff), collectors)


# --- a collector's work --------------------------------------------------------------------------------------------


@router.command(
    "/debtors/{debtor}/cases/{case}/claim",
    scopes(COLLECTOR),
    answer=ClaimOut,
    answers={events.DebtorClaimed: ClaimOut.of},
    status=200,
)
async def claim_case(
    debtor: DebtorId,
    case: CaseId,
    principal: ThisPrincipal,
    collectors: Collectors,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Hold a case's debtor for the length of a lease; again, to go on holding him."""
    desk = _told(await desk_of(principal, collectors))
    return Order(debtor, commands.ClaimCase(case_id=case, collector=principal.subject, desk=desk))


@router.command(
    "/debtors/{debtor}/release",
    scopes(COLLECTOR, SUPERVISOR),
    answer=ReleaseOut,
    answers={events.DebtorReleased: ReleaseOut.of},
    status=200,
)
async def release_debtor(
    debtor: DebtorId,
    principal: ThisPrincipal,
    desk: OwnDesk,
    supervises: Supervises,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Give a debtor back before the lease ends. A supervisor may end anybody's."""
    release = commands.ReleaseDebtor(
        released_by=principal.subject,
        supervisor=supervises,
        desk=None if desk is None else _told(desk),
    )
    return Order(debtor, release)


@router.command(
    "/debtors/{debtor}/cases/{case}/contacts",
    scopes(COLLECTOR),
    answer=ContactOut,
    answers={events.ContactStarted: ContactOut.of},
)
async def start_contact(
    debtor: DebtorId, case: CaseId, body: ContactIn, call: ThisCall, collectors: Collectors
) -> Order:
    """Ask whether a contact may begin now, and begin it. The limits are the debtor's, over all collectors."""
    contact = commands.StartContact(
        contact_id=call.mint("con"),
        case_id=case,
        collector=call.principal.subject,
        channel=body.channel,
        direction=body.direction,
        party=body.party,
        party_id=body.party_id,
        desk=_told(await desk_of(call.principal, collectors)),
    )
    return Order(debtor, contact)


@router.command(
    "/debtors/{debtor}/contacts/{contact}/outcome",
    scopes(COLLECTOR),
    answer=LoggedOut,
    answers={events.ContactLogged: LoggedOut.of},
)
async def log_contact(
    debtor: DebtorId,
    contact: Annotated[str, id_path("con")],
    body: OutcomeIn,
    principal: ThisPrincipal,
) -> Order:
    """Say what came of one's own contact. It is written once and never changed."""
    hours = body.agreed_hours
    outcome = commands.LogContact(
        contact_id=contact,
        collector=principal.subject,
        outcome=body.outcome,
        delay_reason=body.delay_reason,
        script=body.script,
        evidence=body.evidence,
        next_on=body.next_on,
        call_back_minute=body.call_back_minute,
        agreed_hours=None
        if hours is None
        else events.AgreedHours(from_minute=hours.from_minute, to_minute=hours.to_minute),
    )
    return Order(debtor, outcome)


@router.command(
    "/debtors/{debtor}/cases/{case}/promises",
    scopes(COLLECTOR),
    answer=PromiseOut,
    answers={events.PromiseMade: PromiseOut.of},
)
async def make_promise(
    debtor: DebtorId, case: CaseId, body: PromiseIn, call: ThisCall, collectors: Collectors
) -> Order:
    """Record the debtor's promise. Payments up to its date decide it, nobody else."""
    promise = commands.MakePromise(
        promise_id=call.mint("prm"),
        case_id=case,
        contact_id=body.contact_id,
        collector=call.principal.subject,
        amount_fen=body.amount_fen,
        promised_on=body.promised_on,
        desk=_told(await desk_of(call.principal, collectors)),
    )
    return Order(debtor, promise)


@router.command(
    "/debtors/{debtor}/cases/{case}/plans",
    scopes(COLLECTOR),
    answer=PlanOut,
    answers={plan_events.PlanProposed: PlanOut.of},
)
async def propose_plan(
    debtor: DebtorId, case: CaseId, body: PlanIn, call: ThisCall, collectors: Collectors, himself: Himself
) -> Order:
    """Ask for so many months more for the case's loan: a measure, which others sign and its lenders are asked about."""
    plan = commands.ProposePlan(
        plan_id=call.mint("pln"),
        case_id=case,
        collector=call.principal.subject,
        kind=body.kind,
        months=body.months,
        reason=body.reason,
        income_proof=body.income_proof,
        guarantor_consent=body.guarantor_consent,
        himself=himself,
        desk=_told(await desk_of(call.principal, collectors)),
    )
    return Order(debtor, plan)


# --- a supervisor's work -------------------------------------------------------------------------------------------


@router.command(
    "/debtors/{debtor}/cases/{case}/assignment",
    scopes(SUPERVISOR),
    answer=AssignmentOut,
    answers={events.CaseAssigned: AssignmentOut.of},
    status=200,
)
async def assign_case(
    debtor: DebtorId,
    case: CaseId,
    body: AssignmentIn,
    principal: ThisPrincipal,
    collectors: Collectors,
    _: Supervisor,
) -> Order:
    """Give a case to one collector, or back to all. A claim that somebody else has goes on until it ends."""
    if body.collector is not None:
        await desk_of(Principal(body.collector), collectors)
    assign = commands.AssignCase(case_id=case, collector=body.collector, assigned_by=principal.subject)
    return Order(debtor, assign)


@router.command(
    "/collectors/{staff}/desk",
    scopes(SUPERVISOR),
    answer=DeskOut,
    answers={events.DeskChanged: DeskOut.of},
    status=200,
)
async def change_desk(staff: StaffId, body: DeskIn, _: Supervisor) -> Order:
    """Fix which stages, regions and skills a collector works."""
    desk = commands.ChangeDesk(stages=body.stages, regions=body.regions, skills=body.skills)
    return Order(commands.collector_of(staff), desk)
