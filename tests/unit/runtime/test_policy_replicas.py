"""Two replicas of a policy group on a broker: who sends, who watches; and source partitions that stand still alone."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from libs.events.chain import ChainReader, Checkpoint
from libs.events.records import RawRecord
from libs.events.topics import events_topic
from libs.runtime import policies, policy_source
from libs.runtime.checkpoint import LostTimeline
from libs.runtime.commits import Commit
from libs.runtime.forks import SourceForked
from libs.runtime.kafka import LogUnavailable, Place
from libs.runtime.observability import REGISTRY
from libs.runtime.policies import PolicyGroup
from libs.runtime.replicas import Pair, ReplicaTable
from libs.runtime.settings import load_settings
from tests.unit.runtime.broker import Broker, Shared
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import Bench, PutCoins, jars_are_known
from tests.unit.runtime.test_policies_shell import bidding, broker, running, sent

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["broker", "jars_are_known"]

ZERO, ONE = Place(events_topic("repayment"), 0), Place(events_topic("repayment"), 1)
PAIR = ReplicaTable(version=1, default=Pair(active="r0", standby="r1"))
#: A standby's patience, short enough to be waited for.
SOON_S = 0.1


@pytest.fixture(autouse=True)
def commits_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group commits whatever it has handled."""
    monkeypatch.setattr(policies, "COMMIT_EVERY_S", 0.0)


def group(
    broker: Broker, keys: Path, replica: str, *, patience_s: float = SOON_S, partitions: int = 1, **named: Any
) -> PolicyGroup:
    """One replica of bidding's group on repayment's events."""
    settings = load_settings(
        keys,
        kafka="127.0.0.1:1",
        log_id="0" * 32,
        partitions=partitions,
        replica=replica,
        policy_take_over_s=patience_s,
        **named,
    )
    return PolicyGroup(settings, bidding(), "repayment", Shared(broker), PAIR)  # type: ignore[arg-type]


def events_of(*coins: int, partition: int = 0, partitions: int = 1) -> list[RawRecord]:
    """Coins that were put, in one partition of repayment."""
    bench = Bench(partition=partition, partitions=partitions)
    for amount in coins:
        bench.tell(PutCoins(coins=amount))
    return bench.events


def commit_of(events: list[RawRecord], read_to: int, by: str | None) -> Commit:
    """A commit after so many records."""
    return Commit(Checkpoint(read_to - 1, read_to - 1, events[read_to - 1].headers["hash"]), read_to, by)


def metric(name: str, partition: int = 0) -> float | None:
    """What the process tells of one source partition."""
    labels = {"policy": "bidding-reads-repayment", "partition": str(partition)}
    return REGISTRY.get_sample_value(f"loanstream_{name}", labels)


# --- a pair --------------------------------------------------------------------------------------------------------


async def test_the_active_one_signs_what_it_commits(broker: Broker, keys: Path) -> None:
    """So the other one can tell who sends."""
    events = events_of(1)
    broker.holds(ZERO, events)
    async with running(group(broker, keys, "r0")):
        await until(lambda: ZERO in broker.commits)
        assert metric("policy_sends") == 1
    assert broker.commits[ZERO] == commit_of(events, len(events), "r0")
    assert metric("policy_sends") == 0


async def test_a_standby_is_ready_and_sends_nothing_while_it_watches(broker: Broker, keys: Path) -> None:
    """However many events wait: somebody works on them."""
    broker.holds(ZERO, events_of(1, 2))
    standby = group(broker, keys, "r1", patience_s=60, stall_s=0.01, confirm_timeout_s=0.01)
    async with running(standby):
        await until(lambda: standby.unready() is None)
        await asyncio.sleep(0.05)
        assert standby.oldest_waiting_s == 0.0
    assert broker.posted == []


