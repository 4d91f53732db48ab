"""What stands in the log: command records, decision records, and the one form in which readers get an event.

One command gives one decision record; the record carries 1..n events and is the unit of atomicity (design.md 2.3).
What is made for every record or event that is read is a msgspec.Struct: it is as frozen as a dataclass and costs a tenth.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Struct
from pydantic import Field
from pydantic_core import to_json

from libs.events.codec import (
    EVENT_TYPES,
    Undecodable,
    decode_object,
    encode,
    is_shallow,
    name_of,
    parse_json,
    record,
)
from libs.events.money import Count
from libs.events.upcast import upcast

Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,200}$")]
"""An id that stands in headers and store keys beside separators: no `|`, no `/`, nothing unprintable."""


About = dict[
    Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")],
    Annotated[str, Field(max_length=256)],
]
"""Ids that a saga wants back in a refusal. Their names become fields of documents, so they are plain words."""


class RawRecord(Struct, frozen=True, gc=False):
    """One record of a topic partition as the broker gave it."""

    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes]
    timestamp_ms: int = 0


@record
class Source:
    """The event that made a policy send a command: its group, and the topic, partition and position of its record."""

    group: Token
    topic: Token
    partition: Count
    position: Count


@record
class StoredBelow:
    """Lowest source position whose commands are not all acknowledged, and that record's hash (hex)."""

    position: Count
    hash: Token


@record
class CommandEnvelope:
    """The JSON value of a command record (design.md 2.2). `data` is the command's own JSON object.

    `business_date` is, on a policy's command, that of the event that caused it: a partition which has no date yet, because
    the opened calendar has not reached it, decides on that one. A step of a saga is never refused for being early.
    """

    command_id: Token
    type: str
    stream_id: str
    data: Any
    at: datetime
    principal: str
    correlation_id: str
    causation_id: str | None = None
    fingerprint: Token | None = None
    source: Source | None = None
    stored_below: StoredBelow | None = None
    business_date: date | None = None
    about: About = field(default_factory=dict)


class StoredEvent(Struct, frozen=True, eq=False, gc=False):
    """One event of a decision as it stands in the record's value: not yet decoded."""

    type: str
    stream: str | None
    sequence: int | None
    data: Any
    decoded: list[Any] = msgspec.field(default_factory=list)
    """Its dataclass, once somebody has asked: it is frozen, so the readers of a process may share it."""

    def __eq__(self, other: object) -> bool:
        """Whether it says the same, whoever has asked for what."""
        return isinstance(other, StoredEvent) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]  # its data is JSON, which has no hash

    def _said(self) -> tuple[Any, ...]:
        return self.type, self.stream, self.sequence, self.data


class RecordedEvent(Struct, frozen=True, gc=False):
    """One event as policies and projections see it: its data, its place in the log and what caused it.

    `stream` and `sequence` are None for events outside any stream (refusals, repeats, no effect).
    """

    data: Any
    type: str
    stream: str | None
    sequence: int | None
    service: str
    partition: int
    position: int
    index: int
    at: datetime | None
    business_date: date | None
    principal: str
    correlation_id: str
    causation_id: str | None
    command_id: str
    command_type: str

    @property
    def address(self) -> str:
        """The event's id: where it stands (`service/partition/position/index`)."""
        return f"{self.service}/{self.partition}/{self.position}/{self.index}"


class Decision(Struct, frozen=True, gc=False):
    """A decision record's value, read but with its events' data still undecoded."""

    at: datetime | None
    business_date: date | None
    principal: str
    correlation_id: str
    causation_id: str | None
    events: tuple[StoredEvent, ...]


class _Item(Struct, gc=False, forbid_unknown_fields=True):
    """An event in a decision record's value."""

    type: str
    stream: str | None
    sequence: int | None
    data: Any


class _Head(Struct, gc=False, forbid_unknown_fields=True):
    """What a decision record's value says once, for all its events."""

    at: str | None
    business_date: str | None
    principal: str
    correlation_id: str
    causation_id: str | None


class _Value(_Head, gc=False, forbid_unknown_fields=True):
    """A decision record's value as everybody writes it today. A record of another form is read the long way."""

    events: list[_Item]


class _RawItem(Struct, gc=False, forbid_unknown_fields=True):
    """An event whose data is left as text for now."""

    type: str
    stream: str | None
    sequence: int | None
    data: msgspec.Raw


class _LongValue(_Head, gc=False, forbid_unknown_fields=True):
    """A decision of so many events, a tick's, that it has more brackets than a text that is surely shallow. Each event has few."""

    events: list[_RawItem]


#: An event's data lies so deep in a record: in its value, its list of events, and the event.
_DATA_DEPTH = 3
_HEAD = _Head.__struct_fields__
_read_value = msgspec.json.Decoder(_Value).decode
_read_long_value = msgspec.json.Decoder(_LongValue).decode


