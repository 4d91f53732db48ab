"""Somebody changes a copy of the log: is it found, and at the right place?

In an archive: single bits anywhere, frames and records taken out, with and without true digests. In a copy of the broker's
data directory, which a second broker then serves: a value rewritten under a true checksum, a batch taken out, bit rot. A
signed head is changed, too. Detected means that `restore` or `verify` refuses; exact means that it names the place.
"""

import asyncio
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from deploy.local.parts import LocalParts
from libs.events.topics import events_topic
from libs.runtime.archive import Archive, BrokenArchive
from libs.runtime.copying import backup
from libs.runtime.heads import heads_file
from libs.runtime.kafka import Place, record_at
from libs.runtime.settings import Settings
from libs.runtime.verify import verify
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene
from tools.faults.tamper import flips, frame_of, frames, rewrite, rot, run_head, take_out, write_frames

_FLIPS: Final = 200
_AT_BYTE: Final = re.compile(r"is broken at byte (\d+)")


@dataclass(slots=True)
class Score:
    """How many changes were made, refused, and refused with their place."""

    made: int = 0
    detected: int = 0
    exact: int = 0
    missed: list[str] = field(default_factory=list)

    def judge(self, what: str, told: str | None, place: str) -> None:
        """`told` is what the check said, None if it found nothing; `place` must stand in it."""
        self.made += 1
        self.detected += told is not None
        exact = told is not None and names(told, place)
        self.exact += exact
        if not exact:
            self.missed.append(f"{what}: {told or 'not found'} (expected: {place})")


def names(told: str, place: str) -> bool:
    """Whether a refusal names the place itself, and not one whose number only begins like it."""
    return re.search(re.escape(place) + r"(?!\d)", told) is not None


def tamper_archive(archive: Path, scratch: Path, score: Score, random: Random, count: int) -> None:
    """Single bits, then whole frames, then frames under true digests."""
    content, found = archive.read_bytes(), frames(archive)
    for at, changed in flips(content, count, random):
        scratch.write_bytes(changed)
        told = _refusal(scratch)
        where = _AT_BYTE.search(told or "")
        # exact: the frame that it names is the one that holds the changed byte
        place = where[0] if where and int(where[1]) == frame_of(found, at) else f"byte {frame_of(found, at)}"
        score.judge(f"bit at byte {at}", told, place)
    bodies = [frame.body for frame in found]
    runs = [number for number, body in enumerate(bodies) if body[:1] == b"R"]
    gone = random.choice(runs)
    scratch.write_bytes(content[: found[gone].at] + content[found[gone + 1].at :])
    score.judge("a frame taken out", _refusal(scratch), f"byte {found[gone].at}")
    scratch.write_bytes(content[: found[-1].at])
    score.judge("the last frame cut off", _refusal(scratch), f"byte {found[-1].at}")
    write_frames(scratch, [body for number, body in enumerate(bodies) if number != gone])
    score.judge(
        "a frame taken out, digests made anew", _refusal(scratch), missing_run(bodies, gone, found[gone].at)
    )


def missing_run(bodies: list[bytes], gone: int, at: int) -> str:
    """What names a run that is not there, under true digests: the byte where its partition's next run follows nothing, or, where it
    was the partition's last one, how far that partition goes."""
    one = run_head(bodies[gone])
    follows = run_head(bodies[gone + 1]) if bodies[gone + 1][:1] == b"R" else {}
    if (follows.get("topic"), follows.get("partition")) == (one["topic"], one["partition"]):
        return f"byte {at}"
    return f"{one['topic']}/{one['partition']} ends at offset {one['first']}"


def _refusal(archive: Path) -> str | None:
    try:
        for _ in Archive(archive).check():
            pass
    except BrokenArchive as error:
        return str(error)
    return None


