"""What people read at rest that no running view of the simulation holds: cash histories, and what the holders of loans may expect."""

from collections import defaultdict
from typing import Any

from libs.runtime.projecting import MemoryViews
from services.repayment.api.portfolio_shapes import holders_of, open_rows
from services.repayment.domain.expected import expected_of
from services.reporting.projections.statement import VIEW as STATEMENT
from tools.simulator.cash_books import Asked, CashBooks
from tools.simulator.guarantor_books import GuarantorBooks
from tools.simulator.loan_books import require
from tools.simulator.world import LOG_ID, World


def compare_with_moves(world: World, books: CashBooks, guarantors: GuarantorBooks) -> None:
    """Every account's history, every loan's holders, and what each of them may expect, are what the books have."""
    histories = _histories(world)
    for account in sorted({*books.moves, *histories}):
        books.require_history(account, histories[account])
    for loan, document in world.views["repayment.loans"].documents.items():
        expected = _expected(document)
        books.require_holders(loan, document.get("held", {}), sum(expected.values(), Asked()))
        guarantors.require_expected(loan, expected)


def _histories(world: World) -> defaultdict[str, list[dict[str, Any]]]:
    """The rows of each account as its history shows them, oldest first."""
    views = MemoryViews([STATEMENT], log_id=LOG_ID)
    for place, raw in world.log.order:
        if place.topic == "bidding.events":
            views.feed("bidding", place.partition, raw)
    require(not views.broken, f"the cash history broke: {views.broken}")
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, row in sorted(views.documents[STATEMENT.name].items()):
        rows[row["account_id"]].append(row)
    return rows


def _expected(loan: dict[str, Any]) -> dict[str, Asked]:
    """What each holder of a loan may expect."""
    holders, rows = holders_of(loan), open_rows(loan)
    found: dict[str, Asked] = {}
    for claim in holders.claims:
        expected = found.setdefault(claim, Asked())
        for due in expected_of(claim, holders, rows):
            expected[due.due_on, "principal"] += due.principal_fen
            expected[due.due_on, "interest"] += due.interest_fen
    return found
