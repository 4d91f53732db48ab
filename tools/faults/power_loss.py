"""Power loss on one node: everything that no flush had put on the disk is gone. What was acknowledged, and is it lost?

The worst case is made exact: people stop, the broker's note of what it flushed catches up, then broker and decider are
killed and every partition is cut to that note, as if the operating system had written nothing by itself. (It does, within
half a minute or so; a real loss is smaller.) Run with `flush` as production sets it, and without: the honest number.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from pydantic_core import to_json

from deploy.local.parts import LocalParts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.records import CommandEnvelope
from libs.events.topics import commands_topic, events_topic, partition_of
from libs.runtime.identity import ensure_identity
from libs.runtime.kafka import LogUnavailable, LogWriter, Place, offsets, read_range
from libs.runtime.settings import Settings, load_settings
from libs.runtime.verify import verify
from tools.faults.power_cut import cut_unflushed, flushed
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

_DECIDER: Final = ProcessPlan("bidding", "bidding", "decider")
#: The broker writes down what it flushed ten times a second, and begins at once instead of after half a minute.
_NOTES_EVERY: Final = {"log.flush.offset.checkpoint.interval.ms": "100", "log.initial.task.delay.ms": "100"}
_DAY: Final = date(2024, 1, 15)
_COMMANDS: Final = 200
_DECIDED_WITHIN_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Loss:
    """What one power cut took, of so many acknowledged commands and their decisions."""

    acknowledged: int
    commands_lost: int
    decisions_lost: int
    decided_again_equal: int
    """Decisions that were lost and stand there again with the same hash."""
    faults: list[str]
    kept_equal: int = 0
    """Decisions that were not lost and stand there as they did."""


async def power_loss(directory: Path, mongo: str, *, flush: bool, commands: int = _COMMANDS) -> Loss:
    """Play, cut the power, start again. Uses a broker of its own under `directory`, and a database of its own name."""
    own = LocalParts(directory, mongo=mongo, broker=_NOTES_EVERY, min_free_mib=0)
    await asyncio.to_thread(own.start)
    try:
        names: dict[str, Any] = {
            "topic_prefix": "",
            "mongo_database": f"power_{'on' if flush else 'off'}_{time.time_ns()}",
        }
        settings = ensure_identity(
            load_settings(directory, use_run_file=False, kafka=own.kafka, mongo=mongo, flush=flush, **names)
        )
        stack = Stack(settings, processes=(_DECIDER,), parts=own)
        settings = await asyncio.to_thread(stack.start)
        try:
            await _send(settings, commands)
            before = await _decisions(settings, commands)
            await _noted(own, settings, flush=flush)
        finally:
            await asyncio.to_thread(_pull_the_plug, own, stack)
        logs = own.data_dir / "kafka" / "log"
        lost = cut_unflushed(logs, [commands_topic("bidding"), events_topic("bidding")])
        await asyncio.to_thread(own.start)
        gone = lost[commands_topic("bidding")]
        kept = await _decisions(settings, 0)
        with Stack(settings, processes=(_DECIDER,), parts=own) as again:
            after = await _decisions(again.settings, commands - gone)
            report = await verify(again.settings, "bidding")
        return Loss(
            acknowledged=commands,
            commands_lost=gone,
            decisions_lost=lost[events_topic("bidding")],
            decided_again_equal=sum(after.get(at) == before[at] for at in before if at not in kept),
            kept_equal=sum(after.get(at) == digest for at, digest in kept.items()),
            faults=[fault for each in report.partitions for fault in each.faults],
        )
    finally:
        await asyncio.to_thread(own.stop)


def _pull_the_plug(own: LocalParts, stack: Stack) -> None:
    """Broker and decider end in the same moment, the broker first, so that nobody tells anybody anything."""
    for child in own.children:
        child.kill()
    with suppress(KeyError):
        stack.child(_DECIDER.name).kill()
    stack.stop()
    own.stop()


async def _send(settings: Settings, count: int) -> None:
    """So many commands, each acknowledged. With a date of their own: no calendar runs here. Raises LogUnavailable."""
    writer = LogWriter(settings.require_kafka(), client_id="faults-power")
    await writer.start()
    try:
        for number in range(count):
            account, owner = f"acc_power{number}", f"usr_power{number}"
            envelope = CommandEnvelope(
                command_id=f"power-{number}",
                type="bidding.OpenAccount",
                stream_id=account,
                data={"owner": owner},
                at=datetime.now(UTC),
                principal=owner,
                correlation_id=f"power-{number}",
                fingerprint="f-power",
                business_date=_DAY,
            )
            partition = partition_of(account, settings.partitions)
            place = Place(commands_topic("bidding", settings.topic_prefix), partition)
            await writer.send(place, key=account.encode(), value=to_json(envelope))
    finally:
        await writer.stop()


async def _decisions(settings: Settings, count: int) -> dict[tuple[int, int], bytes]:
    """(partition, position) -> hash of every decision, once there are so many. Raises TimeoutError."""
    topic = events_topic("bidding", settings.topic_prefix)
    places = [Place(topic, number) for number in range(settings.partitions)]
    async with asyncio.timeout(_DECIDED_WITHIN_S):
        while True:
            with suppress(LogUnavailable):
                ends = await offsets(settings.require_kafka(), places)
                if sum(end for _, end in ends.values()) >= count:
                    break
            await asyncio.sleep(0.2)
    found: dict[tuple[int, int], bytes] = {}
    for place in places:
        async for records in read_range(settings.require_kafka(), place, 0):
            for raw in records:
                found.setdefault((place.partition, int(raw.headers["position"])), raw.headers["hash"])
    return found


async def _noted(own: LocalParts, settings: Settings, *, flush: bool) -> None:
    """Wait until the broker's note says what it flushed of the commands; without flushing there is nothing to wait for."""
    topic = commands_topic("bidding", settings.topic_prefix)
    places = [Place(topic, number) for number in range(settings.partitions)]
    ends = {f"{topic}-{place.partition}": end for place, (_, end) in (await offsets(settings.require_kafka(), places)).items()}  # fmt: skip
    async with asyncio.timeout(30):
        while True:
            noted = flushed(own.data_dir / "kafka" / "log")
            if not flush and noted:
                return
            if flush and all(noted.get(name, 0) >= end for name, end in ends.items()):
                return
            await asyncio.sleep(0.1)


