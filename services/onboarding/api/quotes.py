"""The quote: what a loan would cost in a year, before anybody applies. A question, so it is asked with GET and nothing is stored.

Its values are read as text and refused by their names, each by one: whoever tries things out learns which of them is wrong. The
texts are those that every other route takes.
"""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, Field

from libs.events.deciding import Refused
from libs.events.schedules.due_dates import is_provisional
from libs.events.schedules.order import Allocation, Component, PayOrder
from libs.runtime.http import edge_of, read_day, read_rate, read_whole, scopes
from libs.runtime.http.problems import refusal
from services.onboarding.api.router import router
from services.onboarding.domain.profile import profile_named
from services.onboarding.domain.quoting import Quote, Wish, quote

_NAME_LENGTH_MAX = 40
_NUMBER_LENGTH_MAX = 20

_Value = TypeVar("_Value")


class QuoteRowOut(BaseModel):
    """One instalment."""

    number: int
    due_on: date
    provisional: bool = Field(
        description="The holidays of that year are not published yet: a loan that is opened when they are may have another day."
    )
    principal_fen: int
    interest_fen: int
    fee_fen: int
    total_fen: int


class PayOrderOut(BaseModel):
    """How a payment pays what is owed: `horizontal`, instalment by instalment, or `vertical`, component by component over all that are
    due; either way the oldest first."""

    across: Literal["horizontal", "vertical"]
    components: list[Component]

    @staticmethod
    def of(order: PayOrder) -> "PayOrderOut":
        """From the loan's terms."""
        return PayOrderOut(across=order.across, components=list(order.components))


class QuoteOut(BaseModel):
    """What it costs stands first: the yearly rate with all fees (PBOC announcement 2021 no. 3), then the rate that is agreed."""

    annual_cost: str = Field(description="Monthly rate of return of all payments times twelve.")
    effective_cost: str = Field(description="The same, compounded.")
    annual_rate: str
    product: str
    method: str
    amount_fen: int
    origination_fee_fen: int
    paid_out_fen: int
    interest_fen: int
    fees_fen: int
    total_fen: int
    installment_fen: int
    performing_order: PayOrderOut
    non_performing_order: PayOrderOut
    rows: list[QuoteRowOut]

    @staticmethod
    def of(wish: Wish, answer: Quote) -> "QuoteOut":
        """From the domain's answer; `fees_fen` are those of the instalments."""
        rows = [
            QuoteRowOut(
                number=row.number,
                due_on=row.due_on,
                provisional=is_provisional(answer.repayment, row.due_on),
                principal_fen=row.principal_fen,
                interest_fen=row.interest_fen,
                fee_fen=row.fee_fen,
                total_fen=row.principal_fen + row.interest_fen + row.fee_fen,
            )
            for row in answer.plan.rows
        ]
        orders = answer.repayment.allocation or Allocation()
        return QuoteOut(
            annual_cost=f"{answer.annual_cost:f}",
            effective_cost=f"{answer.effective_cost:f}",
            annual_rate=f"{wish.annual_rate:f}",
            product=wish.product,
            method=wish.method,
            amount_fen=wish.amount_fen,
            origination_fee_fen=answer.origination_fee_fen,
            paid_out_fen=answer.paid_out_fen,
            interest_fen=sum(row.interest_fen for row in rows),
            fees_fen=sum(row.fee_fen for row in rows),
            total_fen=sum(row.total_fen for row in rows),
            installment_fen=answer.plan.installment_fen,
            performing_order=PayOrderOut.of(orders.performing),
            non_performing_order=PayOrderOut.of(orders.non_performing),
            rows=rows,
        )


Product = Annotated[str, Query(max_length=_NAME_LENGTH_MAX, examples=["consumer"])]
Method = Annotated[str, Query(max_length=_NAME_LENGTH_MAX)]
Amount = Annotated[str, Query(max_length=_NUMBER_LENGTH_MAX, examples=["10000000"])]
Rate = Annotated[str, Query(max_length=_NUMBER_LENGTH_MAX, examples=["0.12"])]
Tenor = Annotated[str, Query(max_length=_NUMBER_LENGTH_MAX, examples=["12"])]
Day = Annotated[str, Query(max_length=_NUMBER_LENGTH_MAX, examples=["2024-03-15"])]


@router.read("/quote", scopes("application:own", "operator", "risk"), answer=QuoteOut)
async def read_quote(
    request: Request,
    product: Product,
    amount_fen: Amount,
    annual_rate: Rate,
    tenor_months: Tenor,
    funded_on: Day,
    method: Method = "equal_instalments",
) -> QuoteOut:
    """Schedule, totals and yearly cost of a loan of a product, with the fees published for its day; refused above the ceiling."""
    try:
        wish = Wish(
            product=product,
            method=method,
            amount_fen=_read(read_whole, amount_fen, "invalid_amount"),
            annual_rate=_read(read_rate, annual_rate, "invalid_rate"),
            tenor_months=_read(read_whole, tenor_months, "invalid_tenor"),
            funded_on=_read(read_day, funded_on, "invalid_date"),
        )
        answer = quote(profile_named(edge_of(request).settings.profile), wish)
    except Refused as refused:
        raise refusal(refused.code) from None
    return QuoteOut.of(wish, answer)


def _read(read: Callable[[str], _Value], text: str, code: str) -> _Value:
    try:
        return read(text)
    except ValueError:
        raise Refused(code) from None
