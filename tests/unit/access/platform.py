"""The whole platform in one process: the real deciders, policies, projections and routes of all services on a kind log.

Actors are those of the simulation (tools/simulator) without its faults and its people; whoever asks comes in over HTTP. After
every command the platform comes to rest, so a test never waits for a saga or a view.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from pydantic_core import from_json

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.events.records import RawRecord
from libs.events.searches import BY_NAME, Sorting, fits, page_of
from libs.runtime.auth import TokenVerifier, issue_token
from libs.runtime.http import ServiceRouter
from libs.runtime.http.access import Keys
from libs.runtime.http.app import build_app
from libs.runtime.http.edge import CommandLog, Edge
from libs.runtime.identity import ensure_identity
from libs.runtime.kafka import Place
from libs.runtime.outcomes import Outcomes
from libs.runtime.service import Service, load_services
from libs.runtime.settings import Settings, load_settings
from libs.runtime.views import Changed, Reset
from tests.unit.onboarding.vault_double import memory_vault
from tests.unit.runtime.edge_world import MemoryAnchors, MemoryReader, until
from tools.simulator.config import Config
from tools.simulator.log import NO_FAULTS
from tools.simulator.log import Place as SimulatedPlace
from tools.simulator.plan import Plan
from tools.simulator.world import LOG_ID, World

#: A profile with caps, suitability and reviews by two, so that every post has something to do.
PROFILE = "cn-p2p-2016"
NOTHING_HAPPENED = ("system.CommandRefused.", "system.CommandRepeated.", "system.CommandHadNoEffect.")
_NOBODYS_PLAN = Plan(
    people=0,
    listings=0,
    days=0,
    busy_days=0,
    actions_on_busy_days=0,
    actions_on_quiet_days=0,
    tenor_months_max=1,
)


class Nobody:
    """Stands where the simulation's people stand, and does nothing but forget what they would have seen."""

    is_quiet = True

    def __init__(self, world: World) -> None:
        self._world = world

    def step(self, _rng: Random) -> bool:
        """See Actor."""
        self._world.api.seen.clear()
        return False


class Records(Mapping[Place, Sequence[RawRecord]]):
    """The simulated log's partitions under the names by which the edge's tail asks for them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getitem__(self, place: Place) -> list[RawRecord]:
        return self._world.log.records(SimulatedPlace(place.topic, place.partition), 0, 1 << 40)

    def __iter__(self) -> Iterator[Place]:
        return (Place(*place) for place in self._world.log.places)

    def __len__(self) -> int:
        return len(self._world.log.places)


class SimulatedLog:
    """What MemoryReader reads."""

    is_down = False

    def __init__(self, world: World) -> None:
        self.records = Records(world)


class Writer:
    """LogWriter's calls: what is sent is stored, decided and followed up before it is acknowledged."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def start(self) -> None:
        """See LogWriter."""

    async def stop(self) -> None:
        """See LogWriter."""

    async def send(self, place: Place, *, key: bytes, value: bytes) -> int:
        """See LogWriter."""
        there = SimulatedPlace(place.topic, place.partition)
        before = self._world.log.end(there)
        self._world.log.sender(self._world.actors.index(self._world.api)).post(
            there, key=key, value=value, headers={}
        )
        self._world.drain()
        stored = self._world.log.records(there, before, 1 << 20)
        return next(record.offset for record in stored if record.value == value)


class ProjectedViews:
    """Views' calls on what the simulated database holds."""

    def __init__(self, world: World) -> None:
        self._world = world

    def documents(self, view: str) -> dict[str, dict[str, Any]]:
        """All documents of a view by name."""
        stored = self._world.views[view].documents
        return {name: {"_id": name} | document for name, document in stored.items()}

    async def get(self, view: str, doc: str) -> dict[str, Any] | None:
        """See Views."""
        return self.documents(view).get(doc)

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
        return page_of(self.documents(view), where, after, limit, order)

    async def count(self, view: str, field: str, where: Mapping[str, Any] = MappingProxyType({})) -> int:
        """See Views."""
        return sum(
            document.get(field) is not None and fits(document, where)
            for document in self.documents(view).values()
        )

    async def positions(self, view: str) -> dict[tuple[str, int], int]:
        """See Views."""
        heads = self._world.views[view].heads
        return {(where.service, where.partition): head.position for where, head in heads.items()}

    async def changes(
        self,
        view: str,
        *,
        where: Mapping[str, Any],
        after: str | None,  # noqa: ARG002
    ) -> AsyncGenerator[Changed | Reset]:
        """See Views: as if every document that the caller may see had changed once, then no more."""
        yield Reset("0.")
        for name, document in self.documents(view).items():
            if fits(document, where):
                yield Changed(f"0.{name}", name, document, datetime.now(UTC))


