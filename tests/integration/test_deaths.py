"""Commands that kill or hang the process that decides them, on a real broker: refused in the end, and the rest is decided."""

import asyncio
import sys
import time
from contextlib import suppress
from datetime import date

import pytest

from deploy.local.parts import Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import AccountOpened
from libs.events.system import BusinessDateSet, CommandRefused
from libs.runtime.verify import verify
from services.bidding.commands import OpenAccount
from services.repayment.commands import OpenCalendar
from tests.conftest import MakeSettings
from tests.integration.deadly import HANGS, KILLS
from tests.integration.log_client import LogClient

PLANS = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)


def deadly_command(plan: ProcessPlan, port: int) -> list[str]:
    """The program of a process that has the bug."""
    run = [sys.executable, "-m", "tests.integration.deadly", "run", plan.service]
    return [*run, "--roles", plan.roles, "--port", str(port)]


@pytest.mark.parametrize(("who", "code"), [(KILLS, 9), (HANGS, 1)])
async def test_a_deadly_command_is_refused_at_the_fourth_start(
    parts: Parts, make_settings: MakeSettings, who: str, code: int
) -> None:
    """Three processes end at it; the fourth refuses it `internal`, goes on, and what follows it in its partition is decided."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    with Stack(settings, processes=PLANS, command=deadly_command, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            await client.send("repayment", "calendar", OpenCalendar(business_date=date(2024, 1, 31)), "cal")
            await client.read_until(lambda: len(client.of(BusinessDateSet)) == 8)
            await client.send("bidding", "acc_a", OpenAccount(owner="usr_a"), "before", "usr_a")
            await client.read_until(lambda: len(client.of(AccountOpened)) == 1)
            began = time.monotonic()
            await client.send("bidding", "acc_a", OpenAccount(owner=who), "deadly", who)
            await client.send("bidding", "acc_a", OpenAccount(owner="usr_a"), "after", "usr_a")
            child, codes = stack.child("bidding"), []
            while not any(event.command_id == "after" for event in client.events):
                assert time.monotonic() - began < 120, "the partition does not go on"
                if not child.alive:
                    codes.append(child.exit_code)
                    await asyncio.to_thread(stack.check)
                await _read_some(client)
            sys.stdout.write(f"{who}: decided on after {time.monotonic() - began:.1f} s and three starts\n")
            report = await verify(stack.settings, None)
        log = "".join(path.read_text() for path in stack.settings.logs_dir.glob("bidding.log*"))
    assert codes == [code] * 3
    refused = [event for event in client.events if isinstance(event.data, CommandRefused)]
    assert [(event.command_id, event.data.code) for event in refused if event.command_id == "deadly"] == [
        ("deadly", "internal")
    ]
    assert report.ok
    assert report.total("undecided") == 0
    assert "process_died_deciding" in log
    assert code == 9 or "in _deadly" in log


async def _read_some(client: LogClient) -> None:
    """Read what has come."""
    seen = len(client.events)
    with suppress(TimeoutError):
        await client.read_until(lambda: len(client.events) > seen, 0.3)
