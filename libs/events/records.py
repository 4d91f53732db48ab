"""What stands in the log: command records, decision records, and the one form in which readers get an event.

One command gives one decision record; the record carries 1..n events and is the unit of atomicity (design.md 2.3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json

from libs.events.codec import EVENT_TYPES, Undecodable, decode_object, encode, name_of, parse_json, record
from libs.events.money import Count

Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,200}$")]
"""An id that stands in headers and store keys beside separators: no `|`, no `/`, nothing unprintable."""


About = dict[
    Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")],
    Annotated[str, Field(max_length=256)],
]
"""Ids that a saga wants back in a refusal. Their names become fields of documents, so they are plain words."""


@dataclass(frozen=True, slots=True)
class RawRecord:
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


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a decision as it stands in the record's value: not yet decoded."""

    type: str
    stream: str | None
    sequence: int | None
    data: Any
    decoded: list[Any] = field(default_factory=list, compare=False, repr=False)
    """Its dataclass, once somebody has asked: it is frozen, so the readers of a process may share it."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
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


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision record's value, read but with its events' data still undecoded."""

    at: datetime | None
    business_date: date | None
    principal: str
    correlation_id: str
    causation_id: str | None
    events: tuple[StoredEvent, ...]


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
    body = parse_json(value)
    try:
        return Decision(
            at=None if body["at"] is None else datetime.fromisoformat(body["at"]),
            business_date=None
            if body["business_date"] is None
            else date.fromisoformat(body["business_date"]),
            principal=body["principal"],
            correlation_id=body["correlation_id"],
            causation_id=body["causation_id"],
            events=tuple(
                StoredEvent(item["type"], item["stream"], item["sequence"], item["data"])
                for item in body["events"]
            ),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Undecodable(f"not a decision record: {error!r}") from error


def decode_event(stored: StoredEvent) -> Any:
    """The event's data as its dataclass, older versions upcast. Raises Undecodable for an unknown type or wrong data."""
    if stored.decoded:
        return stored.decoded[0]
    from libs.events.upcast import (
        upcast,  # upcasts name event types, which are declared with this package's codec
    )

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
    stored = decision.events[index]
    return RecordedEvent(
        data=decode_event(stored),
        type=stored.type,
        stream=stored.stream,
        sequence=stored.sequence,
        service=service,
        partition=partition,
        position=position,
        index=index,
        at=decision.at,
        business_date=decision.business_date,
        principal=decision.principal,
        correlation_id=decision.correlation_id,
        causation_id=decision.causation_id,
        command_id=command_id,
        command_type=command_type,
    )
