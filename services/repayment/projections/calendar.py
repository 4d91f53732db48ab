"""The view of the calendar: the business date that is open. One document, written by the calendar's stream."""

from collections.abc import Sequence
from datetime import date

from libs.events.records import RecordedEvent
from libs.events.repayment import BusinessDayClosed, CalendarOpened
from libs.events.views import Op, Set, View

#: The one document.
CALENDAR = "calendar"


def project(event: RecordedEvent) -> Sequence[Op]:
    """The date opens when the one before it is closed."""
    match event.data:
        case CalendarOpened(business_date=opened):
            return _open(opened, event)
        case BusinessDayClosed(next_date=opened):
            return _open(opened, event)
        case _:
            return []


def _open(on: date, event: RecordedEvent) -> Sequence[Op]:
    return [
        Set(CALENDAR, "business_date", on.isoformat()),
        Set(CALENDAR, f"src.{event.stream}", event.address),
    ]


VIEW = View(
    name="repayment.calendar",
    version=1,
    reads=(CalendarOpened, BusinessDayClosed),
    project=project,
)
