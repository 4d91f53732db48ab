"""Routes of the running book by how late it is: sums by stage, region and product that add up, and the loans behind each.

Nothing is counted here that the view does not hold: a sum of several segments is their addition, so a total is its parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, Field

from libs.events.searches import OneOf
from libs.runtime.http import ThisPage
from services.repayment.api.routes import BOOK_READERS, Buckets, ProductQuery, RegionQuery, router
from services.repayment.domain.profile import CURRENT

StageQuery = Annotated[
    str | None,
    Query(pattern="^[a-z][a-z0-9_]{0,39}$", description="Only this stage of collecting.", examples=["early"]),
]
BucketQuery = Annotated[
    str | None, Query(pattern="^[A-Za-z0-9+-]{1,20}$", description="Only this bucket.", examples=["M1"])
]

BranchQuery = Annotated[
    str | None,
    Query(
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$",
        description="Only what this branch looks after.",
        examples=["CN-44"],
    ),
]

Document = Mapping[str, Any]
_SUMS: Final = ("loans", "principal_fen", "overdue_principal_fen", "overdue_fen")
#: What nobody collects yet, or no longer: the stage of loans that are not late.
_NO_STAGE: Final = ""


class BookSums(BaseModel):
    """Running loans added up: how many, their whole outstanding principal, what of that is overdue (of missed instalments; the rest is
    normal), and all that is overdue, penalty included."""

    loans: int = 0
    principal_fen: int = 0
    overdue_principal_fen: int = 0
    overdue_fen: int = 0

    def add(self, document: Document) -> None:
        """One segment more."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + document.get(name, 0))

    def any(self) -> bool:
        """Whether anything was added that is not taken off again."""
        return any(getattr(self, name) for name in _SUMS)


class StageSums(BookSums):
    """The loans of one stage of collecting; empty for those that have no case."""

    stage: str


class RegionSums(BookSums):
    """The loans of one region."""

    region: str


class BranchSums(BookSums):
    """The loans that one branch looks after; that of their region, unless they were moved to another."""

    branch: str = Field(examples=["CN-44"])


class ProductSums(BookSums):
    """The loans of one product."""

    product: str


class BucketSums(BookSums):
    """The loans of one bucket."""

    bucket: str


class OverdueOut(BaseModel):
    """The late part of the running book that was asked for, and the same by stage, bucket, region, branch and product: each list sums to
    `total`, and every segment behind them is a figure (`segment_overdue`, `segment_principal`)."""

    total: BookSums
    stages: list[StageSums]
    buckets: list[BucketSums]
    regions: list[RegionSums]
    branches: list[BranchSums]
    products: list[ProductSums]


@dataclass(slots=True)
class Overdue:
    """Adds segments up one by one."""

    total: BookSums = field(default_factory=BookSums)
    stages: dict[str, StageSums] = field(default_factory=dict)
    buckets: dict[str, BucketSums] = field(default_factory=dict)
    regions: dict[str, RegionSums] = field(default_factory=dict)
    products: dict[str, ProductSums] = field(default_factory=dict)
    branches: dict[str, BranchSums] = field(default_factory=dict)

    def add(self, segment: Document) -> None:
        """A document of repayment.overdue-buckets, of the kind `segment`. One that has no loans any more is in no list."""
        if not any(segment.get(name) for name in _SUMS):
            return
        stage = segment.get("stage", _NO_STAGE)
        bucket, region, product = segment["bucket"], segment["region"], segment["product"]
        for each in (
            self.total,
            self.stages.setdefault(stage, StageSums(stage=stage)),
            self.buckets.setdefault(bucket, BucketSums(bucket=bucket)),
            self.regions.setdefault(region, RegionSums(region=region)),
            self.products.setdefault(product, ProductSums(product=product)),
            self._branch(region),
        ):
            each.add(segment)

    def move(self, loan: Document) -> None:
        """A document of the kind `loan` that another branch looks after than that of its region, in whose segments it was added."""
        row = {"loans": 1, **{name: loan.get(name, 0) for name in _SUMS[1:]}}
        self._branch(loan["region"]).add({name: -value for name, value in row.items()})
        self._branch(loan["branch"]).add(row)

    def _branch(self, name: str) -> BranchSums:
        return self.branches.setdefault(name, BranchSums(branch=name))

    def shown(self) -> OverdueOut:
        """What was added up so far."""
        return OverdueOut(
            total=self.total,
            stages=[self.stages[name] for name in sorted(self.stages)],
            buckets=[self.buckets[name] for name in sorted(self.buckets)],
            regions=[self.regions[name] for name in sorted(self.regions)],
            branches=[self.branches[name] for name in sorted(self.branches) if self.branches[name].any()],
            products=[self.products[name] for name in sorted(self.products)],
        )


