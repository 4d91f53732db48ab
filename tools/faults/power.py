"""A power cut: every process dies at once, and of the topics that are not flushed the last records are gone.

Kafka leaves flushing to the operating system except where a topic says otherwise, and only `S.commands` does. A machine
cannot be unplugged here, so the tail of `S.events` is cut off its files, whole batches of it, as a disk would come back.
"""

import asyncio
from pathlib import Path
from struct import Struct
from typing import Final

from deploy.local.parts import LocalParts
from deploy.local.ports import is_open
from libs.events.topics import events_topic
from tools.faults.log_copy import LogCopy
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene, now_ms

#: Records that each partition of bidding's decisions loses at least.
_LOST: Final = 20
#: Of a record batch: its first offset, its length behind these two, and further on the distance of its last offset.
_HEAD, _LAST, _LAST_AT = Struct(">qi"), Struct(">i"), 23
#: What tells Kafka how far it had flushed, and that it was stopped cleanly.
_TELLS: Final = (".kafka_cleanshutdown", "recovery-point-offset-checkpoint", "replication-offset-checkpoint")


async def power_cut(scene: Scene) -> Injected:
    """Kill everything, cut the decisions' tail, start everything, and compare every decision with what was read before."""
    done = Injected(1)
    await scene.progress(60)
    before = scene.log
    for name in scene.settings.api_ports:
        scene.kill(name)
    went_ms = now_ms()
    await asyncio.to_thread(scene.broker.kill)
    assert isinstance(scene.parts, LocalParts), "its files are cut"
    topic = events_topic("bidding")
    done.figures["decisions cut off"] = await asyncio.to_thread(cut_tail, scene.parts.data_dir, topic, _LOST)
    await asyncio.to_thread(scene.broker.start)
    port = int(scene.settings.require_kafka().rsplit(":", 1)[1])
    await scene.until(lambda: is_open(port), 60, blocking=True)
    scene.follower.begin_anew()
    for name in scene.settings.api_ports:
        await scene.start(name, ready=False)
    await scene.decided_everywhere(went_ms, limit_s=120)
    await scene.all_ready(120)
    await scene.follower.until(lambda: not _missing(before, scene.log), 60)
    different = _different(before, scene.log)
    done.figures["decided again, another way"] = len(different)
    done.broken += [f"{place} was decided otherwise than before the cut" for place in different[:5]]
    return done


def _missing(before: LogCopy, after: LogCopy) -> bool:
    ends = after.ends()
    return any(end > ends[key] for key, end in before.ends().items())


def _different(before: LogCopy, after: LogCopy) -> list[str]:
    """Decisions of the log before that do not stand in the one after with the same command and the same events."""
    return [
        f"{service}/{number}/{position}"
        for service, number in before.ends()
        for position, (old, new) in enumerate(
            zip(before.decided(service, number), after.decided(service, number), strict=False)
        )
        if (old.command_id, old.events) != (new.command_id, new.events)
    ]


def cut_tail(data_dir: Path, topic: str, lose: int) -> int:
    """Cut the last records off each partition of a topic of a broker that is down; gives how many are lost.

    Whole batches go, so a few more may; what says how far the log went goes too, as after a power cut.
    """
    logs = data_dir / "kafka" / "log"
    lost = 0
    for partition in sorted(logs.glob(f"{topic}-*")):
        lost += _cut(max(partition.glob("*.log")), lose)
        for kind in ("*.index", "*.timeindex", "*.snapshot"):
            for other in partition.glob(kind):
                other.unlink()
    for told in _TELLS:
        (logs / told).unlink(missing_ok=True)
    return lost


def _cut(segment: Path, lose: int) -> int:
    content = segment.read_bytes()
    batches, at = [], 0
    while at + _LAST_AT + _LAST.size <= len(content):
        first, length = _HEAD.unpack_from(content, at)
        if length <= 0:
            break  # what a broker that was killed had only set aside
        batches.append((at, first, first + _LAST.unpack_from(content, at + _LAST_AT)[0]))
        at += _HEAD.size + length
    if not batches:
        return 0
    end = batches[-1][2] + 1
    place, kept = next((at, first) for at, first, last in batches if last >= end - lose)
    segment.write_bytes(content[:place])
    return int(end - kept)


FAULTS = (
    Fault(
        "power-cut",
        "Decisions that were not on the disk are decided again from the flushed commands, the same to the byte; answers stay true.",
        power_cut,
        answered_within_s=20,
    ),
)
