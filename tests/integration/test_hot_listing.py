"""The hot listing on a real broker: thousands of bids at once, of whom the first in the log are served, to the fen, and no others."""

from datetime import date
from decimal import Decimal
from typing import Any

from deploy.local.parts import Parts
from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import (
    BidDeclined,
    BidPlaced,
    FundsCollected,
    FundsDeposited,
    FundsHeld,
    HoldCaptured,
    HoldReduced,
    HoldReleased,
    ListingFilled,
    ListingOpened,
    LoanFunded,
)
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanOpened
from libs.events.system import BusinessDateSet, CommandRefused
from services.bidding.commands import OpenListing, PlaceBid
from services.repayment.commands import OpenCalendar
from tests.conftest import MakeSettings
from tests.integration.log_client import LogClient
from tools.bench.people import Customer, Said, deposits, openings, say

WRITERS = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
INVESTORS, BIDS = 220, 2_200
DEPOSIT_FEN, AMOUNT_FEN = 2_000_00, 99_999_37
PEOPLE = [Customer(f"usr_h{number}", f"acc_h{number}", "") for number in range(INVESTORS)]


def all_bids() -> list[Said]:
    """Everybody bids 100 or 200 yuan again and again, in the end more than he has; every third bid may be taken in part."""
    found: list[Said] = []
    for number in range(BIDS):
        one = PEOPLE[number % INVESTORS]
        bid = PlaceBid(
            bid_id=f"bid_h{number}",
            hold_id=f"hold_h{number}",
            listing_id="lst_hot",
            amount_fen=(100_00, 200_00)[number % 2],
            allow_partial=number % 3 == 0,
        )
        found.append((one.account, bid, f"bid-{number}", one.user))
    return found


async def test_a_hot_listing_is_filled_exactly_in_the_order_of_the_log(
    parts: Parts, make_settings: MakeSettings
) -> None:
    """2,200 bids of 220 people: nobody overdrawn, nothing overfunded, who lost has everything back, nothing stays held."""
    settings = make_settings(kafka=parts.kafka, mongo=parts.mongo)
    with Stack(settings, processes=WRITERS, parts=parts) as stack:
        async with LogClient(stack.settings, ("bidding", "repayment")) as client:
            await client.send("repayment", "calendar", OpenCalendar(business_date=date(2024, 1, 15)), "cal")
            await client.read_until(lambda: len(client.of(BusinessDateSet)) == 8)
            await say(stack.settings, "bidding", openings(PEOPLE))
            await say(stack.settings, "bidding", deposits(PEOPLE, DEPOSIT_FEN))
            await say(stack.settings, "bidding", [("lst_hot", _listing(), "list", "stf_operator")])
            await client.read_until(lambda: len(client.of(FundsDeposited)) == INVESTORS)
            await client.read_until(lambda: len(client.of(ListingOpened)) == 1)
            await say(stack.settings, "bidding", all_bids())
            await client.read_until(lambda: _answered(client) == BIDS)
            await client.read_until(lambda: len(client.of(LoanOpened)) == 1)
            await client.read_until(lambda: _ended(client) == len(client.of(FundsHeld)))
    _served_in_order([event for event in client.events if event.stream == "lst_hot"])
    _nothing_is_lost(client)


def _listing() -> OpenListing:
    return OpenListing(
        loan_id="loan_hot",
        borrower="usr_borrower",
        amount_fen=AMOUNT_FEN,
        annual_rate=Decimal("0.12"),
        tenor_months=12,
        grade="B",
        window_days=10,
        origination_fee_fen=0,
        interest_fee_permille=0,
    )


def _answered(client: LogClient) -> int:
    """Bids that were refused by their accounts, or answered by the listing."""
    refused = [one for one in client.of(CommandRefused) if one.command_type == "bidding.PlaceBid"]
    return len(refused) + len(client.of(BidPlaced)) + len(client.of(BidDeclined))


def _ended(client: LogClient) -> int:
    return len(client.of(HoldReleased)) + len(client.of(HoldCaptured))


def _served_in_order(told: list[RecordedEvent]) -> None:
    """Up to the bid that fills it every bid is taken that fits, and from then on none: the log's order is that of service."""
    positions = [int(event.address.split("/")[2]) for event in told]
    assert positions == sorted(positions)
    answers = [event.data for event in told if isinstance(event.data, BidPlaced | BidDeclined)]
    left, order = AMOUNT_FEN, 0
    for answer in answers:
        if isinstance(answer, BidDeclined):
            assert answer.code == ("listing_full" if left == 0 else "bid_above_remaining")
            assert left == 0 or answer.amount_fen > left
            continue
        left, order = left - answer.bid.amount_fen, order + 1
        assert (answer.remaining_after_fen, answer.bid.order) == (left, order)
        assert answer.excess_fen == 0 or left == 0
    assert left == 0
    assert len([event for event in told if isinstance(event.data, ListingFilled)]) == 1


def _nothing_is_lost(client: LogClient) -> None:
    """Money: what was held is lent or free again; the loan is its claims; no balance is negative, and none is held."""
    [funded], [collected] = client.of(LoanFunded), client.of(FundsCollected)
    assert sum(claim.principal_fen for claim in funded.claims) == AMOUNT_FEN == collected.amount_fen
    held = sum(event.amount_fen for event in client.of(FundsHeld))
    back = sum(event.amount_fen for event in (*client.of(HoldReleased), *client.of(HoldReduced)))
    captured = sum(event.amount_fen for event in client.of(HoldCaptured))
    assert (held - back, captured) == (AMOUNT_FEN, AMOUNT_FEN)
    last: dict[str, Any] = {}
    for event in client.events:
        if hasattr(event.data, "held_after_fen"):
            last[event.data.account_id] = event.data
            assert event.data.available_after_fen >= 0
    assert {account: data.held_after_fen for account, data in last.items() if data.held_after_fen} == {}
    lenders = [last[one.account].available_after_fen for one in PEOPLE]
    assert sum(lenders) == INVESTORS * DEPOSIT_FEN - AMOUNT_FEN
    codes = {one.code for one in client.of(CommandRefused)}
    assert codes <= {"insufficient_available"}
