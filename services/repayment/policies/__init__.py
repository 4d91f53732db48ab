"""What repayment does next about an event of bidding or of its own, and the table of its sagas.

Pure: an event carries all that the next step needs. A step that can be declined says who undoes it.
"""

from collections.abc import Callable, Mapping, Sequence

import services.repayment.policies.assets as assets
import services.repayment.policies.correcting as correcting
import services.repayment.policies.guarantees as guarantees
import services.repayment.policies.lending as lending
import services.repayment.policies.measures as measures
import services.repayment.policies.plans as plans
from libs.events.records import RecordedEvent
from libs.events.sagas import Send

CALENDAR_STREAM = lending.CALENDAR_STREAM
LAST_AWAITED_PHASE = lending.LAST_AWAITED_PHASE


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Money that moved, claims that are offered, corrections that are settled, and who may be paid."""
    return [
        *lending.on_bidding(event),
        *measures.on_bidding(event),
        *correcting.on_bidding(event),
        *guarantees.on_bidding(event),
        *assets.on_bidding(event),
    ]


def on_repayment(event: RecordedEvent) -> list[Send]:
    """The day's phases, measures, corrections, and what a guarantor stands in for."""
    return [
        *lending.on_repayment(event),
        *measures.on_repayment(event),
        *correcting.on_repayment(event),
        *guarantees.on_repayment(event),
        *assets.on_repayment(event),
    ]


POLICIES: Mapping[str, Callable[[RecordedEvent], Sequence[Send]]] = {
    "bidding": on_bidding,
    "repayment": on_repayment,
    "onboarding": guarantees.on_onboarding,
    "collections": plans.on_collections,
}
SAGAS = (
    *lending.SAGAS,
    *measures.SAGAS,
    *correcting.SAGAS,
    *guarantees.SAGAS,
    *plans.SAGAS,
    *assets.SAGAS,
)
