"""Who runs on which core, and what it costs there: broker, database and generator on one, the system under test on another.

On a machine with one core, or without affinity, nothing is pinned and the report says so.
"""

import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil

SUPPORT_CORE = 0
TESTED_CORE = 1


@cache
def can_pin() -> bool:
    """Whether both cores are ours to choose from; asked once, because a process that was pinned sees one core only."""
    return hasattr(os, "sched_getaffinity") and {SUPPORT_CORE, TESTED_CORE} <= os.sched_getaffinity(0)


def pin(pids: Iterable[int], core: int) -> None:
    """Keep processes of ours, with all the threads that they have and will have, on one core."""
    _let_run_on(pids, {core})


def release(pids: Iterable[int]) -> None:
    """Let processes of ours run anywhere again."""
    _let_run_on(pids, {SUPPORT_CORE, TESTED_CORE})


@contextmanager
def aside(core: int = SUPPORT_CORE) -> Iterator[None]:
    """Keep our own process on one core inside this block; however it ends, all our threads run where we ran before."""
    before = os.sched_getaffinity(0) if can_pin() else set[int]()
    pin((os.getpid(),), core)
    try:
        yield
    finally:
        _let_run_on((os.getpid(),), before)


def _let_run_on(pids: Iterable[int], cores: set[int]) -> None:
    if not can_pin():
        return
    for pid in pids:
        for _ in range(2):  # a thread may have begun another one meanwhile
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), cores)


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU seconds that processes have used since they began, system time included."""
    total = 0.0
    for pid in pids:
        times = psutil.Process(pid).cpu_times()
        total += times.user + times.system
    return total


def facts() -> dict[str, Any]:
    """What the figures were measured on, as far as it may be told: no names, no paths."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "pinned": can_pin(),
        "load_before": round(os.getloadavg()[0], 2),
    }
