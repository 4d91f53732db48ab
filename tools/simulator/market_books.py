"""The secondary market, kept once more from the log: who sold what to whom, for what the contract says, and where the money went.

A claim has one holder from its first event to its last; a sale ends it in part or whole and begins another. So at every record
Σ claims is what the loan is owed, and a distribution pays those who hold at its position.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.worth_books import Contract

_BAND: Final = range(900, 1_101)
_BLOCKED_DAYS: Final = 3
_PART_MIN_FEN: Final = 100_00
_CLAIMS_MAX: Final = 2_000


@dataclass(slots=True)
class OfferBook:
    """One offer: the claim and the share of it that is offered, on what terms, who has taken it, and how it ended."""

    seller: str
    claim: str
    loan: str
    price_permille: int
    share: Fraction = Fraction(1)
    fee_permille: int = 0
    maximum_fen: int = 0
    expires_on: date = date.min
    hold: str | None = None
    taken_on: str = ""
    was_reserved: bool = False
    ended: str | None = None
    transferred: Any = None
    paid: bool = False
    credited: bool = False


@dataclass(slots=True)
class MarketBooks:
    """All offers and purchases, beside the loans and accounts."""

    books: Books
    offers: dict[str, OfferBook] = field(default_factory=dict)
    holds: dict[str, Any] = field(default_factory=dict)
    """Money held for a claim, by hold, until it is captured or released."""
    reserved: dict[str, str] = field(default_factory=dict)
    """The offer that a claim is reserved for."""
    contracts: dict[str, Contract] = field(default_factory=dict)
    related: dict[str, frozenset[str]] = field(default_factory=dict)
    """Those whom a loan's listing knew as related to its borrower."""
    orders: dict[str, int] = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def at_rest(self, last_closed: date | None) -> None:
        """Every hold was answered, every sale is paid and settled, and a claim is reserved if and only if its offer stands."""
        require(not self.holds, f"held for claims and never answered: {sorted(self.holds)}")
        for name, offer in self.offers.items():
            if offer.transferred is not None:
                settled = offer.paid and offer.credited and offer.ended == "settled"
                require(settled, f"{name} is transferred and not settled: {offer.ended}")
            stands = offer.ended is None
            is_reserved = self.reserved.get(offer.claim) == name
            require(stands == is_reserved, f"{name} stands: {stands}, its claim is reserved: {is_reserved}")
            require(not (stands and offer.hold), f"{name} is taken by {offer.hold} and nobody answers")
            is_over = last_closed is not None and offer.expires_on <= last_closed
            require(not (stands and is_over), f"{name} has not expired")
            require(not (stands and self._is_late(offer)), f"{name} is for sale, {offer.loan} is late")

    def _is_late(self, offer: OfferBook) -> bool:
        return any(row.missed and row.open_fen for row in self.books.loans[offer.loan].rows.values())

    def _day_closed(self, where: str, _data: Any) -> None:
        """Whatever the day found late is reserved for nobody when it is closed."""
        for name in self.reserved.values():
            late = self._is_late(self.offers[name])
            require(not late, f"{where}: {name} is for sale, {self.offers[name].loan} is late")

    # --- offers -------------------------------------------------------------------------------------------------

    def _lent(self, _where: str, data: Any) -> None:
        self.contracts[data["loan_id"]] = Contract.of(data)
        self.orders[data["loan_id"]] = max(claim["order"] for claim in data["claims"])

    def _rescheduled(self, _where: str, data: Any) -> None:
        self.contracts[data["loan_id"]].change(data)

    def _restated(self, _where: str, data: Any) -> None:
        self.contracts[data["loan_id"]].restate(data)

    def _listed(self, _where: str, data: Any) -> None:
        self.related[data["loan_id"]] = frozenset(data["related"])

    def _reserves(self, where: str, data: Any) -> None:
        claim, offer = data["claim_id"], data["offer_id"]
        loan = self.books.loans[data["loan_id"]]
        require(claim not in self.reserved, f"{where}: {claim} is for sale twice")
        require(loan.holders.get(claim) == data["account_id"], f"{where}: {claim} is another's")
        has, part = loan.claims[claim], data["principal_fen"]
        require(has == data["outstanding_fen"], f"{where}: {claim} has {has}")
        whole = part == has
        sized = whole or min(part, has - part) >= _PART_MIN_FEN
        require(sized, f"{where}: {claim} is split into {part} and {has - part}")
        parts = sum(self.offers[other].share < 1 for other in self.reserved.values() if other in self.offers)
        room = whole or len(loan.claims) + parts < _CLAIMS_MAX
        require(room, f"{where}: {data['loan_id']} has too many claims")
        oldest = loan.oldest
        in_time = oldest is None or (not oldest.missed and (not oldest.asked or bool(loan.unanswered)))
        late = loan.dpd(date.fromisoformat(data["reserved_on"]))
        require(late == 0 or in_time, f"{where}: {claim} is overdue")
        self.reserved[claim] = offer
        asked = self.offers[offer]
        asked.share, asked.was_reserved = Fraction(part, has), True
        first = date.fromisoformat(data["reserved_on"])
        most = self.contracts[data["loan_id"]].most(part, first, asked.expires_on)
        said = data["interest_max_fen"]
        require(said == most, f"{where}: a buyer of {claim} is to hold {said} of interest, not {most}")

    def _frees(self, where: str, data: Any) -> None:
        freed = self.reserved.pop(data["claim_id"], None)
        require(freed == data["offer_id"], f"{where}: {data['claim_id']} was reserved for {freed}")

    def _asked(self, where: str, data: Any) -> None:
        require(data["offer_id"] not in self.offers, f"{where}: {data['offer_id']} is asked for again")
        require(data["price_permille"] in _BAND, f"{where}: {data['offer_id']} is outside the band")
        self.offers[data["offer_id"]] = OfferBook(
            data["seller"],
            data["claim_id"],
            data["loan_id"],
            data["price_permille"],
            expires_on=date.fromisoformat(data["until"]),
        )

    def _opened(self, where: str, data: Any) -> None:
        offer, name = self._standing(where, data), data["offer_id"]
        # The loan may have ended meanwhile: then the offer ends next, which is seen at rest.
        require(offer.was_reserved, f"{where}: {name} is open, its claim was never reserved")
        offer.fee_permille, offer.maximum_fen = data["fee_permille"], data["maximum_fen"]
        until = data["expires_on"]
        require(until == offer.expires_on.isoformat(), f"{where}: {name} stands until {until}")

    def _standing(self, where: str, data: Any) -> OfferBook:
        offer = self.offers[data["offer_id"]]
        require(offer.ended is None, f"{where}: {data['offer_id']} was {offer.ended}")
        return offer

    def _taken(self, where: str, data: Any) -> None:
        offer, name = self._standing(where, data), data["offer_id"]
        hold = self.holds.get(data["hold_id"])
        require(offer.hold is None, f"{where}: {name} is taken twice")
        require(hold is not None, f"{where}: {name} is taken without money")
        assert hold is not None
        backed = (hold["offer_id"], hold["owner"]) == (name, data["buyer"])
        enough = hold["amount_fen"] == data["held_fen"] >= offer.maximum_fen
        require(backed and enough, f"{where}: {name} is taken with {hold['amount_fen']}")
        borrower = self.books.loans[offer.loan].borrower
        near = borrower in hold["related"] or data["buyer"] in self.related.get(offer.loan, ())
        unfit = near or data["buyer"] in (offer.seller, borrower)
        require(not unfit, f"{where}: {data['buyer']} buys of {offer.seller} what {borrower} owes")
        on = date.fromisoformat(data["taken_on"])
        require(on <= offer.expires_on, f"{where}: {name} is taken after its end")
        offer.hold, offer.taken_on = data["hold_id"], data["taken_on"]

    def _reopened(self, where: str, data: Any) -> None:
        offer = self._standing(where, data)
        require(offer.hold == data["hold_id"], f"{where}: {data['offer_id']} was not taken by this hold")
        require(offer.transferred is None, f"{where}: {data['offer_id']} opens again, and its claim is sold")
        offer.hold = None

    def _ends(self, where: str, data: Any) -> OfferBook:
        offer = self._standing(where, data)
        require(offer.transferred is None, f"{where}: {data['offer_id']} ends, and its claim is sold")
        return offer

    def _refused(self, where: str, data: Any) -> None:
        self._ends(where, data).ended = "refused"

    def _unsold(self, where: str, data: Any) -> None:
        """By its seller or its window only while nobody has it; by its loan also then."""
        offer = self._ends(where, data)
        by_loan = "closed_on" in data
        require(by_loan or offer.hold is None, f"{where}: {data['offer_id']} ends under its buyer")
        offer.ended, offer.hold = "unsold", None

    # --- sales --------------------------------------------------------------------------------------------------

    def _transferred(self, where: str, data: Any) -> None:
        name, claim, sold = data["offer_id"], data["claim"], data["sold_claim_id"]
        offer, loan = self._standing(where, data), self.books.loans[data["loan_id"]]
        require(offer.hold == data["hold_id"], f"{where}: {name} is transferred to who has not taken it")
        require(offer.transferred is None, f"{where}: {name} is transferred twice")
        require(self.reserved.pop(sold, None) == name, f"{where}: {sold} is sold without a reservation")
        his = (data["seller"], data["seller_account"]) == (offer.seller, loan.holders[sold])
        require(his and sold == offer.claim, f"{where}: {sold} is not its seller's")
        require(claim["claim_id"] not in loan.claims, f"{where}: {claim['claim_id']} is in two hands")
        last = self.orders[data["loan_id"]]
        require(claim["order"] > last, f"{where}: {claim['claim_id']} does not come after {last}")
        self.orders[data["loan_id"]] = claim["order"]
        before, left = loan.claims[sold], data["left_fen"]
        require(claim["principal_fen"] + left == before, f"{where}: {sold} had {before}")
        share = abs(claim["principal_fen"] - before * offer.share)
        require(share < 1, f"{where}: {offer.share} of {before} is not {claim['principal_fen']}")
        loan.claims[sold] = left
        loan.claims[claim["claim_id"]] = claim["principal_fen"]
        loan.holders[claim["claim_id"]] = claim["account_id"]
        self._worth(where, offer, data)
        offer.transferred = data
        self.books.owed[f"purchase {name}"] = data["price_fen"] + data["interest_fen"]

    def _worth(self, where: str, offer: OfferBook, data: Any) -> None:
        """Price, interest and fee by the contract; not near a due date, not overdue, not above what is held."""
        principal, on = data["claim"]["principal_fen"], date.fromisoformat(data["value_date"])
        require(data["value_date"] == offer.taken_on, f"{where}: sold on {on}, taken on {offer.taken_on}")
        loan = self.books.loans[offer.loan]
        dues = [row.due_on for row in loan.rows.values()]
        near = any(abs((due - on).days) <= _BLOCKED_DAYS for due in dues)
        require(
            not near and not loan.is_behind(on), f"{where}: {offer.claim} is sold near or after a due date"
        )
        interest = self.contracts[offer.loan].interest(principal, loan.outstanding_fen, on)
        price = _rounded(Fraction(principal * offer.price_permille, 1_000))
        fee = _rounded(Fraction(price * offer.fee_permille, 1_000))
        said = data["price_fen"], data["interest_fen"], data["fee_fen"]
        require(said == (price, interest, fee), f"{where}: {said}, the contract says {price, interest, fee}")
        held = self.holds[data["hold_id"]]["amount_fen"]
        require(price + interest <= held, f"{where}: costs {price + interest}, held is {held}")

    def _distributed(self, where: str, data: Any) -> None:
        """To whom a claim is at this position of the log."""
        holders = self.books.loans[data["loan_id"]].holders
        for line in data["lines"]:
            holder = holders[line["claim_id"]]
            require(line["account_id"] == holder, f"{where}: {line['claim_id']} is {holder}'s")

    # --- money --------------------------------------------------------------------------------------------------

    def _held(self, where: str, data: Any) -> None:
        require(data["hold_id"] not in self.holds, f"{where}: {data['hold_id']} is held twice")
        self.holds[data["hold_id"]] = data

    def _let_go(self, where: str, data: Any) -> Any:
        hold = self.holds.pop(data["hold_id"], None)
        require(hold is not None, f"{where}: {data['hold_id']} is not held")
        return hold

    def _released(self, where: str, data: Any) -> None:
        hold, offer = self._let_go(where, data), self.offers.get(data["offer_id"])
        require(hold["amount_fen"] == data["amount_fen"], f"{where}: {data['hold_id']} changed its amount")
        bought = offer is not None and offer.transferred is not None and offer.hold == data["hold_id"]
        require(not bought, f"{where}: {data['hold_id']} comes back, and its claim is the buyer's")

    def _captured(self, where: str, data: Any) -> None:
        hold, offer = self._let_go(where, data), self.offers[data["offer_id"]]
        total = data["amount_fen"] + data["released_fen"]
        require(total == hold["amount_fen"], f"{where}: {data['hold_id']} held {hold['amount_fen']}")
        self._pays(where, f"purchase {data['offer_id']}", data["amount_fen"])
        offer.paid = True
        fee = offer.transferred["fee_fen"]
        self.books.owed[f"sale {data['offer_id']}"] = data["amount_fen"] - fee
        if fee:
            self.books.owed[f"fee transfer:{data['offer_id']}"] = fee

    def _credited(self, where: str, data: Any) -> None:
        offer = self.offers[data["offer_id"]]
        require(data["owner"] == offer.seller, f"{where}: {data['offer_id']} is paid to {data['owner']}")
        self._pays(where, f"sale {data['offer_id']}", data["amount_fen"])
        offer.credited = True

    def _pays(self, where: str, name: str, amount_fen: int) -> None:
        promised = self.books.owed.pop(name, None)
        require(promised == amount_fen, f"{where}: {name} pays {amount_fen}, promised was {promised}")

    def _settled(self, where: str, data: Any) -> None:
        offer, sale = self._standing(where, data), data["sale"]
        require(offer.credited, f"{where}: {data['offer_id']} is settled before its seller is paid")
        sold = offer.transferred
        said = sale["claim_id"], sale["principal_fen"], sale["price_fen"], sale["interest_fen"]
        was = (
            sold["claim"]["claim_id"],
            sold["claim"]["principal_fen"],
            sold["price_fen"],
            sold["interest_fen"],
        )
        require(said == was, f"{where}: the certificate of {data['offer_id']} says {said}, sold was {was}")
        his = data["buyer_account"] == sold["claim"]["account_id"]
        require(his, f"{where}: the certificate of {data['offer_id']} is {data['buyer']}'s")
        offer.ended = "settled"