async def inject(scene: Scene) -> Injected:
    """One power cut with flushing as in production, and one without, on brokers beside the running stack."""
    done = Injected(0)
    directory = scene.settings.data_dir / "power"
    on = await power_loss(directory / "flush", scene.settings.require_mongo(), flush=True)
    done.times += 1
    done.figures |= {
        "acknowledged": on.acknowledged,
        "commands lost with flush": on.commands_lost,
        "decisions lost with flush": on.decisions_lost,
        "decided again, equal": on.decided_again_equal,
    }
    done.broken += on.faults
    if on.commands_lost:
        done.broken.append(f"{on.commands_lost} commands were acknowledged, flushed and lost")
    if on.decided_again_equal != on.decisions_lost:
        done.broken.append(
            f"{on.decided_again_equal} of {on.decisions_lost} lost decisions are there again as they were"
        )
    if on.kept_equal != on.acknowledged - on.decisions_lost:
        done.broken.append(f"{on.kept_equal} decisions that were not lost are there as they were")
    off = await power_loss(directory / "no-flush", scene.settings.require_mongo(), flush=False)
    done.times += 1
    done.broken += off.faults
    done.figures["commands lost without flush, at worst"] = off.commands_lost
    done.notes.append(
        "without flush.messages every acknowledged command since the operating system last wrote may be lost on one node: "
        "a stated limit; production replicates to three"
    )
    return done


FAULTS = (
    Fault(
        "power-loss",
        "With commands flushed, as one node sets it, no acknowledged command is lost; lost decisions are decided again, the same.",
        inject,
        rate_per_s=0.0,
    ),
)
