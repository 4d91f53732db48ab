"""What a loan has brought since it was written off, kept once more from the log: each payment is told apart, to the fen, and a correction
counts the payments again. What its pursuit cost is paid first, before anything of a payment is the debt's or goes back, and comes to the
account that its measure named: booked = paid + open."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.loan_books import require


@dataclass(slots=True)
class Cost:
    """What the pursuit of a loss has cost (fen): all that was booked, by its measures to whom, and what of it is open."""

    booked_fen: int = 0
    open_fen: int = 0
    measure: str = ""
    payees: dict[str, str] = field(default_factory=dict)

    @property
    def payee(self) -> str:
        """Whom the open part is owed to."""
        return self.payees[self.measure] if self.open_fen else "nobody"


@dataclass(slots=True)
class Recoveries:
    """Of each loan that was written off: what it has recovered (fen), and what its pursuit cost."""

    of: dict[str, int] = field(default_factory=dict)
    costs: defaultdict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    said: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By measure: what it says that the pursuit has cost, and to whom that is owed."""
    asked: set[tuple[str, str]] = field(default_factory=set)
    """Which measure's payee has said that he could be paid."""
    due: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By the name under which it is given on: what was paid of a cost and stands on no account yet, and whose it is."""

    def record(self, where: str, events: list[Any]) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        said = {
            e["data"]["payment_id"]: e["data"] for e in events if e["type"].endswith(".RecoveryReceived.v1")
        }
        for event in events:
            data = event["data"]
            match event["type"]:
                case "repayment.MeasureProposed.v1" if data["terms"]["kind"] == "write_off":
                    terms = data["terms"]
                    self.said[data["measure_id"]] = terms["cost_fen"], terms["cost_account"]
                case "bidding.PayeeConfirmed.v1":
                    self.asked.add((data["measure_id"], data["account_id"]))
                case "repayment.LoanWrittenOff.v1":
                    self.of.setdefault(data["loan_id"], 0)
                case "repayment.RecoveryCostBooked.v1":
                    self._booked(where, data)
                case "repayment.RecoveryCostPaid.v1":
                    self._cost(where, data, events)
                case "bidding.LoanPaymentReturned.v1":
                    self._given(where, data)
                case "repayment.LoanRestated.v1":
                    self._restated(where, data)
                case "repayment.PaymentReceived.v1":
                    self._paid(where, data, said.pop(data["payment_id"], None))
                case _:
                    pass
        self._none_before(where, events)
        require(not said, f"{where}: {list(said)} are recovered without a payment")

    def at_rest(self) -> None:
        """What was paid of a cost is where it belongs."""
        for name, (account, fen) in self.due.items():
            require(False, f"{fen} of {name} never come to {account}")

    def _booked(self, where: str, data: Any) -> None:
        loan, cost = data["loan_id"], self.costs[data["loan_id"]]
        require(loan in self.of, f"{where}: {loan} was not written off, and its pursuit costs")
        require(not cost.open_fen, f"{where}: {loan} costs again before the first is paid")
        require(data["measure_id"] not in cost.payees, f"{where}: {data['measure_id']} is done again")
        meant, booked = self.said.get(data["measure_id"]), (data["cost_fen"], data["account_id"])
        require(booked == meant, f"{where}: {booked} is booked of a cost, {meant} was agreed")
        is_asked = (data["measure_id"], data["account_id"]) in self.asked
        require(is_asked, f"{where}: {data['account_id']} is owed a cost and was not asked")
        cost.measure, cost.payees[data["measure_id"]] = data["measure_id"], data["account_id"]
        cost.booked_fen += data["cost_fen"]
        cost.open_fen = data["cost_fen"]

    def _cost(self, where: str, data: Any, events: list[Any]) -> None:
        loan, cost = data["loan_id"], self.costs[data["loan_id"]]
        require(data["account_id"] == cost.payee, f"{where}: {loan} owes its cost to {cost.payee}")
        came_fen = data["amount_fen"] + sum(_rest(event, data["payment_id"]) for event in events)
        due_fen = min(cost.open_fen, came_fen)
        paid = data["amount_fen"], data["left_fen"]
        is_so = paid == (due_fen, cost.open_fen - due_fen)
        require(is_so, f"{where}: of {came_fen} {loan} pays {paid} for a cost of {cost.open_fen}")
        self.due[f"cost:{data['payment_id']}"] = cost.payee, due_fen
        cost.open_fen -= due_fen

    def _given(self, where: str, data: Any) -> None:
        """A cost's part of a payment comes to its payee; whatever else is given back is another book's."""
        if not data["payment_id"].startswith("cost:"):
            return
        given, due = (data["account_id"], data["amount_fen"]), self.due.pop(data["payment_id"], None)
        require(given == due, f"{where}: {given} is given of {data['payment_id']}, {due} is due")

    def _none_before(self, where: str, events: list[Any]) -> None:
        """Nothing is paid on the debt while a cost is open."""
        for event in events:
            if event["type"] == "repayment.PaymentReceived.v1":
                open_fen = self.costs[event["data"]["loan_id"]].open_fen
                require(not open_fen, f"{where}: {open_fen} of cost is left, and the debt is paid")

    def _restated(self, where: str, data: Any) -> None:
        loan, more_fen = data["loan_id"], data["recovered_fen"]
        left = self.of.get(loan, 0) + more_fen
        right = left >= 0 and (loan in self.of or not more_fen)
        require(right, f"{where}: {loan} recovers {more_fen} more by a correction, that makes {left}")
        if loan in self.of:
            self.of[loan] = left
        self._paid_again(where, data, self.costs[loan])

    def _paid_again(self, where: str, data: Any, cost: Cost) -> None:
        """What a correction makes of a cost: whoever was paid it gives back as much as is open again."""
        more_fen, loan = data["cost_paid_fen"], data["loan_id"]
        stands = (data["standing"]["measured"] or {}).get("cost")
        cost.open_fen -= more_fen
        if stands is not None:
            cost.measure = stands["measure_id"]
            said, right = (stands["owed_fen"], stands["account_id"]), cost.payees.get(stands["measure_id"])
            meant = cost.open_fen, right
            require(said == meant, f"{where}: {loan} owes a cost of {said} by a correction, it is {meant}")
        is_whole = 0 <= cost.open_fen <= cost.booked_fen and (stands is not None or not more_fen)
        require(is_whole, f"{where}: {more_fen} more of the cost of {loan} is paid, {cost.open_fen} is open")
        moved = {line["account_id"]: line["cost_fen"] for line in data["lines"] if line["cost_fen"]}
        is_theirs = sum(moved.values()) == more_fen and {*moved} <= {*cost.payees.values()}
        require(is_theirs, f"{where}: a correction pays {moved} of the cost of {loan}, in all {more_fen}")

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
