"""How open listings are looked for: what an investor asks for becomes a search of the view, in one of a few orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query

from libs.events.money import MAX_INTEGER
from libs.events.searches import OneOf, Sorting, Span
from libs.events.views import OtherThan
from libs.runtime.http import RateField
from services.bidding.projections.rates import rate_units

#: Products and regions are onboarding's codes (libs.events.onboarding).
_CODE: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
_GRADES: Final = "^[A-Z][A-Z0-9]{0,7}(,[A-Z][A-Z0-9]{0,7}){0,9}$"

SORTS: Final = {
    "closing": Sorting("closes_on"),
    "rate": Sorting("rate_units", descending=True),
    "tenor": Sorting("tenor_months"),
    "left": Sorting("remaining_fen"),
}


@dataclass(frozen=True, slots=True)
class Browsing:
    """Which open listings are asked for, and in which order."""

    where: Mapping[str, Any]
    order: Sorting


async def _browsing(
    grades: Annotated[
        str | None, Query(pattern=_GRADES, description="Only these grades, with commas.", examples=["A,B"])
    ] = None,
    min_rate: Annotated[RateField | None, Query(description="At least this annual rate.")] = None,
    tenor_from: Annotated[int | None, Query(ge=1, le=360, description="At least so many months.")] = None,
    tenor_to: Annotated[int | None, Query(ge=1, le=360, description="At most so many months.")] = None,
    left_from: Annotated[
        int | None, Query(ge=1, le=MAX_INTEGER, description="At least so many fen can still be bid.")
    ] = None,
    product: Annotated[
        str | None, Query(pattern=_CODE, description="Only this product.", examples=["consumer"])
    ] = None,
    region: Annotated[
        str | None, Query(pattern=_CODE, description="Only this region.", examples=["CN-31"])
    ] = None,
    newcomers_only: Annotated[
        bool | None,
        Query(description="Those for investors who have never lent, or the others; all if left out."),
    ] = None,
    sort: Annotated[
        Literal["closing", "rate", "tenor", "left"],
        Query(description="What closes first, pays most, is shortest, or has least left to bid."),
    ] = "closing",
) -> Browsing:
    where: dict[str, Any] = {"state": "open"}
    if grades is not None:
        where["grade"] = OneOf(tuple(grades.split(",")))
    if min_rate is not None:
        where["rate_units"] = Span(rate_units(min_rate))
    if tenor_from is not None or tenor_to is not None:
        where["tenor_months"] = Span(tenor_from, tenor_to)
    if left_from is not None:
        where["remaining_fen"] = Span(left_from)
    where |= {name: code for name, code in (("product", product), ("region", region)) if code is not None}
    if newcomers_only is not None:
        where["newcomers_only"] = True if newcomers_only else OtherThan(True)
    return Browsing(where, SORTS[sort])


ThisBrowsing = Annotated[Browsing, Depends(_browsing)]
