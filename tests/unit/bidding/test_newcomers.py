"""To whom and when a listing opens, and what is said of a borrower who is near to the staff: each refused or declined by name."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

import services.bidding.domain.account as account
from libs.events.deciding import Wake
from services.bidding.commands import CheckListing
from services.bidding.domain.disclosure import hash_of, text_of
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from tests.unit.bidding import account_story as money
from tests.unit.bidding.listing_story import (
    FIRST,
    LAWFUL,
    OPENED,
    PACK,
    PACK_HASH,
    PREPARED,
    PUBLISHED,
    TAKE_BACK,
    bid,
    checked,
    declined,
    open_listing,
    opened,
    placed,
    taken_back,
    turned_down_by,
)
from tests.unit.bidding.newcomer_story import FOR_NEWCOMERS, IN_3_DAYS, OPENING, SCHEDULED
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import TODAY, given

LISTING = aggregate(replace(DEMO, newcomer_caps_fen=((date.min, 300_00),)))
LAW = aggregate(CN_P2P_2016)
OLD_HAND = replace(bid("a", 100_00), has_lent=True)
OPENS = Wake(business_date=IN_3_DAYS - timedelta(days=1), phase=1)
LATER = open_listing(opens_on=IN_3_DAYS)
ROOM = bid("a", 300_00)
SPECS = [
    Spec("a newcomer bids", (FOR_NEWCOMERS,), ROOM, (placed(1, ROOM, 300_00),), on()),
    Spec("once", (FOR_NEWCOMERS, placed(1, ROOM, 300_00)), ROOM, (), on()),
    Spec("nobody else", (FOR_NEWCOMERS,), OLD_HAND, (declined(OLD_HAND, "newcomers_only"),), on()),
    Spec("who may elsewhere", (OPENED,), OLD_HAND, (placed(1, OLD_HAND, 100_00),), on()),
    Spec(
        "up to the newcomers' cap",
        (FOR_NEWCOMERS,),
        bid("a", 400_00),
        (declined(bid("a", 400_00), "above_newcomer_cap"),),
        on(),
    ),
    Spec(
        "with all his bids",
        (FOR_NEWCOMERS, placed(1, ROOM, 300_00)),
        bid("b", 100_00),
        (declined(bid("b", 100_00), "above_newcomer_cap"),),
        on(),
    ),
    Spec("elsewhere it is no cap", (OPENED,), bid("a", 400_00), (placed(1, bid("a", 400_00), 400_00),), on()),
    Spec("by hand, too", (), open_listing(newcomers_only=True), (FOR_NEWCOMERS,), on()),
    Spec("a listing opens by hand on a day to come", (), LATER, (SCHEDULED,), on()),
    Spec("once", (SCHEDULED,), LATER, (), on()),
    Spec("on other terms it is another", (SCHEDULED,), replace(LATER, grade="C"), "listing_exists", on()),
    Spec("today is now", (), open_listing(opens_on=TODAY), (OPENED,), on()),
    Spec(
        "a day that is over is none",
        (),
        open_listing(opens_on=TODAY - timedelta(days=1)),
        "invalid_opening",
        on(),
    ),
    Spec(
        "nor is the far future",
        (),
        open_listing(opens_on=TODAY + timedelta(days=31)),
        "invalid_opening",
        on(),
    ),
    Spec("nobody bids before", (SCHEDULED,), FIRST, "unknown_listing", on()),
    Spec("it opens as its day begins", (SCHEDULED,), OPENS, (OPENING,), on(OPENS.business_date)),
    Spec("not before", (SCHEDULED,), replace(OPENS, business_date=TODAY), (), on()),
    Spec(
        "unless it is taken back",
        (SCHEDULED,),
        TAKE_BACK,
        (replace(taken_back("operator", "duplicate")),),
        on(principal="stf_ole"),
    ),
    Spec(
        "staff's loan is marked",
        (),
        open_listing(related_to_staff=True),
        (opened(related_to_staff=True),),
        on(),
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_newcomers_and_days(spec: Spec) -> None:
    """Each rule about to whom and when a listing opens, in a sentence."""
    spec.check(LISTING)


def test_who_publishes_says_to_whom() -> None:
    """Newcomers are a matter of the second person's look, now and for a day to come; the hand that prepares does not say it."""
    for_newcomers = CheckListing(verdict="approve", content_hash=PACK_HASH, newcomers_only=True)
    lia = on(principal="stf_lia")
    now = replace(checked(), newcomers_only=True)
    given(LAW, PREPARED).when(for_newcomers, lia).then(now, replace(PUBLISHED, newcomers_only=True))
    later = replace(checked(opens_on=IN_3_DAYS), newcomers_only=True)
    given(LAW, PREPARED).when(replace(for_newcomers, opens_on=IN_3_DAYS), lia).then(later)
    opening = replace(PUBLISHED, newcomers_only=True, closes_on=IN_3_DAYS + timedelta(days=4))
    given(LAW, PREPARED, later).when(OPENS, on(OPENS.business_date)).then(opening)
    for said in ({"newcomers_only": True}, {"opens_on": IN_3_DAYS}):
        ask = open_listing(**(LAWFUL | said))
        given(LAW).when(ask, on()).then(turned_down_by("invalid_opening"))


def test_a_ceiling_that_comes_down_keeps_a_scheduled_listing_shut() -> None:
    """What was put there by hand is looked at for the day on which it opens."""
    fallen = replace(DEMO, rate_ceilings=((date.min, Decimal(1)), (IN_3_DAYS, Decimal("0.12"))))
    refused = replace(turned_down_by("invalid_rate"), application_id="", listing_id="lst_1")
    given(aggregate(fallen), SCHEDULED).when(OPENS, on(OPENS.business_date)).then(refused)


def test_nobody_is_a_newcomer_after_his_first_captured_bid() -> None:
    """A bid carries what its account knows: holding and getting back is no lending, a capture is, for ever."""
    accounts = account.aggregate(DEMO)
    before = (*money.rich(), money.HELD_FUNDS, money.RELEASED)
    given(accounts, *before).when(money.PLACE, on(principal="usr_ann")).then(money.HELD_FUNDS)
    after = (*before, money.HELD_FUNDS, money.CAPTURED)
    (held,) = (
        given(accounts, *after)
        .when(replace(money.PLACE, hold_id="hold_2", amount_fen=1_00), on(principal="usr_ann"))
        .events
    )
    assert held.has_lent


def test_staff_are_named_to_investors_or_not_listed() -> None:
    """Red line 3: the disclosure says so and the text is hashed; a profile that lists no such loan turns it down by name."""
    marked = replace(PACK, related_to_staff=True)
    assert "\nstaff of this platform or related to staff: yes\n" in text_of(marked)
    prepared = replace(PREPARED, disclosure=marked, content_hash=hash_of(text_of(marked)))
    ask = open_listing(**LAWFUL, related_to_staff=True)
    given(LAW).when(ask, on()).then(prepared)
    read = CheckListing(verdict="approve", content_hash=prepared.content_hash)
    (_, opening) = given(LAW, prepared).when(read, on(principal="stf_lia")).events
    assert opening.related_to_staff
    refusing = aggregate(replace(CN_P2P_2016, staff_related="refused"))
    given(refusing).when(ask, on()).then(turned_down_by("related_to_staff"))
    by_hand = aggregate(replace(DEMO, staff_related="refused"))
    given(by_hand).when(open_listing(related_to_staff=True), on()).then_refused("related_to_staff")
