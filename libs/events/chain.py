"""The chain that makes appending a compare-and-set: of all who write a next decision, readers accept one.

Every reader of a `S.events` partition uses `ChainReader`; nobody starts without a head (design.md 2.3).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from struct import Struct as Layout

from msgspec import Struct

from libs.events.records import RawRecord

#: Headers under the hash, in this order. `prev`, `hash`, `by` and `traceparent` stand outside it.
HASHED_HEADERS = (
    "position",
    "command",
    "command-id",
    "type",
    "fingerprint",
    "source",
    "stored-below",
    "rules",
)

_LENGTH = Layout(">I")
_ABSENT = _LENGTH.pack(0xFFFFFFFF)
#: Nearly every header is shorter than this.
_LENGTHS = [_LENGTH.pack(length) for length in range(256)]


class Checkpoint(Struct, frozen=True, gc=False):
    """A place in a partition's chain: offset of the head's record, its position, its hash. The one triple of the system."""

    offset: int
    position: int
    hash: bytes

    def as_text(self) -> str:
        """`offset:position:hash` for homes that keep text (Kafka commit metadata)."""
        return f"{self.offset}:{self.position}:{self.hash.hex()}"

    @staticmethod
    def from_text(text: str) -> "Checkpoint":
        """Read what `as_text` wrote. Raises ValueError."""
        offset, position, digest = text.split(":")
        return Checkpoint(int(offset), int(position), bytes.fromhex(digest))


class Reading(StrEnum):
    """What the reader rule says of one record."""

    ACCEPTED = "accepted"
    REPEAT = "repeat"
    FOREIGN = "foreign"


def genesis(log_id: str, topic: str, partition: int) -> Checkpoint:
    """The head before the first record: position -1, hash of the log's id, topic and partition."""
    digest = sha256(f"{log_id}\n{topic}\n{partition}".encode()).digest()
    return Checkpoint(offset=-1, position=-1, hash=digest)


def seal(prev: bytes, headers: Mapping[str, bytes], value: bytes) -> bytes:
    """SHA-256(prev ‖ headers ‖ value); each header is u32 length ‖ bytes, an absent one 0xFFFFFFFF."""
    return _kept_digest(prev, tuple(map(headers.get, HASHED_HEADERS)), value)


def _digest(prev: bytes, contents: Iterable[bytes | None], value: bytes) -> bytes:
    parts = [prev]
    for content in contents:
        if content is None:
            parts.append(_ABSENT)
        else:
            length = len(content)
            parts.append(_LENGTHS[length] if length < len(_LENGTHS) else _LENGTH.pack(length))
            parts.append(content)
    parts.append(value)
    return sha256(b"".join(parts)).digest()


def _seal_once(prev: bytes, headers: Mapping[str, bytes], value: bytes) -> bytes:
    return _digest(prev, map(headers.get, HASHED_HEADERS), value)


#: Kept for a moment: the readers of a process meet the same record one after the other, each with a check of its own.
_kept_digest = lru_cache(maxsize=128)(_digest)


class ChainReader:
    """The reader rule: accept only the next position, linked to the head, with a true hash.

    A lower position is a `repeat` (harmless, counted); anything else is `foreign` (alarm). Neither moves the head.
    `alone` says that no other reader of the process meets these records, so that keeping their hashes would cost and not spare.
    """

    def __init__(self, head: Checkpoint, *, alone: bool = False) -> None:
        self.head = head
        self._seal = _seal_once if alone else seal

    @property
    def next_position(self) -> int:
        """The only position that can be accepted now."""
        return self.head.position + 1

    def read(self, raw: RawRecord) -> Reading:
        """Judge one record and, if accepted, move the head to it."""
        headers, head = raw.headers, self.head
        try:
            position = int(headers["position"])
            prev, claimed = headers["prev"], headers["hash"]
        except (KeyError, ValueError):
            return Reading.FOREIGN
        if 0 <= position <= head.position:
            return Reading.REPEAT
        if position != head.position + 1 or prev != head.hash:
            return Reading.FOREIGN
        if self._seal(prev, headers, raw.value) != claimed:
            return Reading.FOREIGN
        self.head = Checkpoint(raw.offset, position, claimed)
        return Reading.ACCEPTED
