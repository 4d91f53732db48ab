"""Routes of vouchers: the bank funds the marketing account, an operator grants, the investor redeems and sees his own."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import BaseModel, Field

from libs.events import vouchers as events
from libs.runtime.http import (
    Answer,
    BankSignature,
    DayField,
    Order,
    PositiveFenField,
    Shape,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_field,
    id_path,
    scopes,
    view_reader,
)
from services.bidding.api.router import router
from services.bidding.api.shapes import UnrequestedIn
from services.bidding.api.worklists import Himself
from services.bidding.commands import vouchers as commands

Listings = Annotated[ViewReader, Depends(view_reader("bidding.open-listings"))]
Vouchers = Annotated[ViewReader, Depends(view_reader("bidding.vouchers"))]


class VoucherIn(Shape):
    """A voucher to be granted: so much for a bid of at least so much, on a loan of at least so many months, until the end of a day."""

    investor: Annotated[str, id_field("usr")]
    amount_fen: PositiveFenField
    bid_min_fen: PositiveFenField
    valid_to: DayField
    tenor_min_months: Annotated[int, Field(strict=True, ge=1, le=360, examples=[6])] | None = None


class RedemptionIn(Shape):
    """The listing that the investor bids on."""

    listing_id: Annotated[str, id_field("lst")]


class FundedOut(Answer):
    """Money of the platform's own is booked."""

    amount_fen: int

    @staticmethod
    def of(event: events.MarketingFunded) -> "FundedOut":
        """From the decision's event."""
        return FundedOut(id=event.bank_reference, amount_fen=event.amount_fen)


class VoucherDone(Answer):
    """A voucher and where it stands now."""

    status: Literal["granted", "redeemed"]

    @staticmethod
    def granted(event: events.VoucherGranted) -> "VoucherDone":
        """Its money is reserved."""
        return VoucherDone(id=event.voucher_id, status="granted")

    @staticmethod
    def redeemed(event: events.VoucherRedeemed) -> "VoucherDone":
        """It is paid when the loan is funded."""
        return VoucherDone(id=event.voucher_id, status="redeemed")


class VoucherOut(BaseModel):
    """One's own voucher; `loan_id` is what it was redeemed for."""

    voucher_id: str
    amount_fen: int
    bid_min_fen: int
    valid_to: date
    tenor_min_months: int | None
    state: Literal["granted", "redeemed", "paid", "expired"]
    loan_id: str | None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "VoucherOut":
        """From a document of bidding.vouchers."""
        return VoucherOut(**{name: document[name] for name in VoucherOut.model_fields})


class VouchersOut(BaseModel):
    """A page of vouchers; `next` is the cursor of the next page, null after the last."""

    items: list[VoucherOut]
    next: str | None


@router.command(
    "/bank/marketing/{booking}",
    BankSignature(),
    answer=FundedOut,
    answers={events.MarketingFunded: FundedOut.of},
    status=200,
    needs_key=False,
)
async def fund_marketing(booking: Annotated[str, id_path("bankref")], body: UnrequestedIn) -> Order:
    """The platform paid in from its own funds; `booking` is `bankref_` and the bank's reference. The same again is the same."""
    money = commands.FundMarketing(booking_id=booking, amount_fen=body.amount_fen)
    return Order(commands.MARKETING_STREAM, money, key=str(body.amount_fen))


@router.command(
    "/vouchers",
    scopes("operator"),
    answer=VoucherDone,
    answers={events.VoucherGranted: VoucherDone.granted},
)
async def grant_voucher(body: VoucherIn, call: ThisCall, himself: Himself) -> Order:
    """Grant an investor, never oneself, a voucher, out of what the marketing account has and has not reserved."""
    grant = commands.GrantVoucher(voucher_id=call.mint("vch"), himself=himself, **dict(body))
    return Order(commands.MARKETING_STREAM, grant)


@router.command(
    "/vouchers/{voucher}/redemption",
    scopes("bid:own"),
    answer=VoucherDone,
    answers={events.VoucherRedeemed: VoucherDone.redeemed},
)
async def redeem_voucher(
    voucher: Annotated[str, id_path("vch")], body: RedemptionIn, listings: Listings
) -> Order:
    """Redeem one's own voucher with a bid on a listing, or on another one instead. Other people's do not exist for the caller."""
    loan_id = body.listing_id.replace("lst_", "loan_", 1)
    listing = await listings.find(body.listing_id) or {}
    redeem = commands.RedeemVoucher(
        voucher_id=voucher, loan_id=loan_id, tenor_months=listing.get("tenor_months")
    )
    return Order(commands.MARKETING_STREAM, redeem)


@router.read("/vouchers", scopes("bid:own"), answer=VouchersOut)
async def read_vouchers(vouchers: Vouchers, page: ThisPage, principal: ThisPrincipal) -> VouchersOut:
    """The caller's own vouchers, those that ended among them."""
    found, following = await vouchers.page(page, where={"investor": principal.subject})
    return VouchersOut(items=[VoucherOut.of(document) for document in found], next=following)
