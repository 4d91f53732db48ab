"""A policy group's life on a broker: what it stores before what, how it survives an outage, when it says it is ready."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from libs.events.chain import ChainReader, Checkpoint
from libs.events.codec import COMMAND_TYPES, decode, decode_object
from libs.events.records import CommandEnvelope, RawRecord
from libs.events.topics import commands_topic, events_topic, system_stream
from libs.runtime import policies, policy_source
from libs.runtime.checkpoint import LostTimeline
from libs.runtime.commits import Commit
from libs.runtime.day import DayMarker
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place
from libs.runtime.observability import REGISTRY
from libs.runtime.policies import PolicyGroup, PolicyRole
from libs.runtime.replicas import load_table
from libs.runtime.service import Service
from libs.runtime.settings import Settings, load_settings
from tests.unit.runtime.broker import Broker, Follower, Pen, Shared, acknowledge
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import TODAY, Bench, PutCoins, jars_are_known
from tests.unit.runtime.test_policing import give_back

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

SOURCE = Place(events_topic("repayment"), 0)
MARKER = DayMarker(business_date=TODAY, phase=3, from_partitions=(0,), expected=1)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker that the policies' shell talks to, whose waits take no time."""
    broker = Broker()
    monkeypatch.setattr(policies, "LogReader", lambda *_where, **_named: Follower(broker))
    monkeypatch.setattr(policies, "LogWriter", lambda *_where, **_named: Pen(broker))
    monkeypatch.setattr(policy_source, "resume", broker.resume)
    monkeypatch.setattr(policies, "Restarts", broker.restarts)
    monkeypatch.setattr(policies, "wait", broker.wait)
    monkeypatch.setattr(policies, "WATCH_EVERY_S", 0.01)
    return broker


def settings(keys: Path, **overrides: Any) -> Settings:
    """Settings that name a broker nobody asks. The directory is shared, and other tests keep a table of replicas there."""
    named: dict[str, Any] = {"replicas": keys / "no-replicas.json", **overrides}
    return load_settings(keys, kafka="127.0.0.1:1", log_id="0" * 32, partitions=1, **named)


def bidding() -> Service:
    """Bidding, which gives back every coin that repayment puts into a jar."""
    return Service(name="bidding", policies={"repayment": give_back})


def events_of(*coins: int, phase_after: int | None = None) -> list[RawRecord]:
    """Repayment's events: coins put, and the end of its phase 2 after so many of them."""
    bench = Bench()
    bench.service = "repayment"
    bench.decider = bench.caught_up(bench.store)
    for number, amount in enumerate(coins):
        if number == phase_after:
            marker = DayMarker(business_date=TODAY, phase=2, from_partitions=(0,), expected=1)
            bench.tell(marker, stream=system_stream(0))
        bench.tell(PutCoins(coins=amount))
    return bench.events


def sent(broker: Broker) -> list[Any]:
    """The commands that were sent, in order."""
    assert {place for place, _ in broker.posted} <= {Place(commands_topic("bidding"), 0)}
    envelopes = [decode(CommandEnvelope, value) for _, value in broker.posted]
    return [decode_object(COMMAND_TYPES[envelope.type], envelope.data) for envelope in envelopes]


