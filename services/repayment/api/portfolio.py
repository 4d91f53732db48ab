"""Routes of an investor's portfolio. It is no view of its own: sums of his claims' and their loans' documents, made when asked for.

A loan's event says nothing of its holders, so a document per investor that followed his loans' states could not be written by
it; and one that followed every row of every claim would grow without end. What is read is bounded by his claims.
"""

from typing import Final

from libs.events.searches import OneOf
from libs.runtime.http import ThisPrincipal, ViewReader, scopes
from services.repayment.api.portfolio_shapes import CashFlowOut, Held, PortfolioOut
from services.repayment.api.routes import Claims, Loans, router

#: The service's one router, handed on to the next module that declares routes on it.
__all__ = ["router"]

#: Loans that are asked for at a time.
_CHUNK: Final = 200


@router.read("/portfolio", scopes("claim:own"), answer=PortfolioOut)
async def read_portfolio(claims: Claims, loans: Loans, principal: ThisPrincipal) -> PortfolioOut:
    """The caller's claims by grade, term and state: what is outstanding and what came back."""
    return PortfolioOut.of(await _held(claims, loans, principal.subject))


@router.read("/portfolio/cash-flow", scopes("claim:own"), answer=CashFlowOut)
async def read_cash_flow(claims: Claims, loans: Loans, principal: ThisPrincipal) -> CashFlowOut:
    """What the caller may expect of his claims: principal and interest by month."""
    return CashFlowOut.of(await _held(claims, loans, principal.subject))


async def _held(claims: ViewReader, loans: ViewReader, investor: str) -> list[Held]:
    """The investor's claims, each with its loan, which may be seen a moment later than the claim: then both are."""
    found = [claim async for claim in claims.all({"investor": investor})]
    names = sorted({claim["loan_id"] for claim in found})
    of_loan = {
        loan["loan_id"]: loan
        for start in range(0, len(names), _CHUNK)
        async for loan in loans.all({"_id": OneOf(tuple(names[start : start + _CHUNK]))})
    }
    return [(claim, of_loan[claim["loan_id"]]) for claim in found if claim["loan_id"] in of_loan]
