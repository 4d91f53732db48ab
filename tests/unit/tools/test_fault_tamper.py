"""Every change that is made in a copy of a log is found, with its place; and the tools that change it do what they say."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from struct import pack

import pytest

from libs.events.records import RawRecord
from libs.runtime.archive import ArchiveWriter, Manifest
from libs.runtime.kafka import Place
from tools.faults.power_cut import batches, cut_last, cut_unflushed
from tools.faults.tamper import crc32c, rewrite, rot, take_out
from tools.faults.tampering import Score, names, tamper_archive

PLACES = [Place(topic, number) for topic in ("bidding.commands", "bidding.events") for number in range(2)]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Four partitions of forty records, in frames of ten."""
    ends: dict[str, tuple[int, ...]] = {"bidding.commands": (40, 40), "bidding.events": (40, 40)}
    manifest = Manifest(
        log_id="0" * 32, topic_prefix="", partitions=2, made_at=datetime(2024, 1, 1, tzinfo=UTC), ends=ends
    )
    path = tmp_path / "log.archive"
    with path.open("wb") as file:
        writer = ArchiveWriter(file, manifest)
        for place in PLACES:
            for first in range(0, 40, 10):
                records = [
                    RawRecord(
                        offset, b"acc_a", f"{place} {offset} {offset * 7919}".encode(), {"h": b"v"}, offset
                    )
                    for offset in range(first, first + 10)
                ]
                writer.add(place, records)
        writer.finish()
    return path


def test_every_changed_bit_of_an_archive_is_found_in_its_frame(archive: Path, tmp_path: Path) -> None:
    """Three hundred single bits and three ways to take frames out: all detected, all placed."""
    score = Score()
    tamper_archive(archive, tmp_path / "changed", score, Random(0), 300)
    assert score.missed == []
    assert (score.made, score.detected, score.exact) == (303, 303, 303)


def test_a_partitions_last_run_is_missed_at_its_end(archive: Path, tmp_path: Path) -> None:
    """Under true digests nothing follows it that could be in a wrong place: the end names the partition and how far it goes."""
    score = Score()
    for seed in range(12):  # of eight runs each is taken out in turn, by chance
        tamper_archive(archive, tmp_path / "changed", score, Random(seed), 0)
    assert score.missed == []
    assert (score.made, score.exact) == (36, 36)


def batch(first: int, count: int, body: bytes) -> bytes:
    """A record batch as far as these tools look at it: offsets, length, checksum, body."""
    counted = pack(">hiqqqhii", 0, count - 1, 0, 0, -1, -1, -1, count) + body
    head = pack(">iBI", 0, 2, crc32c(counted))
    return pack(">qi", first, len(head) + len(counted)) + head + counted


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A partition of three batches: offsets 0-1, 2-4, 5."""
    path = tmp_path / "log" / "bidding.events-0" / "00000000000000000000.log"
    path.parent.mkdir(parents=True)
    path.write_bytes(batch(0, 2, b"alpha") + batch(2, 3, b"beta") + batch(5, 1, b"gamma"))
    return path


def offsets_of(segment: Path) -> list[tuple[int, int]]:
    """First and last offset of each batch."""
    return [(first, last) for _, first, last in batches(segment.read_bytes())]


def test_the_checksum_is_kafkas() -> None:
    """CRC-32C of the nine digits, as its definition gives it."""
    assert crc32c(b"123456789") == 0xE3069283


def test_a_segment_is_changed_at_one_place_only(segment: Path) -> None:
    """Bit rot leaves the checksum wrong, a rewriting makes it true, and a batch that is taken out leaves its neighbours."""
    before = segment.read_bytes()
    rewrite(segment, 5, b"gamma", b"GAMMA")
    assert segment.read_bytes().count(b"GAMMA") == 1
    assert segment.read_bytes() != before.replace(b"gamma", b"GAMMA"), "the checksum was made anew"
    assert rot(segment, 4) == 2
    assert len(segment.read_bytes()) == len(before)
    assert take_out(segment, 3) == (2, 4)
    assert offsets_of(segment) == [(0, 1), (5, 5)]
    with pytest.raises(LookupError):
        take_out(segment, 3)


def test_a_power_cut_keeps_what_was_flushed(segment: Path) -> None:
    """Whole batches go, from the one on that holds the first offset that was not flushed."""
    logs = segment.parent.parent
    (logs / "recovery-point-offset-checkpoint").write_text("0\n1\nbidding.events 0 2\n")
    assert cut_unflushed(logs, ["bidding.events"]) == {"bidding.events": 4}
    assert offsets_of(segment) == [(0, 1)]
    assert not (logs / "recovery-point-offset-checkpoint").exists()
    assert cut_unflushed(logs, ["bidding.events"]) == {"bidding.events": 2}


def test_the_last_records_are_cut_in_whole_batches(segment: Path) -> None:
    """Two are asked for, and the batch of three goes with the last one."""
    assert cut_last(segment.parent.parent, "bidding.events", 2) == 4
    assert offsets_of(segment) == [(0, 1)]


def test_a_place_is_named_only_by_its_whole_number() -> None:
    """`byte 12` is not named by a refusal at byte 123."""
    assert names("frame is broken at byte 12: digest", "byte 12")
    assert not names("frame is broken at byte 123: digest", "byte 12")
