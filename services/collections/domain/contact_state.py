"""What a debtor remembers of contacts: those that are under way, and the last one that was logged."""

from datetime import date, datetime

from libs.events.codec import record
from libs.events.collections import ContactStarted


@record
class OpenContact:
    """A contact that has begun and whose outcome is not logged."""

    contact_id: str
    number: int
    case_id: str
    loan_id: str
    collector: str
    channel: str
    direction: str
    party: str
    party_id: str | None
    started_at: datetime
    local_day: date


@record
class LastContact:
    """The contact that was logged last, and whether the debtor promised in it."""

    contact_id: str
    promised: bool


def begun(event: ContactStarted) -> OpenContact:
    """The contact that has just begun."""
    return OpenContact(
        contact_id=event.contact_id,
        number=event.number,
        case_id=event.case_id,
        loan_id=event.loan_id,
        collector=event.collector,
        channel=event.channel,
        direction=event.direction,
        party=event.party,
        party_id=event.party_id,
        started_at=event.started_at,
        local_day=event.local_day,
    )
