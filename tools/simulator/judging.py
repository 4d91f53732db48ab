"""The judgement of a world at rest: its log, what its people were told, and what they read in every view."""

from collections.abc import Set
from typing import Any

from pydantic_core import to_json

from libs.runtime.projecting import MemoryViews
from tools.simulator.books import Books
from tools.simulator.checks import Auditor, Violation
from tools.simulator.loan_books import LoanBook
from tools.simulator.pages import compare_pages
from tools.simulator.projecting import views_of
from tools.simulator.reading import compare_with_moves
from tools.simulator.recoveries import Recoveries
from tools.simulator.red_lines import FEE_ACCOUNT, FEES, MARKETING, MARKETING_ACCOUNT
from tools.simulator.replayed import check_journals
from tools.simulator.world import LOG_ID, World


def watch(world: World) -> Auditor:
    """An auditor who judges every record of a world at the step that stores it."""
    config = world.config
    auditor = Auditor(
        world.services,
        config.partitions,
        log_id=LOG_ID,
        minutes_east=config.minutes_east,
        profile=config.profile,
    )
    auditor.parked.may_be_parked = config.plan.answers_late
    auditor.beside.bank.files = world.traffic.bank.files
    world.log.judge = auditor.feed
    world.log.judge_cut = auditor.feed_cut
    return auditor


def conclude(world: World, auditor: Auditor) -> None:
    """Judge a world that has come to rest: its log as a whole, what its people were told, and what they read."""
    auditor.at_rest()
    for call in world.api.calls:
        auditor.answered(call.command_id, call.fingerprint, call.answers)
    compare_views(world)
    compare_with_books(world, auditor.books, auditor.beside.assets.principal_fen)
    _compare_costs(world, auditor.beside.measures.recovered)
    compare_with_moves(world, auditor.beside.moves, auditor.beside.guarantors)
    compare_pages(world, auditor.beside.pages)
    if "collections.collectors" in world.views:
        collectors = world.views["collections.collectors"].documents
        auditor.beside.cases.promises.require_figures(collectors)
    check_system_views(world, auditor.parked.mended)
    last_closed = auditor.closed[-1] if auditor.closed else None
    check_journals(auditor.beside.corrections, world.config.profile, last_closed)


def compare_views(world: World) -> None:
    """The documents that grew batch by batch, through every crash, equal the fold of the log in one go."""
    folded = MemoryViews(views_of(world.services), log_id=LOG_ID)
    for place, raw in world.log.order:
        service, kind = place.topic.rsplit(".", 1)
        if kind == "events":
            folded.feed(service, place.partition, raw)
            _require_balance(folded, f"{place} at {raw.offset}")
    if folded.broken:
        raise Violation(f"views broke: {folded.broken}")
    for name, documents in folded.documents.items():
        live = world.views[name].documents
        for document in sorted({*documents, *live}):
            if documents.get(document) != live.get(document):
                raise Violation(
                    f"{name} {document}: live {live.get(document)}, folded {documents.get(document)}"
                )


def _require_balance(folded: MemoryViews, where: str) -> None:
    """The trial balance that people read is zero at every position of the log."""
    books = folded.documents["bidding.custody"].get("books", {})
    if books.get("total_fen", 0) != 0:
        raise Violation(f"the trial balance is {books['total_fen']} after {where}")


def compare_with_books(world: World, books: Books, in_assets_fen: int) -> None:
    """What people read of balances, loans and buckets is what the independent accountant has; what stands in assets is lent as well."""
    for account, document in world.views["bidding.balances"].documents.items():
        if account == FEE_ACCOUNT:
            _equal(account, document["available_fen"], books.balances[FEES])
            continue
        if account == MARKETING_ACCOUNT:
            _equal(account, document["available_fen"], books.balances[MARKETING])
            continue
        for field in ("available", "held"):
            _equal(account, document[f"{field}_fen"], books.balances[f"{field}:{account}"])
    for loan, document in world.views["repayment.loans"].documents.items():
        _equal(loan, document["outstanding_fen"], books.loans[loan].outstanding_fen)
        _equal(f"penalty of {loan}", document["penalty_fen"], books.loans[loan].penalty_fen)
        if document["state"] == "running":
            _compare_rows(loan, document, books.loans[loan])
    for claim, document in world.views["repayment.claims"].documents.items():
        _equal(claim, document["outstanding_fen"], books.loans[document["loan_id"]].claims[claim])
    lent = world.views["bidding.lent"].documents.get("all", {})
    claims = in_assets_fen + sum(sum(loan.claims.values()) for loan in books.loans.values())
    for side in ("ledger", "register"):
        _equal(f"claims by the {side}", lent.get(f"{side}_fen", 0), claims)
    buckets = world.views["repayment.overdue-buckets"].documents
    counted = [
        document for name, document in buckets.items() if name.startswith("bucket:") or name == "written_off"
    ]
    owed = [loan.outstanding_fen for loan in books.loans.values() if loan.runs]
    _equal("principal in buckets", sum(document["principal_fen"] for document in counted), sum(owed))
    _equal("loans in buckets", sum(document["loans"] for document in counted), len(owed))
    _compare_losses(world, books)


