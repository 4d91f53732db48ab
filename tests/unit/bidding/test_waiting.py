"""A full listing that nobody reviews, or nobody pays out, ends by itself: no bid is held for ever."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from libs.events.deciding import Wake
from services.bidding.commands import ExecutePayout, ReviewListing
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.listing_story import (
    ASKED_CAPS,
    CANCELLED,
    FULL,
    FUNDED_APPLICATION,
    FUNDED_ON,
    PAYABLE,
    TO_FUND,
    TO_PAY,
    TO_REVIEW,
    reviewed,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import TODAY, fold

LISTING = aggregate(DEMO)
DAY = timedelta(days=1)
APPROVE, PAY = ReviewListing(verdict="approve"), ExecutePayout(voucher="F8-1")
REVIEW_BY, PAY_BY = TODAY + timedelta(days=10), FUNDED_ON + timedelta(days=10)
HALF = (*TO_REVIEW, reviewed("stf_fin", 1))
ASKED_AGAIN = replace(ASKED_CAPS, executor="stf_cas", voucher="F8-1")
PAID = replace(FUNDED_APPLICATION, executor="stf_cas", voucher="F8-1")


def spec(says: str, history: tuple[Any, ...], day: date, then: Any) -> Spec:
    """What the end of a day does to it."""
    return Spec(says, history, Wake(business_date=day, phase=1), then, on(day))


def lapsed(code: str, day: date) -> Any:
    """Every hold is released."""
    return replace(CANCELLED, code=code, cancelled_on=day)


SPECS = [
    spec("nobody reviews it", TO_REVIEW, REVIEW_BY, (lapsed("review_lapsed", REVIEW_BY),)),
    spec("one review is not two", HALF, REVIEW_BY, (lapsed("review_lapsed", REVIEW_BY),)),
    spec("its last day is not over", TO_REVIEW, REVIEW_BY - DAY, ()),
    spec("nobody pays it out", TO_PAY, PAY_BY, (lapsed("payout_lapsed", PAY_BY),)),
    spec("the cashier has his last day", TO_PAY, PAY_BY - DAY, ()),
    spec("what the caps are looked at for waits for no person", TO_FUND, PAY_BY, ()),
    spec("nor does what passes by itself", FULL, PAY_BY, ()),
    spec("what is paid out is paid out", (*TO_PAY, PAID), PAY_BY, ()),
    spec("once", (*TO_PAY, lapsed("payout_lapsed", PAY_BY)), PAY_BY, ()),
    Spec("nor reviewed late", TO_REVIEW, APPROVE, "review_lapsed", on(REVIEW_BY + DAY, "stf_fin")),
    Spec("but on the last day", TO_REVIEW, APPROVE, (reviewed("stf_fin", 1),), on(REVIEW_BY, "stf_fin")),
    Spec("nor paid out late", TO_PAY, PAY, "payout_lapsed", on(PAY_BY + DAY, "stf_cas")),
    Spec("but on the last day", TO_PAY, PAY, (ASKED_AGAIN,), on(PAY_BY, "stf_cas")),
    spec("what the caps are looked at for once more has been paid out", (*TO_PAY, ASKED_AGAIN), PAY_BY, ()),
    spec("an approval of old has no last day", (*TO_PAY[:-1], replace(PAYABLE, pay_by=None)), PAY_BY, ()),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_what_waits_for_people(row: Spec) -> None:
    """Each rule of waiting for a reviewer or a cashier, one row each."""
    row.check(LISTING)


def test_it_wakes_at_the_end_of_the_last_day() -> None:
    """While it waits for people, and not while it waits for nobody."""
    wakes = [LISTING.wake_on(fold(LISTING, history)) for history in (TO_REVIEW, TO_FUND, TO_PAY, FULL)]
    assert wakes == [(REVIEW_BY, 1), None, (PAY_BY, 1), None]
