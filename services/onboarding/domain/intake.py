"""The first half of an application: submitted, papers checked, interview held, by those who bring the customer.

Rules: processes.md 1.D.
"""

from collections.abc import Sequence
from datetime import timedelta

from libs.events.application import (
    ApplicantRecorded,
    ApplicationDeclined,
    ApplicationResubmitted,
    ApplicationSubmitted,
    IntakeChecked,
    InterviewHeld,
    PapersReturned,
)
from libs.events.deciding import Context, Refused
from services.onboarding.commands import (
    CheckIntake,
    DeclineApplicant,
    RecordApplicant,
    RecordInterview,
    ResubmitApplication,
    ReturnPapers,
    SubmitApplication,
)
from services.onboarding.domain.application_state import (
    ApplicationState,
    AtIntake,
    AtInterview,
    NotSubmitted,
    Open,
    Request,
    Returned,
    Submitted,
    request_of,
)
from services.onboarding.domain.ids import is_id, loan_of
from services.onboarding.domain.products import Product
from services.onboarding.domain.profile import PAPERS, Profile, required_documents
from services.onboarding.domain.signing import misplaced, require_in_time, staff


def submit(
    command: SubmitApplication, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[ApplicationSubmitted]:
    """Ask for a loan."""
    if not isinstance(state, NotSubmitted):
        if _asks_for(command, request_of(state), context):
            return []
        raise Refused("application_exists")
    if not is_id(context.principal, "usr"):
        raise Refused("invalid_applicant")
    if command.loan_id != loan_of(command.application_id):
        raise Refused("invalid_application")
    product = profile.product(command.product)
    if product is None:
        raise Refused("invalid_product")
    _check_wish(command, product)
    _check_documents(command.documents)
    return [
        ApplicationSubmitted(
            application_id=command.application_id,
            loan_id=command.loan_id,
            applicant=context.principal,
            product=command.product,
            purpose=command.purpose,
            amount_fen=command.amount_fen,
            tenor_months=command.tenor_months,
            method=command.method,
            documents=command.documents,
            submitted_on=context.business_date,
        )
    ]


def _asks_for(command: SubmitApplication, request: Request, context: Context) -> bool:
    """Whether the application stands as asked; its papers may have grown since."""
    asked = (context.principal, command.product, command.purpose, command.amount_fen, command.tenor_months)
    return (*asked, command.method) == (
        request.applicant,
        request.product,
        request.purpose,
        request.amount_fen,
        request.tenor_months,
        request.method,
    ) and all(paper in request.documents for paper in command.documents)


def _check_wish(command: SubmitApplication, product: Product) -> None:
    """The product is offered for this, so much, so long, repaid like this. For whom, his own stream says."""
    least_fen, most_fen = product.amounts_fen
    shortest, longest = product.tenors_months
    if command.purpose not in product.purposes:
        raise Refused("invalid_purpose")
    if not least_fen <= command.amount_fen <= most_fen:
        raise Refused("invalid_amount")
    if not shortest <= command.tenor_months <= longest:
        raise Refused("invalid_tenor")
    if command.method not in product.methods:
        raise Refused("invalid_method")


def _check_documents(documents: tuple[str, ...]) -> None:
    """Each is a row of the checklist, named once."""
    if len(set(documents)) != len(documents) or any(each not in PAPERS for each in documents):
        raise Refused("invalid_documents")


def record_applicant(
    command: RecordApplicant, state: ApplicationState, profile: Profile
) -> Sequence[ApplicantRecorded | ApplicationDeclined]:
    """The applicant's stream has said who he is: the product is for his kind, or the application ends here."""
    match state:
        case NotSubmitted():
            raise misplaced(state)
        case Submitted():
            recorded = ApplicantRecorded(
                application_id=command.application_id,
                applicant=state.request.applicant,
                kind=command.kind,
                region=command.region,
                owner=command.owner,
                related=command.related,
            )
            product = profile.product(state.request.product)
            if product is not None and command.kind in product.kinds:
                return [recorded]
            return [recorded, _declined(state.request, "product_not_offered", "at_intake")]
        case _:
            return []


def _declined(request: Request, code: str, stage: str) -> ApplicationDeclined:
    """By the platform's rules: nobody decided it."""
    return ApplicationDeclined(
        application_id=request.application_id,
        loan_id=request.loan_id,
        applicant=request.applicant,
        codes=(code,),
        decided_by="",
        stage=stage,
    )


def decline_applicant(command: DeclineApplicant, state: ApplicationState) -> Sequence[ApplicationDeclined]:
    """The applicant's stream has said that he may not apply."""
    match state:
        case NotSubmitted():
            raise misplaced(state)
        case Submitted():
            return [_declined(state.request, command.code, state.kind)]
        case _:
            return []


def return_papers(
    command: ReturnPapers, state: ApplicationState, context: Context, profile: Profile
) -> Sequence[PapersReturned]:
    """Give the papers back for the named ones."""
    who = staff(context)
    if isinstance(state, Returned) and state.papers == command.papers:
        return []
    if not isinstance(state, AtIntake):
        raise misplaced(state)
    if not command.papers:
        raise Refused("invalid_documents")
    _check_documents(command.papers)
    return [
        PapersReturned(
            application_id=command.application_id,
            applicant=state.case.request.applicant,
            papers=command.papers,
            code=command.code,
            returned_by=who,
            lapses_on=context.business_date + timedelta(days=profile.answer_days),
        )
    ]


def resubmit(
    command: ResubmitApplication, state: ApplicationState, context: Context
) -> Sequence[ApplicationResubmitted]:
    """Papers come again, under the same number; what was in hand stays in hand."""
    if isinstance(state, NotSubmitted) or request_of(state).applicant != context.principal:
        raise Refused("unknown_application")
    if not isinstance(state, Returned):
        raise misplaced(state)
    require_in_time(state, context.business_date)
    if not command.documents:
        raise Refused("invalid_documents")
    if any(wanting not in command.documents for wanting in state.papers):
        raise Refused("papers_missing")
    before = state.case.request.documents
    _check_documents(command.documents)
    documents = (*before, *(each for each in command.documents if each not in before))
    return [
        ApplicationResubmitted(
            application_id=command.application_id, applicant=context.principal, documents=documents
        )
    ]


def check_intake(command: CheckIntake, state: ApplicationState, context: Context) -> Sequence[IntakeChecked]:
    """The papers are complete (looked up here), true and valid (seen by the customer manager)."""
    who = staff(context)
    if isinstance(state, Open) and who in state.case.signers("intake"):
        return []
    if not isinstance(state, AtIntake):
        raise misplaced(state)
    in_hand = state.case.request.documents
    if any(needed not in in_hand for needed in required_documents(state.case.borrower.kind)):
        raise Refused("papers_missing")
    return [IntakeChecked(application_id=command.application_id, checked_by=who)]


def record_interview(
    command: RecordInterview, state: ApplicationState, context: Context
) -> Sequence[InterviewHeld]:
    """The interview was held, by the customer manager who may also have looked at the papers."""
    who = staff(context)
    if isinstance(state, Open) and who in state.case.signers("interview"):
        return []
    if not isinstance(state, AtInterview):
        raise misplaced(state)
    return [
        InterviewHeld(
            application_id=command.application_id,
            held_by=who,
            repayment_source=command.repayment_source,
            record=command.record,
        )
    ]
