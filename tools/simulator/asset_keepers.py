"""The people who take things for debts, keep, count and sell them, and the lenders whom they ask: mostly in order, now and then not.

They act on a day's beginning and on what they see, by draws of their own, so that nobody else's traffic changes.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from libs.events.in_kind import AssetKind, SettlementInKind
from services.repayment.commands.assets import (
    CountAsset,
    ProposeDisposal,
    RecordFailedAuction,
    SignDisposal,
)
from services.repayment.commands.measures import ProposeMeasure, SignMeasure, VoteOnMandate
from tools.simulator.himself import customer_behind, member_of_staff
from tools.simulator.people import Api

#: Measures of theirs begin so: nobody else signs them.
MINE: Final = "msr_kind"
_POSTS: Final[dict[str, str]] = {
    "legal": "stf_lg1",
    "risk": "stf_rk1",
    "general_manager": "stf_gm1",
    "finance_supervisor": "stf_fs1",
}
_KINDS: Final[tuple[AssetKind, ...]] = ("real_estate", "shares", "rights", "movables")
_ASKS: Final = 24


@dataclass(slots=True)
class AssetSight:
    """What they know."""

    lent: dict[str, date] = field(default_factory=dict)
    """From when each loan is."""
    late: dict[str, None] = field(default_factory=dict)
    overdue_fen: dict[str, int] = field(default_factory=dict)
    assets: dict[str, int] = field(default_factory=dict)
    """What each that is kept settled."""
    parties: dict[str, list[str]] = field(default_factory=dict)
    """Who gave each, and who has a share in it."""
    payees: dict[str, list[str]] = field(default_factory=dict)
    """Whom the cost of a sale that is under way is paid to."""
    under_way: dict[str, str] = field(default_factory=dict)
    available_fen: dict[str, int] = field(default_factory=dict)


def _owners(account: str) -> list[str]:
    return [f"usr_{account.removeprefix('acc_')}"] if account else []


class AssetKeepers:
    """All of them."""

    def __init__(self, rng: Random, api: Api) -> None:
        self.sight = AssetSight()
        self._rng = rng
        self._api = api
        self._numbers = 0

    def new_day(self, today: date) -> None:
        """A thing for a loan that is late, and something done with each asset."""
        late = list(self.sight.late)
        if late and self._numbers < _ASKS:
            self._propose(self._rng.choice(late), today)
        for asset in list(self.sight.assets):
            self._keep(asset)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event, and do what it asks for."""
        name = kind.split(".")[1]
        if "available_after_fen" in data:
            self.sight.available_fen[data["account_id"]] = data["available_after_fen"]
        if name == "LoanOpened":
            self.sight.lent[data["loan_id"]] = date.fromisoformat(data["funded_on"])
        elif name == "PaymentMissed":
            self.sight.late[data["loan_id"]] = None
            self.sight.overdue_fen[data["loan_id"]] = data["open_fen"]
        elif name == "LoanRepaid":
            self.sight.late.pop(data["loan_id"], None)
        elif str(data.get("measure_id", "")).startswith(MINE):
            self._measure(name, data)
        elif name.startswith("AssetDispos"):
            self._sale(name, data)

    def _measure(self, name: str, data: Any) -> None:
        measure = data["measure_id"]
        if name == "MeasureAdmitted":
            self._sign(measure, data["steps"][0])
        elif name == "MeasureSigned" and data["next_step"]:
            self._sign(measure, data["next_step"])
        elif name == "MandateAsked":
            for voter in data["voters"]:
                if self._rng.random() < 0.97:
                    self._ask(measure, VoteOnMandate(agrees=True), voter["investor"])
        elif name == "AssetTaken":
            self.sight.assets[data["asset_id"]] = data["settled_fen"]
            holders = [share["investor"] for share in data["shares"]]
            self.sight.parties[data["asset_id"]] = [data["borrower"], *holders]

    def _sale(self, name: str, data: Any) -> None:
        asset, disposal = data["asset_id"], data.get("disposal_id", "")
        if name == "AssetDisposalProposed":
            self.sight.under_way[asset] = disposal
            self.sight.payees[asset] = _owners(data["cost_account"])
            self._agree(asset, disposal, "finance_supervisor", data["proposed_by"])
        elif name == "AssetDisposalSigned" and data["next_step"]:
            self._agree(asset, disposal, data["next_step"], data["signer"])
        elif name == "AssetDisposalFailed":
            self.sight.under_way.pop(asset, None)
        elif name == "AssetDisposed":
            self.sight.assets.pop(asset, None)

    def _ask(self, stream: str, command: Any, principal: str) -> None:
        self._api.ask("repayment", stream, command, principal=principal)

    def _propose(self, loan: str, today: date) -> None:
        self._numbers += 1
        asset = self._rng.choice(_KINDS)
        agreed = self._rng.choice((1, self.sight.overdue_fen[loan], 10_000_000_00, 10_000_000_00))
        days = self._rng.choice((1, 30, 362, 360, 725))
        acquired = max(today - timedelta(days=days), self.sight.lent[loan])
        terms = SettlementInKind(
            asset=asset,
            agreed_fen=max(1, agreed),
            valued_fen=max(1, agreed - (self._rng.random() < 0.05)) if agreed > 1 else 1,
            valued_on=today,
            valuer="val:1",
            valuation="vault:2",
            ground="award" if self._rng.random() < 0.5 else "agreement",
            acquired_on=acquired,
            title="vault:3",
            keeper="keep:1",
            cash_impossible="vault:4",
            remainder_to_debtor=self._rng.random() < 0.5,
            valid_to=today + timedelta(days=40) if asset == "rights" else None,
        )
        proposal = ProposeMeasure(
            measure_id=f"{MINE}{self._numbers}",
            loan_id=loan,
            terms=terms,
            reason="no_cash",
            evidence=("vault:1",),
        )
        self._ask(proposal.measure_id, proposal, "stf_col")

    def _sign(self, measure: str, step: Any) -> None:
        if self._rng.random() < 0.15:
            self._ask(measure, SignMeasure(step=step), "stf_col")
        self._ask(measure, SignMeasure(step=step), _POSTS[step])

    def _agree(self, asset: str, disposal: str, step: Any, before: str) -> None:
        """Now and then whoever was before tries again, or somebody of the staff who has a part in it; and now and then nobody signs."""
        if self._rng.random() < 0.3:
            self._agreed(asset, SignDisposal(disposal_id=disposal, step=step), before)
        if self._rng.random() < 0.3:
            parties = [*self.sight.parties[asset], *self.sight.payees[asset] * 3]
            party = member_of_staff(self._rng.choice(parties))
            code = "price_too_low" if self._rng.random() < 0.3 else None
            self._agreed(asset, SignDisposal(disposal_id=disposal, step=step, refused=code), party)
        if self._rng.random() < 0.1:
            return
        refused = "price_too_low" if self._rng.random() < 0.05 else None
        self._agreed(asset, SignDisposal(disposal_id=disposal, step=step, refused=refused), _POSTS[step])

    def _agreed(self, asset: str, command: SignDisposal, who: str) -> None:
        self._ask(asset, replace(command, himself=customer_behind(who)), who)

    def _keep(self, asset: str) -> None:
        self._numbers += 1
        chance = self._rng.random()
        if chance < 0.1:
            self._ask(asset, CountAsset(found=True, paper=f"count:{self._numbers}"), "stf_kp1")
        elif chance < 0.3:
            failed = RecordFailedAuction(reserve_fen=1, report=f"auction:{self._numbers}")
            self._ask(asset, failed, "stf_kp1")
        elif asset not in self.sight.under_way:
            self._sell(asset)

    def _payee(self, asset: str, buyer: str) -> str:
        """Mostly somebody who has no part in it."""
        known = sorted(self.sight.available_fen)
        parties = {buyer, *(f"acc_{who.removeprefix('usr_')}" for who in self.sight.parties[asset])}
        others = [account for account in known if account not in parties]
        among = others if others and self._rng.random() < 0.9 else known
        return self._rng.choice(among) if among else ""

    def _sell(self, asset: str) -> None:
        """To one who has the money, mostly; for less than it settled, or more."""
        rich = sorted(self.sight.available_fen.items(), key=lambda one: (-one[1], one[0]))
        buyer, has_fen = self._rng.choice(rich[:3]) if rich else ("acc_none", 0)
        settled = self.sight.assets[asset]
        wanted = self._rng.choice((settled // 2, settled, settled + 777))
        price = max(1, min(wanted, has_fen) if self._rng.random() < 0.9 else has_fen + 1)
        by_auction = self._rng.random() < 0.6
        cost = self._rng.choice((0, min(price // 5, 99), min(price, 99)))
        payee = self._payee(asset, buyer) if cost else ""
        keeper = "stf_kp1"
        if self._rng.random() < 0.3:
            keeper = member_of_staff(self._rng.choice([*self.sight.parties[asset], *_owners(payee) * 2]))
        sale = ProposeDisposal(
            disposal_id=f"dsp_{self._numbers}",
            manner="auction" if by_auction else "agreement",
            price_fen=price,
            buyer_account=buyer if self._rng.random() < 0.95 else "acc_none",
            paper="vault:9",
            reserve_fen=max(1, price - self._rng.choice((-1, 0, 5, 5))) if by_auction else None,
            cost_fen=cost,
            cost_account=payee,
            himself=customer_behind(keeper),
        )
        self._ask(asset, sale, keeper)
