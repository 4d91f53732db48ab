"""Bodies of bidding's requests and answers. An answer is made from events or from a view's document, field by field."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import bidding as events
from libs.events.rescheduling import Prepay
from libs.events.scheduling import ListingScheduled
from libs.runtime.http import Answer, CountField, DayField, PositiveFenField, RateField, Shape, id_field
from services.bidding.custodian import REFERENCE_PATTERN, BankAnswer

# --- requests ------------------------------------------------------------------------------------------------------


class AmountIn(Shape):
    """How much to pay in or out."""

    amount_fen: PositiveFenField


class BidIn(Shape):
    """A bid on a listing; the amount is held until the listing is funded or ends. `allow_partial`: where less is left, take that."""

    listing_id: Annotated[str, id_field("lst")]
    amount_fen: PositiveFenField
    allow_partial: Annotated[bool, Field(strict=True)] = False


class LoanPaymentIn(Shape):
    """A payment on a loan. `settle` asks for early full payment, `prepay` for early payment of a part; `replaces` names a payment of the
    loan that was reversed, in whose place this one is entered. What the loan does not take comes back."""

    loan_id: Annotated[str, id_field("loan")]
    amount_fen: PositiveFenField
    settle: Annotated[bool, Field(strict=True)] = False
    prepay: Prepay | None = None
    replaces: (
        Annotated[str, Field(pattern=r"^[a-z]+_[A-Za-z0-9_-]{1,80}$", examples=["pay_6b40f1"])] | None
    ) = None


class ListingIn(Shape):
    """A loan request to be opened for bids: as `opens_on` begins, now if left out; for `newcomers_only`, who have never lent, or for
    everybody. `related_to_staff`: the borrower is staff, or related to somebody who is. `guarantor`: the external company that
    guarantees the loan."""

    borrower: Annotated[str, id_field("usr")]
    amount_fen: PositiveFenField
    annual_rate: RateField
    tenor_months: Annotated[int, Field(strict=True, ge=1, le=360)]
    grade: Annotated[str, Field(pattern="^[A-Z][A-Z0-9]{0,7}$", examples=["B"])]
    window_days: Annotated[int, Field(strict=True, ge=1, le=90)] = 10
    origination_fee_fen: CountField = 0
    interest_fee_permille: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0
    newcomers_only: Annotated[bool, Field(strict=True)] = False
    related_to_staff: Annotated[bool, Field(strict=True)] = False
    opens_on: DayField | None = None
    guarantor: Annotated[str, Field(pattern="^(gua_[A-Za-z0-9_-]{1,64})?$", examples=["gua_1"])] = ""


class ReviewIn(Shape):
    """The verdict of one of finance on a filled listing."""

    verdict: Literal["approve", "reject"]


class BankAnswerIn(Shape):
    """The bank's answer to a request, under its own reference: the same reference means the same booking. `code` says why not."""

    bank_reference: Annotated[str, Field(pattern=REFERENCE_PATTERN, examples=["B20240315-000017"])]
    amount_fen: PositiveFenField
    succeeded: Annotated[bool, Field(strict=True)]
    code: Annotated[str | None, Field(pattern="^[a-z][a-z0-9_]{0,39}$", examples=["not_own_name"])] = None

    def answer(self) -> BankAnswer:
        """What was said, whoever brought it."""
        return BankAnswer(self.bank_reference, self.amount_fen, self.succeeded, self.code)


class UnrequestedIn(Shape):
    """How much came in under the bank's reference, which the address names."""

    amount_fen: PositiveFenField


# --- answers to commands -------------------------------------------------------------------------------------------


class UnrequestedOut(Answer):
    """What came in is booked; it is nobody's yet."""

    amount_fen: int

    @staticmethod
    def of(event: events.UnrequestedMoneyReceived) -> "UnrequestedOut":
        """From the decision's event."""
        return UnrequestedOut(id=event.booking_id, amount_fen=event.amount_fen)


class AccountOpenedOut(Answer):
    """The account exists."""

    @staticmethod
    def of(event: events.AccountOpened) -> "AccountOpenedOut":
        """From the decision's event."""
        return AccountOpenedOut(id=event.account_id)


