"""Two policy processes of one service on a real broker: one is killed, frozen, woken; every event is followed up exactly once."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from itertools import pairwise

import pytest

from deploy.local.parts import Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import AccountOpened
from libs.events.onboarding import UserVerified
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated
from libs.events.topics import commands_topic, events_topic, partition_of
from libs.runtime.kafka import LogReader, LogWriter, Place
from libs.runtime.replicas import save_table
from libs.runtime.settings import Settings
from libs.runtime.verify import verify
from tests.conftest import MakeSettings
from tests.integration.chained_log import ChainedLog
from tests.integration.log_client import LogClient
from tests.integration.test_replicas import TABLE, get, is_ready, told, until
from tools.load.watch import now_ms

PLANS = (
    ProcessPlan("decider", "bidding", "decider", replica="r0"),
    ProcessPlan("first", "bidding", "policy", replica="r0"),
    ProcessPlan("second", "bidding", "policy", replica="r1"),
)
#: A standby's patience is at most 2.6 s from a commit on; the rest is what a busy machine may take.
FAIL_OVER_LIMIT_MS = 30_000


class Verified(ChainedLog):
    """Onboarding's events, written by hand: users that are verified, one every few milliseconds. Each gets an account."""

    def __init__(self, settings: Settings, writer: LogWriter) -> None:
        super().__init__(settings, writer)
        self._topic = events_topic("onboarding", settings.topic_prefix)
        self._partitions = settings.partitions
        self.users: list[str] = []

    async def verify(self) -> None:
        """One user more."""
        user = f"usr_{len(self.users)}"
        event = UserVerified(
            user_id=user,
            kind="person",
            region="cn-31",
            owner=None,
            provider="provider",
            reference=f"ref-{user}",
            verified_on=date(2024, 3, 15),
        )
        await self.decide(partition_of(user, self._partitions), [(user, event)])
        self.users.append(user)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """They come, inside this block."""
        stop = asyncio.Event()

        async def work() -> None:
            while not stop.is_set():
                await self.verify()
                await asyncio.sleep(0.01)

        task = asyncio.create_task(work())
        try:
            yield
        finally:
            stop.set()
            await task
            await self.stored()


@pytest.fixture
def stack(parts: Parts, make_settings: MakeSettings) -> Iterator[Stack]:
    """One decider of bidding, and its policies twice."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    save_table(settings.replicas_path, TABLE)
    with Stack(settings, processes=PLANS, parts=parts) as running:
        yield running


@asynccontextmanager
async def verified(settings: Settings) -> AsyncIterator[Verified]:
    """Onboarding's log, to write into."""
    writer = LogWriter(settings.require_kafka(), client_id="test-onboarding")
    await writer.start()
    try:
        yield Verified(settings, writer)
    finally:
        await writer.stop()


@asynccontextmanager
async def commands(settings: Settings) -> AsyncIterator[list[int]]:
    """When each of bidding's commands was stored (ms since 1970), as they come."""
    topic = commands_topic("bidding", settings.topic_prefix)
    reader, stored = LogReader(settings.require_kafka(), client_id="test-commands"), list[int]()
    await reader.start()
    reader.assign({Place(topic, partition): 0 for partition in range(settings.partitions)})

    async def follow() -> None:
        while True:
            for records in (await reader.poll(0.2)).values():
                stored.extend(raw.timestamp_ms for raw in records)

    task = asyncio.create_task(follow())
    try:
        yield stored
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await reader.stop()


def sending(stack: Stack, name: str) -> int:
    """For how many of onboarding's partitions a process says that it sends."""
    lines = get(stack, name, "/metrics")[1].splitlines()
    of_group = 'policy="bidding-reads-onboarding"'
    mine = [line for line in lines if line.startswith("loanstream_policy_sends{") and of_group in line]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in mine)


def senders(stack: Stack) -> int:
    """How many say that they send, over all source partitions: on a busy machine the two may share them, never double them."""
    return sending(stack, "first") + sending(stack, "second")


