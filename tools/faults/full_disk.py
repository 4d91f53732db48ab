"""The disk of the broker is full, then that of the database: clean refusals meanwhile, nothing acknowledged lost afterwards.

Each lives on a file system of some megabytes of its own (`small_disk.py`). A broker that cannot write its log halts, as Kafka
does, and so does MongoDB at its next checkpoint: until then it lives on the journal files that it has. Both are started again
once there is room, as an orchestrator would, and find what they had flushed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deploy.local.mongo import checkpoint
from deploy.local.parts import LocalParts
from deploy.local.ports import is_open
from deploy.local.processes import Child
from libs.runtime.settings import Settings
from tools.faults.history import Told
from tools.faults.lines import PROJECTOR
from tools.faults.measure import metric
from tools.faults.scenario import Fault, Injected, StackKind
from tools.faults.scene import Scene
from tools.faults.small_disk import SmallDisk, why_not

_BETWEEN = 30
_FULL_S = 8.0
_AGE = "loanstream_projection_age_seconds"
#: Views that are so old while the disk is full stand still.
_STOOD_STILL_S = 2.0
#: What is left free when a disk is "full": a few records still go through, then none.
_LEFT = 64 * 1024
_LOG_MIB, _DATABASE_MIB = 192, 512


@dataclass(slots=True)
class Disks:
    """The small disks of the stack of this kind; none where the machine allows none."""

    log: SmallDisk | None = None
    database: SmallDisk | None = None

    def parts(self, settings: Settings) -> LocalParts:
        """For StackKind."""
        return SmallParts(settings, self)


class SmallParts(LocalParts):
    """Kafka and MongoDB, each on a disk that can be filled."""

    def __init__(self, settings: Settings, disks: Disks) -> None:
        super().__init__(settings.data_dir, min_free_mib=settings.min_free_mib)
        self._disks = disks

    def start(self) -> None:
        """As LocalParts, after the disks. Segments are small, so that they take what they hold and no more."""
        if why_not() is None:
            (self.data_dir / "kafka").mkdir(parents=True, exist_ok=True)
            self._disks.log = SmallDisk(self.data_dir / "kafka" / "log", _LOG_MIB).__enter__()
            self._disks.database = SmallDisk(self.data_dir / "mongo", _DATABASE_MIB).__enter__()
        super().start()

    def stop(self) -> None:
        """As LocalParts, and the disks."""
        super().stop()
        for disk in (self._disks.log, self._disks.database):
            if disk is not None:
                disk.__exit__(None, None, None)
        self._disks.log = self._disks.database = None


DISKS = Disks()
SMALL = StackKind("small-disk", parts=DISKS.parts)


async def fill_log(scene: Scene) -> Injected:
    """Fill the broker's disk under load, see what people are told, give the space back."""
    disk = DISKS.log
    if disk is None:
        return Injected(0, not_run=why_not() or "no small disk was made")
    done = await _fill(scene, disk, "Kafka", None)
    await scene.progress(_BETWEEN, limit_s=90)
    return done


async def fill_database(scene: Scene) -> Injected:
    """Fill the database's disk under load, see what people are told, give the space back."""
    disk = DISKS.database
    if disk is None:
        return Injected(0, not_run=why_not() or "no small disk was made")
    done = await _fill(scene, disk, "MongoDB", _checkpoint)
    await scene.progress(_BETWEEN, limit_s=90)
    return done


async def _checkpoint(scene: Scene) -> None:
    """What MongoDB does by itself once a minute, now: a minute is too long for this table."""
    await asyncio.to_thread(checkpoint, scene.settings.require_mongo())


async def _fill(
    scene: Scene, disk: SmallDisk, part: str, then: Callable[[Scene], Awaitable[None]] | None
) -> Injected:
    done = Injected(1)
    child = scene.broker if part == "Kafka" else scene.database
    await scene.progress(_BETWEEN)
    mark, oldest_s = len(scene.history.wishes), 0.0
    disk.fill(leave=_LEFT)
    full_s = time.monotonic()
    try:
        while time.monotonic() - full_s < _FULL_S:
            await asyncio.sleep(0.5)
            disk.fill(leave=0)
            if then is not None and child.alive:
                await then(scene)
            oldest_s = max(oldest_s, max(await metric(scene, PROJECTOR, _AGE), default=0.0))
    finally:
        disk.clear()
    cleared_s = time.monotonic()
    died = not child.alive
    if died:
        await _again(scene, child, part)
    await scene.all_ready()
    first = [wish.attempts[0] for wish in scene.history.wishes[mark:] if wish.attempts]
    ends = [attempt for attempt in first if full_s <= attempt.sent_s <= cleared_s]
    back_s = time.monotonic() - cleared_s
    refused = sum(attempt.status == 503 for attempt in ends)
    done.figures |= {
        f"{part} ended of it": int(died),
        "asked while full": len(ends),
        "answered": sum(attempt.told is not Told.UNKNOWN for attempt in ends),
        "refused 503": refused,
        "202 or no answer": sum(attempt.told is Told.UNKNOWN for attempt in ends) - refused,
        "usable again after s": round(back_s, 1),
        "views behind s": round(oldest_s, 1),
    }
    if part == "MongoDB" and not (died and oldest_s > _STOOD_STILL_S):
        done.broken.append("MongoDB lived or the views went on: its disk was not full")
    if part == "Kafka" and not died and all(attempt.told is Told.OK for attempt in ends):
        done.broken.append("everybody was answered ok: the broker's disk was not full")
    return done


async def _again(scene: Scene, child: Child, part: str) -> None:
    """Start a part that halted, on the port that it had. Raises TimeoutError."""
    await asyncio.to_thread(child.start)
    address = scene.settings.require_kafka() if part == "Kafka" else scene.settings.require_mongo()
    port = int(address.split("/")[2 if part == "MongoDB" else 0].rsplit(":", 1)[1])
    await scene.until(lambda: is_open(port), 60, blocking=True)


FAULTS = (
    Fault(
        "disk-full-log",
        "With the broker's disk full commands are refused or unknown, never acknowledged and lost; with space it goes on.",
        fill_log,
        kind=SMALL,
        answered_within_s=30,
        why_longer="a part that halted is started again and recovers first",
        limit_s=360,
    ),
    Fault(
        "disk-full-database",
        "With its disk full MongoDB halts at its next checkpoint: commands are accepted, views stand still; with space they catch up.",
        fill_database,
        kind=SMALL,
        answered_within_s=30,
        why_longer="a part that halted is started again and recovers first",
    ),
)
