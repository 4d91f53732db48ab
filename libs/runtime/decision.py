"""What one decision is made of: the command as far as it could be read, the events it leads to, the record that is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from libs.events.codec import COMMAND_TYPES, Undecodable, decode, decode_object
from libs.events.deciding import Aggregate
from libs.events.records import CommandEnvelope, RawRecord, encode_event
from libs.events.system import CommandRefused
from libs.events.topics import COMMAND_BYTES_MAX, aggregate_of, partition_of
from libs.runtime.memory import Known, SourceKey, SourceMark, StreamChange


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A decision record ready to be appended to `S.events`."""

    position: int
    key: bytes
    headers: dict[str, bytes]
    value: bytes


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A decision that the log has not accepted yet, with what it changes."""

    position: int
    hash: bytes
    bytes: int
    changes: tuple[StreamChange, ...]
    known: Known | None
    source: SourceMark | None


@dataclass(slots=True)
class ReadCommand:
    """A command record as far as it could be read: `message` is None when it is malformed, `envelope` too if that is."""

    raw: RawRecord
    digest: bytes
    envelope: CommandEnvelope | None = None
    message: Any = None


@dataclass(slots=True)
class Effect:
    """Encoded events in their order, their size, and the stream states they lead to."""

    events: list[bytes] = field(default_factory=list)
    changes: dict[str, StreamChange] = field(default_factory=dict)
    bytes: int = 0

    def add(self, stream: str | None, sequence: int | None, data: Any) -> None:
        """Encode one event. Raises Undecodable when a field breaks its type or limit."""
        encoded = encode_event(stream, sequence, data)
        self.events.append(encoded)
        self.bytes += len(encoded)


def read_command(
    raw: RawRecord, aggregates: Mapping[type, Aggregate], partition: int, partitions: int
) -> ReadCommand:
    """Read a command record strictly; whatever does not fit stays None and becomes a refusal, never an error."""
    item = ReadCommand(raw, sha256(raw.value).digest())
    if len(raw.value) > COMMAND_BYTES_MAX:
        return item
    try:
        item.envelope = decode(CommandEnvelope, raw.value)
        kind = COMMAND_TYPES.get(item.envelope.type)
        aggregate = aggregates.get(kind) if kind else None
        stream = item.envelope.stream_id
        if aggregate is None or aggregate_prefix(stream) != aggregate.prefix:
            return item
        if partition_of(stream, partitions) == partition:
            item.message = decode_object(kind, item.envelope.data)
    except (Undecodable, ValueError):
        pass  # what could be read so far is kept: a person whose data is wrong is told so by his command's id
    return item


def refusal(command_type: str, code: str, stream: str, about: dict[str, str] | None = None) -> Effect:
    """The effect of a refused command."""
    effect = Effect()
    refused = CommandRefused(command_type=command_type, code=code, stream_id=stream, about=about or {})
    effect.add(None, None, refused)
    return effect


def command_headers(item: ReadCommand, rules: bytes) -> dict[str, bytes]:
    """The headers of a decision that repeat its command (design.md 2.3), without the chain's own."""
    headers = {"position": str(item.raw.offset).encode(), "command": item.digest, "rules": rules}
    envelope = item.envelope
    if envelope is None:
        return headers
    headers |= {"command-id": envelope.command_id.encode(), "type": envelope.type.encode()}
    if envelope.fingerprint is not None:
        headers["fingerprint"] = envelope.fingerprint.encode()
    if envelope.source is not None:
        source = envelope.source
        headers["source"] = f"{source.group}|{source.topic}|{source.partition}|{source.position}".encode()
    if envelope.stored_below is not None:
        headers["stored-below"] = f"{envelope.stored_below.position}:{envelope.stored_below.hash}".encode()
    return headers


def decided_by(headers: Mapping[str, bytes]) -> tuple[str, int]:
    """(replica, rules) that a decision names. The replica stands outside the hash: whatever it is, it is only a name."""
    rules = headers.get("rules", b"")
    return headers.get("by", b"").decode(errors="replace"), int(rules) if rules.isdigit() else 0


def known_from(headers: Mapping[str, bytes], position: int, value: bytes) -> Known | None:
    """The answer to keep for a person's command (those with a fingerprint); None for others."""
    fingerprint, command_id = headers.get("fingerprint"), headers.get("command-id")
    if fingerprint is None or command_id is None:
        return None
    return Known(command_id.decode(), position, fingerprint.decode(), value)


def source_from(headers: Mapping[str, bytes]) -> SourceMark | None:
    """Where a policy's command came from, from its decision's headers."""
    source, command_id = headers.get("source"), headers.get("command-id")
    if source is None or command_id is None:
        return None
    group, topic, partition, position = source.decode().rsplit("|", 3)
    below = headers.get("stored-below")
    lowest = int(below.split(b":", 1)[0]) if below is not None else 0
    return SourceMark(SourceKey(group, topic, int(partition)), int(position), command_id.decode(), lowest)


def aggregate_prefix(stream: str) -> str:
    """The aggregate prefix of a stream id; every system stream has `~p`."""
    return "~p" if stream.startswith("~p") else aggregate_of(stream)
