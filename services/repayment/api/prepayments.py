"""The route that says what an early payment of a part would do, before anybody pays: by the function that decides it."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel

from libs.events.deciding import Refused
from libs.events.money import money_context
from libs.events.rescheduling import Prepay
from libs.runtime.http import DayField, PositiveFenText, edge_of, scopes
from libs.runtime.http.problems import refusal
from services.repayment.api.portfolio import router
from services.repayment.api.routes import Today, VisibleLoan, payable_on
from services.repayment.api.shapes import LoanOut, sums_of
from services.repayment.domain.prepaying import Prepayment, prepayment
from services.repayment.domain.profile import profile_named

#: The service's one router, handed on to the next module that declares routes on it.
__all__ = ["router"]


class NewRowOut(BaseModel):
    """An instalment as it would be asked for."""

    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    fee_fen: int


class PrepaymentOut(BaseModel):
    """What a payment on `value_date` would pay, what of it would come back, and what would be asked from then on: no rows where it
    settles the loan. `saved_fen` is the interest and fees that nobody would ask for any more."""

    id: str
    value_date: date
    mode: Literal["reamortise", "shorten"]
    amount_fen: int
    returned_fen: int
    penalty_fen: int
    fee_fen: int
    interest_fen: int
    principal_fen: int
    saved_fen: int
    cost_fen: int = 0
    rows: list[NewRowOut]

    @staticmethod
    def of(loan: LoanOut, asked: tuple[int, date, Prepay], found: Prepayment) -> "PrepaymentOut":
        """From the domain's answer to amount, value date and mode."""
        amount_fen, on, mode = asked
        parts = sums_of(found.lines) | {"cost_fen": loan.cost_fen}
        taken_fen = sum(parts.values())
        return PrepaymentOut(
            id=loan.id,
            value_date=on,
            mode=mode,
            amount_fen=taken_fen,
            returned_fen=amount_fen - taken_fen,
            saved_fen=found.saved_fen,
            rows=[
                NewRowOut(
                    number=row.number,
                    due_on=row.due_on,
                    principal_fen=row.principal_fen,
                    interest_fen=row.interest_fen,
                    fee_fen=row.fee_fen,
                )
                for row in found.rows
            ],
            **parts,
        )


@router.read("/loans/{loan}/prepayment-quote", scopes("loan:own", "operator"), answer=PrepaymentOut)
async def read_prepayment(
    request: Request,
    loan: VisibleLoan,
    today: Today,
    amount_fen: Annotated[PositiveFenText, Query(examples=[1_000_00])],
    mode: Annotated[Prepay, Query(examples=["reamortise"])],
    on: Annotated[
        DayField | None, Query(description="The value date; the open business date if left out.")
    ] = None,
) -> PrepaymentOut:
    """What an early payment of a part would do on a value date, if nothing else is paid before.

    Refused: `date_passed`, and what the payment would come back for: `loan_repaid`, `before_funding`, `loan_voided` (a void contract
    is settled, or paid as it asks), and what `prepayment` names."""
    if loan.state == "repaid":
        raise refusal("loan_repaid")
    day = on or today or loan.funded_on
    payable_on(loan, day, today)
    if loan.voided_on is not None:
        raise refusal("loan_voided")
    rules = profile_named(edge_of(request).settings.profile).on(loan.funded_on)
    try:
        with money_context():
            rest_fen = max(0, amount_fen - loan.cost_fen)  # the cost of a recovery comes first
            found = prepayment(loan.book(), rest_fen, day, mode, rules)
    except Refused as refused:
        raise refusal(refused.code) from None
    return PrepaymentOut.of(loan, (amount_fen, day, mode), found)