_HANDLERS: dict[str, Callable[[MarketBooks, str, Any], None]] = {
    "repayment.BusinessDayClosed.v1": MarketBooks._day_closed,
    "repayment.LoanOpened.v1": MarketBooks._lent,
    "repayment.ScheduleChanged.v1": MarketBooks._rescheduled,
    "repayment.LoanRestated.v1": MarketBooks._restated,
    "bidding.ListingOpened.v1": MarketBooks._listed,
    "repayment.ClaimReserved.v1": MarketBooks._reserves,
    "repayment.ReservationReleased.v1": MarketBooks._frees,
    "repayment.ClaimTransferred.v1": MarketBooks._transferred,
    "repayment.RepaymentDistributed.v1": MarketBooks._distributed,
    "bidding.OfferRequested.v1": MarketBooks._asked,
    "bidding.OfferRefused.v1": MarketBooks._refused,
    "bidding.OfferOpened.v1": MarketBooks._opened,
    "bidding.OfferTaken.v1": MarketBooks._taken,
    "bidding.OfferReopened.v1": MarketBooks._reopened,
    "bidding.OfferWithdrawn.v1": MarketBooks._unsold,
    "bidding.OfferExpired.v1": MarketBooks._unsold,
    "bidding.OfferClosed.v1": MarketBooks._unsold,
    "bidding.OfferSettled.v1": MarketBooks._settled,
    "bidding.PurchaseHeld.v1": MarketBooks._held,
    "bidding.PurchaseReleased.v1": MarketBooks._released,
    "bidding.PurchaseCaptured.v1": MarketBooks._captured,
    "bidding.SaleCredited.v1": MarketBooks._credited,
}


def _rounded(exact: Fraction) -> int:
    """Half-up, to the fen."""
    return int(exact + Fraction(1, 2))