def encode_event(stream: str | None, sequence: int | None, data: Any) -> bytes:
    """One event as it stands in a decision's value. Raises Undecodable when a field breaks its type or limit."""
    head = to_json({"type": name_of(type(data)), "stream": stream, "sequence": sequence})
    return head[:-1] + b',"data":' + encode(type(data), data) + b"}"


def encode_decision(
    *,
    at: datetime | None,
    business_date: date | None,
    principal: str,
    correlation_id: str,
    causation_id: str | None,
    events: Sequence[bytes],
) -> bytes:
    """The value of a decision record from its encoded events."""
    head = to_json(
        {
            "at": at,
            "business_date": business_date,
            "principal": principal,
            "correlation_id": correlation_id,
            "causation_id": causation_id,
        }
    )
    return head[:-1] + b',"events":[' + b",".join(events) + b"]}"


@lru_cache(maxsize=128)
def parse_decision(value: bytes) -> Decision:
    """Read a decision record's value. Raises Undecodable.

    Kept for a moment, because the readers of a process (decider, policies, API) meet the same record one after the other.
    """
    try:
        if is_shallow(value):
            read = _read_value(value)
            return _decision(read, read.events)
        return _decision(long := _read_long_value(value), map(_read_item, long.events))
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass  # the long way says what is wrong, or reads a form that is not today's
    body = parse_json(value)
    try:
        events = [
            _Item(item["type"], item["stream"], item["sequence"], item["data"]) for item in body["events"]
        ]
        return _decision(_Head(**{name: body[name] for name in _HEAD}), events)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Undecodable(f"not a decision record: {error!r}") from error


def _read_item(item: _RawItem) -> _Item:
    data = bytes(item.data)
    if not is_shallow(data, _DATA_DEPTH):
        raise ValueError("whether it is nested too deep is the long way's to say")
    return _Item(item.type, item.stream, item.sequence, parse_json(data))


def _decision(head: _Head, events: Iterable[_Item]) -> Decision:
    """Raises TypeError or ValueError for a time or date that is none."""
    return Decision(
        at=None if head.at is None else datetime.fromisoformat(head.at),
        business_date=None if head.business_date is None else date.fromisoformat(head.business_date),
        principal=head.principal,
        correlation_id=head.correlation_id,
        causation_id=head.causation_id,
        events=tuple([StoredEvent(item.type, item.stream, item.sequence, item.data) for item in events]),
    )


def decode_event(stored: StoredEvent) -> Any:
    """The event's data as its dataclass, older versions upcast. Raises Undecodable for an unknown type or wrong data."""
    if stored.decoded:
        return stored.decoded[0]
    name, data = upcast(stored.type, stored.data)
    kind = EVENT_TYPES.get(name)
    if kind is None:
        raise Undecodable(f"unknown event type {stored.type}")
    stored.decoded.append(decode_object(kind, data))
    return stored.decoded[0]


def recorded_event(
    decision: Decision,
    index: int,
    *,
    service: str,
    partition: int,
    position: int,
    command_id: str,
    command_type: str,
) -> RecordedEvent:
    """Decode one event of a decision and give it its address. Raises Undecodable."""
    data = decode_event(decision.events[index])
    return _recorded(data, decision, index, service, partition, position, command_id, command_type)


def recorded_events(
    raw: RawRecord, *, service: str, partition: int, position: int
) -> tuple[list[RecordedEvent], Mapping[int, Undecodable]]:
    """The events of a decision record, each at its address; and by its index, why one cannot be decoded: that one's data is None.

    Raises Undecodable for a record that is no decision.
    """
    decision = parse_decision(raw.value)
    command_id = raw.headers.get("command-id", b"").decode()
    command_type = raw.headers.get("type", b"").decode()
    events: list[RecordedEvent] = []
    undecodable: dict[int, Undecodable] = {}
    for index, stored in enumerate(decision.events):
        data = None
        try:
            data = decode_event(stored)
        except Undecodable as error:
            undecodable[index] = error
        events.append(
            _recorded(data, decision, index, service, partition, position, command_id, command_type)
        )
    return events, undecodable


def _recorded(
    data: Any,
    decision: Decision,
    index: int,
    service: str,
    partition: int,
    position: int,
    command_id: str,
    command_type: str,
) -> RecordedEvent:
    stored = decision.events[index]
    # By place and not by name: that costs half, and a close makes a million of them.
    return RecordedEvent(
        data,
        stored.type,
        stored.stream,
        stored.sequence,
        service,
        partition,
        position,
        index,
        decision.at,
        decision.business_date,
        decision.principal,
        decision.correlation_id,
        decision.causation_id,
        command_id,
        command_type,
    )