class TopUpOut(Answer):
    """A top-up and where it stands."""

    account_id: str
    status: Literal["requested", "deposited", "failed"]
    amount_fen: int | None = None

    @staticmethod
    def requested(event: events.TopUpRequested) -> "TopUpOut":
        """The bank will answer."""
        return TopUpOut(
            id=event.top_up_id, account_id=event.account_id, status="requested", amount_fen=event.amount_fen
        )

    @staticmethod
    def deposited(event: events.FundsDeposited) -> "TopUpOut":
        """The money has arrived."""
        return TopUpOut(
            id=event.top_up_id, account_id=event.account_id, status="deposited", amount_fen=event.amount_fen
        )

    @staticmethod
    def failed(event: events.TopUpFailed) -> "TopUpOut":
        """No money moved."""
        return TopUpOut(id=event.top_up_id, account_id=event.account_id, status="failed")


class WithdrawalOut(Answer):
    """A withdrawal and where it stands; while it is `requested` the amount is held."""

    account_id: str
    status: Literal["requested", "paid", "failed"]
    amount_fen: int

    @staticmethod
    def requested(event: events.WithdrawalRequested) -> "WithdrawalOut":
        """The bank will answer."""
        return _withdrawal(event, "requested")

    @staticmethod
    def paid(event: events.FundsWithdrawn) -> "WithdrawalOut":
        """The bank has paid."""
        return _withdrawal(event, "paid")

    @staticmethod
    def failed(event: events.WithdrawalFailed) -> "WithdrawalOut":
        """The amount is available again."""
        return _withdrawal(event, "failed")


def _withdrawal(
    event: events.WithdrawalRequested | events.FundsWithdrawn | events.WithdrawalFailed,
    status: Literal["requested", "paid", "failed"],
) -> WithdrawalOut:
    return WithdrawalOut(
        id=event.withdrawal_id, account_id=event.account_id, status=status, amount_fen=event.amount_fen
    )


class BidOut(Answer):
    """The bid's money is held. Whether the listing takes the bid is decided next: until then it is pending."""

    account_id: str
    listing_id: str
    hold_id: str
    amount_fen: int
    available_after_fen: int
    status: Literal["pending"] = "pending"

    @staticmethod
    def of(event: events.FundsHeld) -> "BidOut":
        """From the decision's event."""
        return BidOut(
            id=event.bid_id,
            account_id=event.account_id,
            listing_id=event.listing_id,
            hold_id=event.hold_id,
            amount_fen=event.amount_fen,
            available_after_fen=event.available_after_fen,
        )


class LoanPaymentOut(Answer):
    """The payment has left the account. How the loan takes it is decided next, so this answer says `pending`, also when it is read again:
    an answer is its first decision's. What the loan took stands among its payments; what came back, all of it where the loan is unknown,
    repaid or another's, is a movement of the account with the payment's id and the reason (`/reporting/statement?payment=`)."""

    account_id: str
    loan_id: str
    amount_fen: int
    value_date: date
    available_after_fen: int
    status: Literal["pending"] = "pending"

    @staticmethod
    def of(event: events.LoanPaymentDebited) -> "LoanPaymentOut":
        """From the decision's event."""
        return LoanPaymentOut(
            id=event.payment_id,
            account_id=event.account_id,
            loan_id=event.loan_id,
            amount_fen=event.amount_fen,
            value_date=event.value_date,
            available_after_fen=event.available_after_fen,
        )


class ListingOpenedOut(Answer):
    """The listing is open until the end of `closes_on`, now or from the day `opens_on`; the loan it will become has its id already."""

    loan_id: str
    amount_fen: int
    bid_min_fen: int
    closes_on: date
    opens_on: date | None = None

    @staticmethod
    def scheduled(event: ListingScheduled) -> "ListingOpenedOut":
        """It is not open yet."""
        return ListingOpenedOut.of(event.opening).model_copy(update={"opens_on": event.opens_on})

    @staticmethod
    def of(event: events.ListingOpened) -> "ListingOpenedOut":
        """It is open."""
        return ListingOpenedOut(
            id=event.listing_id,
            loan_id=event.loan_id,
            amount_fen=event.amount_fen,
            bid_min_fen=event.bid_min_fen,
            closes_on=event.closes_on,
        )


class ReviewOut(Answer):
    """The review is in the log. `reviews` of `reviews_needed` have approved; one rejection cancels the listing."""

    loan_id: str
    verdict: Literal["approve", "reject"]
    reviews: int
    reviews_needed: int

    @staticmethod
    def of(event: events.ListingReviewed) -> "ReviewOut":
        """From the decision's event."""
        return ReviewOut(
            id=event.listing_id,
            loan_id=event.loan_id,
            verdict=event.verdict,
            reviews=event.order,
            reviews_needed=event.reviews_needed,
        )