async def test_a_standby_takes_over_from_the_commit(broker: Broker, keys: Path) -> None:
    """When it has stood still long enough, with events behind it; then the standby's name is on it."""
    events = events_of(1, 2, 3)
    broker.holds(ZERO, events)
    broker.commits[ZERO] = commit_of(events, len(events) - 2, "r0")
    before = metric("policy_take_overs_total") or 0.0
    async with running(group(broker, keys, "r1")):
        await until(lambda: sent(broker) == [PutCoins(coins=2), PutCoins(coins=3)])
        await until(lambda: broker.commits[ZERO] == commit_of(events, len(events), "r1"))
    assert metric("policy_take_overs_total") == before + 1


async def test_who_sees_another_commit_leaves_it_to_him(broker: Broker, keys: Path) -> None:
    """It reads no more and commits no more, and takes over again by the same rule when the other one dies."""
    events = events_of(1)
    broker.holds(ZERO, events)
    first = group(broker, keys, "r0", patience_s=4 * SOON_S)
    async with running(first):
        await until(lambda: ZERO in broker.commits)
        broker.commits[ZERO] = commit_of(events, 1, "r1")
        await until(lambda: metric("policy_sends") == 0)
        assert first.unready() is None
        assert sent(broker) == [PutCoins(coins=1)]
        assert broker.commits[ZERO] == commit_of(events, 1, "r1")
        await until(lambda: broker.commits[ZERO] == commit_of(events, len(events), "r0"))
    assert sent(broker) == [PutCoins(coins=1)] * 2, "the decider drops the second"


