"""Whoever gives vouchers away, the bank that pays for them, and investors who redeem them: their own, and now and then another's."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from services.bidding.commands import vouchers
from tools.simulator.himself import customer_behind, member_of_staff
from tools.simulator.people import Api
from tools.simulator.played_bank import PlayedBank

_YUAN = 100


@dataclass(slots=True)
class VoucherSight:
    """What they know: the loans that are open for bids, who lends, the vouchers that have not ended, what is left to grant."""

    loans: dict[str, None] = field(default_factory=dict)
    lenders: dict[str, None] = field(default_factory=dict)
    vouchers: dict[str, str] = field(default_factory=dict)
    balance_fen: int = 0
    reserved_fen: int = 0

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name == "ListingOpened":
            self.loans[data["loan_id"]] = None
        elif name in ("ListingExpired", "ListingCancelled", "FundsCollected"):
            self.loans.pop(data["loan_id"], None)
        elif name == "BidPlaced":
            self.lenders[data["bid"]["investor"]] = None
        elif name in ("MarketingFunded", "VoucherPaid"):
            self.balance_fen = data["balance_after_fen"]
        elif name == "VoucherGranted":
            self.vouchers[data["voucher_id"]] = data["investor"]
        if name in ("VoucherPaid", "VoucherExpired"):
            self.vouchers.pop(data["voucher_id"], None)
        self.reserved_fen = data.get("reserved_after_fen", self.reserved_fen)


class Promoters:
    """All of them."""

    def __init__(self, rng: Random, api: Api, bank: PlayedBank) -> None:
        self.sight = VoucherSight()
        self._bank = bank
        self._rng = rng
        self._api = api
        self._numbers = 0

    def act(self, today: date) -> None:
        """One thing about a voucher."""
        seen, chance = self.sight, self._rng.random()
        if chance < 0.15 or not seen.balance_fen:
            self._fund(today)
        elif seen.lenders and (chance < 0.5 or not seen.vouchers):
            self._grant(today)
        elif seen.vouchers:
            self._redeem()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _fund(self, today: date) -> None:
        booking = f"bankref_m{self._rng.choice((self._number(), max(1, self._numbers - 1)))}"
        money = vouchers.FundMarketing(booking_id=booking, amount_fen=self._rng.choice((50, 50, 200)) * _YUAN)
        self._bank.book(today, booking.removeprefix("bankref_"), vouchers.MARKETING_ACCOUNT, money.amount_fen)
        self._ask(money, "bank")

    def _grant(self, today: date) -> None:
        left_fen = self.sight.balance_fen - self.sight.reserved_fen
        grant = vouchers.GrantVoucher(
            voucher_id=f"vch_{self._number()}",
            investor=self._rng.choice(list(self.sight.lenders)),
            amount_fen=max(1, self._rng.choice((left_fen, left_fen + 1, left_fen // 2, 10 * _YUAN))),
            bid_min_fen=self._rng.choice((1, 100 * _YUAN, 100 * _YUAN, 50_000 * _YUAN)),
            valid_to=today + timedelta(days=self._rng.randint(0, 5)),
            tenor_min_months=(None, None, 3, 12)[self._numbers % 4],
        )
        # Every fifth would be his own, who grants it.
        promoter = "stf_promoter" if self._numbers % 5 else member_of_staff(grant.investor)
        self._ask(replace(grant, himself=customer_behind(promoter)), promoter)

    def _redeem(self) -> None:
        voucher = self._rng.choice(list(self.sight.vouchers))
        holder = self.sight.vouchers[voucher] if self._rng.random() < 0.9 else "usr_stranger"
        loan = self._rng.choice(list(self.sight.loans) or ["loan_none"])
        self._ask(vouchers.RedeemVoucher(voucher_id=voucher, loan_id=loan), holder)

    def _ask(self, command: Any, principal: str) -> None:
        self._api.ask("bidding", vouchers.MARKETING_STREAM, command, principal=principal)
