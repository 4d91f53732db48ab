"""Whoever sells and buys claims: holders offer theirs, whole or in part, well or badly; buyers take what they see, often at once."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from services.bidding.commands.market import OpenOffer, TakeOffer, WithdrawOffer
from tools.simulator.people import Api


@dataclass(slots=True)
class ClaimSight:
    """A claim as its holder sees it."""

    claim_id: str
    loan_id: str
    holder: str
    outstanding_fen: int
    for_sale: bool = False


@dataclass(slots=True)
class OfferSight:
    """An offer in the order book."""

    offer_id: str
    seller: str
    maximum_fen: int
    is_taken: bool = False


@dataclass(slots=True)
class MarketSight:
    """What they know: everybody's claims, the order book, and what the accounts have."""

    claims: dict[str, ClaimSight] = field(default_factory=dict)
    offers: dict[str, OfferSight] = field(default_factory=dict)
    available_fen: dict[str, int] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if "available_after_fen" in data:
            self.available_fen[data["owner"]] = data["available_after_fen"]
        if name == "LoanOpened":
            for claim in data["claims"]:
                self._claim(data["loan_id"], claim)
        elif name == "ClaimTransferred":
            sold = self.claims[data["sold_claim_id"]]
            sold.outstanding_fen, sold.for_sale = data["left_fen"], False
            self._claim(data["loan_id"], data["claim"])
        elif name == "ClaimsSubrogated":
            self._claim(data["loan_id"], data["claim"])
        elif name == "RepaymentDistributed":
            for line in data["lines"]:
                self.claims[line["claim_id"]].outstanding_fen -= line["principal_fen"]
        elif name == "LoanRestated":
            for claim in data["standing"]["claims"]:
                self.claims[claim["claim_id"]].outstanding_fen = claim["principal_fen"]
        elif name == "OfferOpened":
            self.offers[data["offer_id"]] = OfferSight(data["offer_id"], data["seller"], data["maximum_fen"])
        elif name in ("OfferTaken", "OfferReopened"):
            self.offers[data["offer_id"]].is_taken = name == "OfferTaken"
        elif name in ("ClaimReserved", "ReservationReleased"):
            self.claims[data["claim_id"]].for_sale = name == "ClaimReserved"
        elif name in ("OfferWithdrawn", "OfferExpired", "OfferClosed", "OfferSettled"):
            self.offers.pop(data["offer_id"], None)

    def _claim(self, loan_id: str, claim: Any) -> None:
        self.claims[claim["claim_id"]] = ClaimSight(
            claim["claim_id"], loan_id, claim["investor"], claim["principal_fen"]
        )


class Traders:
    """All of them."""

    def __init__(self, rng: Random, api: Api) -> None:
        self.sight = MarketSight()
        self._rng = rng
        self._api = api
        self._numbers = 0

    @property
    def has_work(self) -> bool:
        """Whether anybody holds anything."""
        return bool(self.sight.claims)

    def act(self) -> None:
        """One thing on the market."""
        chance = self._rng.random()
        if not self.sight.offers or chance < 0.4:
            self._offer()
        elif chance < 0.93:
            self._take()
        else:
            self._withdraw()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _offer(self) -> None:
        """Mostly one's own claim at a price within the band; sometimes a part that is too small or leaves too little."""
        held = [claim for claim in self.sight.claims.values() if claim.outstanding_fen]
        if not held:
            return
        free = [claim for claim in held if not claim.for_sale]
        claim = self._rng.choice(free if free and self._rng.random() < 0.9 else held)
        whole = claim.outstanding_fen
        offer = OpenOffer(
            offer_id=f"offer_{self._number()}",
            seller=claim.holder if self._rng.random() < 0.95 else "usr_stranger",
            claim_id=claim.claim_id,
            loan_id=claim.loan_id,
            price_permille=self._rng.choice((900, 950, 995, 1_000, 1_007, 1_100, 1_200)),
            principal_fen=self._rng.choice((None, None, whole // 2, whole // 3, 10_000, whole)) or None,
            window_days=self._rng.choice((1, 3, 10, 10, 11)),
        )
        self._api.ask("bidding", offer.offer_id, offer, principal=offer.seller)

    def _take(self) -> None:
        """One or two buyers at once, who hold enough mostly."""
        offers = list(self.sight.offers.values())
        still = [offer for offer in offers if not offer.is_taken]
        offer = self._rng.choice(still if still and self._rng.random() < 0.9 else offers)
        has = self.sight.available_fen.items()
        rich = [who for who, available in has if available >= offer.maximum_fen and who != offer.seller]
        if self._rng.random() < 0.05:
            rich = [offer.seller]
        for _ in range(self._rng.choice((1, 1, 2))):
            buyer = self._rng.choice(rich or ["usr_stranger"])
            take = TakeOffer(
                hold_id=f"hold_t{self._number()}",
                offer_id=offer.offer_id if self._rng.random() < 0.98 else "offer_none",
                maximum_fen=max(1, offer.maximum_fen + self._rng.choice((0, 0, 0, 0, 500, -1))),
            )
            self._api.ask("bidding", f"acc_{buyer.removeprefix('usr_')}", take, principal=buyer)

    def _withdraw(self) -> None:
        offer = self._rng.choice(list(self.sight.offers.values()))
        who = offer.seller if self._rng.random() < 0.8 else "usr_stranger"
        self._api.ask("bidding", offer.offer_id, WithdrawOffer(), principal=who)
