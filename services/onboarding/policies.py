"""What `onboarding` answers to events: nothing yet. Reading them is what keeps its business day (markers and ticks)."""

from libs.events.records import RecordedEvent
from libs.events.sagas import Send


def nothing(_event: RecordedEvent) -> list[Send]:
    """No command follows from any event."""
    return []


POLICIES = dict.fromkeys(("onboarding", "bidding", "repayment"), nothing)