async def test_who_slept_looks_before_it_sends(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen process wakes with events in its hands that another has handled long ago."""

    async def looks_at_nothing(_links: Any) -> None:
        await asyncio.Event().wait()

    events = events_of(1)
    broker.holds(ZERO, events)
    frozen = group(broker, keys, "r0")
    monkeypatch.setattr(frozen, "_watch", looks_at_nothing)
    async with running(frozen):
        await until(lambda: ZERO in broker.commits)
        time.sleep(2 * SOON_S)  # noqa: ASYNC251 - this is what being frozen is
        events = events_of(1, 2)
        broker.holds(ZERO, events)
        broker.commits[ZERO] = commit_of(events, len(events), "r1")
        await until(lambda: metric("policy_sends") == 0)
    assert sent(broker) == [PutCoins(coins=1)]
    assert broker.commits[ZERO] == commit_of(events, len(events), "r1")


async def test_who_starts_over_keeps_its_role(broker: Broker, keys: Path) -> None:
    """A failure of the broker is no reason to leave the commit to somebody who may be gone."""
    events = events_of(1)
    broker.holds(ZERO, events)
    broker.commits[ZERO] = commit_of(events, 1, "r0")
    async with running(group(broker, keys, "r1")):
        await until(lambda: broker.commits[ZERO].by == "r1")
        broker.is_away = True
        broker.on_wait = lambda: setattr(broker, "is_away", False)
        await until(lambda: bool(broker.waits))
        await until(lambda: metric("policy_sends") == 1)


async def test_the_table_hands_a_source_partition_over(broker: Broker, keys: Path) -> None:
    """The entry of the reading service's partition of the same number counts for the source's."""
    events = events_of(1)
    broker.holds(ZERO, events)
    standby = group(broker, keys, "r1", patience_s=60)
    async with running(standby):
        await until(lambda: standby.unready() is None)
        await asyncio.sleep(SOON_S)
        assert broker.posted == []
        swapped = Pair(active="r1", standby="r0")
        standby.assign(ReplicaTable(version=2, default=PAIR.default, partitions={"bidding/0": swapped}))
        await until(lambda: sent(broker) == [PutCoins(coins=1)])


# --- source partitions that stand still alone ----------------------------------------------------------------------


@pytest.fixture
async def lost(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> "asyncio.Future[Any]":
    """Repayment's partition 0 has lost what was committed; the future is what is decided there in the end."""
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    broker.holds(ZERO, events_of(1, 2, partition=0, partitions=2))
    broker.holds(ONE, events_of(4, partition=1, partitions=2))
    broker.commits[ZERO] = Commit(Checkpoint(1, 1, b"\1" * 32), 2, "r0")

    async def resume(*where: Any, **named: Any) -> ChainReader:
        if where[2] == ZERO:
            raise LostTimeline("the log was cut")
        return await broker.resume(*where, **named)

    async def again(*_where: Any) -> Any:
        return await asyncio.shield(outcome)

    monkeypatch.setattr(policy_source, "resume", resume)
    monkeypatch.setattr(policy_source, "decided_again", again)
    return outcome


async def test_a_partition_that_waits_holds_no_other(
    broker: Broker, keys: Path, lost: "asyncio.Future[Any]"
) -> None:
    """The others of its group are read, sent for and committed meanwhile, also what comes later."""
    made = group(broker, keys, "r0", partitions=2)
    async with running(made):
        await until(lambda: sent_for(broker, ONE) == [PutCoins(coins=4)])
        assert "waits for repayment/0 to decide position 1 again" in (made.unready() or "")
        broker.holds(ONE, events_of(4, 8, partition=1, partitions=2))
        await until(lambda: sent_for(broker, ONE) == [PutCoins(coins=4), PutCoins(coins=8)])
        await until(lambda: broker.commits[ONE].read_to == len(broker.events[ONE]))
        lost.set_result(ChainReader(Checkpoint(1, 1, broker.events[ZERO][1].headers["hash"])))
        await until(lambda: made.unready() is None)
        await until(lambda: sent_for(broker, ZERO) == [PutCoins(coins=2)])


async def test_a_forked_partition_stops_alone_until_a_person_acts(
    broker: Broker, keys: Path, lost: "asyncio.Future[Any]"
) -> None:
    """It alarms and is named; the others go on; and it stays stopped when its group starts over."""
    lost.set_exception(SourceForked("source-forked: repayment/0/1 holds another decision"))
    made = group(broker, keys, "r0", partitions=2)
    with capture_logs() as logged:
        async with running(made):
            await until(lambda: metric("policy_forked", 0) == 1)
            assert made.unready() == (
                "bidding-reads-repayment stands still: source-forked: repayment/0/1 holds another decision"
            )
            broker.is_away = True
            broker.on_wait = lambda: setattr(broker, "is_away", False)
            await until(lambda: bool(broker.waits))
            broker.holds(ONE, events_of(4, 8, partition=1, partitions=2))
            await until(lambda: PutCoins(coins=8) in sent_for(broker, ONE))
            assert metric("policy_sends", 0) == 0
            assert metric("policy_sends", 1) == 1
    assert sent_for(broker, ZERO) == []
    assert [line["event"] for line in logged if line["event"] == "policy_waits"] == ["policy_waits"]


async def test_a_broker_that_is_away_ends_no_wait_for_a_lost_position(
    broker: Broker, keys: Path, lost: "asyncio.Future[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is read again when it can be."""
    failures = iter([LogUnavailable("away"), LogUnavailable("away")])

    async def again(*_where: Any) -> ChainReader:
        for error in failures:
            raise error
        return ChainReader(Checkpoint(1, 1, broker.events[ZERO][1].headers["hash"]))

    async def at_once(_stop: asyncio.Event, _seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(policy_source, "decided_again", again)
    monkeypatch.setattr(policy_source, "wait", at_once)
    async with running(group(broker, keys, "r0", partitions=2)):
        await until(lambda: sent_for(broker, ZERO) == [PutCoins(coins=2)])


def sent_for(broker: Broker, source: Place) -> list[Any]:
    """What was sent for the events of one source partition."""
    mine = [
        each
        for each in broker.posted
        if f'"topic":"{source.topic}","partition":{source.partition}'.encode() in each[1]
    ]
    whole, broker.posted = broker.posted, [(Place("bidding.commands", 0), value) for _, value in mine]
    try:
        return sent(broker)
    finally:
        broker.posted = whole
