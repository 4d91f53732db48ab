"""Emergency redemptions, kept once more from the log: the evidence, five people in order, the clock, and whose money it was.

It ends as a sale to a customer or not at all: never by money of the platform (red lines 1 and 2).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.loan_books import require
from tools.simulator.red_lines import FEES, is_a_customer

_STEPS: Final = (
    "market_specialist",
    "department_head",
    "branch_general_manager",
    "market_director",
    "release",
)
_UNSOLD_DAYS: Final = 3
_FRESH_DAYS: Final = 10
_DAYS: Final = 15
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_CUSTOMERS: Final = ("available:", "held:")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days on which offices work: Monday to Friday, but for these."""

    free: tuple[str, ...] = ()
    worked: tuple[str, ...] = ()

    def is_worked(self, day: date) -> bool:
        """Whether they do on this one."""
        return str(day) in self.worked or (day.weekday() < _SATURDAY and str(day) not in self.free)


#: The demo has weekends only. The law's is that of the State Council's notices for the months in which the simulation plays.
_DEMO: Final = Calendar()
_LAW: Final = Calendar(
    free=(
        *("2016-09-15", "2016-09-16", *(f"2016-10-0{day}" for day in range(3, 8))),
        *(f"2024-02-{day}" for day in range(12, 17)),
        *("2024-04-04", "2024-04-05", "2024-05-01", "2024-05-02", "2024-05-03", "2024-06-10"),
    ),
    worked=(
        *("2016-09-18", "2016-10-08", "2016-10-09", "2024-02-04", "2024-02-18"),
        *("2024-04-07", "2024-04-28", "2024-05-11"),
    ),
)


@dataclass(slots=True)
class RedemptionBook:
    """One redemption: its form, by which calendar its clock runs, who has signed, what it is sold by, and its end."""

    investor: str
    offer: str
    price_permille: int
    wanted: int | None
    calendars: tuple[Calendar, ...] = ()
    completed_on: date = date.min
    deadline: date = date.max
    left: list[str] = field(default_factory=lambda: list(_STEPS))
    signers: list[str] = field(default_factory=list)
    sale: str | None = None
    ended: bool = False

    def counts(self, day: date, until: date, said: int) -> bool:
        """Whether so many working days are between two days; a clock that fits two calendars is told by what it says."""
        self.calendars = tuple(each for each in self.calendars if _count(each, day, until) == said)
        return bool(self.calendars)


