"""Commands to an application's stream, from the wish for a loan to the listing that may open."""

from libs.events.application import AspectFinding, LoanTerms
from libs.events.codec import command
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Grade, Kind, Office, Reference, TextHash, Vote


@command("onboarding.SubmitApplication")
class SubmitApplication:
    """Ask for a loan; the applicant is the principal. No effect when it stands as asked.

    Refused: `invalid_applicant`, `invalid_application`, `invalid_product`, `invalid_purpose`, `invalid_amount`,
    `invalid_tenor`, `invalid_method` (what the product does not offer), `invalid_documents`, `application_exists`.
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
    """Who the applicant is; a product that is not for his kind is declined by event. No effect when it is recorded.

    Refused: `unknown_application`.
    """

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
    """The applicant hands in what was wanting.

    Refused: `unknown_application`, `wrong_stage`, `too_late`, `invalid_documents`, `papers_missing` (one that was named).
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
    """The report on the five aspects; a later one replaces it until the committee is convened. One that advises against the
    loan ends the application.

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
    """Risk lays terms and conditions before the committee. No effect when it stands convened on these. The manner of repayment
    is the product's of that day, whatever the terms say of it.

    Refused: `unknown_application`, `wrong_stage`, `report_too_old`, `invalid_tenor`, `invalid_amount` (of the product), `invalid_window`, `invalid_fee`,
    `invalid_rate`, `invalid_method`, `invalid_grace`, `invalid_grade`, `invalid_conditions`, `fee_not_published`, `above_limit`,
    `above_request`, `forbidden_owner`, `forbidden_same_person`.
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
    """The applicant accepts the text that he was offered, with evidence of his signing. No effect for the same acceptance.

    Refused: `unknown_application`, `wrong_stage`, `too_late`, `text_differs` (the hash is not that of the offered terms).
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
    """The disbursement post has checked every condition precedent; the caps are looked at next. No effect when they are met.

    Refused: `unknown_application`, `wrong_stage`, `too_late`, `precedents_missing`, `invalid_rate` (the ceiling of the day is
    lower than the loan's cost), `forbidden_owner`, `forbidden_same_person`.
    """

    application_id: str
    checks: tuple[Code, ...]


@command("onboarding.MeetPrecedents")
class MeetPrecedents:
    """The caps are kept: the listing may open. No effect when it may. Refused: `unknown_application`, `wrong_stage`.

    `exposure_fen` is what the borrower owes with it, `related_to_staff` red line 3's mark.
    """

    application_id: str
    exposure_fen: Count | None = None
    related_to_staff: bool = False


@command("onboarding.FailPrecedents")
class FailPrecedents:
    """The caps are not kept any more (`code`). No effect when the application has ended.

    Refused: `unknown_application`, `wrong_stage`.
    """

    application_id: str
    code: Code
