"""Routes of reporting: what was moved, whether the books balance, how far people come, and where a figure comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query, Request

from libs.events.searches import Sorting, Span
from libs.events.topics import DECIDING_SERVICES
from libs.events.views import Figure, OtherThan, events_of, figure_named, value_at
from libs.runtime.http import (
    DayField,
    Page,
    ServiceRouter,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.problems import Problem
from services.reporting.api.shapes import (
    ClearingOut,
    FigureOut,
    FiguresOut,
    FigureValueOut,
    FunnelOut,
    FunnelStageOut,
    Kind,
    LedgerAccountOut,
    RowOut,
    SagaOut,
    SagasOut,
    StatementLineOut,
    StatementOut,
    TrialBalanceOut,
)
from services.reporting.figures import FIGURES
from services.reporting.projections.funnel import STAGES

router = ServiceRouter("reporting", "Statements, books, funnel and figures; it decides nothing.")

Statement = Annotated[ViewReader, Depends(view_reader("reporting.statement"))]
Ledger = Annotated[ViewReader, Depends(view_reader("bidding.custody"))]
Funnel = Annotated[ViewReader, Depends(view_reader("reporting.funnel"))]
Balances = Annotated[ViewReader, Depends(view_reader("bidding.balances"))]

#: The one document in which the balances of all classes are those of one moment, in the order in which they are shown.
_BOOKS, _CLASSES = (
    "books",
    ("bank:custody", "available", "held", "fees", "clearing", "unrequested", "marketing"),
)
#: A saga that was closed without having been opened is no concern.
_OPEN = {"closed_at": None, "opened_at": OtherThan(None)}


@dataclass(frozen=True, slots=True)
class History:
    """What of an account's movements is asked for, and in which order."""

    where: Mapping[str, Any]
    order: Sorting


async def _history(
    kind: Annotated[Kind | None, Query(description="Only movements of this kind.")] = None,
    since: Annotated[DayField | None, Query(description="The first business date.")] = None,
    until: Annotated[DayField | None, Query(description="The last business date.")] = None,
    payment: Annotated[
        str | None,
        Query(
            max_length=100,
            description="Only movements of this payment on a loan: what of it came back, and why.",
            examples=["pay_7f3a"],
        ),
    ] = None,
    order: Annotated[Literal["newest", "oldest"], Query(description="What comes first.")] = "newest",
) -> History:
    asked = {"kind": kind, "payment_id": payment}
    where: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if since is not None or until is not None:
        where["business_date"] = Span(since and since.isoformat(), until and until.isoformat())
    return History(where, Sorting(descending=order == "newest"))


ThisHistory = Annotated[History, Depends(_history)]


@router.read("/statement", scopes("account:own"), answer=StatementOut)
async def read_statement(
    statement: Statement, page: ThisPage, history: ThisHistory, principal: ThisPrincipal
) -> StatementOut:
    """Every movement of one's own account, with what it left there: newest first, of one kind, payment or span of dates if wished."""
    return await _lines(statement, page, history, {"owner": principal.subject})


@router.read("/accounts/{account}/statement", scopes("operator", "analyst"), answer=StatementOut)
async def read_account_statement(
    account: Annotated[str, id_path("acc")],
    statement: Statement,
    balances: Balances,
    page: ThisPage,
    history: ThisHistory,
) -> StatementOut:
    """Every movement of an account, those of the platform's fee and marketing accounts too."""
    await balances.get(account, missing="unknown_account")
    return await _lines(statement, page, history, {"account_id": account})


async def _lines(
    statement: ViewReader, page: Page, history: History, whose: Mapping[str, str]
) -> StatementOut:
    found, following = await statement.page(page, where={**whose, **history.where}, order=history.order)
    return StatementOut(items=[StatementLineOut.of(line) for line in found], next=following)


