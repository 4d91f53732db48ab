"""Rebuilding beside a live projector and without one: equal documents, a flip that readers see, differences told."""

import asyncio
from typing import Any

import pytest
from pymongo import MongoClient

from libs.events.views import View
from libs.runtime.errors import OperatorError
from libs.runtime.mongo import Database
from libs.runtime.rebuild import RebuildReport, rebuild, rebuild_views
from libs.runtime.settings import Settings
from libs.runtime.views import Views
from tests.integration.chained_log import POISON, ChainedLog, toy
from tests.integration.projected import applied, is_exact, projecting


def ignore(done: int, total: int, what: str) -> None:
    """No progress bar."""


def collection(settings: Settings, name: str) -> Any:
    """A collection as a person with a shell would see it."""
    client: MongoClient[dict[str, Any]] = MongoClient(settings.require_mongo())
    return client[settings.mongo_database][name]


def is_equal(report: RebuildReport) -> bool:
    """Whether a report says in every way that both generations hold the same."""
    compared = report.comparison
    assert compared is not None, report.not_compared
    return report.equal is True and compared.differences == 0 and compared.hash_before == compared.hash_after


async def test_a_rebuild_equals_the_live_view_while_events_keep_coming(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """Under writing, the rebuilt documents equal the live ones; the flip is seen by readers and nothing is lost by it."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(300)
        writing, paused = True, asyncio.Event()

        async def write() -> None:
            while writing:
                await toy_log.pay_around(20)
            paused.set()

        writer = asyncio.create_task(write())
        report = await rebuild(toy_settings, [toy()], "bidding.balances", False, ignore)
        await toy_log.pay_around(20)
        writing = False
        await writer
        assert is_equal(report)
        assert report.flipped
        assert report.events >= 300
        pointer = await toy_database.pointer("bidding.balances")
        assert pointer is not None
        assert pointer.generation == report.generation == 2
        await toy_log.pay_around(20)
        await is_exact(toy_views, toy_log)
        states = {each.number: each.state for each in await toy_database.generations(["bidding.balances"])}
        assert states == {1: "retired", 2: "joined"}


async def test_all_views_are_rebuilt_in_one_pass(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """Every view of a service equals its rebuilt self, the generic ones included."""
    async with projecting(toy_settings, toy()):
        await toy_log.open("acc_1")
        await toy_log.refuse(0, "malformed")
        await toy_log.pay_around(100)
        await is_exact(toy_views, toy_log)
        reports = await rebuild_views(toy_settings, [toy()], [], False, ignore)
        assert all(is_equal(report) for report in reports)
        assert [report.view for report in reports] == [
            "bidding.balances",
            "bidding.commands",
            "bidding.fragile",
            "bidding.parked",
            "bidding.sagas",
            "bidding.totals",
        ]
        await toy_log.pay_around(10)
        await is_exact(toy_views, toy_log)


async def test_verify_compares_and_leaves_nothing_behind(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """`--verify` neither flips nor keeps the generation that it built."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(50)
        report = await rebuild(toy_settings, [toy()], "bidding.totals", True, ignore)
        assert is_equal(report)
        assert not report.flipped
        [generation] = await toy_database.generations(["bidding.totals"])
        assert generation.number == 1
        assert collection(toy_settings, "view.bidding.totals.2").count_documents({}) == 0
        await toy_log.pay_around(10)
        await is_exact(toy_views, toy_log)


async def test_without_a_projector_both_generations_are_brought_to_the_end(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """A rebuild that finds nobody feeding the view feeds both itself; the next projector goes on from there."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(50)
        await is_exact(toy_views, toy_log)
    await toy_log.pay_around(70)
    for verify in (True, False):
        assert is_equal(await rebuild(toy_settings, [toy()], "bidding.totals", verify, ignore))
        await applied(toy_views, toy_log)
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(10)
        await is_exact(toy_views, toy_log)


async def test_a_view_that_was_never_built_is_built(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """There is nothing to compare with, and the report says so."""
    await toy_log.pay_around(30)
    for name in ("bidding.totals", "bidding.balances"):
        report = await rebuild(toy_settings, [toy()], name, False, ignore)
        assert report.equal is None
        assert report.not_compared == "the view had not been built before"
    await is_exact(toy_views, toy_log)


async def test_a_difference_is_told_and_the_rebuilt_documents_count(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """Somebody changed one document, removed one and made one up: all three are named, and gone after the flip."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(90)
        await is_exact(toy_views, toy_log)
        live = collection(toy_settings, "view.bidding.balances.1")
        live.update_one({"_id": "acc_3"}, {"$inc": {"available_fen": 1}})
        live.delete_one({"_id": "acc_7"})
        live.insert_one({"_id": "acc_zz"})
        report = await rebuild(toy_settings, [toy()], "bidding.balances", False, ignore)
        assert report.comparison is not None
        assert report.equal is False
        assert report.comparison.differences == 3
        assert report.comparison.examples == ("acc_3", "acc_7", "acc_zz")
        assert report.comparison.hash_before != report.comparison.hash_after
        await is_exact(toy_views, toy_log)


async def test_a_view_that_raises_is_not_flipped(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """The operator reads which view raised where; what is read stays what it was."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay("acc_1", 5)
        await toy_log.stored()
        await applied(toy_views, toy_log, "bidding.fragile")
        await toy_log.pay(POISON, 5)
        await toy_log.stored()
        await applied(toy_views, toy_log)
        with pytest.raises(OperatorError, match=r"bidding\.fragile raises KeyError on the record bidding/"):
            await rebuild(toy_settings, [toy()], "bidding.fragile", False, ignore)
        pointer = await toy_database.pointer("bidding.fragile")
        assert pointer is not None
        assert pointer.generation == 1


async def test_an_unknown_view_is_refused(toy_settings: Settings) -> None:
    """The sentence names the views that there are."""
    with pytest.raises(
        OperatorError, match=r"There is no view nonsense\. The views are: bidding\.balances, "
    ):
        await rebuild(toy_settings, [toy()], "nonsense", False, ignore)


async def test_old_generations_are_dropped_after_their_time(
    toy_settings: Settings, toy_log: ChainedLog, toy_database: Database
) -> None:
    """A retired generation stays for requests in flight, then its collection and its positions go."""
    extra = View(name="bidding.other", version=1, reads=toy().views[1].reads, project=lambda _: ())
    service = toy(1, extra)
    await toy_log.pay_around(10)
    for _ in range(2):
        await rebuild(toy_settings, [service], "bidding.other", False, ignore)
    assert await toy_database.retired(["bidding.other"], 600) == []
    [old] = await toy_database.retired(["bidding.other"], 0)
    assert old.number == 1
    await toy_database.drop(old)
    [left] = await toy_database.generations(["bidding.other"])
    assert left.number == 2
    assert collection(toy_settings, "positions").count_documents({"of": old.key}) == 0