class RunningLoanOut(BaseModel):
    """A running loan as the sums count it: in its bucket since a date. `branch` looks after it. `events` are the last ones behind it.
    `partly_overdue`: of its principal some is overdue and some is not due yet."""

    id: str
    bucket: str
    region: str
    branch: str = ""
    product: str
    since: date
    principal_fen: int
    overdue_principal_fen: int = 0
    partly_overdue: bool
    overdue_fen: int
    events: list[str]

    @classmethod
    def of(cls, document: Document) -> "RunningLoanOut":
        """From a document of repayment.overdue-buckets, of the kind `loan`."""
        plain = {name: document[name] for name in cls.model_fields if name in document}
        is_partly = 0 < document.get("overdue_principal_fen", 0) < document["principal_fen"]
        return cls(
            id=document["loan_id"],
            events=sorted(document["src"].values()),
            partly_overdue=is_partly,
            **plain,
        )


class RunningLoansOut(BaseModel):
    """A page of the loans behind a sum."""

    items: list[RunningLoanOut]
    next: str | None


@router.read("/overdue", BOOK_READERS, answer=OverdueOut)
async def read_overdue(
    buckets: Buckets, stage: StageQuery = None, region: RegionQuery = None, product: ProductQuery = None
) -> OverdueOut:
    """What of the running book is late, by stage of collecting, bucket, region, branch and product: of one of each if wished."""
    overdue = Overdue()
    where = _asked(region=region, product=product)
    async for segment in buckets.all({"kind": "segment"} | where | _asked(stage=stage)):
        if segment["bucket"] != CURRENT:
            overdue.add(segment)
    names = None if stage is None else await _buckets_of(buckets, stage)
    async for loan in buckets.all({"kind": "loan", "moved": True} | where):
        if loan["bucket"] != CURRENT and (names is None or loan["bucket"] in names):
            overdue.move(loan)
    return overdue.shown()


@router.read("/running-loans", BOOK_READERS, answer=RunningLoansOut)
async def read_running_loans(
    buckets: Buckets,
    page: ThisPage,
    bucket: BucketQuery = None,
    stage: StageQuery = None,
    region: RegionQuery = None,
    product: ProductQuery = None,
    branch: BranchQuery = None,
) -> RunningLoansOut:
    """The loans behind a sum of the book, each with the events behind it; of a stage: those of its buckets."""
    where: dict[str, Any] = {"kind": "loan"}
    where |= _asked(bucket=bucket, region=region, product=product, branch=branch)
    if stage is not None:
        names = await _buckets_of(buckets, stage)
        where["bucket"] = OneOf(tuple(name for name in names if bucket in (None, name)))
    found, following = await buckets.page(page, where=where)
    return RunningLoansOut(items=[RunningLoanOut.of(row) for row in found], next=following)


async def _buckets_of(buckets: Buckets, stage: str) -> list[str]:
    """In which stage a bucket is collected is the same for all its loans."""
    return [row["bucket"] async for row in buckets.all({"kind": "bucket", "stage": stage})]


def _asked(**named: str | None) -> dict[str, str]:
    return {name: value for name, value in named.items() if value is not None}
