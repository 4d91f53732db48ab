"""Routes of what is off the books: losses that were written off, what came back of them, and interest that is no income.

Sums are the view's own, added up from its segments, so a total is its parts. What of a running loan's interest is suspended no event
says: it is the due and unpaid interest of the rows of a loan whose interest is no income, also where a restructuring asks for it anew, read off
the loan's own document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Depends
from pydantic import BaseModel, Field

from libs.events.measures import WriteOffGround
from libs.runtime.http import ThisPage, ViewReader, view_reader
from services.repayment.api.routes import BOOK_READERS, Loans, ProductQuery, RegionQuery, Today, router
from services.repayment.api.shapes import LoanOut, RowOut

OffBalance = Annotated[ViewReader, Depends(view_reader("repayment.off-balance"))]
Document = Mapping[str, Any]

#: Loans whose interest is suspended: those that were written off stand in the register.
_SUSPENDED: Final = {"state": "running", "accrual": "non_accrual", "written_off_on": None}


class LossSums(BaseModel):
    """Losses added up: what was owed when they were written off and what is left of it, part by part, and what became of the rest.
    `written_off_fen` = recovered + in kind + waived + lapsed − corrected + left, in each row and in each sum. `cost_fen` is what their pursuit cost, `cost_paid_fen` what of it came before that. `given_up_fen` is interest and fees of
    rows that were not due then, and is owed by nobody."""

    loans: int = Field(0, examples=[1])
    written_off_fen: int = Field(0, examples=[66_998])
    written_off_principal_fen: int = Field(0, examples=[66_998])
    written_off_interest_fen: int = 0
    written_off_fee_fen: int = 0
    written_off_penalty_fen: int = 0
    given_up_fen: int = 0
    recovered_fen: int = Field(0, examples=[20_000])
    in_kind_fen: int = 0
    waived_fen: int = 0
    lapsed_fen: int = 0
    corrected_fen: int = 0
    left_fen: int = Field(0, examples=[46_998])
    left_principal_fen: int = Field(0, examples=[46_998])
    left_interest_fen: int = 0
    left_fee_fen: int = 0
    left_penalty_fen: int = 0
    cost_fen: int = 0
    cost_paid_fen: int = 0

    def add(self, document: Document) -> None:
        """One segment more."""
        for name in LossSums.model_fields:
            setattr(self, name, getattr(self, name) + document.get(name, 0))


class RegionLosses(LossSums):
    """The losses of one region."""

    region: str = Field(examples=["CN-31"])


class ProductLosses(LossSums):
    """The losses of one product."""

    product: str = Field(examples=["credit"])


class OffBalanceOut(BaseModel):
    """The register of losses, or the part that was asked for, and the same by region and product: each list sums to `total`."""

    total: LossSums
    regions: list[RegionLosses]
    products: list[ProductLosses]


@dataclass(slots=True)
class Losses:
    """Adds segments up one by one."""

    total: LossSums = field(default_factory=LossSums)
    regions: dict[str, RegionLosses] = field(default_factory=dict)
    products: dict[str, ProductLosses] = field(default_factory=dict)

    def add(self, segment: Document) -> None:
        """A document of repayment.off-balance, of the kind `segment`."""
        region, product = segment["region"], segment["product"]
        self.total.add(segment)
        self.regions.setdefault(region, RegionLosses(region=region)).add(segment)
        self.products.setdefault(product, ProductLosses(product=product)).add(segment)

    def shown(self) -> OffBalanceOut:
        """What was added up so far."""
        return OffBalanceOut(
            total=self.total,
            regions=[self.regions[name] for name in sorted(self.regions)],
            products=[self.products[name] for name in sorted(self.products)],
        )


class LossOut(LossSums):
    """One loan of the register, for good; `events` are the last ones behind it."""

    id: str = Field(examples=["loan_7f3a"])
    region: str
    product: str
    ground: WriteOffGround
    written_off_on: date
    events: list[str]

    @classmethod
    def of(cls, document: Document) -> "LossOut":
        """From a document of repayment.off-balance, of the kind `loan`."""
        plain = {name: document[name] for name in cls.model_fields if name in document}
        return cls(id=document["loan_id"], events=sorted(document["src"].values()), **plain)


class LossesOut(BaseModel):
    """A page of the loans behind a sum; `next` is the cursor of the next page, null after the last."""

    items: list[LossOut]
    next: str | None


class SuspendedOut(BaseModel):
    """A running loan whose interest is no income since a day: `interest_fen` is due and unpaid, whatever new day a restructuring gave it, and with `penalty_fen` owed as before, off the
    books until it is paid."""

    id: str = Field(examples=["loan_7f3a"])
    region: str
    product: str
    loan_class: str
    since: date
    outstanding_fen: int = Field(examples=[66_998])
    interest_fen: int = Field(examples=[670])
    penalty_fen: int = Field(examples=[252])

    @classmethod
    def of(cls, document: Document, today: date | None) -> "SuspendedOut":
        """From a document of repayment.loans, on a business date."""
        loan = LoanOut.of(dict(document))
        assert loan.non_accrual_since is not None, "its interest is no income since a day"
        return cls(
            interest_fen=sum(_suspended_fen(loan, row, today) for row in loan.rows),
            since=loan.non_accrual_since,
            **loan.model_dump(include=set(cls.model_fields) - {"interest_fen", "since"}),
        )


def _suspended_fen(loan: LoanOut, row: RowOut, today: date | None) -> int:
    """Of a row that is not due what a restructuring left in it of interest that was: it has new days, and nothing of it was paid."""
    open_fen = row.interest_fen - row.paid_interest_fen
    if today is not None and row.due_on <= today:
        return open_fen
    left = loan.arrears if row.number == loan.arrears_in else None
    return min(left.interest_fen, open_fen) if left is not None else 0


class SuspendedInterestOut(BaseModel):
    """A page of loans whose interest is suspended; `next` is the cursor of the next page, null after the last."""

    items: list[SuspendedOut]
    next: str | None


@router.read("/off-balance", BOOK_READERS, answer=OffBalanceOut)
async def read_off_balance(
    losses: OffBalance, region: RegionQuery = None, product: ProductQuery = None
) -> OffBalanceOut:
    """What was written off, what came back of it and what is left, by region and product."""
    found = Losses()
    async for segment in losses.all({"kind": "segment"} | _asked(region, product)):
        found.add(segment)
    return found.shown()


@router.read("/off-balance/loans", BOOK_READERS, answer=LossesOut)
async def read_losses(
    losses: OffBalance, page: ThisPage, region: RegionQuery = None, product: ProductQuery = None
) -> LossesOut:
    """The loans behind these sums, also those of which nothing is left, each with the events behind it."""
    found, following = await losses.page(page, where={"kind": "loan"} | _asked(region, product))
    return LossesOut(items=[LossOut.of(row) for row in found], next=following)


@router.read("/off-balance/suspended-interest", BOOK_READERS, answer=SuspendedInterestOut)
async def read_suspended_interest(
    loans: Loans, page: ThisPage, today: Today, region: RegionQuery = None, product: ProductQuery = None
) -> SuspendedInterestOut:
    """Running loans whose interest is no income (non-accrual), with what of it is due and unpaid."""
    found, following = await loans.page(page, where=_SUSPENDED | _asked(region, product))
    return SuspendedInterestOut(items=[SuspendedOut.of(loan, today) for loan in found], next=following)


def _asked(region: str | None, product: str | None) -> dict[str, str]:
    asked = {"region": region, "product": product}
    return {name: value for name, value in asked.items() if value is not None}
