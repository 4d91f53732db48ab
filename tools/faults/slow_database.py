"""MongoDB slow, silent, torn down in the middle of a bulk write: for the projector, whose line it is.

Deciding does not need it, so commands must be answered as before; the views stand still and catch up. A batch is one
transaction, so one that was cut in part leaves nothing (I7), and one whose commit was answered into a torn line is found
again instead of applied twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tools.faults.lines import LINED, LINES, PROJECTOR
from tools.faults.measure import Rss, metric
from tools.faults.proxy import HOLD, PASS, RESET, Direction, Mode
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

_BETWEEN = 60
#: Bytes: the driver's monitoring says less than this between two cuts, a batch's transaction more.
_MORE_THAN_A_PING = 2_000
#: What a projector may hold back in memory while MongoDB is silent.
_GROWS_MAX_MIB = 128
#: The largest age of the oldest unapplied record that one process may show.
_AGE = "loanstream_projection_age_seconds"


async def slow(scene: Scene) -> Injected:
    """Every answer of MongoDB comes half a second late, for some time."""
    done = await _with_line(scene, None, Mode("delay", delay_s=0.5), scene.times(6, 15))
    done.broken += scene.left_unknown()
    return done


async def silent(scene: Scene) -> Injected:
    """The line swallows everything for longer than the driver waits, and then lets it go."""
    done = await _with_line(scene, HOLD, HOLD, scene.times(8, 20))
    if float(done.figures["views behind s"]) < 2:
        done.broken.append("the projector did not tell how old its views were while MongoDB was silent")
    if float(done.figures["projector's memory grew MiB"]) > _GROWS_MAX_MIB:
        done.broken.append("the projector held back more memory than it may while MongoDB was silent")
    return done


async def _with_line(scene: Scene, up: Mode | None, down: Mode | None, seconds: float) -> Injected:
    done = Injected(1)
    await scene.progress(_BETWEEN)
    mark = scene.log.ends()
    async with Rss(scene.stack.child(PROJECTOR).pid) as memory:
        LINES.switches.switch("mongo", up, down)
        oldest_s, over_s = 0.0, time.monotonic() + seconds
        try:
            while time.monotonic() < over_s:
                await asyncio.sleep(0.5)
                oldest_s = max(oldest_s, await _age(scene))
        finally:
            LINES.switches.switch("mongo", PASS, PASS)
        healed_s, decided = time.monotonic(), len(scene.log.since(mark))
        await _caught_up(scene)
    done.figures |= {
        "decisions meanwhile": decided,
        "views behind s": round(oldest_s, 1),
        "caught up after s": round(time.monotonic() - healed_s, 1),
        "projector's memory grew MiB": memory.grew_mib,
    }
    return done


def tearing(direction: Direction, quick: int, full: int) -> Callable[[Scene], Awaitable[Injected]]:
    """Tear the line down at a random byte of a batch, again and again."""

    async def inject(scene: Scene) -> Injected:
        done = Injected(scene.times(quick, full))
        proxy = LINES.switches.proxies["mongo"]
        in_a_batch = 0
        for number in range(done.times):
            await scene.progress(_BETWEEN // 2)
            passed = proxy.figures(direction)[0]
            torn = proxy.figures("up")[2] + proxy.figures("down")[2]
            # A small batch of some tens of documents takes some kilobytes.
            mode = RESET if number % 3 == 2 else Mode("cut", after_bytes=scene.random.randrange(200, 20_000))
            if direction == "up":
                LINES.switches.switch("mongo", up=mode)
            else:
                LINES.switches.switch("mongo", down=mode)
            try:
                await scene.until(lambda: sum(proxy.figures(d)[2] for d in ("up", "down")) > torn, 20)  # noqa: B023 - asked in this turn only
                in_a_batch += proxy.figures(direction)[0] - passed > _MORE_THAN_A_PING
            finally:
                LINES.switches.switch("mongo", PASS, PASS)
            await _caught_up(scene)
        done.figures["cuts behind bytes of a batch"] = in_a_batch
        if not in_a_batch:
            done.broken.append("no cut came behind the bytes of a batch")
        return done

    return inject


async def _age(scene: Scene) -> float:
    return max(await metric(scene, PROJECTOR, _AGE), default=0.0)


async def _caught_up(scene: Scene) -> None:
    """The projector is ready and shows nothing older than a second. Raises TimeoutError."""
    await scene.until_ready(PROJECTOR)
    async with asyncio.timeout(60):
        while await _age(scene) > 1.0:  # noqa: ASYNC110 - a metric tells no event
            await asyncio.sleep(0.1)


FAULTS = (
    Fault(
        "database-slow",
        "With answers half a second late requests are accepted as before; the views fall behind by seconds and catch up.",
        slow,
        kind=LINED,
    ),
    Fault(
        "database-silent",
        "While nothing comes back from MongoDB requests are accepted; the views stand still, in bounded memory, and catch up.",
        silent,
        kind=LINED,
        answered_within_s=20,
        why_longer="the driver gives up on its silent connections first",
    ),
    Fault(
        "database-cut-asking",
        "A bulk write that was cut in part is rolled back and done again: documents and positions agree.",
        tearing("up", 4, 12),
        kind=LINED,
    ),
    Fault(
        "database-cut-answering",
        "An answer that was cut leaves the commit unknown; it is found again, not applied twice.",
        tearing("down", 4, 12),
        kind=LINED,
    ),
)
