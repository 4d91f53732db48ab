"""The looks of a pair of policy replicas before they act, and what one that steps down leaves alone."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from libs.events.chain import Checkpoint
from libs.events.topics import events_topic
from libs.runtime import policy_source
from libs.runtime import tail as tails
from libs.runtime.commits import Commit
from libs.runtime.kafka import Place
from libs.runtime.pair_role import Assignment
from libs.runtime.policies import PolicyGroup
from libs.runtime.policy_source import SourcePartition
from libs.runtime.settings import load_settings
from libs.runtime.tail import UNREAD_MAX, Tail
from tests.unit.runtime.broker import Broker, acknowledge
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import jars_are_known
from tests.unit.runtime.test_policies_shell import bidding, broker, running
from tests.unit.runtime.test_policy_replicas import (
    SOON_S,
    ZERO,
    commit_of,
    commits_at_once,
    events_of,
    group,
    metric,
)
from tests.unit.runtime.test_tail import Consumer

pytestmark = pytest.mark.usefixtures("jars_are_known", "commits_at_once")
__all__ = ["broker", "commits_at_once", "jars_are_known"]


def sees_only_when_it_looks(made: PolicyGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches beside the group's own steps, as when its process was frozen."""

    async def looks_at_nothing(_links: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(made, "_watch", looks_at_nothing)


def test_kafka_s_own_offset_is_how_far_was_read() -> None:
    """Also where a name stands in the metadata, and repeats behind the head were read."""
    commit = Commit(Checkpoint(4, 4, b"\1" * 32), 9, "r0")
    assert Commit.from_kafka(9, commit.as_metadata()) == commit


async def test_who_slept_while_its_commands_were_stored_looks_before_it_commits(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take the commit away from the one that has replaced it."""
    events = events_of(1)
    broker.holds(ZERO, events)
    broker.answers_at_once = False
    frozen = group(broker, keys, "r0")
    sees_only_when_it_looks(frozen, monkeypatch)
    async with running(frozen):
        await until(lambda: bool(broker.unanswered))
        time.sleep(2 * SOON_S)  # noqa: ASYNC251 - this is what being frozen is
        broker.commits[ZERO] = commit_of(events, len(events), "r1")
        acknowledge(broker.unanswered[0])
        await until(lambda: metric("policy_sends") == 0)
        assert broker.commits[ZERO].by == "r1"


async def test_who_hears_of_another_while_its_commands_are_stored_does_not_commit(
    broker: Broker, keys: Path
) -> None:
    """What it has sent is dropped or counted; the commit is the other one's."""
    events = events_of(1)
    broker.holds(ZERO, events)
    broker.answers_at_once = False
    made = group(broker, keys, "r0", patience_s=5)
    async with running(made):
        await until(lambda: bool(broker.unanswered))
        broker.commits[ZERO] = commit_of(events, len(events), "r1")
        await until(lambda: not made._by_place[ZERO].role.sends)
        acknowledge(broker.unanswered[0])
        await until(lambda: metric("policy_sends") == 0)
        assert broker.commits[ZERO].by == "r1"


async def test_who_slept_through_its_patience_looks_before_it_takes_over(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The active one was well all the time: the standby only has not looked."""
    events = events_of(1)
    broker.holds(ZERO, events)
    before = metric("policy_take_overs_total") or 0.0
    standby = group(broker, keys, "r1")
    sees_only_when_it_looks(standby, monkeypatch)

    async def looked_just_before_it_slept(*_: Any) -> None:
        return None

    monkeypatch.setattr(standby, "_look_if_late", looked_just_before_it_slept)
    async with running(standby):
        await until(lambda: standby._is_up)
        first = standby._looked_at
        broker.commits[ZERO] = commit_of(events, len(events), "r0")
        await until(lambda: standby._looked_at > first)
        assert not standby._by_place[ZERO].role.sends
    assert (metric("policy_take_overs_total") or 0.0) == before
    assert broker.posted == []


async def test_who_steps_down_holds_nobody_up(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it no longer reads would pile up in it, and pause the tail of its whole process."""
    place, consumer = Place(events_topic("repayment"), 0), Consumer()
    consumer.logs = {place: []}
    monkeypatch.setattr(tails, "LogReader", lambda *_where, **_named: consumer)
    monkeypatch.setattr(policy_source, "resume", broker.resume)
    stop, tail = asyncio.Event(), Tail("", [place], client_id="test")
    running_tail = asyncio.create_task(tail.run(stop))
    await tail.started()
    other, reader = tail.reader(), tail.reader()
    other.assign({place: 0})
    reader.assign({})
    made = load_settings(keys, kafka="127.0.0.1:1", log_id="0" * 32, partitions=1, replica="r0")
    source = SourcePartition(made, bidding(), "repayment", 0, Assignment("r0", "r1"))
    source.role.start(None)
    await source.turn(reader, stop)
    assert source.policy is not None
    source.role.assign(Assignment("r1", "r0"))
    await source.turn(reader, stop)
    consumer.write(place, 2 * UNREAD_MAX)
    read = 0
    async with asyncio.timeout(5):
        while read < 2 * UNREAD_MAX:
            read += len((await other.poll(0.1)).get(place, ()))
    assert reader.unread(place) == 0
    assert consumer.paused == set()
    stop.set()
    await running_tail
