"""Investors with standing orders: they set them up, change, pause, resume and end them, and now and then somebody else's."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from libs.events.standing import OrderTerms
from services.bidding.commands import standing
from services.bidding.domain.standing_text import TEXT_HASH
from tools.simulator.people import Api

_YUAN = 100
#: More than anybody has: such an order cannot pay for anything.
_ALL = 10**9 * _YUAN


@dataclass(slots=True)
class OrderSight:
    """What they know: whose order is whose."""

    orders: dict[str, str] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        if kind == "bidding.StandingOrderOpened.v1":
            self.orders[data["owner"]] = data["order_id"]
        elif kind == "bidding.StandingOrderEnded.v1":
            self.orders.pop(data["owner"], None)


class OrderOwners:
    """All of them: some of the people, so that there are bids by hand beside."""

    def __init__(self, rng: Random, api: Api, people: list[str]) -> None:
        self.sight = OrderSight()
        self._rng = rng
        self._api = api
        self._people = people[: max(2, 2 * len(people) // 3)]
        self._numbers = 0

    def act(self) -> None:
        """One thing about an order."""
        owner, chance = self._rng.choice(self._people), self._rng.random()
        order = self.sight.orders.get(owner)
        if order is None or chance < 0.05:
            self._open(owner)
            return
        who = owner if chance < 0.9 else "usr_stranger"
        if chance < 0.35:
            self._ask(standing.ChangeStandingOrder(order_id=order, terms=self._terms()), who)
        elif chance < 0.5:
            self._ask(standing.PauseStandingOrder(order_id=order), who)
        elif chance < 0.8:
            self._ask(standing.ResumeStandingOrder(order_id=order), who)
        else:
            self._ask(standing.EndStandingOrder(order_id=order), who)

    def _open(self, owner: str) -> None:
        self._numbers += 1
        unread = self._rng.random() < 0.05
        order = standing.OpenStandingOrder(
            order_id=f"sto_{self._numbers}",
            terms=self._terms(),
            text_hash="0" * 64 if unread else TEXT_HASH,
        )
        self._ask(order, owner if self._rng.random() < 0.95 else "stf_sales")

    def _terms(self) -> OrderTerms:
        rng = self._rng
        return OrderTerms(
            grades=rng.choice((("A", "B", "C"), ("A", "B", "C", "D", "E"), ("A",), ("B", "C"))),
            annual_rate_min=Decimal(rng.choice(("0", "0", "0.08", "0.1199"))),
            tenor_months_max=rng.choice((1, 12, 120)),
            loan_max_fen=rng.choice((100, 199, 300, 500, 1_000, 50_000)) * _YUAN,
            keep_back_fen=rng.choice((0, 0, 0, 1, 500 * _YUAN, _ALL)),
            total_max_fen=rng.choice((None, None, 1_000 * _YUAN, 2_550 * _YUAN)),
        )

    def _ask(self, command: Any, principal: str) -> None:
        self._api.ask("bidding", standing.QUEUE_STREAM, command, principal=principal)
