"""Days as a part of a year, exactly: the first day counts, the last does not (ISDA 2006 section 4.16, rules.md 1.2)."""

from calendar import isleap
from datetime import date
from fractions import Fraction
from typing import assert_never

from libs.events.schedules.terms import DayCount

_JANUARY_FIRST = (1, 1)


def year_fraction(since: date, until: date, day_count: DayCount) -> Fraction:
    """The part of a year from one date to another; nothing where the second is not later.

    30/360 US is without the end-of-month rule for February: 29 Feb to 31 Mar are 32 days.
    """
    if until <= since:
        return Fraction(0)
    match day_count:
        case "act_365f":
            return Fraction((until - since).days, 365)
        case "act_360":
            return Fraction((until - since).days, 360)
        case "act_act_isda":
            return _by_calendar_year(since, until)
        case "30_360_us":
            first = min(since.day, 30)
            last = 30 if until.day == 31 and first == 30 else until.day
            return _thirties(since, until, first, last)
        case "30e_360":
            return _thirties(since, until, min(since.day, 30), min(until.day, 30))
        case _:
            assert_never(day_count)


def _by_calendar_year(since: date, until: date) -> Fraction:
    """The days in each year, over 365 or 366."""
    total = Fraction(0)
    for year in range(since.year, until.year + 1):
        first, last = max(since, date(year, *_JANUARY_FIRST)), min(until, date(year + 1, *_JANUARY_FIRST))
        total += Fraction((last - first).days, 366 if isleap(year) else 365)
    return total


def _thirties(since: date, until: date, first: int, last: int) -> Fraction:
    months = 12 * (until.year - since.year) + until.month - since.month
    return Fraction(30 * months + last - first, 360)
