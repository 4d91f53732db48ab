"""Listings as they are offered, kept once more from the log: each opens as its day begins, and takes bids of those it suits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from tools.simulator.loan_books import require
from tools.simulator.waiting_books import WaitingBooks

#: The least risk level for each grade; any other grade needs the highest.
NEEDS: Final = {"AA": "C1", "A": "C1", "B": "C2", "C": "C3", "D": "C4", "E": "C5"}


@dataclass(slots=True)
class ListingBooks:
    """What is scheduled, each listing's grade and whether it was read before it opened, and the bidder's level of each hold."""

    scheduled: dict[str, date] = field(default_factory=dict)
    grades: dict[str, tuple[str, bool]] = field(default_factory=dict)
    levels: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    windows: dict[str, date] = field(default_factory=dict)
    waiting: WaitingBooks = field(default_factory=WaitingBooks)

    def record(self, where: str, event: Any, today: date | None) -> None:
        """Fold one event, decided on a business date. Raises WrongBooks."""
        self.waiting.record(where, event, today)
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"], today)

    def at_rest(self, last_closed: date | None) -> None:
        """What was to open on a day that is closed has opened, or was taken back or refused."""
        for listing, opens_on in self.scheduled.items():
            late = last_closed is not None and opens_on <= last_closed
            require(not late, f"{listing} was to open on {opens_on}")
        self.waiting.at_rest(last_closed)

    def _checked(self, _where: str, data: Any, _today: date | None) -> None:
        if data["verdict"] == "approve" and data["opens_on"]:
            self.scheduled[data["listing_id"]] = date.fromisoformat(data["opens_on"])

    def _opened(self, where: str, data: Any, today: date | None) -> None:
        listing = data["listing_id"]
        opens_on = self.scheduled.pop(listing, today)
        require(opens_on == today, f"{where}: {listing} opens on {today} and not on {opens_on}")
        self.windows[listing] = date.fromisoformat(data["closes_on"])
        self.grades[listing] = data["grade"], bool(data["content_hash"])

    def _ended(self, _where: str, data: Any, _today: date | None) -> None:
        self.scheduled.pop(data["loan_id"].replace("loan_", "lst_", 1), None)

    def _held(self, _where: str, data: Any, _today: date | None) -> None:
        self.levels[data["hold_id"]] = data["suitability_level"], data["suitability_valid_to"]

    def _bid(self, where: str, data: Any, today: date | None) -> None:
        in_time = today is not None and today <= self.windows[data["listing_id"]]
        require(in_time, f"{where}: {data['listing_id']} takes a bid on {today}, after its window")
        investor, (grade, was_read) = data["bid"]["investor"], self.grades[data["listing_id"]]
        level, valid_to = self.levels[data["bid"]["hold_id"]]
        if level is None or valid_to is None:
            require(not was_read, f"{where}: nobody has assessed {investor}, and he bids")
            return
        require(str(today) <= valid_to, f"{where}: {investor} bids on an assessment of {valid_to}")
        needed = NEEDS.get(grade, "C5")
        require(level >= needed, f"{where}: {investor} is {level} and bids on {grade}, which is for {needed}")


_HANDLERS: dict[str, Callable[[ListingBooks, str, Any, date | None], None]] = {
    "bidding.ListingChecked.v1": ListingBooks._checked,
    "bidding.ListingOpened.v1": ListingBooks._opened,
    "bidding.ListingRefused.v1": ListingBooks._ended,
    "bidding.ListingCancelled.v1": ListingBooks._ended,
    "bidding.FundsHeld.v1": ListingBooks._held,
    "bidding.BidPlaced.v1": ListingBooks._bid,
}
