"""A partition that another replica decides: it folds, decides nothing, and takes over when nobody does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from libs.events.chain import Reading
from libs.events.records import RawRecord
from libs.runtime import replicas
from libs.runtime.decider import DeciderRole
from libs.runtime.deciding import PartitionDecider
from libs.runtime.kafka import Place
from libs.runtime.observability import REGISTRY
from libs.runtime.partition_loop import PartitionLoop
from libs.runtime.replica_role import Assignment
from libs.runtime.replicas import Pair, ReplicaTable, save_table
from libs.runtime.service import Service
from libs.runtime.settings import Settings, load_settings
from libs.runtime.store import MemoryStore
from tests.unit.runtime.broker import Broker, Follower, Pen, Shared
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import JARS, Bench, PutCoins, jars_are_known

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

EVENTS, COMMANDS = Place("bidding.events", 0), Place("bidding.commands", 0)
TOY = Service(name="bidding", aggregates=(JARS,), rules=2)
PAIR = Assignment("a", "b")
QUICK_S, NEVER_S = 0.02, 60.0


def settings_of(keys: Path, replica: str, take_over_s: float) -> Settings:
    """Settings of one replica of one partition."""
    return load_settings(
        keys,
        kafka="127.0.0.1:1",
        log_id="0" * 32,
        partitions=1,
        replica=replica,
        take_over_s=take_over_s,
    )


class World:
    """Replica `b`'s loop on a log whose first record replica `a` has decided; `other` is `a`, still alive."""

    def __init__(
        self, keys: Path, *, take_over_s: float = QUICK_S, rules: int = 2, table: Assignment = PAIR
    ) -> None:
        self.broker = Broker()
        self.bench = Bench()
        self.other: PartitionDecider = self.bench.decider
        self.loop = PartitionLoop(settings_of(keys, "b", take_over_s), TOY, 0, table)
        self.loop.role._rules = rules
        self.loop.decider = self.bench.caught_up(MemoryStore(), replica="b", rules=rules)
        self.loop.read_to = len(self.bench.events)
        self.loop.begin()
        self.commands = Follower(self.broker)
        self.tails: Any = SimpleNamespace(
            events=Follower(self.broker), commands=self.commands, asking=Follower(self.broker)
        )
        self.commands.seek = self.seek  # type: ignore[method-assign]
        self.broker.events[EVENTS] = self.bench.events

    def seek(self, place: Place, offset: int) -> None:
        """What the commands' consumer does after a seek: it brings them again."""
        self.commands.sought.append((place, offset))
        self.loop.take_commands(self.bench.commands[offset:])

    async def current(self) -> Pen:
        """See Writers."""
        return Pen(self.broker)

    async def discard(self, _writer: Pen | None) -> None:
        """See Writers."""

    def command(self, coins: int) -> RawRecord:
        """A command that both are given."""
        raw = self.bench.send(PutCoins(coins=coins))
        self.loop.take_commands([raw])
        return raw

    def other_decides(self) -> None:
        """The other replica decides everything; what it wrote is delivered."""
        start = len(self.bench.events)
        for outgoing in self.bench.decide_ahead(self.other):
            assert self.other.accept(self.bench.append(outgoing)) is Reading.ACCEPTED
        self.loop.take_events(self.bench.events[start:])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The loop runs, and ends within five seconds of `stop`."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.loop.run(stop, self.tails, self))  # type: ignore[arg-type]
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 5)


def metric(name: str) -> float:
    """What a metric says of partition 0 of bidding."""
    labels = {"service": "bidding", "partition": "0"}
    return REGISTRY.get_sample_value(f"loanstream_{name}", labels) or 0.0


async def test_a_standby_folds_and_decides_nothing(keys: Path) -> None:
    """While the active one decides, the standby writes nothing, keeps nothing queued that is decided, and is warm."""
    world = World(keys, take_over_s=NEVER_S)
    async with world.running():
        for coins in (1, 2, 3):
            world.command(coins)
            world.other_decides()
        await until(lambda: world.loop.waiting_since_ms is None)
    assert world.broker.posted == []
    assert world.loop.decider.state_of(world.bench.jar()).coins == 6
    assert metric("partition_active") == 0.0


async def test_a_standby_takes_over_when_the_active_one_is_dead(keys: Path) -> None:
    """Commands that wait are decided by the standby after its patience, and what follows at once."""
    world = World(keys)
    before = metric("take_overs_total")
    async with world.running():
        world.command(3)
        await until(lambda: len(world.broker.posted) == 1)
        world.command(4)
        await until(lambda: len(world.broker.posted) == 2)
    assert world.broker.posted[0] == (EVENTS, world.bench.decide_ahead(world.other)[0].value)
    assert metric("take_overs_total") - before == 1
    assert metric("partition_active") == 1.0


async def test_a_standby_that_slept_reads_the_log_before_it_takes_over(keys: Path) -> None:
    """What the active one decided meanwhile stands in the log: the standby folds it and stays what it is."""
    world = World(keys)
    world.command(3)
    start = len(world.bench.events)
    for outgoing in world.bench.decide_ahead(world.other):
        world.bench.append(outgoing)  # stored, not delivered yet
    async with world.running():
        await asyncio.sleep(5 * QUICK_S)  # patience is over, and the log's end is not read
        world.loop.take_events(world.bench.events[start:])
        await until(lambda: world.loop.waiting_since_ms is None)
    assert world.broker.posted == []
    assert not world.loop.role.decides


