"""What nobody owes any more when a loan ends as of a day that is over: penalty that was charged for the days since."""

from datetime import date
from typing import Any

from tools.simulator.loan_books import LoanBook, require


def lapse(loan: LoanBook, where: str, data: Any) -> None:
    """All penalty of instalments that were not due on the day as of which the loan is paid, charged for days after their own, and none that was
    owed before those; its book then finds what else of penalty an early end leaves unpaid. What a loss owed besides ends with its rows. Raises WrongBooks."""
    on, lapsed = date.fromisoformat(data["value_date"]), data.get("lapsed") or ()
    ends = not data["principal_after_fen"]
    require(ends or not lapsed, f"{where}: of {loan.loan_id}, which is owed, {lapsed} lapses")
    for line in lapsed:
        row = loan.rows[line["number"]]
        right = row.lapsing_fen() if on < row.due_on < row.charged_to else 0
        name = f"{where}: of instalment {line['number']} of {loan.loan_id}"
        require(
            line["penalty_fen"] == right, f"{name} lapses {line['penalty_fen']}, charged since is {right}"
        )
        require(not line["principal_fen"], f"{name} principal lapses")
        bare = loan.written_off or not line["interest_fen"] + line["fee_fen"]
        require(bare, f"{name}, which is no loss, interest or a fee lapses")
        row.penalty_fen -= right
