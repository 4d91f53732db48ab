"""Which types msgspec reads exactly as pydantic does, and what it must be told of their limits.

pydantic says what fits: its refusals are the ones that are told. msgspec reads three times as fast, so what it accepts is not
asked again; that is sound only for types of which it accepts nothing that pydantic refuses. Those are listed here, one form
after the other. Whatever is not listed (decimals and their limits, times of day, unions of situations) is left to pydantic.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Meta
from pydantic.fields import FieldInfo

_PLAIN = (str, int, bool, date, NoneType)
#: pydantic's names of limits that mean the same to msgspec.
_LIMITS = {"ge", "gt", "le", "max_length", "pattern"}
#: Patterns of a whole text that the two engines read alike. pydantic's `$` is the text's end; Python's, which msgspec asks, is
#: also the place before a last line break.
_WHOLE = re.compile(r"\^([^$|\\]+)\$")


def with_limits(hint: Any) -> Any:
    """A field's type with its pydantic limits said once more in msgspec's words, where both mean the same."""
    match get_origin(hint), get_args(hint):
        case _, ():
            return hint
        case origin, (base, *told) if origin is Annotated:
            limit = _limit(base, told)
            return hint if limit is None else Annotated[(base, *told, limit)]
        case origin, parts if origin is Union or origin is UnionType:
            return Union[tuple(map(with_limits, parts))]  # noqa: UP007 - made of parts that are known only here
        case origin, parts if origin is tuple or origin is dict:
            return origin[tuple(part if part is Ellipsis else with_limits(part) for part in parts)]
        case _:
            return hint


def _limit(base: Any, told: Iterable[Any]) -> Meta | None:
    """The limits that pydantic's fields say of a text or a whole number; None where one of them has no other word."""
    limits: dict[str, Any] = {}
    for field in told:
        if base not in (str, int) or not isinstance(field, FieldInfo):
            return None
        for each in field.metadata:
            is_one = is_dataclass(each) and not isinstance(each, type)
            limits |= asdict(each) if is_one else each.__dict__
    if not limits or limits.keys() - _LIMITS:
        return None
    if "pattern" in limits:
        whole = _WHOLE.fullmatch(limits["pattern"])
        if whole is None:
            return None
        limits["pattern"] = rf"^{whole[1]}\Z"
    return Meta(**limits)


def is_open(kind: type) -> bool:
    """Whether it is one of this package's dataclasses, and unknown fields of it are passed over."""
    config: dict[str, Any] = getattr(kind, "__pydantic_config__", {})
    return config.get("extra") == "ignore" and config.get("strict") is True


@cache
def is_exact(kind: type) -> bool:
    """Whether msgspec accepts nothing as this dataclass that pydantic refuses, unknown fields of its own left aside."""
    return all(_is_exact(hint) for hint in get_type_hints(kind, include_extras=True).values())


def _is_exact(hint: Any) -> bool:
    match get_origin(hint), get_args(hint):
        case None, ():
            return hint in _PLAIN or (isinstance(hint, type) and is_open(hint) and is_exact(hint))
        case origin, (base, *told) if origin is Annotated:
            return base in (str, int) and any(isinstance(each, Meta) for each in told)
        case origin, parts if origin is Literal:
            return all(type(part) is str for part in parts)
        case origin, (one, other) if origin is Union or origin is UnionType:
            return other is NoneType and _is_exact(one)
        case origin, (part, end) if origin is tuple:
            return end is Ellipsis and _is_exact(part)
        case origin, (key, value) if origin is dict:
            return _is_exact(key) and _is_exact(value)
        case _:
            return False


@cache
def is_written_alike(kind: Any) -> bool:
    """Whether msgspec writes a valid value of this type, a dataclass or a union of them, byte for byte as pydantic does.

    Not so for times of day and for what has no type. `tests/contract/test_written.py` holds both to one answer.
    """
    match get_origin(kind), get_args(kind):
        case None, ():
            return (
                kind in (*_PLAIN, Decimal)
                or _is_word(kind)
                or (
                    is_dataclass(kind)
                    and all(map(is_written_alike, get_type_hints(kind, include_extras=True).values()))
                )
            )
        case origin, (base, *_) if origin is Annotated:
            return is_written_alike(base)
        case origin, parts if origin is Literal:
            return all(type(part) is str for part in parts)
        case origin, (key, value) if origin is dict:
            return key is str and is_written_alike(value)
        case origin, parts if origin in (Union, UnionType, tuple):
            return all(part is Ellipsis or is_written_alike(part) for part in parts)
        case _:
            return False


def _is_word(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def names_of(kind: type) -> frozenset[str]:
    """The names of a dataclass's fields."""
    return frozenset(field.name for field in fields(kind))
