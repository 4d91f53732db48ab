"""A power cut: every process dies at once, and of the topics that are not flushed the last records are gone.

Kafka leaves flushing to the operating system except where a topic says otherwise, and only `S.commands` does. A machine
cannot be unplugged here, so the tail of `S.events` is cut off its files, whole batches of it, as a disk would come back.
`power_loss` counts what is lost per flush setting; this looks at the whole platform and at what callers had been told.
"""

import asyncio
from typing import Final

from deploy.local.parts import LocalParts
from deploy.local.ports import is_open
from libs.events.topics import events_topic
from tools.faults.log_copy import LogCopy
from tools.faults.power_cut import cut_last
from tools.faults.scenario import Fault, Injected, StackKind
from tools.faults.scene import Scene, now_ms

#: Records that each partition of bidding's decisions loses at least.
_LOST: Final = 20


async def power_cut(scene: Scene) -> Injected:
    """Kill everything, cut the decisions' tail, start everything, and compare every decision with what was read before."""
    done = Injected(1)
    await scene.progress(60)
    before = scene.log
    for name in scene.settings.api_ports:
        scene.kill(name)
    await asyncio.to_thread(scene.broker.kill)
    gone_ms = now_ms()
    assert isinstance(scene.parts, LocalParts), "its files are cut"
    logs, topic = scene.parts.data_dir / "kafka" / "log", events_topic("bidding")
    done.figures["decisions cut off"] = await asyncio.to_thread(cut_last, logs, topic, _LOST)
    await asyncio.to_thread(scene.broker.start)
    port = int(scene.settings.require_kafka().rsplit(":", 1)[1])
    await scene.until(lambda: is_open(port), 60, blocking=True)
    scene.follower.begin_anew()
    for name in scene.settings.api_ports:
        await scene.start(name, ready=False)
    await scene.decided_everywhere(gone_ms, limit_s=120)
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
    """Decisions of the log before that do not stand in the one after with the same hash."""
    return [
        f"{service}/{number}/{position}"
        for service, number in before.ends()
        for position, (old, new) in enumerate(
            zip(before.decided(service, number), after.decided(service, number), strict=False)
        )
        if old.digest != new.digest
    ]


FAULTS = (
    Fault(
        "power-cut",
        "Decisions that were not on the disk are decided again from the flushed commands, the same to the byte; answers stay true.",
        power_cut,
        # a log of its own: a lost timeline is folded from its beginning, and behind the other faults that is minutes
        kind=StackKind("power"),
        answered_within_s=20,
        why_longer="every process starts, and the lost tail is decided again first",
    ),
)
