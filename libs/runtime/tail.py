"""One consumer of events per process, shared by all its roles: decider, policies and API read the same fetches.

A fetch costs more than the few records it brings while a day is closed, so five consumers in one process spend most of
their time asking. Each role still has a reader of its own with its own position; only the asking is shared.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import structlog

from libs.events.records import RawRecord
from libs.runtime.kafka import LogReader, LogUnavailable, OffsetMissing, Place

log = structlog.get_logger()

#: Records that one role may leave unread per partition before the partition is no longer fetched.
UNREAD_MAX = 4_000


class Tail:
    """The process's consumer over a fixed set of partitions; `reader()` gives a role its own view of it."""

    def __init__(self, bootstrap: str, places: Sequence[Place], *, client_id: str) -> None:
        self._physical = LogReader(bootstrap, client_id=client_id)
        self._places = tuple(places)
        self._readers: list[TailReader] = []
        self._next: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._started = asyncio.Event()
        self._failed: OffsetMissing | None = None

    def reader(self) -> "TailReader":
        """A reader for one role; it joins with `assign`."""
        return TailReader(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch until stopped. Raises LogUnavailable only when the broker cannot be reached at the start."""
        if not self._places:
            await stop.wait()
            return
        await self._physical.start()
        try:
            self._next = await self._physical.ends(self._places)
            self._physical.assign(self._next)
            self._started.set()
            while not stop.is_set():
                await self._fetch()
        finally:
            await self._physical.stop()

    async def started(self) -> None:
        """Return when readers may join."""
        await self._started.wait()

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """See LogReader."""
        return await self._physical.ends(places)

    def join(self, reader: "TailReader", starts: Mapping[Place, int]) -> None:
        """Deliver to a reader from these offsets on. Raises ValueError for a partition that is not tailed here."""
        unknown = [place for place in starts if place not in self._next]
        if unknown:
            raise ValueError(f"{unknown[0].topic}/{unknown[0].partition} is not tailed by this process")
        if reader not in self._readers:
            self._readers.append(reader)
        for place, start in starts.items():
            if start < self._next[place]:  # the others ignore what they have
                self._next[place] = start
                self._physical.seek(place, start)
        self._weigh(starts)  # who joins anew has dropped what it left unread

    def leave(self, reader: "TailReader") -> None:
        """Deliver no more to a reader. What it left unread holds nobody up."""
        if reader in self._readers:
            self._readers.remove(reader)
        self._weigh(self._places)

    def drained(self, place: Place) -> None:
        """A reader has read; fetch the partition again if no other is far behind."""
        self._weigh([place])

    def _weigh(self, places: Iterable[Place]) -> None:
        """Fetch a partition exactly while none of those who read it *now* is far behind.

        Asked after everything that changes the answer: a delivery, a reading, a reader that comes or goes. A pause that
        only its reader's reading could end outlived the reader, and nobody in the process was given anything any more.
        """
        for place in places:
            unread = max((reader.unread(place) for reader in self._readers), default=0)
            if unread > UNREAD_MAX and place not in self._paused:
                self._physical.pause(place)
                self._paused.add(place)
            elif unread <= UNREAD_MAX // 2 and place in self._paused:
                self._physical.resume(place)
                self._paused.discard(place)

    @property
    def failed(self) -> OffsetMissing | None:
        """Set once the log no longer holds what was to be read."""
        return self._failed

    async def _fetch(self) -> None:
        try:
            batch = await self._physical.poll(0.25, 2000)
        except LogUnavailable as error:  # the client reconnects by itself; asking again loses nothing
            log.warning("broker_unavailable", reader="tail", cause=str(error))
            await asyncio.sleep(0.5)
            return
        except OffsetMissing as error:
            self._failed = error
            for reader in self._readers:
                reader.wake()
            await asyncio.sleep(0.5)
            return
        for place, records in batch.items():
            self._next[place] = records[-1].offset + 1
            for reader in self._readers:
                reader.deliver(place, records)
        self._weigh(batch)


class TailReader:
    """One role's reading of the shared tail: the calls of LogReader that a role needs."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._next: dict[Place, int] = {}
        self._unread: dict[Place, deque[RawRecord]] = {}
        self._arrived = asyncio.Event()

    async def start(self) -> None:
        """Wait until the tail runs."""
        await self._tail.started()

    async def stop(self) -> None:
        """Leave the tail."""
        self._tail.leave(self)

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Read exactly these partitions, each from the given offset on."""
        self._next = dict(starts)
        self._unread = {place: deque() for place in starts}
        self._tail.join(self, starts)

    def seek(self, place: Place, start: int) -> None:
        """Read one partition more, or again, from an offset on; the others as they are."""
        self._next[place] = start
        self._unread[place] = deque()
        self._tail.join(self, {place: start})

    def drop(self, place: Place) -> None:
        """Read one partition no more. What of it was left unread holds nobody up."""
        self._next.pop(place, None)
        self._unread.pop(place, None)
        self._tail.drained(place)

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """See LogReader."""
        return await self._tail.ends(places)

    async def poll(
        self, timeout_s: float, records_max: int = 1000, *, gather_s: float = 0.0
    ) -> dict[Place, list[RawRecord]]:
        """The next records, at most `records_max` per partition; empty after `timeout_s`. Raises OffsetMissing.

        `gather_s` is how long it waits after the first until every partition has something, for those who gain from a
        fuller batch.
        """
        if not any(self._unread.values()) and self._tail.failed is None and await self._more(timeout_s):
            give_up_at = time.monotonic() + gather_s
            while not all(self._unread.values()) and (left_s := give_up_at - time.monotonic()) > 0:
                await self._more(left_s)
        if self._tail.failed is not None:
            raise self._tail.failed
        batch: dict[Place, list[RawRecord]] = {}
        for place, unread in self._unread.items():
            if unread:
                batch[place] = [unread.popleft() for _ in range(min(records_max, len(unread)))]
                self._tail.drained(place)
        return batch

    async def _more(self, timeout_s: float) -> bool:
        """Wait for the next delivery; False if none came in time."""
        self._arrived.clear()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._arrived.wait()
        except TimeoutError:
            return False

    def deliver(self, place: Place, records: Sequence[RawRecord]) -> None:
        """Take what this reader has not had yet; the tail calls it with every fetch."""
        start = self._next.get(place)
        if start is None:
            return
        fresh = [record for record in records if record.offset >= start]
        if fresh:
            self._unread[place].extend(fresh)
            self._next[place] = fresh[-1].offset + 1
            self._arrived.set()

    def unread(self, place: Place) -> int:
        """How many records of a partition wait in this reader."""
        return len(self._unread.get(place, ()))

    def wake(self) -> None:
        """Let a waiting `poll` look again."""
        self._arrived.set()
