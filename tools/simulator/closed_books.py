"""Accounts whose owner has left: what may still move their money, and nothing else does.

What a correction, the sale of an asset or the pursuit of a loss brings is his, left or not, and so is what his loan pays again, or asks of him, after a correction.
He takes it out.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.loan_books import require

#: What comes to a closed account by itself.
_HIS: Final = ("AdjustmentBooked", "AdjustmentDebited", "AdjustmentCredited", "AssetProceedsCredited")
#: And what follows from it: claims that are owed again are paid, a loan that runs again asks, and he takes out what he has.
_FOLLOWS: Final = (
    "InvestorCredited",
    "InstallmentDebited",
    "LoanPaymentReturned",
    "WithdrawalRequested",
    "FundsWithdrawn",
    "WithdrawalFailed",
)


@dataclass(slots=True)
class ClosedBooks:
    """Which accounts are closed, and to which of them something came since."""

    closed: set[str] = field(default_factory=set)
    put_right: set[str] = field(default_factory=set)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        name, data = event["type"].split(".")[1], event["data"]
        account = data.get("account_id")
        if name == "AccountClosed":
            self.closed.add(account)
        elif (name in _HIS or _is_cost(data)) and account in self.closed:
            self.put_right.add(account)
        touched = {posting["account"].partition(":")[2] for posting in data.get("postings", ())}
        for each in sorted(touched & self.closed):
            may = name in _HIS or _is_cost(data) or (name in _FOLLOWS and each in self.put_right)
            require(may, f"{where}: money moves on the closed account {each}")


def _is_cost(data: Any) -> bool:
    """Whoever is owed what the pursuit of a loss cost may leave before it is paid."""
    return str(data.get("payment_id", "")).startswith("cost:")
