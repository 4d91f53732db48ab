"""Blank contracts, kept once more from the log number by number, and who agreed that a listing's contract is void."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.loan_books import require

_VOID: Final = ("fraud", "duress", "illegal_purpose")


@dataclass(slots=True)
class StockBook:
    """One stock: of each blank who has it and to whom it is offered, of each signed one its loan and who signed; the last count."""

    rep_quota: int
    blank: dict[int, tuple[str, str]]
    signed: dict[int, tuple[str, str]] = field(default_factory=dict)
    loans: dict[str, int] = field(default_factory=dict)
    had: Counter[str] = field(default_factory=Counter)
    reps: dict[int, str] = field(default_factory=dict)
    months: set[str] = field(default_factory=set)
    differs: str = ""


@dataclass(slots=True)
class StockBooks:
    """All stocks; and of each listing that somebody proposes to be void: for which reason, and who was of that opinion."""

    stocks: dict[str, StockBook] = field(default_factory=dict)
    voiding: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    lawful: bool = False

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def _prepared(self, _where: str, _data: Any) -> None:
        # only under the law is a listing looked at before it is published
        self.lawful = True

    def _printed(self, where: str, data: Any) -> None:
        name = data["stock_id"]
        require(name not in self.stocks, f"{where}: {name} is printed again")
        sells = data["party"] == "lender" and self.lawful
        require(not sells, f"{where}: contracts of lenders are printed")
        blank = dict.fromkeys(range(1, data["quota"] + 1), (data["printer"], ""))
        self.stocks[name] = StockBook(data["rep_quota"], blank)

    def _handed_over(self, where: str, data: Any) -> None:
        book, giver = self.stocks[data["stock_id"]], data["giver"]
        require(not book.differs, f"{where}: blanks move while a count differs")
        for number in _numbers(data):
            has, _ = book.blank.get(number, ("", ""))
            require(has == giver, f"{where}: {giver} gives number {number}, which is not his")
            book.blank[number] = (giver, data["receiver"])

    def _taken(self, where: str, data: Any) -> None:
        book, receiver = self.stocks[data["stock_id"]], data["receiver"]
        require(not book.differs, f"{where}: blanks move while a count differs")
        for number in _numbers(data):
            offered = (data["giver"], receiver)
            require(
                book.blank.get(number) == offered, f"{where}: number {number} is not offered to {receiver}"
            )
            book.blank[number] = (receiver, "")
            if data["place"] == "rep":
                before = book.reps.get(number)
                book.had[before or ""] -= 1
                book.had[receiver] += 1
                book.reps[number] = receiver
        has = book.had[receiver]
        require(has <= book.rep_quota, f"{where}: {receiver} has {has} of at most {book.rep_quota}")

    def _signed(self, where: str, data: Any) -> None:
        book, number, loan = self.stocks[data["stock_id"]], data["number"], data["loan_id"]
        blank = book.blank.pop(number, None)
        require(
            blank == (data["rep"], ""), f"{where}: number {number} is signed, which {data['rep']} has not"
        )
        require(loan not in book.loans, f"{where}: {loan} is signed under two numbers")
        book.loans[loan] = number
        book.signed[number] = (loan, data["rep"])

    def _returned(self, where: str, data: Any) -> None:
        book, number = self.stocks[data["stock_id"]], data["number"]
        loan, rep = book.signed.pop(number, ("", ""))
        require(loan == data["loan_id"], f"{where}: number {number} comes back, which is not out")
        require(data["copies"] == 2, f"{where}: number {number} comes back in {data['copies']} copies")
        require(data["receiver"] != rep, f"{where}: {rep} receives his own number {number}")

    def _voided(self, where: str, data: Any) -> None:
        book = self.stocks[data["stock_id"]]
        for number in _numbers(data):
            has, _ = book.blank.pop(number, ("", ""))
            require(
                has not in ("", data["by"]),
                f"{where}: {data['by']} voids number {number} of {has or 'nobody'}",
            )

    def _counted(self, where: str, data: Any) -> None:
        book, counter = self.stocks[data["stock_id"]], data["counter"]
        require(data["month"] not in book.months, f"{where}: {data['month']} is counted again")
        book.months.add(data["month"])
        require(not book.differs, f"{where}: the last count was never explained")
        require(all(has != counter for has, _ in book.blank.values()), f"{where}: {counter} counts his own")
        seen = Counter(each for one in data["seen"] for each in range(one["first"], one["last"] + 1))
        found = {
            "missing": sorted(set(book.blank) - set(seen)),
            "unexpected": sorted(set(seen) - set(book.blank)),
            "twice": sorted(number for number, times in seen.items() if times > 1),
        }
        for name, numbers in found.items():
            told = [each for one in data[name] for each in range(one["first"], one["last"] + 1)]
            require(told == numbers, f"{where}: {name} are {numbers}, told is {told}")
        book.differs = counter if any(found.values()) else ""

    def _explained(self, where: str, data: Any) -> None:
        book = self.stocks[data["stock_id"]]
        require(book.differs not in ("", data["by"]), f"{where}: {data['by']} explains his own count")
        book.differs = ""

    # --- contracts that are void --------------------------------------------------------------------------------

    def _proposed(self, where: str, data: Any) -> None:
        require(data["listing_id"] not in self.voiding, f"{where}: {data['listing_id']} is proposed again")
        self.voiding[data["listing_id"]] = (data["code"], [data["proposer"]])

    def _approved(self, where: str, data: Any) -> None:
        code, people = self.voiding.get(data["listing_id"], ("", []))
        require(code == data["code"], f"{where}: {data['code']} was never proposed")
        who = data["approver"]
        require(who not in people, f"{where}: {who} says twice that {data['listing_id']} is void")
        people.append(who)

    def _cancelled(self, where: str, data: Any) -> None:
        code, people = self.voiding.pop(data["listing_id"], ("", []))
        agreed = code == data["code"] and len(people) == 3
        require(
            agreed or data["code"] not in _VOID, f"{where}: {data['listing_id']} is void, but for {people}"
        )
        require(
            len(people) < 3 or agreed, f"{where}: {data['listing_id']} ends for {data['code']}, not {code}"
        )

    def _funded(self, where: str, data: Any) -> None:
        _, people = self.voiding.pop(data["listing_id"], ("", []))
        require(len(people) < 3, f"{where}: {data['loan_id']} is funded, and its contract void")


def _numbers(data: Any) -> range:
    return range(data["numbers"]["first"], data["numbers"]["last"] + 1)


_HANDLERS: dict[str, Callable[[StockBooks, str, Any], None]] = {
    "bidding.ListingPrepared.v1": StockBooks._prepared,
    "bidding.StockPrinted.v1": StockBooks._printed,
    "bidding.StockHandedOver.v1": StockBooks._handed_over,
    "bidding.StockTaken.v1": StockBooks._taken,
    "bidding.BlankSigned.v1": StockBooks._signed,
    "bidding.BlankReturned.v1": StockBooks._returned,
    "bidding.BlanksVoided.v1": StockBooks._voided,
    "bidding.StockCounted.v1": StockBooks._counted,
    "bidding.StockDifferenceExplained.v1": StockBooks._explained,
    "bidding.ListingVoidingProposed.v1": StockBooks._proposed,
    "bidding.ListingVoidingApproved.v1": StockBooks._approved,
    "bidding.ListingCancelled.v1": StockBooks._cancelled,
    "bidding.LoanFunded.v1": StockBooks._funded,
}
