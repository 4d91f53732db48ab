"""The view `onboarding.pipeline`: how many applications ever reached each stage, and how the others ended.

One document of sums per business date, and one of all dates; a stage is counted when it is reached, and never taken back.
The rows behind `reached.<stage>` are the documents of onboarding.applications that have the same field.
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
from libs.events.onboarding import PrecedentsMet
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, View

#: The document that sums up all dates.
ALL = "all"

#: No application says one of these events twice.
STAGES: dict[type, str] = {
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
    documents = [ALL] if event.business_date is None else [ALL, event.business_date.isoformat()]
    counted: list[Op] = [Add(document, reached(event.data), 1) for document in documents]
    if isinstance(event.data, ApplicationSubmitted):
        # so that a stage that nobody has reached is zero, and a word that is no stage is nothing
        counted += [Add(ALL, f"reached.{stage}", 0) for stage in STAGES.values()]
    if isinstance(event.data, PrecedentsMet):
        counted += [Add(document, "listable_fen", event.data.amount_fen) for document in documents]
    return counted


def reached(data: object) -> str:
    """The field of the stage that an event reaches."""
    return f"reached.{STAGES[type(data)]}"


VIEW = View(
    name="onboarding.pipeline",
    version=1,
    reads=tuple(STAGES),
    project=project,
)
