"""What was entered in the place of a payment that was voided: both are marked with each other's number, and a voided one is entered again once,
by who paid it or by the borrower."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.loan_books import require

_TAKEN = ("repayment.PaymentReceived.v1", "repayment.RecoveryCostPaid.v1")


@dataclass(slots=True)
class ReentryBooks:
    """Which payment each was to replace, as its payer said, and who that is; of each loan its borrower, what it took and of whom, what of that
    was voided, and what was entered again."""

    asked: dict[str, str] = field(default_factory=dict)
    payers: dict[str, str] = field(default_factory=dict)
    borrowers: dict[str, str] = field(default_factory=dict)
    taken: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    voided: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    entered: dict[str, str] = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        kind, data = event["type"], event["data"]
        if kind == "bidding.LoanPaymentDebited.v1":
            if data["replaces"]:
                self.asked[data["payment_id"]] = data["replaces"]
                self.payers[data["payment_id"]] = data["owner"]
        elif kind == "repayment.PaymentReversed.v1":
            self.voided[data["loan_id"]].add(data["payment_id"])
        elif kind in _TAKEN:
            self._taken(where, data)
        elif kind == "repayment.PaymentReturned.v1":
            self._returned(where, data)

    def _taken(self, where: str, data: Any) -> None:
        loan, payment = data["loan_id"], data["payment_id"]
        payer = data["payer"] or data["borrower"]
        self.borrowers[loan], self.taken[loan][payment] = data["borrower"], payer
        named = data["arrival"]["replaces"] if data["arrival"] else ""
        wanted = self.asked.get(payment, "")
        require(named == wanted, f"{where}: {payment} replaces {named!r}, it was to replace {wanted!r}")
        if named:
            is_voided = named in self.voided[loan]
            require(is_voided, f"{where}: {payment} replaces {named}, which was not voided on {loan}")
            who = self._may_enter(loan, named)
            require(payer in who, f"{where}: {payment} replaces {named}, {payer} is neither of {who}")
            first = self.entered.setdefault(named, payment)
            require(first == payment, f"{where}: {payment} replaces {named}, which {first} has replaced")

    def _may_enter(self, loan: str, named: str) -> tuple[str, ...]:
        """Who paid it, and the borrower."""
        return self.taken[loan].get(named, ""), self.borrowers.get(loan, "")

    def _returned(self, where: str, data: Any) -> None:
        """A refusal by the mark is true."""
        loan, named = data["loan_id"], self.asked.get(data["payment_id"], "")
        is_true = {
            "unknown_payment": named not in self.taken[loan],
            "payment_of_another": self.payers.get(data["payment_id"]) not in self._may_enter(loan, named),
            "payment_not_reversed": named not in self.voided[loan],
            "payment_replaced": named in self.entered,
        }.get(data["code"], True)
        require(is_true, f"{where}: {data['payment_id']} goes back, {named!r} is no {data['code']}")

    def require_marks(self, loan: str, payments: Iterable[Mapping[str, Any]]) -> None:
        """The page of a loan shows both numbers."""
        replaces = {again: voided for voided, again in self.entered.items()}
        for shown in payments:
            said = shown["replaces"], shown["replaced_by"]
            kept = replaces.get(shown["id"]), self.entered.get(shown["id"])
            require(said == kept, f"{shown['id']} of {loan} is marked {said}, the books have {kept}")
