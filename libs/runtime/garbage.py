"""How a process looks for garbage that holds itself: among the young as often as Python does, among all that lives by the clock.

Python walks everything that lives whenever a quarter has been added to it. A decider exchanges the states that it keeps decoded
all day long, nearly none of which is such garbage: over a million loans these walks were a quarter of its CPU, in pauses of up
to half a second (docs/performance.md). They cannot be left out: the broker's clients and the connections that were closed hold
themselves. And while a log is folded Python keeps its pace: with rare walks a million loans took twice the memory.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Final

from libs.runtime.restarts import wait

#: What walking everything may take of a core, and the seconds that lie between two walks in any case.
SHARE_MAX: Final = 0.01
PAUSE_S_MIN: Final = 10.0
_NEVER: Final = 2**31 - 1
_LOOK_S: Final = 0.5


def take_over() -> None:
    """From here on only `walk` walks everything."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def pause_s(took_s: float) -> float:
    """Seconds from the end of a walk that took so much CPU to the next one."""
    return max(PAUSE_S_MIN, took_s / SHARE_MAX)


async def walk(stop: asyncio.Event, has_come_up: Callable[[], bool]) -> None:
    """Take over once the process has come up, and walk everything that lives, again and again until stopped."""
    while not stop.is_set() and not has_come_up():
        await wait(stop, _LOOK_S)
    take_over()
    while not stop.is_set():
        began = time.thread_time()
        gc.collect()
        await wait(stop, pause_s(time.thread_time() - began))
