"""An application's routes: the applicant's steps, and those of each post.

A caller may act for a post that his token's scopes name and that he was appointed to; whether he may act in this case is
decided by the log.
"""

from typing import Annotated, Any, get_args

from fastapi import Depends

from libs.events import application as flow
from libs.events import onboarding as events
from libs.runtime.http import (
    NoFields,
    Order,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import holds
from libs.runtime.http.problems import Problem
from services.onboarding import commands
from services.onboarding.api.posts import CustomerManager, Disbursement, Risk, Staff
from services.onboarding.api.report_shapes import ReportIn
from services.onboarding.api.router import router
from services.onboarding.api.shapes import (
    AcceptanceIn,
    ApplicationDone,
    ApplicationIn,
    ApplicationOut,
    ApplicationsOut,
    ChecksIn,
    ConditionIn,
    InterviewIn,
    PapersIn,
    ReturnIn,
    ReviewIn,
    TermsIn,
    VoteIn,
    terms_of,
)
from services.onboarding.projections.applications import Stage

#: Whoever works on applications may look at all of them, as long as he is appointed; an applicant at his own.
POSTS: dict[str, tuple[str, ...]] = {
    "customer_manager": ("customer_manager",),
    "risk": ("risk",),
    "committee": get_args(events.Office),
    "disbursement": ("disbursement",),
}
OPERATOR = "operator"

ApplicationId = Annotated[str, id_path("app")]
Applications = Annotated[ViewReader, Depends(view_reader("onboarding.applications"))]


async def _sees_all(principal: ThisPrincipal, staff: Staff) -> bool:
    """Whether the caller works on applications: a post by token and appointment, or the operator, who has no post."""
    if principal.may(OPERATOR):
        return True
    roles = [role for scope, held in POSTS.items() if principal.may(scope) for role in held]
    return bool(roles) and await holds(staff, principal.subject, *roles)


SeesAll = Annotated[bool, Depends(_sees_all)]


def _says(**statuses: str) -> dict[type, Any]:
    """Event by name -> what its step is answered with."""
    kinds = {**vars(flow), **vars(events)}
    return {kinds[name]: ApplicationDone.saying(status) for name, status in statuses.items()}


# --- the applicant -------------------------------------------------------------------------------------------------


@router.command(
    "/applications",
    scopes("application:own"),
    answer=ApplicationDone,
    answers=_says(ApplicationSubmitted="submitted"),
)
async def submit(body: ApplicationIn, call: ThisCall) -> Order:
    """Ask for a loan. Application and loan share the suffix of their ids."""
    application = call.mint("app")
    fields = dict(body) | {"documents": tuple(body.documents)}
    return Order(
        application,
        commands.SubmitApplication(application_id=application, loan_id=call.mint("loan"), **fields),
    )


@router.read("/applications", scopes("application:own", OPERATOR, *POSTS), answer=ApplicationsOut)
async def read_applications(
    applications: Applications,
    page: ThisPage,
    principal: ThisPrincipal,
    sees_all: SeesAll,
    stage: Stage | None = None,
) -> ApplicationsOut:
    """All applications for staff, one's own for a customer; `stage` narrows to a queue."""
    where = {} if sees_all else {"applicant": principal.subject}
    if stage is not None:
        where["stage"] = stage
    found, following = await applications.page(page, where=where)
    return ApplicationsOut(items=[ApplicationOut.of(document) for document in found], next=following)


@router.read(
    "/applications/{application}", scopes("application:own", OPERATOR, *POSTS), answer=ApplicationOut
)
async def read_application(
    application: ApplicationId, applications: Applications, principal: ThisPrincipal, sees_all: SeesAll
) -> ApplicationOut:
    """One application, for its applicant and for staff; for everybody else there is none."""
    document = await applications.get(application, missing="unknown_application")
    if document["applicant"] != principal.subject and not sees_all:
        raise not_found("unknown_application")
    return ApplicationOut.of(document)


@router.command(
    "/applications/{application}/papers",
    scopes("application:own"),
    answer=ApplicationDone,
    answers=_says(ApplicationResubmitted="resubmitted"),
)
async def resubmit(application: ApplicationId, body: PapersIn) -> Order:
    """Hand in what was wanting, under the same number."""
    return Order(
        application, commands.ResubmitApplication(application_id=application, documents=tuple(body.documents))
    )


@router.command(
    "/applications/{application}/acceptance",
    scopes("application:own"),
    answer=ApplicationDone,
    answers=_says(TermsAccepted="accepted"),
)
async def accept(application: ApplicationId, body: AcceptanceIn) -> Order:
    """Accept the offered terms, with the evidence of the signing."""
    return Order(
        application,
        commands.AcceptTerms(application_id=application, text_hash=body.text_hash, evidence=body.evidence),
    )


@router.command(
    "/applications/{application}/refusal",
    scopes("application:own"),
    answer=ApplicationDone,
    answers=_says(TermsDeclined="terms_declined"),
)
async def refuse(application: ApplicationId, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """Do without the loan; what was reserved for it is free again."""
    return Order(application, commands.DeclineTerms(application_id=application))


# --- the customer manager ----------------------------------------------------------------------------------------


@router.command(
    "/applications/{application}/return",
    scopes("customer_manager"),
    answer=ApplicationDone,
    answers=_says(PapersReturned="returned"),
)
async def return_papers(application: ApplicationId, body: ReturnIn, _: CustomerManager) -> Order:
    """Give the papers back for the named ones."""
    return Order(
        application,
        commands.ReturnPapers(application_id=application, papers=tuple(body.papers), code=body.code),
    )


@router.command(
    "/applications/{application}/intake",
    scopes("customer_manager"),
    answer=ApplicationDone,
    answers=_says(IntakeChecked="checked"),
)
async def check_intake(
    application: ApplicationId,
    _: CustomerManager,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Find the papers complete, true and valid."""
    return Order(application, commands.CheckIntake(application_id=application))


@router.command(
    "/applications/{application}/interview",
    scopes("customer_manager"),
    answer=ApplicationDone,
    answers=_says(InterviewHeld="interviewed"),
)
async def record_interview(application: ApplicationId, body: InterviewIn, _: CustomerManager) -> Order:
    """Record the interview."""
    return Order(
        application,
        commands.RecordInterview(
            application_id=application, repayment_source=body.repayment_source, record=body.record
        ),
    )


# --- risk and the committee --------------------------------------------------------------------------------------


@router.command(
    "/applications/{application}/review",
    scopes("risk"),
    answer=ApplicationDone,
    answers=_says(ApplicationReviewed="eligible", ApplicationDeclined="declined"),
)
async def review(application: ApplicationId, body: ReviewIn, _: Risk) -> Order:
    """Find the product's conditions met, or decline with reasons."""
    return Order(
        application,
        commands.ReviewEligibility(
            application_id=application, is_eligible=body.is_eligible, reasons=tuple(body.reasons)
        ),
    )


@router.command(
    "/applications/{application}/report",
    scopes("risk"),
    answer=ApplicationDone,
    answers=_says(ApplicationDeclined="declined", InvestigationReported="reported"),
)
async def report(application: ApplicationId, body: ReportIn, _: Risk) -> Order:
    """Report on the five aspects."""
    return Order(
        application,
        commands.ReportInvestigation(
            application_id=application,
            aspects=tuple(flow.AspectFinding(**dict(each)) for each in body.aspects),
            grade=body.grade,
            limit_fen=body.limit_fen,
            recommends=body.recommends,
        ),
    )


@router.command(
    "/applications/{application}/committee",
    scopes("risk"),
    answer=ApplicationDone,
    answers=_says(CommitteeConvened="convened"),
)
async def convene(application: ApplicationId, body: TermsIn, _: Risk) -> Order:
    """Lay terms and conditions before the committee."""
    return Order(
        application,
        commands.ConveneCommittee(
            application_id=application, terms=terms_of(body), conditions=tuple(body.conditions)
        ),
    )


@router.command(
    "/applications/{application}/votes",
    scopes("committee"),
    answer=ApplicationDone,
    answers=_says(ApplicationRejected="rejected", CommitteeVoted="voted"),
)
async def vote(application: ApplicationId, body: VoteIn, staff: Staff, principal: ThisPrincipal) -> Order:
    """One office votes, by who holds it; the third vote decides."""
    if not await holds(staff, principal.subject, body.office):
        raise Problem(403, "forbidden_office")
    return Order(
        application,
        commands.CastVote(application_id=application, office=body.office, vote=body.vote, reason=body.reason),
    )


@router.command(
    "/applications/{application}/conditions",
    scopes("risk"),
    answer=ApplicationDone,
    answers=_says(ConditionFulfilled="fulfilled"),
)
async def fulfil(application: ApplicationId, body: ConditionIn, _: Risk) -> Order:
    """Mark a condition of the committee as fulfilled."""
    return Order(
        application,
        commands.FulfilCondition(
            application_id=application, condition=body.condition, evidence=body.evidence
        ),
    )


# --- legal and disbursement --------------------------------------------------------------------------------------


@router.command(
    "/applications/{application}/precedents",
    scopes("disbursement"),
    answer=ApplicationDone,
    answers=_says(PrecedentsChecked="checked"),
)
async def confirm_precedents(application: ApplicationId, body: ChecksIn, _: Disbursement) -> Order:
    """Everything that must hold before the listing opens was seen to hold; the caps are looked at by the platform itself."""
    return Order(
        application, commands.ConfirmPrecedents(application_id=application, checks=tuple(body.checks))
    )
