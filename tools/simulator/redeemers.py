"""Lenders who need their money at once, and the five people who look at it: mostly in order, now and then the wrong one or twice."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from libs.events.redemption import Approval
from services.bidding.commands.market import WithdrawOffer
from services.bidding.commands.redemption import AskRedemption, ReleaseRedemption, SignRedemption
from services.onboarding.commands import AppointStaff
from tools.simulator.people import Api

_APPROVALS: Final[tuple[Approval, ...]] = (
    "market_specialist",
    "department_head",
    "branch_general_manager",
    "market_director",
)
#: An offer that stood for so long is evidence, whatever days were free; a shorter one may be.
_LONG: Final = timedelta(days=5)
#: Of so many forms one is left lying until its deadline.
_LEFT_LYING: Final = 4
#: Who holds the post of each step; the first of each is a customer, too.
_POSTS: Final[dict[str, tuple[str, str]]] = {
    "market_specialist": ("stf_ms1", "stf_ms2"),
    "department_head": ("stf_dh1", "stf_dh2"),
    "branch_general_manager": ("stf_bg1", "stf_bg2"),
    "market_director": ("stf_md1", "stf_md2"),
    "release": ("stf_cash1", "stf_cash2"),
}


@dataclass(slots=True)
class RedeemerSight:
    """What they know: offers that stand, stayed unsold, or are no evidence, redemptions by what they wait for, and sales of theirs."""

    standing: dict[str, str] = field(default_factory=dict)
    no_evidence: dict[str, str] = field(default_factory=dict)
    unsold: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    signers: dict[str, list[str]] = field(default_factory=dict)
    for_sale: dict[str, tuple[str, str]] = field(default_factory=dict)
    is_user: dict[str, str] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name.startswith("Redemption"):
            self._redemption(name, data)
        elif name.startswith("Offer"):
            self._offer(name, data)
        elif name == "StaffAppointed" and data["user_id"] is not None:
            self.is_user[data["staff_id"]] = data["user_id"]

    def _offer(self, name: str, data: Any) -> None:
        if name == "OfferOpened":
            self.standing[data["offer_id"]] = data["seller"]
        elif name in ("OfferExpired", "OfferWithdrawn", "OfferClosed", "OfferSettled", "OfferRefused"):
            ended_on = data.get("expired_on") or data.get("withdrawn_on") or data.get("opened_on")
            if data["offer_id"] in self.standing:
                days = date.fromisoformat(ended_on) - date.fromisoformat(data["opened_on"])
                known = self.unsold if days >= _LONG else self.no_evidence
                known[data["offer_id"]] = self.standing.pop(data["offer_id"])
            self.for_sale.pop(data["redemption_id"], None)

    def _redemption(self, name: str, data: Any) -> None:
        one = data["redemption_id"]
        if name in ("RedemptionFormCompleted", "RedemptionApproved"):
            self.waiting[one] = data["next_step"]
            self.signers.setdefault(one, []).extend([data["signer"]] if "signer" in data else [])
        elif name == "RedemptionReleased":
            self.waiting.pop(one)
            self.for_sale[one] = data["sale_offer_id"], data["investor"]
        elif name in ("RedemptionRefused", "RedemptionReleaseRefused", "RedemptionSold", "RedemptionLapsed"):
            self.waiting.pop(one, None)
            self.for_sale.pop(one, None)


class Redeemers:
    """All of them."""

    def __init__(self, rng: Random, api: Api, people: list[str], *, onboarding: bool, asks: int) -> None:
        self.sight = RedeemerSight()
        self._rng = rng
        self._api = api
        self._left = asks
        self._numbers = 0
        self._people = people
        self._to_appoint = [posts[0] for posts in _POSTS.values()] if onboarding else []

    @property
    def has_work(self) -> bool:
        """Whether anybody waits for his money, or might."""
        return bool(self._on_the_desk() or (self._left and self.sight.unsold))

    def act(self) -> None:
        """One form or one signature. Everybody knows who of the staff is a customer before the first of them signs."""
        if self._to_appoint:
            self._appoint(self._to_appoint.pop())
        elif (forms := self._on_the_desk()) and self._rng.random() < 0.8:
            self._sign(self._rng.choice(forms))
        elif self._left:
            self._ask()

    def finish(self) -> bool:
        """No sale is left in the order book when everybody goes home."""
        if not self.sight.for_sale or not self._api.is_quiet:
            return False
        for offer, investor in self.sight.for_sale.values():
            self._api.ask("bidding", offer, WithdrawOffer(), principal=investor)
        return True

    def _on_the_desk(self) -> list[str]:
        return [one for one in self.sight.waiting if int(one.rpartition("_")[2]) % _LEFT_LYING]

    def _appoint(self, staff: str) -> None:
        role = next(step for step, (first, _) in _POSTS.items() if first == staff)
        himself = self._people[len(self._to_appoint) % len(self._people)]
        appointed = AppointStaff(
            staff_id=staff, roles=("cashier" if role == "release" else role,), user_id=himself
        )
        self._api.ask("onboarding", staff, appointed, principal="stf_admin")

    def _ask(self) -> None:
        """Mostly on an offer that stayed unsold; sometimes on one that stands, was sold, never was, or is a stranger's."""
        seen, self._left = self.sight, self._left - 1
        others = {**seen.standing, **seen.no_evidence, "offer_none": "usr_0"}
        known = list((seen.unsold if seen.unsold and self._rng.random() < 0.85 else others).items())
        offer, seller = self._rng.choice(known)
        self._numbers += 1
        form = AskRedemption(
            redemption_id=f"rdm_{self._numbers}",
            offer_id=offer,
            reason=self._rng.choice(("illness", "job_loss", "other")),
            price_permille=self._rng.choice((900, 950, 950, 1_000, 1_000, 899)),
            principal_fen=self._rng.choice((None, None, None, 100_00)),
        )
        who = seller if self._rng.random() < 0.95 else "usr_stranger"
        self._api.ask("bidding", form.redemption_id, form, principal=who)

    def _sign(self, one: str) -> None:
        step = self.sight.waiting[one]
        if self._rng.random() < 0.1:
            step = self._rng.choice(list(_POSTS))
        before = self.sight.signers[one]
        signer = self._rng.choice(before if before and self._rng.random() < 0.15 else _POSTS[step])
        himself = self.sight.is_user.get(signer)
        if step == "release":
            # Every ninth form, its number says so, is turned away at the till.
            refused = None if int(one.rpartition("_")[2]) % 9 else "not_proven"
            release = ReleaseRedemption(himself=himself, refused=refused)
            self._api.ask("bidding", one, release, principal=signer)
            return
        approval = next(each for each in _APPROVALS if each == step)
        refused = "not_proven" if self._rng.random() < 0.04 else None
        signature = SignRedemption(step=approval, refused=refused, himself=himself)
        self._api.ask("bidding", one, signature, principal=signer)
