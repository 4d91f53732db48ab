"""Openings, kept once more from the log: newcomers' listings, days to come, and who is staff or related to staff when he borrows."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.loan_books import require

#: The most that one newcomer may have in one listing for newcomers under the law (chosen), in fen.
_NEWCOMER_CAP_FEN: Final = 10_000_00
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class OpeningBooks:
    """Who has lent, which listings are for those who have not, what waits for its day, and the register of staff's kin."""

    lent: set[str] = field(default_factory=set)
    had_lent: dict[str, bool] = field(default_factory=dict)
    """Whether the investor of a hold had lent when it was made."""
    chosen: dict[str, bool] = field(default_factory=dict)
    """What whoever looked at a listing said of newcomers."""
    for_newcomers: set[str] = field(default_factory=set)
    in_it: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    waiting: dict[str, Any] = field(default_factory=dict)
    """What was put there by hand and waits for its day."""
    ties: defaultdict[str, set[tuple[str, bool]]] = field(default_factory=lambda: defaultdict(set))
    is_staff: set[tuple[str, str]] = field(default_factory=set)
    related: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    forgotten: set[str] = field(default_factory=set)
    marks: dict[str, bool] = field(default_factory=dict)
    """What a borrower's own stream said last of his loan."""

    def record(self, where: str, event: Any, business_date: str | None) -> None:
        """Fold one event. Raises WrongBooks."""
        if event["type"] == "bidding.ListingOpened.v1":
            self._opened(where, event["data"], business_date)
        elif event["type"] in _HANDLERS:
            _HANDLERS[event["type"]](self, where, event["data"])

    def at_rest(self, last_closed: date | None) -> None:
        """Nothing waits longer than for its day; whoever is near to the staff knows it."""
        for name, scheduled in self.waiting.items():
            is_due = last_closed is not None and date.fromisoformat(scheduled["opens_on"]) <= last_closed
            require(not is_due, f"{name} was to open on {scheduled['opens_on']} and has not")
        for user, staff in self.is_staff:
            knows = (staff, True) in self.ties[user] or user in self.forgotten
            require(knows, f"{user} does not know that he is {staff}")
        for user, ties in list(self.ties.items()):
            for staff in (staff for staff, himself in ties if himself):
                for other in self.related[user] - self.forgotten:
                    told = (staff, False) in self.ties[other]
                    require(told, f"{other} does not know that he is related to {staff}")

    # --- newcomers and days -------------------------------------------------------------------------------------

    def _opened(self, where: str, data: Any, business_date: str | None) -> None:
        name = data["listing_id"]
        scheduled = self.waiting.pop(name, None)
        if scheduled is not None:
            require(data == scheduled["opening"], f"{where}: {name} opens otherwise than it was scheduled")
            day_before = date.fromisoformat(scheduled["opens_on"]) - _DAY
            require(business_date == str(day_before), f"{where}: {name} opens on another day than its own")
        meant = self.chosen.get(name, data["newcomers_only"])
        require(data["newcomers_only"] == meant, f"{where}: {name} opens to others than who were meant")
        if data["newcomers_only"]:
            self.for_newcomers.add(name)
        if data["application_id"]:
            self._marked(where, data["loan_id"], data["related_to_staff"])

    def _scheduled(self, _where: str, data: Any) -> None:
        self.waiting[data["listing_id"]] = data

    def _ended(self, _where: str, data: Any) -> None:
        self.waiting.pop(data["loan_id"].replace("loan_", "lst_"), None)

    def _checked(self, _where: str, data: Any) -> None:
        self.chosen[data["listing_id"]] = data["newcomers_only"]

    def _held(self, where: str, data: Any) -> None:
        has_lent = data["account_id"] in self.lent
        require(data["has_lent"] == has_lent, f"{where}: {data['account_id']} has lent: {has_lent}")
        self.had_lent[data["hold_id"]] = has_lent

    def _bid(self, where: str, data: Any) -> None:
        name, bid = data["listing_id"], data["bid"]
        if name not in self.for_newcomers:
            return
        require(not self.had_lent[bid["hold_id"]], f"{where}: {bid['investor']} is no newcomer to {name}")
        self.in_it[name, bid["investor"]] += bid["amount_fen"]
        above = name in self.chosen and self.in_it[name, bid["investor"]] > _NEWCOMER_CAP_FEN
        require(not above, f"{where}: {bid['investor']} has more in {name} than a newcomer may")

    def _captured(self, _where: str, data: Any) -> None:
        self.lent.add(data["account_id"])

    # --- staff and their kin ------------------------------------------------------------------------------------

    def _appointed(self, _where: str, data: Any) -> None:
        if data["user_id"] is not None:
            self.is_staff.add((data["user_id"], data["staff_id"]))

    def _tied(self, where: str, data: Any) -> None:
        user, tie = data["user_id"], (data["staff_id"], data["himself"])
        require(tie not in self.ties[user], f"{where}: {user} is tied to {tie} again")
        true = not data["himself"] or (user, data["staff_id"]) in self.is_staff
        require(true, f"{where}: nobody said that {user} is {data['staff_id']}")
        self.ties[user].add(tie)

    def _related(self, _where: str, data: Any) -> None:
        self.related[data["user_id"]].add(data["related"])

    def _forgotten(self, _where: str, data: Any) -> None:
        self.forgotten.add(data["user_id"])

    def _confirmed(self, where: str, data: Any) -> None:
        is_near = bool(self.ties[data["user_id"]])
        require(
            data["related_to_staff"] == is_near, f"{where}: {data['user_id']} is near to staff: {is_near}"
        )
        self.marks[data["loan_id"]] = is_near

    def _goes_on(self, where: str, data: Any) -> None:
        """As its borrower's stream said when his caps were looked at for it: who came near to the staff while it was listed is, too."""
        if data["application_id"]:
            self._marked(where, data["loan_id"], data["related_to_staff"])

    def _prepared(self, where: str, data: Any) -> None:
        self._marked(where, data["loan_id"], data["disclosure"]["related_to_staff"])

    def _marked(self, where: str, loan: str, said: bool) -> None:
        require(said == self.marks[loan], f"{where}: the mark of {loan} is {said}, not {self.marks[loan]}")


_HANDLERS: Final[dict[str, Callable[[OpeningBooks, str, Any], None]]] = {
    "bidding.ListingScheduled.v1": OpeningBooks._scheduled,
    "bidding.ListingRefused.v1": OpeningBooks._ended,
    "bidding.ListingCancelled.v1": OpeningBooks._ended,
    "bidding.ListingChecked.v1": OpeningBooks._checked,
    "bidding.ListingPrepared.v1": OpeningBooks._prepared,
    "bidding.PayoutApproved.v1": OpeningBooks._goes_on,
    "bidding.LoanFunded.v1": OpeningBooks._goes_on,
    "bidding.FundsHeld.v1": OpeningBooks._held,
    "bidding.BidPlaced.v1": OpeningBooks._bid,
    "bidding.HoldCaptured.v1": OpeningBooks._captured,
    "onboarding.StaffAppointed.v1": OpeningBooks._appointed,
    "onboarding.StaffTieRecorded.v1": OpeningBooks._tied,
    "onboarding.RelationDeclared.v1": OpeningBooks._related,
    "onboarding.UserErased.v1": OpeningBooks._forgotten,
    "onboarding.ExposureConfirmed.v1": OpeningBooks._confirmed,
}
