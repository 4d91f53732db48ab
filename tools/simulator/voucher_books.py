"""Vouchers, kept once more from the log: never more promised than there is, each paid once, to whom it was given, for his part."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.paper_books import PaperBooks

#: How long after its last day a redeemed voucher may wait for the word of its loan.
_SETTLING = timedelta(days=10)


@dataclass(slots=True)
class VoucherBook:
    """One voucher: whose, how much, for which bid, until when; what it is redeemed for, and how it ended."""

    investor: str
    amount_fen: int
    bid_min_fen: int
    valid_to: date
    tenor_min_months: int
    loan: str | None = None
    ended: str | None = None
    credited: bool = False
    in_time_for: str | None = None
    """The claim that it waits to be paid for: it was redeemed, and then its loan was funded on its last day at the latest."""


@dataclass(slots=True)
class VoucherBooks:
    """All vouchers, beside the marketing account's money and what was collected."""

    books: Books
    papers: PaperBooks
    vouchers: dict[str, VoucherBook] = field(default_factory=dict)
    over: dict[str, str] = field(default_factory=dict)
    """Loans that were funded or will never be, with the command that the marketing account must hear of it."""
    paid_for: set[str] = field(default_factory=set)
    """Claims that a voucher was paid for: no other is."""

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def at_rest(self, last_closed: date | None, commands: Iterable[Any]) -> None:
        """Whoever was paid has the money, whatever a closed day ended has expired, and no loan's end was kept from the vouchers
        that may wait for it."""
        told = {(command.get("type"), command.get("data", {}).get("loan_id")) for command in commands}
        for loan, command in self.over.items():
            require((command, loan) in told, f"vouchers for {loan} wait for ever: no {command}")
        for name, voucher in self.vouchers.items():
            paid = voucher.ended == "paid"
            require(voucher.credited == paid, f"{name} is {voucher.ended} and credited: {voucher.credited}")
            waits = timedelta() if voucher.loan is None else _SETTLING
            is_over = last_closed is not None and voucher.valid_to + waits <= last_closed
            require(voucher.ended is not None or not is_over, f"{name} has not expired")

    def _funded(self, _where: str, data: Any) -> None:
        self.over[data["loan_id"]] = "bidding.SettleVouchers"
        for voucher in self.vouchers.values():
            if voucher.loan == data["loan_id"] and voucher.ended is None and _may_pay(voucher, data):
                claims = (claim for claim in data["claims"] if _fits(voucher, claim))
                voucher.in_time_for = next((claim["claim_id"] for claim in claims), None)

    def _never(self, _where: str, data: Any) -> None:
        self.over[data["loan_id"]] = "bidding.ReturnVouchers"

    def _open(self, where: str, data: Any) -> VoucherBook:
        voucher = self.vouchers[data["voucher_id"]]
        require(voucher.ended is None, f"{where}: {data['voucher_id']} was {voucher.ended}")
        require(voucher.investor == data["investor"], f"{where}: {data['voucher_id']} is another's")
        return voucher

    def _reserved(self, where: str, data: Any) -> int:
        reserved = sum(voucher.amount_fen for voucher in self.vouchers.values() if voucher.ended is None)
        require(reserved == data["reserved_after_fen"], f"{where}: reserved is {reserved}")
        return reserved

    def _granted(self, where: str, data: Any) -> None:
        require(data["voucher_id"] not in self.vouchers, f"{where}: {data['voucher_id']} is granted again")
        valid_to = date.fromisoformat(data["valid_to"])
        self.vouchers[data["voucher_id"]] = VoucherBook(
            data["investor"], data["amount_fen"], data["bid_min_fen"], valid_to, data["tenor_min_months"] or 0
        )
        reserved, has = self._reserved(where, data), self.books.balances["marketing:platform"]
        require(reserved <= has, f"{where}: {reserved} is promised, the marketing account has {has}")

    def _redeemed(self, where: str, data: Any) -> None:
        voucher = self._open(where, data)
        require(voucher.loan != data["loan_id"], f"{where}: {data['voucher_id']} is redeemed again")
        voucher.loan, voucher.in_time_for = data["loan_id"], None

    def _returned(self, where: str, data: Any) -> None:
        voucher = self._open(where, data)
        require(voucher.loan == data["loan_id"], f"{where}: {data['voucher_id']} comes back from elsewhere")
        voucher.loan = voucher.in_time_for = None

    def _paid(self, where: str, data: Any) -> None:
        voucher, name = self._open(where, data), data["voucher_id"]
        require(voucher.loan == data["loan_id"], f"{where}: {name} is paid for another loan")
        collected = self.papers.collected[data["loan_id"]]
        claim = next(each for each in collected["claims"] if each["claim_id"] == data["claim_id"])
        require(_in_time(voucher, collected), f"{where}: {name} is paid for a loan after its last day")
        require(_is_long(voucher, collected), f"{where}: {name} is paid for a loan that is too short")
        his = (claim["investor"], claim["account_id"]) == (voucher.investor, data["paid_to"])
        require(
            his and _fits(voucher, claim), f"{where}: {name} is paid for a part that is not his, or too small"
        )
        require(data["amount_fen"] == voucher.amount_fen, f"{where}: {name} pays {data['amount_fen']}")
        voucher.ended = "paid"
        self.paid_for.add(data["claim_id"])
        self._reserved(where, data)

    def _expired(self, where: str, data: Any) -> None:
        voucher = self._open(where, data)
        waits = voucher.in_time_for is not None and voucher.in_time_for not in self.paid_for
        require(
            not waits, f"{where}: {data['voucher_id']} was in time for {voucher.in_time_for}, and is over"
        )
        voucher.ended = "expired"
        self._reserved(where, data)

    def _credited(self, where: str, data: Any) -> None:
        voucher, name = self.vouchers[data["voucher_id"]], data["voucher_id"]
        require(voucher.ended == "paid" and not voucher.credited, f"{where}: {name} is credited unpaid")
        his = (data["owner"], data["amount_fen"]) == (voucher.investor, voucher.amount_fen)
        require(his, f"{where}: {name} is credited to {data['owner']}")
        voucher.credited = True


def _in_time(voucher: VoucherBook, collected: Any) -> bool:
    return date.fromisoformat(collected["funded_on"]) <= voucher.valid_to


def _is_long(voucher: VoucherBook, collected: Any) -> bool:
    long: bool = collected["tenor_months"] >= voucher.tenor_min_months
    return long


def _may_pay(voucher: VoucherBook, collected: Any) -> bool:
    return _in_time(voucher, collected) and _is_long(voucher, collected)


def _fits(voucher: VoucherBook, claim: Any) -> bool:
    his: bool = claim["investor"] == voucher.investor
    return his and claim["principal_fen"] >= voucher.bid_min_fen


_HANDLERS: dict[str, Callable[[VoucherBooks, str, Any], None]] = {
    "bidding.FundsCollected.v1": VoucherBooks._funded,
    "bidding.ListingExpired.v1": VoucherBooks._never,
    "bidding.ListingCancelled.v1": VoucherBooks._never,
    "bidding.ListingRefused.v1": VoucherBooks._never,
    "bidding.VoucherGranted.v1": VoucherBooks._granted,
    "bidding.VoucherRedeemed.v1": VoucherBooks._redeemed,
    "bidding.VoucherReturned.v1": VoucherBooks._returned,
    "bidding.VoucherPaid.v1": VoucherBooks._paid,
    "bidding.VoucherExpired.v1": VoucherBooks._expired,
    "bidding.VoucherCredited.v1": VoucherBooks._credited,
}
