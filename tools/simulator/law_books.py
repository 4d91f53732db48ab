"""What the law asks of every loan and sale, kept by the name of the profile that the services obey: an event that says no cap, no
reviewers or no assessment is itself what must be found, so none is asked what it should have said.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.listing_books import NEEDS
from tools.simulator.loan_books import require

#: The profile with caps, a ceiling, suitability and reviews by two.
LAW: Final = "cn-p2p-2016"
#: The most that one borrower may owe on the platform (rules.md 1.8), in fen, and since when.
_CAPS: Final = {"person": 200_000_00, "organisation": 1_000_000_00}
_CAPS_SINCE: Final = date(2016, 8, 24)
#: The largest listing that passes without two people's review, and the most that one investor may have in one loan (chosen), in fen.
_AUTOMATIC_FEN: Final = 100_000_00
_INVESTOR_CAP_FEN: Final = 120_000_00


@dataclass(slots=True)
class LawBooks:
    """Who users are, which texts were read, and what a buyer's account knew of him."""

    books: Books
    profile: str
    kinds: dict[str, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    """Listings that were prepared, and approved by who looked at them."""
    prepared: set[str] = field(default_factory=set)
    grades: dict[str, str] = field(default_factory=dict)
    buyers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Level and last day of the assessment that came with a purchase's money, by hold."""

    def record(self, where: str, event: Any, decided_on: str | None) -> None:
        """Fold one event, decided on a business date. Raises WrongBooks."""
        if event["type"] in ("onboarding.ExposureReserved.v1", "onboarding.ExposureConfirmed.v1"):
            self._capped(where, event["data"], decided_on)
        elif event["type"] in _HANDLERS:
            _HANDLERS[event["type"]](self, where, event["data"])

    @property
    def _is_law(self) -> bool:
        return self.profile == LAW

    # --- borrowers and listings ---------------------------------------------------------------------------------

    def _registered(self, _where: str, data: Any) -> None:
        self.kinds[data["user_id"]] = data["kind"]

    def _capped(self, where: str, data: Any, decided_on: str | None) -> None:
        assert decided_on is not None, "a cap is that of a day"
        is_capped = self._is_law and date.fromisoformat(decided_on) >= _CAPS_SINCE
        cap = _CAPS[self.kinds[data["user_id"]]] if is_capped else None
        said = data["cap_fen"]
        require(said == cap, f"{where}: the cap of {data['user_id']} is not the law's, {cap}, but {said}")

    def _prepared(self, _where: str, data: Any) -> None:
        self.prepared.add(data["listing_id"])

    def _checked(self, _where: str, data: Any) -> None:
        if data["listing_id"] in self.prepared and data["verdict"] == "approve":
            self.read.add(data["listing_id"])

    def _opened(self, where: str, data: Any) -> None:
        name = data["listing_id"]
        self.grades[data["loan_id"]] = data["grade"]
        if self._is_law:
            require(bool(data["application_id"]), f"{where}: {name} is listed, nobody has applied for it")
            require(name in self.read, f"{where}: {name} is published unread")

    def _filled(self, where: str, data: Any) -> None:
        needed = 2 if self._is_law and data["amount_fen"] > _AUTOMATIC_FEN else 0
        said = data["reviews_needed"]
        require(said == needed, f"{where}: {data['listing_id']} needs {needed} reviews, told is {said}")

    # --- buyers -------------------------------------------------------------------------------------------------

    def _held(self, _where: str, data: Any) -> None:
        self.buyers[data["hold_id"]] = data["suitability_level"], data["suitability_valid_to"]

    def _taken(self, where: str, data: Any) -> None:
        buyer, (level, valid_to) = data["buyer"], self.buyers[data["hold_id"]]
        if level is None or valid_to is None:
            require(not self._is_law, f"{where}: nobody has assessed {buyer}, and he buys")
            return
        in_time = data["taken_on"] <= valid_to
        require(in_time, f"{where}: {buyer} buys on an assessment of {valid_to}")
        grade = self.grades[data["loan_id"]]
        needed = NEEDS.get(grade, "C5")
        require(level >= needed, f"{where}: {buyer} is {level} and buys of {grade}, which is for {needed}")

    def _transferred(self, where: str, data: Any) -> None:
        """What he holds in it now, the market's books have carried over before."""
        loan, account = self.books.loans[data["loan_id"]], data["claim"]["account_id"]
        has = sum(loan.claims[claim] for claim, holder in loan.holders.items() if holder == account)
        within = not self._is_law or has <= _INVESTOR_CAP_FEN
        require(within, f"{where}: {account} buys up to {has} of {data['loan_id']}, above what one may")


_HANDLERS: Final[dict[str, Callable[[LawBooks, str, Any], None]]] = {
    "onboarding.UserRegistered.v1": LawBooks._registered,
    "bidding.ListingPrepared.v1": LawBooks._prepared,
    "bidding.ListingChecked.v1": LawBooks._checked,
    "bidding.ListingOpened.v1": LawBooks._opened,
    "bidding.ListingFilled.v1": LawBooks._filled,
    "bidding.PurchaseHeld.v1": LawBooks._held,
    "bidding.OfferTaken.v1": LawBooks._taken,
    "repayment.ClaimTransferred.v1": LawBooks._transferred,
}
