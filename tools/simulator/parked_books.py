"""What was parked, kept once more from the log: each has been sent again by the end, and of which debits the loan hears late.

An address of an event is its decision's place and its index; what a policy sends, or would have sent, names it as its cause.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.loan_books import LoanBook, require

_REFUSED = "system.CommandRefused.v1"
_FAILED = "system.PolicyFailed.v1"
_NOTED = "system.NotePolicyFailure"
_PAID = "repayment.PaymentReceived.v1"
_ANSWERS = ("bidding.InstallmentDebited.v1", "bidding.InstallmentDebitFailed.v1")


@dataclass(slots=True)
class ParkedBooks:
    """By the address of the event that was to be followed: where that came to nothing, and how."""

    may_be_parked: bool = False
    """Whether a command of a policy's may be refused `internal`: somebody sends it again."""
    open: dict[str, tuple[str, str]] = field(default_factory=dict)
    mended: set[str] = field(default_factory=set)
    """Places of what was parked and has been decided since."""
    late: set[str] = field(default_factory=set)
    """Debits that were not decided, or whose answer was not passed on, when their day asked for it."""
    paid: list[str] = field(default_factory=list)
    """Those of them that brought money, when the loan had it."""
    _answers: dict[str, str] = field(default_factory=dict)

    def stored(self, command: Any) -> None:
        """A group notes that its policy failed: it is decided in another partition than the loan's, perhaps after the loan's day."""
        if command.get("type") == _NOTED:
            self.late.add(self._answers.get(command["data"]["event_address"], ""))

    def record(self, where: str, headers: Mapping[str, bytes], command: Any, events: list[Any]) -> None:
        """Fold one decision, and the command that it decides."""
        cause, first = command.get("causation_id") or where, events[0]
        is_parked = first["type"] == _REFUSED and first["data"]["code"] == "internal"
        is_first = first["type"] != "system.CommandRepeated.v1"
        if headers.get("fingerprint") == b"retry" and is_first and cause in self.open:
            self.mended.add(self.open.pop(cause)[0])
        if is_parked:
            self.open[cause] = where, "internal refusals"
            self.late.add(command.get("data", {}).get("debit_id", ""))
        for index, event in enumerate(events):
            if event["type"] in _ANSWERS:
                self._answers[f"{where}/{index}"] = event["data"]["debit_id"]
            elif event["type"] == _FAILED:
                self.open[event["data"]["event_address"]] = where, f"x {_FAILED}"
            elif event["type"] == _PAID and event["data"]["payment_id"] in self.late:
                self.paid.append(event["data"]["payment_id"])

    def hears_late(self, loan: LoanBook) -> bool:
        """Whether an answer to one of its debits is on its way, and will come when it comes."""
        return any(debit in self.late for debit in loan.unanswered)

    def at_rest(self) -> None:
        """Nothing is parked."""
        counts = Counter(what for _, what in self.open.values())
        require(not counts, ", ".join(f"{count} {what}" for what, count in counts.items()))
