"""The decider and the policies as real processes on a real broker: killed in the middle, every command twice."""

import asyncio
from collections import Counter
from datetime import date
from decimal import Decimal

import httpx

from deploy.local.parts import Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import FundsCollected, FundsDeposited, HoldCaptured, LoanProceedsCredited
from libs.events.chain import Reading
from libs.events.repayment import LoanOpened
from libs.events.system import BusinessDateSet, CommandRefused, CommandRepeated
from libs.runtime.verify import verify
from services.bidding.commands import ConfirmTopUp, OpenAccount, OpenListing, PlaceBid, RequestTopUp
from services.repayment.commands import OpenCalendar
from tests.conftest import MakeSettings
from tests.integration.log_client import LogClient

WRITERS = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
INVESTORS, LISTINGS = 12, 6
DEPOSIT_FEN, LISTING_FEN = 10_000_000, 1_200_000


async def _open_calendar(client: LogClient) -> None:
    await client.send("repayment", "calendar", OpenCalendar(business_date=date(2024, 1, 31)), "cal")
    await client.read_until(lambda: len(client.of(BusinessDateSet)) == 8)


async def _confirmed(stack: Stack, name: str) -> None:
    """Wait until a process has read back its first decision in every partition: only then its stores hold something."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{stack.settings.api_ports[name]}") as http:
        async with asyncio.timeout(90):
            while (await http.get("/metrics")).text.count("loanstream_business_day{") < 4:  # noqa: ASYNC110 - it is told by no event
                await asyncio.sleep(0.02)


async def _twice(client: LogClient, stream: str, message: object, command_id: str, principal: str) -> None:
    for _ in range(2):
        await client.send("bidding", stream, message, command_id, principal)


async def _fill_accounts(client: LogClient) -> None:
    for number in range(INVESTORS):
        user, account = f"usr_i{number}", f"acc_i{number}"
        await _twice(client, account, OpenAccount(owner=user), f"open-{number}", user)
        top_up = RequestTopUp(top_up_id=f"top_{number}", amount_fen=DEPOSIT_FEN)
        await _twice(client, account, top_up, f"ask-{number}", user)
        answer = ConfirmTopUp(
            top_up_id=f"top_{number}", bank_reference=f"ref{number}", amount_fen=DEPOSIT_FEN, succeeded=True
        )
        await _twice(client, account, answer, f"bank-{number}", "bank")


async def _fill_listing(client: LogClient, number: int) -> None:
    listing = OpenListing(
        loan_id=f"loan_l{number}",
        borrower=f"usr_b{number}",
        amount_fen=LISTING_FEN,
        annual_rate=Decimal("0.12"),
        tenor_months=12,
        grade="B",
        window_days=10,
        origination_fee_fen=12_000,
        interest_fee_permille=100,
    )
    await _twice(client, f"lst_l{number}", listing, f"list-{number}", "usr_op")
    for investor in range(INVESTORS):
        bid = PlaceBid(
            bid_id=f"bid_{number}x{investor}",
            hold_id=f"hold_{number}x{investor}",
            listing_id=f"lst_l{number}",
            amount_fen=LISTING_FEN // INVESTORS,
        )
        await _twice(client, f"acc_i{investor}", bid, f"bid-{number}-{investor}", f"usr_i{investor}")


async def test_killed_deciders_and_policies_lose_and_double_nothing(
    parts: Parts, make_settings: MakeSettings
) -> None:
    """Both services are killed -9 several times while every command arrives twice: every loan is funded exactly once."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo, heads_every_s=0.5)
    with Stack(settings, processes=WRITERS, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            await _open_calendar(client)
            await _fill_accounts(client)
            for number in range(LISTINGS):
                await _fill_listing(client, number)
                victim = stack.child(("bidding", "repayment")[number % 2])
                await asyncio.to_thread(victim.kill)
                victim.start()
            await client.read_until(lambda: len(client.of(LoanOpened)) == LISTINGS)
            await client.read_until(lambda: len(client.of(LoanProceedsCredited)) == LISTINGS)
            report = await verify(stack.settings, None)
    assert [fault for partition in report.partitions for fault in partition.faults] == []
    assert report.total("undecided") == 0
    assert (report.faults, report.heads > 0) == ([], True)  # signed while the writers died
    assert client.readings[Reading.FOREIGN] == 0
    assert Counter(event.account_id for event in client.of(FundsDeposited)) == {
        f"acc_i{n}": 1 for n in range(INVESTORS)
    }
    assert sum(event.amount_fen for event in client.of(HoldCaptured)) == LISTINGS * LISTING_FEN
    assert sorted(event.loan_id for event in client.of(FundsCollected)) == [
        f"loan_l{n}" for n in range(LISTINGS)
    ]
    opened = client.of(LoanOpened)
    assert sorted(event.loan_id for event in opened) == [f"loan_l{n}" for n in range(LISTINGS)]
    assert all(sum(claim.principal_fen for claim in event.claims) == LISTING_FEN for event in opened)
    assert len([event for event in client.of(CommandRepeated) if event.first]) >= INVESTORS * (3 + LISTINGS)
    assert client.of(CommandRefused) == []


async def test_bytes_that_are_no_command_are_parked_and_the_partition_goes_on(
    parts: Parts, make_settings: MakeSettings
) -> None:
    """Undecodable bytes, unknown commands and wrong data each become one `malformed` refusal; what follows is decided."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    with Stack(settings, processes=WRITERS, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            await _open_calendar(client)
            await client.send_bytes("bidding", "acc_a", b"\xff\xfe not json")
            await client.send_bytes("bidding", "acc_a", b'{"command_id": 1}')
            await client.send_bytes("bidding", "acc_a", b"[]" * 200_000)
            await client.send("repayment", "calendar", OpenAccount(owner="usr_a"), "other-service")
            await client.send("bidding", "lst_a", OpenAccount(owner="usr_a"), "other-aggregate")
            await client.send("bidding", "acc_a", OpenAccount(owner="usr_a"), "good")
            await client.read_until(lambda: len(client.of(CommandRefused)) == 5)
            await client.read_until(lambda: any(event.command_id == "good" for event in client.events))
            report = await verify(stack.settings, None)
    assert [refused.code for refused in client.of(CommandRefused)] == ["malformed"] * 5
    assert report.ok
    assert report.total("undecided") == 0


async def test_a_store_of_another_timeline_is_thrown_away(parts: Parts, make_settings: MakeSettings) -> None:
    """A decider whose store was built on another log folds its own from the beginning, and decides as if it had none."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    with Stack(settings, processes=WRITERS, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            await _open_calendar(client)
        for plan in WRITERS:
            await _confirmed(stack, plan.name)
        first = stack.settings
    for topic in list((first.data_dir / "stores").iterdir()):
        topic.rename(topic.with_name("other." + topic.name.rsplit(".", 2)[1] + ".events"))
    other = make_settings(
        kafka=parts.kafka, mongo=parts.mongo, topic_prefix="other.", mongo_database=first.mongo_database
    )
    with Stack(other, processes=WRITERS, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            await _open_calendar(client)
            report = await verify(stack.settings, None)
        told = (stack.settings.logs_dir / "bidding.log").read_text()
    assert report.ok
    assert "store_thrown_away" in told