# --- answers from views --------------------------------------------------------------------------------------------


class AccountOut(BaseModel):
    """One's own account. At rest available + held = deposited - withdrawn - invested + principal_back + interest + penalty
    - fees + borrowed - repaid + vouchers - bought + sold + adjusted (by corrections of wrong bookings, which still want owed); all in fen."""

    id: str
    available_fen: int
    held_fen: int
    deposited_fen: int
    withdrawn_fen: int
    invested_fen: int
    principal_back_fen: int
    interest_fen: int
    penalty_fen: int
    fees_fen: int
    borrowed_fen: int
    repaid_fen: int
    vouchers_fen: int
    bought_fen: int
    sold_fen: int
    adjusted_fen: int
    assets_fen: int
    owed_fen: int

    @staticmethod
    def of(document: Mapping[str, Any]) -> "AccountOut":
        """From a document of bidding.balances."""
        amounts = {name: document.get(name, 0) for name in AccountOut.model_fields if name != "id"}
        return AccountOut(id=document["account_id"], **amounts)


class HeldAccountOut(AccountOut):
    """An account among others: with whose it is, `platform` for the fee and the marketing account, and the fees that one received."""

    owner: str
    fees_received_fen: int

    @staticmethod
    def of(document: Mapping[str, Any]) -> "HeldAccountOut":
        """From a document of bidding.balances."""
        named = ("id", "owner")
        amounts = {name: document.get(name, 0) for name in HeldAccountOut.model_fields if name not in named}
        return HeldAccountOut(id=document["account_id"], owner=document["owner"], **amounts)


class AccountsOut(BaseModel):
    """A page of accounts; `next` is the cursor of the next page, null after the last."""

    items: list[HeldAccountOut]
    next: str | None


def is_published(listing: Mapping[str, Any]) -> bool:
    """Whether a listing's document may be shown to whoever may bid: it is open, or was."""
    return "closes_on" in listing


class ListingOut(BaseModel):
    """A listing as everybody who may bid sees it; who the borrower is, is not among it."""

    id: str
    loan_id: str
    state: Literal[
        "open", "filled", "in_review", "passed", "payable", "funding", "funded", "expired", "cancelled"
    ]
    amount_fen: int
    raised_fen: int
    remaining_fen: int
    bids: int
    bid_min_fen: int
    annual_rate: str
    tenor_months: int
    grade: str
    closes_on: date
    interest_fee_permille: int
    product: str
    region: str
    newcomers_only: bool = False  # not in documents of the version before
    related_to_staff: bool = False

    @staticmethod
    def of(document: Mapping[str, Any]) -> "ListingOut":
        """From a document of bidding.open-listings."""
        fields = ListingOut.model_fields.keys() & document.keys()
        shown = {name: document[name] for name in fields if name != "id"}
        return ListingOut(id=document["listing_id"], **shown)


class ListingsOut(BaseModel):
    """A page of open listings; `next` is the cursor of the next page, null after the last."""

    items: list[ListingOut]
    next: str | None


class ReviewableOut(ListingOut):
    """A full listing as finance reviews it: with its borrower, who owns him, who has approved it already, who may sign next
    (`may_sign`), and since when it waits for that."""

    borrower: str
    owner: str | None
    application_id: str
    reviews: int
    reviews_needed: int
    reviewers: list[str]
    may_sign: list[str]
    since: datetime
    since_on: date

    @staticmethod
    def waiting(document: Mapping[str, Any], may_sign: list[str]) -> "ReviewableOut":
        """From a document of bidding.open-listings."""
        made = ("id", "reviewers", "may_sign", "since", "since_on")
        fields = ReviewableOut.model_fields.keys() & document.keys()
        shown = {name: document[name] for name in fields if name not in made}
        reviewers = [name for _, name in sorted(document.get("reviewers", {}).items())]
        return ReviewableOut(
            id=document["listing_id"],
            reviewers=reviewers,
            may_sign=may_sign,
            since=document["waits_since"],
            since_on=document["waits_on"],
            **shown,
        )


class ReviewablesOut(BaseModel):
    """A page of listings that wait for their review."""

    items: list[ReviewableOut]
    next: str | None
