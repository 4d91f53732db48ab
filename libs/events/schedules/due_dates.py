"""On which day an instalment falls due: the day of funding in each following month, and what a holiday makes of it."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final, assert_never

from libs.events.schedules.terms import CalendarName, RepaymentTerms, Shift
from libs.events.working_days import CHINA, WEEKENDS, WorkingDays, working_day_after

MONTHS_PER_YEAR: Final = 12
_DAY: Final = timedelta(days=1)


def due_date(funded_on: date, number: int) -> date:
    """Due date of instalment `number` (from 1): the disbursement day of the `number`-th following month.

    A day that the month lacks becomes its last day, always judged from the original day: 31 Jan -> 29 Feb -> 31 Mar
    (domain.md section 4).
    """
    months = funded_on.year * MONTHS_PER_YEAR + funded_on.month - 1 + number
    year, month = months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1
    return date(year, month, min(funded_on.day, monthrange(year, month)[1]))


def due_on(terms: RepaymentTerms, funded_on: date, number: int) -> date:
    """The due date under these terms: shifted where nobody works on it."""
    return shifted(due_date(funded_on, number), terms.shift, working_days_named(terms.calendar))


def shifted(day: date, shift: Shift, calendar: WorkingDays) -> date:
    """A day as the convention moves it. Modified: back to the last working day where the next one is in another month."""
    if shift == "none" or calendar.is_worked(day):
        return day
    following = working_day_after(calendar, day, 1)
    match shift:
        case "following":
            return following
        case "modified_following":
            return following if following.month == day.month else _worked_before(calendar, day)
        case _:
            assert_never(shift)


def is_provisional(terms: RepaymentTerms, day: date) -> bool:
    """Whether a due date was found by a calendar that does not say which days of that year are worked: only weekends were seen, and
    whoever asks once it does may get another day."""
    return terms.shift != "none" and not working_days_named(terms.calendar).knows(day)


def _worked_before(calendar: WorkingDays, day: date) -> date:
    while not calendar.is_worked(day):
        day -= _DAY
    return day


def working_days_named(name: CalendarName) -> WorkingDays:
    """The calendar of that name. That of China is the State Council's, as the table of `working_days` has it."""
    match name:
        case "weekends":
            return WEEKENDS
        case "china":
            return CHINA
        case _:
            assert_never(name)
