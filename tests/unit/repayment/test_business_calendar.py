"""One date is open or closing; closing waits for every partition and happens once."""

from datetime import date
from typing import Any

import pytest

from libs.events.repayment import BusinessDayClosed, BusinessDayCloseStarted, CalendarOpened, PhaseRecorded
from services.repayment.commands import CloseBusinessDay, OpenCalendar, RecordPhaseDone
from services.repayment.domain.business_calendar import calendar_aggregate
from tests.unit.given import context, given, step

CALENDAR = calendar_aggregate()

FIRST, SECOND, THIRD = date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)

OPENED = (CalendarOpened(business_date=FIRST),)
CLOSING = (*OPENED, BusinessDayCloseStarted(business_date=FIRST))
ONE_DONE = (*CLOSING, PhaseRecorded(business_date=FIRST, partition=1, missing=1))
CLOSED = (
    *ONE_DONE,
    PhaseRecorded(business_date=FIRST, partition=0, missing=0),
    BusinessDayClosed(business_date=FIRST, next_date=SECOND),
)


def close(day: date) -> CloseBusinessDay:
    """Close a date."""
    return CloseBusinessDay(business_date=day)


def done(day: date, partition: int, partitions: int = 2) -> RecordPhaseDone:
    """A partition finished the last awaited phase of a date."""
    return RecordPhaseDone(business_date=day, partition=partition, partitions=partitions)


def test_the_calendar_opens_on_a_date() -> None:
    """The platform's first business date."""
    given(CALENDAR).when(OpenCalendar(business_date=FIRST)).then(*OPENED)


def test_opening_it_on_the_same_date_again_says_nothing() -> None:
    """Also when days have been closed since."""
    given(CALENDAR, *OPENED).when(OpenCalendar(business_date=FIRST)).then_nothing()
    given(CALENDAR, *CLOSED).when(OpenCalendar(business_date=FIRST)).then_nothing()


def test_opening_it_on_another_date_is_refused() -> None:
    """History has one beginning."""
    given(CALENDAR, *CLOSED).when(OpenCalendar(business_date=SECOND)).then_refused("calendar_already_open")


def test_the_open_date_can_be_closed() -> None:
    """Phase 1 begins."""
    given(CALENDAR, *OPENED).when(close(FIRST)).then(BusinessDayCloseStarted(business_date=FIRST))
    given(CALENDAR, *CLOSED).when(close(SECOND)).then(BusinessDayCloseStarted(business_date=SECOND))


@pytest.mark.parametrize("history", [CLOSING, ONE_DONE, CLOSED], ids=["closing", "one done", "closed"])
def test_closing_a_date_again_says_nothing(history: tuple[Any, ...]) -> None:
    """While it closes and ever after."""
    given(CALENDAR, *history).when(close(FIRST)).then_nothing()


def test_closing_an_earlier_date_again_says_nothing() -> None:
    """Also when the open one is being closed."""
    later = (*CLOSED, BusinessDayCloseStarted(business_date=SECOND))
    given(CALENDAR, *later).when(close(FIRST)).then_nothing()


@pytest.mark.parametrize("history", [OPENED, CLOSING, ONE_DONE, CLOSED])
def test_a_date_before_the_first_was_never_open(history: tuple[Any, ...]) -> None:
    """To say that it is closed would be a mistake that is told as done."""
    given(CALENDAR, *history).when(close(date(2024, 2, 27))).then_refused("before_calendar")


@pytest.mark.parametrize(
    ("history", "day", "code"),
    [
        ((), FIRST, "calendar_not_open"),
        (OPENED, SECOND, "day_not_reached"),
        (CLOSING, SECOND, "day_is_closing"),
        (ONE_DONE, THIRD, "day_is_closing"),
        (CLOSED, THIRD, "day_not_reached"),
    ],
)
def test_a_date_that_is_not_open_yet_is_refused_by_name(
    history: tuple[Any, ...], day: date, code: str
) -> None:
    """No calendar, a later date, a date while another closes."""
    given(CALENDAR, *history).when(close(day)).then_refused(code)


def test_a_partition_that_is_done_is_recorded() -> None:
    """The others are still missing."""
    given(CALENDAR, *CLOSING).when(done(FIRST, 1)).then(
        PhaseRecorded(business_date=FIRST, partition=1, missing=1)
    )


def test_the_last_partition_closes_the_date_and_opens_the_next() -> None:
    """29 February follows in a leap year."""
    given(CALENDAR, *ONE_DONE).when(done(FIRST, 0)).then(*CLOSED[-2:])


def test_a_partition_that_was_recorded_says_nothing() -> None:
    """While the date closes and after it."""
    given(CALENDAR, *ONE_DONE).when(done(FIRST, 1)).then_nothing()
    given(CALENDAR, *CLOSED).when(done(FIRST, 1)).then_nothing()
    given(CALENDAR, *CLOSED, BusinessDayCloseStarted(business_date=SECOND)).when(
        done(FIRST, 0)
    ).then_nothing()


@pytest.mark.parametrize(
    ("history", "command", "code"),
    [
        ((), done(FIRST, 0), "calendar_not_open"),
        (OPENED, done(FIRST, 0), "day_not_closing"),
        (CLOSING, done(SECOND, 0), "day_not_closing"),
        (CLOSING, done(FIRST, 2), "invalid_partition"),
        (CLOSING, done(FIRST, -1), "invalid_partition"),
    ],
)
def test_a_phase_that_cannot_be_done_is_refused_by_name(
    history: tuple[Any, ...], command: RecordPhaseDone, code: str
) -> None:
    """No calendar, a date that nobody closes, a partition that does not exist."""
    given(CALENDAR, *history).when(command).then_refused(code)


def test_days_are_closed_one_by_one() -> None:
    """Three days of four partitions, their answers in any order: every date closed once, in order."""
    state = given(CALENDAR, *OPENED).state
    closed = []
    for day, order in ((FIRST, (0, 1, 2, 3)), (SECOND, (3, 1, 0, 2)), (THIRD, (2, 0, 3, 1))):
        state = step(CALENDAR, state, close(day), context()).state
        for partition in order:
            outcome = step(CALENDAR, state, done(day, partition, 4), context())
            state = outcome.state
            closed += [event for event in outcome.events if isinstance(event, BusinessDayClosed)]
    assert closed == [
        BusinessDayClosed(business_date=FIRST, next_date=SECOND),
        BusinessDayClosed(business_date=SECOND, next_date=THIRD),
        BusinessDayClosed(business_date=THIRD, next_date=date(2024, 3, 2)),
    ]
    assert CALENDAR.wake_on(state) is None
