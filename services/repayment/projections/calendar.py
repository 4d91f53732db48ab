"""The view of the business calendar: the date that is open, for pages that say what is due today. One stream writes it."""

from collections.abc import Sequence

from libs.events.records import RecordedEvent
from libs.events.repayment import BusinessDayClosed, CalendarOpened
from libs.events.views import Op, Set, View

#: Its one document.
DOC = "calendar"


def project(event: RecordedEvent) -> Sequence[Op]:
    """The open business date as ISO text."""
    match event.data:
        case CalendarOpened() as opened:
            day = opened.business_date
        case BusinessDayClosed() as closed:
            day = closed.next_date
        case _:
            return []
    return [
        Set(DOC, "business_date", day.isoformat()),
        Set(DOC, f"src.{event.stream}", event.address),
    ]


VIEW = View(
    name="repayment.calendar",
    version=1,
    reads=(CalendarOpened, BusinessDayClosed),
    project=project,
)