@dataclass(slots=True)
class RedemptionBooks:
    """All redemptions, beside what the log says of offers and of who of the staff is which customer."""

    redemptions: dict[str, RedemptionBook] = field(default_factory=dict)
    opened: dict[str, Any] = field(default_factory=dict)
    unsold: dict[str, tuple[date, date]] = field(default_factory=dict)
    """Since when until when an offer stood that nobody bought, by its seller's wish or its window."""
    settled: dict[str, Any] = field(default_factory=dict)
    credited: dict[str, int] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    """Offers that ended unsold, for whatever reason, or never opened."""
    whole: set[str] = field(default_factory=set)
    """Offers of all of a claim."""
    users: set[tuple[str, str]] = field(default_factory=set)
    """Who of the staff is which customer."""

    def record(self, where: str, event: Any, business_date: str | None) -> None:
        """Fold one event. Raises WrongBooks."""
        data = event["data"]
        if "postings" in data:
            self._moves(where, data)
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, data, date.fromisoformat(business_date) if business_date else date.min)

    def at_rest(self, last_closed: date | None) -> None:
        """Nothing outlives its deadline, and nothing is for sale for a redemption that waits for no sale."""
        for name, book in self.redemptions.items():
            is_over = last_closed is not None and book.deadline <= last_closed and book.sale is None
            require(book.ended or not is_over, f"{name} is past its deadline and nobody says so")
            ended = book.sale in self.settled or book.sale in self.over
            require(book.ended or not ended, f"the sale of {name} has ended and it has not")

    # --- whose money --------------------------------------------------------------------------------------------

    def _moves(self, where: str, data: Any) -> None:
        """What is paid for the claim comes from its buyer and goes to its seller, and to the fees."""
        sales = [p["account"] for p in data["postings"] if p["account"].startswith("clearing:offer:")]
        if not any(sale.removeprefix("clearing:offer:") in self._sales() for sale in sales):
            return
        for posting in data["postings"]:
            account, amount = posting["account"], posting["amount_fen"]
            own = account in sales or account.startswith(_CUSTOMERS) or (account == FEES and amount > 0)
            require(own, f"{where}: {account} pays for a redemption")
        if "seller" in data:
            is_a_customer(where, data["account_id"])

    def _sales(self) -> set[str]:
        return {book.sale for book in self.redemptions.values() if book.sale is not None}

    # --- offers -------------------------------------------------------------------------------------------------

    def _offered(self, where: str, data: Any, _today: date) -> None:
        self.opened[data["offer_id"]] = data
        if data["redemption_id"] is None:
            return
        book = self.redemptions[data["redemption_id"]]
        meant = (book.sale, book.investor, book.price_permille, str(book.deadline))
        is_so = (data["offer_id"], data["seller"], data["price_permille"], data["expires_on"])
        require(is_so == meant, f"{where}: {data['redemption_id']} is sold as {is_so}, released as {meant}")

    def _ended(self, _where: str, data: Any, _today: date) -> None:
        self.over.add(data["offer_id"])
        ended_on = data.get("expired_on") or data.get("withdrawn_on")
        if ended_on:
            opened_on = date.fromisoformat(data["opened_on"])
            self.unsold[data["offer_id"]] = opened_on, date.fromisoformat(ended_on)

    def _settled(self, _where: str, data: Any, _today: date) -> None:
        self.settled[data["offer_id"]] = data

    def _credited(self, _where: str, data: Any, _today: date) -> None:
        self.credited[data["offer_id"]] = data["amount_fen"]

    def _appointed(self, _where: str, data: Any, _today: date) -> None:
        if data["user_id"] is not None:
            self.users.add((data["staff_id"], data["user_id"]))

    # --- redemptions --------------------------------------------------------------------------------------------

    def _asked(self, where: str, data: Any, _today: date) -> None:
        name = data["redemption_id"]
        require(name not in self.redemptions, f"{where}: {name} is asked for again")
        account = f"acc_{data['investor'].removeprefix('usr_')}"
        require(data["account_id"] == account, f"{where}: {name} is paid out to {data['account_id']}")
        self.redemptions[name] = RedemptionBook(
            data["investor"], data["offer_id"], data["price_permille"], data["principal_fen"]
        )

    def _completed(self, where: str, data: Any, today: date) -> None:
        name, book = data["redemption_id"], self._goes_on(where, data)
        stood = self.unsold.get(book.offer)
        require(stood is not None, f"{where}: {name} has no offer that stayed unsold")
        assert stood is not None
        seller = self.opened[book.offer]["seller"]
        require(seller == book.investor, f"{where}: {name} names an offer of {seller}")
        require(
            self.opened[book.offer]["claim_id"] == data["claim_id"], f"{where}: {name} is another claim's"
        )
        book.completed_on, book.deadline = today, date.fromisoformat(data["deadline"])
        fits = [each for each in (_DEMO, _LAW) if self._is_deadline(each, book)]
        require(bool(fits), f"{where}: {book.deadline} is not {_DAYS} working days after {today}")
        book.calendars = tuple(each for each in fits if _count(each, *stood) >= _UNSOLD_DAYS)
        require(bool(book.calendars), f"{where}: the offer of {name} stood for {stood} only")

    def _confirmed(self, where: str, data: Any, today: date) -> None:
        """Lately, and for as much as is asked for; the day is that of who answers."""
        offer, book = data["offer_id"], self.redemptions[data["redemption_id"]]
        ended = self.unsold[offer][1]
        fresh = any(_count(each, ended, today) <= _FRESH_DAYS for each in (_DEMO, _LAW))
        require(fresh, f"{where}: {offer} ended long ago, on {ended}")
        enough = book.wanted is not None and book.wanted <= self.opened[offer]["principal_fen"]
        require(offer in self.whole or enough, f"{where}: {offer} offered less than {book.wanted}")

    def _wished(self, _where: str, data: Any, _today: date) -> None:
        if data["principal_fen"] is None:
            self.whole.add(data["offer_id"])

    def _is_deadline(self, calendar: Calendar, book: RedemptionBook) -> bool:
        return (
            calendar.is_worked(book.deadline) and _count(calendar, book.completed_on, book.deadline) == _DAYS
        )

    def _approved(self, where: str, data: Any, today: date) -> None:
        book = self._signed(where, data, data["step"], today)
        require(data["next_step"] == book.left[0], f"{where}: told is {data['next_step']}")

    def _refused(self, where: str, data: Any, today: date) -> None:
        self._signed(where, data, data["step"], today).ended = True

    def _release_refused(self, where: str, data: Any, today: date) -> None:
        self._signed(where, data, "release", today).ended = True

    def _released(self, where: str, data: Any, today: date) -> None:
        book = self._signed(where, data, "release", today)
        book.sale = data["sale_offer_id"]
        require(book.sale not in self.opened, f"{where}: {book.sale} was there before it was released")

    def _signed(self, where: str, data: Any, step: str, today: date) -> RedemptionBook:
        name, signer, book = data["redemption_id"], data["signer"], self._goes_on(where, data)
        turn = book.left[0] if book.left else "nothing"
        require(step == turn, f"{where}: {name} waits for {turn}, {step} is signed")
        require(signer not in book.signers, f"{where}: {signer} signs {name} a second time")
        require(signer.startswith("stf_"), f"{where}: {signer}, who is no staff, signs {name}")
        for_himself = (signer, book.investor) in self.users
        require(not for_himself, f"{where}: {signer} signs {name} for himself")
        require(today <= book.deadline, f"{where}: {name} is signed after its deadline")
        said = data["days_left"]
        left = book.counts(today, book.deadline, said)
        require(left, f"{where}: {name} has not {said} days left")
        book.left, book.signers = book.left[1:], [*book.signers, signer]
        return book

    def _sold(self, where: str, data: Any, _today: date) -> None:
        name, book = data["redemption_id"], self._goes_on(where, data)
        sale = self.settled.get(book.sale or "")
        require(sale is not None, f"{where}: {name} is sold by nothing")
        assert sale is not None
        is_a_customer(where, sale["buyer_account"])
        require(
            data["buyer"] == sale["buyer"] != book.investor, f"{where}: {name} is bought by {data['buyer']}"
        )
        got = self.credited.get(book.sale or "")
        require(got == data["amount_fen"], f"{where}: {name} got {got}, told is {data['amount_fen']}")
        sold_on = date.fromisoformat(sale["sale"]["transferred_on"])
        used = data["days_used"]
        true = used <= _DAYS and book.counts(book.completed_on, sold_on, used)
        require(true, f"{where}: {name} took {used} working days")
        book.ended = True

    def _lapsed(self, where: str, data: Any, today: date) -> None:
        name, book = data["redemption_id"], self._goes_on(where, data)
        if data["stage"] != "sale":
            at_deadline = today == book.deadline and book.sale is None
            require(at_deadline, f"{where}: {name} lapses on {today}, its deadline is {book.deadline}")
        else:
            sold = book.sale in self.settled
            require(book.sale is not None and not sold, f"{where}: {name} lapses and is sold")
        book.ended = True

    def _declined(self, where: str, data: Any, _today: date) -> None:
        self._goes_on(where, data).ended = True

    def _goes_on(self, where: str, data: Any) -> RedemptionBook:
        book = self.redemptions[data["redemption_id"]]
        require(not book.ended, f"{where}: {data['redemption_id']} goes on after its end")
        return book


