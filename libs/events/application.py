"""Events of an application on its way: the part of `onboarding`'s language that no other service reads.

They have a file of their own because there are many; what other services answer stands in libs.events.onboarding.
"""

from datetime import date
from typing import Annotated

from pydantic import Field

from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import (
    Aspect,
    Code,
    Finding,
    Grade,
    Kind,
    Manner,
    Office,
    Reference,
    TextHash,
    Vote,
)
from libs.events.schedules.terms import RepaymentTerms


@record
class AspectFinding:
    """What an investigation found about one of the five aspects (processes.md 1.E).

    `score` is 0 to 100; `reason` is a code, empty unless the aspect does not apply; `evidence` names what was seen.
    """

    aspect: Aspect
    finding: Finding
    score: Annotated[int, Field(ge=0, le=100)]
    manner: Manner
    found_on: date
    evidence: Reference
    reason: Code | None = None


@record
class LoanTerms:
    """What the committee fixes: the loan as it will be offered, and how it will be listed.

    `repayment` is the product's manner of repayment of that `method` as it stood on that day, None for equal monthly instalments.
    `guarantor` is the external company that is to stand in for it, empty for none.
    """

    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    method: Code
    grade: Grade
    origination_fee_fen: Count
    interest_fee_permille: int
    window_days: int
    repayment: RepaymentTerms | None = None
    guarantor: str = ""


@event("onboarding.ApplicationSubmitted.v1")
class ApplicationSubmitted:
    """Somebody asks for a loan; `documents` are the kinds of papers handed in."""

    application_id: str
    loan_id: str
    applicant: str
    product: Code
    purpose: Code
    amount_fen: PositiveFen
    tenor_months: int
    method: Code
    documents: tuple[Code, ...]
    submitted_on: date


@event("onboarding.ApplicantRecorded.v1")
class ApplicantRecorded:
    """The application knows who its applicant is and who owns him as a customer."""

    application_id: str
    applicant: str
    kind: Kind
    region: Code
    owner: str | None
    related: tuple[str, ...]


@event("onboarding.PapersReturned.v1")
class PapersReturned:
    """The papers came back to the applicant: these are wanting. He has until `lapses_on`."""

    application_id: str
    applicant: str
    papers: tuple[Code, ...]
    code: Code
    returned_by: str
    lapses_on: date


@event("onboarding.ApplicationResubmitted.v1")
class ApplicationResubmitted:
    """The applicant handed in papers again, under the same number; `documents` are all that are now in hand."""

    application_id: str
    applicant: str
    documents: tuple[Code, ...]


@event("onboarding.IntakeChecked.v1")
class IntakeChecked:
    """The papers are complete, true and valid."""

    application_id: str
    checked_by: str


@event("onboarding.InterviewHeld.v1")
class InterviewHeld:
    """The interview took place; `record` names its minutes, `repayment_source` what the loan is to be paid from."""

    application_id: str
    held_by: str
    repayment_source: Code
    record: Reference


@event("onboarding.ApplicationReviewed.v1")
class ApplicationReviewed:
    """Risk found the product's conditions met."""

    application_id: str
    reviewed_by: str


@event("onboarding.InvestigationReported.v1")
class InvestigationReported:
    """The report on five aspects: grade, limit and recommendation."""

    application_id: str
    investigator: str
    reported_on: date
    aspects: tuple[AspectFinding, ...]
    grade: Grade
    limit_fen: PositiveFen
    recommends: bool


@event("onboarding.CommitteeConvened.v1")
class CommitteeConvened:
    """Risk lays terms and conditions before the committee."""

    application_id: str
    convened_by: str
    terms: LoanTerms
    conditions: tuple[Code, ...]


@event("onboarding.CommitteeVoted.v1")
class CommitteeVoted:
    """One office's vote, with the code of its reason."""

    application_id: str
    office: Office
    member: str
    vote: Vote
    reason: Code


@event("onboarding.CommitteeAgreed.v1")
class CommitteeAgreed:
    """The majority agreed. With conditions, each is to be fulfilled until `lapses_on`."""

    application_id: str
    terms: LoanTerms
    conditions: tuple[Code, ...]
    agreed: int
    disagreed: int
    lapses_on: date


@event("onboarding.ConditionFulfilled.v1")
class ConditionFulfilled:
    """Risk marked a condition as fulfilled on evidence; `missing` are still open."""

    application_id: str
    condition: Code
    evidence: Reference
    marked_by: str
    missing: int


@event("onboarding.ExposureRequested.v1")
class ExposureRequested:
    """All that the committee asked for is there: the amount is to be reserved under the applicant's cap."""

    application_id: str
    loan_id: str
    applicant: str
    amount_fen: PositiveFen


@event("onboarding.ApplicationApproved.v1")
class ApplicationApproved:
    """Approved with its exposure reserved; the terms are offered until `lapses_on`, in a text of this hash."""

    application_id: str
    loan_id: str
    applicant: str
    kind: Kind
    region: Code
    product: Code
    owner: str | None
    related: tuple[str, ...]
    terms: LoanTerms
    approved_on: date
    lapses_on: date
    terms_hash: TextHash | None = None


@event("onboarding.ApplicationDeclined.v1")
class ApplicationDeclined:
    """Not eligible, not an applicant, or above the cap; no committee decided this. `decided_by` is empty for the platform's rules."""

    application_id: str
    loan_id: str
    applicant: str
    codes: tuple[Code, ...]
    decided_by: str
    stage: Code


@event("onboarding.ApplicationRejected.v1")
class ApplicationRejected:
    """The committee's majority disagreed."""

    application_id: str
    loan_id: str
    applicant: str
    agreed: int
    disagreed: int


@event("onboarding.TermsAccepted.v1")
class TermsAccepted:
    """The applicant accepted: `text_hash` of what he signed, `evidence` of the signing (sound and picture, or click trail)."""

    application_id: str
    loan_id: str
    applicant: str
    text_hash: TextHash
    evidence: Reference
    accepted_on: date
    lapses_on: date


@event("onboarding.PrecedentsChecked.v1")
class PrecedentsChecked:
    """The disbursement post saw every condition precedent hold; the applicant's exposure is looked at again next."""

    application_id: str
    loan_id: str
    applicant: str
    checks: tuple[Code, ...]
    checked_by: str


@event("onboarding.GuaranteeRequested.v1")
class GuaranteeRequested:
    """The caps are kept, too: the guarantor, who has signed, is asked next whether his limit has room for the loan."""

    application_id: str
    loan_id: str
    applicant: str
    guarantor: str
    amount_fen: PositiveFen
    exposure_fen: Count | None
    related_to_staff: bool


@event("onboarding.TermsDeclined.v1")
class TermsDeclined:
    """The applicant does not want the loan on these terms; its exposure is to be released."""

    application_id: str
    loan_id: str
    applicant: str
    amount_fen: PositiveFen


@event("onboarding.ApplicationLapsed.v1")
class ApplicationLapsed:
    """Nobody acted in time. `reserved_fen` of exposure is to be released, 0 where none was reserved yet."""

    application_id: str
    loan_id: str
    applicant: str
    stage: Code
    reserved_fen: Count
    lapsed_on: date
