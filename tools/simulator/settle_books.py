"""What an early end costs, once more from the contract: interest to the day, and whatever was in arrears before a restructuring.

`worth_books` counts the days; which rows were due and what was charged on them the loan's own book knows.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tools.simulator.loan_books import require
from tools.simulator.market_books import MarketBooks

_UNDUE: Final = 0


@dataclass(slots=True)
class SettleBooks:
    """All loans that end before their schedule does."""

    market: MarketBooks
    with_arrears: int = 0
    """How many ended before what a restructuring had left was due."""

    def record(self, where: str, event: Any) -> None:
        """Fold one event, after the loan's own book has. Raises WrongBooks."""
        data = event["data"]
        if event["type"] == "repayment.PaymentReceived.v1":
            self._ends(where, data, data["allocation"], data["value_date"])
        elif event["type"] == "repayment.DebtSettledInKind.v1":
            self._ends(where, data, data["lines"], data["settled_on"])

    def _ends(self, where: str, data: Any, lines: Any, on: str) -> None:
        early = next((line for line in lines if line["number"] == _UNDUE), None)
        if early is None or data["principal_after_fen"]:
            return
        loan, name = self.market.books.loans[data["loan_id"]], f"{where}: the end of {data['loan_id']}"
        assert loan.before is not None, "its book has ended it"
        kept, whole = loan.before.kept, early["principal_fen"]
        ahead = [line for line in lines if line["number"] > kept]
        said = early["interest_fen"] + sum(line["interest_fen"] for line in ahead)
        contract = self.market.contracts[data["loan_id"]]
        owed = contract.interest(whole, whole, date.fromisoformat(on), kept)
        require(said == owed, f"{name} costs {said} of interest to the day, the contract says {owed}")
        left = contract.left if contract.left and kept < contract.left.number else None
        self.with_arrears += left is not None
        elsewhere = [
            line for line in ahead if line["interest_fen"] and (not left or line["number"] != left.number)
        ]
        require(not elsewhere, f"{name} pays interest of {elsewhere}, which is not due")
