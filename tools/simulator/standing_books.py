"""Standing orders, kept once more from the log: an oracle of whose turn it is, and of what each order may be asked for.

It keeps the published order as a list of names, oldest last-spent first, and knows nothing of turns: who spends goes to the list's
end. Each look at the queue is made again from it, order by order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tools.simulator.loan_books import require
from tools.simulator.standing_order_books import AskBook, OrderBook, ServiceBook

_STEP_FEN = 100_00
#: Listings in a row that an order may be unable to pay for, and what counts as that.
_MISSES_MAX = 5
_COULD_NOT_PAY = (
    "insufficient_available",
    "keeps_back",
    "no_answer",
    "unknown_account",
    "account_closed",
    "owner_deceased",
)
#: What one investor may have in one listing where the law counts, which is where listings are prepared first.
_INVESTOR_CAP_FEN = 120_000_00


@dataclass(slots=True)
class StandingBooks:
    """All orders, every listing's terms, and the one service that goes on."""

    queue: list[str] = field(default_factory=list)
    orders: dict[str, OrderBook] = field(default_factory=dict)
    listings: dict[str, Any] = field(default_factory=dict)
    prepared: dict[str, None] = field(default_factory=dict)
    unserved: dict[str, None] = field(default_factory=dict)
    """Open since there have been orders without a break, and not queued yet."""
    waiting: list[str] = field(default_factory=list)
    service: ServiceBook | None = None
    served: dict[str, str] = field(default_factory=dict)
    closed: dict[str, None] = field(default_factory=dict)
    """Listings that take no more bids."""
    late: dict[tuple[str, str], AskBook] = field(default_factory=dict)
    """By listing and order: accounts that may still answer, to nobody."""
    silent: dict[tuple[str, str], None] = field(default_factory=dict)
    """By listing and order: accounts that let it wait in vain, and have not answered since."""
    unwanted: dict[str, str] = field(default_factory=dict)
    """Holds that came too late and have to go back, by their order."""
    to_return: dict[tuple[str, str], int] = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def at_rest(self) -> None:
        """Every listing for everybody that opened while there were orders was served to its end; what came to nothing counts no more."""
        require(self.service is None, f"the service of {self.service and self.service.listing} never ends")
        require(not self.waiting, f"{self.waiting} wait for their service")
        require(not self.unserved, f"{list(self.unserved)} opened and no standing order was served")
        owed = {key: fen for key, fen in self.to_return.items() if key[0] in self.orders}
        require(not owed, f"came to nothing and still counts as spent: {owed}")
        require(not self.unwanted, f"held for nobody and never released: {self.unwanted}")
        broke = [
            name for name, book in self.orders.items() if book.misses >= _MISSES_MAX and not book.is_paused
        ]
        require(not broke, f"{broke} cannot pay and are asked again and again")

    # --- orders -------------------------------------------------------------------------------------------------

    def _opened(self, where: str, data: Any) -> None:
        order, owner = data["order_id"], data["owner"]
        require(order not in self.orders, f"{where}: {order} is set up again")
        has_one = any(book.owner == owner for book in self.orders.values())
        require(not has_one and owner.startswith("usr_"), f"{where}: {owner} may not set up {order}")
        self.orders[order] = OrderBook(owner, data["terms"])
        self.queue.append(order)

    def _changed(self, _where: str, data: Any) -> None:
        order = self.orders[data["order_id"]]
        order.version, order.terms, order.misses = data["version"], data["terms"], 0

    def _paused(self, where: str, data: Any) -> None:
        order = self.orders[data["order_id"]]
        by_rule = data["code"] == "could_not_pay"
        require(
            not by_rule or order.misses >= _MISSES_MAX, f"{where}: {data['order_id']} is paused and could pay"
        )
        order.is_paused = True

    def _resumed(self, _where: str, data: Any) -> None:
        self.orders[data["order_id"]].is_paused = False
        self.orders[data["order_id"]].misses = 0

    def _ended(self, _where: str, data: Any) -> None:
        del self.orders[data["order_id"]]
        self.queue.remove(data["order_id"])
        if not self.orders:
            self.unserved.clear()

    # --- a listing's service --------------------------------------------------------------------------------------

    def _listed(self, _where: str, data: Any) -> None:
        self.listings[data["listing_id"]] = data
        if self.orders and not data["newcomers_only"]:
            self.unserved[data["listing_id"]] = None

    def _prepared(self, _where: str, data: Any) -> None:
        self.prepared[data["listing_id"]] = None

    def _queued(self, where: str, data: Any) -> None:
        listing = data["listing_id"]
        self.unserved.pop(listing, None)
        told = self.listings[listing]
        require(not told["newcomers_only"], f"{where}: {listing} is for newcomers, who choose by themselves")
        require(
            all(data[name] == told[name] for name in data), f"{where}: {listing} is served on other terms"
        )
        known = listing in self.served or listing in self.waiting
        require(not known, f"{where}: {listing} is queued twice")
        self.waiting.append(listing)
        if self.service is None:
            self._begin()

    def _begin(self) -> None:
        if self.waiting:
            listing = self.waiting.pop(0)
            self.service = ServiceBook(listing, self.listings[listing]["amount_fen"], list(self.queue))

    def _of(self, where: str, data: Any) -> ServiceBook:
        service = self.service
        require(
            service is not None and service.listing == data["listing_id"],
            f"{where}: {data['listing_id']} is served out of its turn",
        )
        assert service is not None
        return service

    def _considered(self, where: str, data: Any) -> None:
        """The look at the queue is made again: the same are asked for the same, the same are passed for the same reason."""
        service = self._of(where, data)
        open_asks = [ask.order for ask in service.asks.values() if ask.held_fen != 0 and not ask.is_late]
        require(not open_asks, f"{where}: orders are asked before {open_asks} know what came of it")
        service.in_full = bool(service.asks) or service.in_full
        service.asks.clear()
        asked, passed, left_fen = [], [], service.remaining_fen
        while (left_fen > 0 or service.in_full) and service.turns < len(service.queue):
            order = service.queue[service.turns]
            service.turns += 1
            if order not in self.orders:
                continue
            code, most_fen = self._what_of(order, service)
            if code:
                passed.append((order, code))
                continue
            asked.append((order, most_fen))
            left_fen = max(0, left_fen - most_fen)
        said = [(ask["order_id"], ask["most_fen"]) for ask in data["asked"]]
        require(said == asked, f"{where}: out of turn: asked are {said}, it should be {asked}")
        told = sorted((order, each["code"]) for each in data["passed"] for order in each["order_ids"])
        require(told == sorted(passed), f"{where}: passed over are {told}, it should be {sorted(passed)}")
        for ask in data["asked"]:
            book = self.orders[ask["order_id"]]
            right = (ask["owner"], ask["version"], ask["keep_back_fen"]) == (
                book.owner,
                book.version,
                book.terms["keep_back_fen"],
            )
            require(right, f"{where}: {ask['order_id']} is asked on other terms than its owner's")
            service.asks[ask["hold_id"]] = AskBook(
                ask["order_id"], ask["owner"], ask["most_fen"], ask["keep_back_fen"]
            )

    def _what_of(self, order: str, service: ServiceBook) -> tuple[str, int]:
        """Why an order takes no part, or the most that it may be asked for."""
        book, listing = self.orders[order], self.listings[service.listing]
        terms = book.terms
        reasons = (
            ("order_paused", book.is_paused),
            ("own_loan", book.owner == listing["borrower"]),
            ("related_party", book.owner in listing["related"]),
            ("grade_not_wanted", listing["grade"] not in terms["grades"]),
            ("rate_too_low", Fraction(listing["annual_rate"]) < Fraction(terms["annual_rate_min"])),
            ("term_too_long", listing["tenor_months"] > terms["tenor_months_max"]),
            ("account_silent", any(order == other for _, other in self.silent)),
        )
        for code, holds in reasons:
            if holds:
                return code, 0
        most_fen = min(service.remaining_fen, terms["loan_max_fen"])
        if terms["total_max_fen"] is not None:
            most_fen = min(most_fen, max(0, terms["total_max_fen"] - sum(book.spent.values())))
        if service.listing in self.prepared:
            most_fen = min(most_fen, _INVESTOR_CAP_FEN)
        if most_fen < service.remaining_fen:
            most_fen = most_fen // _STEP_FEN * _STEP_FEN
        if most_fen < min(service.remaining_fen, listing["bid_min_fen"]):
            small = terms["loan_max_fen"] < listing["bid_min_fen"]
            return "loan_max_too_small" if small else "total_max_reached", 0
        return "", most_fen

    def _held(self, where: str, data: Any) -> None:
        if not data["standing_order"]:
            return
        late = self.late.get((data["listing_id"], data["standing_order"]))
        if late is not None:
            require(late.held_fen is None, f"{where}: {data['hold_id']} is held twice")
            late.held_fen = data["amount_fen"]
            self.unwanted[data["hold_id"]] = late.order
            return
        ask = self._asked(where, data["hold_id"], data)
        require(data["owner"] == ask.owner, f"{where}: {data['owner']} holds for the order of {ask.owner}")
        require(data["amount_fen"] <= ask.most_fen, f"{where}: {ask.order} holds above {ask.most_fen}")
        stays = data["available_after_fen"] >= ask.keep_back_fen
        require(stays, f"{where}: {ask.order} leaves less than it keeps back, {ask.keep_back_fen}")
        ask.held_fen = data["amount_fen"]

    def _asked(self, where: str, hold: str, data: Any) -> AskBook:
        service = self._of(where, data)
        require(hold in service.asks, f"{where}: {hold} was never asked for")
        ask = service.asks[hold]
        require(ask.held_fen is None, f"{where}: {hold} is answered twice")
        return ask

    def _released(self, _where: str, data: Any) -> None:
        self.unwanted.pop(data["hold_id"], None)

    def _came_late(self, where: str, data: Any) -> None:
        late = self.late.get((data["listing_id"], data["order_id"]))
        self.silent.pop((data["listing_id"], data["order_id"]), None)
        require(late is not None, f"{where}: {data['order_id']} is late and somebody waited for it")
        assert late is not None
        require(
            bool(data["held"]) == bool(late.held_fen), f"{where}: {data['order_id']} is told to hold nothing"
        )

    def _not_held(self, where: str, data: Any) -> None:
        late = self.late.get((data["listing_id"], data["order_id"]))
        if late is not None:
            late.held_fen = 0
            return
        self._asked(where, data["hold_id"], data).held_fen = 0

    def _dropped(self, where: str, data: Any) -> None:
        """An account that declined, or that does not exist, which no event of its own says."""
        for hold, ask in self._of(where, data).asks.items():
            if ask.order != data["order_id"]:
                continue
            if data["unanswered"]:
                ask.is_late = True
                self.late[data["listing_id"], ask.order] = ask
                if data["code"] == "no_answer":
                    self.silent[data["listing_id"], ask.order] = None
                if ask.held_fen:
                    self.unwanted[hold] = ask.order
                continue
            require(not ask.held_fen, f"{where}: {ask.order} is dropped and holds {ask.held_fen}")
            ask.held_fen = 0
        if data["order_id"] in self.orders and data["code"] in _COULD_NOT_PAY:
            self.orders[data["order_id"]].misses += 1

    def _heard(self, where: str, data: Any) -> None:
        bid = data["bid"]
        ask = self._of(where, data).asks[bid["hold_id"]]
        require(bid["amount_fen"] == ask.held_fen, f"{where}: {ask.order} does not hold {bid['amount_fen']}")

    def _bid(self, where: str, data: Any) -> None:
        service = self._of(where, data)
        missing = [ask.order for ask in service.asks.values() if ask.held_fen is None and not ask.is_late]
        require(not missing, f"{where}: the bids go out before {missing} have answered")
        service.bids = [hold for hold, ask in service.asks.items() if ask.held_fen and not ask.is_late]
        said = [bid["hold_id"] for bid in data["bids"]]
        require(
            said == service.bids, f"{where}: out of turn: the bids are {said}, it should be {service.bids}"
        )

    def _placed(self, where: str, data: Any) -> None:
        bid = data["bid"]
        if bid["standing_order"]:
            self._answered(where, bid["hold_id"], data, bid["amount_fen"])

    def _declined(self, where: str, data: Any) -> None:
        if self.service is not None and data["hold_id"] in self.service.asks:
            self._answered(where, data["hold_id"], data, 0)

    def _answered(self, where: str, hold: str, data: Any, amount_fen: int) -> None:
        service = self._of(where, data)
        first = service.bids[0] if service.bids else None
        require(hold == first, f"{where}: out of turn: {hold} is answered, it should be {first}")
        service.bids.pop(0)
        order = service.asks[hold].order
        service.placed[order] = amount_fen
        if order in self.orders:
            book = self.orders[order]
            if amount_fen:
                book.spent[service.listing] = amount_fen
            # what it was asked for bounded it, on the terms of that moment

    def _served(self, where: str, data: Any) -> None:
        service = self._of(where, data)
        took = {result["order_id"]: result["amount_fen"] for result in data["results"]}
        if data["unbid"]:
            service.placed = dict.fromkeys(took, 0)
        require(took == service.placed, f"{where}: the queue hears {took}, the listing took {service.placed}")
        for order, amount_fen in took.items():
            said = next(each for each in data["results"] if each["order_id"] == order)
            require(bool(amount_fen) != bool(said["code"]), f"{where}: {order} is passed without a reason")
            if amount_fen and order in self.orders:
                self.orders[order].misses = 0
                self.queue.remove(order)
                self.queue.append(order)
        service.remaining_fen = data["remaining_fen"]
        service.asks, service.bids, service.placed, service.in_full = {}, [], {}, False

    def _over(self, where: str, data: Any) -> None:
        """Nobody is forgotten: all had their turn, or the listing takes no more."""
        if data["listing_id"] in self.waiting:
            require(
                data["listing_id"] in self.closed, f"{where}: {data['listing_id']} waits and is never served"
            )
            self.waiting.remove(data["listing_id"])
            self.served[data["listing_id"]] = data["code"]
            return
        service = self._of(where, data)
        unasked = [order for order in service.queue[service.turns :] if order in self.orders]
        exhausted = data["code"] == "orders_exhausted"
        require(not (exhausted and unasked), f"{where}: {unasked} never had their turn")
        missing = [ask.order for ask in service.asks.values() if ask.held_fen != 0 and not ask.is_late]
        require(not missing, f"{where}: {missing} were asked and never told what came of it")
        self.served[service.listing] = data["code"]
        self.service = None
        self._begin()

    # --- what comes back ------------------------------------------------------------------------------------------

    def _filled(self, _where: str, data: Any) -> None:
        self.closed[data["listing_id"]] = None

    def _came_to_nothing(self, _where: str, data: Any) -> None:
        self.closed[data["listing_id"]] = None
        for bid in data["bids"]:
            if bid["standing_order"]:
                key = (bid["standing_order"], data["listing_id"])
                self.to_return[key] = bid["amount_fen"]

    def _returned(self, where: str, data: Any) -> None:
        for each in data["returned"]:
            key = (each["order_id"], data["listing_id"])
            owed = self.to_return.pop(key, 0)
            require(owed == each["amount_fen"], f"{where}: {key} returns {each['amount_fen']}, not {owed}")
            del self.orders[each["order_id"]].spent[data["listing_id"]]


