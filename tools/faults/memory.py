"""Too little memory for the projector: its address space may grow no more, while events go on coming.

The limit is set on the running process and lifted with it: whoever starts it again gives it the memory that it needs. A
projector may do with what it has, end of a MemoryError, or be ended by a library that takes no refusal; after each of them
the views must be whole.
"""

import asyncio
import resource
import sys
import time

import psutil

from tools.faults.lines import PROJECTOR
from tools.faults.measure import metric
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

_BETWEEN = 60
_PRESSED_S = 8.0
_MIB = 1024 * 1024
#: What the address space may still grow by, in turn: nothing, then a little, so that it is met at different places.
_LEFT_MIB = (0, 2, 16)


async def inject(scene: Scene) -> Injected:
    """Press, see whether it ends or bears it, lift, and wait until the views are at the log's end again."""
    if sys.platform != "linux":
        return Injected(0, not_run="the limit of a running process can be set on Linux only")
    done = Injected(0)
    ended, restored_s = 0, 0.0
    for number in range(scene.times(2, 4)):
        await scene.progress(_BETWEEN)
        child = scene.stack.child(PROJECTOR)
        before, pid = scene.restarts[PROJECTOR], child.pid
        limit = psutil.Process(pid).memory_info().vms + _LEFT_MIB[number % len(_LEFT_MIB)] * _MIB
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        over_s = time.monotonic() + _PRESSED_S
        while time.monotonic() < over_s and scene.restarts[PROJECTOR] == before:  # noqa: ASYNC110 - a death tells no event
            await asyncio.sleep(0.1)
        if scene.restarts[PROJECTOR] == before and child.pid == pid and child.alive:
            resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ended += scene.restarts[PROJECTOR] > before
        began_s = time.monotonic()
        await _at_the_end(scene)
        restored_s = max(restored_s, time.monotonic() - began_s)
        done.times += 1
    done.figures |= {"ended of it": ended, "restored after s, longest": round(restored_s, 1)}
    return done


async def _at_the_end(scene: Scene) -> None:
    """It is ready and shows nothing older than a second. Raises TimeoutError."""
    await scene.until_ready(PROJECTOR)
    async with asyncio.timeout(60):
        while max(await metric(scene, PROJECTOR, "loanstream_projection_age_seconds"), default=99.0) > 1.0:  # noqa: ASYNC110 - a metric tells no event
            await asyncio.sleep(0.1)


FAULTS = (
    Fault(
        "memory-pressure",
        "A projector that gets no more memory ends, is started again and goes on from its positions; commands are answered meanwhile.",
        inject,
    ),
)
