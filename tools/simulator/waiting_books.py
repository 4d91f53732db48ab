"""Full listings, kept once more from the log: none waits for people beyond the last day that was said, none ends before it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tools.simulator.loan_books import require


@dataclass(slots=True)
class WaitingBooks:
    """Which listings wait for a review or a pay-out, each with its last day."""

    waiting: dict[str, tuple[str, date]] = field(default_factory=dict)

    def record(self, where: str, event: Any, today: date | None) -> None:
        """Fold one event, decided on a business date. Raises WrongBooks."""
        if event["type"] == "bidding.FundingRequested.v1":
            self._asked(where, event["data"], today)
        elif event["type"] in _HANDLERS:
            _HANDLERS[event["type"]](self, where, event["data"])

    def at_rest(self, last_closed: date | None) -> None:
        """No day on which people could act for the last time is closed while a listing still waits for them."""
        for listing, (act, until) in self.waiting.items():
            over = last_closed is not None and until <= last_closed
            require(not over, f"{listing} waits for its {act} beyond {until}")

    def _filled(self, where: str, data: Any) -> None:
        if data["reviews_needed"]:
            self._waits(where, data, "review", data["review_by"])

    def _approved(self, where: str, data: Any) -> None:
        self._waits(where, data, "payout", data["pay_by"])

    def _waits(self, where: str, data: Any, act: str, until: str | None) -> None:
        require(until is not None, f"{where}: {data['listing_id']} waits for its {act} for ever")
        self.waiting[data["listing_id"]] = act, date.fromisoformat(until or "")

    def _asked(self, where: str, data: Any, today: date | None) -> None:
        """Reviewed or paid out: it waits for nobody while the caps are looked at."""
        if data["executor"]:
            assert today is not None, "who pays out has a date"
            self._paid_out(where, data, today)
        else:
            self.waiting.pop(data["listing_id"], None)

    def _funded(self, where: str, data: Any) -> None:
        self._paid_out(where, data, date.fromisoformat(data["funded_on"]))

    def _paid_out(self, where: str, data: Any, on: date) -> None:
        _, until = self.waiting.pop(data["listing_id"], (None, date.max))
        require(on <= until, f"{where}: {data['listing_id']} is paid out on {on}, after {until}")

    def _cancelled(self, where: str, data: Any) -> None:
        act, until = self.waiting.pop(data["listing_id"], (None, date.max))
        if data["code"].endswith("_lapsed"):
            late = data["code"] == f"{act}_lapsed" and date.fromisoformat(data["cancelled_on"]) >= until
            require(late, f"{where}: {data['listing_id']} has not waited until {until} for its {act}")


_HANDLERS: dict[str, Callable[[WaitingBooks, str, Any], None]] = {
    "bidding.ListingFilled.v1": WaitingBooks._filled,
    "bidding.PayoutApproved.v1": WaitingBooks._approved,
    "bidding.LoanFunded.v1": WaitingBooks._funded,
    "bidding.ListingCancelled.v1": WaitingBooks._cancelled,
}