def _count(calendar: Calendar, day: date, until: date) -> int:
    """Working days after a day, up to and with another."""
    days = [day + number * _DAY for number in range(1, (until - day).days + 1)]
    return sum(calendar.is_worked(each) for each in days)


_HANDLERS: Final[dict[str, Callable[[RedemptionBooks, str, Any, date], None]]] = {
    "bidding.OfferOpened.v1": RedemptionBooks._offered,
    "bidding.OfferRefused.v1": RedemptionBooks._ended,
    "bidding.OfferExpired.v1": RedemptionBooks._ended,
    "bidding.OfferWithdrawn.v1": RedemptionBooks._ended,
    "bidding.OfferClosed.v1": RedemptionBooks._ended,
    "bidding.OfferSettled.v1": RedemptionBooks._settled,
    "bidding.SaleCredited.v1": RedemptionBooks._credited,
    "onboarding.StaffAppointed.v1": RedemptionBooks._appointed,
    "bidding.OfferRequested.v1": RedemptionBooks._wished,
    "bidding.UnsoldConfirmed.v1": RedemptionBooks._confirmed,
    "bidding.RedemptionAsked.v1": RedemptionBooks._asked,
    "bidding.RedemptionDeclined.v1": RedemptionBooks._declined,
    "bidding.RedemptionFormCompleted.v1": RedemptionBooks._completed,
    "bidding.RedemptionApproved.v1": RedemptionBooks._approved,
    "bidding.RedemptionRefused.v1": RedemptionBooks._refused,
    "bidding.RedemptionReleaseRefused.v1": RedemptionBooks._release_refused,
    "bidding.RedemptionReleased.v1": RedemptionBooks._released,
    "bidding.RedemptionSold.v1": RedemptionBooks._sold,
    "bidding.RedemptionLapsed.v1": RedemptionBooks._lapsed,
}
