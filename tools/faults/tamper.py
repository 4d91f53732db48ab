"""Changes that somebody makes in copies of a log: single bits anywhere in a file, records taken out, records written anew.

For an archive (libs.runtime.archive) and for the segments of a broker's data directory. A changed batch of a segment gets a
true checksum again, because whoever tampers knows how; where it does not, that is bit rot.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from cramjam import lz4, zstd
from pydantic_core import from_json

from tools.faults.power_cut import batches

_MAGIC_LINE = b"loanstream log 1\n"
_FRAME = struct.Struct(">I32s")
_RUN_LENGTH = struct.Struct(">I")
#: Of a record batch: where its checksum stands and from where on it counts.
_CRC_AT, _CRC_FROM = 17, 21
_LENGTH_AT, _ATTRIBUTES_AT, _BODY_AT = 8, 21, 61
_LZ4 = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of an archive: its first byte, and its body before compression."""

    at: int
    body: bytes


def frames(path: Path) -> list[Frame]:
    """All frames of an archive, read without checking anything."""
    content, at, found = path.read_bytes(), len(_MAGIC_LINE), []
    while at < len(content):
        length, _ = _FRAME.unpack_from(content, at)
        start = at + _FRAME.size
        found.append(Frame(at, bytes(zstd.decompress(content[start : start + length]))))
        at = start + length
    return found


def run_head(body: bytes) -> Any:
    """What a frame of records says of itself: topic, partition, first offset and count."""
    (length,) = _RUN_LENGTH.unpack_from(body, 1)
    return from_json(body[1 + _RUN_LENGTH.size : 1 + _RUN_LENGTH.size + length])


def write_frames(path: Path, bodies: list[bytes]) -> None:
    """An archive of these frames, with true digests: what somebody writes who knows the format."""
    digest = sha256(_MAGIC_LINE).digest()
    with path.open("wb") as file:
        file.write(_MAGIC_LINE)
        for body in bodies:
            packed = bytes(zstd.compress(body))
            digest = sha256(digest + packed).digest()
            file.write(_FRAME.pack(len(packed), digest) + packed)


def flips(content: bytes, count: int, random: Random) -> Iterator[tuple[int, bytes]]:
    """(byte, the content with one bit of it turned over), so many times."""
    for _ in range(count):
        at = random.randrange(len(content))
        changed = bytearray(content)
        changed[at] ^= 1 << random.randrange(8)
        yield at, bytes(changed)


def frame_of(found: list[Frame], at: int) -> int:
    """Where the frame begins that a byte is part of; 0 for the magic line."""
    return max((frame.at for frame in found if frame.at <= at), default=0)


def rot(segment: Path, offset: int) -> int:
    """Turn a bit over in the batch that holds an offset, as a disk does: its checksum does not fit. Gives its first offset."""
    at, end, first = _batch(segment, offset)
    content = bytearray(segment.read_bytes())
    content[end - 1] ^= 1
    assert at < end
    segment.write_bytes(content)
    return first


def rewrite(segment: Path, offset: int, old: bytes, new: bytes) -> None:
    """Put other bytes, as many, into the batch that holds just an offset, packed anew under a true checksum.

    Raises LookupError where the batch holds others, too, or not these bytes.
    """
    at, end, _ = _batch(segment, offset)
    content = segment.read_bytes()
    alone = (at, offset, offset) in batches(content)
    batch = content[at:end]
    packed = batch[_ATTRIBUTES_AT + 1] & 7 == _LZ4
    body = bytes(lz4.decompress(batch[_BODY_AT:])) if packed else batch[_BODY_AT:]
    if not alone or len(old) != len(new) or old not in body:
        raise LookupError(f"offset {offset} does not stand alone, or does not hold {old!r}")
    body = body.replace(old, new, 1)
    changed = bytearray(batch[:_BODY_AT] + (bytes(lz4.compress(body)) if packed else body))
    struct.pack_into(">i", changed, _LENGTH_AT, len(changed) - _LENGTH_AT - 4)
    struct.pack_into(">I", changed, _CRC_AT, crc32c(bytes(changed[_CRC_FROM:])))
    segment.write_bytes(content[:at] + bytes(changed) + content[end:])


def take_out(segment: Path, offset: int) -> tuple[int, int]:
    """Remove the batch that holds an offset; gives its first and last offset."""
    at, end, first = _batch(segment, offset)
    content = segment.read_bytes()
    last = next(last for start, _, last in batches(content) if start == at)
    segment.write_bytes(content[:at] + content[end:])
    return first, last


def _batch(segment: Path, offset: int) -> tuple[int, int, int]:
    """(first byte, byte behind, first offset) of the batch that holds an offset. Raises LookupError."""
    content = segment.read_bytes()
    found = batches(content)
    for number, (at, first, last) in enumerate(found):
        if first <= offset <= last:
            return at, found[number + 1][0] if number + 1 < len(found) else len(content), first
    raise LookupError(f"no batch holds offset {offset}")


def crc32c(content: bytes) -> int:
    """CRC-32C (Castagnoli), Kafka's checksum of a batch: zlib has the other polynomial."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


_TABLE = _table()
