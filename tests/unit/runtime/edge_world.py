"""A service's real routes, decider and tail around a log in memory: everything of the edge but the sockets.

The decider may be held back, and a writer may fail with its record stored or not: what a broker does on a bad day.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic_core import to_json

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.events.codec import name_of
from libs.events.records import CommandEnvelope, RawRecord
from libs.events.searches import BY_NAME, Sorting, fits, page_of
from libs.events.topics import commands_topic, events_topic, system_stream
from libs.runtime.auth import TokenVerifier, issue_token
from libs.runtime.day import SetBusinessDate, day_aggregate
from libs.runtime.deciding import PartitionDecider
from libs.runtime.http.access import Keys
from libs.runtime.http.app import build_app
from libs.runtime.http.edge import CommandLog, Edge
from libs.runtime.http.router import ServiceRouter
from libs.runtime.identity import ensure_identity
from libs.runtime.kafka import LogUnavailable, Place
from libs.runtime.memory import DeciderMemory
from libs.runtime.outcomes import AnchorsUnavailable, Outcomes
from libs.runtime.service import Service
from libs.runtime.settings import Settings, load_settings
from libs.runtime.store import MemoryStore
from libs.runtime.views import Changed, Reset

PARTITIONS = 2
LOG_ID = "0" * 32


class MemoryLog:
    """Topics of records, with the broker's calls and its failures."""

    def __init__(self) -> None:
        self.records: dict[Place, list[RawRecord]] = {}
        self.is_down = False

    def append(
        self, place: Place, key: bytes, value: bytes, headers: Mapping[str, bytes] | None = None
    ) -> int:
        """Store a record and return its offset."""
        records = self.records.setdefault(place, [])
        records.append(RawRecord(len(records), key, value, headers or {}))
        return len(records) - 1


class MemoryReader:
    """LogReader's calls on a MemoryLog."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._next: dict[Place, int] = {}

    async def start(self) -> None:
        """See LogReader."""

    async def stop(self) -> None:
        """See LogReader."""

    def assign(self, starts: Mapping[Place, int]) -> None:
        """See LogReader."""
        self._next = dict(starts)

    async def poll(self, timeout_s: float, records_max: int = 1000) -> dict[Place, list[RawRecord]]:
        """See LogReader."""
        until = time.monotonic() + timeout_s
        while True:
            self._check()
            found = {
                place: self._log.records[place][start : start + records_max]
                for place, start in self._next.items()
                if len(self._log.records.get(place, ())) > start
            }
            for place, records in found.items():
                self._next[place] += len(records)
            if found or time.monotonic() >= until:
                return found
            await asyncio.sleep(0.001)

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """See LogReader."""
        self._check()
        return {place: len(self._log.records.get(place, ())) for place in places}

    def _check(self) -> None:
        if self._log.is_down:
            raise LogUnavailable("the broker is down")


class MemoryWriter:
    """LogWriter's calls; what it stores is decided at once unless the decider is held back."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def start(self) -> None:
        """See LogWriter."""

    async def stop(self) -> None:
        """See LogWriter."""

    async def send(self, place: Place, *, key: bytes, value: bytes) -> int:
        """See LogWriter."""
        world = self._world
        failure, world.next_send_fails = world.next_send_fails, None
        if failure == "lost":
            raise LogUnavailable("no acknowledgement in time")
        position = world.log.append(place, key, value)
        world.decide()
        if failure == "stored":
            raise LogUnavailable("no acknowledgement in time")
        return position


class MemoryAnchors:
    """The tail's anchors."""

    def __init__(self) -> None:
        self.kept: dict[Place, Checkpoint] = {}
        self.is_down = False

    async def load(self, place: Place) -> Checkpoint | None:
        """See Anchors."""
        self._check()
        return self.kept.get(place)

    async def save(self, checkpoints: Mapping[Place, Checkpoint]) -> None:
        """See Anchors."""
        self._check()
        self.kept |= checkpoints

    def _check(self) -> None:
        if self.is_down:
            raise AnchorsUnavailable("no primary")


class MemoryViews:
    """Views' calls on documents that a test puts there."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, dict[str, Any]]] = {}
        self.applied: dict[str, dict[tuple[str, int], int]] = {}
        self.told: list[Changed | Reset] = []
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []

    async def get(self, view: str, doc: str) -> dict[str, Any] | None:
        """See Views."""
        return self.documents.get(view, {}).get(doc)

    async def page(
        self,
        view: str,
        *,
        where: Mapping[str, Any],
        after: str | None,
        limit: int,
        order: Sorting = BY_NAME,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """See Views."""
        named = {doc: {"_id": doc} | content for doc, content in self.documents.get(view, {}).items()}
        return page_of(named, where, after, limit, order)

    async def count(self, view: str, field: str, where: Mapping[str, Any] = MappingProxyType({})) -> int:
        """See Views."""
        return sum(
            content.get(field) is not None and fits(content, where)
            for content in self.documents.get(view, {}).values()
        )

    async def positions(self, view: str) -> dict[tuple[str, int], int]:
        """See Views."""
        return dict(self.applied.get(view, {}))

    async def changes(
        self, view: str, *, where: Mapping[str, Any], after: str | None
    ) -> AsyncGenerator[Changed | Reset]:
        """See Views: what `told` holds, then no more."""
        self.asked.append((view, dict(where), after))
        for change in self.told:
            yield change


async def until(holds: Callable[[], bool]) -> None:
    """Return when something holds, as it must within five seconds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  # what is waited for is asked, it tells nobody
            await asyncio.sleep(0.005)


