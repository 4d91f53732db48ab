"""The papers of loans, kept once more from the log: each collected loan has one contract, and it says who lent what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.loan_books import require

#: What a contract must say as the collected money did.
_TERMS: Final = (
    "borrower",
    "amount_fen",
    "annual_rate",
    "tenor_months",
    "grade",
    "origination_fee_fen",
    "interest_fee_permille",
    "funded_on",
    "repayment",
)
_CLAIM: Final = ("order", "claim_id", "account_id", "investor", "principal_fen")


@dataclass(slots=True)
class PaperBooks:
    """All contracts, beside what was collected and what the loans were opened with."""

    collected: dict[str, Any] = field(default_factory=dict)
    contracts: dict[str, Any] = field(default_factory=dict)
    opened: dict[str, Any] = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"])

    def at_rest(self) -> None:
        """Every loan that was collected has its contract, and its claims are those that the loan has."""
        for loan in self.collected:
            require(loan in self.contracts, f"{loan} has no contract")
            said, are = _claims(self.contracts[loan]), self.opened[loan]
            require(said == are, f"the claims of {loan} are {are}, its contract says {said}")

    def _collected(self, _where: str, data: Any) -> None:
        self.collected[data["loan_id"]] = data

    def _opened(self, _where: str, data: Any) -> None:
        self.opened[data["loan_id"]] = _claims(data)

    def _issued(self, where: str, data: Any) -> None:
        loan = data["loan_id"]
        require(loan not in self.contracts, f"{where}: {loan} has a second contract")
        require(loan in self.collected, f"{where}: {loan} has a contract before its money")
        said = [data[name] for name in _TERMS] + _claims(data)
        lent = [self.collected[loan][name] for name in _TERMS] + _claims(self.collected[loan])
        require(said == lent, f"{where}: the contract of {loan} says {said}, lent was {lent}")
        total = sum(claim["principal_fen"] for claim in data["claims"])
        require(total == data["amount_fen"], f"{where}: the contract of {loan} shares out {total}")
        hashes = {data["content_hash"], *(claim["certificate_hash"] for claim in data["claims"])}
        different = len(hashes) == 1 + len(data["claims"])
        require(different, f"{where}: two papers of {loan} have one hash")
        self.contracts[loan] = data


def _claims(data: Any) -> list[Any]:
    return [[claim[name] for name in _CLAIM] for claim in data["claims"]]


_HANDLERS: dict[str, Callable[[PaperBooks, str, Any], None]] = {
    "bidding.FundsCollected.v1": PaperBooks._collected,
    "bidding.ContractIssued.v1": PaperBooks._issued,
    "repayment.LoanOpened.v1": PaperBooks._opened,
}
