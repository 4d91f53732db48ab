"""Bodies of requests and answers about what becomes of a listing beside its bids and its review: published, taken back."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import bidding as events
from libs.events.fees import FeeTables
from libs.events.schedules.stored import read
from libs.runtime.http import Answer, DayField, HashField, Shape
from services.bidding.domain.disclosure import text_of


class CheckIn(Shape):
    """What a second person found: the hash is that of the text he has read. `opens_on`: the day it opens, now if left out;
    `newcomers_only`: for investors who have never lent."""

    verdict: Literal["approve", "reject"]
    content_hash: HashField
    opens_on: DayField | None = None
    newcomers_only: Annotated[bool, Field(strict=True)] = False


class PayoutIn(Shape):
    """The number of the loan voucher under which it is paid out."""

    voucher: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["F8-2024-000017"])]


class CancellationIn(Shape):
    """Why an operator takes a listing back."""

    code: Literal["terms_wrong", "duplicate", "suspected_fraud", "unlawful"]


class CheckOut(Answer):
    """The look is in the log. Approved it is open, or opens on `opens_on`."""

    loan_id: str
    verdict: Literal["approve", "reject"]
    content_hash: str
    opens_on: date | None
    newcomers_only: bool = False

    @staticmethod
    def of(event: events.ListingChecked) -> "CheckOut":
        """From the decision's event."""
        return CheckOut(
            id=event.listing_id,
            loan_id=event.loan_id,
            verdict=event.verdict,
            content_hash=event.content_hash,
            opens_on=event.opens_on,
            newcomers_only=event.newcomers_only,
        )


class PayoutOut(Answer):
    """The loan is funded, or will be when the borrower's caps are kept today; or its cost is above the ceiling of the day and the
    listing is cancelled (`code`)."""

    loan_id: str
    funded: bool
    voucher: str = ""
    code: str = ""

    @staticmethod
    def asked(event: events.FundingRequested) -> "PayoutOut":
        """The caps are looked at now, and the listing says next what became of it."""
        return PayoutOut(id=event.listing_id, loan_id=event.loan_id, funded=False, voucher=event.voucher)

    @staticmethod
    def paid(event: events.LoanFunded) -> "PayoutOut":
        """It is paid out."""
        return PayoutOut(id=event.listing_id, loan_id=event.loan_id, funded=True, voucher=event.voucher)

    @staticmethod
    def cancelled(event: events.ListingCancelled) -> "PayoutOut":
        """It may not be any more."""
        return PayoutOut(id=event.listing_id, loan_id=event.loan_id, funded=False, code=event.code)


class CancellationOut(Answer):
    """The listing is taken back; whatever was held for it is released next."""

    loan_id: str
    cancelled_on: date
    code: str
    bids: int

    @staticmethod
    def of(event: events.ListingCancelled) -> "CancellationOut":
        """From the decision's event."""
        return CancellationOut(
            id=event.listing_id,
            loan_id=event.loan_id,
            cancelled_on=event.cancelled_on,
            code=event.code,
            bids=len(event.bids),
        )


class DisclosureOut(BaseModel):
    """What investors are told of a loan, word for word, and the hash of that text (SHA-256 of its UTF-8 bytes)."""

    id: str
    text: str
    content_hash: str

    @staticmethod
    def of(document: Mapping[str, Any]) -> "DisclosureOut":
        """From a document of bidding.open-listings that was prepared."""
        return DisclosureOut(
            id=document["listing_id"], text=_text(document), content_hash=document["content_hash"]
        )


class PublicationOut(DisclosureOut):
    """A listing that waits for a second person since some time, until the end of `check_by`; who may not be it stands here."""

    prepared_by: str
    owner: str | None
    check_by: date
    since: datetime
    since_on: date

    @staticmethod
    def of(document: Mapping[str, Any]) -> "PublicationOut":
        """From a document of bidding.open-listings."""
        return PublicationOut(
            id=document["listing_id"],
            text=_text(document),
            content_hash=document["content_hash"],
            prepared_by=document["prepared_by"],
            owner=document["owner"],
            check_by=document["check_by"],
            since=document["waits_since"],
            since_on=document["waits_on"],
        )


class PublicationsOut(BaseModel):
    """A page of listings that wait for a second person's look; `next` is the cursor of the next page, null after the last."""

    items: list[PublicationOut]
    next: str | None


class OwnBidOut(BaseModel):
    """One's own bid. `pending` until its listing has answered; `accepted` until that is funded (then `lent`) or ends (then
    `released`); `declined` for the reason in `code`. `accepted_fen` may be a part of what was asked, if that was allowed."""

    id: str
    listing_id: str
    status: Literal["pending", "accepted", "declined", "lent", "released"]
    asked_fen: int
    accepted_fen: int
    held_fen: int
    code: str | None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "OwnBidOut":
        """From a document of bidding.bids."""
        return OwnBidOut(
            id=document["bid_id"],
            listing_id=document["listing_id"],
            status=_status(document),
            asked_fen=document["asked_fen"],
            accepted_fen=document.get("accepted_fen", 0),
            held_fen=document["held_fen"],
            code=document.get("code") or document.get("reason"),
        )


def _status(
    document: Mapping[str, Any],
) -> Literal["pending", "accepted", "declined", "lent", "released"]:
    """The listing's answer and the money's end come by different streams, in whatever order."""
    answer = document.get("answer", "pending")
    match document["hold"], answer:
        case "captured", _:
            return "lent"
        case "released", "accepted":
            return "released"
        case "released", _:
            return "declined"
        case _, "accepted":
            return "accepted"
        case _, "declined":
            return "declined"
        case _:
            return "pending"


class OwnBidsOut(BaseModel):
    """A page of one's own bids; `next` is the cursor of the next page, null after the last."""

    items: list[OwnBidOut]
    next: str | None


class FeesOut(BaseModel):
    """What a product costs in one published version: up front of the amount, of the interest, and of the
    amount with each instalment."""

    version: int
    since: date
    product: str
    origination_fee_permille: int
    interest_fee_permille: int
    period_fee_permille: int


class FeeTablesOut(BaseModel):
    """Every version that was ever published, oldest first; none where any fee may be agreed on."""

    items: list[FeesOut]

    @staticmethod
    def of(tables: FeeTables) -> "FeeTablesOut":
        """From the profile."""
        return FeeTablesOut(
            items=[
                FeesOut(
                    version=table.version,
                    since=table.since,
                    product=fees.product,
                    origination_fee_permille=fees.origination_permille,
                    interest_fee_permille=fees.interest_permille,
                    period_fee_permille=fees.period_permille,
                )
                for table in tables
                for fees in table.fees
            ]
        )


def _text(document: Mapping[str, Any]) -> str:
    told = document["disclosure"]
    read_again = {"annual_rate": Decimal(told["annual_rate"]), "repayment": read(told["repayment"])}
    return text_of(events.Disclosure(**told | read_again))