@router.read("/trial-balance", scopes("operator", "analyst"), answer=TrialBalanceOut)
async def read_trial_balance(ledger: Ledger) -> TrialBalanceOut:
    """The double entry of all accounts: every posting of every movement, by class."""
    books = await ledger.find(_BOOKS) or {}
    classes = books.get("classes", {})
    accounts = [LedgerAccountOut.of({"_id": name} | classes[name]) for name in _CLASSES if name in classes]
    return TrialBalanceOut(accounts=accounts, total_fen=books.get("total_fen", 0))


@router.read("/clearing", scopes("operator", "analyst"), answer=ClearingOut)
async def read_clearing(ledger: Ledger, page: ThisPage) -> ClearingOut:
    """Loans, vouchers and offers in clearing whose balance is not zero."""
    found, following = await ledger.page(page, where={"balance_fen": OtherThan(0)})
    items = [LedgerAccountOut.of(document) for document in found if document["_id"].startswith("clearing:")]
    return ClearingOut(items=items, next=following)


@router.read("/funnel", scopes("operator", "analyst"), answer=FunnelOut)
async def read_funnel(funnel: Funnel) -> FunnelOut:
    """How many users have come how far as investors."""
    return FunnelOut(
        stages=[FunnelStageOut(stage=stage, users=await funnel.count(stage)) for stage in STAGES]
    )


@router.read("/sagas", scopes("operator", "analyst"), answer=SagasOut)
async def read_sagas(request: Request, page: ThisPage) -> SagasOut:
    """Sagas of all services that are not at their end."""
    first, after = _place(page.cursor)
    items: list[SagaOut] = []
    for service in DECIDING_SERVICES[DECIDING_SERVICES.index(first) :]:
        room = page.limit - len(items)
        reader = ViewReader(edge_of(request), f"{service}.sagas")
        found, following = await reader.page(Page(after, max(room, 1)), where=_OPEN)
        if found and not room:  # the page is full, and here is more
            return SagasOut(items=items, next=f"{service}:")
        items += [SagaOut.of(service, document) for document in found]
        if following is not None:
            return SagasOut(items=items, next=f"{service}:{following}")
        after = None
    return SagasOut(items=items, next=None)


def _place(cursor: str | None) -> tuple[str, str | None]:
    """The service that a page of sagas begins with, and after which of its documents. Raises Problem 422."""
    if cursor is None:
        return DECIDING_SERVICES[0], None
    service, _, after = cursor.partition(":")
    if service not in DECIDING_SERVICES:
        raise Problem(422, "malformed_cursor")
    return service, after or None


@router.read("/figures", scopes("operator", "analyst"), answer=FiguresOut)
async def read_figures() -> FiguresOut:
    """The registry of figures."""
    return FiguresOut(items=[FigureOut.of(figure) for figure in FIGURES])


@router.read("/figures/{figure}", scopes("operator", "analyst"), answer=FigureValueOut)
async def read_figure(
    request: Request, figure: Annotated[str, Path(examples=["bucket_principal:M1"])], page: ThisPage
) -> FigureValueOut:
    """A figure's value, and the rows it is made of, each with its events. A figure of many parts is asked for with
    them: `late_principal_of_region:CN-31`."""
    found = figure_named(FIGURES, figure)
    if found is None:
        raise not_found("unknown_figure")
    value = await _value(ViewReader(edge_of(request), found.view), found)
    rows, following = await ViewReader(edge_of(request), found.rows_view).page(page, where=found.rows_where)
    return FigureValueOut(
        figure=FigureOut.of(found),
        value=value,
        rows=[
            RowOut(
                id=row["_id"],
                value=1 if found.rows_field is None else value_at(row, found.rows_field) or 0,
                events=events_of(row),
            )
            for row in rows
        ],
        next=following,
    )


async def _value(view: ViewReader, figure: Figure) -> int:
    """A figure's value. Raises Problem 404 for parts that nothing is known of."""
    if figure.doc is None:
        return await view.count(figure.field)
    value = figure.value_in(await view.find(figure.doc))
    if value is None:
        raise not_found(figure.missing or "unknown_figure")
    return value
