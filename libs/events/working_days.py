"""Working days 工作日 behind one interface: limits in working days mean those of the law, and a demo has weekends only.

Pure: the days are a table, so a decision never depends on which release of a library is installed. The table of mainland China
is that of `chinesecalendar` (from the State Council's yearly notices); a test compares the two. A year that the table lacks has
weekends only, which is a guess: who promises a limit asks `knows`; adding one changes decisions, so it raises the `rules` of whoever counts by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


class WorkingDays(Protocol):
    """Says which days are worked."""

    def is_worked(self, day: date) -> bool:
        """Whether offices and banks work on this day."""

    def knows(self, day: date) -> bool:
        """Whether that is said for this day, and not guessed."""


@dataclass(frozen=True, slots=True)
class Weekends:
    """Monday to Friday are worked, but for the `free` days; Saturday and Sunday are not, but for the `worked` ones. What comes
    after `known_to`, nobody has published."""

    free: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    known_to: date = date.max

    def is_worked(self, day: date) -> bool:
        """See WorkingDays."""
        return day in self.worked or (day.weekday() < _SATURDAY and day not in self.free)

    def knows(self, day: date) -> bool:
        """See WorkingDays."""
        return day <= self.known_to


def working_day_after(calendar: WorkingDays, day: date, count: int) -> date:
    """The `count`-th working day after a day, the day itself not counted. Raises ValueError for a negative count."""
    if count < 0:
        raise ValueError("working days are counted forwards")
    while count:
        day += _ONE_DAY
        count -= calendar.is_worked(day)
    return day


def working_days_to(calendar: WorkingDays, day: date, until: date) -> int:
    """How many working days come after a day, up to and with another; 0 where that one is not later."""
    count = 0
    while day < until:
        day += _ONE_DAY
        count += calendar.is_worked(day)
    return count


#: Mainland China by year: the free weekdays, as days or spans (weekends inside them are free as well), and the weekend days
#: that are worked instead. Written MMDD.
CHINA_TABLE: Final[Mapping[int, tuple[str, str]]] = {
    2004: ("0101 0122-0128 0503-0507 1001-1007", "0117 0118 0508 0509 1009 1010"),
    2005: ("0103 0209-0215 0502-0506 1003-1007", "0205 0206 0430 0508 1008 1009"),
    2006: ("0102-0103 0130-0203 0501-0505 1002-1006", "0128 0205 0429 0430 0930 1008 1230 1231"),
    2007: ("0101-0103 0219-0223 0501-0507 1001-1005 1231", "0217 0225 0428 0429 0929 0930 1229"),
    2008: ("0101 0206-0212 0404 0501-0502 0609 0915 0929-1003", "0202 0203 0504 0927 0928"),
    2009: ("0101-0102 0126-0130 0406 0501 0528-0529 1001-1008", "0104 0124 0201 0531 0927 1010"),
    2010: (
        "0101 0215-0219 0405 0503 0614-0616 0922-0924 1001-1007",
        "0220 0221 0612 0613 0919 0925 0926 1009",
    ),
    2011: ("0103 0202-0208 0404-0405 0502 0606 0912 1003-1007", "0130 0212 0402 1008 1009 1231"),
    2012: ("0102-0103 0123-0127 0402-0404 0430-0501 0622 1001-1005", "0121 0129 0331 0401 0428 0929"),
    2013: (
        "0101-0103 0211-0215 0404-0405 0429-0501 0610-0612 0919-0920 1001-1007",
        "0105 0106 0216 0217 0407 0427 0428 0608 0609 0922 0929 1012",
    ),
    2014: ("0101 0131-0206 0407 0501-0502 0602 0908 1001-1007", "0126 0208 0504 0928 1011"),
    2015: ("0101-0102 0218-0224 0406 0501 0622 0903-0904 1001-1007", "0104 0215 0228 0906 1010"),
    2016: ("0101 0208-0212 0404 0502 0609-0610 0915-0916 1003-1007", "0206 0214 0612 0918 1008 1009"),
    2017: ("0102 0127-0202 0403-0404 0501 0529-0530 1002-1006", "0122 0204 0401 0527 0930"),
    2018: (
        "0101 0215-0221 0405-0406 0430-0501 0618 0924 1001-1005 1231",
        "0211 0224 0408 0428 0929 0930 1229",
    ),
    2019: ("0101 0204-0208 0405 0501-0503 0607 0913 1001-1007", "0202 0203 0428 0505 0929 1012"),
    2020: ("0101 0124-0131 0406 0501-0505 0625-0626 1001-1008", "0119 0426 0509 0628 0927 1010"),
    2021: ("0101 0211-0217 0405 0503-0505 0614 0920-0921 1001-1007", "0207 0220 0425 0508 0918 0926 1009"),
    2022: ("0103 0131-0204 0404-0405 0502-0504 0603 0912 1003-1007", "0129 0130 0402 0424 0507 1008 1009"),
    2023: ("0102 0123-0127 0405 0501-0503 0622-0623 0929-1006", "0128 0129 0423 0506 0625 1007 1008"),
    2024: (
        "0101 0212-0216 0404-0405 0501-0503 0610 0916-0917 1001-1007",
        "0204 0218 0407 0428 0511 0914 0929 1012",
    ),
    2025: ("0101 0128-0204 0404 0501-0505 0602 1001-1008", "0126 0208 0427 0928 1011"),
    2026: ("0101-0102 0216-0223 0406 0501-0505 0619 0925 1001-1007", "0104 0214 0228 0509 0920 1010"),
}


def _days(year: int, written: str) -> Iterator[date]:
    for span in written.split():
        first, _, last = span.partition("-")
        day, end = _day(year, first), _day(year, last or first)
        while day <= end:
            yield day
            day += _ONE_DAY


def _day(year: int, written: str) -> date:
    return date(year, int(written[:2]), int(written[2:]))


WEEKENDS: Final = Weekends()
CHINA: Final = Weekends(
    free=frozenset(day for year, (free, _) in CHINA_TABLE.items() for day in _days(year, free)),
    worked=frozenset(day for year, (_, worked) in CHINA_TABLE.items() for day in _days(year, worked)),
    known_to=date(max(CHINA_TABLE), 12, 31),
)
