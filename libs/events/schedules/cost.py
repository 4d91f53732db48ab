"""What a loan costs in a year by its real cash flows, all fees in: for the ceiling of the law and for whoever asks for a quote.

The cost is the monthly internal rate of return times twelve, as `libs.events.cost` has it for equal instalments (PBOC
announcement 2021 no. 3, rules.md 1.6): instalment k is paid k months after the funding, wherever a holiday moves it. All in
integers, so that nothing near money is a float.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from libs.events.cost import RATE_UNIT, Ceilings, ceiling_on, cost_is_within
from libs.events.money import divide_fen
from libs.events.repayment import ScheduleRow
from libs.events.schedules.rows import unrounded
from libs.events.schedules.terms import PLAIN, RepaymentTerms

#: A quoted cost has six decimals.
_QUOTED_DECIMALS: Final = 6


def is_allowed(
    ceilings: Ceilings,
    on: date,
    *,
    terms: RepaymentTerms | None,
    amount_fen: int,
    fee_fen: int,
    annual_rate: Decimal,
    months: int,
) -> bool:
    """Whether a contract of this date costs at most the ceiling in force on it; where there is none, anything is allowed.

    Judged is what was agreed on, before interest and fees are rounded to the fen: so rounding makes no rate at the ceiling one
    above it, and hides no fee. Refused like `schedule`.
    """
    ceiling = ceiling_on(ceilings, on)
    if ceiling is None:
        return True
    if terms is None or terms == PLAIN:
        return cost_is_within(
            ceiling, amount_fen=amount_fen, fee_fen=fee_fen, annual_rate=annual_rate, months=months
        )
    asked, per = unrounded(terms, amount_fen=amount_fen, annual_rate=annual_rate, months=months, funded_on=on)
    limit = int(ceiling * RATE_UNIT)
    return _is_worth_at_most(per * (amount_fen - fee_fen), _monthly(asked, months), limit)


def annual_cost(rows: Sequence[ScheduleRow], *, paid_out_fen: int, months: int) -> Decimal:
    """The lowest yearly rate, in steps of 0.000001, at which the rows are worth no more than what is paid out. Raises
    ValueError unless something is paid out."""
    if paid_out_fen <= 0:
        raise ValueError("a loan of which nothing is paid out has no yearly cost")
    paid = [row.principal_fen + row.interest_fen + row.fee_fen for row in rows]
    flows, step = _monthly(paid, months), RATE_UNIT // 10**_QUOTED_DECIMALS
    high = 1
    while not _is_worth_at_most(paid_out_fen, flows, high * step):
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        if _is_worth_at_most(paid_out_fen, flows, middle * step):
            high = middle
        else:
            low = middle
    return Decimal(high).scaleb(-_QUOTED_DECIMALS)


def compounded(yearly: Decimal) -> Decimal:
    """What a quoted cost is when each month's is compounded: (1 + yearly/12)^12 − 1, half-up to its decimals."""
    unit = 10**_QUOTED_DECIMALS
    grown = 12 * unit + int(yearly * unit)
    return Decimal(divide_fen(grown**12, 12**12 * unit**11) - unit).scaleb(-_QUOTED_DECIMALS)


def _monthly(paid: Sequence[int], months: int) -> list[int]:
    """What is paid in each month: one row is paid at the end."""
    return [*[0] * (months - len(paid)), *paid]


def _is_worth_at_most(paid_out_fen: int, flows: Sequence[int], yearly: int) -> bool:
    """Whether Σ flow_k / (1 + yearly/12)^k <= paid out, multiplied out; `yearly` in units of RATE_UNIT."""
    year = 12 * RATE_UNIT
    worth, none, grown = 0, 1, 1
    for flow in flows:
        none *= year
        grown *= year + yearly
        worth = worth * (year + yearly) + flow * none
    return worth <= paid_out_fen * grown
