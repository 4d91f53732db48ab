"""What an application remembers: the situations of its flow, who signed which step, and how its events change them."""

from datetime import date
from typing import Literal

from libs.events.application import (
    ApplicantRecorded,
    ApplicationApproved,
    ApplicationDeclined,
    ApplicationLapsed,
    ApplicationRejected,
    ApplicationResubmitted,
    ApplicationReviewed,
    ApplicationSubmitted,
    CommitteeAgreed,
    CommitteeConvened,
    CommitteeVoted,
    ConditionFulfilled,
    ExposureRequested,
    GuaranteeRequested,
    IntakeChecked,
    InterviewHeld,
    InvestigationReported,
    LoanTerms,
    PapersReturned,
    PrecedentsChecked,
    TermsAccepted,
    TermsDeclined,
)
from libs.events.codec import record
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Grade, Kind, Office, PrecedentsMet, Reference, TextHash, Vote

Step = Literal["intake", "interview", "review", "report", "convene", "vote", "condition"]


@record
class Request:
    """What was asked for, by whom, with which papers."""

    application_id: str
    loan_id: str
    applicant: str
    product: Code
    purpose: Code
    amount_fen: PositiveFen
    tenor_months: int
    method: Code
    documents: tuple[Code, ...]


@record
class Borrower:
    """Who the applicant is to those who decide."""

    kind: Kind
    region: Code
    owner: str | None
    related: tuple[str, ...]


@record
class Signature:
    """Who did a step; in the order of the steps."""

    step: Step
    who: str


@record
class Case:
    """What every situation after the applicant's confirmation knows."""

    request: Request
    borrower: Borrower
    signed: tuple[Signature, ...] = ()

    def signers(self, *steps: Step) -> tuple[str, ...]:
        """Who signed any of these steps."""
        return tuple(each.who for each in self.signed if each.step in steps)


@record
class Report:
    """What the committee needs of the investigation."""

    grade: Grade
    limit_fen: PositiveFen
    reported_on: date


@record
class Ballot:
    """One office's vote."""

    office: Office
    member: str
    vote: Vote
    reason: Code


@record
class NotSubmitted:
    """Nothing asked yet."""

    kind: Literal["not_submitted"] = "not_submitted"


@record
class Submitted:
    """Waits for the word whether the applicant may apply."""

    kind: Literal["submitted"] = "submitted"
    request: Request


@record
class AtIntake:
    """The customer manager looks at the papers."""

    kind: Literal["at_intake"] = "at_intake"
    case: Case


@record
class Returned:
    """The applicant looks for the named papers until the end of `lapses_on`."""

    kind: Literal["returned"] = "returned"
    case: Case
    papers: tuple[Code, ...]
    lapses_on: date


@record
class AtInterview:
    """The papers are complete; the interview comes next."""

    kind: Literal["at_interview"] = "at_interview"
    case: Case


@record
class AtReview:
    """Interviewed; risk looks whether the product's conditions are met."""

    kind: Literal["at_review"] = "at_review"
    case: Case


@record
class AtInvestigation:
    """Eligible; being investigated."""

    kind: Literal["at_investigation"] = "at_investigation"
    case: Case


@record
class Reported:
    """The report is there; risk convenes the committee next."""

    kind: Literal["reported"] = "reported"
    case: Case
    report: Report


@record
class AtCommittee:
    """The committee votes on these terms."""

    kind: Literal["at_committee"] = "at_committee"
    case: Case
    terms: LoanTerms
    conditions: tuple[Code, ...]
    ballots: tuple[Ballot, ...]


@record
class Conditional:
    """Agreed with conditions; those in `missing` are open until the end of `lapses_on`."""

    kind: Literal["conditional"] = "conditional"
    case: Case
    terms: LoanTerms
    conditions: tuple[Code, ...]
    missing: tuple[Code, ...]
    lapses_on: date


@record
class AtReservation:
    """All is agreed; the applicant's stream says whether the amount fits under his cap."""

    kind: Literal["at_reservation"] = "at_reservation"
    case: Case
    terms: LoanTerms


@record
class Approved:
    """Exposure is reserved; the terms are offered until the end of `lapses_on`."""

    kind: Literal["approved"] = "approved"
    case: Case
    terms: LoanTerms
    terms_hash: TextHash | None
    lapses_on: date


@record
class Accepted:
    """The applicant signed; the precedents are to be checked until the end of `lapses_on`."""

    kind: Literal["accepted"] = "accepted"
    case: Case
    terms: LoanTerms
    text_hash: TextHash
    evidence: Reference
    lapses_on: date


@record
class AtCapCheck:
    """Every precedent was seen to hold; the applicant's stream says whether the caps are kept today."""

    kind: Literal["at_cap_check"] = "at_cap_check"
    case: Case
    terms: LoanTerms
    checks: tuple[Code, ...]
    checked_by: str


@record
class AtGuarantor:
    """The caps are kept; whether the guarantor's limit has room, his stream in `repayment` answers."""

    kind: Literal["at_guarantor"] = "at_guarantor"
    case: Case
    terms: LoanTerms
    checks: tuple[Code, ...]
    checked_by: str
    exposure_fen: Count | None
    related_to_staff: bool


@record
class Ready:
    """The listing may open; the rest is bidding's."""

    kind: Literal["ready"] = "ready"
    request: Request


@record
class Closed:
    """No loan came of it."""

    kind: Literal["closed"] = "closed"
    request: Request
    outcome: Literal["declined", "rejected", "terms_declined", "lapsed"]


Waiting = Returned | Conditional | Approved | Accepted
"""The situations in which somebody has a time limit."""

Open = (
    AtIntake
    | Returned
    | AtInterview
    | AtReview
    | AtInvestigation
    | Reported
    | AtCommittee
    | Conditional
    | AtReservation
    | Approved
    | Accepted
    | AtCapCheck
    | AtGuarantor
)
"""The situations in which the applicant is known and nothing is final."""

ApplicationState = NotSubmitted | Submitted | Open | Ready | Closed

EndEvent = ApplicationDeclined | ApplicationRejected | TermsDeclined | ApplicationLapsed
EarlyEvent = (
    ApplicantRecorded
    | PapersReturned
    | ApplicationResubmitted
    | IntakeChecked
    | InterviewHeld
    | ApplicationReviewed
    | InvestigationReported
)
LateEvent = (
    CommitteeConvened
    | CommitteeVoted
    | CommitteeAgreed
    | ConditionFulfilled
    | ExposureRequested
    | ApplicationApproved
    | TermsAccepted
    | PrecedentsChecked
    | GuaranteeRequested
)
ApplicationEvent = ApplicationSubmitted | EarlyEvent | LateEvent | PrecedentsMet | EndEvent


def request_of(state: ApplicationState) -> Request:
    """What was asked for. Asserts that something was."""
    match state:
        case NotSubmitted():
            raise AssertionError("nothing was asked for")
        case Submitted() | Ready() | Closed():
            return state.request
        case _:
            return state.case.request