async def first_after(stored: list[int], since_ms: int, more: int = 200) -> int:
    """When the heir's first command came: behind the longest silence, once many more have come than were on their way."""
    await until(lambda: sum(at > since_ms + 1_000 for at in stored) > more)
    times = sorted(at for at in stored if at > since_ms - 500)
    _, first = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    return first - since_ms


async def exact(stack: Stack, client: LogClient, source: Verified) -> None:
    """Every user has one account, nothing was refused or did nothing, bidding's log is proven, and both processes are ready."""
    await client.read_until(lambda: len(client.of(AccountOpened)) >= len(source.users))
    await until(lambda: all(is_ready(stack, name) for name in ("first", "second")))
    report = await verify(stack.settings, "bidding")
    assert [fault for partition in report.partitions for fault in partition.faults] == []
    await client.read_until(lambda: sum(client.readings.values()) >= report.total("decisions"))
    assert sorted(opened.owner for opened in client.of(AccountOpened)) == sorted(source.users)
    assert (client.of(CommandRefused), client.of(CommandHadNoEffect)) == ([], [])
    told("sent twice and dropped", len(client.of(CommandRepeated)))
    assert await left_behind(stack.settings) == 0


async def left_behind(settings: Settings) -> int:
    """How many of onboarding's records stand behind the group's commits, a few seconds after the last of them."""
    topic = events_topic("onboarding", settings.topic_prefix)
    places = [Place(topic, partition) for partition in range(settings.partitions)]
    reader = LogReader(
        settings.require_kafka(),
        client_id="test-commits",
        group=f"{settings.topic_prefix}bidding-reads-onboarding",
    )
    await reader.start()
    try:
        left = -1
        async with asyncio.timeout(90):
            while left != 0:
                ends, kept = await reader.ends(places), await reader.committed(places)
                left = sum(ends[place] - (kept[place].read_to if place in kept else 0) for place in places)
                await asyncio.sleep(0.1)
        return left
    finally:
        await reader.stop()


async def test_the_standby_sends_when_the_active_one_is_killed(stack: Stack) -> None:
    """Killed under load, in both directions: the other goes on from the commit, and every user has one account."""
    times: list[int] = []
    settings = stack.settings
    async with (
        LogClient(settings, ("bidding",)) as client,
        verified(settings) as source,
        commands(settings) as stored,
    ):
        for victim, heir in [("first", "second"), ("second", "first")]:
            async with source.busy():
                mark = len(stored)
                await until(lambda: len(stored) > mark + 100)  # noqa: B023 - asked in this turn only
                await until(lambda: senders(stack) == settings.partitions)
                killed_ms = now_ms()
                await asyncio.to_thread(stack.child(victim).kill)
                times.append(await first_after(stored, killed_ms))
                await until(lambda: sending(stack, heir) == settings.partitions)  # noqa: B023 - asked in this turn only
            stack.child(victim).start()
            await until(partial(is_ready, stack, victim))
        await exact(stack, client, source)
    told("killed -> first command of the standby, ms", times)
    assert max(times) < FAIL_OVER_LIMIT_MS


async def test_a_zombie_s_commands_are_dropped(stack: Stack) -> None:
    """Frozen under load, replaced, and woken with commands and commits in its hands, in both directions: one sends, not two."""
    times: list[int] = []
    settings = stack.settings
    async with (
        LogClient(settings, ("bidding",)) as client,
        verified(settings) as source,
        commands(settings) as stored,
    ):
        for frozen in ("first", "second"):
            async with source.busy():
                mark = len(stored)
                await until(lambda: len(stored) > mark + 100)  # noqa: B023 - asked in this turn only
                os.kill(stack.child(frozen).pid, signal.SIGSTOP)
                frozen_ms = now_ms()
                try:
                    times.append(await first_after(stored, frozen_ms))
                finally:
                    os.kill(stack.child(frozen).pid, signal.SIGCONT)
                await until(lambda: senders(stack) == settings.partitions)
        await exact(stack, client, source)
    told("frozen -> first command of the standby, ms", times)
    assert max(times) < FAIL_OVER_LIMIT_MS
