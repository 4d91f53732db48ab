"""Accounts whose owner has left: what may still move their money, and nothing else does.

What a correction or the sale of an asset brings is his, left or not, and so is what his loan pays again, or asks of him, after a correction.
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
        elif name in _HIS and account in self.closed:
            self.put_right.add(account)
        touched = {posting["account"].partition(":")[2] for posting in data.get("postings", ())}
        for each in sorted(touched & self.closed):
            may = name in _HIS or (name in _FOLLOWS and each in self.put_right)
            require(may, f"{where}: money moves on the closed account {each}")
