"""A broker for the shells: events to follow, commits, and a writer whose acknowledgements the test holds in its hand.

It may be away (nobody connects), refuse what is written, or keep events from its readers: what an outage is made of.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.events.records import RawRecord
from libs.runtime.commits import Commit
from libs.runtime.kafka import LogUnavailable, Place
from libs.runtime.restarts import Restarts
from tests.unit.runtime.jars import LOG_ID


class Broker:
    """What the shells' readers and writers talk to. Its clock is turned by those who wait."""

    def __init__(self) -> None:
        self.events: dict[Place, list[RawRecord]] = {}
        self.commits: dict[Place, Commit] = {}
        self.posted: list[tuple[Place, bytes]] = []
        self.unanswered: list[asyncio.Future[Any]] = []
        self.is_away = False
        self.refuses = False
        self.answers_at_once = True
        self.delivers = True
        self.now = 1_000.0
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None

    def holds(self, place: Place, records: Sequence[RawRecord], at_ms: int = 0) -> None:
        """Let a partition of events hold these records, stored at this time."""
        self.events[place] = [replace(raw, timestamp_ms=at_ms) for raw in records]

    def check(self) -> None:
        """Raises LogUnavailable while the broker is away."""
        if self.is_away:
            raise LogUnavailable("connection refused")

    def restarts(self) -> Restarts:
        """Restarts on this broker's clock."""
        return Restarts(lambda: self.now)

    async def wait(self, stop: asyncio.Event, seconds: float) -> None:
        """A wait that takes no time but the broker's."""
        self.waits.append(seconds)
        self.now += seconds
        self.on_wait()
        await asyncio.sleep(0)
        if self.now > 100_000:
            stop.set()

    async def is_held(self, _bootstrap: str, _place: Place, _head: Checkpoint) -> bool:
        """Every head is, here."""
        self.check()
        return True

    async def resume(self, _bootstrap: str, _log_id: str, place: Place, at: Any, *, home: str) -> ChainReader:
        """A chain of the toy's events from a commit on."""
        self.check()
        assert home
        return ChainReader(at or genesis(LOG_ID, "toy.events", place.partition))


class Follower:
    """The calls of TailReader and LogReader."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._next: dict[Place, int] = {}
        self.sought: list[tuple[Place, int]] = []
        self.paused: list[Place] = []

    async def start(self) -> None:
        """See LogReader."""
        self._broker.check()

    async def stop(self) -> None:
        """See LogReader."""

    def assign(self, starts: Mapping[Place, int]) -> None:
        """See LogReader."""
        self._next = dict(starts)

    def pause(self, place: Place) -> None:
        """See LogReader."""
        self.paused.append(place)

    def drop(self, place: Place) -> None:
        """See TailReader."""
        self._next.pop(place, None)

    def assign_for_commits(self, places: Sequence[Place]) -> None:
        """See LogReader."""

    def seek(self, place: Place, offset: int) -> None:
        """See LogReader."""
        self.sought.append((place, offset))
        self._next[place] = offset

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """See LogReader."""
        self._broker.check()
        return {place: len(self._broker.events.get(place, ())) for place in places}

    async def committed(self, _places: Sequence[Place]) -> dict[Place, Commit]:
        """See LogReader."""
        self._broker.check()
        return dict(self._broker.commits)

    async def commit(self, commits: Mapping[Place, Commit]) -> None:
        """See LogReader."""
        self._broker.check()
        self._broker.commits |= commits

    async def poll(
        self, timeout_s: float, records_max: int = 1000, *, gather_s: float = 0.0
    ) -> dict[Place, list[RawRecord]]:
        """See TailReader."""
        await asyncio.sleep(min(timeout_s, 0.001 + gather_s))
        if not self._broker.delivers:
            return {}
        found = {
            place: records
            for place, start in self._next.items()
            if (records := self._broker.events.get(place, [])[start : start + records_max])
        }
        for place, records in found.items():
            self._next[place] += len(records)
        return found


class Pen:
    """The calls of LogWriter."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def start(self) -> None:
        """See LogWriter."""
        self._broker.check()

    async def stop(self) -> None:
        """See LogWriter."""

    async def post(
        self, place: Place, *, key: bytes, value: bytes, headers: Mapping[str, bytes] | None = None
    ) -> "asyncio.Future[Any]":
        """See LogWriter."""
        self._broker.check()
        assert key or headers is None
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._broker.refuses:
            future.set_exception(OSError("not enough replicas"))
            return future
        self._broker.posted.append((place, value))
        self._broker.unanswered.append(future)
        if self._broker.answers_at_once:
            acknowledge(future)
        return future


class Shared:
    """The process's tail: a reader for whoever asks."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def reader(self) -> Follower:
        """See Tail."""
        return Follower(self._broker)


class _Stored:
    offset = 0


def acknowledge(future: "asyncio.Future[Any]") -> None:
    """Tell the writer that its record is stored."""
    future.set_result(_Stored())
