"""The contract's arithmetic as the ledger needs it: the schedule of a loan that is opened, and interest to the day.

The formulas stand in `libs.events.schedules`, because quote and contract must say the same.
"""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from libs.events.money import Rounding, divide_fen
from libs.events.repayment import ScheduleRow
from libs.events.schedules.day_count import year_fraction
from libs.events.schedules.rows import interest_fen
from libs.events.schedules.terms import RepaymentTerms


def last_of_month(day: date) -> date:
    """The last day of a date's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def daily_interest_fen(
    balance_fen: int, annual_rate: Decimal, days: int, day_basis: int, mode: Rounding
) -> int:
    """Simple interest of `days` actual days: round(balance · annual rate · days / basis), first day in, last day out
    (Act/365F with basis 365, rules.md 1.2)."""
    rate, per = annual_rate.as_integer_ratio()
    return divide_fen(balance_fen * rate * days, day_basis * per, mode)


def interest_used_fen(
    terms: RepaymentTerms | None,
    balance_fen: int,
    annual_rate: Decimal,
    between: tuple[date, date],
    *,
    day_basis: int,
    mode: Rounding,
) -> int:
    """Interest of the days between two dates by the contract: its own day count where interest runs by the day, else actual
    days over `day_basis`. Nothing where the second date is not later."""
    since, until = between
    if terms is None:
        return daily_interest_fen(balance_fen, annual_rate, max(0, (until - since).days), day_basis, mode)
    if terms.interest_by == "month":
        days = max(0, (until - since).days)
        return daily_interest_fen(balance_fen, annual_rate, days, day_basis, terms.rounding)
    part = year_fraction(since, until, terms.day_count)
    return interest_fen(balance_fen, annual_rate, part, terms.rounding)


_due_on = attrgetter("due_on")


def reached(rows: Sequence[ScheduleRow], on: date) -> int:
    """How many rows are due on or before a date; rows stand in the order of their due dates."""
    return bisect_right(rows, on, key=_due_on)


def is_asked(row: ScheduleRow) -> bool:
    """Whether an instalment asks for anything: in a grace, or once rounding up has repaid all, it does not."""
    return bool(row.principal_fen or row.interest_fen or row.fee_fen)
