"""Bodies of the requests and answers about standing orders. An answer is made from events or from views' documents."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import standing as events
from libs.runtime.http import Answer, CountField, HashField, PositiveFenField, RateField, Shape

Grade = Annotated[str, Field(pattern="^[A-Za-z0-9]{1,8}$", examples=["B"])]


class OrderTermsIn(Shape):
    """What a standing order takes: loans of these grades (in order, each once), at least this rate, at most this term; per loan at
    most `loan_max_fen`, leaving `keep_back_fen` available, in all at most `total_max_fen` (null: no such cap)."""

    grades: Annotated[list[Grade], Field(min_length=1, max_length=12)]
    annual_rate_min: RateField
    tenor_months_max: Annotated[int, Field(strict=True, ge=1, le=1_200)]
    loan_max_fen: PositiveFenField
    keep_back_fen: CountField = 0
    total_max_fen: PositiveFenField | None = None

    def terms(self) -> events.OrderTerms:
        """As the log keeps them: the grades in their order, each once."""
        return events.OrderTerms(
            grades=tuple(sorted(dict.fromkeys(self.grades))),
            annual_rate_min=self.annual_rate_min,
            tenor_months_max=self.tenor_months_max,
            loan_max_fen=self.loan_max_fen,
            keep_back_fen=self.keep_back_fen,
            total_max_fen=self.total_max_fen,
        )


class StandingOrderIn(OrderTermsIn):
    """A new standing order. `text_hash` is that of the risk text that its owner has read."""

    text_hash: HashField


class RiskTextOut(BaseModel):
    """What an investor confirms when he sets up a standing order; `text_hash` is the SHA-256 of the text in hex."""

    text: str
    text_hash: str


class StandingOrderDone(Answer):
    """A standing order and where it stands now."""

    status: Literal["active", "changed", "paused", "ended"]

    @staticmethod
    def opened(event: events.StandingOrderOpened) -> "StandingOrderDone":
        """It stands at the end of the queue."""
        return StandingOrderDone(id=event.order_id, status="active")

    @staticmethod
    def changed(event: events.StandingOrderChanged) -> "StandingOrderDone":
        """It keeps its place."""
        return StandingOrderDone(id=event.order_id, status="changed")

    @staticmethod
    def paused(event: events.StandingOrderPaused) -> "StandingOrderDone":
        """It takes no part."""
        return StandingOrderDone(id=event.order_id, status="paused")

    @staticmethod
    def resumed(event: events.StandingOrderResumed) -> "StandingOrderDone":
        """It takes part again."""
        return StandingOrderDone(id=event.order_id, status="active")

    @staticmethod
    def ended(event: events.StandingOrderEnded) -> "StandingOrderDone":
        """It is over."""
        return StandingOrderDone(id=event.order_id, status="ended")


class StandingOrderOut(BaseModel):
    """One's own standing order. `place` is its place among the active orders, 1 is served first; null while it takes no part.
    `spent_fen` counts towards `total_max_fen`. `paused_because`: its owner paused it, or it could not pay for five listings in a row."""

    order_id: str
    state: Literal["active", "paused", "ended"]
    paused_because: Literal["by_owner", "could_not_pay"] | None
    version: int
    place: int | None
    grades: list[str]
    annual_rate_min: str
    tenor_months_max: int
    loan_max_fen: int
    keep_back_fen: int
    total_max_fen: int | None
    spent_fen: int
    last_spent_on: date | None

    @staticmethod
    def of(document: Mapping[str, Any], place: int | None) -> "StandingOrderOut":
        """From a document of bidding.standing-orders."""
        said = [name for name in StandingOrderOut.model_fields if name not in ("place", "paused_because")]
        fields = {name: document[name] for name in said}
        return StandingOrderOut(place=place, paused_because=document.get("paused_because"), **fields)


class StandingOrdersOut(BaseModel):
    """A page of standing orders; `next` is the cursor of the next page, null after the last."""

    items: list[StandingOrderOut]
    next: str | None


class OrderLogOut(BaseModel):
    """What came of an order for a listing that it was asked for. `version` is that of the terms that counted, `asked_fen` the most it
    was asked for, `amount_fen` what the listing took, `code` why it took nothing."""

    listing_id: str
    state: Literal["asked", "bid", "took_part", "passed", "returned"]
    version: int
    asked_fen: int
    amount_fen: int
    code: str
    bid_id: str

    @staticmethod
    def of(row: Mapping[str, Any]) -> "OrderLogOut":
        """From a document of bidding.standing-order-log."""
        fields = {name: row[name] for name in OrderLogOut.model_fields if name != "state"}
        return OrderLogOut(state=state_of(row), **fields)


State = Literal["asked", "bid", "took_part", "passed", "returned"]


def state_of(row: Mapping[str, Any]) -> State:
    """Where an order stands with a listing: what came back is over, whatever was heard first."""
    state: State = "returned" if row.get("returned") else row["state"]
    return state


class OrderLogsOut(BaseModel):
    """A page of an order's log; `next` is the cursor of the next page, null after the last."""

    items: list[OrderLogOut]
    next: str | None


class OwnPartOut(BaseModel):
    """Whether one's standing order took part in a listing: with how much, or why not (`code`; `newcomers_only`: no order is asked for
    a listing for newcomers)."""

    order_id: str
    state: Literal["waiting", "asked", "bid", "took_part", "passed", "returned"]
    amount_fen: int
    code: str


class OwnPartsOut(BaseModel):
    """What came of one's orders for a listing: of the one that stands, and of those that ended and were asked or passed over.
    `service` says how far the listing is: `none` where nobody had an order when it opened, where it is for newcomers, and until the
    queue has heard of it."""

    listing_id: str
    service: Literal["none", "waiting", "serving", "ended"]
    items: list[OwnPartOut]
