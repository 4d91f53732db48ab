"""The application: from the wish for a loan to the moment when its listing may open, or to the reason why it never does.

Nothing here opens a listing or moves money. The amount counts against the applicant's cap from `ApplicationApproved` on, and
every way out after that names it, so that it is released.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.application import (
    ApplicationApproved,
    ApplicationDeclined,
    ApplicationLapsed,
    TermsAccepted,
    TermsDeclined,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from services.onboarding.commands import (
    AcceptTerms,
    ApproveApplication,
    CastVote,
    CheckIntake,
    ConfirmGuarantee,
    ConfirmPrecedents,
    ConveneCommittee,
    DeclineApplicant,
    DeclineExposure,
    DeclineTerms,
    FailPrecedents,
    FulfilCondition,
    MeetPrecedents,
    RecordApplicant,
    RecordInterview,
    ReportInvestigation,
    ResubmitApplication,
    ReturnPapers,
    ReviewEligibility,
    SubmitApplication,
)
from services.onboarding.domain import credit, intake, precedents
from services.onboarding.domain.application_evolve import evolve
from services.onboarding.domain.application_state import (
    Accepted,
    ApplicationEvent,
    ApplicationState,
    Approved,
    AtCapCheck,
    AtGuarantor,
    AtReservation,
    Closed,
    NotSubmitted,
    Ready,
    Waiting,
    request_of,
)
from services.onboarding.domain.profile import Profile
from services.onboarding.domain.signing import (
    misplaced,
    require_in_time,
)
from services.onboarding.domain.terms import hash_of, text_of

#: The phase of a day in which time limits end (design.md 2.7).
LAPSE_PHASE = 5

_IntakeCommand = (
    SubmitApplication
    | RecordApplicant
    | DeclineApplicant
    | ReturnPapers
    | ResubmitApplication
    | CheckIntake
    | RecordInterview
)
_CreditCommand = ReviewEligibility | ReportInvestigation | ConveneCommittee | CastVote | FulfilCondition
_CapsCommand = ApproveApplication | DeclineExposure | MeetPrecedents | FailPrecedents | ConfirmGuarantee
_ClosingCommand = _CapsCommand | AcceptTerms | DeclineTerms | ConfirmPrecedents
ApplicationCommand = _IntakeCommand | _CreditCommand | _ClosingCommand


def decide(
    command: ApplicationCommand | Wake, state: ApplicationState, context: Context, *, profile: Profile
) -> Sequence[ApplicationEvent]:
    """What a command does to an application. Refusals stand on the commands."""
    match command:
        case Wake():
            return _lapse(command, state)
        case ReviewEligibility():
            return credit.review(command, state, context)
        case ReportInvestigation():
            return credit.report(command, state, context, profile)
        case ConveneCommittee():
            return credit.convene(command, state, context, profile)
        case CastVote():
            return credit.vote(command, state, context, profile)
        case FulfilCondition():
            return credit.fulfil(command, state, context, profile)
        case (
            SubmitApplication()
            | RecordApplicant()
            | DeclineApplicant()
            | ReturnPapers()
            | ResubmitApplication()
            | CheckIntake()
            | RecordInterview()
        ):
            return _take_in(command, state, context, profile)
        case _:
            return _close(command, state, context, profile)


def _take_in(
    command: _IntakeCommand, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[ApplicationEvent]:
    match command:
        case SubmitApplication():
            return intake.submit(command, state, context, profile)
        case RecordApplicant():
            return intake.record_applicant(command, state, profile)
        case DeclineApplicant():
            return intake.decline_applicant(command, state)
        case ReturnPapers():
            return intake.return_papers(command, state, context, profile)
        case ResubmitApplication():
            return intake.resubmit(command, state, context)
        case CheckIntake():
            return intake.check_intake(command, state, context)
        case RecordInterview():
            return intake.record_interview(command, state, context)
        case _:
            assert_never(command)


def _close(
    command: _ClosingCommand, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[ApplicationEvent]:
    match command:
        case ApproveApplication():
            return _approve(command, state, context, profile)
        case DeclineExposure() | FailPrecedents():
            return _decline_for_caps(command, state)
        case MeetPrecedents():
            return precedents.meet(command, state)
        case ConfirmGuarantee():
            return precedents.confirm_guarantee(state)
        case AcceptTerms():
            return _accept(command, state, context, profile)
        case DeclineTerms():
            return _decline_terms(state, context)
        case ConfirmPrecedents():
            return precedents.check(command, state, context, profile)
        case _:
            assert_never(command)


def wake_on(state: ApplicationState) -> WakeOn:
    """Whoever has a time limit wakes when its last day is closed."""
    return (state.lapses_on, LAPSE_PHASE) if isinstance(state, Waiting) else None


def _lapse(wake: Wake, state: ApplicationState) -> Sequence[ApplicationLapsed]:
    if not isinstance(state, Waiting) or (wake.business_date, wake.phase) < (state.lapses_on, LAPSE_PHASE):
        return []
    request = state.case.request
    return [
        ApplicationLapsed(
            application_id=request.application_id,
            loan_id=request.loan_id,
            applicant=request.applicant,
            stage=state.kind,
            reserved_fen=state.terms.amount_fen if isinstance(state, Approved | Accepted) else 0,
            lapsed_on=wake.business_date,
        )
    ]


# --- the cap's answer ----------------------------------------------------------------------------------------------


def _approve(
    command: ApproveApplication, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[ApplicationApproved]:
    match state:
        case AtReservation():
            request, borrower = state.case.request, state.case.borrower
            return [
                ApplicationApproved(
                    application_id=request.application_id,
                    loan_id=request.loan_id,
                    applicant=request.applicant,
                    kind=borrower.kind,
                    region=borrower.region,
                    product=request.product,
                    owner=command.owner,
                    related=command.related,
                    terms=state.terms,
                    approved_on=context.business_date,
                    lapses_on=context.business_date + timedelta(days=profile.answer_days),
                    terms_hash=hash_of(
                        text_of(
                            state.terms,
                            application_id=request.application_id,
                            loan_id=request.loan_id,
                            applicant=request.applicant,
                            product=request.product,
                            purpose=request.purpose,
                        )
                    ),
                )
            ]
        case Approved() | Accepted() | AtCapCheck() | AtGuarantor() | Ready():
            return []
        case _:
            raise misplaced(state)


def _decline_for_caps(
    command: DeclineExposure | FailPrecedents, state: ApplicationState
) -> Sequence[ApplicationDeclined]:
    asked_at = AtReservation if isinstance(command, DeclineExposure) else AtCapCheck | AtGuarantor
    match state:
        case AtReservation() | AtCapCheck() | AtGuarantor() if isinstance(state, asked_at):
            request = state.case.request
            return [
                ApplicationDeclined(
                    application_id=request.application_id,
                    loan_id=request.loan_id,
                    applicant=request.applicant,
                    codes=(command.code,),
                    decided_by="",
                    stage=state.kind,
                )
            ]
        case Closed():
            return []
        case _:
            raise misplaced(state)


# --- terms and precedents ------------------------------------------------------------------------------------------


def _require_applicant(state: ApplicationState, context: Context) -> None:
    """Other people's applications do not exist for anybody, whatever an API forgot to check."""
    if isinstance(state, NotSubmitted) or request_of(state).applicant != context.principal:
        raise Refused("unknown_application")


