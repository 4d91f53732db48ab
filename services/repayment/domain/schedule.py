"""The contract's arithmetic: due dates, equal instalments 等额本息 and interest to the day, exact to the fen.

Rates are `Decimal`, but every formula here is computed on whole numbers and divided once, by `divide_fen`: (1 + rate/12)^n
has no finite decimal, and an instalment that is an exact tie must be rounded as one.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from libs.events.money import Rounding, divide_fen
from libs.events.repayment import ScheduleRow

MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is to be paid: the equal instalment A (the last payment differs by rounding) and the rows, numbered from 1."""

    installment_fen: int
    rows: tuple[ScheduleRow, ...]


def due_date(funded_on: date, number: int) -> date:
    """Due date of instalment `number` (from 1): the disbursement day of the `number`-th following month.

    A day that the month lacks becomes its last day, always judged from the original day: 31 Jan -> 29 Feb -> 31 Mar
    (domain.md section 4).
    """
    months = funded_on.year * MONTHS_PER_YEAR + funded_on.month - 1 + number
    year, month = months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1
    return date(year, month, min(funded_on.day, monthrange(year, month)[1]))


def last_of_month(day: date) -> date:
    """The last day of a date's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def installment_fen(principal_fen: int, annual_rate: Decimal, periods: int, mode: Rounding) -> int:
    """A = P·r·(1+r)^n / ((1+r)^n − 1) with r = annual rate / 12, rounded to the fen; A = P/n at rate zero (rules.md 1.1).

    Never below one fen, so that a schedule always makes progress. Raises ValueError unless P > 0 and n > 0.
    """
    if principal_fen <= 0 or periods <= 0:
        raise ValueError("an instalment needs a principal and a number of periods above zero")
    rate, per = annual_rate.as_integer_ratio()
    if rate == 0:
        return max(1, divide_fen(principal_fen, periods, mode))
    # With r = rate/year and 1+r = grown/year, both sides of the fraction are multiplied by year^(n+1).
    year = MONTHS_PER_YEAR * per
    grown_n, year_n = (year + rate) ** periods, year**periods
    return max(1, divide_fen(principal_fen * rate * grown_n, year * (grown_n - year_n), mode))


def monthly_interest_fen(balance_fen: int, annual_rate: Decimal, mode: Rounding) -> int:
    """Interest of one monthly period: round(balance · annual rate / 12)."""
    rate, per = annual_rate.as_integer_ratio()
    return divide_fen(balance_fen * rate, MONTHS_PER_YEAR * per, mode)


def daily_interest_fen(
    balance_fen: int, annual_rate: Decimal, days: int, day_basis: int, mode: Rounding
) -> int:
    """Simple interest of `days` actual days: round(balance · annual rate · days / basis), first day in, last day out
    (Act/365F with basis 365, rules.md 1.2)."""
    rate, per = annual_rate.as_integer_ratio()
    return divide_fen(balance_fen * rate * days, day_basis * per, mode)


def equal_installments(
    principal_fen: int, annual_rate: Decimal, periods: int, funded_on: date, mode: Rounding
) -> Schedule:
    """The schedule of equal instalments: interest on the falling balance, principal = A − interest, the last row takes
    the remaining balance, so that Σ principal = P exactly and no row is negative (rules.md 1.1).

    Where rounding up repays a tiny loan early, the rows after that are zero. Raises ValueError like `installment_fen`.
    """
    payment_fen = installment_fen(principal_fen, annual_rate, periods, mode)
    rows: list[ScheduleRow] = []
    balance_fen = principal_fen
    for number in range(1, periods + 1):
        interest_fen = monthly_interest_fen(balance_fen, annual_rate, mode)
        share_fen = balance_fen if number == periods else min(balance_fen, payment_fen - interest_fen)
        rows.append(
            ScheduleRow(
                number=number,
                due_on=due_date(funded_on, number),
                principal_fen=share_fen,
                interest_fen=interest_fen,
            )
        )
        balance_fen -= share_fen
    return Schedule(payment_fen, tuple(rows))


def reached(rows: Sequence[ScheduleRow], on: date) -> int:
    """How many rows are due on or before a date; rows stand in the order of their due dates."""
    return sum(row.due_on <= on for row in rows)
