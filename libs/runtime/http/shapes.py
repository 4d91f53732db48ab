"""The field types of request bodies: strict, because a value that had to be guessed at is a wrong value.

No "5", 5.0 or true for an integer, no timestamp for a date, no JSON number for a rate: a float would round it on the way.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from libs.events.money import MAX_INTEGER

ID_SUFFIX: Final = "[A-Za-z0-9_-]{1,64}"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,8})?")
#: Business dates lie in here, so that adding a loan's months or a day never leaves what a date can hold.
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)


class Shape(BaseModel):
    """Base of all request bodies: unknown fields are refused, and nothing is turned into what it is not."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoFields(Shape):
    """The body of a request that needs none: absent or `{}`."""


def _day(value: Any) -> Any:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("a date is written YYYY-MM-DD")


def _decimal(value: Any) -> Any:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError('a rate is a decimal fraction in quotes with at most 8 places: "0.12" is twelve percent')


PositiveFenField = Annotated[int, Field(strict=True, gt=0, le=MAX_INTEGER, examples=[100_000])]
"""An amount in fen, greater than zero."""

CountField = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
"""An integer that is not negative."""

DayField = Annotated[
    date,
    BeforeValidator(_day),
    Field(ge=_FIRST_DAY, le=_LAST_DAY),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2024-03-15"]}),
]
"""A business date."""

HashField = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["5f" * 32])]
"""SHA-256 of a text, in hex."""

RateField = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0, le=10),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$", "examples": ["0.12"]}),
]
"""A nominal annual rate as decimal text."""


def id_field(prefix: str) -> Any:
    """An id with this prefix, in a body: a field's second part of Annotated."""
    return Field(pattern=f"^{prefix}_{ID_SUFFIX}$", examples=[f"{prefix}_7f3a"])


def id_path(prefix: str) -> Any:
    """An id with this prefix, in the address. One of another shape names nothing: 404."""
    return Path(pattern=f"^{prefix}_{ID_SUFFIX}$", examples=[f"{prefix}_7f3a"])
