"""What a loan has brought since it was written off, kept once more from the log: each payment is told apart, to the fen, and a correction
counts the payments again. What its pursuit cost is paid first, before anything of a payment is the debt's or goes back."""

from dataclasses import dataclass, field
from typing import Any

from tools.simulator.loan_books import require


@dataclass(slots=True)
class Recoveries:
    """Of each loan that was written off: what it has recovered (fen)."""

    of: dict[str, int] = field(default_factory=dict)
    costs: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Of each loan whose pursuit has cost what is not paid: to which account, and how much (fen)."""

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
                case "repayment.RecoveryCostBooked.v1":
                    self._booked(where, data)
                case "repayment.RecoveryCostPaid.v1":
                    self._cost(where, data, events)
                case "repayment.LoanRestated.v1":
                    self._restated(where, data)
                case "repayment.PaymentReceived.v1":
                    self._paid(where, data, said.pop(data["payment_id"], None))
                case _:
                    pass
        self._none_before(where, events)
        require(not said, f"{where}: {list(said)} are recovered without a payment")

    def _booked(self, where: str, data: Any) -> None:
        loan = data["loan_id"]
        require(loan in self.of, f"{where}: {loan} was not written off, and its pursuit costs")
        require(loan not in self.costs, f"{where}: {loan} costs again before the first is paid")
        self.costs[loan] = data["account_id"], data["cost_fen"]

    def _cost(self, where: str, data: Any, events: list[Any]) -> None:
        loan = data["loan_id"]
        account, owed_fen = self.costs.pop(loan, ("", 0))
        require(data["account_id"] == account, f"{where}: {loan} owes its cost to {account or 'nobody'}")
        came_fen = data["amount_fen"] + sum(_rest(event, data["payment_id"]) for event in events)
        due_fen = min(owed_fen, came_fen)
        paid = data["amount_fen"], data["left_fen"]
        is_so = paid == (due_fen, owed_fen - due_fen)
        require(is_so, f"{where}: of {came_fen} {loan} pays {paid} for a cost of {owed_fen}")
        if owed_fen > due_fen:
            self.costs[loan] = account, owed_fen - due_fen

    def _none_before(self, where: str, events: list[Any]) -> None:
        """Nothing is paid on the debt while a cost is open."""
        for event in events:
            open_fen = self.costs.get(event["data"].get("loan_id"), ("", 0))[1]
            is_payment = event["type"] == "repayment.PaymentReceived.v1"
            require(
                not (is_payment and open_fen), f"{where}: {open_fen} of cost is left, and the debt is paid"
            )

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


def _rest(event: Any, payment_id: str) -> int:
    """What of a payment is not its cost's."""
    kinds = ("repayment.PaymentReceived.v1", "repayment.OverpaymentReturned.v1")
    is_its = event["type"] in kinds and event["data"]["payment_id"] == payment_id
    return int(event["data"]["amount_fen"]) if is_its else 0
