"""What an injector gets: the running platform, its log as it grows, what callers were told, and hands to break things with.

Processes are signalled by the pid of a child that this harness started, and no other way. Whatever dies by itself is
started again, as an orchestrator would; what an injector holds down stays down until it says otherwise.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from deploy.local.parts import LocalParts, Parts
from deploy.local.processes import Child
from deploy.local.stack import Stack, answers
from libs.runtime.settings import Settings
from tools.faults.log_copy import Decided, LogCopy
from tools.faults.log_follower import LogFollower
from tools.load.roles import REPLICAS

if TYPE_CHECKING:
    from tools.faults.caller import Caller
    from tools.faults.history import History
    from tools.faults.people import Crowd

READY_LIMIT_S = 90.0
_SUPERVISE_S = 0.2


@dataclass(slots=True)
class Scene:
    """One fault's view of a running stack."""

    stack: Stack
    parts: Parts
    follower: LogFollower
    history: "History"
    caller: "Caller"
    crowd: "Crowd"
    random: Random
    quick: bool = False
    held: set[str] = field(default_factory=set)
    """Names of processes that the supervisor leaves dead."""
    restarts: Counter[str] = field(default_factory=Counter)
    """Processes that ended by themselves and were started again, by name."""

    # --- where things are ---------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """Of the running stack."""
        return self.stack.settings

    @property
    def log(self) -> LogCopy:
        """The log as far as it was read."""
        return self.follower.copy

    @property
    def broker(self) -> Child:
        """Kafka's process. Raises LookupError where it is not ours."""
        return self._part("Kafka")

    @property
    def database(self) -> Child:
        """MongoDB's process. Raises LookupError where it is not ours."""
        return self._part("MongoDB")

    def _part(self, name: str) -> Child:
        children = self.parts.children if isinstance(self.parts, LocalParts) else []
        for child in children:
            if child.name == name:
                return child
        raise LookupError(f"{name} was not started here")

    def times(self, quick: int, full: int) -> int:
        """How often to inject."""
        return quick if self.quick else full

    def active(self, service: str = "bidding") -> str:
        """The replica that made the latest decision of a service; that of the table where there is none."""
        latest = [
            self.log.decided(service, n)[-1]
            for n in range(self.log.partitions)
            if self.log.decided(service, n)
        ]
        return max(latest, key=lambda each: each.stored_ms).by if latest else REPLICAS[0]

    def standby(self, service: str = "bidding") -> str:
        """The other one."""
        return next(name for name in REPLICAS if name != self.active(service))

    # --- processes ----------------------------------------------------------------------------------------------

    def kill(self, name: str) -> int:
        """SIGKILL a process and hold it down; gives the moment (milliseconds since 1970)."""
        child = self.stack.child(name)
        self.held.add(name)
        moment = now_ms()
        child.kill()
        return moment

    def freeze(self, name: str) -> int:
        """SIGSTOP a process; gives the moment."""
        moment = now_ms()
        os.kill(self.stack.child(name).pid, signal.SIGSTOP)
        return moment

    def thaw(self, name: str) -> int:
        """SIGCONT a process; gives the moment."""
        os.kill(self.stack.child(name).pid, signal.SIGCONT)
        return now_ms()

    async def start(
        self, name: str, env: Mapping[str, str] | None = None, *, ready: bool = True, hold: bool = False
    ) -> None:
        """Start a process that is down, with more environment for this life, and wait until it is caught up.

        With `hold` the supervisor leaves it dead once it ends. Raises TimeoutError.
        """
        child = self.stack.child(name)
        plain = child.env
        child.env = {**plain, **(env or {})}
        try:
            await asyncio.to_thread(child.start)
        finally:
            child.env = plain
        if not hold:
            self.held.discard(name)
        if ready:
            await self.until_ready(name)

    async def until_ready(self, name: str, limit_s: float = READY_LIMIT_S) -> None:
        """Wait until a process says that it is caught up; the supervisor may start it anew meanwhile. Raises TimeoutError."""
        port = self.settings.api_ports[name]
        await self.until(lambda: answers(port, "/readyz"), limit_s, blocking=True)

    async def all_ready(self, limit_s: float = READY_LIMIT_S) -> None:
        """Wait until every process is caught up. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            for name in self.settings.api_ports:
                await self.until_ready(name, limit_s)

    async def heal(self) -> None:
        """Whatever the injector left, every process runs and is caught up. Raises TimeoutError."""
        for name in self.settings.api_ports:
            child = self.stack.child(name)
            if child.alive:
                self.thaw(name)
            else:
                await self.start(name, ready=False)
        self.held.clear()
        await self.all_ready()

    # --- waiting ------------------------------------------------------------------------------------------------

    async def until(self, met: Callable[[], bool], limit_s: float = 60.0, *, blocking: bool = False) -> None:
        """Wait for a condition. `blocking` ones are asked in a thread. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            while not (await asyncio.to_thread(met) if blocking else met()):  # noqa: ASYNC110 - others' doings come with no event
                await asyncio.sleep(0.02)

    async def progress(
        self, more: int, *, service: str = "bidding", by: str | None = None, limit_s: float = 60.0
    ) -> None:
        """Wait for so many more decisions of a service, of one replica if named. Raises TimeoutError."""
        mark = self.log.ends()

        def enough() -> bool:
            new = [each for each in self.log.since(mark) if each.at.service == service]
            return sum(by is None or each.by == by for each in new) >= more

        await self.follower.until(enough, limit_s)

    async def a_moment(self, least_s: float = 0.0, most_s: float = 0.5) -> None:
        """A random moment, so that a fault does not always meet the same step."""
        await asyncio.sleep(self.random.uniform(least_s, most_s))

    # --- measuring ----------------------------------------------------------------------------------------------

    def left_unknown(self) -> list[str]:
        """That callers were left without an answer, in words, where nobody may notice the fault."""
        unknown = sum(wish.was_unknown for wish in self.history.wishes)
        return [f"{unknown} callers were left without an answer for a while"] if unknown else []

    def longest_wait_s(self, mark: dict[tuple[str, int], int]) -> float:
        """The longest from a command stored to its decision stored, of the decisions after a mark."""
        waits = (each.stored_ms - self.log.command_ms(each.at) for each in self.log.since(mark))
        return round(max(waits, default=0) / 1000, 2)

    def longest_gap_s(self, mark: dict[tuple[str, int], int], service: str = "bidding") -> float:
        """The longest time without any decision of a service, of the decisions after a mark, by the broker's clock."""
        stored = sorted(each.stored_ms for each in self.log.since(mark) if each.at.service == service)
        gaps = (after - before for before, after in pairwise(stored))
        return round(max(gaps, default=0) / 1000, 2)

    def first_decisions(
        self, moment_ms: int, *, service: str = "bidding", but: str | None = None
    ) -> list[float]:
        """Per partition, milliseconds from a moment to the first decision stored after it, of another replica than `but`.

        Counted from the moment on or, where no command waited yet, from when the first one came: both by the broker's
        clock. A partition without a later decision gives nothing.
        """
        found: list[float] = []
        for number in range(self.log.partitions):
            first = self._first(self.log.decided(service, number), moment_ms, but)
            if first is not None:
                waited_since = max(moment_ms, self.log.command_ms(first.at))
                found.append(float(first.stored_ms - waited_since))
        return found

    @staticmethod
    def _first(decided: list[Decided], moment_ms: int, but: str | None) -> Decided | None:
        first: Decided | None = None
        for each in reversed(decided):
            if each.stored_ms < moment_ms:
                break
            if each.by != but:
                first = each
        return first

    async def decided_everywhere(
        self, moment_ms: int, *, service: str = "bidding", but: str | None = None, limit_s: float = 60.0
    ) -> list[float]:
        """Wait until every partition has a decision after a moment; gives `first_decisions`. Raises TimeoutError."""
        await self.follower.until(
            lambda: len(self.first_decisions(moment_ms, service=service, but=but)) == self.log.partitions,
            limit_s,
        )
        return self.first_decisions(moment_ms, service=service, but=but)


@asynccontextmanager
async def supervised(scene: Scene) -> AsyncIterator[None]:
    """Inside this block whatever ends by itself is started again."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(_SUPERVISE_S)
            for name in scene.settings.api_ports:
                child = scene.stack.child(name)
                if name not in scene.held and child.started and not child.alive:
                    scene.restarts[name] += 1
                    await asyncio.to_thread(child.start)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def now_ms() -> int:
    """The clock of this machine, which is the broker's."""
    return int(time.time() * 1000)
