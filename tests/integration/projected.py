"""A projector in this process, and questions to its views: shared by the tests of projecting and rebuilding."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pymongo import MongoClient

from libs.runtime.observability import REGISTRY
from libs.runtime.projector import ProjectorRole
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.views import ViewMissing, Views
from tests.integration.chained_log import ChainedLog


async def until(met: Callable[[], Any], limit_s: float = 90.0) -> Any:
    """Ask until the answer is true; returns it. Raises TimeoutError."""
    async with asyncio.timeout(limit_s):
        while not (answer := await met()):  # noqa: ASYNC110 - what is asked for happens in the database
            await asyncio.sleep(0.05)
        return answer


@asynccontextmanager
async def projecting(settings: Settings, service: Service) -> AsyncIterator[ProjectorRole]:
    """A projector in this process, caught up; stopped cleanly at the end."""
    role, stop = ProjectorRole(settings, [service]), asyncio.Event()
    task = asyncio.create_task(role.run(stop))

    async def ready() -> bool:
        if task.done():
            await task
        return role.ready()[0]

    try:
        await until(ready)
        yield role
    finally:
        stop.set()
        if not task.cancelled():
            await task


async def look(views: Views, view: str, doc: str) -> dict[str, Any] | None:
    """A document, or None while there is none or the view is not built."""
    try:
        return await views.get(view, doc)
    except ViewMissing:
        return None


async def applied(views: Views, log: ChainedLog, view: str = "bidding.totals") -> Any:
    """Wait until a sum holds every deposit of the log; returns its document."""

    async def found() -> Any:
        document = await look(views, view, "all")
        return document if document and document["count"] == sum(log.deposits.values()) else None

    return await until(found)


async def is_exact(views: Views, log: ChainedLog) -> None:
    """Assert that every document is what the log adds up to."""
    total = await applied(views, log)
    assert total["amount_fen"] == sum(log.balances.values())

    async def deposited() -> Any:
        documents, _ = await views.page("bidding.balances", where={}, after=None, limit=1000)
        return documents if sum(each.get("deposits", 0) for each in documents) >= total["count"] else None

    documents = await until(deposited)  # a view that is built anew may be behind the other one
    assert {each["_id"]: each["available_fen"] for each in documents} == log.balances
    assert {each["_id"]: each.get("deposits", 0) for each in documents} == log.deposits


def tamper(settings: Settings) -> Any:
    """The database as a person with a shell would see it."""
    client: MongoClient[dict[str, Any]] = MongoClient(settings.require_mongo())
    return client[settings.mongo_database]


def counted(name: str, **labels: str) -> float:
    """A metric of this process."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
