"""Deal packs, kept once more from the log: every step in its turn and by another person, each pack overdue if it was late."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from tools.simulator.loan_books import require
from tools.simulator.paper_books import PaperBooks

#: Which step each event is; a seal's is that of the seal.
_STEPS: Final = {
    "ReceiptConfirmed": "receipt",
    "ClaimListIssued": "claim_list",
    "DealPackReviewed": "review",
    "DealPackSentBack": "review",
    "DealPackDelivered": "delivery",
}
_BEFORE_SEALS: Final = ["receipt", "claim_list", "review"]


@dataclass(slots=True)
class PackBook:
    """One pack: what it still needs, who has ever signed what, and how its lender wants it."""

    investor: str
    due_on: date
    all_steps: list[str]
    left: list[str]
    signers: dict[str, set[str]] = field(default_factory=dict)
    channel: str | None = None
    delivered_on: date | None = None
    is_overdue: bool = False
    is_void: bool = False


@dataclass(slots=True)
class PackBooks:
    """All packs, beside the contracts that ask for them."""

    papers: PaperBooks
    packs: dict[str, PackBook] = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        service, name, _ = event["type"].split(".")
        if service != "bidding":
            return
        if name in _STEPS or name == "DealPackSealed":
            self._signed(where, name, event["data"])
        elif name in _HANDLERS:
            _HANDLERS[name](self, where, event["data"])

    def at_rest(self, last_closed: date | None) -> None:
        """Each claim has the pack that its contract asks for; whatever was not delivered when its day ended is overdue."""
        for contract in self.papers.contracts.values():
            for claim in contract["claims"] if contract["packs_due_on"] else ():
                opened = _pack_of(claim)
                require(opened in self.packs, f"{opened} was never opened")
        for name, pack in self.packs.items():
            is_over = last_closed is not None and pack.due_on <= last_closed
            was_late = pack.delivered_on is None or pack.delivered_on > pack.due_on
            was_due = is_over and was_late and not pack.is_void
            require(pack.is_overdue or not was_due, f"{name} is late and nobody says so")

    def _opened(self, where: str, data: Any) -> None:
        name = data["pack_id"]
        require(name not in self.packs, f"{where}: {name} is opened again")
        contract = self.papers.contracts[data["loan_id"]]
        claim = next(each for each in contract["claims"] if _pack_of(each) == name)
        for field_name in ("claim_id", "account_id", "investor", "principal_fen", "certificate_hash"):
            require(data[field_name] == claim[field_name], f"{where}: {name} has another {field_name}")
        require(data["due_on"] == contract["packs_due_on"], f"{where}: {name} is due on another day")
        seals = ["seal_legal_representative", "seal_company"]
        seals += ["seal_guarantor"] if data["guarantor"] else []
        steps = [*_BEFORE_SEALS, *seals, "delivery"]
        due_on = date.fromisoformat(data["due_on"])
        self.packs[name] = PackBook(data["investor"], due_on, steps, [*steps])

    def _chosen(self, where: str, data: Any) -> None:
        pack = self.packs[data["pack_id"]]
        require(data["investor"] == pack.investor, f"{where}: a stranger chooses for {data['pack_id']}")
        pack.channel = data["channel"]

    def _signed(self, where: str, name: str, data: Any) -> None:
        pack, signer = self.packs[data["pack_id"]], data["signer"]
        step = _STEPS.get(name) or f"seal_{data['seal']}"
        turn = pack.left[0] if pack.left else None
        require(step == turn, f"{where}: {data['pack_id']} waits for {turn}, {step} is signed")
        others = [other for other, signers in pack.signers.items() if other != step and signer in signers]
        require(not others, f"{where}: {signer} signs {step} of {data['pack_id']} after {others}")
        pack.signers.setdefault(step, set()).add(signer)
        pack.left = [*pack.all_steps] if name == "DealPackSentBack" else pack.left[1:]
        if name == "DealPackDelivered":
            pack.delivered_on = date.fromisoformat(data["delivered_on"])
            require(data["channel"] == pack.channel, f"{where}: {data['pack_id']} is not wanted that way")
        else:
            require(data["next_step"] == pack.left[0], f"{where}: told is {data['next_step']}")

    def _overdue(self, where: str, data: Any) -> None:
        pack = self.packs[data["pack_id"]]
        require(not pack.is_overdue, f"{where}: {data['pack_id']} is overdue again")
        require(pack.delivered_on is None, f"{where}: {data['pack_id']} is overdue and delivered")
        pack.is_overdue = True

    def _void(self, _where: str, data: Any) -> None:
        self.packs[data["pack_id"]].is_void = True


def _pack_of(claim: Any) -> str:
    return f"pack_{claim['claim_id'].removeprefix('clm_')}"


_HANDLERS: dict[str, Callable[[PackBooks, str, Any], None]] = {
    "DealPackOpened": PackBooks._opened,
    "DeliveryChosen": PackBooks._chosen,
    "DealPackOverdue": PackBooks._overdue,
    "DealPackVoided": PackBooks._void,
}
