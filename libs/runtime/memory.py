"""What a decider remembers, laid out in its store: states, answers, source sets, the wake index and the head.

Changes collect in memory and reach the store in one atomic batch with the head they belong to, so whatever is found after
a crash is the exact state at some head of the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from libs.events.chain import Checkpoint
from libs.events.deciding import WakeOn
from libs.runtime.store import Store


class SourceKey(NamedTuple):
    """One partition that a policy group reads: where its commands come from."""

    group: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Known:
    """The first answer to a person's command id: kept for good."""

    command_id: str
    position: int
    fingerprint: str
    value: bytes


class SourceMark(NamedTuple):
    """A policy's command: its source, and the lowest source position whose commands were not all stored when it was sent."""

    key: SourceKey
    position: int
    command_id: str
    below: int


@dataclass(frozen=True, slots=True)
class StreamChange:
    """A stream's state after a decision, and its encoding."""

    stream: str
    state: Any
    sequence: int
    wake: WakeOn
    stored: bytes


class KeptState(NamedTuple):
    """A stream as it lies in the store: its sequence, its key in the wake index (empty for none), its state's encoding."""

    sequence: int
    wake: bytes
    encoded: bytes


_HEAD = b"t"
_HEAD_DECIDED = b"d"


class DeciderMemory:
    """Reads and batches the store of one partition. Keys: `s/` states, `i/` answers, `q/` and `b/` sources, `w/` wakes, `t` and `d` the head."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: dict[bytes, bytes | None] = {}
        self._seen: dict[SourceKey, dict[str, int]] = {}
        self._below: dict[SourceKey, int] = {}
        for key, value in store.scan(b"b/"):
            self._below[_source_of(key)] = int(value)
        for key, value in store.scan(b"q/"):
            prefix, command_id = key.rsplit(b"/", 1)
            self._seen.setdefault(_source_of(prefix), {})[command_id.decode()] = int(value)

    def checkpoint(self) -> Checkpoint | None:
        """The head that the store's content belongs to."""
        text = self._store.get(_HEAD)
        return None if text is None else Checkpoint.from_text(text.decode())

    def keep_head(self, head: Checkpoint) -> None:
        """Everything kept so far belongs to this head."""
        self._changes[_HEAD] = head.as_text().encode()

    def decided(self) -> tuple[str, int]:
        """(replica, rules) that decided the head of the store's content; ("", 0) before there is one."""
        row = self._store.get(_HEAD_DECIDED)
        if row is None:
            return "", 0
        rules, by = row.decode().split("|", 1)
        return by, int(rules)

    def keep_decided(self, by: str, rules: int) -> None:
        """Who decided the head, and by which rules."""
        self._changes[_HEAD_DECIDED] = f"{rules}|{by}".encode()

    def state(self, stream: str) -> KeptState | None:
        """What is kept of a stream, None for one without a past."""
        row = self._get(b"s/" + stream.encode())
        if row is None:
            return None
        sequence, wake, encoded = row.split(b"|", 2)
        return KeptState(int(sequence), wake, encoded)

    def keep_state(self, change: StreamChange, wake_before: bytes | None = None) -> bytes:
        """Keep a stream's state and move its entry in the wake index; its key there, empty for none.

        Who still has the stream's last key says it, and saves reading a whole state for those few bytes.
        """
        name = change.stream.encode()
        if wake_before is None:
            before = self.state(change.stream)
            wake_before = before.wake if before is not None else b""
        wake = _wake_text(change.wake)
        if wake_before != wake:
            if wake_before:
                self._changes[b"w/" + wake_before + b"/" + name] = None
            if wake:
                self._changes[b"w/" + wake + b"/" + name] = b""
        self._changes[b"s/" + name] = b"%d|%s|%s" % (change.sequence, wake, change.stored)
        return wake

    def due(self, business_date: date, phase: int) -> Iterator[str]:
        """Streams whose wake entry is at or before (date, phase), in the index's order. Needs a flushed store."""
        limit = b"w/" + _wake_text((business_date, phase)) + b"0"  # '0' sorts right after '/'
        for key, _ in self._store.scan(b"w/"):
            if key >= limit:
                return
            yield key.split(b"/", 3)[3].decode()

    def known(self, command_id: str) -> Known | None:
        """The first answer to a person's command id."""
        row = self._get(b"i/" + command_id.encode())
        if row is None:
            return None
        position, fingerprint, value = row.split(b"|", 2)
        return Known(command_id, int(position), fingerprint.decode(), value)

    def keep_known(self, known: Known) -> None:
        """Keep an answer for good."""
        self._changes[b"i/" + known.command_id.encode()] = b"%d|%s|%s" % (
            known.position,
            known.fingerprint.encode(),
            known.value,
        )

    def stored_below(self, key: SourceKey) -> int:
        """The highest `stored_below` seen from a source partition."""
        return self._below.get(key, 0)

    def seen(self, key: SourceKey, command_id: str) -> bool:
        """Whether a policy's command at or above `stored_below` was decided."""
        return command_id in self._seen.get(key, {})

    def keep_source(self, mark: SourceMark) -> None:
        """Add a policy's command to its source set; forget ids below a raised `stored_below`."""
        key = mark.key
        seen = self._seen.setdefault(key, {})
        if mark.position >= max(mark.below, self.stored_below(key)):
            seen[mark.command_id] = mark.position
            self._changes[_source_key(b"q/", key) + b"/" + mark.command_id.encode()] = b"%d" % mark.position
        if mark.below > self.stored_below(key):
            self._below[key] = mark.below
            self._changes[_source_key(b"b/", key)] = b"%d" % mark.below
            for old in [name for name, at in seen.items() if at < mark.below]:
                del seen[old]
                self._changes[_source_key(b"q/", key) + b"/" + old.encode()] = None

    def flush(self) -> None:
        """Write all kept changes in one atomic batch."""
        if self._changes:
            self._store.write(self._changes)
            self._changes = {}

    def _get(self, key: bytes) -> bytes | None:
        if key in self._changes:
            return self._changes[key]
        return self._store.get(key)


def _wake_text(wake: WakeOn) -> bytes:
    return b"" if wake is None else b"%s/%d" % (wake[0].isoformat().encode(), wake[1])


def _source_key(prefix: bytes, key: SourceKey) -> bytes:
    return prefix + f"{key.group}|{key.topic}|{key.partition}".encode()


def _source_of(key: bytes) -> SourceKey:
    group, topic, partition = key[2:].decode().rsplit("|", 2)
    return SourceKey(group, topic, int(partition))
