"""What people read at rest that no running view of the simulation holds: cash histories, and what the holders of loans may expect."""

from collections import defaultdict
from typing import Any

from libs.runtime.projecting import MemoryViews
from services.repayment.api.portfolio_shapes import held_by, open_rows
from services.repayment.domain.expected import expected_of
from services.reporting.projections.statement import VIEW as STATEMENT
from tools.simulator.cash_books import Asked, CashBooks
from tools.simulator.loan_books import require
from tools.simulator.world import LOG_ID, World


def compare_with_moves(world: World, books: CashBooks) -> None:
    """Every account's history, and every loan's holders, are what the books have."""
    histories = _histories(world)
    for account in sorted({*books.moves, *histories}):
        books.require_history(account, histories[account])
    for loan, document in world.views["repayment.loans"].documents.items():
        books.require_holders(loan, document.get("held", {}), _expected(document))


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


def _expected(loan: dict[str, Any]) -> Asked:
    """What all holders of a loan together may expect."""
    expected, rows = Asked(), open_rows(loan)
    held = held_by(loan)
    for claim in held:
        for due in expected_of(claim, held, rows):
            expected[due.due_on, "principal"] += due.principal_fen
            expected[due.due_on, "interest"] += due.interest_fen
    return expected
