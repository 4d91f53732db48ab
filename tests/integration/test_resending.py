"""`loanstream resend` on a real broker: what the release before made no command of is sent once, by this release's policies, from the log."""

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
from libs.events.system import CommandHadNoEffect, CommandRefused
from libs.runtime.replicas import save_table
from libs.runtime.verify import verify
from tests.conftest import MakeSettings
from tests.integration.log_client import LogClient
from tests.integration.releases import BEFORE, THIS
from tests.integration.test_policy_replicas import left_behind, verified
from tests.integration.test_replicas import TABLE, is_ready, until

PLANS = (
    ProcessPlan("decider", "bidding", "decider", replica="r0"),
    ProcessPlan("policy", "bidding", "policy", replica="r0"),
)
#: So many that every partition has some.
USERS = 40


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Which release runs: at first the one before."""
    file = tmp_path / "release"
    file.write_text(BEFORE, encoding="utf-8")
    return file


@pytest.fixture
def stack(parts: Parts, make_settings: MakeSettings, release: Path) -> Iterator[Stack]:
    """A decider of bidding and its policies, whose release can be changed."""

    def command(plan: ProcessPlan, port: int) -> list[str]:
        program = [sys.executable, "-m", "tests.integration.releases", str(release)]
        return [*program, "run", plan.service, "--roles", plan.roles, "--port", str(port)]

    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    save_table(settings.replicas_path, TABLE)
    with Stack(settings, processes=PLANS, command=command, parts=parts) as running:
        yield running


def deploy(stack: Stack, release: Path) -> None:
    """The policies of this release."""
    stack.child("policy").stop()
    release.write_text(THIS, encoding="utf-8")
    stack.child("policy").start()


def resend(stack: Stack, command: str) -> tuple[int, str]:
    """As an operator does it; the exit code and all that is said, whatever lines it is broken into."""
    line = [sys.executable, "-P", "-m", "libs.runtime.cli", "resend", "bidding", command]
    environment = os.environ | stack.settings.environment()
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


async def test_what_the_release_before_did_not_send_is_sent_once(stack: Stack, release: Path) -> None:
    """Users of before get their account, each one; asked again nothing is sent, and what is no command of bidding's is refused by name."""
    async with LogClient(stack.settings, ("bidding",)) as client, verified(stack.settings) as source:
        for _ in range(USERS):
            await source.verify()
        await source.stored()
        assert await left_behind(stack.settings) == 0
        assert client.of(AccountOpened) == []
        await asyncio.to_thread(deploy, stack, release)
        await until(partial(is_ready, stack, "policy"))
        for _ in range(USERS):
            await source.verify()
        await source.stored()
        late = source.users[USERS:]
        await client.read_until(lambda: len(client.of(AccountOpened)) >= len(late))
        assert await left_behind(stack.settings) == 0
        assert sorted(opened.owner for opened in client.of(AccountOpened)) == sorted(late)

        code, told = await asyncio.to_thread(resend, stack, "bidding.OpenAccount")
        assert (code, told.count("│ acc_"), "none is missing" in told) == (0, USERS, True), told
        await client.read_until(lambda: len(client.of(AccountOpened)) >= len(source.users))
        code, told = await asyncio.to_thread(resend, stack, "bidding.OpenAccount")
        assert (code, "nothing was sent" in told) == (0, True), told
        code, told = await asyncio.to_thread(resend, stack, "bidding.Nothing")
        assert (code, "bidding.OpenAccount" in told) == (2, True), told
        report = await verify(stack.settings, "bidding")
        await client.read_until(lambda: sum(client.readings.values()) >= report.total("decisions"))
    assert [fault for partition in report.partitions for fault in partition.faults] == []
    assert sorted(opened.owner for opened in client.of(AccountOpened)) == sorted(source.users)
    assert (client.of(CommandRefused), client.of(CommandHadNoEffect)) == ([], [])
