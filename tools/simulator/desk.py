"""Who deals with listings beside their bids: those who want one back, or a bid, whether it may be or not."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from libs.events.bidding import CancelCode
from services.bidding.commands import CancelBid, CancelListing
from tools.simulator.people import Api

_REASONS: tuple[CancelCode, ...] = ("terms_wrong", "duplicate", "suspected_fraud", "unlawful")


@dataclass(slots=True)
class DeskSight:
    """What they know: every listing's borrower, and who bid on what."""

    borrowers: dict[str, str] = field(default_factory=dict)
    bids: list[tuple[str, str, str]] = field(default_factory=list)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name == "ListingOpened":
            self.borrowers[data["listing_id"]] = data["borrower"]
        elif name == "FundsHeld":
            self.bids.append((data["listing_id"], data["bid_id"], data["owner"]))


class Desk:
    """Borrowers, operators and investors of one run who change their minds."""

    def __init__(self, rng: Random, api: Api) -> None:
        self.sight = DeskSight()
        self._rng = rng
        self._api = api

    def act(self) -> None:
        """Somebody wants something back."""
        if self._rng.random() < 0.5:
            self._take_listing_back()
        else:
            self._take_bid_back()

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
