"""What people read of loans at rest: each loan's page and history, the late part of the book, each claim's cash history."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Final

from libs.events.money import money_context
from services.repayment.api.cash_history import CashHistory
from services.repayment.api.overdue import Overdue
from services.repayment.api.page_shapes import HistoryLineOut, LoanPageOut
from services.repayment.api.shapes import LoanOut
from services.repayment.domain.loan_account import COMPONENTS, account_of, paid_fen
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import settlement
from services.repayment.projections.calendar import CALENDAR
from tools.simulator.loan_books import require
from tools.simulator.page_books import PageBooks
from tools.simulator.quote_books import require_quotes
from tools.simulator.world import World

#: For how many days ends are quoted.
_QUOTED: Final = (0, 9, 40, 100)


def compare_pages(world: World, books: PageBooks) -> None:
    """Every page is what the books have, and every total is the sum of its parts."""
    open_days = world.views["repayment.calendar"].documents.get(CALENDAR)
    today = None if open_days is None else date.fromisoformat(open_days["business_date"])
    loans = world.views["repayment.loans"].documents
    for document in loans.values():
        books.require_page(LoanPageOut.shown(document, today, None).model_dump())
        if today is not None and document["state"] == "running":
            require_quotes(books.books.loans[document["loan_id"]], _quotes(LoanOut.of(document), today))
    _compare_histories(world, books)
    _compare_segments(world, books)
    for claim, document in world.views["repayment.claims"].documents.items():
        history = CashHistory()
        history.add(document, loans[document["loan_id"]])
        books.require_received(claim, [month.model_dump() for month in history.shown().months])


def _quotes(loan: LoanOut, today: date) -> list[tuple[date, int]]:
    """What of an end on each of these days would be penalty."""
    rules = profile_named("demo").on(loan.funded_on)
    days = [today + timedelta(days=later) for later in _QUOTED]
    with money_context():
        return [(on, sum(line.penalty_fen for line in settlement(loan.book(), on, rules))) for on in days]


def _compare_histories(world: World, books: PageBooks) -> None:
    lines: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    documents = world.views["repayment.loan-history"].documents
    for name, line in sorted(documents.items()):
        if "loan_id" in line:
            lines[line["loan_id"]].append(line | {"_id": name})
    for loan, page in world.views["repayment.loans"].documents.items():
        left = account_of(lines[loan])
        paid = {each: paid_fen(left, each) for each in COMPONENTS}
        sum_fen = documents.get(loan, {}).get("outstanding_fen", 0)
        books.require_history(loan, [line["event"] for line in lines[loan]], paid, left, sum_fen)
        shown_lines = HistoryLineOut.all_of(lines[loan], names_payment=True)
        totals = LoanPageOut.shown(page, None, None).totals.model_dump()
        books.lines.require_lines(
            books.books.loans[loan], [line.model_dump() for _, line in shown_lines], totals
        )
        for name in ("outstanding_fen", "overdue_fen", "penalty_fen"):
            said, shown = left.get(name, 0), page[name]
            require(said == shown, f"the history of {loan} comes to {name} {said}, its page shows {shown}")


def _compare_segments(world: World, books: PageBooks) -> None:
    documents = list(world.views["repayment.overdue-buckets"].documents.values())
    segments = [document for document in documents if document.get("kind") == "segment"]
    books.require_segments(segments)
    overdue = Overdue()
    for segment in segments:
        overdue.add(segment)
    for loan in (document for document in documents if document.get("kind") == "loan" and document["moved"]):
        overdue.move(loan)
    shown = overdue.shown().model_dump()
    books.require_branches(shown["branches"])
    for name, total in shown.pop("total").items():
        for kind, rows in shown.items():
            parts = sum(row[name] for row in rows)
            require(parts == total, f"{kind} sum to {name} {parts}, in all it is {total}")
