"""A log that is copied and restored on another broker is the same log: proven, decided on, and seen the same."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.local.parts import LocalParts, Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import AccountOpened, FundsDeposited
from libs.events.system import BusinessDateSet
from libs.runtime.copying import backup, restore
from libs.runtime.errors import OperatorError
from libs.runtime.export import export
from libs.runtime.identity import ensure_identity, keep_log_id
from libs.runtime.rebuild import rebuild_views
from libs.runtime.service import load_services
from libs.runtime.settings import Settings, load_settings
from libs.runtime.verify import verify
from services.bidding.commands import ConfirmTopUp, OpenAccount, RequestTopUp
from services.repayment.commands import OpenCalendar
from tests.conftest import MakeSettings
from tests.integration.log_client import LogClient

PROCESSES = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
#: Also declares the types that a client decodes.
SERVICES = list(load_services("demo").values())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Parts]:
    """A broker and a database of this test's own, empty."""
    with LocalParts(tmp_path / "elsewhere") as parts:
        yield parts


@asynccontextmanager
async def running(settings: Settings, parts: Parts) -> AsyncIterator[tuple[Stack, LogClient]]:
    """The services on some parts, and somebody who sends commands."""
    with Stack(settings, processes=PROCESSES, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            yield stack, client


async def pay(client: LogClient, number: int) -> None:
    """A new account with 1,000.00 in it."""
    user, account, top_up = f"usr_i{number}", f"acc_i{number}", f"top_{number}"
    await client.send("bidding", account, OpenAccount(owner=user), f"open-{number}", user)
    ask = RequestTopUp(top_up_id=top_up, amount_fen=100_000)
    await client.send("bidding", account, ask, f"ask-{number}", user)
    answer = ConfirmTopUp(top_up_id=top_up, bank_reference=f"ref{number}", amount_fen=100_000, succeeded=True)
    await client.send("bidding", account, answer, f"bank-{number}", "bank")


async def seen(settings: Settings) -> dict[str, Any]:
    """All documents of all views, as the log's end makes them: nobody feeds the views meanwhile."""
    await rebuild_views(settings, SERVICES, [], False, lambda *_: None)
    client: MongoClient[dict[str, Any]] = MongoClient(settings.require_mongo())
    database = client[settings.mongo_database]
    found = {
        pointer["_id"]: {each.pop("_id"): each for each in database[pointer["collection"]].find()}
        for pointer in database["views"].find()
    }
    client.close()
    return found


async def test_a_restored_log_is_the_same_log(
    parts: Parts, elsewhere: Parts, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Restored elsewhere it verifies, exports the same events, shows equal documents, and deciding goes on."""
    archive = tmp_path / "log.archive"
    lines: list[bytes] = []
    again: list[bytes] = []
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    async with running(settings, parts) as (stack, client):
        await client.send("repayment", "calendar", OpenCalendar(business_date=date(2024, 1, 31)), "cal")
        await client.read_until(lambda: len(client.of(BusinessDateSet)) == 8)
        for number in range(20):
            await pay(client, number)
        await client.read_until(lambda: len(client.of(FundsDeposited)) == 20)
        first = stack.settings
    before = await seen(first)
    assert sum(len(documents) for documents in before.values()) > 100
    copied = await backup(first, archive)
    await export(first, None, lines.append)

    names: dict[str, Any] = {"topic_prefix": first.topic_prefix, "mongo_database": first.mongo_database}
    fresh = ensure_identity(
        load_settings(tmp_path / "fresh", kafka=elsewhere.kafka, mongo=elsewhere.mongo, **names)
    )
    restored = await restore(fresh, archive)
    assert (restored.records, restored.log_id) == (copied.records, first.log_id)
    with pytest.raises(OperatorError, match="holds records already"):
        await restore(fresh, archive)
    fresh = keep_log_id(fresh, restored.log_id)
    report = await verify(fresh, None)
    assert [fault for partition in report.partitions for fault in partition.faults] == []
    await export(fresh, None, again.append)
    assert again == lines
    assert await seen(fresh) == before
    async with running(fresh, elsewhere) as (stack, client):
        await pay(client, 5)  # a repeat of what was decided before the copy was made
        await pay(client, 20)
        await client.read_until(lambda: len(client.of(FundsDeposited)) == 21)
        assert len(client.of(AccountOpened)) == 21
        report = await verify(stack.settings, None)
    assert report.ok
