"""Who deals with listings beside their bids: legal, which reads what is published, the cashiers, and those who want a listing or
a bid back, whether they may have it or not.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from zlib import crc32

from libs.events.bidding import CancelCode
from services.bidding.commands import CancelBid, CancelListing, CheckListing, ExecutePayout
from tools.simulator.himself import customer_behind
from tools.simulator.people import Api

_REASONS: tuple[CancelCode, ...] = ("terms_wrong", "duplicate", "suspected_fraud", "unlawful")


@dataclass(slots=True)
class DeskSight:
    """What they know: what waits to be read or paid out, every listing's borrower, and who bid on what."""

    to_check: dict[str, str] = field(default_factory=dict)
    to_pay: dict[str, None] = field(default_factory=dict)
    forgotten: dict[str, None] = field(default_factory=dict)
    """A third of those that may be paid out, by their names: nobody thinks of them before everybody goes home."""
    borrowers: dict[str, str] = field(default_factory=dict)
    bids: list[tuple[str, str, str]] = field(default_factory=list)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name == "ListingPrepared":
            self.to_check[data["listing_id"]] = data["content_hash"]
            self.borrowers[data["listing_id"]] = data["borrower"]
        elif name == "PayoutApproved":
            is_forgotten = crc32(data["listing_id"].encode()) % 3 == 0
            (self.forgotten if is_forgotten else self.to_pay)[data["listing_id"]] = None
        elif name == "ListingOpened":
            self.borrowers[data["listing_id"]] = data["borrower"]
        elif name == "FundsHeld":
            self.bids.append((data["listing_id"], data["bid_id"], data["owner"]))
        if name in ("ListingChecked", "ListingCancelled"):
            self.to_check.pop(data["listing_id"], None)
        if name in ("LoanFunded", "ListingCancelled"):
            self.to_pay.pop(data["listing_id"], None)
            self.forgotten.pop(data["listing_id"], None)
        if name == "ListingRefused":
            self.to_check.pop(data["loan_id"].replace("loan_", "lst_"), None)

    @property
    def waits(self) -> bool:
        """Whether a reviewed listing waits for a cashier, or for somebody to think of it."""
        return bool(self.to_pay or self.forgotten)


class Desk:
    """Legal, cashiers, and borrowers, operators and investors of one run who change their minds."""

    def __init__(self, rng: Random, api: Api) -> None:
        self.sight = DeskSight()
        self._rng = rng
        self._api = api
        self._vouchers = 0

    @property
    def has_work(self) -> bool:
        """Whether a listing waits for somebody's look or a cashier."""
        return bool(self.sight.to_check or self.sight.to_pay)

    def work(self, today: date) -> None:
        """What waits is looked at or paid out."""
        if self.sight.to_pay and (not self.sight.to_check or self._rng.random() < 0.5):
            self._pay_out()
        elif self.sight.to_check:
            self._check(today)

    def finish(self) -> bool:
        """No reviewed listing is left unpaid when everybody goes home."""
        if not self.sight.waits or not self._api.is_quiet:
            return False
        self.sight.to_pay |= self.sight.forgotten
        self._pay_out()
        return True

    def change_minds(self) -> None:
        """Somebody wants something back."""
        if self._rng.random() < 0.5:
            self._take_listing_back()
        else:
            self._take_bid_back()

    def _check(self, today: date) -> None:
        """By the right person mostly, of the right text mostly; now, or in a day or two, or some day that will not do."""
        listing = self._rng.choice(list(self.sight.to_check))
        text = self.sight.to_check[listing] if self._rng.random() < 0.9 else "0" * 64
        days = self._rng.choice((None, None, None, 1, 2, 40))
        reader = self._rng.choice(("stf_legal", "stf_legal", "stf_pay", "stf_sales", "usr_0"))
        verdict = CheckListing(
            himself=customer_behind(reader),
            verdict="approve" if self._rng.random() < 0.93 else "reject",
            content_hash=text,
            opens_on=today + timedelta(days=days) if days else None,
            newcomers_only=self._rng.random() < 0.15,
        )
        self._api.ask("bidding", listing, verdict, principal=reader)

    def _pay_out(self) -> None:
        listing = self._rng.choice(list(self.sight.to_pay))
        self._vouchers += 1
        voucher = f"F8-{self._vouchers}" if self._rng.random() < 0.95 else "by hand"
        cashier = self._rng.choice(("stf_fin1", "stf_fin2", "stf_fin3", "stf_fin4", "stf_sales"))
        if self._vouchers == 1:
            cashier = "stf_legal"  # who is at the cashiers' now, and may have let it be published
        pay = ExecutePayout(voucher=voucher, himself=customer_behind(cashier))
        self._api.ask("bidding", listing, pay, principal=cashier)

    def _take_listing_back(self) -> None:
        """One of the last that were opened; half of the time by who may not, or for a reason that is not his."""
        recent = list(self.sight.borrowers.items())[-4:] or [("lst_none", "usr_0")]
        listing, borrower = self._rng.choice(recent)
        code = self._rng.choice((*_REASONS, "borrower_withdrew", "borrower_withdrew"))
        by_borrower = code == "borrower_withdrew"
        chance = self._rng.random()
        wish = CancelListing(code=code, by="borrower" if by_borrower and chance < 0.9 else "operator")
        asks = borrower if chance < 0.7 else "usr_stranger"
        self._api.ask("bidding", listing, wish, principal=asks if by_borrower else "stf_operator")

    def _take_bid_back(self) -> None:
        listing, bid, investor = self._rng.choice(self.sight.bids[-5:] or [("lst_none", "bid_none", "usr_0")])
        chance = self._rng.random()
        wish = CancelBid(bid_id=bid if chance < 0.9 else "bid_none")
        self._api.ask("bidding", listing, wish, principal=investor if chance < 0.8 else "usr_stranger")
