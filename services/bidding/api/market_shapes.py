"""Bodies of requests and answers about offers of claims. The order book says neither who sells nor who borrowed."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import market as events
from libs.events.fees import TransferFees
from libs.events.schedules.terms import PLAIN, Method
from libs.runtime.http import Answer, PositiveFenField, Shape, id_field

PermilleField = Annotated[int, Field(strict=True, ge=1, le=10_000, examples=[985])]

OfferStatus = Literal["requested", "refused", "open", "taken", "withdrawn", "expired", "closed", "settled"]


class OfferIn(Shape):
    """A claim that its holder offers, whole or `principal_fen` of it, at a price in per mille of its outstanding principal."""

    claim_id: Annotated[str, id_field("clm")]
    price_permille: PermilleField
    principal_fen: PositiveFenField | None = None
    window_days: Annotated[int, Field(strict=True, ge=1, le=90)] = 10


class TakeIn(Shape):
    """The most that the buyer pays, the offer's `maximum_fen` or more: it is held until the loan says what it costs to the day."""

    maximum_fen: PositiveFenField


class OfferRequestedOut(Answer):
    """The offer is in the log; its loan says next whether the claim may be offered."""

    claim_id: str
    loan_id: str
    price_permille: int
    status: Literal["requested"] = "requested"

    @staticmethod
    def of(event: events.OfferRequested) -> "OfferRequestedOut":
        """From the decision's event."""
        return OfferRequestedOut(
            id=event.offer_id,
            claim_id=event.claim_id,
            loan_id=event.loan_id,
            price_permille=event.price_permille,
        )


class TakeOut(Answer):
    """The buyer's money is held; the offer and its loan answer next."""

    offer_id: str
    held_fen: int
    status: Literal["held"] = "held"

    @staticmethod
    def of(event: events.PurchaseHeld) -> "TakeOut":
        """From the decision's event."""
        return TakeOut(id=event.hold_id, offer_id=event.offer_id, held_fen=event.amount_fen)


class WithdrawnOut(Answer):
    """The offer is taken back."""

    withdrawn_on: date

    @staticmethod
    def of(event: events.OfferWithdrawn) -> "WithdrawnOut":
        """From the decision's event."""
        return WithdrawnOut(id=event.offer_id, withdrawn_on=event.withdrawn_on)


class OfferOut(BaseModel):
    """An offer in the order book; `maximum_fen` is the most that it can cost, accrued interest included. Amounts are those of
    the day on which it opened: repayments make them less. `method` is the loan's manner of repayment."""

    id: str
    loan_id: str
    principal_fen: int
    price_permille: int
    maximum_fen: int
    grade: str
    annual_rate: str
    matures_on: date
    opened_on: date
    expires_on: date
    method: Method = PLAIN.method  # not in documents of the version before

    @staticmethod
    def of(document: Mapping[str, Any]) -> "OfferOut":
        """From a document of bidding.offers."""
        shown = {name: document[name] for name in OfferOut.model_fields.keys() & document.keys()}
        return OfferOut(id=document["offer_id"], **shown)


class OffersOut(BaseModel):
    """A page of the order book; `next` is the cursor of the next page, null after the last."""

    items: list[OfferOut]
    next: str | None


class SaleOut(BaseModel):
    """What was sold: the buyer paid price + interest, the seller received that less the fee."""

    principal_fen: int
    price_fen: int
    interest_fen: int
    fee_fen: int
    transferred_on: date


class OwnOfferOut(BaseModel):
    """One's own offer and where it stands; the fee is per mille of the price. `code`: why it was refused, closed, or the last buyer did not get it."""

    id: str
    claim_id: str
    loan_id: str
    state: OfferStatus
    price_permille: int
    fee_permille: int | None
    principal_fen: int | None
    expires_on: date | None
    code: str | None
    sale: SaleOut | None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "OwnOfferOut":
        """From a document of bidding.offers; one that its loan refused has no terms."""
        shown = {name: document[name] for name in ("claim_id", "loan_id", "state", "price_permille", "code")}
        sale = document.get("sale")
        return OwnOfferOut(
            id=document["offer_id"],
            fee_permille=document.get("fee_permille"),
            principal_fen=document.get("principal_fen"),
            expires_on=document.get("expires_on"),
            sale=None if sale is None else SaleOut(**{name: sale[name] for name in SaleOut.model_fields}),
            **shown,
        )


class OwnOffersOut(BaseModel):
    """A page of one's own offers; `next` is the cursor of the next page, null after the last."""

    items: list[OwnOfferOut]
    next: str | None


class TransferFeeOut(BaseModel):
    """What the seller of a claim pays in one published version, per mille of the price, for offers that open since its date."""

    version: int
    since: date
    fee_permille: int


class TransferFeesOut(BaseModel):
    """Every version that was ever published, oldest first; none where a sale costs nothing."""

    items: list[TransferFeeOut]

    @staticmethod
    def of(fees: TransferFees) -> "TransferFeesOut":
        """From the profile."""
        return TransferFeesOut(
            items=[
                TransferFeeOut(version=fee.version, since=fee.since, fee_permille=fee.permille)
                for fee in fees
            ]
        )