def _accept(
    command: AcceptTerms, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[TermsAccepted]:
    _require_applicant(state, context)
    if isinstance(state, Accepted) and (command.text_hash, command.evidence) == (
        state.text_hash,
        state.evidence,
    ):
        return []
    if not isinstance(state, Approved):
        raise misplaced(state)
    require_in_time(state, context.business_date)
    if command.text_hash != state.terms_hash:
        raise Refused("text_differs")
    request = state.case.request
    return [
        TermsAccepted(
            application_id=request.application_id,
            loan_id=request.loan_id,
            applicant=request.applicant,
            text_hash=command.text_hash,
            evidence=command.evidence,
            accepted_on=context.business_date,
            lapses_on=context.business_date + timedelta(days=profile.answer_days),
        )
    ]


def _decline_terms(state: ApplicationState, context: Context) -> Sequence[TermsDeclined]:
    _require_applicant(state, context)
    if isinstance(state, Closed) and state.outcome == "terms_declined":
        return []
    if not isinstance(state, Approved):
        raise misplaced(state)
    request = state.case.request
    return [
        TermsDeclined(
            application_id=request.application_id,
            loan_id=request.loan_id,
            applicant=request.applicant,
            amount_fen=state.terms.amount_fen,
        )
    ]


def aggregate(profile: Profile) -> Aggregate:
    """The application aggregate under a profile's limits."""
    return Aggregate(
        name="application",
        prefix="app",
        commands=get_args(ApplicationCommand),
        events=get_args(ApplicationEvent),
        state=ApplicationState,
        initial=NotSubmitted(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
