"""When each loan of the book begins here: one stretch of business dates in which every loan reaches what became of it.

Loans that ended start in the first quarter, on their own day of the month. Loans that still run are as old on the last
date (the horizon) as they are in the book, and as late, so that the book's state is the state at the end.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, assert_never

from libs.events.schedules.due_dates import due_date
from tools.replay.book import BookLoan, Completed, Current, Defaulted

#: How many days before its funding an application begins: a registration, then a step a day.
APPLICATION_DAYS: Final = 9

#: Loans that take longer than this start in the first month of the quarter, so that the last date does not move out.
_LONG_DAYS: Final = 35 * 30

#: How long a default is watched at least: its second missed instalment falls due in this time.
_DEFAULT_DAYS: Final = 45


@dataclass(frozen=True, slots=True)
class Timeline:
    """The funding date of each loan by its number, and the last business date of the replay."""

    funded_on: Mapping[str, date]
    horizon: date


def make_timeline(loans: Sequence[BookLoan], first_day: date) -> Timeline:
    """Place loans on business dates from `first_day` on."""
    funded_on: dict[str, date] = {}
    ends = [first_day + timedelta(days=1)]
    for loan in loans:
        if isinstance(loan.outcome, Current):
            ends.append(first_day + timedelta(days=_age_days(loan.outcome)))
        else:
            funded_on[loan.number] = _start(loan, first_day)
            ends.append(ends_on(loan, funded_on[loan.number]))
    horizon = max(ends)
    for loan in loans:
        if isinstance(loan.outcome, Current):
            funded_on[loan.number] = max(first_day, _running_since(loan, loan.outcome, horizon))
    return Timeline(funded_on, horizon)


def ends_on(loan: BookLoan, funded_on: date) -> date:
    """The date on which a loan that was funded on another date than in the book reaches its end.

    Early: as many days after funding as in the book, but before the last due date. Completed: the last due date and the
    days that the book is late. Defaulted: some time after the first instalment that is not paid. Running: never.
    """
    match loan.outcome:
        case Completed(closed_on, early=True):
            lived = timedelta(days=max(1, (closed_on - loan.originated_on).days))
            return min(funded_on + lived, due_date(funded_on, loan.tenor_months) - timedelta(days=1))
        case Completed(closed_on):
            late = closed_on - due_date(loan.originated_on, loan.tenor_months)
            return due_date(funded_on, loan.tenor_months) + late
        case Defaulted(cycle):
            return due_date(funded_on, cycle) + timedelta(days=_DEFAULT_DAYS)
        case Current():
            return date.max
        case _:
            assert_never(loan.outcome)


def _start(loan: BookLoan, first_day: date) -> date:
    """The loan's own day of the month, in the month of the quarter that its book month stands for."""
    first_month = _in_month(first_day, 0, loan.originated_on.day)
    days = (ends_on(loan, first_month) - first_month).days
    months = 0 if days > _LONG_DAYS else (loan.originated_on.month - 1) % 3
    return max(first_day, _in_month(first_day, months, loan.originated_on.day))


def _running_since(loan: BookLoan, state: Current, horizon: date) -> date:
    """When a loan began that is `months` old and so many days late on the horizon."""
    if state.days_past_due:
        first_missed = horizon - timedelta(days=state.days_past_due)
        return _in_month(first_missed, -missed_from(loan, state), first_missed.day)
    since = _in_month(horizon, -state.months, loan.originated_on.day)
    if (due_date(since, state.months) if state.months else since) > horizon:
        return _in_month(horizon, -state.months - 1, loan.originated_on.day)
    return since


def missed_from(loan: BookLoan, state: Current) -> int:
    """The number of the first instalment that a late loan has missed."""
    return min(max(state.months - state.days_past_due // 30, 1), loan.tenor_months)


def _age_days(state: Current) -> int:
    """Days in which a running loan certainly reaches its age."""
    return (state.months + 2) * 31 + state.days_past_due


def _in_month(anchor: date, months: int, day: int) -> date:
    """The day of the month that is so many months after the anchor's; a day that it lacks is its last."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))
