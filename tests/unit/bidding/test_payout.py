"""Whoever decides does not execute: a reviewed listing is paid out by a third person, a small one by itself."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.bidding.commands import ConfirmFunding, ExecutePayout, FundListing, RejectFunding, ReviewListing
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.listing_story import (
    APPLIED,
    ASKED_CAPS,
    BID_BACK,
    CANCELLED,
    CAPTURE_A,
    EXPIRED,
    FIRST,
    FULL,
    FUNDED,
    FUNDED_APPLICATION,
    FUNDED_ON,
    OPENED,
    PAYABLE,
    PLACED,
    PREPARED,
    PUBLISHED,
    REVIEWED_BY_TWO,
    TAKE_BACK,
    TO_FUND,
    TO_PAY,
    TO_REVIEW,
    bid,
    checked,
    declined,
    reviewed,
    turned_down_by,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import TODAY, given

LISTING = aggregate(DEMO)
PAY = ExecutePayout(voucher="F8-1")
CAS = on(FUNDED_ON, "stf_cas")
PAID = replace(FUNDED_APPLICATION, executor="stf_cas", voucher="F8-1")
#: The caps are looked at on the day of the pay-out too: they were kept when it was approved, up to ten days before.
ASKED_AGAIN = replace(ASKED_CAPS, executor="stf_cas", voucher="F8-1")
ASKED = (*TO_PAY, ASKED_AGAIN)
NEAR = ConfirmFunding(related_to_staff=True)
OVER_CAP = replace(CANCELLED, code="exposure_cap_exceeded")
BY_HAND = (OPENED, *TO_REVIEW[1:], reviewed("stf_fin", 1))
HAND_TO_PAY = (*BY_HAND, reviewed("stf_fan", 2), replace(PAYABLE, application_id="", owner=None))
HAND_PAID = replace(FUNDED, executor="stf_cas", voucher="F8-1")
REVIEW = ReviewListing(verdict="approve")
#: Leo prepared it and Lia read it before it was published.
PUBLISHED_FULL = (PREPARED, checked(), PUBLISHED, *TO_REVIEW[1:])
OPENED_LATER = (PREPARED, checked(opens_on=TODAY + timedelta(days=1)), PUBLISHED, *TO_REVIEW[1:])
PUBLISHED_TO_PAY = (*PUBLISHED_FULL, *TO_PAY[len(TO_REVIEW) :])

SPECS = [
    Spec(
        "reviewed, caps kept: it may be paid out",
        REVIEWED_BY_TWO,
        ConfirmFunding(),
        (PAYABLE,),
        on(FUNDED_ON),
    ),
    Spec("once", TO_PAY, ConfirmFunding(), (), on(FUNDED_ON)),
    Spec("the caps were kept", TO_PAY, RejectFunding(code="x"), "listing_not_passed", on(FUNDED_ON)),
    Spec(
        "they are not, it ends",
        REVIEWED_BY_TWO,
        RejectFunding(code="exposure_cap_exceeded"),
        (OVER_CAP,),
        on(FUNDED_ON),
    ),
    Spec(
        "one that was opened by hand has no caps",
        BY_HAND,
        ReviewListing(verdict="approve"),
        (reviewed("stf_fan", 2), replace(PAYABLE, application_id="", owner=None)),
        on(FUNDED_ON, "stf_fan"),
    ),
    Spec("a third person pays it out: the caps are looked at again", TO_PAY, PAY, (ASKED_AGAIN,), CAS),
    Spec("once", ASKED, PAY, (), CAS),
    Spec("they are kept, it is funded", ASKED, ConfirmFunding(), (PAID,), on(FUNDED_ON)),
    Spec("funded once", (*ASKED, PAID), ConfirmFunding(), (), on(FUNDED_ON)),
    Spec("paid out once", (*ASKED, PAID), PAY, (), CAS),
    Spec(
        "they are not kept any more, it ends",
        ASKED,
        RejectFunding(code="exposure_cap_exceeded"),
        (OVER_CAP,),
        on(FUNDED_ON),
    ),
    Spec(
        "who came near to the staff is marked: where it may be paid out",
        REVIEWED_BY_TWO,
        NEAR,
        (replace(PAYABLE, related_to_staff=True),),
        on(FUNDED_ON),
    ),
    Spec("where it was", ASKED, NEAR, (replace(PAID, related_to_staff=True),), on(FUNDED_ON)),
    Spec(
        "and where nobody had to",
        TO_FUND,
        NEAR,
        (replace(FUNDED_APPLICATION, related_to_staff=True),),
        on(FUNDED_ON),
    ),
    Spec(
        "who was when it was listed stays so",
        (replace(APPLIED, related_to_staff=True), *TO_FUND[1:]),
        ConfirmFunding(),
        (replace(FUNDED_APPLICATION, related_to_staff=True),),
        on(FUNDED_ON),
    ),
    Spec("what an older release paid out at once is funded", (*TO_PAY, PAID), PAY, (), CAS),
    Spec("one that was opened by hand counts under no cap", HAND_TO_PAY, PAY, (HAND_PAID,), CAS),
    Spec("who reviewed it does not", TO_PAY, PAY, "forbidden_same_person", on(FUNDED_ON, "stf_fin")),
    Spec("nor does the other one", TO_PAY, PAY, "forbidden_same_person", on(FUNDED_ON, "stf_fan")),
    Spec("nor who had prepared it", PUBLISHED_TO_PAY, PAY, "forbidden_same_person", on(FUNDED_ON, "stf_leo")),
    Spec("nor who had checked it", PUBLISHED_TO_PAY, PAY, "forbidden_same_person", on(FUNDED_ON, "stf_lia")),
    Spec("but anybody else", PUBLISHED_TO_PAY, PAY, (ASKED_AGAIN,), CAS),
    Spec(
        "who prepared it does not review it",
        PUBLISHED_FULL,
        REVIEW,
        "forbidden_same_person",
        on(FUNDED_ON, "stf_leo"),
    ),
    Spec("nor who checked it", PUBLISHED_FULL, REVIEW, "forbidden_same_person", on(FUNDED_ON, "stf_lia")),
    Spec(
        "not even when it opened later",
        OPENED_LATER,
        REVIEW,
        "forbidden_same_person",
        on(FUNDED_ON, "stf_lia"),
    ),
    Spec("finance does", PUBLISHED_FULL, REVIEW, (reviewed("stf_fin", 1),), on(FUNDED_ON, "stf_fin")),
    Spec(
        "nor the borrower himself",
        TO_PAY,
        replace(PAY, himself="usr_bea"),
        "forbidden_borrower",
        on(FUNDED_ON, "stf_cas"),
    ),
    Spec("nor the borrower's owner", TO_PAY, PAY, "forbidden_owner", on(FUNDED_ON, "stf_own")),
    Spec("nor a customer", TO_PAY, PAY, "forbidden_not_staff", on(FUNDED_ON, "usr_cas")),
    Spec("nor without a voucher", TO_PAY, replace(PAY, voucher=""), "invalid_voucher", CAS),
    Spec("nor under a sentence", TO_PAY, replace(PAY, voucher="by hand"), "invalid_voucher", CAS),
    Spec("nor before the caps were looked at", REVIEWED_BY_TWO, PAY, "payout_not_approved", CAS),
    Spec("nor before it is full", (APPLIED, PLACED), PAY, "payout_not_approved", CAS),
    Spec("nor after its end", (OPENED, EXPIRED), PAY, "payout_not_approved", CAS),
    Spec("nor what never was", (), PAY, "unknown_listing", CAS),
    Spec("nor what was turned down", (turned_down_by("x"),), PAY, "unknown_listing", CAS),
    Spec("a small one is funded by itself", TO_FUND, ConfirmFunding(), (FUNDED_APPLICATION,), on(FUNDED_ON)),
    Spec("and is paid out already", (*FULL, replace(FUNDED_APPLICATION, application_id="")), PAY, (), CAS),
    Spec("its review was passed", TO_PAY, ReviewListing(verdict="approve"), (), on(FUNDED_ON, "stf_fun")),
    Spec("for good", TO_PAY, ReviewListing(verdict="reject"), "listing_reviewed", on(FUNDED_ON, "stf_fun")),
    Spec("nothing passes it again", TO_PAY, FundListing(), (), on(FUNDED_ON)),
    Spec("nobody takes it back", TO_PAY, TAKE_BACK, "listing_filled", on(FUNDED_ON, "stf_ole")),
    Spec("nor a bid", TO_PAY, BID_BACK, "bid_accepted", on(FUNDED_ON, "usr_ann")),
    Spec("nobody captures before", TO_PAY, CAPTURE_A, "listing_not_funded", on(FUNDED_ON)),
    Spec("nor bids", TO_PAY, bid("c", 100_00), (declined(bid("c", 100_00), "listing_full"),), on()),
    Spec("what was bid is known", TO_PAY, FIRST, (), on()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_paying_out(spec: Spec) -> None:
    """Every rule of approving and executing a pay-out holds."""
    spec.check(LISTING)


def test_the_ceiling_of_the_day_of_the_pay_out_counts() -> None:
    """A contract is made on the day it is paid out: one that costs too much by then is cancelled and every hold released."""
    dear = aggregate(replace(DEMO, rate_ceilings=((date.min, Decimal(1)), (FUNDED_ON, Decimal("0.15")))))
    too_dear = replace(CANCELLED, code="invalid_rate")
    given(dear, *TO_PAY).when(PAY, CAS).then(too_dear)
    given(dear, *ASKED).when(ConfirmFunding(), on(FUNDED_ON)).then(too_dear)
    given(dear, *TO_FUND).when(ConfirmFunding(), on(FUNDED_ON)).then(too_dear)


def test_a_profile_that_lists_no_loan_of_staff_funds_none() -> None:
    """Who has become staff, or related to staff, since his loan was listed does not get it; every hold is released."""
    refusing = aggregate(replace(DEMO, staff_related="refused"))
    ended = replace(CANCELLED, code="related_to_staff")
    for history in (TO_FUND, REVIEWED_BY_TWO, ASKED):
        given(refusing, *history).when(NEAR, on(FUNDED_ON)).then(ended)
    given(refusing, *TO_FUND).when(ConfirmFunding(), on(FUNDED_ON)).then(FUNDED_APPLICATION)
