"""What people read of their money and of their loans, row by row, held against the accountant's books.

An account's cash history has a row for every movement, and the rows come to what there is; the holders of a loan may expect, all
together, what its rows still ask for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.red_lines import FEE_ACCOUNT, FEES, MARKETING, MARKETING_ACCOUNT

_PLATFORMS = {FEE_ACCOUNT: FEES, MARKETING_ACCOUNT: MARKETING}

#: (due date, `principal` or `interest`) -> fen.
Asked = Counter[tuple[date, str]]


@dataclass(slots=True)
class CashBooks:
    """How often money moved on each account, beside what that came to."""

    books: Books
    moves: Counter[str] = field(default_factory=Counter)

    def record(self, event: Any) -> None:
        """Count one event if it moves money of an account."""
        if event["stream"] is not None and "postings" in event["data"]:
            data = event["data"]
            self.moves[data.get("account_id") or data["booking_id"]] += 1

    def require_history(self, account: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Every movement has one row, each row's balance is the one before plus what it moved, the last is what there is."""
        moved = self.moves[account]
        require(len(rows) == moved, f"{len(rows)} rows of {account}, where {moved} movements were")
        for pocket in ("available", "held"):
            before = 0
            for row in rows:
                amount, after = row[f"{pocket}_fen"], row[f"{pocket}_after_fen"]
                said = f"the row {row['event']} of {account}: {before} + {amount} is {pocket} {after}"
                require(before + amount == after, said)
                before = after
            if account.startswith("bankref_") or (account in _PLATFORMS and pocket == "held"):
                continue  # nobody's money has no pockets, and the platform holds nothing
            is_now = self.books.balances[_PLATFORMS.get(account, f"{pocket}:{account}")]
            require(before == is_now, f"the rows of {account} come to {pocket} {before}, it is {is_now}")

    def require_holders(self, loan: str, held: Mapping[str, int], expected: Asked) -> None:
        """A loan's page knows what each claim is owed, and what all of them may expect is what its rows still ask for."""
        book = self.books.loans[loan]
        owed = {claim: fen for claim, fen in book.claims.items() if fen}
        now = {claim: fen for claim, fen in held.items() if fen}
        require(now == owed, f"{loan} is held by {now}, the books say {owed}")
        asked = Asked()
        for row in book.rows.values():
            asked[row.due_on, "principal"] += row.principal_fen
            asked[row.due_on, "interest"] += row.interest_fen
        require(+expected == +asked, f"holders of {loan} expect {+expected}, its rows ask for {+asked}")