@cache
def _app(_name: str, router: Callable[[], ServiceRouter]) -> FastAPI:
    """A service's application: building it takes longer than a test, and it keeps nothing but its edge."""
    return build_app(router())


class World:
    """One service's process. Requests go to `http`; the log, the views and the decider are at hand."""

    def __init__(self, settings: Settings, service: Service) -> None:
        self.settings = settings
        self.service = service
        self.log = MemoryLog()
        self.anchors = MemoryAnchors()
        self.views = MemoryViews()
        self.next_send_fails: str | None = None
        self.decider_is_held = False
        self.connected = 0
        self._deciders = [self._decider(partition) for partition in range(PARTITIONS)]
        assert service.router is not None
        self.app = _app(service.name, service.router)
        self.http: httpx.AsyncClient

    def token(self, subject: str, *scopes: str, ttl_s: int = 600, now: float | None = None) -> dict[str, str]:
        """The header that makes a request this subject's."""
        return {"Authorization": f"Bearer {issue_token(self.settings, subject, scopes, ttl_s, now=now)}"}

    def decide(self) -> None:
        """Let every partition decide what waits, and the log take it."""
        if self.decider_is_held:
            return
        for partition, decider in enumerate(self._deciders):
            commands = self.log.records.get(self._place(commands_topic, partition), [])
            while decider.next_position < len(commands):
                outgoing = decider.decide(commands[decider.next_position])
                assert outgoing is not None
                place = self._place(events_topic, partition)
                offset = self.log.append(place, outgoing.key, outgoing.value, outgoing.headers)
                decider.accept(self.log.records[place][offset])

    def open_day(self, day: date) -> None:
        """Give every partition a business date."""
        for partition in range(PARTITIONS):
            envelope = CommandEnvelope(
                command_id=f"day-{partition}",
                type=name_of(SetBusinessDate),
                stream_id=system_stream(partition),
                data=SetBusinessDate(business_date=day),
                at=datetime(2024, 3, 15, tzinfo=UTC),
                principal="",
                correlation_id="day",
            )
            self.log.append(self._place(commands_topic, partition), b"day", to_json(envelope))
        self.decide()

    def commands(self) -> list[dict[str, Any]]:
        """The people's commands on the log, partition by partition, as JSON."""
        found = []
        for partition in range(PARTITIONS):
            for raw in self.log.records.get(self._place(commands_topic, partition), []):
                envelope = httpx.Response(200, content=raw.value).json()
                if envelope["fingerprint"] is not None:
                    found.append(envelope)
        return found

    def _place(self, topic: Any, partition: int) -> Place:
        return Place(topic(self.service.name, self.settings.topic_prefix), partition)

    def _decider(self, partition: int) -> PartitionDecider:
        place = self._place(events_topic, partition)
        return PartitionDecider(
            service=self.service.name,
            aggregates=(*self.service.aggregates, day_aggregate()),
            rules=self.service.rules,
            partition=partition,
            partitions=PARTITIONS,
            memory=DeciderMemory(MemoryStore()),
            reader=ChainReader(genesis(LOG_ID, place.topic, partition)),
            replica="r0",
        )

    def outcomes(self) -> Outcomes:
        """A tail of this log, as one process has it."""

        async def resume(place: Place, anchor: Checkpoint | None) -> ChainReader:
            return ChainReader(anchor or genesis(LOG_ID, place.topic, place.partition))

        return Outcomes(
            self.service.name,
            partitions=PARTITIONS,
            topic_prefix=self.settings.topic_prefix,
            stall_s=self.settings.stall_s,
            follow=lambda: MemoryReader(self.log),
            watch=lambda: MemoryReader(self.log),
            resume=resume,
            anchors=self.anchors,
            home="the anchors of this test",
        )

    def edge(self, outcomes: Outcomes) -> Edge:
        """What the routes share."""

        def connect() -> MemoryWriter:
            self.connected += 1
            return MemoryWriter(self)

        return Edge(
            service=self.service.name,
            settings=self.settings,
            keys=Keys(TokenVerifier.from_settings(self.settings), self.settings.bank_key()),
            fingerprint_secret=self.settings.fingerprint_secret(),
            commands=CommandLog(
                self.service.name,
                partitions=PARTITIONS,
                topic_prefix=self.settings.topic_prefix,
                connect=connect,
            ),
            outcomes=outcomes,
            views=self.views,
        )

    async def until_stalled(self, partition: int, code: str | None) -> None:
        """Return when the process says this of the partition, as it must within five seconds."""
        outcomes = self.app.state.edge.outcomes
        await until(lambda: outcomes.stalled(partition) == code)


@asynccontextmanager
async def running(service: Service, data_dir: Path, **overrides: Any) -> AsyncIterator[World]:
    """A world whose tail runs and has read the log. Its keys are those of the data directory, minted if missing."""
    settings = ensure_identity(load_settings(data_dir, partitions=PARTITIONS, log_id=LOG_ID, **overrides))
    world = World(settings, service)
    outcomes = world.outcomes()
    world.app.state.edge = world.edge(outcomes)
    tail = asyncio.create_task(outcomes.run(asyncio.Event()))
    transport = httpx.ASGITransport(app=world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as world.http:
        await world.until_stalled(0, None)
        try:
            yield world
        finally:
            tail.cancel()
            with suppress(asyncio.CancelledError):
                await tail
