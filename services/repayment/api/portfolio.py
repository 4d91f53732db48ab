"""Routes of an investor's portfolio. It is no view of its own: sums of his claims' and their loans' documents, made when asked for.

A loan's event says nothing of its holders, so a document per investor that followed his loans' states could not be written by
it; and one that followed every row of every claim would grow without end. What is read is bounded by his claims.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request

from libs.events.money import money_context
from libs.events.searches import OneOf
from libs.runtime.http import (
    DayField,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
)
from services.repayment.api.portfolio_shapes import (
    CashFlow,
    CashFlowOut,
    Document,
    Portfolio,
    PortfolioOut,
    holders_of,
    is_sold,
)
from services.repayment.api.routes import Claims, Loans, router
from services.repayment.api.shapes import LoanOut, WorthOut
from services.repayment.domain.profile import Profile, profile_named
from services.repayment.domain.worth import Worth, worth_of

#: The service's one router, handed on to the next module that declares routes on it.
__all__ = ["router"]

#: Loans that are asked for at a time, and added up before others are served.
_CHUNK: Final = 100
_TURN: Final = 8

OnQuery = Annotated[
    DayField | None, Query(description="Interest that has accrued until this day is told, too.")
]


def _profile(request: Request) -> Profile:
    return profile_named(edge_of(request).settings.profile)


ThisProfile = Annotated[Profile, Depends(_profile)]


@router.read("/portfolio", scopes("claim:own"), answer=PortfolioOut)
async def read_portfolio(
    claims: Claims, loans: Loans, principal: ThisPrincipal, profile: ThisProfile, on: OnQuery = None
) -> PortfolioOut:
    """The caller's claims by grade, term and state: what is outstanding and what came back; with a day, what has accrued until then."""
    portfolio = Portfolio()
    async for held, loan in held_claims(claims, loans, principal.subject):
        for claim in held:
            accrued_fen = 0
            if on is not None and not is_sold(claim):
                worth = _worth(claim, loan, on, profile)
                accrued_fen = worth.interest_due_fen + worth.accrued_interest_fen
            portfolio.add(claim, loan, accrued_fen)
    return portfolio.shown()


@router.read("/portfolio/cash-flow", scopes("claim:own"), answer=CashFlowOut)
async def read_cash_flow(claims: Claims, loans: Loans, principal: ThisPrincipal) -> CashFlowOut:
    """What the caller may expect of his claims: principal and interest by month."""
    flow = CashFlow()
    async for held, loan in held_claims(claims, loans, principal.subject):
        for number, _ in enumerate(flow.add({claim["claim_id"] for claim in held}, loan), 1):
            if not number % _TURN:
                await asyncio.sleep(0)
    return flow.shown()


async def _own_claim(
    claim: Annotated[str, id_path("clm")], claims: Claims, principal: ThisPrincipal
) -> Document:
    """The claim in the path, for its holder; for everybody else, and for who sold it, there is none."""
    found = await claims.get(claim, missing="unknown_claim")
    if found["investor"] != principal.subject or is_sold(found):
        raise not_found("unknown_claim")
    return found


OwnClaim = Annotated[dict[str, Any], Depends(_own_claim)]


@router.read("/claims/{claim}/worth", scopes("claim:own"), answer=WorthOut)
async def read_worth(
    claim: OwnClaim,
    on: Annotated[DayField, Query(description="The day of the worth.")],
    loans: Loans,
    profile: ThisProfile,
) -> WorthOut:
    """What one's own claim is worth on a day, by the function that decides a sale. There is none of others, nor of one that was sold."""
    loan = await loans.get(claim["loan_id"], missing="unknown_claim")
    worth = _worth(claim, loan, on, profile)
    return WorthOut(
        id=claim["claim_id"],
        value_date=on,
        principal_fen=worth.principal_fen,
        interest_due_fen=worth.interest_due_fen,
        accrued_interest_fen=worth.accrued_interest_fen,
    )


def _worth(claim: Document, loan: Document, on: DayField, profile: Profile) -> Worth:
    if loan["state"] == "repaid":
        return Worth(principal_fen=0)
    shown = LoanOut.of(dict(loan))
    with money_context():
        rules = profile.on(shown.funded_on)
        return worth_of(rules, shown.book(), holders_of(loan), claim["claim_id"], on)


async def held_claims(
    claims: ViewReader, loans: ViewReader, investor: str
) -> AsyncIterator[tuple[list[Document], Document]]:
    """The investor's claims of each loan, which may be seen a moment later than the claims: then both are.

    Loans are asked for some at a time, and the process serves others after every few of them.
    """
    of_loan: dict[str, list[Document]] = {}
    async for claim in claims.all({"investor": investor}):
        of_loan.setdefault(claim["loan_id"], []).append(claim)
    names = sorted(of_loan)
    for start in range(0, len(names), _CHUNK):
        number = 0
        async for loan in loans.all({"_id": OneOf(tuple(names[start : start + _CHUNK]))}):
            yield of_loan[loan["loan_id"]], loan
            number += 1
            if not number % _TURN:
                await asyncio.sleep(0)
