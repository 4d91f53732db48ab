"""A partition's life on a broker: how it starts over, when it stands still on purpose, and what alarms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from libs.events.chain import Reading
from libs.events.codec import name_of
from libs.events.records import RawRecord, Source
from libs.events.sagas import Saga
from libs.runtime import partition_loop as module
from libs.runtime import recount
from libs.runtime.day import NotePolicyFailure
from libs.runtime.decider import DeciderRole
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import LogUnavailable, Place
from libs.runtime.observability import REGISTRY
from libs.runtime.partition_loop import PartitionLoop
from libs.runtime.projecting import AcceptedRecord, Partition
from libs.runtime.replica_role import Assignment
from libs.runtime.service import Service
from libs.runtime.settings import load_settings
from libs.runtime.store import MemoryStore
from libs.runtime.system_views import parked_view
from tests.unit.runtime.broker import Broker, Follower, Pen, Shared
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import JARS, Bench, PutCoins, Shake, jars_are_known

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

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


# --- standing still on purpose -------------------------------------------------------------------------------------


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> dict[Place, list[RawRecord]]:
    """A log that `lost_commands` reads."""
    records: dict[Place, list[RawRecord]] = {}

    async def offsets(_bootstrap: str, places: Any) -> dict[Place, tuple[int, int]]:
        return {place: (0, len(records[place])) for place in places}

    async def read_range(
        _bootstrap: str, place: Place, start: int, end: int
    ) -> AsyncIterator[list[RawRecord]]:
        for raw in records[place][start:end]:
            yield [raw]

    monkeypatch.setattr(recount, "offsets", offsets)
    monkeypatch.setattr(recount, "read_range", read_range)
    return records


def halted(partition: int) -> float | None:
    """What the metric says of a partition of bidding."""
    labels = {"service": "bidding", "partition": str(partition)}
    return REGISTRY.get_sample_value("loanstream_partition_halted", labels)


LOST = (
    "bidding.commands/0 ends at offset 2, but decisions exist up to position 3: commands were lost. Stop the service "
    "and run `loanstream repair`, or restore the log from a copy: until then nothing is decided here."
)
OTHER = (
    "bidding.commands/0 holds another command at offset 2 than the one that was decided there. Stop the service and run "
    "`loanstream repair`, or restore the log from a copy: until then nothing is decided here."
)


@pytest.mark.parametrize(
    ("lost", "cause"), [("nothing", None), ("the tail", LOST), ("a command in the middle", OTHER)]
)
async def test_lost_commands_halt_their_partition(
    broker: Broker, keys: Path, log: dict[Place, list[RawRecord]], lost: str, cause: str | None
) -> None:
    """A partition whose commands are not those that were decided stands still, says why, and is not ready."""
    role = new_role(broker, keys)
    role._caught_up = True
    bench = Bench()
    for coins in (1, 2, 3):
        bench.tell(PutCoins(coins=coins))
    [loop] = role._loops
    loop.decider = bench.decider
    log[COMMANDS], log[EVENTS] = list(bench.commands), bench.events
    if lost == "the tail":
        del log[COMMANDS][2:]
    elif lost == "a command in the middle":
        log[COMMANDS][2] = structs.replace(bench.commands[2], value=b"{}")
    with capture_logs() as logged:
        await loop.check_commands()
    assert loop.halted == cause
    assert halted(0) == (0 if cause is None else 1)
    line = {"service": "bidding", "partition": 0, "cause": cause}
    assert logged == ([{"event": "partition_halted", "log_level": "error", **line}] if cause else [])
    assert role.ready() == ((False, f"partition 0 is halted: {cause}") if cause else (True, ""))


# --- what alarms ---------------------------------------------------------------------------------------------------


SOURCED: dict[str, Any] = {
    "source": Source(group="bidding-reads-repayment", topic="repayment.events", partition=0, position=4),
    "below": 4,
}
HANDLED = Saga(
    "toy",
    "Jars that do not shake are expected.",
    opened_by={},
    closed_by={},
    steps=(),
    expected_refusals=(Shake,),
)


def parked(code: str) -> float:
    """How many decisions with this code the metric has counted."""
    labels = {"service": "bidding", "code": code}
    return REGISTRY.get_sample_value("loanstream_parked_total", labels) or 0.0


@pytest.mark.parametrize(
    ("message", "how", "saga", "code"),
    [
        pytest.param(
            Shake(how="refuse"), SOURCED, None, "jar_is_closed", id="a policy's, expected by no saga"
        ),
        pytest.param(Shake(how="refuse"), SOURCED, HANDLED, None, id="a policy's, expected"),
        pytest.param(Shake(how="refuse"), {}, None, None, id="a person's"),
        pytest.param(Shake(how="break"), {}, None, "internal", id="a person's that broke"),
        pytest.param(Shake(how="break"), SOURCED, HANDLED, "internal", id="an expected one that broke"),
        pytest.param(PutCoins(coins=1), SOURCED, None, None, id="a policy's that is granted"),
        pytest.param(
            NotePolicyFailure(group="g", event_address="repayment/0/4/0", error="ValueError"),
            SOURCED | {"stream": "~p0"},
            HANDLED,
            "policy_failed",
            id="a policy that raised",
        ),
    ],
)
def test_what_nobody_expects_alarms_exactly_where_it_is_parked(
    broker: Broker, keys: Path, message: Any, how: dict[str, Any], saga: Saga | None, code: str | None
) -> None:
    """Money never stops in silence: a metric and a line, for the decisions that the view of parked commands shows."""
    service = replace(TOY, sagas=() if saga is None else (saga,))
    world = World(broker, keys, service=service)
    start = len(world.bench.events)
    world.bench.tell(message, **how)
    before = parked(code or "jar_is_closed")
    with capture_logs() as logged:
        world.loop.take_events(world.bench.events[start:])
    assert parked(code or "jar_is_closed") - before == (0 if code is None else 1)
    line = {"service": "bidding", "partition": 0, "position": start, "command_type": name_of(type(message))}
    assert logged == (
        [{"event": "decision_parked", "log_level": "error", "code": code, **line}] if code else []
    )
    record = AcceptedRecord(world.bench.events[-1], Partition("bidding", 0), world.loop.decider.head)
    assert bool(parked_view(service).project(record)) == bool(code)


def counted(outcome: str) -> float:
    """How many decisions with this outcome the metric has counted."""
    labels = {"service": "bidding", "outcome": outcome}
    return REGISTRY.get_sample_value("loanstream_decisions_total", labels) or 0.0


@pytest.mark.parametrize(("by", "times"), [("a", 1), ("b", 0)])
def test_of_two_replicas_the_one_that_decided_counts(broker: Broker, keys: Path, by: str, times: int) -> None:
    """Both fold every decision; sums over replicas are the log's, the alarm included. Folded once more it is not counted."""
    world = World(broker, keys)
    start = len(world.bench.events)
    world.bench.decider = world.bench.new_decider(world.bench.store, replica=by)
    world.bench.tell(Shake(how="break"))
    before = (counted("refused"), parked("internal"))
    with capture_logs() as logged:
        world.loop.take_events(world.bench.events[start:])
        world.loop.decider = world.bench.new_decider(MemoryStore())
        world.loop.take_events(world.bench.events)
    assert (counted("refused") - before[0], parked("internal") - before[1]) == (times, times)
    assert len([line for line in logged if line["event"] == "decision_parked"]) == times
