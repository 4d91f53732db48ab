"""The view `onboarding.funnel`: how many users and applications ever reached each stage, and how the others ended.

One document of sums per business date, and one of all dates; a stage is counted when it is reached, and never taken back.
The rows behind a sum are the documents of onboarding.users and onboarding.applications whose stream said the stage's event.
"""

from collections.abc import Sequence

from libs.events.application import (
    ApplicationApproved,
    ApplicationDeclined,
    ApplicationLapsed,
    ApplicationRejected,
    ApplicationReviewed,
    ApplicationSubmitted,
    CommitteeAgreed,
    InterviewHeld,
    InvestigationReported,
    TermsAccepted,
    TermsDeclined,
)
from libs.events.onboarding import PrecedentsMet, SuitabilityAssessed, UserRegistered, UserVerified
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, View

#: The document that sums up all dates.
ALL = "all"

STAGES: dict[type, str] = {
    UserRegistered: "registered",
    UserVerified: "verified",
    SuitabilityAssessed: "assessed",
    ApplicationSubmitted: "submitted",
    InterviewHeld: "interviewed",
    ApplicationReviewed: "eligible",
    InvestigationReported: "investigated",
    CommitteeAgreed: "agreed",
    ApplicationApproved: "approved",
    TermsAccepted: "accepted",
    PrecedentsMet: "listable",
    ApplicationDeclined: "declined",
    ApplicationRejected: "rejected",
    TermsDeclined: "terms_declined",
    ApplicationLapsed: "lapsed",
}


def project(event: RecordedEvent) -> Sequence[Op]:
    """One more has reached a stage; an approved amount, in fen, is summed beside it."""
    stage = STAGES[type(event.data)]
    documents = [ALL] if event.business_date is None else [ALL, event.business_date.isoformat()]
    counted: list[Op] = [Add(document, stage, 1) for document in documents]
    if isinstance(event.data, PrecedentsMet):
        counted += [Add(document, "listable_fen", event.data.amount_fen) for document in documents]
    return counted


VIEW = View(
    name="onboarding.funnel",
    version=1,
    reads=tuple(STAGES),
    project=project,
)
