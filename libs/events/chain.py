"""The chain that makes appending a compare-and-set: of all who write a next decision, readers accept one.

Every reader of a `S.events` partition uses `ChainReader`; nobody starts without a head (design.md 2.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from struct import Struct

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

_LENGTH = Struct(">I")
_ABSENT = _LENGTH.pack(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Checkpoint:
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
    return _digest(prev, tuple(map(headers.get, HASHED_HEADERS)), value)


@lru_cache(maxsize=128)
def _digest(prev: bytes, contents: tuple[bytes | None, ...], value: bytes) -> bytes:
    """Kept for a moment: the readers of a process meet the same record one after the other, each with a check of its own."""
    parts = [prev]
    for content in contents:
        if content is None:
            parts.append(_ABSENT)
        else:
            parts.append(_LENGTH.pack(len(content)))
            parts.append(content)
    parts.append(value)
    return sha256(b"".join(parts)).digest()


class ChainReader:
    """The reader rule: accept only the next position, linked to the head, with a true hash.

    A lower position is a `repeat` (harmless, counted); anything else is `foreign` (alarm). Neither moves the head.
    """

    def __init__(self, head: Checkpoint) -> None:
        self.head = head

    @property
    def next_position(self) -> int:
        """The only position that can be accepted now."""
        return self.head.position + 1

    def read(self, raw: RawRecord) -> Reading:
        """Judge one record and, if accepted, move the head to it."""
        try:
            position = int(raw.headers["position"])
            prev, claimed = raw.headers["prev"], raw.headers["hash"]
        except (KeyError, ValueError):
            return Reading.FOREIGN
        if 0 <= position <= self.head.position:
            return Reading.REPEAT
        if position != self.next_position or prev != self.head.hash:
            return Reading.FOREIGN
        if seal(prev, raw.headers, raw.value) != claimed:
            return Reading.FOREIGN
        self.head = Checkpoint(raw.offset, position, claimed)
        return Reading.ACCEPTED
