"""A log that was cut and grew again under a running decider: found out when the partition starts over, as at a start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.records import RawRecord
from libs.runtime import checkpoint as checkpoints
from libs.runtime import partition_loop as module
from libs.runtime.kafka import Place
from libs.runtime.partition_loop import PartitionLoop
from libs.runtime.replica_role import Assignment
from libs.runtime.service import Service
from libs.runtime.settings import load_settings
from libs.runtime.store import MemoryStore
from tests.unit.runtime.broker import Broker, Follower, Pen
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import JARS, LOG_ID, TODAY, Bench, PutCoins, jars_are_known

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

EVENTS, COMMANDS = Place("bidding.events", 0), Place("bidding.commands", 0)
TOY = Service(name="bidding", aggregates=(JARS,))
#: The decider that wrote what was lost had other rules, so the same commands were decided to other hashes.
OLD_RULES = 0


class World:
    """A partition that has folded four decisions of a log of which two are lost; one of them was decided anew since."""

    def __init__(self, broker: Broker, keys: Path, replica: str) -> None:
        self.broker = broker
        self.bench = Bench(dated=False)
        self.bench.decider = self.bench.new_decider(MemoryStore(), rules=OLD_RULES)
        settings = load_settings(
            keys,
            kafka="127.0.0.1:1",
            log_id="0" * 32,
            partitions=1,
            replica=replica,
            confirm_timeout_s=0.05,
        )
        self.loop = PartitionLoop(settings, TOY, 0, Assignment(replica))
        self.commands = Follower(broker)
        self.commands.seek = self.read_commands  # type: ignore[method-assign]
        self.tails: Any = SimpleNamespace(
            events=Follower(broker), commands=self.commands, asking=Follower(broker)
        )
        broker.events[EVENTS] = self.bench.events

    def read_commands(self, place: Place, offset: int) -> None:
        """See LogReader."""
        assert place == COMMANDS
        self.loop.take_commands(self.bench.commands[offset:])

    async def current(self) -> Pen:
        """See Writers."""
        return Pen(self.broker)

    async def discard(self, _writer: Pen | None) -> None:
        """See Writers."""

    async def start(self) -> None:
        """Fold what there is, as a process does."""
        await self.loop.recover()
        self.loop.take_events(self.bench.events)
        self.loop.begin()
        self.tails.events.assign({EVENTS: self.loop.read_to})

    def lose_and_regrow(self) -> None:
        """Two decisions are gone, and the first of them was made anew by somebody else."""
        kept = self.bench.events[:2]
        self.bench.events = self.broker.events[EVENTS] = kept
        other = self.bench.caught_up(MemoryStore(), rules=TOY.rules)
        outgoing = other.decide(self.bench.commands[2])
        assert outgoing is not None
        self.bench.append(outgoing)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """The loop runs, and is given the events as they come."""
        stop = asyncio.Event()

        async def tail() -> None:
            while not stop.is_set():
                for records in (await self.tails.events.poll(0.01)).values():
                    self.loop.take_events(records)

        task = asyncio.create_task(self.loop.run(stop, self.tails, self))  # type: ignore[arg-type]
        tailing = asyncio.create_task(tail())
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(task, tailing), 5)
            self.loop.close()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker whose waits take no time, and which knows its records."""
    broker = Broker()

    async def record_at(_bootstrap: str, place: Place, offset: int) -> RawRecord | None:
        broker.check()
        held = broker.events[place]
        return held[offset] if offset < len(held) else None

    monkeypatch.setattr(module, "Restarts", broker.restarts)
    monkeypatch.setattr(module, "wait", broker.wait)
    monkeypatch.setattr(checkpoints, "record_at", record_at)
    monkeypatch.setattr(checkpoints, "genesis", lambda *_of: genesis(LOG_ID, "toy.events", 0))
    return broker


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What is found of the commands."""
    found: list[str | None] = [None]

    async def lost_commands(*_where: Any) -> str | None:
        return found[0]

    monkeypatch.setattr(module, "lost_commands", lost_commands)
    return found


async def started(broker: Broker, keys: Path, replica: str) -> World:
    """It has folded four decisions, the last two of which are lost under it."""
    world = World(broker, keys, replica)
    for coins in (1, 2, 4, 8):
        world.bench.send(PutCoins(coins=coins), business_date=TODAY)
    for outgoing in world.bench.decide_ahead():
        world.bench.decider.accept(world.bench.append(outgoing))
    await world.start()
    assert world.loop.decider.head.position == 3
    world.lose_and_regrow()
    return world


async def test_the_partition_folds_the_log_anew_and_decides_what_is_missing(
    broker: Broker, keys: Path, told: list[str | None]
) -> None:
    """Its store is thrown away; the decision that somebody else made counts, the other one is made again, and it goes on."""
    world = await started(broker, keys, "regrown-a")
    with capture_logs() as logged:
        async with world.running() as task:
            world.loop.take_commands([world.bench.send(PutCoins(coins=16))])
            await until(lambda: len(broker.posted) == 3)
            assert not task.done()
            assert world.loop.decider.head.position == 2
            assert not world.loop.is_in_doubt
    assert [line["event"] for line in logged if line["event"] == "store_thrown_away"] == ["store_thrown_away"]
    lost, *again = broker.posted
    assert lost[0] == EVENTS
    expected = world.bench.decide_ahead(world.bench.caught_up(MemoryStore(), rules=TOY.rules))
    assert [value for _, value in again] == [outgoing.value for outgoing in expected]
    chain = ChainReader(world.loop.decider.head)
    assert [chain.read(world.bench.append(outgoing)) for outgoing in expected] == [Reading.ACCEPTED] * 2


async def test_commands_that_are_gone_too_halt_it(broker: Broker, keys: Path, told: list[str | None]) -> None:
    """What a start would find is found here: the partition stands still and says why; nothing is decided."""
    world = await started(broker, keys, "regrown-b")
    told[0] = "commands were lost"
    async with world.running() as task:
        world.loop.take_commands([world.bench.send(PutCoins(coins=16))])
        await asyncio.wait_for(asyncio.shield(task), 5)
    assert world.loop.halted == "commands were lost"
    assert world.commands.paused == [COMMANDS]
    assert len(broker.posted) == 1


async def test_a_broker_that_goes_away_meanwhile_costs_another_round(
    broker: Broker, keys: Path, told: list[str | None]
) -> None:
    """Half-way through, the store is closed and the log cannot be read: the next round does all of it."""
    world = await started(broker, keys, "regrown-c")
    recover, fails = world.loop.recover, iter([True, True])

    async def interrupted() -> None:
        broker.is_away = next(fails, False)
        await recover()

    world.loop.recover = interrupted  # type: ignore[method-assign]
    broker.on_wait = lambda: setattr(broker, "is_away", False)
    async with world.running():
        world.loop.take_commands([world.bench.send(PutCoins(coins=16))])
        await until(lambda: len(broker.posted) == 3)
    assert next(fails, None) is None
