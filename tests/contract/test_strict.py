"""Two decoders, one answer: what is read fast is read exactly as pydantic reads it, value for value and refusal for refusal."""

import json
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from libs.events.codec import (
    COMMAND_TYPES,
    EVENT_TYPES,
    Undecodable,
    adapter,
    decode,
    decode_object,
    parse_json,
)
from libs.events.records import Decision, StoredEvent, decode_event, encode_decision, parse_decision
from libs.events.strict import is_exact
from libs.events.system import CommandRepeated
from libs.runtime.service import load_services
from libs.runtime.settings import load_settings

load_services(load_settings().profile)  # its import declares every type

GOLDEN = Path(__file__).parent / "golden"
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 5.0, 1e2, -0.0, 0.12, 10**15, 10**15 + 1, -(10**15), -(10**15) - 1, 2**63, 10**30,
    "", "5", "1", "true", "a", "A", "a\n", "a b", "a|b", "é", "\0", "x" * 100, "x" * 200, "x" * 201, "x" * 257, "0" * 64,
    "0" * 64 + "\n", "2024-01-31", "2024-1-31", "2024-02-30", "0000-01-01", "2024-01-31T00:00:00", "2024-01-31T00:00:00Z",
    "20240131", "1706659200", 1706659200, [], [1], ["a"], [None], [[]], {}, {"a": 1}, {"a": "x"}, {"A b": "x"}, {"a": "x" * 257},
)  # fmt: skip
"""What may stand in a field's place: every kind of JSON, and what lies on both sides of a limit."""


def mutants(value: Any) -> Iterator[Any]:
    """A JSON value with one thing changed: replaced, left out, or one field more."""
    yield from ODD
    if isinstance(value, dict):
        yield {**value, "added_by_the_next_release": {"a": [5.0]}}
        for name in value:
            yield {other: each for other, each in value.items() if other != name}
            for changed in mutants(value[name]):
                yield {**value, name: changed}
    if isinstance(value, list):
        yield [*value, *value]
        for place, each in enumerate(value[:2]):
            for changed in mutants(each):
                yield [*value[:place], changed, *value[place + 1 :]]


def told(read: Callable[[], Any]) -> tuple[str, Any]:
    """What a decoder makes of something. The text shows the types of what is equal otherwise (True and 1)."""
    try:
        found = read()
    except Undecodable:
        return "refused", None
    return repr(found), found


def of_both(kind: type, data: Any) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """What the fast way and pydantic make of a JSON value."""
    return told(lambda: decode_object(kind, data)), told(lambda: decode(kind, json.dumps(data).encode()))


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_an_event_is_read_as_pydantic_reads_it(name: str) -> None:
    """Whatever is changed in a golden sample, both decoders give the same event or both refuse it."""
    sample = json.loads((GOLDEN / f"{name}.json").read_text())
    for data in (sample, *mutants(sample)):
        fast, slow = of_both(EVENT_TYPES[name], data)
        assert fast == slow, data


def a_sample(kind: Any) -> Any:
    """JSON that is accepted as a type: of every part the first form, a list with one item."""
    parts = get_args(kind)
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return {name: a_sample(hint) for name, hint in hints.items()}
    if get_origin(kind) is tuple:
        return [a_sample(parts[0])]
    if get_origin(kind) in (Union, UnionType):
        return a_sample(parts[0])
    plain = ("2024-01-31", "a", 1, True, "0" * 64, "card_" + "0" * 32, "0.12", "half_up", *parts)
    return next(value for value in plain if _fits(kind, value))


def _fits(kind: Any, value: Any) -> bool:
    try:
        adapter(kind).validate_json(json.dumps(value), strict=True)
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("name", sorted(COMMAND_TYPES))
def test_a_command_is_read_as_pydantic_reads_it(name: str) -> None:
    """The same for commands, which are closed: a field that is not known is refused."""
    kind = COMMAND_TYPES[name]
    sample = a_sample(kind)
    assert told(lambda: decode_object(kind, sample))[0] != "refused"
    for data in (sample, *mutants(sample)):
        fast, slow = of_both(kind, data)
        assert fast == slow, data


def test_hardly_anything_is_left_to_pydantic() -> None:
    """Only types with decimals, times of day, free JSON or one of several situations in them are read the slow way."""
    kinds = (*EVENT_TYPES.values(), *COMMAND_TYPES.values())
    slow = [kind for kind in kinds if not is_exact(kind) and kind is not CommandRepeated]
    for kind in slow:
        schema = json.dumps(adapter(kind).json_schema())
        named = ('"format": "date-time"', '"type": "number"', '"const"')
        assert any(word in schema for word in named), kind
    assert len(slow) < len(kinds) // 10


def a_record(*events: bytes) -> bytes:
    """A decision of these events and of two more."""
    return encode_decision(
        at=datetime(2024, 1, 31, 9, 30, 0, 5, tzinfo=UTC),
        business_date=date(2024, 1, 31),
        principal="usr_1",
        correlation_id="c-1",
        causation_id=None,
        events=[
            b'{"type":"bidding.AccountOpened.v1","stream":"acc_1","sequence":1,"data":{"account_id":"acc_1","owner":"\xc3\xa9"}}',
            b'{"type":"x","stream":null,"sequence":null,"data":[1,-2.5,"\\u00e9\\n",{"a":{}},true]}',
            *events,
        ],
    )


