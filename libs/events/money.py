"""Money as integers of minor units: the only place that rounds or divides it.

Everything else adds and subtracts integers. Floats never appear; rates are `Decimal`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal, localcontext
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import Field

#: Largest integer that may stand in a command or an event (design.md 2.4): far below 2**53, so any JSON reader keeps it.
MAX_INTEGER = 10**15

Fen = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""A signed amount in fen (1/100 yuan)."""

PositiveFen = Annotated[int, Field(gt=0, le=MAX_INTEGER)]
"""An amount in fen that must be greater than zero."""

Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
"""A number of things, never negative."""

AnnualRate = Annotated[Decimal, Field(ge=0, le=10, max_digits=12, decimal_places=8)]
"""A nominal annual rate as a decimal fraction: 0.12 is twelve percent."""

_CONTEXT = Context(prec=50)


class Rounding(StrEnum):
    """How an amount becomes whole fen; a product setting (domain.md section 4)."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"


@contextmanager
def money_context() -> Iterator[None]:
    """Run the block under the one decimal context (50 digits), so results never depend on the caller's."""
    with localcontext(_CONTEXT):
        yield


def divide_fen(dividend: int, divisor: int, mode: Rounding = Rounding.HALF_UP) -> int:
    """Round the exact quotient of two integers to whole fen by the named mode: the platform's one rounding function.

    For formulas that divide (a rate over 12, an annuity): no finite decimal holds such a quotient, and a tie must be
    seen as a tie. Raises ValueError unless dividend >= 0 and divisor > 0.
    """
    if dividend < 0 or divisor <= 0:
        raise ValueError("a quotient of money needs a dividend that is not negative and a divisor above zero")
    quotient, remainder = divmod(dividend, divisor)
    match mode:
        case Rounding.HALF_UP:
            up = 2 * remainder >= divisor
        case Rounding.HALF_EVEN:
            up = 2 * remainder > divisor or (2 * remainder == divisor and quotient % 2 == 1)
        case Rounding.UP:
            up = remainder > 0
        case _:
            assert_never(mode)
    return quotient + up


def split_fen(total_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total_fen` >= 0 in proportion to `weights` so that the parts sum to it exactly.

    Each share is floored; the left-over fen go to the largest remainders, ties to the earlier weight
    (rules.md 1.1, "lender split"). No part exceeds its weight when the total does not exceed their sum.
    Raises ValueError for a negative total or weight, or when nothing has weight but something is to be split.
    """
    if total_fen < 0 or min(weights, default=0) < 0:
        raise ValueError("a split needs a total and weights that are not negative")
    if total_fen == 0:
        return (0,) * len(weights)
    weight_sum = sum(weights)
    if weight_sum == 0:
        raise ValueError("nothing has weight: there is nobody to give the money to")
    parts = [total_fen * weight // weight_sum for weight in weights]
    remainders = [total_fen * weight % weight_sum for weight in weights]
    by_remainder = sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)  # stable: ties stay
    for index in by_remainder[: total_fen - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


def slice_fen(total_fen: int, start: int, end: int, whole: int) -> int:
    """What of `total_fen` falls to the part from `start` to `end` of a `whole` > 0 on which it is spread evenly.

    The part's ends are floored, so neighbouring parts that make up the whole sum to the total exactly, each within a fen of its
    proportion. Raises ValueError unless 0 <= start <= end <= whole and total_fen >= 0.
    """
    if not 0 <= start <= end <= whole or whole == 0 or total_fen < 0:
        raise ValueError("a slice lies within the whole, and what is sliced is not negative")
    return total_fen * end // whole - total_fen * start // whole