async def tamper_segments(copied: LocalParts, settings: Settings, score: Score) -> None:
    """Change three partitions of `bidding.events` in a broker's copied files, each in its way, start it, and verify."""
    logs, topic = copied.data_dir / "kafka" / "log", events_topic("bidding", settings.topic_prefix)
    bootstrap = settings.require_kafka()
    rewritten = await _position(bootstrap, Place(topic, 0), _rewrite_some(logs / f"{topic}-0"))
    first, _ = take_out(_segment(logs / f"{topic}-1"), 2)
    removed = await _position(bootstrap, Place(topic, 1), first)
    rotten = rot(_segment(logs / f"{topic}-2"), 2)
    for number in (
        0,
        1,
    ):  # bytes have moved there; without its index the broker would mend the rotten one at its start
        for index in (logs / f"{topic}-{number}").glob("*index"):
            index.unlink()
    await asyncio.to_thread(copied.start)
    try:
        there = settings.model_copy(update={"kafka": copied.kafka})
        report = await verify(there, "bidding")
    finally:
        await asyncio.to_thread(copied.stop)
    told = {part.partition: "; ".join(part.faults) or None for part in report.partitions}
    score.judge("a value rewritten under a true checksum", told[0], f"stops at position {rewritten - 1} ")
    score.judge("a batch taken out", told[1], f"stops at position {removed - 1} ")
    score.judge("bit rot in a segment", told[2], f"offset {rotten}:")


def _segment(partition: Path) -> Path:
    [segment] = partition.glob("*.log")
    return segment


def _rewrite_some(partition: Path) -> int:
    """Change a decision's value by one letter, under a true checksum; gives its offset."""
    for offset in range(2, 500):
        try:
            rewrite(_segment(partition), offset, b'"stream":"', b'"strean":"')
        except LookupError:
            continue
        return offset
    raise LookupError(f"nothing in {partition} can be rewritten")


async def _position(bootstrap: str, place: Place, offset: int) -> int:
    """Which position the true log holds at an offset."""
    raw = await record_at(bootstrap, place, offset)
    assert raw is not None, "it was just copied"
    return int(raw.headers["position"])


async def tamper_heads(settings: Settings, score: Score) -> None:
    """Another position in a signed head, in a copy of the file beside the true log."""
    copied = settings.data_dir / "tampered-heads"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(settings.heads_path, copied)
    there = settings.model_copy(update={"heads_dir": copied})
    path = heads_file(there, "bidding")
    lines = path.read_text().splitlines()
    lines[0] = re.sub(r'"position":(\d+)', lambda found: f'"position":{int(found[1]) + 1}', lines[0])
    path.write_text("\n".join(lines) + "\n")
    report = await verify(there, "bidding")
    score.judge("a signed head changed", "; ".join(report.faults) or None, "line 1")


async def inject(scene: Scene) -> Injected:
    """Copy what the running platform wrote, change the copies, and ask."""
    work = scene.settings.data_dir / "tampering"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    await scene.progress(40)
    await scene.until(heads_file(scene.settings, "bidding").exists, 90)  # they are signed once a minute
    archive = work / "log.archive"
    copied = await backup(scene.settings, archive)
    score = Score()
    await asyncio.to_thread(
        tamper_archive, archive, work / "changed.archive", score, scene.random, scene.times(40, _FLIPS)
    )
    await tamper_heads(scene.settings, score)
    files = work / "broker"
    source = scene.settings.data_dir / "kafka" / "log"
    passing = shutil.ignore_patterns("*.tmp", ".lock", "*.deleted")
    await asyncio.to_thread(shutil.copytree, source, files / "kafka" / "log", ignore=passing)
    (
        files / "kafka" / "log" / ".kafka_cleanshutdown"
    ).touch()  # else the broker mends what it finds at its start
    broker = LocalParts(files, mongo=scene.settings.require_mongo(), min_free_mib=0)
    await tamper_segments(broker, scene.settings, score)
    done = Injected(score.made)
    done.figures |= {
        "records": copied.records,
        "changes": score.made,
        "detected": score.detected,
        "place exact": score.exact,
    }
    done.broken += score.missed
    return done


FAULTS = (
    Fault(
        "tampering",
        "Whatever is changed in a copy of the log is found by `restore` or `verify`, with the place where it was changed.",
        inject,
    ),
)