@asynccontextmanager
async def running(group: PolicyGroup) -> AsyncIterator["asyncio.Task[None]"]:
    """A group that runs, and ends within five seconds of `stop`."""
    stop = asyncio.Event()
    task = asyncio.create_task(group.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def settle() -> None:
    """Let whatever can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def new_group(broker: Broker, keys: Path, **overrides: Any) -> PolicyGroup:
    """Bidding's group on repayment's events."""
    made = settings(keys, **overrides)
    return PolicyGroup(made, bidding(), "repayment", Shared(broker), load_table(made))  # type: ignore[arg-type]


# --- what is stored before what ------------------------------------------------------------------------------------


async def test_a_marker_leaves_only_when_every_earlier_command_is_stored(broker: Broker, keys: Path) -> None:
    """The end of a phase overtakes nothing, and nothing that follows it overtakes the marker."""
    broker.answers_at_once = False
    broker.holds(SOURCE, events_of(1, 2, 4, phase_after=2))
    one, two, four = PutCoins(coins=1), PutCoins(coins=2), PutCoins(coins=4)
    async with running(new_group(broker, keys)):
        await until(lambda: sent(broker) == [one, two])
        await settle()
        assert sent(broker) == [one, two]
        acknowledge(broker.unanswered[1])
        await settle()
        assert sent(broker) == [one, two], "the first command is not stored yet"
        acknowledge(broker.unanswered[0])
        await until(lambda: sent(broker) == [one, two, MARKER])
        await settle()
        assert sent(broker) == [one, two, MARKER], "the marker is not stored yet"
        acknowledge(broker.unanswered[2])
        await until(lambda: sent(broker) == [one, two, MARKER, four])
        await settle()
        assert broker.commits == {}, "the last command is not stored yet"
        acknowledge(broker.unanswered[3])
    assert broker.commits[SOURCE].read_to == len(broker.events[SOURCE])


async def test_what_was_not_stored_is_sent_again_from_the_commit(broker: Broker, keys: Path) -> None:
    """A refused command is no lost command: the group starts over and sends it when the broker takes it."""
    broker.refuses = True
    broker.holds(SOURCE, events_of(1, 2))

    def forgive() -> None:
        broker.refuses = len(broker.waits) < 2

    broker.on_wait = forgive
    async with running(new_group(broker, keys)):
        await until(lambda: sent(broker) == [PutCoins(coins=1), PutCoins(coins=2)])
    assert broker.waits[:2] == [0.5, 1.0]


# --- outages -------------------------------------------------------------------------------------------------------


async def test_a_broker_that_is_away_is_waited_for(broker: Broker, keys: Path) -> None:
    """An hour's outage ends no group, asks the broker every few seconds only, and loses no event."""
    broker.is_away = True
    broker.holds(SOURCE, events_of(1))

    def come_back() -> None:
        broker.is_away = broker.now < 1_000.0 + 3_600

    broker.on_wait = come_back
    async with running(new_group(broker, keys)):
        await until(lambda: sent(broker) == [PutCoins(coins=1)])
    assert broker.waits[:5] == [0.5, 1.0, 2.0, 4.0, 5.0]
    assert set(broker.waits[5:-1]) == {5.0}


async def test_a_broker_that_restarts_under_a_running_group_ends_nothing(broker: Broker, keys: Path) -> None:
    """A minute away in the middle of work: the group is not ready meanwhile, then goes on where its commit stands."""
    broker.holds(SOURCE, events_of(1))
    group = new_group(broker, keys)
    unready: list[str | None] = []

    def come_back() -> None:
        unready.append(group.unready())
        broker.is_away = broker.now < 1_060.0

    async with running(group):
        await until(lambda: group.unready() is None)
        broker.on_wait = come_back
        broker.is_away = True
        broker.holds(SOURCE, events_of(1, 2))
        await until(lambda: sent(broker)[-1:] == [PutCoins(coins=2)])
        await until(lambda: group.unready() is None)
    assert set(unready) == {"bidding-reads-repayment is resuming"}


async def test_a_broker_that_takes_no_command_for_good_is_told_to_a_person(
    broker: Broker, keys: Path
) -> None:
    """After two minutes of refusals the process ends with a sentence that names the group and the cause."""
    broker.refuses = True
    broker.holds(SOURCE, events_of(1))
    with pytest.raises(
        OperatorError,
        match=r"^Kafka does not take the commands of the policy group bidding-reads-repayment \(not enough replicas\)\. ",
    ):
        async with asyncio.timeout(5):
            await new_group(broker, keys).run(asyncio.Event())
    assert 1_120.0 <= broker.now <= 1_130.0


async def test_stop_is_not_kept_waiting_by_an_outage(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM in the middle of the wait ends the group at once."""
    monkeypatch.undo()
    broker.is_away = True
    monkeypatch.setattr(policies, "LogReader", lambda *_where, **_named: Follower(broker))
    monkeypatch.setattr(policies, "LogWriter", lambda *_where, **_named: Pen(broker))
    monkeypatch.setattr("libs.runtime.restarts.WAIT_FIRST_S", 60.0)
    monkeypatch.setattr("libs.runtime.restarts.WAIT_MAX_S", 60.0)
    async with running(new_group(broker, keys)):
        await asyncio.sleep(0.05)


# --- readiness -----------------------------------------------------------------------------------------------------


async def until_unready(group: PolicyGroup, reason: str | None) -> None:
    """Return when the group says this of itself."""
    await until(lambda: group.unready() == reason)


async def test_a_group_is_ready_when_it_has_read_what_was_there(broker: Broker, keys: Path) -> None:
    """Resumed is not ready: everything that was in the source at the start must be handled and stored."""
    broker.answers_at_once = False
    broker.holds(SOURCE, events_of(1))
    role = PolicyRole(settings(keys), bidding(), Shared(broker))  # type: ignore[arg-type]
    [group] = role._groups
    assert role.ready() == (False, "bidding-reads-repayment is resuming")
    async with running(group):
        await until(lambda: bool(broker.unanswered))
        behind = "bidding-reads-repayment has not read everything that was there when it started"
        assert role.ready() == (False, behind)
        acknowledge(broker.unanswered[0])
        await until(lambda: role.ready() == (True, ""))


async def test_events_that_are_not_delivered_wait_too(broker: Broker, keys: Path) -> None:
    """A tail that stands still is seen: the log's end moves and the group does not."""
    group = new_group(broker, keys, stall_s=0.1, confirm_timeout_s=0.1)
    async with running(group):
        await until_unready(group, None)
        broker.delivers = False
        broker.holds(SOURCE, events_of(1))
        await until(lambda: "has events waiting for" in (group.unready() or ""))
        assert group.oldest_waiting_s >= 0.2
        broker.delivers = True
        await until_unready(group, None)
        assert group.oldest_waiting_s == 0.0


async def test_a_clock_that_is_ahead_makes_no_group_unready(broker: Broker, keys: Path) -> None:
    """While a batch is in hand only its age by this process's own clock counts, not the broker's stamp; the metric goes by the stamp."""
    group = new_group(broker, keys)
    async with running(group):
        await until_unready(group, None)
        broker.answers_at_once = False
        broker.holds(SOURCE, events_of(1), at_ms=int((time.time() - 3600) * 1000))
        await until(lambda: bool(broker.unanswered))
        assert group.oldest_waiting_s < 5
        labels = {"policy": "bidding-reads-repayment"}
        await until(
            lambda: (REGISTRY.get_sample_value("loanstream_policy_age_seconds", labels) or 0.0) >= 3600
        )
        acknowledge(broker.unanswered[0])


async def test_a_batch_that_is_stuck_makes_its_group_unready(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event counts as waiting from the moment that it is in hand until its commands are stored."""

    async def patiently(future: "asyncio.Future[Any]", _timeout_s: float) -> int:
        return int((await future).offset)

    monkeypatch.setattr(policies, "stored_offset", patiently)
    group = new_group(broker, keys, stall_s=0.1, confirm_timeout_s=0.1)
    async with running(group):
        await until_unready(group, None)
        broker.answers_at_once = False
        broker.holds(SOURCE, events_of(1))
        await until(lambda: "has events waiting for" in (group.unready() or ""))
        acknowledge(broker.unanswered[0])
        await until_unready(group, None)


async def test_a_group_that_does_not_hear_from_the_log_is_not_ready(broker: Broker, keys: Path) -> None:
    """Where the ends cannot be asked for, nobody knows what waits."""
    group = new_group(broker, keys, stall_s=0.1, confirm_timeout_s=0.1)
    async with running(group):
        await until_unready(group, None)
        broker.is_away = True
        await until_unready(group, "bidding-reads-repayment does not hear from the log")
        broker.is_away = False
        await until_unready(group, None)


def test_a_role_names_its_first_unready_group(broker: Broker, keys: Path) -> None:
    """One group that is not ready is enough."""
    both: Sequence[str] = ("onboarding", "repayment")
    service = Service(name="bidding", policies=dict.fromkeys(both, give_back))
    role = PolicyRole(settings(keys), service, Shared(broker))  # type: ignore[arg-type]
    assert role.ready() == (False, "bidding-reads-onboarding is resuming")


async def test_a_group_whose_source_lost_its_tail_waits_and_says_so(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends nothing before its position is decided again, tells what it waits for, and goes on from there."""
    broker.holds(SOURCE, events_of(1, 2))
    committed = Checkpoint(1, 1, b"\1" * 32)
    broker.commits[SOURCE] = Commit(committed, 2)
    decided, head = asyncio.Event(), Checkpoint(1, 1, broker.events[SOURCE][1].headers["hash"])

    async def lost(*_where: Any, **_named: Any) -> ChainReader:
        raise LostTimeline("the log was cut")

    async def again(_follower: Any, at: Checkpoint, home: str, _stop: asyncio.Event) -> ChainReader:
        assert (at, "bidding-reads-repayment" in home) == (committed, True)
        await decided.wait()
        return ChainReader(head)

    monkeypatch.setattr(policy_source, "resume", lost)
    monkeypatch.setattr(policy_source, "decided_again", again)
    group = new_group(broker, keys)
    async with running(group):
        await until(lambda: "waits for repayment/0 to decide position 1 again" in (group.unready() or ""))
        assert broker.posted == []
        decided.set()
        await until_unready(group, None)
        assert len(broker.posted) == 1


async def test_the_step_of_stored_commands_is_not_reached_by_a_batch_that_sends_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a policy would die at a step whose name is not true."""
    reached: list[str] = []
    monkeypatch.setattr("libs.runtime.policies.failpoints.reach", reached.append)
    group: Any = SimpleNamespace(_settings=SimpleNamespace(confirm_timeout_s=1.0))
    await PolicyGroup._stored(group, [])
    assert reached == []
    stored: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    stored.set_result(SimpleNamespace(offset=1))
    await PolicyGroup._stored(group, [stored])
    assert reached == ["policy-stored"]
