"""A broker that came back without the end of its log: what was decided is decided again, or marked where it cannot be."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.parts import LocalParts, Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import AccountOpened, FundsDeposited
from libs.events.chain import Checkpoint
from libs.events.system import BusinessDateSet
from libs.runtime.export import export
from libs.runtime.following import Follower
from libs.runtime.forks import decided_again
from libs.runtime.heads import heads_file, read
from libs.runtime.kafka import Place, offsets
from libs.runtime.rebuild import rebuild_views
from libs.runtime.repairing import repair
from libs.runtime.service import load_services
from libs.runtime.settings import Settings
from libs.runtime.verify import verify
from services.repayment.commands import OpenCalendar
from tests.conftest import MakeSettings
from tests.integration.log_client import LogClient
from tests.integration.test_copying import pay
from tools.faults.power_cut import cut_last

DECIDING = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
VIEWS = (ProcessPlan("views", "all", "projector"),)
SERVICES = list(load_services("demo").values())


@pytest.fixture
def own(tmp_path: Path, parts: Parts) -> Iterator[LocalParts]:
    """A broker whose files this test may cut, beside the database of all."""
    with LocalParts(tmp_path / "own", mongo=parts.mongo) as broker:
        yield broker


def cut(own: LocalParts, topic: str, lose: int) -> int:
    """Stop the broker, cut the last records off each partition of a topic, and start it again. Gives how many were lost."""
    return cut_all(own, {topic: lose})[topic]


def cut_all(own: LocalParts, lose: Mapping[str, int]) -> dict[str, int]:
    """One power cut that takes the ends of several topics along. Gives how many records each has lost."""
    own.stop()
    logs = own.data_dir / "kafka" / "log"
    lost = {topic: cut_last(logs, topic, count) for topic, count in lose.items()}
    own.start()
    return lost


async def lines_of(settings: Settings) -> list[bytes]:
    """Every event of the log."""
    lines: list[bytes] = []
    await export(settings, None, lines.append)
    return lines


async def ends_of(settings: Settings, topic: str) -> int:
    """How many records a topic holds."""
    places = [Place(f"{settings.topic_prefix}{topic}", number) for number in range(settings.partitions)]
    return sum(end for _, end in (await offsets(settings.require_kafka(), places)).values())


async def play(
    settings: Settings, own: LocalParts, *, first: int, count: int, opens: bool = False
) -> Settings:
    """Run the deciding services, let some customers pay in, and stop them."""
    with Stack(settings, processes=DECIDING, parts=own) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            if opens:
                calendar = OpenCalendar(business_date=date(2024, 1, 31))
                await client.send("repayment", "calendar", calendar, "cal")
                await client.read_until(lambda: len(client.of(BusinessDateSet)) == 8)
            for number in range(first, first + count):
                await pay(client, number)
            await client.read_until(lambda: len(client.of(FundsDeposited)) == first + count)
            assert len(client.of(AccountOpened)) == first + count
        return stack.settings


def signed(settings: Settings) -> list[tuple[Follower, Checkpoint]]:
    """The last signed head of each of bidding's partitions, and who waits for it as a policy does."""
    last = {each.head.partition: each.head for _, each in read(heads_file(settings, "bidding")) if each}
    return [
        (
            Follower(settings, "bidding", number),
            Checkpoint(head.offset, head.position, bytes.fromhex(head.hash)),
        )
        for number, head in sorted(last.items())
    ]


async def views_are_whole(settings: Settings) -> None:
    """Every view equals its rebuilt self."""
    reports: list[Any] = await rebuild_views(settings, SERVICES, [], True, lambda *_: None)
    assert [(each.view, each.equal) for each in reports] == [(each.view, True) for each in reports]


async def test_a_lost_tail_of_events_is_decided_again(own: LocalParts, make_settings: MakeSettings) -> None:
    """Nobody has to delete anything: stores and views are built anew, every event and signed head is there again.

    Who waits for a lost decision, as policies do, gets it at the offset that it had.
    """
    settings = make_settings(kafka=own.kafka)
    settings = await play(settings, own, first=0, count=12, opens=True)
    with Stack(settings, processes=VIEWS, parts=own):
        pass  # ready means that every view was built
    before = await lines_of(settings)
    lost = await asyncio.to_thread(cut, own, f"{settings.topic_prefix}bidding.events", 5)
    assert lost >= 5
    report = await verify(settings, "bidding", require_heads=True)
    assert any("the tail was cut" in fault for each in report.partitions for fault in each.faults)
    with Stack(settings, processes=VIEWS, parts=own) as stack:
        assert "timeline_lost" in (stack.settings.logs_dir / "views.log").read_text()
    await views_are_whole(settings)

    heads = await asyncio.to_thread(signed, settings)
    waiting = asyncio.gather(*(decided_again(*each, "this test", asyncio.Event()) for each in heads))
    settings = await play(settings, own, first=12, count=0)
    found = await asyncio.wait_for(waiting, 90)
    assert [reader and reader.head for reader in found] == [head for _, head in heads]
    assert "store_thrown_away" in (settings.logs_dir / "bidding.log").read_text()
    assert await lines_of(settings) == before
    report = await verify(settings, "bidding", require_heads=True)
    assert (report.ok, report.total("undecided"), report.total("foreign")) == (True, 0, 0)
    with Stack(settings, processes=VIEWS, parts=own):
        pass
    await views_are_whole(settings)


async def test_lost_commands_are_repaired_and_deciding_goes_on(
    own: LocalParts, make_settings: MakeSettings
) -> None:
    """The decisions stay, their positions are marked, and the next commands are decided behind them."""
    settings = await play(make_settings(kafka=own.kafka), own, first=0, count=6, opens=True)
    before, held = await lines_of(settings), await ends_of(settings, "bidding.commands")
    lost = await asyncio.to_thread(cut, own, f"{settings.topic_prefix}bidding.commands", 2)
    assert await ends_of(settings, "bidding.commands") == held - lost
    told = await repair(settings, "bidding", yes=False)
    assert sum(damage.missing for damage in told) == lost
    assert await ends_of(settings, "bidding.commands") == held - lost
    await repair(settings, "bidding", yes=True)
    assert await ends_of(settings, "bidding.commands") == held
    report = await verify(settings, "bidding")
    assert (report.ok, report.total("repaired")) == (True, lost)
    settings = await play(settings, own, first=6, count=2)
    after = await lines_of(settings)
    assert set(before) < set(after)
    report = await verify(settings, None)
    assert (report.ok, report.total("repaired"), report.total("undecided")) == (True, lost, 0)
