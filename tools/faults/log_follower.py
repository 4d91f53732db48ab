"""Reads both topics of every deciding service from the real broker, live, into a LogCopy; a broker may come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from libs.events.records import RawRecord
from libs.events.topics import DECIDING_SERVICES, commands_topic, events_topic
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import LogReader, LogUnavailable, OffsetMissing, Place, offsets
from libs.runtime.settings import Settings
from tools.faults.log_copy import LogCopy

_POLL_S = 0.05
_RECONNECT_S = 0.2


class FollowerDied(OperatorError):
    """The log is not read any more: nothing can be judged."""


class LogFollower:
    """A LogCopy that grows by itself. `copy` is settled after every fetch."""

    def __init__(self, settings: Settings) -> None:
        if settings.topic_prefix:
            raise OperatorError("The faults judge a log of their own: its topics have no prefix.")
        self._settings = settings
        self.copy = self._empty()
        self._names = {
            Place(topic(service), partition): (service, partition, kind)
            for kind, topic in (("commands", commands_topic), ("events", events_topic))
            for service in DECIDING_SERVICES
            for partition in range(settings.partitions)
        }
        self._read_to = dict.fromkeys(self._names, 0)
        self._moved = asyncio.Condition()
        self._epoch = 0
        self._died = ""
        self._of_earlier: list[str] = []
        """Violations of copies that were begun anew."""

    @property
    def violations(self) -> list[str]:
        """Everything that was found wrong so far, also in copies before this one; it only grows."""
        return [*self._of_earlier, *self.copy.violations]

    def _empty(self) -> LogCopy:
        settings = self._settings
        return LogCopy(DECIDING_SERVICES, settings.partitions, settings.require_log_id(), settings.profile)

    def begin_anew(self) -> None:
        """The log was cut: read it from its beginning into another copy."""
        self._of_earlier = self.violations
        self.copy = self._empty()
        self._read_to = dict.fromkeys(self._names, 0)
        self._epoch += 1

    async def run(self) -> None:
        """Follow until cancelled. What ends it otherwise is told to all who wait, and to all who ask from then on."""
        try:
            await self._follow()
        except Exception as error:
            self._died = f"the log is followed no more: {type(error).__name__} {error}"
            self.copy.violations.append(self._died)
            async with self._moved:
                self._moved.notify_all()
            raise

    async def _follow(self) -> None:
        while True:
            epoch = self._epoch
            reader = LogReader(self._settings.require_kafka(), client_id="faults-follower")
            try:
                await reader.start()
                reader.assign(dict(self._read_to))
                while epoch == self._epoch:
                    batch = await reader.poll(_POLL_S)
                    if epoch == self._epoch:
                        await self._take(batch)
            except (LogUnavailable, OffsetMissing):
                await asyncio.sleep(_RECONNECT_S)
            finally:
                await reader.stop()

    async def _take(self, batch: dict[Place, list[RawRecord]]) -> None:
        for place, records in batch.items():
            service, partition, kind = self._names[place]
            for raw in records:
                self.copy.take(service, partition, kind, raw)
            self._read_to[place] = records[-1].offset + 1
        if batch:
            self.copy.settle()
            async with self._moved:
                self._moved.notify_all()

    async def until(self, met: Callable[[], bool], limit_s: float) -> None:
        """Return when a condition on the copy holds. Raises TimeoutError, FollowerDied."""
        async with asyncio.timeout(limit_s), self._moved:
            await self._moved.wait_for(lambda: bool(self._died) or met())
        self._must_live()

    def _must_live(self) -> None:
        if self._died:
            raise FollowerDied(self._died)

    async def behind(self) -> int:
        """Records that the broker has and the copy does not. Raises LogUnavailable, FollowerDied."""
        self._must_live()
        ends = await offsets(self._settings.require_kafka(), list(self._names))
        return sum(end - self._read_to[place] for place, (_, end) in ends.items())


@asynccontextmanager
async def following(settings: Settings) -> AsyncIterator[LogFollower]:
    """A follower at work."""
    follower = LogFollower(settings)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
