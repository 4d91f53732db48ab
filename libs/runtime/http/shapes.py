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
_WHOLE = re.compile(r"0|[1-9][0-9]{0,15}")
#: Business dates lie in here, so that adding a loan's months or a day never leaves what a date can hold.
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)
_RATE_MAX = 10


class Shape(BaseModel):
    """Base of all request bodies: unknown fields are refused, and nothing is turned into what it is not."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoFields(Shape):
    """The body of a request that needs none: absent or `{}`."""


def read_day(value: Any) -> date:
    """A business date from its one text. Raises ValueError for any other."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        day = date.fromisoformat(value)
        if _FIRST_DAY <= day <= _LAST_DAY:
            return day
    raise ValueError(f"a date is written YYYY-MM-DD, from {_FIRST_DAY} to {_LAST_DAY}")


def read_rate(value: Any) -> Decimal:
    """A nominal annual rate from its one text. Raises ValueError for any other."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value) and (rate := Decimal(value)) <= _RATE_MAX:
        return rate
    raise ValueError('a rate is a decimal fraction in quotes with at most 8 places: "0.12" is twelve percent')


def read_whole(value: Any) -> int:
    """A whole number that is not negative from its one text, as a query has it. Raises ValueError for any other."""
    if isinstance(value, str) and _WHOLE.fullmatch(value) and (whole := int(value)) <= MAX_INTEGER:
        return whole
    raise ValueError(f"a number is written in digits only, up to {MAX_INTEGER}")


PositiveFenField = Annotated[int, Field(strict=True, gt=0, le=MAX_INTEGER, examples=[100_000])]
"""An amount in fen, greater than zero."""

PositiveFenText = Annotated[
    int,
    BeforeValidator(read_whole),
    Field(gt=0),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}),
]
"""The same in a query, where everything is text."""

CountField = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
"""An integer that is not negative."""

DayField = Annotated[
    date,
    BeforeValidator(read_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2024-03-15"]}),
]
"""A business date."""

HashField = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["5f" * 32])]
"""SHA-256 of a text, in hex."""

RateField = Annotated[
    Decimal,
    BeforeValidator(read_rate),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$", "examples": ["0.12"]}),
]
"""A nominal annual rate as decimal text."""


def id_field(prefix: str) -> Any:
    """An id with this prefix, in a body: a field's second part of Annotated."""
    return Field(pattern=f"^{prefix}_{ID_SUFFIX}$", examples=[f"{prefix}_7f3a"])


def id_path(prefix: str) -> Any:
    """An id with this prefix, in the address. One of another shape names nothing: 404."""
    return Path(pattern=f"^{prefix}_{ID_SUFFIX}$", examples=[f"{prefix}_7f3a"])
