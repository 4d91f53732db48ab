"""Clerks over deal packs, who also see to vouchers: they sign their steps, now and then the wrong one or a second one, and lenders say what they want."""

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any, Final

from services.bidding.commands import papers
from tools.simulator.himself import customer_behind
from tools.simulator.people import Api
from tools.simulator.played_bank import PlayedBank
from tools.simulator.promoters import Promoters

_STEPS: Final[dict[str, Any]] = {
    "receipt": papers.ConfirmReceipt(),
    "claim_list": papers.IssueClaimList(),
    "review": papers.ReviewDealPack(),
    "seal_legal_representative": papers.SealDealPack(seal="legal_representative"),
    "seal_company": papers.SealDealPack(seal="company"),
    "seal_guarantor": papers.SealDealPack(seal="guarantor"),
    "delivery": papers.DeliverDealPack(),
}


@dataclass(slots=True)
class PackSight:
    """A pack as people see it."""

    pack_id: str
    investor: str
    next_step: str
    is_wanted: bool = False
    """Its lender has said how he wants it."""


@dataclass(slots=True)
class PackDesk:
    """What clerks and lenders know: the packs that are not delivered."""

    packs: dict[str, PackSight] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name == "DealPackOpened":
            self.packs[data["pack_id"]] = PackSight(data["pack_id"], data["investor"], data["next_step"])
        elif name == "DealPackDelivered":
            self.packs.pop(data["pack_id"], None)
        elif name == "DeliveryChosen" and data["pack_id"] in self.packs:
            self.packs[data["pack_id"]].is_wanted = True
        elif kind.startswith("bidding.") and "next_step" in data and data.get("pack_id") in self.packs:
            self.packs[data["pack_id"]].next_step = data["next_step"]


class Clerks:
    """All of them, and the lenders in so far as they wait for papers."""

    def __init__(self, rng: Random, api: Api, bank: PlayedBank) -> None:
        self.sight = PackDesk()
        self._rng = rng
        self._api = api
        self._promoters = Promoters(rng, api, bank)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        self.sight.fold(kind, data)
        self._promoters.sight.fold(kind, data)

    @property
    def has_work(self) -> bool:
        """Whether a pack waits for anybody."""
        return bool(self.sight.packs)

    def act(self, today: date) -> None:
        """One thing that is done about a pack, or about a voucher."""
        if self._rng.random() < 0.4:
            self._promoters.act(today)
            return
        pack = self._rng.choice(list(self.sight.packs.values()))
        if not pack.is_wanted and (pack.next_step == "delivery" or self._rng.random() < 0.1):
            self._choose(pack)
            return
        chance = self._rng.random()
        step = pack.next_step if chance < 0.85 else self._rng.choice(list(_STEPS))
        command = _STEPS[step]
        if step == "review" and self._rng.random() < 0.15:
            command = papers.ReviewDealPack(sent_back="wrong_list")
        signer = f"stf_{step}" if self._rng.random() < 0.8 else f"stf_{self._rng.choice(list(_STEPS))}"
        signed = replace(command, himself=customer_behind(signer))
        self._api.ask("bidding", pack.pack_id, signed, principal=signer)

    def _choose(self, pack: PackSight) -> None:
        stranger = self._rng.random() < 0.1
        self._api.ask(
            "bidding",
            pack.pack_id,
            papers.ChooseDelivery(channel=self._rng.choice(("post", "email"))),
            principal="usr_stranger" if stranger else pack.investor,
        )
