"""Commands of `onboarding`: private to the service. People's come from the API, the others from its policies.

Whoever acts is the command's principal, never a field: a rule of separated duties looks at who signs. An act of staff by
anybody else is refused `forbidden_not_staff`.
"""

from libs.events.application import AspectFinding, LoanTerms
from libs.events.codec import command
from libs.events.money import PositiveFen
from libs.events.onboarding import Code, Grade, Kind, Office, Reference, TextHash, Vote

# --- user ----------------------------------------------------------------------------------------------------------


@command("onboarding.RegisterUser")
class RegisterUser:
    """A user exists from here on. No effect when he is registered like this.

    Refused: `invalid_user`, `invalid_referrer`, `invalid_owner`, `user_exists`.
    """

    user_id: str
    kind: Kind
    region: Code
    referrer: str | None = None
    owner: str | None = None


@command("onboarding.CreditReferral")
class CreditReferral:
    """Another registered with this user's code. No effect for a code that is nobody's: the referred one stays in the pool."""

    user_id: str
    referred: str


@command("onboarding.BindOwner")
class BindOwner:
    """The referrer's owner becomes this user's. No effect when he has one or is forgotten. Refused: `invalid_owner`."""

    user_id: str
    owner: str


@command("onboarding.VerifyUser")
class VerifyUser:
    """The provider confirmed who the user is. No effect when he is verified. Refused: `unknown_user`."""

    user_id: str
    provider: Code
    reference: Reference


@command("onboarding.RefuseVerification")
class RefuseVerification:
    """The provider did not confirm. Refused: `unknown_user`, `already_verified`."""

    user_id: str
    provider: Code
    reference: Reference
    code: Code


@command("onboarding.AssessSuitability")
class AssessSuitability:
    """The questionnaire's answers, one number from 1 to 5 per question. No effect for today's result again.

    Refused: `unknown_user`, `not_verified`, `invalid_answers`.
    """

    user_id: str
    answers: tuple[int, ...]


@command("onboarding.DeclareRelation")
class DeclareRelation:
    """The user is related to another. No effect when that is known.

    Refused: `unknown_user`, `invalid_related`, `too_many_relations`.
    """

    user_id: str
    related: str


@command("onboarding.RecordRelation")
class RecordRelation:
    """Another declared himself related to this user. No effect when that is known or the user is not.

    Refused: `too_many_relations`.
    """

    user_id: str
    related: str


@command("onboarding.ConfirmApplicant")
class ConfirmApplicant:
    """May this user apply? Answered by event. Refused: `unknown_user`."""

    user_id: str
    application_id: str


@command("onboarding.ReserveExposure")
class ReserveExposure:
    """Count a loan against the user's cap, or decline by event. No effect when it counts. Refused: `unknown_user`."""

    user_id: str
    application_id: str
    loan_id: str
    amount_fen: PositiveFen


@command("onboarding.ReduceExposure")
class ReduceExposure:
    """Principal came back. No effect for a loan that does not count (one that no application led to)."""

    user_id: str
    loan_id: str
    amount_fen: PositiveFen


@command("onboarding.ReleaseExposure")
class ReleaseExposure:
    """The loan does not count any more. No effect when it does not."""

    user_id: str
    loan_id: str
    reason: Code


@command("onboarding.EraseUser")
class EraseUser:
    """Forget the user. No effect when he is forgotten. Refused: `unknown_user`, `has_exposure`."""

    user_id: str


# --- application ---------------------------------------------------------------------------------------------------


@command("onboarding.SubmitApplication")
class SubmitApplication:
    """Ask for a loan; the applicant is the principal. No effect when it stands as asked.

    Refused: `invalid_applicant`, `invalid_application`, `invalid_tenor`, `invalid_method`, `invalid_documents`,
    `application_exists`.
    """

    application_id: str
    loan_id: str
    product: Code
    purpose: Code
    amount_fen: PositiveFen
    tenor_months: int
    method: Code
    documents: tuple[Code, ...]


@command("onboarding.RecordApplicant")
class RecordApplicant:
    """Who the applicant is. No effect when it is recorded. Refused: `unknown_application`."""

    application_id: str
    kind: Kind
    region: Code
    owner: str | None
    related: tuple[str, ...]


@command("onboarding.DeclineApplicant")
class DeclineApplicant:
    """The applicant may not apply. No effect when the application is past that question. Refused: `unknown_application`."""

    application_id: str
    code: Code


@command("onboarding.ReturnPapers")
class ReturnPapers:
    """The customer manager returns the papers for the named ones. No effect when they are returned for these.

    Refused: `unknown_application`, `wrong_stage`, `invalid_documents`.
    """

    application_id: str
    papers: tuple[Code, ...]
    code: Code


