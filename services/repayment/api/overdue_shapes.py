"""Answers about the running book by lateness: buckets, and their parts by region and product."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel


def _told(shape: type[BaseModel], document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says of an answer's fields, and what of the principal is normal."""
    told = {name: document[name] for name in shape.model_fields if name in document}
    return told | {
        "normal_principal_fen": document["principal_fen"] - document.get("overdue_principal_fen", 0)
    }


class BucketOut(BaseModel):
    """How many running loans are this late, their whole outstanding principal, and what of it and beside it is overdue; of the principal
    that of missed instalments is (`overdue_principal_fen`), the rest is not due yet and stays normal. `stage` is the stage of collecting
    that the bucket belongs to, null until a loan of it has a case."""

    bucket: str
    loans: int
    principal_fen: int
    overdue_principal_fen: int = 0
    normal_principal_fen: int
    overdue_fen: int = 0  # not in documents of the version before
    stage: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From a document of repayment.overdue-buckets."""
        return cls(**_told(cls, document))


class BucketsOut(BaseModel):
    """A page of the book by lateness, `current` first; `next` is the cursor of the next page, null after the last."""

    items: list[BucketOut]
    next: str | None


class SegmentOut(BucketOut):
    """A bucket of one region and product; both are empty for loans from before they were recorded."""

    region: str
    product: str


class SegmentsOut(BaseModel):
    """A page of the book by lateness, region and product."""

    items: list[SegmentOut]
    next: str | None


class LateOut(BaseModel):
    """A part of the running book: its loans with their outstanding principal, overdue and normal, and those of them that are past due."""

    loans: int
    principal_fen: int
    overdue_principal_fen: int = 0
    normal_principal_fen: int
    late_loans: int
    late_principal_fen: int
    overdue_fen: int = 0  # not in documents of the version before

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From a document of repayment.overdue-buckets."""
        return cls(**_told(cls, document))


class RegionOut(LateOut):
    """The part of one region; empty for loans from before it was recorded."""

    region: str


class RegionsOut(BaseModel):
    """A page of the book by region."""

    items: list[RegionOut]
    next: str | None


class ProductOut(LateOut):
    """The part of one product; empty for loans from before it was recorded."""

    product: str


class ProductsOut(BaseModel):
    """A page of the book by product."""

    items: list[ProductOut]
    next: str | None
