"""The calendar's tail tells from a record's bytes which date it opens."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.events.records import RawRecord, encode_decision, encode_event
from libs.events.repayment import BusinessDayClosed, BusinessDayCloseStarted, CalendarOpened
from tools.replay.calendar_tail import opened_date

DAY, NEXT = date(2012, 2, 29), date(2012, 3, 1)


def _record(event: Any, stream: str = "calendar") -> RawRecord:
    value = encode_decision(
        at=datetime(2024, 1, 1, tzinfo=UTC),
        business_date=None,
        principal="",
        correlation_id="c",
        causation_id=None,
        events=[encode_event(stream, 1, event)],
    )
    return RawRecord(offset=0, key=None, value=value, headers={})


@pytest.mark.parametrize(
    ("event", "opens"),
    [
        (CalendarOpened(business_date=DAY), DAY),
        (BusinessDayCloseStarted(business_date=DAY), None),
        (BusinessDayClosed(business_date=DAY, next_date=NEXT), NEXT),
    ],
)
def test_a_date_is_open_when_the_calendar_says_so(event: Any, opens: date | None) -> None:
    """Opening the calendar opens its first date, closing a date opens the next, and starting to close opens nothing."""
    assert opened_date(_record(event)) == opens
