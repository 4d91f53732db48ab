"""What a broker's files are like after a power cut: every partition ends where it was flushed last, or where a test wants it.

The broker must be down. Whole record batches are cut, as recovery would cut a torn one; the files that say how far the log
went go too, because they lie after a power cut.
"""

from collections.abc import Callable
from pathlib import Path
from struct import Struct

#: Of a record batch: its first offset, its length behind these two, and further on the distance of its last offset.
_HEAD, _LAST, _LAST_AT = Struct(">qi"), Struct(">i"), 23
_FLUSHED = "recovery-point-offset-checkpoint"
_TOLD = (".kafka_cleanshutdown", _FLUSHED, "replication-offset-checkpoint")


def batches(content: bytes) -> list[tuple[int, int, int]]:
    """(byte, first offset, last offset) of every batch in a segment."""
    found, at = [], 0
    while at + _HEAD.size <= len(content):
        first, length = _HEAD.unpack_from(content, at)
        found.append((at, first, first + _LAST.unpack_from(content, at + _LAST_AT)[0]))
        at += _HEAD.size + length
    return found


def cut_last(logs: Path, topic: str, lose: int) -> int:
    """Cut the last records off each partition of a topic; gives how many were lost. A few more may go: batches are whole."""
    return _cut_topic(logs, topic, lambda end, _: end - lose)


def flushed(logs: Path) -> dict[str, int]:
    """How far each partition (`topic-number`) was flushed, as the broker wrote down last; absent where it never was.

    It does so every `log.flush.offset.checkpoint.interval.ms`: what was flushed since is not in here.
    """
    try:
        lines = (logs / _FLUSHED).read_text().splitlines()[2:]
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        topic, number, offset = line.rsplit(" ", 2)
        found[f"{topic}-{number}"] = int(offset)
    return found


def cut_unflushed(logs: Path, topics: list[str]) -> dict[str, int]:
    """The worst that a power cut can do: everything after the last flush is gone. Gives the records lost, by topic."""
    to = flushed(logs)
    return {topic: _cut_topic(logs, topic, lambda _, name: to.get(name, 0)) for topic in topics}


def _cut_topic(logs: Path, topic: str, keep_below: Callable[[int, str], int]) -> int:
    """Cut each partition of a topic at the offset that `keep_below(its end, its name)` gives."""
    lost = 0
    for partition in sorted(logs.glob(f"{topic}-*")):
        [segment] = partition.glob("*.log")
        lost += _cut(segment, lambda end, name=partition.name: keep_below(end, name))  # type: ignore[misc]
        for other in (
            *partition.glob("*.index"),
            *partition.glob("*.timeindex"),
            *partition.glob("*.snapshot"),
        ):
            other.unlink()
    for told in _TOLD:
        (logs / told).unlink(missing_ok=True)
    return lost


def _cut(segment: Path, keep_below: Callable[[int], int]) -> int:
    content = segment.read_bytes()
    found = batches(content)
    if not found:
        return 0
    end = found[-1][2] + 1
    limit = keep_below(end)
    place, kept = next(((at, first) for at, first, last in found if last >= limit), (len(content), end))
    segment.write_bytes(content[:place])
    return end - kept
