"""Working days are those of the calendar that a profile names: weekends in the demo, China's holidays under its law."""

from datetime import date, timedelta

import chinese_calendar
import pytest

from libs.events.working_days import CHINA, CHINA_TABLE, WEEKENDS, WorkingDays, working_day_after

FRIDAY = date(2024, 3, 15)


def test_chinas_working_days_are_the_librarys() -> None:
    """Each day of each year in the table is worked exactly if the library says so."""
    first, last = date(min(CHINA_TABLE), 1, 1), date(max(CHINA_TABLE), 12, 31)
    differing = [
        day
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1))
        if CHINA.is_worked(day) != chinese_calendar.is_workday(day)
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("calendar", "day", "count", "expected"),
    [
        (WEEKENDS, FRIDAY, 0, FRIDAY),
        (WEEKENDS, FRIDAY, 1, date(2024, 3, 18)),
        (WEEKENDS, FRIDAY, 3, date(2024, 3, 20)),
        (WEEKENDS, date(2024, 3, 17), 1, date(2024, 3, 18)),
        # the Spring Festival of 2024: 10 to 17 February are free, Sunday the 4th and 18th are worked
        (CHINA, date(2024, 2, 2), 1, date(2024, 2, 4)),
        (CHINA, date(2024, 2, 9), 3, date(2024, 2, 20)),
        (CHINA, date(2031, 5, 1), 1, date(2031, 5, 2)),
    ],
)
def test_days_are_counted_from_the_next_one(
    calendar: WorkingDays, day: date, count: int, expected: date
) -> None:
    """Free days are passed over, the day itself does not count, a year without a table has weekends only."""
    assert working_day_after(calendar, day, count) == expected


def test_a_calendar_says_how_far_it_is_published() -> None:
    """China's to the end of its last year, which the library knows as well and no later one; weekends are for ever."""
    end = date(max(CHINA_TABLE), 12, 31)
    assert CHINA.knows(end)
    assert not CHINA.knows(end + timedelta(days=1))
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(end + timedelta(days=1))
    assert WEEKENDS.knows(date.max)


def test_nothing_is_counted_backwards() -> None:
    """A limit in the past is a mistake, not a date."""
    with pytest.raises(ValueError, match="forwards"):
        working_day_after(WEEKENDS, FRIDAY, -1)
