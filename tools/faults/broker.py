"""The broker goes away, cleanly or by SIGKILL, and comes back on the same port with the same log."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from deploy.local.ports import is_open
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene, now_ms


def restarting(*, clean: bool, quick: int, full: int) -> Callable[[Scene], Awaitable[Injected]]:
    """Stop or kill Kafka under load, start it again, and measure the gap until every partition decides."""

    async def inject(scene: Scene) -> Injected:
        done, longest_s = Injected(scene.times(quick, full)), 0.0
        for _ in range(done.times):
            await scene.progress(40)
            await scene.a_moment()
            mark = {key: max(0, end - 1) for key, end in scene.log.ends().items()}
            await asyncio.to_thread(_stop if clean else _kill, scene)
            gone_ms = now_ms()  # a broker that stops cleanly takes decisions until it has
            began_s = time.monotonic()
            await asyncio.to_thread(scene.broker.start)
            port = int(scene.settings.require_kafka().rsplit(":", 1)[1])
            await scene.until(lambda: is_open(port), 60, blocking=True)  # noqa: B023 - asked in this turn only
            done.figures["broker start s, last"] = round(time.monotonic() - began_s, 1)
            # its first command can wait only from when the broker is back: a "first decision" would leave the outage out
            await scene.decided_everywhere(gone_ms, limit_s=120)
            longest_s = max(longest_s, scene.longest_gap_s(mark))
            await scene.all_ready()
        done.figures["longest gap between decisions s"] = longest_s
        return done

    return inject


def _stop(scene: Scene) -> None:
    scene.broker.stop()


def _kill(scene: Scene) -> None:
    scene.broker.kill()


FAULTS = (
    Fault(
        "broker-restart",
        "Requests are answered 503 or 202 until the broker is back; what was acknowledged is there, what was not is asked again.",
        restarting(clean=True, quick=1, full=2),
        answered_within_s=20,
        why_longer="every client finds the broker again, and its producers start over",
    ),
    Fault(
        "broker-kill",
        "As above: commands are flushed before they are acknowledged, decisions that were lost are decided again, the same.",
        restarting(clean=False, quick=1, full=3),
        quick=True,
        answered_within_s=20,
        why_longer="every client finds the broker again, and its producers start over",
    ),
)