def _compare_rows(loan: str, document: Any, book: LoanBook) -> None:
    """The instalments that a borrower reads are those that are asked, and what is open of each is what he owes."""
    _equal(f"instalments of {loan}", document["rows_to"], len(book.rows))
    for number, owed in book.rows.items():
        row, of = document["rows"][str(number)], f"of {number} of {loan}"
        for part in ("principal", "interest", "fee", "penalty"):
            open_fen = row[f"{part}_fen"] - row[f"paid_{part}_fen"]
            _equal(f"{part} {of}", open_fen, getattr(owed, f"{part}_fen"))
        if row["due_on"] != owed.due_on.isoformat():
            raise Violation(f"due date {of}: the view says {row['due_on']}, the books {owed.due_on}")


def _compare_losses(world: World, books: Books) -> None:
    """What is left of each loss is what the books have open of it, part by part, and its sums are the sums of its rows."""
    documents = world.views["repayment.off-balance"].documents.values()
    rows = [document for document in documents if document["kind"] == "loan"]
    _equal("losses", len(rows), sum(loan.written_off for loan in books.loans.values()))
    for row in rows:
        loan = books.loans[row["loan_id"]]
        for part in ("principal", "interest", "fee", "penalty"):
            open_fen = sum(getattr(each, f"{part}_fen") for each in loan.rows.values()) if loan.runs else 0
            _equal(f"{part} left of the loss of {row['loan_id']}", row[f"left_{part}_fen"], open_fen)
        went = ("recovered_fen", "in_kind_fen", "waived_fen", "lapsed_fen")
        went_fen = sum(row[name] for name in went) - row["corrected_fen"]
        _equal(f"the loss of {row['loan_id']}", row["written_off_fen"], went_fen + row["left_fen"])
    for document in (document for document in documents if document["kind"] != "loan"):
        parts = [
            row for row in rows if all(row[by] == document.get(by, row[by]) for by in ("region", "product"))
        ]
        for name in (name for name in document if name.endswith("_fen")):
            _equal(f"{name} of all losses", document[name], sum(row[name] for row in parts))


def _compare_costs(world: World, recovered: Recoveries) -> None:
    """What the pursuit of each loss cost is what was booked of it, and what was paid of that is all that is not open."""
    for name, row in world.views["repayment.off-balance"].documents.items():
        if row["kind"] == "loan":
            cost = recovered.costs[row["loan_id"]]
            _equal(f"cost of {name}", row["cost_fen"], cost.booked_fen)
            _equal(f"cost paid of {name}", row["cost_paid_fen"], cost.booked_fen - cost.open_fen)
            page = world.views["repayment.loans"].documents[row["loan_id"]]
            _equal(f"cost that is open of {name}", page["cost_fen"], cost.open_fen)


def check_system_views(world: World, mended: Set[str]) -> None:
    """Every saga that began has ended, nothing but garbage and what was sent again is parked, and each command's page says what was told."""
    for service in world.services:
        for saga, document in world.views[f"{service}.sagas"].documents.items():
            if "opened_at" in document and "closed_at" not in document:
                raise Violation(f"{service}: the saga {saga} never ends: {document}")
        for place, document in world.views[f"{service}.parked"].documents.items():
            is_garbage = not document["from_policy"] and document["code"] == "malformed"
            if not is_garbage and document["position"] not in mended:
                raise Violation(f"{place} is parked: {document}")
    for call in world.api.calls:
        service = call.place.topic.removesuffix(".commands")
        page = world.views[f"{service}.commands"].documents[call.command_id]
        told = call.answers[0]
        if b'"key_reused"' not in told and to_json(page["events"]) != told:
            raise Violation(f"the page of {call.command_id} says {page}, told was {told!r}")


def _equal(what: str, in_view: int, in_books: int) -> None:
    if in_view != in_books:
        raise Violation(f"{what}: the view says {in_view}, the books {in_books}")
