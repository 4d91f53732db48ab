"""The log's tail tells from a record's bytes whether it says anything that somebody waits for."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.events.bidding import AccountOpened
from libs.events.onboarding import UserRegistered
from libs.events.records import RawRecord, encode_decision, encode_event
from libs.events.repayment import BusinessDayClosed, BusinessDayCloseStarted, CalendarOpened
from libs.events.system import BusinessDateSet
from libs.runtime.kafka import Place
from tools.replay.log_tail import Heard, told_in

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


ONBOARDING = [Place("onboarding.events", partition) for partition in (0, 1)]


def _hear(*said: tuple[Place, Any]) -> Heard:
    heard = Heard(dict.fromkeys(ONBOARDING, "onboarding"))
    for place, event in said:
        heard.take(place, told_in(_record(event)))
    return heard


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
    heard = _hear((Place("repayment.events", 0), event))
    assert heard.business_date == opens
    assert heard.is_closed(DAY) == (opens == NEXT)


def test_a_service_has_a_date_when_all_its_partitions_have() -> None:
    """One partition that is a day behind, or has no date yet, keeps everybody waiting."""
    ahead, behind = (
        (place, BusinessDateSet(business_date=on)) for place, on in zip(ONBOARDING, (NEXT, DAY), strict=True)
    )
    assert not _hear(ahead).has_date("onboarding", DAY)
    heard = _hear(ahead, behind)
    assert heard.has_date("onboarding", DAY)
    assert not heard.has_date("onboarding", NEXT)


def test_what_was_told_is_told() -> None:
    """The first fact of those asked for that stands in the log is the answer."""
    heard = _hear((Place("bidding.events", 0), AccountOpened(account_id="acc_a", owner="usr_a")))
    assert heard.first_of([(AccountOpened, "acc_b")]) is None
    assert heard.first_of([(AccountOpened, "acc_b"), (AccountOpened, "acc_a")]) == (AccountOpened, "acc_a")


def test_most_records_say_nothing() -> None:
    """An event that nobody waits for is not even parsed."""
    registered = UserRegistered(user_id="usr_a", kind="person", region="CN-SH", referrer=None, owner=None)
    assert told_in(_record(registered, "usr_a")) == ()
