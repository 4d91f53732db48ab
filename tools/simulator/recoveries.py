"""What a loan has brought since it was written off, kept once more from the log: each payment is told apart, to the fen, and a correction
counts the payments again."""

from dataclasses import dataclass, field
from typing import Any

from tools.simulator.loan_books import require


@dataclass(slots=True)
class Recoveries:
    """Of each loan that was written off: what it has recovered (fen)."""

    of: dict[str, int] = field(default_factory=dict)

    def record(self, where: str, events: list[Any]) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        said = {
            e["data"]["payment_id"]: e["data"] for e in events if e["type"].endswith(".RecoveryReceived.v1")
        }
        for event in events:
            data = event["data"]
            match event["type"]:
                case "repayment.LoanWrittenOff.v1":
                    self.of.setdefault(data["loan_id"], 0)
                case "repayment.LoanRestated.v1":
                    self._restated(where, data)
                case "repayment.PaymentReceived.v1":
                    self._paid(where, data, said.pop(data["payment_id"], None))
                case _:
                    pass
        require(not said, f"{where}: {list(said)} are recovered without a payment")

    def _restated(self, where: str, data: Any) -> None:
        loan, more_fen = data["loan_id"], data["recovered_fen"]
        left = self.of.get(loan, 0) + more_fen
        right = left >= 0 and (loan in self.of or not more_fen)
        require(right, f"{where}: {loan} recovers {more_fen} more by a correction, that makes {left}")
        if loan in self.of:
            self.of[loan] = left

    def _paid(self, where: str, data: Any, told: Any) -> None:
        loan = data["loan_id"]
        right = (told is not None) == (loan in self.of)
        require(right, f"{where}: {data['payment_id']} is no recovery, or one in silence")
        if told is not None:
            self.of[loan] += data["amount_fen"]
            due = self.of[loan], data["amount_fen"]
            is_so = told["recovered_fen"], told["amount_fen"]
            require(is_so == due, f"{where}: {loan} recovers {is_so}, it is {due}")
