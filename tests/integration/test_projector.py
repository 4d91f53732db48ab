"""The projector on a real broker and database: killed in the middle, fed with rubbish, run twice, pointed at another log."""

import asyncio
import os
import signal
import sys

import pytest

from deploy.local.parts import Parts
from libs.events.bidding import AccountOpened, WithdrawalFailed
from libs.runtime.errors import OperatorError
from libs.runtime.feeding import AnotherOwner
from libs.runtime.kafka import create_topics
from libs.runtime.mongo import Database
from libs.runtime.projector import ProjectorRole
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.views import Views
from tests.conftest import MakeSettings
from tests.integration.chained_log import LOG_ID, ChainedLog, toy
from tests.integration.projected import applied, counted, is_exact, look, projecting, until


async def spawn(settings: Settings) -> asyncio.subprocess.Process:
    """The projector in a process of its own."""
    environment = {**os.environ, **settings.environment()}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.chained_log",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )


async def test_a_killed_projector_loses_and_doubles_nothing(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """Killed with -9 three times while decisions, repeats and foreign records come in: every sum is exact."""
    process = await spawn(toy_settings)
    try:
        for _ in range(3):
            await toy_log.pay_around(300)
            await toy_log.repeat(1)
            await toy_log.append(2, b"not json", {})
            await toy_log.append(3, b"{}", {"position": b"1000000", "prev": b"x", "hash": b"y"})
            before = sum(toy_log.deposits.values())
            await toy_log.pay_around(600)

            async def somewhere_behind(count: int = before) -> bool:
                document = await look(toy_views, "bidding.totals", "all")
                return document is not None and document["count"] >= count

            await until(somewhere_behind)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await spawn(toy_settings)
        await is_exact(toy_views, toy_log)
    finally:
        process.kill()
        await process.wait()


async def test_records_that_do_not_fit_the_chain_are_skipped_and_counted(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """Undecodable bytes, a wrong hash and a zombie's repeat stop nothing and leave a trace in the metrics."""
    labels = {"reader": "projector", "service": "bidding"}
    foreign = counted("loanstream_records_foreign_total", **labels)
    repeats = counted("loanstream_records_repeated_total", **labels)
    async with projecting(toy_settings, toy()):
        await toy_log.pay("acc_1", 5)
        where = toy_log.partition("acc_1")
        await toy_log.append(where, b"\xff\xfe not json", {})
        await toy_log.append(
            where, b"", {"position": b"1", "prev": toy_log.head(where).hash, "hash": b"0" * 32}
        )
        await toy_log.repeat(where)
        await toy_log.pay("acc_1", 6)
        await toy_log.stored()
        await is_exact(toy_views, toy_log)
    assert counted("loanstream_records_foreign_total", **labels) == foreign + 2
    assert counted("loanstream_records_repeated_total", **labels) == repeats + 1


async def test_positions_follow_what_changed_nothing(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """A record that changes no document of a view is soon behind its position too, and a restart does not see it again."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay("acc_1", 5)
        where = toy_log.partition("acc_1")
        position = await toy_log.decide(where, [("acc_1", AccountOpened(account_id="acc_1", owner="usr_1"))])
        last = await toy_log.refuse(where, "insufficient_available", source="group|topic|0|1")
        await toy_log.stored()

        async def reached() -> bool:
            return (await toy_views.positions("bidding.totals"))["bidding", where] == last > position

        await until(reached)


async def test_deleting_and_setting_once_work_across_batches(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """The first deposit stays the first; a closed account's document is gone and may come back empty."""
    async with projecting(toy_settings, toy()):
        for amount_fen in (5, 6, 7):
            await toy_log.pay("acc_1", amount_fen)
            await toy_log.stored()
            await applied(toy_views, toy_log)
        document = await toy_views.get("bidding.balances", "acc_1")
        assert document is not None
        assert (document["first_fen"], document["available_fen"], document["deposits"]) == (5, 18, 3)
        assert document["src"] == {"acc_1": f"bidding/{toy_log.partition('acc_1')}/2/0"}
        closed = WithdrawalFailed(
            account_id="acc_1",
            owner="usr_1",
            withdrawal_id="w",
            bank_reference="r",
            amount_fen=1,
            available_after_fen=1,
            held_after_fen=0,
            postings=(),
        )
        await toy_log.decide(toy_log.partition("acc_1"), [("acc_1", closed)])
        await toy_log.pay("acc_1", 9)
        await toy_log.stored()
        await applied(toy_views, toy_log)
        document = await toy_views.get("bidding.balances", "acc_1")
        assert document is not None
        assert (document["first_fen"], document["deposits"]) == (9, 1)


async def test_a_second_owner_stops_the_projector(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """Two projectors on the same views: one stops with a sentence, the other one's sums stay exact."""
    other = Service(name="reporting")
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    for services in ([toy()], [toy(), other]):
        role = ProjectorRole(toy_settings, services)
        tasks.append(asyncio.create_task(role.run(stop)))

        async def ready(role: ProjectorRole = role) -> bool:
            return role.ready()[0]

        await until(ready)
    await toy_log.pay_around(200)
    done, pending = await asyncio.wait(tasks, timeout=90, return_when=asyncio.FIRST_COMPLETED)
    [stopped] = done
    with pytest.raises(AnotherOwner, match="two projectors run on the same views"):
        await stopped
    await is_exact(toy_views, toy_log)
    stop.set()
    await asyncio.gather(*pending)


async def test_partitions_move_between_projectors_of_one_group(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """While decisions come in, a second projector joins and leaves: the batch in work is finished first, sums are exact."""
    async with projecting(toy_settings, toy()) as first:
        writing = True

        async def write() -> None:
            while writing:
                await toy_log.pay_around(30)
                await asyncio.sleep(0.05)

        writer = asyncio.create_task(write())
        for _ in range(2):
            async with projecting(toy_settings, toy()) as second:

                async def shared(second: ProjectorRole = second) -> bool:
                    return 0 < len(first.assigned()) < 4 and 0 < len(second.assigned()) < 4

                await until(shared)

            async def alone() -> bool:
                return len(first.assigned()) == 4

            await until(alone)
        writing = False
        await writer
        await is_exact(toy_views, toy_log)


async def test_a_new_version_builds_itself(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views, toy_database: Database
) -> None:
    """A view that names another version is built beside the old one and read when it has caught up."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay_around(100)
        await is_exact(toy_views, toy_log)
    async with projecting(toy_settings, toy(version=2)):
        await toy_log.pay_around(50)
        await is_exact(toy_views, toy_log)
        pointer = await toy_database.pointer("bidding.balances")
        assert pointer is not None
        assert (pointer.generation, pointer.version) == (2, 2)
        other = await toy_database.pointer("bidding.totals")
        assert other is not None
        assert other.generation == 1


async def test_a_record_larger_than_a_batch_is_applied(
    toy_settings: Settings, toy_log: ChainedLog, toy_views: Views
) -> None:
    """A decision of three mebibytes stands alone in its transaction."""
    async with projecting(toy_settings, toy()):
        await toy_log.pay("acc_1", 5)
        await toy_log.pay("acc_1", 1, times=7000)
        await toy_log.pay("acc_1", 5)
        await toy_log.stored()
        await is_exact(toy_views, toy_log)


async def test_topics_are_checked_at_the_start(parts: Parts, make_settings: MakeSettings) -> None:
    """A missing topic and another partition count are told in a sentence, not waited for."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo, log_id=LOG_ID)
    with pytest.raises(OperatorError, match="does not exist"):
        await ProjectorRole(settings, [toy()]).run(asyncio.Event())
    name = f"{settings.topic_prefix}bidding.events"
    await create_topics(settings.require_kafka(), [name], partitions=3, replication=1, configs={name: {}})
    with pytest.raises(OperatorError, match="has 3 partitions, the settings say 4"):
        await ProjectorRole(settings, [toy()]).run(asyncio.Event())
