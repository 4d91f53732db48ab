"""Routes of a loan's page: how it stands today, everything that moved an amount of it, and where each amount comes from.

The borrower and operators ask by the loan, who holds a claim asks by his claim and sees nothing of who borrows. A page costs
three documents; a history and an explanation cost the loan's lines, about two a month of its life.
"""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from libs.events.money import money_context
from libs.events.repayment import AllocationLine
from libs.runtime.http import (
    Page,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from services.repayment.api.explaining import explained, settlement_explained
from services.repayment.api.page_shapes import (
    HELD_FIGURES,
    ExplanationOut,
    HeldPageOut,
    HistoryLineOut,
    HistoryOut,
    LoanPageOut,
)
from services.repayment.api.portfolio import OwnClaim
from services.repayment.api.routes import Loans, Today, router
from services.repayment.api.shapes import LoanOut, SettlementOut
from services.repayment.domain.loan_account import Line
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import settlement

_OWN = scopes("loan:own", "operator")
_HELD = scopes("claim:own")

History = Annotated[ViewReader, Depends(view_reader("repayment.loan-history"))]
FigureQuery = Annotated[
    str, Query(description="An amount's place on the page.", examples=["outstanding_fen", "rows.open_fen"])
]
NumberQuery = Annotated[int | None, Query(ge=1, description="Of an instalment's amount: which one.")]
PaymentQuery = Annotated[
    str | None, Query(description="Of a payment's amount: which one.", examples=["pay_7f3a"])
]


async def _own_loan(
    loan: Annotated[str, id_path("loan")], loans: Loans, principal: ThisPrincipal
) -> dict[str, Any]:
    """The document of the loan in the path, for its borrower and for operators; for everybody else there is none."""
    document = await loans.get(loan, missing="unknown_loan")
    if document["borrower"] != principal.subject and not principal.may("operator"):
        raise not_found("unknown_loan")
    return document


async def _held_loan(claim: OwnClaim, loans: Loans) -> dict[str, Any]:
    """The document of a claim's loan for who holds the claim."""
    return await loans.get(claim["loan_id"], missing="unknown_claim")


OwnLoan = Annotated[dict[str, Any], Depends(_own_loan)]
HeldLoan = Annotated[dict[str, Any], Depends(_held_loan)]


@router.read("/loans/{loan}", _OWN, answer=LoanPageOut)
async def read_loan(request: Request, loan: OwnLoan, today: Today) -> LoanPageOut:
    """One's own loan: what is due next, each instalment with what it received and where it stands, the totals, how late it is, its
    payments, and what would end it today."""
    quote = None
    if today is not None and loan["state"] == "running":
        quote = SettlementOut.of(LoanOut.of(loan), today, _settled(request, loan, today))
    return LoanPageOut.shown(loan, today, quote)


@router.read("/loans/{loan}/history", _OWN, answer=HistoryOut)
async def read_history(loan: OwnLoan, history: History, page: ThisPage) -> HistoryOut:
    """Every event that moved an amount of one's own loan, the oldest first."""
    return await _history(history, page, loan["loan_id"], names_payment=True)


@router.read("/loans/{loan}/explanation", _OWN, answer=ExplanationOut)
async def read_explanation(
    request: Request,
    loan: OwnLoan,
    today: Today,
    history: History,
    figure: FigureQuery,
    number: NumberQuery = None,
    payment: PaymentQuery = None,
) -> ExplanationOut:
    """How an amount of the loan's page comes about: its formula, and the events whose shares sum to it. What a settlement asks for
    beyond what events have said is told by its own formula."""
    lines = await _lines(history, loan["loan_id"])
    head, _, component = figure.removesuffix("_fen").partition(".")
    if head == "settlement" and today is not None and loan["state"] == "running":
        return settlement_explained(loan, lines, figure, component, _settled(request, loan, today), today)
    return explained(loan, lines, figure, number, payment)


@router.read("/claims/{claim}/loan", _HELD, answer=HeldPageOut)
async def read_held_loan(loan: HeldLoan, today: Today) -> HeldPageOut:
    """The loan in which one holds a claim: its schedule and where it stands, and nothing of who borrows."""
    return HeldPageOut.of(LoanPageOut.shown(loan, today, None))


@router.read("/claims/{claim}/loan/history", _HELD, answer=HistoryOut)
async def read_held_history(loan: HeldLoan, history: History, page: ThisPage) -> HistoryOut:
    """Every event that moved an amount of the loan in which one holds a claim, the oldest first."""
    return await _history(history, page, loan["loan_id"], names_payment=False)


@router.read("/claims/{claim}/loan/explanation", _HELD, answer=ExplanationOut)
async def read_held_explanation(
    loan: HeldLoan, history: History, figure: FigureQuery, number: NumberQuery = None
) -> ExplanationOut:
    """How an amount of the page comes about, of those that who holds a claim may see."""
    if figure not in HELD_FIGURES:
        raise not_found("unknown_figure")
    return explained(loan, await _lines(history, loan["loan_id"]), figure, number, None)


# --- what they do --------------------------------------------------------------------------------------------------


def _settled(request: Request, loan: dict[str, Any], today: date) -> tuple[AllocationLine, ...]:
    """The lines of what ends the loan today: the function that decides the payment computes the quote."""
    shown = LoanOut.of(loan)
    rules = profile_named(edge_of(request).settings.profile).on(shown.funded_on)
    with money_context():
        return settlement(shown.book(), today, rules)


async def _lines(history: ViewReader, loan_id: str) -> list[Line]:
    return [line async for line in history.all({"loan_id": loan_id})]


async def _history(history: ViewReader, page: Page, loan_id: str, *, names_payment: bool) -> HistoryOut:
    """A page of lines, each with what it left: that is the fold of all before it."""
    found, following = await history.page(page, where={"loan_id": loan_id})
    wanted = {line["_id"] for line in found}
    lines = await _lines(history, loan_id)
    shown = HistoryLineOut.all_of(lines, names_payment=names_payment, wanted=wanted)
    return HistoryOut(items=[line for _, line in shown], next=following)
