"""Two releases side by side as real processes: rolled forward under load, back by `loanstream rules --allow`, and forward again."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deploy.local.parts import Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import AccountOpened
from libs.events.chain import ChainReader, Reading, genesis
from libs.events.records import parse_decision
from libs.events.system import CommandRefused
from libs.events.topics import events_topic
from libs.runtime.kafka import Place, read_range
from libs.runtime.replicas import load_table, save_table
from libs.runtime.rules import allow_rules, show_rules
from libs.runtime.service import load_services
from libs.runtime.settings import Settings
from libs.runtime.verify import verify
from tests.conftest import MakeSettings
from tests.integration.log_client import LogClient
from tests.integration.releases import NEW_FIELD, NEXT, THIS
from tests.integration.test_replicas import (
    TABLE,
    People,
    begin,
    decides_all,
    get,
    is_ready,
    services_rules,
    told,
    until,
)
from tools.load.watch import Watch, now_ms, watching

PLANS = (
    ProcessPlan("first", "bidding", "decider", replica="r0"),
    ProcessPlan("second", "bidding", "decider,policy", replica="r1"),
    ProcessPlan("repayment", "repayment", "decider,policy", replica="r0"),
)
REPLICAS = {"first": "r0", "second": "r1"}


class Deploy:
    """Puts releases on the processes of a running stack, one at a time."""

    def __init__(self, stack: Stack, watch: Watch, files: Path) -> None:
        self._stack = stack
        self._watch = watch
        self._files = files
        self.restarts = 0.0
        self.times_ms: list[int] = []

    def release(self, name: str) -> Path:
        """The file that names the release of a process."""
        return self._files / f"{name}.release"

    async def onto(self, name: str, release: str, *, heir: str | None = None) -> None:
        """Stop a process, let its other replica decide in every partition, start it with a release; return when it is ready."""
        self.restarts += self.started_over(name)
        stopped_ms = now_ms()
        await asyncio.to_thread(self._stack.child(name).stop)
        if heir is not None:
            self.times_ms.append(await decides_all(self._watch, REPLICAS[heir], stopped_ms))
        self.release(name).write_text(release, encoding="utf-8")
        self._stack.child(name).start()
        await until(partial(is_ready, self._stack, name))
        await asyncio.to_thread(self._stack.check)

    def started_over(self, name: str) -> float:
        """How often partitions of a process have started over in its present life."""
        return metric(self._stack, name, "loanstream_partition_restarts_total")


def metric(stack: Stack, name: str, of: str) -> float:
    """A metric of a process, summed over its labels."""
    lines = get(stack, name, "/metrics")[1].splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(of + "{"))


async def opened_with(settings: Settings) -> list[tuple[str, int, bool]]:
    """Of every account opened: by which replica, under which rules, and whether the event has the new field."""
    topic, found = events_topic("bidding", settings.topic_prefix), []
    for number in range(settings.partitions):
        reader = ChainReader(genesis(settings.require_log_id(), topic, number))
        async for records in read_range(settings.require_kafka(), Place(topic, number), 0):
            for raw in records:
                if reader.read(raw) is Reading.ACCEPTED:
                    found += [
                        (raw.headers["by"].decode(), int(raw.headers["rules"]), NEW_FIELD in event.data)
                        for event in parse_decision(raw.value).events
                        if event.type == "bidding.AccountOpened.v1"
                    ]
    return found


async def goes_on(watch: Watch, more: int = 50) -> None:
    """Wait for so many more decisions, whoever makes them: on a busy machine a standby may come before its time."""
    mark = len(watch.decided)
    await until(lambda: len(watch.decided) > mark + more)


def allow(stack: Stack, rules: int) -> str:
    """Allow a roll-back as an operator does."""
    line = [sys.executable, "-P", "-m", "libs.runtime.cli", "rules", "bidding", "--allow", str(rules)]
    environment = os.environ | stack.settings.environment()
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where the releases stand; all begin with this one."""
    for plan in PLANS:
        (tmp_path / f"{plan.name}.release").write_text(THIS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def stack(parts: Parts, make_settings: MakeSettings, files: Path) -> Iterator[Stack]:
    """Two deciders of bidding whose release can be changed, and one of repayment."""

    def command(plan: ProcessPlan, port: int) -> list[str]:
        program = [sys.executable, "-m", "tests.integration.releases", str(files / f"{plan.name}.release")]
        return [*program, "run", plan.service, "--roles", plan.roles, "--port", str(port)]

    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    save_table(settings.replicas_path, TABLE)
    with Stack(settings, processes=PLANS, command=command, parts=parts) as running:
        yield running


async def test_rolled_forward_back_and_forward_again(stack: Stack, files: Path) -> None:
    """At each step the standby is ready and takes over; old code reads what new code tells, and decides only when allowed.

    Nobody ends by himself or starts over again and again, every account is opened once, and the log is proven.
    """
    services = list(load_services(stack.settings.profile).values())
    rules = services_rules(services, "bidding")
    async with LogClient(stack.settings, ("bidding",)) as client, watching(stack.settings) as watch:
        people, deploy = People(client), Deploy(stack, watch, files)
        await begin(client, watch)
        async with people.busy():
            await goes_on(watch)
            await deploy.onto("second", NEXT)
            await deploy.onto("first", NEXT, heir="second")
            await goes_on(watch)

            await deploy.onto("first", THIS)  # back: it follows what it does not know
            await asyncio.to_thread(stack.child("second").stop)
            await until(lambda: metric(stack, "first", "loanstream_partition_held_back") == 4)
            assert not is_ready(stack, "first")
            rows = await show_rules(stack.settings, services, "bidding")
            assert [(row.head_rules, row.verdict) for row in rows] == [(rules + 1, "held back")] * 4
            assert "version 2" in await asyncio.to_thread(allow, stack, rules)
            allowed_ms = int(stack.settings.replicas_path.stat().st_mtime * 1000)
            told("allowed -> first decision by old rules, ms", await decides_all(watch, "r0", allowed_ms))
            stack.child("second").start()  # the next release still: its rules are higher, so it may stand by
            await until(partial(is_ready, stack, "second"))
            await deploy.onto("second", THIS, heir="first")
            await until(partial(is_ready, stack, "first"))
            await goes_on(watch)

            await deploy.onto("second", NEXT)
            await deploy.onto("first", NEXT, heir="second")
            await goes_on(watch)
        await client.read_until(lambda: len(client.of(AccountOpened)) >= len(people.sent))
        started_over = deploy.restarts + deploy.started_over("first") + deploy.started_over("second")
        report = await verify(stack.settings, None)
        opened = await opened_with(stack.settings)
        rows = await show_rules(stack.settings, services, "bidding")
    assert [fault for partition in report.partitions for fault in partition.faults] == []
    assert (report.total("undecided"), client.of(CommandRefused)) == (0, [])
    assert sorted(each.account_id for each in client.of(AccountOpened)) == sorted(people.sent)
    assert {("r0", rules, False), ("r1", rules + 1, True)} <= set(opened)
    assert {(number, new) for _, number, new in opened} == {(rules, False), (rules + 1, True)}
    assert {(row.head_rules, row.verdict) for row in rows} == {(rules + 1, "decides: allowed")}
    assert load_table(stack.settings).rules_allowed == {"bidding": rules}
    allow_rules(
        stack.settings, "bidding", rules + 1
    )  # forward for good: what was allowed is so until somebody says otherwise
    rows = await show_rules(stack.settings, services, "bidding")
    assert [row.verdict for row in rows] == ["held back"] * 4
    told("stopped -> first decision of the standby, ms", deploy.times_ms)
    told("readings, partitions started over", (dict(watch.readings), started_over))
    assert stack.restarts == 0
    assert started_over <= 12  # a busy machine may make a partition start over; a loop would make hundreds
