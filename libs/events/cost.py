"""What borrowing costs in a year, and the most that it may cost by law: one rule for who approves, who lists, and who charges.

It stands here because three services hold a loan to it, and two tables of one law would one day differ. Which ceiling a
profile obeys, and on which day it looks, is the service's.
"""

from datetime import date
from decimal import Decimal

#: A rate has at most eight decimals (libs.events.money.AnnualRate), so in this unit it is an integer.
RATE_UNIT = 10**8

Ceilings = tuple[tuple[date, Decimal], ...]
"""A dated table: (in force since, highest annual cost), oldest first. Before its first row there is no ceiling."""


def ceiling_on(ceilings: Ceilings, on: date) -> Decimal | None:
    """The ceiling in force on a date: the last that had started."""
    started = [ceiling for since, ceiling in ceilings if since <= on]
    return started[-1] if started else None


def is_allowed(
    ceilings: Ceilings, on: date, *, amount_fen: int, fee_fen: int, annual_rate: Decimal, months: int
) -> bool:
    """Whether a contract of this date costs at most the ceiling in force on it; where there is none, anything is allowed."""
    ceiling = ceiling_on(ceilings, on)
    return ceiling is None or cost_is_within(
        ceiling, amount_fen=amount_fen, fee_fen=fee_fen, annual_rate=annual_rate, months=months
    )


def cost_is_within(
    ceiling: Decimal, *, amount_fen: int, fee_fen: int, annual_rate: Decimal, months: int
) -> bool:
    """Whether a loan in equal monthly instalments, paid out less an up-front fee, costs at most `ceiling` a year.

    The cost is the monthly internal rate of return times twelve (rules.md 1.6). It is at most the ceiling exactly when
    the instalments, discounted at ceiling/12, are worth no more than what was paid out:
    P·r·(1+r)^n/((1+r)^n − 1) · ((1+c)^n − 1)/(c·(1+c)^n) <= P − fee with r = rate/12, c = ceiling/12; without interest
    the instalment is P/n. Multiplied out in integers, so that a rate at the ceiling itself is never one digit above it.
    """
    year = 12 * RATE_UNIT
    rate, limit = int(annual_rate * RATE_UNIT), int(ceiling * RATE_UNIT)
    none: int = year**months
    by_rate: int = (year + rate) ** months
    by_limit: int = (year + limit) ** months
    paid_out_fen = amount_fen - fee_fen
    if rate == 0:
        return year * amount_fen * (by_limit - none) <= paid_out_fen * limit * by_limit * months
    return amount_fen * rate * by_rate * (by_limit - none) <= paid_out_fen * limit * by_limit * (
        by_rate - none
    )


#: 4 x the central bank's benchmark rate of loans up to one year (chinabankingnews.com/benchmark-lending-rate for the rows
#: of 2015, the earlier ones from general knowledge), the limit of private lending until 2015-08-31 (domain.md section 2).
_FOUR_BANK_RATES = (
    (date(2012, 7, 6), Decimal("0.2400")),
    (date(2014, 11, 22), Decimal("0.2240")),
    (date(2015, 3, 1), Decimal("0.2140")),
    (date(2015, 5, 11), Decimal("0.2040")),
    (date(2015, 6, 28), Decimal("0.1940")),
    (date(2015, 8, 26), Decimal("0.1840")),
)

#: 24 % is protected and everything above 36 % void (domain.md section 2): what lies between is paid at the borrower's
#: will and cannot be claimed, so a listing may promise no more than what is protected.
_PROTECTED = ((date(2015, 9, 1), Decimal("0.24")),)

#: 4 x one-year LPR (rules.md 1.7) by the day of its publication; 3.85 % and its date are the source's, the later rows come
#: from general knowledge, checked against the press for 2021-11 (3.85 %), 2025-01 (3.10 %) and 2026-01 (3.00 %).
_FOUR_LPR = (
    (date(2020, 8, 20), Decimal("0.1540")),
    (date(2021, 12, 20), Decimal("0.1520")),
    (date(2022, 1, 20), Decimal("0.1480")),
    (date(2022, 8, 22), Decimal("0.1460")),
    (date(2023, 6, 20), Decimal("0.1420")),
    (date(2023, 8, 21), Decimal("0.1380")),
    (date(2024, 7, 22), Decimal("0.1340")),
    (date(2024, 10, 21), Decimal("0.1240")),
    (date(2025, 5, 20), Decimal("0.1200")),
)

#: The highest annual cost of borrowing in China by the day on which a contract is made.
CEILINGS_CN: Ceilings = _FOUR_BANK_RATES + _PROTECTED + _FOUR_LPR
