"""The raw archive: what goes in comes out, and whatever happens to the file is named before anything is appended."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.events.records import RawRecord
from libs.runtime import copying
from libs.runtime.archive import FRAME_BYTES, Archive, ArchiveWriter, BrokenArchive, Manifest
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place, TopicFound
from libs.runtime.settings import Settings
from libs.runtime.topics_admin import topic_names
from tests.conftest import MakeSettings

LOG_ID = "0" * 32
TOPIC = "bidding.events"


def raw(offset: int, size: int = 40) -> RawRecord:
    """A record with everything a record may have: no key, an empty header, bytes that are no text."""
    content = random.Random(offset).randbytes(size)
    key = None if offset % 3 == 0 else b"acc_a"
    return RawRecord(
        offset, key, content, {"position": str(offset).encode(), "prev": b"", "hash": content[:32]}, offset
    )


def manifest(*ends: int) -> Manifest:
    """Of one topic with so many records in each partition."""
    return Manifest(
        log_id=LOG_ID, topic_prefix="", partitions=len(ends), made_at=datetime.now(UTC), ends={TOPIC: ends}
    )


def write(path: Path, what: Manifest, *runs: tuple[int, Sequence[RawRecord]], finish: bool = True) -> Path:
    """An archive of these runs of records."""
    with path.open("wb") as file:
        writer = ArchiveWriter(file, what)
        for partition, records in runs:
            writer.add(Place(TOPIC, partition), records)
        if finish:
            writer.finish()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole archive of two partitions."""
    runs = ((0, [raw(0), raw(1)]), (0, [raw(2)]), (1, [raw(0)]))
    return write(tmp_path / "log.archive", manifest(3, 1), *runs)


def test_what_goes_in_comes_out(path: Path) -> None:
    """Offsets, keys, headers, values and times, in order."""
    archive = Archive(path)
    assert archive.manifest.places() == {Place(TOPIC, 0): 3, Place(TOPIC, 1): 1}
    found = [(run.place.partition, record) for run in archive.runs() for record in run.records]
    assert found == [(0, raw(0)), (0, raw(1)), (0, raw(2)), (1, raw(0))]


def test_large_records_are_cut_into_frames(tmp_path: Path) -> None:
    """Memory stays bounded by the frame, whatever the batch; a record larger than a frame has one of its own."""
    records = [raw(offset, FRAME_BYTES // 3) for offset in range(7)] + [raw(7, 3 * FRAME_BYTES)]
    archive = Archive(write(tmp_path / "a", manifest(8), (0, records)))
    runs = [len(run.records) for run in archive.runs()]
    assert runs == [3, 3, 2]
    assert [record for run in archive.runs() for record in run.records] == records


def test_every_flipped_byte_is_found(path: Path) -> None:
    """No byte of an archive can be changed unseen."""
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        with pytest.raises(BrokenArchive, match="is broken at byte"):
            list(Archive(path).check())


def test_every_cut_is_found(path: Path) -> None:
    """An archive that ends early, anywhere, is broken; so is one with something behind its end."""
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(BrokenArchive):
            list(Archive(path).check())
    path.write_bytes(whole + b"x")
    with pytest.raises(BrokenArchive, match="something follows"):
        list(Archive(path).check())


@pytest.mark.parametrize(
    "runs",
    [
        [(0, [raw(0), raw(2)])],
        [(0, [raw(0)]), (0, [raw(2)])],
        [(0, [raw(1), raw(2)])],
        [(0, [raw(0), raw(1)])],
        [(7, [raw(0), raw(1), raw(2)])],
    ],
    ids=["gap in a run", "gap between runs", "no beginning", "no end", "unknown partition"],
)
def test_a_missing_record_is_found(tmp_path: Path, runs: list[tuple[int, list[RawRecord]]]) -> None:
    """A log with a gap would shift every later position: the archive is refused."""
    with pytest.raises(BrokenArchive):
        list(Archive(write(tmp_path / "a", manifest(3), *runs)).check())


def whole_of(settings: Settings, path: Path, log_id: str = LOG_ID) -> Path:
    """An empty archive that fits the settings."""
    ends = dict.fromkeys(topic_names(settings), (0,) * settings.partitions)
    what = Manifest(
        log_id=log_id,
        topic_prefix=settings.topic_prefix,
        partitions=settings.partitions,
        made_at=datetime.now(UTC),
        ends=ends,
    )
    return write(path, what)


async def test_what_does_not_fit_is_refused_before_the_broker_is_asked(
    tmp_path: Path, make_settings: MakeSettings
) -> None:
    """Another log id, other partitions, another prefix, a broken file: each by name, and nothing was appended."""
    settings = make_settings(kafka="127.0.0.1:1", mongo="mongodb://127.0.0.1:1")
    path = whole_of(settings, tmp_path / "a")
    for wrong, says in (
        (
            {"log_id": "f" * 32},
            f"is of the log {LOG_ID}, but this installation belongs to the log {'f' * 32}",
        ),
        ({"partitions": 2}, r"LOANSTREAM_PARTITIONS=4, the settings say 2"),
        ({"topic_prefix": "other."}, "LOANSTREAM_TOPIC_PREFIX="),
    ):
        with pytest.raises(OperatorError, match=says):
            await copying.restore(settings.model_copy(update=wrong), path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenArchive, match="nothing was restored"):
        await copying.restore(settings, path)


async def test_topics_that_hold_records_are_refused(
    tmp_path: Path, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record anywhere is enough: the sentence names the partition."""
    settings = make_settings(kafka="127.0.0.1:1", mongo="mongodb://127.0.0.1:1")

    async def describe(_bootstrap: str, names: Sequence[str]) -> dict[str, TopicFound]:
        return dict.fromkeys(names, TopicFound(4, 1, {}))

    async def offsets(_bootstrap: str, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
        return {
            place: (0, int(place.topic.endswith("repayment.commands") and place.partition == 2))
            for place in places
        }

    monkeypatch.setattr(copying, "describe_topics", describe)
    monkeypatch.setattr(copying, "offsets", offsets)
    with pytest.raises(OperatorError, match=r"repayment\.commands/2 holds records already"):
        await copying.restore(settings, whole_of(settings, tmp_path / "a"))
