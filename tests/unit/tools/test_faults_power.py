"""The power cut cuts whole batches off a segment, and no more than it must."""

from pathlib import Path
from struct import pack

from tools.faults.power import cut_tail


def batch(first: int, count: int) -> bytes:
    """A record batch of so many records, as far as its head tells."""
    body = bytes(11) + pack(">i", count - 1) + bytes(30)
    return pack(">qi", first, len(body)) + body


def test_the_last_batches_go_and_with_them_what_tells_of_them(tmp_path: Path) -> None:
    """Of ten records in batches of four, four and two, losing three takes the last two batches."""
    logs = tmp_path / "kafka" / "log"
    partition = logs / "bidding.events-0"
    partition.mkdir(parents=True)
    segment = partition / "00000000000000000000.log"
    # a broker that was killed leaves room behind its last batch
    segment.write_bytes(batch(0, 4) + batch(4, 4) + batch(8, 2) + bytes(100))
    (partition / "00000000000000000000.index").touch()
    (logs / "recovery-point-offset-checkpoint").touch()
    assert cut_tail(tmp_path, "bidding.events", 3) == 6
    assert segment.read_bytes() == batch(0, 4)
    assert [path.name for path in partition.iterdir()] == [segment.name]
    assert not (logs / "recovery-point-offset-checkpoint").exists()


def test_an_empty_partition_loses_nothing(tmp_path: Path) -> None:
    """There is nothing to cut."""
    partition = tmp_path / "kafka" / "log" / "bidding.events-0"
    partition.mkdir(parents=True)
    (partition / "00000000000000000000.log").touch()
    assert cut_tail(tmp_path, "bidding.events", 3) == 0
