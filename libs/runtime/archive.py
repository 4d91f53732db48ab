"""The raw archive of a log: every record with its offset, key, headers and value, framed, compressed and hashed.

A frame is u32 length, a digest and a compressed body; a frame's digest covers the one before it, so nothing can be changed,
taken out or cut off unseen. The first frame is the manifest, the last one says that it is the last.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

from cramjam import zstd

from libs.events.codec import Undecodable, decode, encode, record
from libs.events.money import Count
from libs.events.records import RawRecord
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place

_MAGIC: Final = b"loanstream log 1\n"
_FRAME: Final = Struct(">I32s")
_LENGTH: Final = Struct(">I")
_RECORD: Final = Struct(">qqI")
_ABSENT: Final = 0xFFFFFFFF
#: A frame holds records up to this size before compression, or one larger record.
FRAME_BYTES: Final = 1024 * 1024
_FRAME_BYTES_MAX: Final = 64 * 1024 * 1024


class BrokenArchive(OperatorError):
    """The file is no archive, or not the one that was written. The sentence names the file and the byte."""


@record
class Manifest:
    """What an archive holds: per topic the end offset of each partition. Every partition begins at offset 0."""

    log_id: str
    topic_prefix: str
    partitions: Count
    made_at: datetime
    ends: dict[str, tuple[Count, ...]]

    def places(self) -> dict[Place, int]:
        """Every partition and its end offset, in the order of the archive."""
        return {
            Place(topic, partition): end
            for topic, ends in self.ends.items()
            for partition, end in enumerate(ends)
        }


@record
class _Run:
    """The head of a frame of records: consecutive ones of one partition."""

    topic: str
    partition: Count
    first: Count
    count: Count


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive records of one partition."""

    place: Place
    records: Sequence[RawRecord]


class ArchiveWriter:
    """Writes one archive into a file: the manifest at once, then runs of records, then `finish`."""

    def __init__(self, file: BinaryIO, manifest: Manifest) -> None:
        self._file = file
        self._digest = sha256(_MAGIC).digest()
        file.write(_MAGIC)
        self._frame(b"M" + encode(Manifest, manifest))

    def add(self, place: Place, records: Sequence[RawRecord]) -> None:
        """Append consecutive records of one partition."""
        packed: list[bytes] = []
        first, size = 0, 0
        for index, raw in enumerate(records):
            packed.append(_packed(raw))
            size += len(packed[-1])
            if size >= FRAME_BYTES or index == len(records) - 1:
                run = _Run(
                    topic=place.topic,
                    partition=place.partition,
                    first=records[first].offset,
                    count=len(packed),
                )
                head = encode(_Run, run)
                self._frame(b"".join((b"R", _LENGTH.pack(len(head)), head, *packed)))
                packed, first, size = [], index + 1, 0

    def finish(self) -> None:
        """Write the last frame; without it the archive is broken."""
        self._frame(b"E")

    def _frame(self, body: bytes) -> None:
        packed = bytes(zstd.compress(body))
        self._digest = sha256(self._digest + packed).digest()
        self._file.write(_FRAME.pack(len(packed), self._digest))
        self._file.write(packed)


class Archive:
    """An archive to read. Making one reads and checks the manifest only. Raises BrokenArchive, OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self.manifest = self._manifest(self._frames(file))

    def runs(self) -> Iterator[Run]:
        """Every run of records, in the order of the log within a partition.

        Raises BrokenArchive as soon as a frame is not what was written, a record is missing, or the end does not come.
        """
        with self._path.open("rb") as file:
            frames = self._frames(file)
            self._manifest(frames)
            missing = self.manifest.places()
            read = dict.fromkeys(missing, 0)
            for at, body in frames:
                if body == b"E":
                    if read != missing:
                        place = next(place for place in missing if read[place] != missing[place])
                        raise self._broken(
                            at, f"{place.topic}/{place.partition} ends at offset {read[place]}"
                        )
                    if file.read(1):
                        raise self._broken(at, "something follows its last frame")
                    return
                run = self._run(at, body)
                start = read.get(run.place)
                if start is None or run.records[0].offset != start:
                    raise self._broken(
                        at, f"offset {run.records[0].offset} of {run.place.topic} follows {start}"
                    )
                read[run.place] = start + len(run.records)
                yield run
            raise self._broken(file.tell(), "it has no last frame: it was cut off")

    def check(self) -> Iterator[int]:
        """Read all of it, telling after each frame how many records came; nothing is wrong when this ends."""
        for run in self.runs():
            yield len(run.records)

    def _frames(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise self._broken(0, "it does not begin as an archive does")
        digest = sha256(_MAGIC).digest()
        while head := file.read(_FRAME.size):
            at = file.tell() - len(head)
            if len(head) < _FRAME.size:
                raise self._broken(at, "it was cut off")
            length, claimed = _FRAME.unpack(head)
            packed = file.read(length) if length <= _FRAME_BYTES_MAX else b""
            digest = sha256(digest + packed).digest()
            if len(packed) != length or digest != claimed:
                raise self._broken(at, "a frame is not what was written")
            yield at, bytes(zstd.decompress(packed))

    def _manifest(self, frames: Iterator[tuple[int, bytes]]) -> Manifest:
        at, body = next(frames, (0, b""))
        try:
            if body[:1] != b"M":
                raise Undecodable("there is none")
            found: Manifest = decode(Manifest, body[1:])
        except Undecodable as error:
            raise self._broken(at, f"its manifest cannot be read ({error})") from None
        return found

    def _run(self, at: int, body: bytes) -> Run:
        try:
            (length,) = _LENGTH.unpack_from(body, 1)
            head: _Run = decode(_Run, body[1 + _LENGTH.size : 1 + _LENGTH.size + length])
            records = list(_unpacked(body, 1 + _LENGTH.size + length))
        except (Undecodable, struct.error, UnicodeDecodeError) as error:
            raise self._broken(at, f"its records cannot be read ({error})") from None
        if not records or [raw.offset for raw in records] != list(range(head.first, head.first + head.count)):
            raise self._broken(at, "a run of records has a gap")
        return Run(Place(head.topic, head.partition), records)

    def _broken(self, at: int, why: str) -> BrokenArchive:
        return BrokenArchive(
            f"{self._path} is broken at byte {at}: {why}. Take another copy; nothing was restored."
        )


def _packed(raw: RawRecord) -> bytes:
    parts = [_RECORD.pack(raw.offset, raw.timestamp_ms, len(raw.headers)), _bytes(raw.key), _bytes(raw.value)]
    for name, content in raw.headers.items():
        parts += [_bytes(name.encode()), _bytes(content)]
    return b"".join(parts)


def _bytes(content: bytes | None) -> bytes:
    return _LENGTH.pack(_ABSENT) if content is None else _LENGTH.pack(len(content)) + content


def _unpacked(body: bytes, at: int) -> Iterator[RawRecord]:
    def take() -> bytes | None:
        nonlocal at
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        if length == _ABSENT:
            return None
        if at + length > len(body):
            raise Undecodable("a record is cut off")
        at += length
        return body[at - length : at]

    while at < len(body):
        offset, timestamp_ms, count = _RECORD.unpack_from(body, at)
        at += _RECORD.size
        key, value = take(), take() or b""
        headers = {(take() or b"").decode(): take() or b"" for _ in range(count)}
        yield RawRecord(offset, key, value, headers, timestamp_ms)
