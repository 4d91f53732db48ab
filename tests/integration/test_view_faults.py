"""What stops one view alone: it raises, MongoDB refuses its change, its timeline was lost; the others go on."""

from typing import Any

import pytest

from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View
from libs.runtime.mongo import Database
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.views import Views
from tests.integration.chained_log import POISON, ChainedLog, toy
from tests.integration.projected import applied, counted, is_exact, look, projecting, tamper, until


async def test_a_view_that_raises_stops_alone_and_goes_on_when_mended(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """Others keep counting; where and with what it stopped is kept; a mended view goes on from there, exactly."""
    async with projecting(toy_settings, toy()) as role:
        await toy_log.pay("acc_1", 5)
        await toy_log.stored()
        await applied(toy_views, toy_log)
        bad = await toy_log.pay(POISON, 7)
        await toy_log.stored()

        async def stopped() -> bool:
            [generation] = await toy_database.generations(["bidding.fragile"])
            return generation.failure is not None

        await until(stopped)  # or the next payment, of another partition, might still come first
        await toy_log.pay("acc_1", 6)
        await toy_log.stored()
        await is_exact(toy_views, toy_log)
        fragile = await toy_views.get("bidding.fragile", "all")
        assert fragile is not None
        assert fragile["count"] == 1
        [generation] = await toy_database.generations(["bidding.fragile"])
        assert generation.failure is not None
        assert (generation.failure.address, generation.failure.error) == (
            f"bidding/{toy_log.partition(POISON)}/{bad}",
            "KeyError",
        )
        assert role.ready()[0]
        assert "bidding.fragile stands still" in role.ready()[1]

        async def told() -> bool:
            return counted("loanstream_views_broken", view="bidding.fragile") == 1

        await until(told)

    def mended(event: RecordedEvent) -> list[Op]:
        return [Add("all", "count", 1)]

    service = toy()
    whole = Service(
        name="bidding",
        views=tuple(
            View(name=view.name, version=view.version, reads=view.reads, project=mended)
            if view.name == "bidding.fragile"
            else view
            for view in service.views
        ),
        sagas=service.sagas,
    )
    async with projecting(toy_settings, whole):
        await applied(toy_views, toy_log, "bidding.fragile")
        await toy_log.pay("acc_1", 6)
        await toy_log.stored()
        await is_exact(toy_views, toy_log)
        assert (await applied(toy_views, toy_log, "bidding.fragile"))["count"] == sum(
            toy_log.deposits.values()
        )

        async def cleared() -> bool:
            [generation] = await toy_database.generations(["bidding.fragile"])
            return generation.failure is None

        await until(cleared)


async def test_a_change_that_mongodb_refuses_stops_its_view_alone(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """A field below a number cannot be written; the other views of the same batch are."""

    def clumsy(event: RecordedEvent) -> list[Op]:
        below = "n.below" if event.data.amount_fen == 13 else "n"
        return [Set("all", below, event.data.amount_fen)]

    reads = toy().views[1].reads
    service = toy(1, View(name="bidding.clumsy", version=1, reads=reads, project=clumsy))
    async with projecting(toy_settings, service):
        await toy_log.pay("acc_1", 5)
        await toy_log.stored()
        await applied(toy_views, toy_log)
        bad = await toy_log.pay("acc_1", 13)
        await toy_log.stored()

        async def stopped() -> Any:
            [generation] = await toy_database.generations(["bidding.clumsy"])
            return generation.failure

        failure = await until(stopped)
        assert (failure.address, failure.error) == (
            f"bidding/{toy_log.partition('acc_1')}/{bad}",
            "RefusedByMongoDB",
        )
        await toy_log.pay("acc_1", 6)
        await toy_log.stored()
        await is_exact(toy_views, toy_log)
        document = await toy_views.get("bidding.clumsy", "all")
        assert document is not None
        assert document["n"] == 5


@pytest.mark.parametrize(
    "wrong", [{"offset": 10_000, "position": 10_000}, {"hash": "00" * 32}], ids=["ahead", "another log"]
)
async def test_a_view_of_a_lost_timeline_is_built_anew(
    toy_settings: Settings,
    toy_log: ChainedLog,
    toy_views: Views,
    toy_database: Database,
    wrong: dict[str, Any],
) -> None:
    """A log that was cut or replaced is never projected on: the view that was is built again, the others are left alone."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(50)
        await is_exact(toy_views, toy_log)
    mongo = tamper(toy_settings)
    where = toy_log.partition("acc_1")
    name = f"bidding.balances#1/bidding/{where}"
    assert mongo["positions"].update_one({"_id": name}, {"$set": wrong}).matched_count == 1
    mongo["view.bidding.balances.1"].update_many({}, {"$inc": {"available_fen": 1}})
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(10)
        await is_exact(toy_views, toy_log)
    pointers = await toy_database.pointers()
    assert (pointers["bidding.balances"].generation, pointers["bidding.totals"].generation) == (2, 1)


async def test_a_view_of_a_lost_timeline_that_raises_when_it_is_built_stops_alone(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """What was read of it never was: it begins anew, stands still where it raises and says so; the others go on."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(20)
        await is_exact(toy_views, toy_log)
        await applied(toy_views, toy_log, "bidding.fragile")
    mongo = tamper(toy_settings)
    where = toy_log.partition("acc_1")
    name = f"bidding.fragile#1/bidding/{where}"
    assert mongo["positions"].update_one({"_id": name}, {"$set": {"hash": "00" * 32}}).matched_count == 1
    mongo["view.bidding.fragile.1"].update_many({}, {"$set": {"count": 1_000_000}})
    bad = await toy_log.pay(POISON, 7)
    await toy_log.pay_around(10)
    async with projecting(toy_settings, toy()) as role:

        async def told() -> bool:
            return counted("loanstream_views_broken", view="bidding.fragile") == 1

        await until(told)
        await is_exact(toy_views, toy_log)
        address = f"bidding/{toy_log.partition(POISON)}/{bad}"
        assert role.ready() == (True, f"bidding.fragile stands still at {address} (KeyError)")
        document = await look(toy_views, "bidding.fragile", "all")
        assert document is None or document["count"] < sum(toy_log.deposits.values())
        pointer = await toy_database.pointer("bidding.fragile")
        [generation] = [
            each
            for each in await toy_database.generations(["bidding.fragile"])
            if pointer is not None and each.key == pointer.key
        ]
        assert generation.failure is not None
        assert (generation.failure.address, generation.failure.error) == (address, "KeyError")
