"""What may be asked of a view's documents beside that a field equals a value, and in which order they are listed. Pure.

`page_of` is the meaning; the database carries the same out on its side (libs.runtime.mongo_statements), and a test holds it to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from libs.events.money import MAX_INTEGER
from libs.events.views import OtherThan, value_at


@dataclass(frozen=True, slots=True)
class Span:
    """From `low` to `high`, both included; None where it has no end. What has no such field is not in it."""

    low: Any = None
    high: Any = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of these values."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order of a list: by a field and then by name, or by name alone (None). What has no such field is not listed."""

    field: str | None = None
    descending: bool = False


BY_NAME: Final = Sorting()


def fits(document: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether each field is what is asked for; a list's field equals whatever it holds, as the database has it."""
    return all(_is(value_at(document, name), asked) for name, asked in where.items())


def _is(found: Any, asked: Any) -> bool:
    match asked:
        case OtherThan():
            return bool(found != asked.value)
        case OneOf():
            return found in asked.values
        case Span():
            above = asked.low is None or (found is not None and found >= asked.low)
            return found is not None and above and (asked.high is None or found <= asked.high)
        case _:
            return bool(found == asked) or (isinstance(found, list) and asked in found)


def page_of(
    documents: Mapping[str, dict[str, Any]],
    where: Mapping[str, Any],
    after: str | None,
    limit: int,
    order: Sorting = BY_NAME,
) -> tuple[list[dict[str, Any]], str | None]:
    """The documents of one page, after a place, and the place of its last one where more follow."""
    listed = [
        (key, documents[key[-1]])
        for key in sorted(_keys(documents, order), reverse=order.descending)
        if fits(documents[key[-1]], where)
    ]
    if after is not None:
        start = read_place(order, after)
        listed = [each for each in listed if (each[0] < start if order.descending else each[0] > start)]
    page = [document for _, document in listed[:limit]]
    return page, place_of(order, listed[limit - 1][0]) if len(listed) > limit else None


def _keys(documents: Mapping[str, Mapping[str, Any]], order: Sorting) -> list[tuple[Any, ...]]:
    if order.field is None:
        return [(name,) for name in documents]
    values = ((value_at(document, order.field), name) for name, document in documents.items())
    return [(value, name) for value, name in values if value is not None]


def key_of(document: Mapping[str, Any], order: Sorting) -> tuple[Any, ...]:
    """Where a document, with its name as `_id`, stands in an order."""
    name = document["_id"]
    return (name,) if order.field is None else (value_at(document, order.field), name)


def place_of(order: Sorting, key: tuple[Any, ...]) -> str:
    """A place in a list as text: the name, or the field's value and the name."""
    if order.field is None:
        return str(key[0])
    value, name = key
    assert isinstance(value, int | str), "lists are ordered by words and whole numbers"
    return f"i{value} {name}" if isinstance(value, int) else f"s{len(value)} {value}{name}"


def read_place(order: Sorting, text: str) -> tuple[Any, ...]:
    """What `place_of` wrote. Raises ValueError for what it never does."""
    if order.field is None:
        return (text,)
    head, _, rest = text[1:].partition(" ")
    number = int(head)
    if text.startswith("s") and 0 <= number <= len(rest):
        return rest[:number], rest[number:]
    if text.startswith("i") and abs(number) <= MAX_INTEGER:
        return number, rest
    raise ValueError("no place in a list")
