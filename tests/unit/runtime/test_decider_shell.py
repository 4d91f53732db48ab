"""A partition's life on a broker: how it starts over, waits and ends."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from libs.events.chain import Reading
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import LogUnavailable, Place
from tests.unit.runtime.broker import Broker, Follower
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import Bench, jars_are_known
from tests.unit.runtime.partition_world import COMMANDS, EVENTS, World, broker, new_role

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["broker", "jars_are_known"]

# --- starting over -------------------------------------------------------------------------------------------------


async def test_a_broker_that_is_away_is_waited_for(broker: Broker, keys: Path) -> None:
    """Neither a producer nor the log's ends can be had for an hour: the partition asks on, and decides afterwards."""
    world = World(broker, keys)
    broker.is_away = True

    def come_back() -> None:
        broker.is_away = broker.now < 1_000.0 + 3_600

    broker.on_wait = come_back
    async with world.running():
        await until(lambda: not broker.is_away)
        await until(lambda: world.commands.sought == [(COMMANDS, 1)])
        world.command(3)
        await until(lambda: [place for place, _ in broker.posted] == [EVENTS])
    assert broker.waits[:5] == [0.5, 1.0, 2.0, 4.0, 5.0]


async def test_a_partition_that_starts_over_is_not_ready(broker: Broker, keys: Path) -> None:
    """While the broker is away nothing is decided, and /readyz says so, although no command waits in the process."""
    role = new_role(broker, keys)
    role._caught_up = True
    world = World(broker, keys)
    role._loops = [world.loop]
    broker.is_away = True
    seen: list[tuple[bool, str]] = []

    def come_back() -> None:
        seen.append(role.ready())
        broker.is_away = len(seen) < 3

    broker.on_wait = come_back
    async with world.running():
        await until(lambda: not broker.is_away)
        await until(lambda: role.ready() == (True, ""))
    assert seen == [(False, "partition 0 starts over")] * 3


async def test_ends_that_cannot_be_asked_for_are_one_more_failure(broker: Broker, keys: Path) -> None:
    """A broker that goes away while a partition starts over ends no process: it is started over again."""
    world = World(broker, keys)
    fails = iter([True, True, True, False])

    async def ends(places: Any) -> dict[Place, int]:
        if next(fails):
            raise LogUnavailable("the broker restarts")
        return dict.fromkeys(places, len(world.bench.events))

    world.tails.asking.ends = ends
    broker.refuses = True
    world.command(3)
    async with world.running():
        await until(lambda: len(broker.waits) >= 4)
        broker.refuses = False
        await until(lambda: world.commands.sought == [(COMMANDS, 1)])
    assert next(fails, None) is None


async def test_stop_ends_a_partition_that_starts_over(broker: Broker, keys: Path) -> None:
    """A log whose end is not delivered is no reason to wait beyond SIGTERM."""
    world = World(broker, keys)
    broker.refuses = True
    broker.on_wait = lambda: broker.events.update({EVENTS: [*world.bench.events] * 5})
    world.command(3)
    async with world.running() as task:
        await until(lambda: bool(broker.waits))
        await asyncio.sleep(0.01)
        assert not task.done()


async def test_stop_ends_a_question_that_nobody_answers(broker: Broker, keys: Path) -> None:
    """A broker that takes the question for its ends and never answers holds up no SIGTERM."""
    world = World(broker, keys)
    asked = asyncio.Event()

    async def ends(_places: Any) -> dict[Place, int]:
        asked.set()
        await asyncio.sleep(60)
        return {}

    world.tails.asking.ends = ends
    broker.refuses = True
    world.command(3)
    async with world.running(), asyncio.timeout(5):
        await asked.wait()


async def test_stop_ends_a_recovery(broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is told to end while it folds a long log ends; the tail that it reads from has ended already."""
    role = new_role(broker, keys)
    [loop] = role._loops
    loop.decider = Bench().decider
    broker.holds(EVENTS, Bench().events)
    broker.delivers = False

    async def recover() -> None:
        """The store is open."""

    monkeypatch.setattr(loop, "recover", recover)
    monkeypatch.setattr("libs.runtime.decider_links.LogReader", lambda *_where, **_named: Follower(broker))
    stop = asyncio.Event()
    task = asyncio.create_task(role.run(stop))
    await asyncio.sleep(0.05)
    assert role.ready() == (False, "recovering")
    stop.set()
    await asyncio.wait_for(task, 5)
    assert role.ready() == (False, "recovering")


async def test_stop_ends_the_wait_for_a_broker(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM in the middle of an outage ends the partition at once."""
    monkeypatch.setattr("libs.runtime.restarts.WAIT_FIRST_S", 60.0)
    monkeypatch.setattr("libs.runtime.restarts.WAIT_MAX_S", 60.0)
    world = World(Broker(), keys)
    world.broker.is_away = True
    async with world.running():
        await asyncio.sleep(0.05)


async def test_a_broker_that_takes_no_decision_for_good_is_told_to_a_person(
    broker: Broker, keys: Path
) -> None:
    """After two minutes of refusals the process ends with a sentence that names the partition and the cause."""
    world = World(broker, keys)
    broker.refuses = True
    broker.on_wait = lambda: world.loop._signal.set()

    def seek(place: Place, offset: int) -> None:
        assert place == COMMANDS
        world.loop.take_commands(world.bench.commands[offset:])

    world.commands.seek = seek  # type: ignore[method-assign]
    world.command(3)
    with pytest.raises(
        OperatorError,
        match=r"^Kafka does not take the decisions of bidding partition 0 \(the broker did not take",
    ):
        async with asyncio.timeout(5):
            await world.loop.run(asyncio.Event(), world.tails, world)  # type: ignore[arg-type]
    assert 1_120.0 <= broker.now <= 1_130.0


async def test_what_was_speculated_is_decided_again_on_the_log(broker: Broker, keys: Path) -> None:
    """A decision that the broker refused leaves no trace: the same command, read again, gets the same first decision."""
    world = World(broker, keys)
    broker.refuses = True
    raw = world.command(3)
    broker.on_wait = lambda: setattr(broker, "refuses", False)
    async with world.running():
        await until(lambda: world.commands.sought == [(COMMANDS, raw.offset)])
        world.loop.take_commands([raw])
        await until(lambda: len(broker.posted) == 1)
    [expected] = world.bench.decide_ahead()
    assert broker.posted == [(EVENTS, expected.value)]
    assert world.loop.decider.accept(world.bench.append(expected)) is Reading.ACCEPTED
