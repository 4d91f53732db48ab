"""A contract that is void before its money moved: three people, then the listing ends and every hold is released."""

from dataclasses import replace
from typing import Any

import pytest

from services.bidding.commands import ConfirmFunding, FundListing, RejectFunding
from services.bidding.commands.voiding import ApproveVoiding, ProposeVoiding
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import DEMO
from services.bidding.policies import POLICIES
from tests.unit.bidding.listing_story import (
    ALL_CAPTURED,
    EXPIRED,
    FIRST,
    FULL,
    FUNDED,
    LAST,
    OPENED,
    PLACED,
    PREPARED,
    PUBLISHED,
    TO_FUND,
    TO_PAY,
    accepted,
    taken_back,
    turned_down_by,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.bidding.stock_story import BY_FINANCE, BY_LEGAL, PROPOSED
from tests.unit.documents import recorded
from tests.unit.given import fold

LISTING = aggregate(DEMO)
PROPOSE, LEGAL, FINANCE = (
    ProposeVoiding(code="fraud"),
    ApproveVoiding(post="legal"),
    ApproveVoiding(post="finance"),
)


def spec(says: str, given: tuple[Any, ...], when: Any, then: Any, who: str) -> Spec:
    """A rule, for whoever signs."""
    return Spec(says, given, when, then, on(principal=who))


GONE = taken_back("", "fraud")
AGREED = (PROPOSED, BY_LEGAL)
SPECS = [
    spec("legal proposes it", (OPENED,), PROPOSE, (PROPOSED,), "stf_lia"),
    spec("once", (OPENED, PROPOSED), PROPOSE, (), "stf_lia"),
    spec("for one reason", (OPENED, PROPOSED), ProposeVoiding(code="duress"), "voiding_proposed", "stf_lia"),
    spec("staff does", (OPENED,), PROPOSE, "forbidden_not_staff", "usr_ann"),
    spec(
        "not about himself", (OPENED,), replace(PROPOSE, himself="usr_bea"), "forbidden_borrower", "stf_lia"
    ),
    spec("of a listing", (), PROPOSE, "unknown_listing", "stf_lia"),
    spec("not of one turned down", (turned_down_by("x"),), PROPOSE, "unknown_listing", "stf_lia"),
    spec("a full one, too", FULL, PROPOSE, (PROPOSED,), "stf_lia"),
    spec("while its money moves no more", (*FULL, FUNDED), PROPOSE, "loan_funded", "stf_lia"),
    spec("nor when it is a loan", ALL_CAPTURED, PROPOSE, "loan_funded", "stf_lia"),
    spec("what expired has ended", (OPENED, EXPIRED), PROPOSE, "listing_ended", "stf_lia"),
    spec("another of legal agrees", (OPENED, PROPOSED), LEGAL, (BY_LEGAL,), "stf_liz"),
    spec("agrees once", (OPENED, *AGREED), LEGAL, (), "stf_liz"),
    spec("not who proposed it", (OPENED, PROPOSED), LEGAL, "forbidden_second_signature", "stf_lia"),
    spec("nor one for both", (OPENED, *AGREED), FINANCE, "forbidden_second_signature", "stf_liz"),
    spec(
        "nor about himself",
        (OPENED, *AGREED),
        replace(FINANCE, himself="usr_bea"),
        "forbidden_borrower",
        "stf_fin",
    ),
    spec("first it is proposed", (OPENED,), LEGAL, "voiding_not_proposed", "stf_liz"),
    spec("the second agreement ends it", (OPENED, *AGREED), FINANCE, (BY_FINANCE, GONE), "stf_fin"),
    spec("in either order", (OPENED, PROPOSED, BY_FINANCE), LEGAL, (BY_LEGAL, GONE), "stf_liz"),
    spec("it is over then", (OPENED, *AGREED, BY_FINANCE, GONE), FINANCE, (), "stf_fan"),
    spec(
        "an agreement comes too late for a loan", (*FULL, PROPOSED, FUNDED), LEGAL, "loan_funded", "stf_liz"
    ),
    spec(
        "with every hold",
        (*FULL, *AGREED),
        FINANCE,
        (BY_FINANCE, taken_back("", "fraud", accepted(1, FIRST), accepted(2, LAST))),
        "stf_fin",
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_voiding(spec: Spec) -> None:
    """Every rule of a contract that is void before its money moved holds."""
    spec.check(LISTING)


@pytest.mark.parametrize("until", [(PREPARED,), TO_FUND, TO_PAY], ids=("prepared", "passed", "payable"))
def test_until_its_money_moves(until: tuple[Any, ...]) -> None:
    """Wherever it is before, the last agreement cancels it, with a release for each of its holds."""
    state = fold(LISTING, (*until, *AGREED))
    _, gone = LISTING.decide(FINANCE, state, on(principal="stf_fin"))
    assert (gone.code, gone.cancelled_by) == ("fraud", "")
    assert len(gone.bids) == (0 if until == (PREPARED,) else 2)
    released = [
        send for send in POLICIES["bidding"](recorded(gone, "lst_1")) if send.slot.startswith("release:")
    ]
    assert len(released) == len(gone.bids)


@pytest.mark.parametrize(
    "asked", [FundListing(), ConfirmFunding(), RejectFunding(code="exposure_cap_exceeded")]
)
def test_who_asks_for_funding_meanwhile_is_too_late_and_not_wrong(asked: Any) -> None:
    """The platform's own next step finds a contract that is void: nothing comes of it, and nobody is told of a refusal."""
    state = fold(LISTING, (*FULL, *AGREED, BY_FINANCE, GONE))
    assert LISTING.decide(asked, state, on()) == []


def test_a_proposal_stands_when_the_listing_opens_or_fills() -> None:
    """Nobody proposes it anew because the world went on meanwhile."""
    state = fold(LISTING, (PREPARED, PROPOSED, PUBLISHED, PLACED))
    assert state.terms.voiding.people == ("stf_lia",)
