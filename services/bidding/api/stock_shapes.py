"""Bodies of the requests and answers about blank contracts. An answer is made from events or from a view's document, field by field."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from libs.events import contract_stock as events
from libs.events.voiding import VoidingCode
from libs.runtime.http import Answer, CountField, DayField, Shape, id_field

NumberField = Annotated[int, Field(strict=True, ge=1, le=99_999, examples=[1])]


class PrintIn(Shape):
    """A branch's quota of a month, which begins on `month`: at most 200 contracts, of which a representative gets `rep_quota`."""

    branch: Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,20}$", examples=["CN-31"])]
    month: Annotated[DayField, Field(examples=["2024-03-01"])]
    party: events.Party
    quota: Annotated[int, Field(strict=True, ge=1, le=events.STOCK_MAX)]
    rep_quota: Annotated[int, Field(strict=True, ge=1, le=events.STOCK_MAX)]

    @model_validator(mode="after")
    def _first_of_a_month(self) -> "PrintIn":
        if self.month.day != 1:
            raise ValueError("a month is named by its first day")
        return self


class RangeIn(Shape):
    """Numbers from `first` to `last`, both included."""

    first: NumberField
    last: NumberField

    @property
    def numbers(self) -> events.Numbers:
        """As the log says them."""
        return events.Numbers(first=self.first, last=self.last)


class HandOverIn(RangeIn):
    """Blanks, and who gets them."""

    to: Annotated[str, id_field("stf")]


class SignatureIn(Shape):
    """A blank, and the loan that it was signed for."""

    number: NumberField
    loan_id: Annotated[str, id_field("loan")]


class ReturnIn(Shape):
    """A signed contract, and in how many copies it came back."""

    number: NumberField
    copies: CountField


class VoidIn(RangeIn):
    """Blanks, and why they are void."""

    code: events.StockVoidCode


class CountIn(Shape):
    """All papers that were seen, also those that should not be there."""

    seen: Annotated[list[RangeIn], Field(max_length=events.SEEN_MAX)]


class DifferenceIn(Shape):
    """Where a difference comes from."""

    code: events.DifferenceCode


class RangeOut(BaseModel):
    """Numbers from `first` to `last`, both included."""

    first: int
    last: int


class StockDone(Answer):
    """What was asked for is done."""

    status: Literal["printed", "offered", "taken", "signed", "returned", "void", "explained"]

    @staticmethod
    def of(event: Any) -> "StockDone":
        """From the decision's event."""
        return StockDone(id=event.stock_id, status=_STATUS[type(event)])


_STATUS: dict[type, Any] = {
    events.StockPrinted: "printed",
    events.StockHandedOver: "offered",
    events.StockTaken: "taken",
    events.BlankSigned: "signed",
    events.BlankReturned: "returned",
    events.BlanksVoided: "void",
    events.StockDifferenceExplained: "explained",
}


class CountDone(Answer):
    """The count: what is missing, what should not be there and what was seen twice, each by its numbers."""

    expected: int
    counted: int
    missing: list[RangeOut]
    unexpected: list[RangeOut]
    twice: list[RangeOut]

    @staticmethod
    def of(event: events.StockCounted) -> "CountDone":
        """From the decision's event."""
        return CountDone(
            id=event.stock_id,
            expected=event.expected,
            counted=event.counted,
            missing=[RangeOut(first=each.first, last=each.last) for each in event.missing],
            unexpected=[RangeOut(first=each.first, last=each.last) for each in event.unexpected],
            twice=[RangeOut(first=each.first, last=each.last) for each in event.twice],
        )


class CountOut(BaseModel):
    """The last count; `code` is why it differs."""

    month: date
    expected: int
    counted: int
    missing: list[RangeOut]
    unexpected: list[RangeOut]
    twice: list[RangeOut]
    code: events.DifferenceCode | None


class VoidedOut(BaseModel):
    """Why a paper that was signed for a loan is void, and since when."""

    loan_id: str
    measure_id: str
    ground: VoidingCode
    voided_on: date


class StockOut(BaseModel):
    """A stock: how many papers came to each place, what was signed for which loan and is void since, both by number, and the last count."""

    stock_id: str
    branch: str
    month: date
    party: events.Party
    rep_quota: int
    printed: int
    at_branch: int
    with_rep: int
    signed: int
    returned: int
    void: int
    loans: dict[str, str]
    voided: dict[str, VoidedOut]
    count: CountOut | None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "StockOut":
        """From a document of bidding.contract-stock."""
        return StockOut(**{name: document[name] for name in StockOut.model_fields})


class StocksOut(BaseModel):
    """A page of stocks."""

    items: list[StockOut]
    next: str | None
