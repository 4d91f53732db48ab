"""The view `onboarding.applications`: where every application stands, on which terms, who signed what, and which stages of
the pipeline it has reached.

Every document is written by its application's stream alone.
"""

from collections.abc import Sequence
from typing import Any, Literal

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
from libs.events.bidding import (
    ListingCancelled,
    ListingExpired,
    ListingOpened,
    ListingPrepared,
    ListingRefused,
    LoanFunded,
)
from libs.events.onboarding import PrecedentsMet
from libs.events.records import RecordedEvent
from libs.events.schedules.stored import stored
from libs.events.views import Op, Set, View
from services.onboarding.projections.pipeline import STAGES, reached

#: Where an application stands.
Stage = Literal[
    "submitted",
    "intake",
    "returned",
    "interview",
    "review",
    "investigation",
    "reported",
    "committee",
    "conditional",
    "reservation",
    "approved",
    "accepted",
    "cap_check",
    "guarantor_check",
    "listable",
    "declined",
    "rejected",
    "terms_declined",
    "lapsed",
]


def project(event: RecordedEvent) -> Sequence[Op]:
    """An application's document after one of its events. Amounts in fen, rates as a decimal's text."""
    application_id = event.data.application_id
    if not application_id:
        return []  # a listing that was opened by hand
    fields = _listing(event.data) or _fields(event.data)
    changed = [Set(application_id, field, value) for field, value in fields.items()]
    if type(event.data) in STAGES:
        changed.append(Set(application_id, reached(event.data), event.address))
    return [*changed, Set(application_id, f"src.{event.stream}", event.address)]


def _listing(data: object) -> dict[str, Any]:
    """What became of the listing: its own stream's fields, so that nobody waits for one that never opened."""
    match data:
        case ListingPrepared():
            return {"listing.state": "prepared"}
        case ListingOpened():
            return {"listing.state": "open"}
        case ListingRefused() | ListingCancelled():
            state = "refused" if isinstance(data, ListingRefused) else "cancelled"
            return {"listing.state": state, "listing.code": data.code}
        case ListingExpired():
            return {"listing.state": "expired"}
        case LoanFunded():
            return {"listing.state": "funded"}
        case _:
            return {}


def _fields(data: object) -> dict[str, Any]:
    match data:
        case ApplicationSubmitted():
            return _submitted(data)
        case ApplicantRecorded():
            return {"stage": "intake", "kind": data.kind, "region": data.region, "owner": data.owner}
        case PapersReturned():
            return {"stage": "returned", "wanting": [*data.papers], "lapses_on": data.lapses_on.isoformat()}
        case ApplicationResubmitted():
            return {"stage": "intake", "documents": [*data.documents], "wanting": [], "lapses_on": None}
        case IntakeChecked():
            return {"stage": "interview", "signed.intake": data.checked_by}
        case InterviewHeld():
            return {"stage": "review", "signed.interview": data.held_by}
        case ApplicationReviewed():
            return {"stage": "investigation", "signed.review": data.reviewed_by}
        case InvestigationReported():
            return {
                "stage": "reported",
                "signed.report": data.investigator,
                "grade": data.grade,
                "limit_fen": data.limit_fen,
                "recommended": data.recommends,
            }
        case _:
            return _late_fields(data)


def _late_fields(data: object) -> dict[str, Any]:
    match data:
        case CommitteeConvened():
            return {
                "stage": "committee",
                "signed.convene": data.convened_by,
                "conditions": [*data.conditions],
                "terms": _terms(data.terms),
            }
        case CommitteeVoted():
            return {f"votes.{data.office}": data.vote, f"signed.{data.office}": data.member}
        case CommitteeAgreed():
            return {"stage": "conditional", "lapses_on": data.lapses_on.isoformat()}
        case ConditionFulfilled():
            return {"open_conditions": data.missing}
        case ExposureRequested():
            return {"stage": "reservation", "lapses_on": None}
        case ApplicationApproved():
            return {
                "stage": "approved",
                "owner": data.owner,
                "terms_hash": data.terms_hash,
                "lapses_on": data.lapses_on.isoformat(),
            }
        case TermsAccepted():
            return {"stage": "accepted", "lapses_on": data.lapses_on.isoformat()}
        case PrecedentsChecked():
            return {"stage": "cap_check", "signed.precedents": data.checked_by, "lapses_on": None}
        case GuaranteeRequested() | PrecedentsMet():
            return {"stage": "listable" if isinstance(data, PrecedentsMet) else "guarantor_check"}
        case ApplicationDeclined():
            return _ended("declined") | {"codes": [*data.codes]}
        case ApplicationRejected():
            return _ended("rejected")
        case TermsDeclined():
            return _ended("terms_declined")
        case ApplicationLapsed():
            return _ended("lapsed")
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _submitted(data: ApplicationSubmitted) -> dict[str, Any]:
    return {
        "application_id": data.application_id,
        "loan_id": data.loan_id,
        "applicant": data.applicant,
        "stage": "submitted",
        "product": data.product,
        "purpose": data.purpose,
        "amount_fen": data.amount_fen,
        "tenor_months": data.tenor_months,
        "method": data.method,
        "documents": [*data.documents],
        "wanting": [],
        "codes": [],
        "conditions": [],
        "terms": None,
        "terms_hash": None,
        "grade": None,
        "lapses_on": None,
        "submitted_on": data.submitted_on.isoformat(),
    }


def _ended(stage: Stage) -> dict[str, Any]:
    return {"stage": stage, "lapses_on": None}


def _terms(terms: LoanTerms) -> dict[str, Any]:
    return {
        "amount_fen": terms.amount_fen,
        "annual_rate": f"{terms.annual_rate:f}",
        "tenor_months": terms.tenor_months,
        "method": terms.method,
        "grade": terms.grade,
        "origination_fee_fen": terms.origination_fee_fen,
        "interest_fee_permille": terms.interest_fee_permille,
        "window_days": terms.window_days,
        "repayment": stored(terms.repayment),
        "guarantor": terms.guarantor,
    }


#: What the listing's stream tells of an application.
LISTING: tuple[type, ...] = (
    ListingPrepared,
    ListingOpened,
    ListingRefused,
    ListingCancelled,
    ListingExpired,
    LoanFunded,
)
READS: tuple[type, ...] = (
    ApplicationSubmitted,
    ApplicantRecorded,
    PapersReturned,
    ApplicationResubmitted,
    IntakeChecked,
    InterviewHeld,
    ApplicationReviewed,
    InvestigationReported,
    CommitteeConvened,
    CommitteeVoted,
    CommitteeAgreed,
    ConditionFulfilled,
    ExposureRequested,
    ApplicationApproved,
    TermsAccepted,
    PrecedentsChecked,
    GuaranteeRequested,
    PrecedentsMet,
    ApplicationDeclined,
    ApplicationRejected,
    TermsDeclined,
    ApplicationLapsed,
    *LISTING,
)

VIEW = View(
    name="onboarding.applications",
    version=6,
    reads=READS,
    project=project,
    owner_field="applicant",
    indexes=("applicant", "stage", "owner"),
)