class Platform:
    """All services behind one client each. `ask` is a request of somebody; the routers are the services' own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.services: dict[str, Service] = load_services(PROFILE)
        config = Config(
            partitions=1,
            plan=_NOBODYS_PLAN,
            log_faults=NO_FAULTS,
            crashes=0.0,
            slow_twins=0.0,
            new_release=False,
        )
        self.world = World(0, list(self.services.values()), config)
        self.world.actors[-1] = Nobody(self.world)
        self.views = ProjectedViews(self.world)
        self.vault = memory_vault()
        self.routers: dict[str, ServiceRouter] = {
            name: service.router() for name, service in self.services.items() if service.router is not None
        }
        self.edges: dict[str, Edge] = {}
        self.apps = {name: build_app(router) for name, router in self.routers.items()}
        self._tokens: dict[tuple[str, tuple[str, ...]], str] = {}
        self._counted = self._commands = self._effects = 0

    def serve(self, app: FastAPI, service: str) -> httpx.AsyncClient:
        """A client of an application of this service."""
        app.state.edge = self.edges[service]
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://edge")

    def token(self, subject: str, scopes: Sequence[str]) -> str:
        """A bearer token, minted once for each subject and scopes."""
        asked = (subject, tuple(scopes))
        if asked not in self._tokens:
            self._tokens[asked] = issue_token(self.settings, subject, scopes, 3600)
        return self._tokens[asked]

    async def ask(
        self,
        method: str,
        path: str,
        subject: str = "",
        scopes: Sequence[str] = (),
        *,
        body: Any = None,
        app: FastAPI | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request; a POST brings a key of its own unless one is given."""
        service = path.split("/")[1]
        sent = dict(headers or {})
        if subject:
            sent["Authorization"] = f"Bearer {self.token(subject, scopes)}"
        if method == "POST":
            sent["Idempotency-Key"] = key or str(uuid4())
        async with self.serve(app or self.apps[service], service) as http:
            return await http.request(method, path, json=body, headers=sent)

    def so_far(self) -> tuple[int, int]:
        """How many commands have reached the log, and how many decisions have changed anything, of all services."""
        for place, raw in self.world.log.order[self._counted :]:
            if place.topic.endswith(".commands"):
                self._commands += 1
            elif not from_json(raw.value)["events"][0]["type"].startswith(NOTHING_HAPPENED):
                self._effects += 1
        self._counted = len(self.world.log.order)
        return self._commands, self._effects

    def _outcomes(self, service: str) -> Outcomes:
        log = SimulatedLog(self.world)

        async def resume(place: Place, anchor: Checkpoint | None) -> ChainReader:
            return ChainReader(anchor or genesis(LOG_ID, place.topic, place.partition))

        return Outcomes(
            service,
            partitions=1,
            topic_prefix="",
            stall_s=30.0,
            follow=lambda: MemoryReader(log),  # type: ignore[arg-type]  # it only reads `records`
            watch=lambda: MemoryReader(log),  # type: ignore[arg-type]
            resume=resume,
            anchors=MemoryAnchors(),
            home="the anchors of this test",
        )

    async def _run(self, service: str, running: AsyncExitStack) -> None:
        outcomes = self._outcomes(service)
        self.edges[service] = Edge(
            service=service,
            settings=self.settings,
            keys=Keys(TokenVerifier.from_settings(self.settings), self.settings.bank_key()),
            fingerprint_secret=self.settings.fingerprint_secret(),
            commands=CommandLog(
                service, partitions=1, topic_prefix="", connect=lambda: Writer(self.world), limit_s=60.0
            ),
            outcomes=outcomes,
            views=self.views,
            vault=self.vault if service == "onboarding" else None,
        )
        if service != "reporting":  # takes no commands, so nothing is waited for
            tail = asyncio.create_task(outcomes.run(asyncio.Event()))
            running.push_async_callback(_cancelled, tail)
            await until(lambda: outcomes.stalled(0) is None)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def running_platform(data_dir: Path) -> AsyncIterator[Platform]:
    """An empty platform whose services can be asked."""
    settings = ensure_identity(
        load_settings(data_dir, partitions=1, profile=PROFILE, decision_wait_s=30.0, read_wait_s=0.0)
    )
    platform = Platform(settings)
    async with AsyncExitStack() as running:
        for service in platform.services:
            await platform._run(service, running)
        yield platform