@command("onboarding.ResubmitApplication")
class ResubmitApplication:
    """The applicant hands in what was wanting. Refused: `unknown_application`, `wrong_stage`, `too_late`,
    `invalid_documents`.
    """

    application_id: str
    documents: tuple[Code, ...]


@command("onboarding.CheckIntake")
class CheckIntake:
    """The customer manager finds the papers complete, true and valid. No effect when he had.

    Refused: `unknown_application`, `wrong_stage`, `papers_missing`.
    """

    application_id: str


@command("onboarding.RecordInterview")
class RecordInterview:
    """The interview was held. No effect when it is recorded by him.

    Refused: `unknown_application`, `wrong_stage`.
    """

    application_id: str
    repayment_source: Code
    record: Reference


@command("onboarding.ReviewEligibility")
class ReviewEligibility:
    """Risk finds the product's conditions met, or declines with reasons. No effect when he had found them met.

    Refused: `unknown_application`, `wrong_stage`, `invalid_reasons`, `forbidden_owner`,
    `forbidden_same_person`.
    """

    application_id: str
    is_eligible: bool
    reasons: tuple[Code, ...] = ()


@command("onboarding.ReportInvestigation")
class ReportInvestigation:
    """The report on the five aspects; a later one replaces it until the committee is convened.

    Refused: `unknown_application`, `wrong_stage`, `invalid_aspects`, `aspect_without_reason`, `aspect_without_visit`,
    `visit_too_old`, `forbidden_owner`, `forbidden_same_person`.
    """

    application_id: str
    aspects: tuple[AspectFinding, ...]
    grade: Grade
    limit_fen: PositiveFen
    recommends: bool


@command("onboarding.ConveneCommittee")
class ConveneCommittee:
    """Risk lays terms and conditions before the committee. No effect when it stands convened on these.

    Refused: `unknown_application`, `wrong_stage`, `report_too_old`, `invalid_tenor`, `invalid_window`, `invalid_fee`,
    `invalid_rate`, `invalid_method`, `invalid_grade`, `invalid_conditions`, `above_limit`, `above_request`,
    `forbidden_owner`, `forbidden_same_person`.
    """

    application_id: str
    terms: LoanTerms
    conditions: tuple[Code, ...] = ()


@command("onboarding.CastVote")
class CastVote:
    """One office votes. No effect for the same vote again.

    Refused: `unknown_application`, `wrong_stage`, `already_voted`, `office_has_voted`, `forbidden_owner`,
    `forbidden_same_person`.
    """

    application_id: str
    office: Office
    vote: Vote
    reason: Code


@command("onboarding.FulfilCondition")
class FulfilCondition:
    """Risk marks a condition of the committee as fulfilled. No effect when it is.

    Refused: `unknown_application`, `wrong_stage`, `too_late`, `unknown_condition`, `forbidden_owner`,
    `forbidden_same_person`.
    """

    application_id: str
    condition: Code
    evidence: Reference


@command("onboarding.ApproveApplication")
class ApproveApplication:
    """The exposure is reserved. No effect when it is approved. Refused: `unknown_application`, `wrong_stage`."""

    application_id: str
    owner: str | None
    related: tuple[str, ...]


@command("onboarding.DeclineExposure")
class DeclineExposure:
    """The exposure was declined. No effect when that is known. Refused: `unknown_application`, `wrong_stage`."""

    application_id: str
    code: Code


@command("onboarding.AcceptTerms")
class AcceptTerms:
    """The applicant accepts, with evidence of his signing. No effect for the same acceptance.

    Refused: `unknown_application`, `wrong_stage`, `too_late`.
    """

    application_id: str
    text_hash: TextHash
    evidence: Reference


@command("onboarding.DeclineTerms")
class DeclineTerms:
    """The applicant does not want the loan. No effect when he said so. Refused: `unknown_application`, `wrong_stage`."""

    application_id: str


@command("onboarding.ConfirmPrecedents")
class ConfirmPrecedents:
    """The disbursement post has checked every condition precedent. No effect when they are met.

    Refused: `unknown_application`, `wrong_stage`, `too_late`, `precedents_missing`,
    `forbidden_owner`,
    `forbidden_same_person`.
    """

    application_id: str
    checks: tuple[Code, ...]


# --- staff ---------------------------------------------------------------------------------------------------------


@command("onboarding.AppointStaff")
class AppointStaff:
    """Give a member of staff exactly these roles. No effect when he holds them.

    Refused: `invalid_staff`, `invalid_roles`, `conflicting_roles`, `forbidden_self`.
    """

    staff_id: str
    roles: tuple[Code, ...]
    region: Code | None = None


@command("onboarding.DismissStaff")
class DismissStaff:
    """A member of staff leaves. No effect when he has left. Refused: `unknown_staff`, `forbidden_self`."""

    staff_id: str
