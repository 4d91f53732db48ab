"""Assets taken in settlement, kept once more from the log: what they stand for, who sold them in which order, by when and not about himself,
and that every fen of a price reaches who has a share in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.himself import customer_behind
from tools.simulator.loan_books import require
from tools.simulator.red_lines import FEE_ACCOUNT, MARKETING_ACCOUNT

_YEARS: Final = {"real_estate": 2, "shares": 2, "rights": 2, "movables": 1}
_STEPS: Final = ["finance_supervisor", "general_manager"]
_QUARTER_DAYS: Final = 92
#: How long a sale waits for its signatures (chosen).
_SIGNING: Final = timedelta(days=30)
_VALUATION_DAYS: Final = 183
#: What a sale costs is at most one of so many parts of its price (chosen).
_COST_OF: Final = 5


@dataclass(slots=True)
class AssetBook:
    """One asset: its file, when it is due, and its sale."""

    settled: Any
    dispose_by: date
    count_due_on: date
    overdue: bool = False
    auctions: int = 0
    disposal: Any = None
    people: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    until: date = date.max
    sold: bool = False
    paid_fen: int = 0
    disposed: bool = False


@dataclass(slots=True)
class AssetBooks:
    """All of them."""

    lent: dict[str, date] = field(default_factory=dict)
    """From when each loan is."""
    settled: dict[str, Any] = field(default_factory=dict)
    assets: dict[str, AssetBook] = field(default_factory=dict)
    owed: dict[tuple[str, str], Any] = field(default_factory=dict)
    """Lines of sales that are not credited yet."""

    @property
    def principal_fen(self) -> int:
        """Principal that no borrower owes any more and nobody has back: it is in an asset that is not sold."""
        kept = [each for name, each in self.settled.items() if not self._is_sold(name)]
        return sum(share["principal_fen"] for settled in kept for share in settled["shares"])

    def _is_sold(self, name: str) -> bool:
        return name in self.assets and self.assets[name].disposed

    def record(self, where: str, event: Any, _decided_on: str | None) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def at_rest(self, last_closed: date | None) -> None:
        """Each is in the register, what was sold is paid or kept, and no day went by in silence."""
        missing = [name for name in self.settled if name not in self.assets]
        require(not missing, f"{missing} took the place of a debt and nobody keeps them")
        require(not self.owed, f"proceeds never credited: {list(self.owed)}")
        for name, book in self.assets.items():
            if book.disposed:
                continue
            require(not book.sold, f"{name} is sold and nothing came of it")
            if last_closed is not None:
                waits = book.disposal is not None and bool(book.left) and book.until <= last_closed
                require(not waits, f"the sale of {name} waits beyond {book.until}")
                silent = book.count_due_on <= last_closed
                require(not silent, f"{name} should have been counted by {book.count_due_on}")
                silent = book.dispose_by <= last_closed and not book.overdue
                require(not silent, f"{name} should have been sold by {book.dispose_by}")

    # --- taking and keeping -------------------------------------------------------------------------------------

    def _opened(self, _where: str, data: Any) -> None:
        self.lent[data["loan_id"]] = date.fromisoformat(data["funded_on"])

    def _settled(self, where: str, data: Any) -> None:
        name, terms = data["asset_id"], data["terms"]
        require(name not in self.settled, f"{where}: {name} settles a debt again")
        require(terms["agreed_fen"] <= terms["valued_fen"], f"{where}: {name} is taken above its value")
        acquired, valued, on = (
            date.fromisoformat(day) for day in (terms["acquired_on"], terms["valued_on"], data["settled_on"])
        )
        require(self.lent[data["loan_id"]] <= acquired <= on, f"{where}: {name} is acquired on {acquired}")
        require((on - valued).days <= _VALUATION_DAYS, f"{where}: {name} was valued on {valued}")
        total = data["settled_fen"] + data["excess_fen"]
        require(
            total == terms["agreed_fen"], f"{where}: {name} is agreed at {terms['agreed_fen']}, not {total}"
        )
        shared = sum(share["amount_fen"] for share in data["shares"])
        require(
            shared == data["settled_fen"], f"{where}: {name} settles {data['settled_fen']}, shared {shared}"
        )
        self.settled[name] = data

    def _taken(self, where: str, data: Any) -> None:
        name, settled = data["asset_id"], self.settled.get(data["asset_id"])
        require(settled is not None, f"{where}: {name} settled nothing")
        assert settled is not None, "required above"
        fields = ("loan_id", "terms", "settled_fen", "shares", "borrower_account")
        same = all(data[each] == settled[each] for each in fields)
        require(same and name not in self.assets, f"{where}: {name} is taken otherwise than its loan said")
        terms, by = settled["terms"], date.fromisoformat(data["dispose_by"])
        acquired = date.fromisoformat(terms["acquired_on"])
        years = _YEARS[terms["asset"]]
        last = date(acquired.year + years, acquired.month, min(acquired.day, 28))
        valid = terms["valid_to"] is None or by <= date.fromisoformat(terms["valid_to"])
        require(valid and (by - last).days <= 3, f"{where}: {name} may be kept until {by}")
        self.assets[name] = AssetBook(settled, by, date.fromisoformat(data["count_due_on"]))
        days = (self.assets[name].count_due_on - date.fromisoformat(data["taken_on"])).days
        require(days <= _QUARTER_DAYS, f"{where}: {name} is counted after {days} days")

    def _counted(self, where: str, data: Any) -> None:
        book, name = self.assets[data["asset_id"]], data["asset_id"]
        require(not book.disposed, f"{where}: {name} is counted and gone")
        book.count_due_on = date.fromisoformat(data["next_due_on"])

    def _overdue(self, where: str, data: Any) -> None:
        book = self.assets[data["asset_id"]]
        right = data["dispose_by"] == book.dispose_by.isoformat() and not book.overdue
        require(right, f"{where}: {data['asset_id']} is overdue since {data['dispose_by']}")
        book.overdue = True

    # --- the sale -----------------------------------------------------------------------------------------------

    def _failed_auction(self, _where: str, data: Any) -> None:
        self.assets[data["asset_id"]].auctions += 1

    def _proposed(self, where: str, data: Any) -> None:
        name, book = data["asset_id"], self.assets[data["asset_id"]]
        require(book.disposal is None and not book.disposed, f"{where}: {name} is sold twice")
        by_auction = data["manner"] == "auction"
        lawful = by_auction or book.auctions or data["reason"]
        require(bool(lawful), f"{where}: {name} is sold by {data['manner']} and no auction failed")
        if by_auction:
            require(data["price_fen"] >= data["reserve_fen"], f"{where}: {name} goes below its reserve")
        itself = data["buyer_account"] == book.settled["borrower_account"]
        require(not itself, f"{where}: {name} goes back to its debtor")
        self._costs(where, data, book.settled)
        book.disposal, book.people, book.left = data, [data["proposed_by"]], list(_STEPS)
        book.until = date.fromisoformat(data["sign_until"])
        right = book.until == date.fromisoformat(data["proposed_on"]) + _SIGNING
        require(right, f"{where}: the sale of {name} is signed until {book.until}")
        self._another(where, book, data["proposed_by"], name)

    def _costs(self, where: str, data: Any, settled: Any) -> None:
        """What is paid before the holders is nobody's of them, and leaves them most of it."""
        name, payee = data["asset_id"], data["cost_account"]
        holders = [share["account_id"] for share in settled["shares"]]
        parties = (
            data["buyer_account"],
            settled["borrower_account"],
            *holders,
            FEE_ACCOUNT,
            MARKETING_ACCOUNT,
        )
        require(
            payee not in parties, f"{where}: what the sale of {name} costs is paid to a part of it: {payee}"
        )
        few = data["cost_fen"] * _COST_OF <= data["price_fen"]
        require(few, f"{where}: the sale of {name} costs {data['cost_fen']} of {data['price_fen']}")

    def _signed(self, where: str, data: Any) -> None:
        name, book = data["asset_id"], self.assets[data["asset_id"]]
        require(book.left[:1] == [data["step"]], f"{where}: {name} waits for {book.left}")
        again = data["signer"] in book.people
        require(not again, f"{where}: {data['signer']} signs the sale of {name} a second time")
        in_time = date.fromisoformat(data["signed_on"]) <= book.until
        require(in_time, f"{where}: the sale of {name} is signed after {book.until}")
        self._another(where, book, data["signer"], name)
        book.people.append(data["signer"])
        book.left.pop(0)

    def _another(self, where: str, book: AssetBook, who: str, name: str) -> None:
        """Neither who gave it, nor who has a share in it, nor who buys it, nor who is paid what its sale costs."""
        shares = [share["investor"] for share in book.settled["shares"]]
        ends = [book.disposal[each] for each in ("buyer_account", "cost_account") if book.disposal[each]]
        parties = {book.settled["borrower"], *shares, *(f"usr_{end.removeprefix('acc_')}" for end in ends)}
        require(customer_behind(who) not in parties, f"{where}: {who} has a part in {name} himself")

    def _sold(self, where: str, data: Any) -> None:
        name, book = data["asset_id"], self.assets[data["asset_id"]]
        require(not book.left, f"{where}: {name} is sold before {book.left} have signed")
        said = data["price_fen"], data["buyer_account"]
        right = book.disposal["price_fen"], book.disposal["buyer_account"]
        require(said == right, f"{where}: {name} is sold as {said}, signed was {right}")
        book.sold = True

    def _debited(self, where: str, data: Any) -> None:
        name, book = data["asset_id"], self.assets[data["asset_id"]]
        said = data["amount_fen"], data["account_id"]
        right = book.disposal["price_fen"], book.disposal["buyer_account"]
        require(book.sold and said == right, f"{where}: {name} is paid by {said}, sold for {right}")
        require(not book.paid_fen, f"{where}: {name} is paid again")
        book.paid_fen = data["amount_fen"]

    def _failed(self, where: str, data: Any) -> None:
        book = self.assets[data["asset_id"]]
        require(not book.paid_fen, f"{where}: {data['asset_id']} is paid and not sold")
        self._another(where, book, data["refused_by"], data["asset_id"])
        book.disposal, book.sold = None, False

    def _disposed(self, where: str, data: Any) -> None:
        name, book = data["asset_id"], self.assets[data["asset_id"]]
        require(book.paid_fen == data["price_fen"], f"{where}: {name} is disposed of for {book.paid_fen}")
        total = sum(line["amount_fen"] for line in data["lines"])
        require(total == data["price_fen"], f"{where}: {name} brings {data['price_fen']}, goes on {total}")
        got = {
            part: sum(line["amount_fen"] for line in data["lines"] if line["part"] == part)
            for part in ("cost", "holder", "debtor")
        }
        require(got["cost"] == book.disposal["cost_fen"], f"{where}: {name} costs {got['cost']}")
        settled, agreed = book.settled["settled_fen"], book.settled["terms"]["remainder_to_debtor"]
        left = data["price_fen"] - got["cost"]
        right = min(left, settled) if agreed else left
        require(got["holder"] == right, f"{where}: the holders of {name} get {got['holder']}, not {right}")
        self._shared(where, data, book, right)
        book.disposed = True
        for line in data["lines"]:
            self.owed[data["disposal_id"], line["line_id"]] = line

    def _shared(self, where: str, data: Any, book: AssetBook, held_fen: int) -> None:
        lines = {line["line_id"]: line for line in data["lines"] if line["part"] == "holder"}
        shares = {share["claim_id"]: share for share in book.settled["shares"]}
        require(lines.keys() == shares.keys(), f"{where}: {data['asset_id']} is shared by {list(lines)}")
        for claim, share in shares.items():
            line, whole = lines[claim], book.settled["settled_fen"]
            near = abs(line["amount_fen"] * whole - held_fen * share["amount_fen"]) < whole
            right = near and line["account_id"] == share["account_id"]
            right = right and line["principal_fen"] == share["principal_fen"]
            require(right, f"{where}: {claim} gets {line['amount_fen']} of {data['asset_id']}")

    def _credited(self, where: str, data: Any) -> None:
        line = self.owed.pop((data["disposal_id"], data["line_id"]), None)
        fields = ("amount_fen", "account_id", "principal_fen", "part")
        right = line is not None and all(data[each] == line[each] for each in fields)
        require(
            right, f"{where}: {data['account_id']} is credited {data['amount_fen']} of {data['asset_id']}"
        )


_HANDLERS: dict[str, Callable[[AssetBooks, str, Any], None]] = {
    "repayment.LoanOpened.v1": AssetBooks._opened,
    "repayment.DebtSettledInKind.v1": AssetBooks._settled,
    "repayment.AssetTaken.v1": AssetBooks._taken,
    "repayment.AssetCounted.v1": AssetBooks._counted,
    "repayment.AssetCountMissed.v1": AssetBooks._counted,
    "repayment.AssetDisposalOverdue.v1": AssetBooks._overdue,
    "repayment.AssetAuctionFailed.v1": AssetBooks._failed_auction,
    "repayment.AssetDisposalProposed.v1": AssetBooks._proposed,
    "repayment.AssetDisposalSigned.v1": AssetBooks._signed,
    "repayment.AssetSold.v1": AssetBooks._sold,
    "bidding.AssetSaleDebited.v1": AssetBooks._debited,
    "repayment.AssetDisposalFailed.v1": AssetBooks._failed,
    "repayment.AssetDisposed.v1": AssetBooks._disposed,
    "bidding.AssetProceedsCredited.v1": AssetBooks._credited,
}
