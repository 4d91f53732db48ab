"""Routes of an investor's portfolio. It is no view of its own: sums of his claims' and their loans' documents, made when asked for.

A loan's event says nothing of its holders, so a document per investor that followed his loans' states could not be written by
it; and one that followed every row of every claim would grow without end. What is read is bounded by his claims.
"""

from collections.abc import AsyncIterator
from typing import Final

from libs.events.searches import OneOf
from libs.runtime.http import ThisPrincipal, ViewReader, scopes
from services.repayment.api.portfolio_shapes import CashFlow, CashFlowOut, Document, Portfolio, PortfolioOut
from services.repayment.api.routes import Claims, Loans, router

#: The service's one router, handed on to the next module that declares routes on it.
__all__ = ["router"]

#: Loans that are asked for at a time.
_CHUNK: Final = 100


@router.read("/portfolio", scopes("claim:own"), answer=PortfolioOut)
async def read_portfolio(claims: Claims, loans: Loans, principal: ThisPrincipal) -> PortfolioOut:
    """The caller's claims by grade, term and state: what is outstanding and what came back."""
    portfolio = Portfolio()
    async for claim, loan in held_claims(claims, loans, principal.subject):
        portfolio.add(claim, loan)
    return portfolio.shown()


@router.read("/portfolio/cash-flow", scopes("claim:own"), answer=CashFlowOut)
async def read_cash_flow(claims: Claims, loans: Loans, principal: ThisPrincipal) -> CashFlowOut:
    """What the caller may expect of his claims: principal and interest by month."""
    flow = CashFlow()
    async for claim, loan in held_claims(claims, loans, principal.subject):
        flow.add(claim, loan)
    return flow.shown()


async def held_claims(
    claims: ViewReader, loans: ViewReader, investor: str
) -> AsyncIterator[tuple[Document, Document]]:
    """The investor's claims, each with its loan, which may be seen a moment later than the claim: then both are.

    Loans are asked for some at a time, and the process serves others in between.
    """
    of_loan: dict[str, list[Document]] = {}
    async for claim in claims.all({"investor": investor}):
        of_loan.setdefault(claim["loan_id"], []).append(claim)
    names = sorted(of_loan)
    for start in range(0, len(names), _CHUNK):
        async for loan in loans.all({"_id": OneOf(tuple(names[start : start + _CHUNK]))}):
            for held in of_loan[loan["loan_id"]]:
                yield held, loan
