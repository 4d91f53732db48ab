"""Things in buckets by the first digits of their id: a state is folded event by event, and one decision changes thousands of them."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

_Kept = TypeVar("_Kept")


def kept(buckets: Mapping[str, Mapping[str, _Kept]], break_id: str) -> _Kept | None:
    """What is kept under an id."""
    return buckets.get(_bucket(break_id), {}).get(break_id)


def all_kept(buckets: Mapping[str, Mapping[str, _Kept]]) -> Iterator[tuple[str, _Kept]]:
    """Everything that is kept, by its id."""
    for bucket in buckets.values():
        yield from bucket.items()


def number_of(buckets: Mapping[str, Mapping[str, _Kept]]) -> int:
    """How many there are."""
    return sum(map(len, buckets.values()))


def _bucket(break_id: str) -> str:
    return break_id[4:6]


def kept_with(
    buckets: dict[str, dict[str, _Kept]], break_id: str, value: _Kept
) -> dict[str, dict[str, _Kept]]:
    """With this one as well, or instead."""
    name = _bucket(break_id)
    return buckets | {name: buckets.get(name, {}) | {break_id: value}}


def kept_without(buckets: dict[str, dict[str, _Kept]], break_id: str) -> dict[str, dict[str, _Kept]]:
    """Without this one, if it is there."""
    name = _bucket(break_id)
    left = {other: value for other, value in buckets.get(name, {}).items() if other != break_id}
    if left:
        return buckets | {name: left}
    return {other: bucket for other, bucket in buckets.items() if other != name}
