"""Bids of standing orders: accounts hold what an order allows, the listing answers on what those before have left."""

from dataclasses import replace
from typing import Any

import pytest

from services.bidding.domain.account import aggregate as account_aggregate
from services.bidding.domain.listing import aggregate as listing_aggregate
from services.bidding.domain.profile import DEMO
from tests.unit.bidding import account_story as account
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import specs
from tests.unit.bidding.specs import Spec, on
from tests.unit.bidding.standing_story import (
    ANNS,
    ANSWERED,
    CEMS,
    HOLD,
    RECORD_BIDS,
    answered,
    bid,
    held_funds,
    nothing_held,
    took,
    took_nothing,
)

LISTING = listing_aggregate(DEMO)
ACCOUNT = account_aggregate(DEMO)
ACCOUNT_SPECS = [
    Spec("an order's money is held", account.rich(600_00), HOLD, (held_funds(500_00, 100_00),), on()),
    Spec("in whole steps above what stays", account.rich(499_99), HOLD, (held_funds(400_00, 99_99),), on()),
    Spec("once", (*account.rich(600_00), held_funds(500_00, 100_00)), HOLD, (), on()),
    Spec("what stays, stays", account.rich(149_99), HOLD, (nothing_held("keeps_back"),), on()),
    Spec(
        "nobody bids what he has not",
        account.rich(99_99),
        HOLD,
        (nothing_held("insufficient_available"),),
        on(),
    ),
    Spec(
        "nor on a related party's loan",
        (*account.rich(), account.RELATED),
        HOLD,
        (nothing_held("related_party"),),
        on(),
    ),
    Spec(
        "nor when he has left",
        (specs.OPENED, account.CLOSED),
        HOLD,
        (nothing_held("account_closed"),),
        on(),
    ),
    Spec("without an account nothing is held", (), HOLD, "unknown_account", on()),
]


def placed(order: int, each: Any, taken_fen: int, raised_fen: int) -> Any:
    """An order's bid was accepted, all of it or a part."""
    command = replace(
        listing.bid("x", each.amount_fen),
        bid_id=each.bid_id,
        hold_id=each.hold_id,
        account_id=each.account_id,
        investor=each.investor,
    )
    event = listing.in_part(order, command, taken_fen, raised_fen)
    return replace(event, bid=replace(event.bid, standing_order=each.order_id))


DAN = bid("dan", 3, 300_00)
DECLINED = listing.declined(
    replace(
        listing.bid("x", 300_00),
        bid_id="bid_auto3",
        hold_id="hold_auto3",
        account_id="acc_dan",
        investor="usr_dan",
    ),
    "listing_full",
)
LISTING_SPECS = [
    Spec(
        "the orders' bids are taken in their turns",
        (listing.OPENED,),
        RECORD_BIDS,
        (placed(1, ANNS, 500_00, 500_00), placed(2, CEMS, 400_00, 900_00), ANSWERED),
        on(),
    ),
    Spec(
        "the last may be taken in part, and who comes after it is declined",
        (listing.OPENED, listing.placed(1, listing.bid("m", 400_00), 400_00)),
        replace(RECORD_BIDS, bids=(ANNS, CEMS, DAN)),
        (
            placed(2, ANNS, 500_00, 900_00),
            placed(3, CEMS, 100_50, 1_000_50),
            replace(listing.FILLED, bid_count=3),
            DECLINED,
            answered(
                took("ann", 500_00),
                took("cem", 100_50),
                took_nothing("dan", "listing_full"),
                remaining_fen=0,
                ended="listing_full",
            ),
        ),
        on(),
    ),
    Spec(
        "once",
        (listing.OPENED, placed(1, ANNS, 500_00, 500_00), placed(2, CEMS, 400_00, 900_00)),
        RECORD_BIDS,
        (),
        on(),
    ),
    Spec(
        "after its end it takes none",
        (listing.OPENED, listing.EXPIRED),
        replace(RECORD_BIDS, bids=(DAN,)),
        (
            replace(DECLINED, code="listing_closed"),
            answered(took_nothing("dan", "listing_closed"), remaining_fen=0, ended="listing_closed"),
        ),
        on(),
    ),
    Spec(
        "nor on the day after, before it was told to end",
        (listing.OPENED,),
        replace(RECORD_BIDS, bids=(DAN,)),
        (
            replace(DECLINED, code="listing_closed"),
            answered(took_nothing("dan", "listing_closed"), remaining_fen=1_000_50, ended="listing_closed"),
        ),
        on(listing.CLOSES.replace(day=21)),
    ),
    Spec("nor one that is not there", (), RECORD_BIDS, "unknown_listing", on()),
]


@pytest.mark.parametrize("each", ACCOUNT_SPECS, ids=lambda each: each.says)
def test_an_account_holds_for_an_order(each: Spec) -> None:
    """What the order allows, never what stays."""
    each.check(ACCOUNT)


@pytest.mark.parametrize("each", LISTING_SPECS, ids=lambda each: each.says)
def test_a_listing_answers_orders(each: Spec) -> None:
    """Each bid on what those before it have left, like anybody's."""
    each.check(LISTING)