async def test_an_active_one_that_slept_reads_the_log_before_it_decides_on(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was frozen and replaced finds that out from the log, not by writing what nobody accepts."""
    world = World(keys, table=Assignment("b", "a"))
    world.loop.role.assign(Assignment("a", "b"))
    world.loop.assign(Assignment("b", "a"))
    now_s = [1.0]
    clock = SimpleNamespace(monotonic=lambda: now_s[0], time=lambda: 9.0)
    monkeypatch.setattr("libs.runtime.partition_loop.time", clock)
    async with world.running():
        await asyncio.sleep(0.02)
        now_s[0] = 9.0
        start = len(world.bench.events)
        world.command(3)
        for outgoing in world.bench.decide_ahead(world.other):
            world.bench.append(outgoing)  # stored, not delivered yet
        await asyncio.sleep(0.02)
        world.loop.take_events(world.bench.events[start:])
        await until(lambda: world.loop.waiting_since_ms is None)
    assert world.broker.posted == []
    assert not world.loop.role.decides


async def test_who_reads_another_s_decision_steps_down_and_loses_nothing(keys: Path) -> None:
    """Decided ahead and beaten: the commands are read again, stay undecided here, and are not asked twice."""
    world = World(keys)
    async with world.running():
        world.command(3)
        world.command(4)
        await until(lambda: len(world.broker.posted) == 2)
        world.loop.role._patience_s = NEVER_S
        [first, _] = world.bench.decide_ahead(world.other)
        world.loop.take_events([world.bench.append(first)])
        await until(lambda: world.commands.sought == [(COMMANDS, 2)])
        assert world.loop.decider.unconfirmed == 0
        world.command(5)
        await asyncio.sleep(5 * QUICK_S)
        assert len(world.broker.posted) == 2
        assert (world.loop._queue.first.offset, len(world.loop._queue)) == (2, 2)
    assert not world.loop.is_in_doubt


async def test_older_rules_wait_and_alarm_until_they_are_allowed(keys: Path) -> None:
    """A replica below the head's rules says once that nobody decides, and decides as soon as the table lets it."""
    world = World(keys, rules=0)
    with capture_logs() as logged:
        async with world.running():
            world.command(3)
            await until(lambda: world.loop.role.held_back)
            assert metric("partition_held_back") == 1.0
            await asyncio.sleep(5 * QUICK_S)
            assert world.broker.posted == []
            world.loop.assign(Assignment("a", "b", rules_allowed=0))
            await until(lambda: len(world.broker.posted) == 1)
    assert metric("partition_held_back") == 0.0
    [alarm] = [line for line in logged if line["log_level"] == "error"]
    assert alarm["event"] == "partition_held_back"
    assert (alarm["rules"], alarm["head_rules"]) == (2, 1)


def new_role(keys: Path, broker: Broker) -> DeciderRole:
    """Replica b's role, its loops without a log."""
    role = DeciderRole(settings_of(keys, "b", QUICK_S), TOY, Shared(broker))  # type: ignore[arg-type]
    for loop in role._loops:
        loop.decider = Bench().decider
        loop.begin()
    return role


async def test_the_next_version_of_the_table_is_taken_while_running(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A higher version moves the role, a file that does not fit and a lower version change nothing, both are survived."""
    monkeypatch.setattr(replicas, "TABLE_EVERY_S", 0.001)
    settings = settings_of(keys, "b", QUICK_S)
    path = settings.replicas_path
    save_table(path, ReplicaTable(version=4, default=Pair(active="a", standby="b")))
    role = new_role(keys, Broker())
    [loop] = role._loops
    stop = asyncio.Event()
    watching = asyncio.create_task(replicas.watch_table(settings, role._table, stop, role._take_table))
    with capture_logs() as logged:
        path.write_text("{")
        await until(lambda: any(line["event"] == "replica_table_ignored" for line in logged))
        save_table(path, ReplicaTable(version=5, default=Pair(active="b", standby="a")))
        await until(lambda: loop.role.decides)
        save_table(path, ReplicaTable(version=3, default=Pair(active="a", standby="b")))
        await asyncio.sleep(0.02)
    assert loop.role.decides
    assert len([line for line in logged if line["event"] == "replica_table_ignored"]) == 1
    stop.set()
    await asyncio.wait_for(watching, 5)


def test_a_standby_is_ready_and_one_that_is_held_back_is_not(keys: Path) -> None:
    """Readiness says that it could take over; where it may not and nobody decides, it names both rules."""
    role = new_role(keys, Broker())
    role._caught_up = True
    [loop] = role._loops
    loop.role.assign(PAIR)
    assert role.ready() == (True, "")
    loop.role.accepted("a", 7)
    loop.role.take_over()
    assert role.ready() == (
        False,
        "nobody decides partition 0: rules 2 are older than the log's 7",
    )


async def test_standing_still_is_measured_by_a_clock_that_nobody_sets(keys: Path) -> None:
    """A command that the broker's clock calls years old has waited since it came: a wrong wall clock makes nobody unready."""
    loop = World(keys, take_over_s=NEVER_S).loop
    assert loop.stands_still_s == 0.0
    loop.take_commands([RawRecord(0, b"jar_1", b"{}", {}, timestamp_ms=0)])
    assert loop.waiting_since_ms == 0
    assert 0.0 <= loop.stands_still_s < 60.0


def test_the_step_of_accepted_decisions_is_that_of_who_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby that follows, and one in doubt that folds the log again, do not reach it; an own decision does."""
    reached: list[str] = []
    monkeypatch.setattr("libs.runtime.partition_loop.failpoints.reach", reached.append)
    world = World(tmp_path)
    world.command(1)
    world.other_decides()
    assert reached == []
    for in_doubt in (True, False):
        world.command(2)
        world.loop.role.take_over()
        [outgoing] = world.bench.decide_ahead(world.loop.decider)
        world.loop.is_in_doubt = in_doubt
        world.loop.take_events([world.bench.append(outgoing)])
        assert reached == [] if in_doubt else ["decision-accepted"]
