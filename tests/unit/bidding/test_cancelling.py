"""A listing is taken back before it is filled and never after; a bid that was accepted is never taken back."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.codec import encode
from services.bidding.commands import (
    CancelListing,
    ConfirmTopUp,
    OpenAccount,
    PlaceBid,
    RequestTopUp,
)
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.listing_story import (
    ALL_CAPTURED,
    APPLICATION,
    APPLIED,
    BID_BACK,
    CANCELLED,
    EXPIRED,
    FIRST,
    FULL,
    FUNDED,
    OPENED,
    PLACED,
    TAKE_BACK,
    TO_FUND,
    TO_REVIEW,
    WITHDRAW,
    accepted,
    declined,
    open_listing,
    taken_back,
    turned_down_by,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.bidding.town import Town
from tests.unit.given import fold

LISTING = aggregate(DEMO)
BEA, ANN, OLE = on(principal="usr_bea"), on(principal="usr_ann"), on(principal="stf_ole")
GONE = taken_back("operator", "duplicate")

SPECS = [
    Spec(
        "the borrower takes it back, and every hold with it",
        (OPENED, PLACED),
        WITHDRAW,
        (taken_back("borrower", "borrower_withdrew", accepted(1, FIRST)),),
        BEA,
    ),
    Spec("an operator, too", (OPENED,), TAKE_BACK, (GONE,), OLE),
    Spec(
        "an application hears of it",
        (APPLIED,),
        TAKE_BACK,
        (replace(GONE, application_id="app_1"),),
        OLE,
    ),
    Spec("once", (OPENED, GONE), TAKE_BACK, (), OLE),
    Spec("whoever it was", (OPENED, GONE), WITHDRAW, (), BEA),
    Spec("nobody else's listing exists for a customer", (OPENED,), WITHDRAW, "unknown_listing", ANN),
    Spec("nor does one that was never opened", (), TAKE_BACK, "unknown_listing", OLE),
    Spec("nor one that was turned down", (turned_down_by("x"),), TAKE_BACK, "unknown_listing", OLE),
    Spec(
        "a borrower finds no fault with it",
        (OPENED,),
        CancelListing(code="duplicate", by="borrower"),
        "forbidden_code",
        BEA,
    ),
    Spec(
        "an operator wishes nothing",
        (OPENED,),
        CancelListing(code="borrower_withdrew", by="operator"),
        "forbidden_code",
        OLE,
    ),
    Spec("a filled one stays", FULL, TAKE_BACK, "listing_filled", OLE),
    Spec("for its borrower, too", TO_REVIEW, WITHDRAW, "listing_filled", BEA),
    Spec("while the caps are looked at", TO_FUND, TAKE_BACK, "listing_filled", OLE),
    Spec("while it is funded", (*FULL, FUNDED), TAKE_BACK, "listing_filled", OLE),
    Spec("when it is a loan", ALL_CAPTURED, WITHDRAW, "listing_filled", BEA),
    Spec("an expired one has ended", (OPENED, EXPIRED), TAKE_BACK, "listing_ended", OLE),
    Spec("no bid comes after it", (OPENED, GONE), FIRST, (declined(FIRST, "listing_closed"),), on()),
    Spec("an accepted bid stays", (OPENED, PLACED), BID_BACK, "bid_accepted", ANN),
    Spec("when it is full, too", FULL, BID_BACK, "bid_accepted", ANN),
    Spec("another's is unknown", (OPENED, PLACED), BID_BACK, "unknown_bid", on(principal="usr_cem")),
    Spec("one that never came, too", (OPENED,), BID_BACK, "unknown_bid", ANN),
    Spec("what has ended has no bids", ALL_CAPTURED, BID_BACK, "listing_ended", ANN),
    Spec("nor what was taken back", (OPENED, PLACED, GONE), BID_BACK, "listing_ended", ANN),
    Spec("no listing, no bid", (), BID_BACK, "unknown_listing", ANN),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_taking_back(spec: Spec) -> None:
    """Every rule of taking back a listing or a bid holds."""
    spec.check(LISTING)


def test_what_was_taken_back_wakes_no_more_and_is_the_same_however_it_ended() -> None:
    """Its window does not matter any more, and its state is that of any cancelled listing."""
    state = fold(LISTING, (OPENED, PLACED, GONE))
    assert LISTING.wake_on(state) is None
    after_review = fold(LISTING, (OPENED, *TO_REVIEW[1:], CANCELLED))
    assert encode(LISTING.state, state) == encode(LISTING.state, after_review)


@pytest.mark.parametrize("has_arrived", [False, True])
def test_all_money_comes_back(has_arrived: bool) -> None:
    """A whole town: a bid, perhaps on its way still, and the listing is taken back; nothing stays held."""
    town = Town()
    town.does("lst_1", open_listing(**APPLICATION))
    town.does("acc_ann", OpenAccount(owner="usr_ann"))
    town.does("acc_ann", RequestTopUp(top_up_id="top_1", amount_fen=2_000_00), "usr_ann")
    paid_in: dict[str, Any] = {"bank_reference": "B1", "amount_fen": 2_000_00, "succeeded": True}
    town.does("acc_ann", ConfirmTopUp(top_up_id="top_1", **paid_in))
    hold = PlaceBid(bid_id="bid_a", hold_id="hold_a", listing_id="lst_1", amount_fen=900_00)
    town.does("acc_ann", hold, "usr_ann")
    if has_arrived:
        town.settle(lambda _: 0)
        assert town.states["lst_1"].raised_fen == 900_00
    town.does("lst_1", WITHDRAW, "usr_bea")
    town.settle(lambda _: 0)
    account = town.states["acc_ann"]
    assert (account.available_fen, account.held_fen, dict(account.holds)) == (2_000_00, 0, {})
    assert town.states["lst_1"].kind == "cancelled"
