"""What people know of the platform: only what its events told them, as late as the log tells it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(slots=True)
class ListingSight:
    """A listing as people see it."""

    listing_id: str
    borrower: str
    remaining_fen: int
    bid_min_fen: int
    open: bool = True


@dataclass(slots=True)
class LoanSight:
    """A loan as its borrower sees it."""

    loan_id: str
    borrower: str
    account: str
    outstanding_fen: int
    installment_fen: int
    bucket: str = "current"


@dataclass(slots=True)
class BankRequest:
    """A request that the bank has to answer."""

    kind: str
    account: str
    request_id: str
    amount_fen: int


@dataclass(slots=True)
class Sight:
    """Folds what the API's tails bring."""

    business_date: date | None = None
    closing: bool = False
    accounts: dict[str, str] = field(default_factory=dict)
    available_fen: dict[str, int] = field(default_factory=dict)
    listings: dict[str, ListingSight] = field(default_factory=dict)
    loans: dict[str, LoanSight] = field(default_factory=dict)
    bank: list[BankRequest] = field(default_factory=list)

    def fold(self, seen: Sequence[tuple[str, Any]]) -> None:
        """Take in what was seen, in the order of seeing."""
        for kind, data in seen:
            if "available_after_fen" in data:
                self.available_fen[data["account_id"]] = data["available_after_fen"]
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, data)

    def open_listings(self) -> list[ListingSight]:
        """Listings that may still be bid on."""
        return [listing for listing in self.listings.values() if listing.open]

    def _account_opened(self, data: Any) -> None:
        self.accounts[data["account_id"]] = data["owner"]
        self.available_fen.setdefault(data["account_id"], 0)

    def _top_up(self, data: Any) -> None:
        self.bank.append(BankRequest("top_up", data["account_id"], data["top_up_id"], data["amount_fen"]))

    def _withdrawal(self, data: Any) -> None:
        self.bank.append(
            BankRequest("withdrawal", data["account_id"], data["withdrawal_id"], data["amount_fen"])
        )

    def _listing_opened(self, data: Any) -> None:
        self.listings[data["listing_id"]] = ListingSight(
            data["listing_id"], data["borrower"], data["amount_fen"], data["bid_min_fen"]
        )

    def _bid_placed(self, data: Any) -> None:
        self.listings[data["listing_id"]].remaining_fen = data["remaining_after_fen"]

    def _listing_ended(self, data: Any) -> None:
        if data["listing_id"] in self.listings:  # one that was taken back before it was open was never here
            self.listings[data["listing_id"]].open = False

    def _loan_opened(self, data: Any) -> None:
        self.loans[data["loan_id"]] = LoanSight(
            data["loan_id"],
            data["borrower"],
            data["borrower_account"],
            data["principal_fen"],
            data["installment_fen"],
        )

    def _payment(self, data: Any) -> None:
        self.loans[data["loan_id"]].outstanding_fen = data["principal_after_fen"]

    def _bucket(self, data: Any) -> None:
        self.loans[data["loan_id"]].bucket = data["to_bucket"]

    def _calendar_opened(self, data: Any) -> None:
        self.business_date = date.fromisoformat(data["business_date"])

    def _close_started(self, _data: Any) -> None:
        self.closing = True

    def _day_closed(self, data: Any) -> None:
        self.closing = False
        self.business_date = date.fromisoformat(data["next_date"])


_HANDLERS = {
    "bidding.AccountOpened.v1": Sight._account_opened,
    "bidding.TopUpRequested.v1": Sight._top_up,
    "bidding.WithdrawalRequested.v1": Sight._withdrawal,
    "bidding.ListingOpened.v1": Sight._listing_opened,
    "bidding.BidPlaced.v1": Sight._bid_placed,
    "bidding.ListingFilled.v1": Sight._listing_ended,
    "bidding.ListingExpired.v1": Sight._listing_ended,
    "bidding.ListingCancelled.v1": Sight._listing_ended,
    "repayment.LoanOpened.v1": Sight._loan_opened,
    "repayment.PaymentReceived.v1": Sight._payment,
    "repayment.OverdueBucketChanged.v1": Sight._bucket,
    "repayment.CalendarOpened.v1": Sight._calendar_opened,
    "repayment.BusinessDayCloseStarted.v1": Sight._close_started,
    "repayment.BusinessDayClosed.v1": Sight._day_closed,
}
