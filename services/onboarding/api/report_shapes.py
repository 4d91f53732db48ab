"""The body of an investigation's report: five aspects, each seen by somebody in some manner (processes.md 1.A)."""

from typing import Annotated, Literal

from pydantic import Field

from libs.runtime.http import DayField, PositiveFenField, Shape
from services.onboarding.api.shapes import CodeField, Grade, ReferenceField


class AspectIn(Shape):
    """One of the five aspects."""

    aspect: Literal["legal", "credit", "operations", "tax", "guarantee"]
    finding: Literal["sound", "concern", "not_applicable"]
    score: Annotated[int, Field(strict=True, ge=0, le=100)]
    manner: Literal["field_visit", "telephone", "bureau", "data"]
    found_on: DayField
    evidence: ReferenceField
    reason: CodeField | None = None


_ASPECTS = [
    {
        "aspect": aspect,
        "finding": "sound",
        "score": 80,
        "manner": "field_visit",
        "found_on": "2024-03-15",
        "evidence": f"doc_{aspect}",
    }
    for aspect in ("legal", "credit", "operations", "tax", "guarantee")
]


class ReportIn(Shape):
    """The investigation's report, aspects in their order."""

    aspects: Annotated[list[AspectIn], Field(min_length=5, max_length=5, examples=[_ASPECTS])]
    grade: Grade
    limit_fen: PositiveFenField
    recommends: Annotated[bool, Field(strict=True)]
