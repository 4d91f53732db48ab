"""A source that was cut and grew again under a running policy group, and records that fit nowhere: who waits, who goes on."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.chain import genesis
from libs.events.records import RawRecord
from libs.runtime import checkpoint as checkpoints
from libs.runtime import following, policies, policy_source
from libs.runtime.kafka import Place
from libs.runtime.policies import PolicyGroup
from libs.runtime.replicas import Pair, ReplicaTable
from libs.runtime.store import MemoryStore
from tests.unit.runtime.broker import Broker
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import LOG_ID, Bench, PutCoins, jars_are_known
from tests.unit.runtime.test_policies_shell import broker, running, sent
from tests.unit.runtime.test_policy_replicas import PAIR, ZERO, commits_at_once, group, metric

pytestmark = pytest.mark.usefixtures("jars_are_known", "commits_at_once", "told")
__all__ = ["broker", "commits_at_once", "jars_are_known"]

JUNK = RawRecord(0, None, b"somebody's", {"position": b"99", "prev": b"\7" * 32, "hash": b"\7" * 32})


@pytest.fixture
def told(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The broker tells what it holds now; the list grows with every question whether a head is held."""
    asked: list[Place] = []

    async def record_at(_bootstrap: str, place: Place, offset: int) -> RawRecord | None:
        broker.check()
        asked.append(place)
        held = broker.events[place]
        return held[offset] if 0 <= offset < len(held) else None

    async def offsets(_bootstrap: str, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
        broker.check()
        return {place: (0, len(broker.events[place])) for place in places}

    async def read_range(
        _bootstrap: str, place: Place, start: int, end: int | None = None, **_named: Any
    ) -> AsyncGenerator[list[RawRecord]]:
        broker.check()
        yield broker.events[place][start:end]

    for module in (checkpoints, following):
        monkeypatch.setattr(module, "genesis", lambda *_of: genesis(LOG_ID, "toy.events", 0))
    monkeypatch.setattr(checkpoints, "record_at", record_at)
    monkeypatch.setattr(checkpoints, "offsets", offsets, raising=False)
    monkeypatch.setattr(following, "offsets", offsets)
    monkeypatch.setattr(checkpoints, "read_range", read_range, raising=False)
    monkeypatch.setattr(following, "read_range", read_range)
    monkeypatch.setattr(policy_source, "resume", checkpoints.resume)
    monkeypatch.setattr("libs.runtime.forks._LOOK_EVERY_S", 0.005)
    monkeypatch.setattr(policy_source, "CHECK_EVERY_S", 0.0, raising=False)
    return asked


def put(*coins: int) -> list[PutCoins]:
    """The commands that follow from coins in the source."""
    return [PutCoins(coins=amount) for amount in coins]


def decided(*coins: int, rules: int = 1) -> list[RawRecord]:
    """Coins that were put, by a decider of these rules: others give other hashes from the first coin on."""
    bench = Bench()
    bench.decider = bench.caught_up(MemoryStore(), rules=rules)
    for amount in coins:
        bench.tell(PutCoins(coins=amount))
    return bench.events


def stored(*records: RawRecord) -> list[RawRecord]:
    """Records as they stand in a log, one behind the other."""
    return [replace(raw, offset=offset) for offset, raw in enumerate(records)]


async def lost_and_regrown(broker: Broker, made: PolicyGroup, regrown: list[RawRecord]) -> list[RawRecord]:
    """The group has read and committed a log with a repeat in it; then that log is cut and grows to another one."""
    date, one, two = decided(1, 2)
    before = stored(date, one, one, two)
    broker.holds(ZERO, before)
    await until(lambda: ZERO in broker.commits and broker.commits[ZERO].read_to == len(before))
    assert sent(broker) == put(1, 2)
    broker.holds(ZERO, stored(*regrown))
    return before


async def test_a_source_decided_again_without_its_repeat_is_read_on(broker: Broker, keys: Path) -> None:
    """Every offset has moved: what comes fits no more behind the head that the group has, although nothing else was decided."""
    broker.events[ZERO] = []
    made = group(broker, keys, "r0", patience_s=60)
    async with running(made):
        regrown = decided(1, 2, 4, 8)
        await lost_and_regrown(broker, made, regrown)
        await until(lambda: sent(broker)[2:] == put(4, 8))
        await until(lambda: broker.commits[ZERO].read_to == len(regrown))
        assert broker.commits[ZERO].head.position == len(regrown) - 1
        await until(lambda: made.unready() is None)


async def test_a_source_decided_otherwise_stops_the_group_there(broker: Broker, keys: Path) -> None:
    """The running group finds out, not only the next start; the commit does not move, and it is not ready."""
    broker.events[ZERO] = []
    made = group(broker, keys, "r0", patience_s=60)
    async with running(made):
        before = await lost_and_regrown(broker, made, decided(1, 2, 4, 8, rules=2))
        await until(lambda: "source-forked" in (made.unready() or ""))
    assert broker.commits[ZERO].read_to == len(before)
    assert sent(broker) == put(1, 2)


async def test_what_was_sent_and_not_committed_yet_counts_as_well(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts over from what it has sent for, which is never behind its commit: another decision there is a fork, too."""
    date, one, two = decided(1, 2)
    broker.holds(ZERO, stored(date))
    made = group(broker, keys, "r0", patience_s=60)
    async with running(made):
        await until(lambda: ZERO in broker.commits)
        monkeypatch.setattr(policies, "COMMIT_EVERY_S", 3600.0)
        broker.holds(ZERO, stored(date, one, one, two))
        await until(lambda: sent(broker) == put(1, 2))
        assert broker.commits[ZERO].head.position == 0
        broker.holds(ZERO, stored(date, *decided(4, 5, 6, 7)[1:]))
        await until(lambda: "source-forked: repayment/0/2 " in (made.unready() or ""))
    assert sent(broker) == put(1, 2)


async def test_a_log_that_is_shorter_than_what_was_read_is_read_from_the_head(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut once more between the fetch and the question: no answer is right but that of another reading."""
    date, one, two = decided(1, 2)
    broker.holds(ZERO, stored(date, one))
    held = checkpoints.is_held

    async def cut_meanwhile(*where: Any) -> bool:
        monkeypatch.setattr(checkpoints, "is_held", held)
        broker.holds(ZERO, stored(date, one))
        return await held(*where)

    async with running(group(broker, keys, "r0", patience_s=60)):
        await until(lambda: ZERO in broker.commits and broker.commits[ZERO].read_to == 2)
        monkeypatch.setattr(checkpoints, "is_held", cut_meanwhile)
        broker.holds(ZERO, stored(date, one, JUNK, JUNK))
        await until(lambda: checkpoints.is_held is held)
        broker.holds(ZERO, stored(date, one, two))
        await until(lambda: sent(broker) == put(1, 2))


async def test_a_source_that_is_not_decided_again_yet_is_waited_for(broker: Broker, keys: Path) -> None:
    """Records stand beyond the head, but not the one that was sent for: it says so, and the commit stays."""
    broker.events[ZERO] = []
    made = group(broker, keys, "r0", patience_s=60)
    regrown = decided(1, 2, 4, 8)
    async with running(made):
        junk = [JUNK] * 3
        before = await lost_and_regrown(broker, made, [*regrown[:2], *junk])
        await until(lambda: "waits for repayment/0 to decide position 2 again" in (made.unready() or ""))
        assert broker.commits[ZERO].read_to == len(before)
        broker.holds(ZERO, stored(*regrown[:2], *junk, *regrown[2:]))
        await until(lambda: sent(broker) == put(1, 2, 4, 8))


async def test_a_log_that_was_cut_behind_the_head_is_read_from_the_head(broker: Broker, keys: Path) -> None:
    """Only repeats were lost, and the head is held: what stands in their place now has not been read."""
    date, one, two, four = decided(1, 2, 4)
    broker.holds(ZERO, stored(date, one, one, one))
    async with running(group(broker, keys, "r0", patience_s=60)):
        await until(lambda: ZERO in broker.commits and broker.commits[ZERO].read_to == 4)
        broker.holds(ZERO, stored(date, one, two, one, four, four))
        await until(lambda: sent(broker) == put(1, 2, 4))
        await until(lambda: broker.commits[ZERO].read_to == 6)


async def test_records_that_fit_nowhere_are_passed_over(
    broker: Broker, keys: Path, told: list[Place]
) -> None:
    """Somebody else's: looked into once for all that came together, committed behind, and what follows is read."""
    date, one, two = decided(1, 2)
    broker.holds(ZERO, stored(date, one))
    made = group(broker, keys, "r0", patience_s=60)
    async with running(made):
        await until(lambda: ZERO in broker.commits and broker.commits[ZERO].read_to == 2)
        asked = len(told)
        broker.holds(ZERO, stored(date, one, *[JUNK] * 5))
        await until(lambda: broker.commits[ZERO].read_to == 7)
        await asyncio.sleep(0.05)
        assert len(told) == asked + 1
        assert made.unready() is None
        broker.holds(ZERO, stored(date, one, *[JUNK] * 5, two))
        await until(lambda: sent(broker) == put(1, 2))
        assert len(told) == asked + 1


async def test_junk_before_the_first_record_is_passed_over(broker: Broker, keys: Path) -> None:
    """Where nothing was read there is no head that could be lost."""
    broker.holds(ZERO, stored(JUNK, JUNK))
    made = group(broker, keys, "r0", patience_s=60)
    async with running(made):
        await until(lambda: made.unready() is None)
        broker.holds(ZERO, stored(JUNK, JUNK, *decided(1)))
        await until(lambda: sent(broker) == put(1))


async def test_foreign_records_that_keep_coming_are_not_looked_into_each_time(
    broker: Broker, keys: Path, told: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look asks the broker anew: what comes soon after one waits for the next, and is not committed before."""
    monkeypatch.setattr(policy_source, "CHECK_EVERY_S", 3600.0)
    kept = decided(1)
    broker.holds(ZERO, stored(*kept))
    async with running(group(broker, keys, "r0", patience_s=60)):
        await until(lambda: ZERO in broker.commits and broker.commits[ZERO].read_to == 2)
        broker.holds(ZERO, stored(*kept, JUNK))
        await until(lambda: broker.commits[ZERO].read_to == 3)
        asked = len(told)
        broker.holds(ZERO, stored(*kept, JUNK, JUNK))
        await asyncio.sleep(0.05)
        assert len(told) == asked
        assert broker.commits[ZERO].read_to == 3
        broker.holds(ZERO, stored(*kept, JUNK, JUNK, *decided(1, 2)[2:]))
        await until(lambda: broker.commits[ZERO].read_to == 5)
    assert sent(broker) == put(1, 2)


# --- a role that goes and comes back -------------------------------------------------------------------------------


async def test_who_is_active_again_before_it_rested_leaves_no_gap(
    broker: Broker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records in its hands were dropped while it was passive: it goes on from the commit, not behind the gap."""
    first, *_ = events = decided(1, 2, 4)
    broker.holds(ZERO, [first])
    made = group(broker, keys, "r0", patience_s=60)
    look_if_late, commit = made._look_if_late, made._commit
    steps: list[str] = []

    async def hears_of_another(*links: Any) -> None:
        """The role goes between a poll that brought records and the question whose they are."""
        await look_if_late(*links)
        if steps == ["in hand"]:
            made.assign(ReplicaTable(version=2, default=Pair(active="r1", standby="r0")))
            steps.append("dropped")

    async def is_given_it_back(*links: Any, **when: Any) -> None:
        """The next table comes before the turn."""
        await commit(*links, **when)
        if steps == ["in hand", "dropped"]:
            made.assign(PAIR)
            steps.append("back")

    monkeypatch.setattr(made, "_look_if_late", hears_of_another)
    monkeypatch.setattr(made, "_commit", is_given_it_back)
    async with running(made):
        await until(lambda: ZERO in broker.commits)
        broker.holds(ZERO, events)
        steps.append("in hand")
        await until(lambda: steps[-1] == "back")
        await until(lambda: sent(broker) == put(1, 2, 4))
        await until(lambda: broker.commits[ZERO].read_to == len(events))
        assert metric("policy_sends") == 1
