"""A partition's loop around a broker in memory, and its role."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from libs.events.records import RawRecord
from libs.runtime import partition_loop as module
from libs.runtime.decider import DeciderRole
from libs.runtime.kafka import Place
from libs.runtime.partition_loop import PartitionLoop
from libs.runtime.replica_role import Assignment
from libs.runtime.service import Service
from libs.runtime.settings import load_settings
from tests.unit.runtime.broker import Broker, Follower, Pen, Shared
from tests.unit.runtime.jars import JARS, Bench, PutCoins

EVENTS, COMMANDS = Place("bidding.events", 0), Place("bidding.commands", 0)
TOY = Service(name="bidding", aggregates=(JARS,))


class World:
    """One partition's loop, the broker that it talks to, and the process's producer."""

    def __init__(self, broker: Broker, keys: Path, *, service: Service = TOY) -> None:
        self.broker = broker
        self.bench = Bench()
        settings = load_settings(keys, kafka="127.0.0.1:1", log_id="0" * 32, partitions=1, replica="a")
        self.loop = PartitionLoop(settings, service, 0, Assignment("a"))
        self.loop.decider = self.bench.caught_up(self.bench.store)
        self.loop.read_to = len(self.bench.events)
        self.loop.begin()
        self.commands = Follower(broker)
        self.tails: Any = SimpleNamespace(
            events=Follower(broker), commands=self.commands, asking=Follower(broker)
        )
        broker.events[EVENTS] = self.bench.events

    async def current(self) -> Pen:
        """See Writers."""
        self.broker.check()
        return Pen(self.broker)

    async def discard(self, _writer: Pen | None) -> None:
        """See Writers."""

    def command(self, coins: int) -> RawRecord:
        """A command that the loop is given."""
        raw = self.bench.send(PutCoins(coins=coins))
        self.loop.take_commands([raw])
        return raw

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """The loop runs, and ends within five seconds of `stop`."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.loop.run(stop, self.tails, self))  # type: ignore[arg-type]
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait_for(task, 5)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker whose waits take no time."""
    broker = Broker()
    monkeypatch.setattr(module, "Restarts", broker.restarts)
    monkeypatch.setattr(module, "wait", broker.wait)
    monkeypatch.setattr(module, "is_held", broker.is_held)
    return broker


def new_role(broker: Broker, keys: Path) -> DeciderRole:
    """The decider of one partition."""
    settings = load_settings(keys, kafka="127.0.0.1:1", log_id="0" * 32, partitions=1)
    return DeciderRole(settings, TOY, Shared(broker))  # type: ignore[arg-type]