_HANDLERS: dict[str, Callable[[StandingBooks, str, Any], None]] = {
    "bidding.StandingOrderOpened.v1": StandingBooks._opened,
    "bidding.StandingOrderChanged.v1": StandingBooks._changed,
    "bidding.StandingOrderPaused.v1": StandingBooks._paused,
    "bidding.StandingOrderResumed.v1": StandingBooks._resumed,
    "bidding.StandingOrderEnded.v1": StandingBooks._ended,
    "bidding.ListingPrepared.v1": StandingBooks._prepared,
    "bidding.ListingOpened.v1": StandingBooks._listed,
    "bidding.AutoInvestQueued.v1": StandingBooks._queued,
    "bidding.OrdersConsidered.v1": StandingBooks._considered,
    "bidding.FundsHeld.v1": StandingBooks._held,
    "bidding.OrderHoldDeclined.v1": StandingBooks._not_held,
    "bidding.OrderDropped.v1": StandingBooks._dropped,
    "bidding.OrderHeld.v1": StandingBooks._heard,
    "bidding.OrdersBid.v1": StandingBooks._bid,
    "bidding.BidPlaced.v1": StandingBooks._placed,
    "bidding.BidDeclined.v1": StandingBooks._declined,
    "bidding.OrdersServed.v1": StandingBooks._served,
    "bidding.AutoInvestEnded.v1": StandingBooks._over,
    "bidding.ListingExpired.v1": StandingBooks._came_to_nothing,
    "bidding.ListingCancelled.v1": StandingBooks._came_to_nothing,
    "bidding.ListingFilled.v1": StandingBooks._filled,
    "bidding.HoldReleased.v1": StandingBooks._released,
    "bidding.OrderAnsweredLate.v1": StandingBooks._came_late,
    "bidding.OrdersSpentReturned.v1": StandingBooks._returned,
}