RECORD = a_record()
TICK = a_record(*[b'{"type":"x","stream":"acc_1","sequence":2,"data":{"a":[1]}}'] * 80)
"""A record with more brackets than a shallow text may have."""
FRAGMENTS = (
    b"null", b"true", b"tru", b"0", b"-0", b"01", b"1.", b"-", b".5", b"5.0", b"1e5", b"1E+5", b"1e999", b"-1e999", b"1e-999",
    b"9" * 40, b"9" * 4300, b"9" * 4301, b"1." + b"3" * 400, b"9" * 400 + b".5", b"NaN", b"Infinity", b"-Infinity", b'"a"',
    b'""', b'"a\nb"', b'"a\x00b"', b'"\x7f"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\\ud800"', b'"\\ud800\\u0041"',
    b'"\\ud83d\\ude00"', b'"\\x"', b'"\\u12"', b'"\\/"', b"[]", b"[1,]", b"{}", b'{"a":1,}', b'{"a":1,"a":2}', b"{1:2}", b"'a'",
    b'{"at":null,"at":"2024-01-31T09:00:00Z"}', b"[" * 190 + b"]" * 190, b"[" * 198 + b"]" * 198, b"[" * 205 + b"]" * 205,
    b'{"a":' * 260 + b"1" + b"}" * 260, b"[" * 50_000, b"", b" ", b"\xef\xbb\xbf", b"x", b'"2024-01-31"', b'"2024-01-31T25:00:00Z"',
    b'"20240131"', b'"2024-01-31T09:30:00.123456789+08:00"', b'{"type":"x","stream":1,"sequence":"1","data":null,"more":2}',
)  # fmt: skip
"""JSON and what only looks like it."""
VALUES = [
    b'"at":',
    b'"business_date":',
    b'"principal":',
    b'"events":',
    b'"stream":',
    b'"sequence":',
    b'"data":',
    b'"owner":',
]


def the_long_way(value: bytes) -> Decision:
    """A decision as the record's whole JSON tells it."""
    try:
        body = from_json(value, allow_inf_nan=False)
        at, on = body["at"], body["business_date"]
        events = [
            StoredEvent(*(each[name] for name in ("type", "stream", "sequence", "data")))
            for each in body["events"]
        ]
        return Decision(
            None if at is None else datetime.fromisoformat(at), None if on is None else date.fromisoformat(on),
            body["principal"], body["correlation_id"], body["causation_id"], tuple(events),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Undecodable(repr(error)) from error


def read_alike(value: bytes) -> None:
    """Both readers of a record, and both of any JSON, say the same."""
    assert told(lambda: parse_decision.__wrapped__(value)) == told(lambda: the_long_way(value)), value

    def parsed() -> Any:
        try:
            return from_json(value, allow_inf_nan=False)
        except ValueError as error:
            raise Undecodable(repr(error)) from error

    assert told(lambda: parse_json(value))[0] == told(parsed)[0], value


@pytest.mark.parametrize("record", [RECORD, TICK], ids=["record", "tick"])
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_odd_json_in_any_place_is_read_as_pydantic_reads_it(fragment: bytes, record: bytes) -> None:
    """A record with something odd for a value, before, behind or beside the others is the same decision, or none, to both."""
    read_alike(fragment)
    for around in (fragment + record, record + fragment, record[:-1] + b',"more":' + fragment + b"}"):
        read_alike(around)
    for name in VALUES:
        before, behind = record.split(name, 1)
        read_alike(before + name + fragment + b"," + behind)
        read_alike(before + name + fragment + b',"more":' + behind)


@pytest.mark.parametrize("depth", range(194, 203))
def test_an_event_may_lie_as_deep_in_a_tick_as_anywhere(depth: int) -> None:
    """How deep the data of one event of many may be nested is counted from the record's beginning."""
    data = b"[" * depth + b"]" * depth
    read_alike(a_record(*[b'{"type":"x","stream":"acc_1","sequence":2,"data":%s}' % data] * 2))


@given(st.data())
def test_a_damaged_record_is_read_as_pydantic_reads_it(data: st.DataObject) -> None:
    """Wherever a record is cut, and whatever is put in between, both readers say the same."""
    record = data.draw(st.sampled_from([RECORD, TICK]))
    start = data.draw(st.integers(0, len(record)))
    end = data.draw(st.integers(start, min(len(record), start + 20)))
    put = data.draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=3))
    read_alike(record[:start] + put + record[end:])


def test_an_event_that_was_read_is_the_same_event() -> None:
    """That a reader has asked for the dataclass of a stored event makes no other event of it."""
    asked, untouched = (parse_decision.__wrapped__(RECORD).events[0] for _ in range(2))
    decode_event(asked)
    assert asked == untouched
    assert asked != parse_decision.__wrapped__(RECORD).events[1]
