"""Several jobs in one process, none of which ends the others: one that fails begins anew, and is seen until it moves again."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from libs.runtime.waiting import until_set

log = structlog.get_logger()

#: Seconds until one that failed begins anew (chosen).
_AGAIN_S: Final = 5.0

Job = Callable[..., Awaitable[None]]
"""Works until it is stopped, and calls `moves` after every round, with what it could not do in it, if that has to be seen."""


class SideBySide:
    """Jobs by name, and what ended those that do not move."""

    def __init__(self, again_s: float = _AGAIN_S) -> None:
        self._again_s = again_s
        self._failed: dict[str, str] = {}
        self._undone: dict[str, str] = {}

    async def run(self, stop: asyncio.Event, **jobs: Job) -> None:
        """All of them until `stop`."""
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(self._keep(name, job, stop))

    def ready(self) -> tuple[bool, str]:
        """Whether all move; which failed, and by what, and what those that move could not do: to begin anew would not help."""
        said = [f"{name} failed: {why}" for name, why in self._failed.items()]
        said += [f"{name} waits for {what}" for name, what in self._undone.items()]
        return not self._failed, "; ".join(said)

    def _moved(self, name: str, undone: str = "") -> None:
        self._failed.pop(name, None)
        self._undone.pop(name, None)
        if undone:
            self._undone[name] = undone

    async def _keep(self, name: str, job: Job, stop: asyncio.Event) -> None:
        while not stop.is_set():
            why = "it ended"
            try:
                await job(moves=partial(self._moved, name))
            except Exception as error:
                why = type(error).__name__
                log.error("job_failed", name=name, error=why, exc_info=True)
            if not stop.is_set():
                self._failed[name] = why
                await until_set(stop, self._again_s)
