"""Who may bid, what is listed for an application, and the review of a full listing: refused or declined by name."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.events.bidding import RiskLevel
from libs.events.deciding import Wake
from services.bidding.commands import (
    ConfirmFunding,
    ConfirmTopUp,
    ExecutePayout,
    FundListing,
    OpenAccount,
    PlaceBid,
    RecordBid,
    RejectFunding,
    RequestTopUp,
    ReviewListing,
)
from services.bidding.domain.listing import aggregate, wake_on
from services.bidding.domain.profile import CN_P2P_2016, DEMO, Profile
from tests.unit.bidding.listing_story import (
    APPLICATION,
    APPLIED,
    ASKED_CAPS,
    CANCELLED,
    CAPTURE_A,
    CLOSES,
    FILLED,
    FIRST,
    FULL,
    FUNDED_APPLICATION,
    FUNDED_ON,
    LAST,
    OPENED,
    PLACED,
    TO_FUND,
    TO_REVIEW,
    bid,
    declined,
    open_listing,
    opened,
    placed,
    reviewed,
    turned_down_by,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.bidding.town import Town
from tests.unit.given import TODAY, fold, given

LISTING = aggregate(DEMO)
STRICT = aggregate(replace(DEMO, suitability_required=True))
APPROVE, REJECT = ReviewListing(verdict="approve"), ReviewListing(verdict="reject")
FIN, FAN = "stf_fin", "stf_fan"


def assessed(level: RiskLevel, valid_to: date = TODAY, bidder: str = "ann") -> RecordBid:
    """A bid whose account knows its owner's risk level."""
    return replace(bid("a", 100_00, bidder), suitability_level=level, suitability_valid_to=valid_to)


def by(who: str) -> Any:
    """A member of finance acts on the day the listing is full."""
    return on(FUNDED_ON, who)


CAPS_KEPT, CAPS_BROKEN = ConfirmFunding(), RejectFunding(code="exposure_cap_exceeded")
OVER_CAP = replace(CANCELLED, code="exposure_cap_exceeded")
SPECS = [
    Spec("one of two approves", TO_REVIEW, APPROVE, (reviewed(FIN, 1),), by(FIN)),
    Spec(
        "two people pass it: the caps are looked at",
        (*TO_REVIEW, reviewed(FIN, 1)),
        APPROVE,
        (reviewed(FAN, 2), ASKED_CAPS),
        by(FAN),
    ),
    Spec("it was approved", TO_FUND, APPROVE, (), by(FAN)),
    Spec("and is not rejected", TO_FUND, REJECT, "listing_reviewed", by(FAN)),
    Spec("nor passed again", TO_FUND, FundListing(), (), on(FUNDED_ON)),
    Spec("the caps are kept, it is funded", TO_FUND, CAPS_KEPT, (FUNDED_APPLICATION,), on(FUNDED_ON)),
    Spec("once", (*TO_FUND, FUNDED_APPLICATION), CAPS_KEPT, (), on(FUNDED_ON)),
    Spec("not before its review", TO_REVIEW, CAPS_KEPT, "listing_not_passed", on(FUNDED_ON)),
    Spec("nor after all is over", (*TO_FUND, OVER_CAP), CAPS_KEPT, "listing_not_passed", on(FUNDED_ON)),
    Spec("nothing listed, nothing funded", (), CAPS_KEPT, "unknown_listing", on(FUNDED_ON)),
    Spec("they are not, it is cancelled", TO_FUND, CAPS_BROKEN, (OVER_CAP,), on(FUNDED_ON)),
    Spec("once", (*TO_FUND, OVER_CAP), CAPS_BROKEN, (), on(FUNDED_ON)),
    Spec(
        "never a funded one", (*TO_FUND, FUNDED_APPLICATION), CAPS_BROKEN, "listing_not_passed", on(FUNDED_ON)
    ),
    Spec("nobody captures before", TO_FUND, CAPTURE_A, "listing_not_funded", on(FUNDED_ON)),
    Spec("nor bids", TO_FUND, bid("c", 100_00), (declined(bid("c", 100_00), "listing_full"),), on()),
    Spec("what was bid is known", TO_FUND, FIRST, (), on()),
    Spec(
        "nobody reviews twice",
        (*TO_REVIEW, reviewed(FIN, 1)),
        APPROVE,
        "forbidden_second_review",
        by(FIN),
    ),
    Spec(
        "nor changes his mind",
        (*TO_REVIEW, reviewed(FIN, 1)),
        REJECT,
        "forbidden_second_review",
        by(FIN),
    ),
    Spec(
        "nor does the borrower himself review",
        TO_REVIEW,
        replace(APPROVE, himself="usr_bea"),
        "forbidden_borrower",
        by(FIN),
    ),
    Spec("the borrower's owner does not review", TO_REVIEW, APPROVE, "forbidden_owner", by("stf_own")),
    Spec("nor does a customer", TO_REVIEW, APPROVE, "forbidden_not_staff", by("usr_fin")),
    Spec("one rejection cancels", TO_REVIEW, REJECT, (reviewed(FIN, 1, "reject"), CANCELLED), by(FIN)),
    Spec(
        "after an approval, too",
        (*TO_REVIEW, reviewed(FIN, 1)),
        REJECT,
        (reviewed(FAN, 2, "reject"), CANCELLED),
        by(FAN),
    ),
    Spec("a funded listing was approved", (*TO_REVIEW, FUNDED_APPLICATION), APPROVE, (), by(FAN)),
    Spec("and is not rejected", (*TO_REVIEW, FUNDED_APPLICATION), REJECT, "listing_reviewed", by(FAN)),
    Spec("a cancelled one was rejected", (*TO_REVIEW, CANCELLED), REJECT, (), by(FAN)),
    Spec("and is not approved", (*TO_REVIEW, CANCELLED), APPROVE, "listing_reviewed", by(FAN)),
    Spec("nothing listed, nothing to review", (), APPROVE, "unknown_listing", by(FIN)),
    Spec("nor when it was turned down", (turned_down_by("x"),), APPROVE, "unknown_listing", by(FIN)),
    Spec("an open one is not reviewed", (APPLIED, PLACED), APPROVE, "listing_not_filled", by(FIN)),
    Spec("a small one passes by itself", FULL, APPROVE, "review_not_needed", by(FIN)),
    Spec("and a large one does not", TO_REVIEW, FundListing(), "review_missing", on(FUNDED_ON)),
    Spec("a cancelled one is not funded", (*TO_REVIEW, CANCELLED), FundListing(), "listing_not_filled", on()),
    Spec("nor captured", (*TO_REVIEW, CANCELLED), CAPTURE_A, "listing_not_funded", on()),
    Spec(
        "nor bid for",
        (*TO_REVIEW, CANCELLED),
        bid("c", 100_00),
        (declined(bid("c", 100_00), "listing_closed"),),
        on(),
    ),
    Spec("nor expired", (*TO_REVIEW, CANCELLED), Wake(business_date=CLOSES, phase=1), (), on(CLOSES)),
    Spec("an application is listed", (), open_listing(**APPLICATION), (APPLIED,), on()),
    Spec("once", (APPLIED,), open_listing(**APPLICATION), (), on()),
    Spec(
        "terms that break a rule are told to it",
        (),
        open_listing(**(APPLICATION | {"tenor_months": 0})),
        (turned_down_by("invalid_tenor"),),
        on(),
    ),
    Spec(
        "once, too",
        (turned_down_by("invalid_tenor"),),
        open_listing(**(APPLICATION | {"tenor_months": 0})),
        (),
        on(),
    ),
    Spec("another may still list", (turned_down_by("x"),), open_listing(), (OPENED,), on()),
    Spec(
        "a listed one is not told that it is not",
        (OPENED,),
        open_listing(**APPLICATION, amount_fen=5),
        "listing_exists",
        on(),
    ),
    Spec("no bid on what was turned down", (turned_down_by("x"),), FIRST, "unknown_listing", on()),
    Spec("none is funded", (turned_down_by("x"),), FundListing(), "unknown_listing", on()),
    Spec("none captured", (turned_down_by("x"),), CAPTURE_A, "unknown_listing", on()),
    Spec(
        "nor who was declared a relation of the borrower since",
        (OPENED,),
        replace(bid("a", 100_00), related=("usr_eve", "usr_bea")),
        (declined(bid("a", 100_00), "related_party"),),
        on(),
    ),
    Spec(
        "the borrower's own party does not bid",
        (APPLIED,),
        bid("a", 100_00, "rel"),
        (declined(bid("a", 100_00, "rel"), "related_party"),),
        on(),
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_reviews_and_applications(spec: Spec) -> None:
    """Every rule of reviewing, listing for an application and bidding as a party holds."""
    spec.check(LISTING)


def test_the_ceiling_of_the_day_of_funding_counts() -> None:
    """A ceiling that came down while the listing was open cancels it, with a review and without; at the ceiling it passes."""
    for history in ((*TO_REVIEW[:-1], FILLED), (OPENED, *TO_REVIEW[1:-1], FILLED)):
        dear, fair = (
            aggregate(replace(DEMO, rate_ceilings=((date.min, Decimal(1)), (FUNDED_ON, Decimal(ceiling)))))
            for ceiling in ("0.15", "0.16")
        )
        [cancelled] = given(dear, *history).when(FundListing(), on(FUNDED_ON)).events
        application_id = history[0].application_id
        assert cancelled == replace(CANCELLED, code="invalid_rate", application_id=application_id)
        [passed] = given(fair, *history).when(FundListing(), on(FUNDED_ON)).events
        assert type(passed).__name__ == ("FundingRequested" if application_id else "LoanFunded")


def code_of(
    listing: Any, command: RecordBid, history: tuple[Any, ...] = (OPENED,), day: date = TODAY
) -> str | None:
    """The code that declines a bid, None when it is placed."""
    event = given(listing, *history).when(command, on(day)).events[0]
    return getattr(event, "code", None)


@pytest.mark.parametrize(
    ("grade", "needed"), [("AA", 1), ("A", 1), ("B", 2), ("C", 3), ("D", 4), ("E", 5), ("HR", 5)]
)
@pytest.mark.parametrize("profile", [DEMO, CN_P2P_2016], ids=lambda profile: profile.name)
def test_a_grade_needs_its_risk_level(profile: Profile, grade: str, needed: int) -> None:
    """A..E need C1..C5 at least, an unknown grade the highest; in the demo, too, whoever was assessed is judged by it."""
    levels: tuple[RiskLevel, ...] = ("C1", "C2", "C3", "C4", "C5")
    listing = aggregate(profile)
    for number, level in enumerate(levels, 1):
        expected = None if number >= needed else "unsuitable"
        assert code_of(listing, assessed(level), (opened(grade=grade),)) == expected


def test_an_assessment_counts_until_the_end_of_its_last_day() -> None:
    """The day after it the bid is declined as expired, whatever the level was."""
    assert code_of(LISTING, assessed("C5", TODAY)) is None
    assert code_of(LISTING, assessed("C5", TODAY - timedelta(days=1))) == "suitability_expired"
    assert code_of(LISTING, assessed("C1", TODAY - timedelta(days=1))) == "suitability_expired"


def test_without_an_assessment_the_profile_decides() -> None:
    """The law asks for one; the demo's people have none until they come through onboarding."""
    assert code_of(LISTING, FIRST) is None
    assert code_of(STRICT, FIRST) == "unsuitable"
    assert code_of(aggregate(CN_P2P_2016), FIRST) == "unsuitable"
    assert (DEMO.suitability_required, CN_P2P_2016.suitability_required) == (False, True)


def test_a_party_to_the_loan_is_told_so_before_its_suitability() -> None:
    """The red line comes first."""
    assert code_of(STRICT, bid("a", 100_00, "bea")) == "own_loan"
    assert code_of(STRICT, bid("a", 100_00, "rel"), (APPLIED,)) == "related_party"


@pytest.mark.parametrize(("threshold_fen", "needed"), [(1_000_50, 0), (1_000_49, 2)])
def test_a_filled_listing_above_the_threshold_needs_two_people(threshold_fen: int, needed: int) -> None:
    """At the threshold it passes by itself; one fen above it does not."""
    law = aggregate(replace(DEMO, automatic_reviews_fen=((date.min, threshold_fen),)))
    outcome = given(law, OPENED, PLACED).when(LAST)
    review_by = TODAY + timedelta(days=10) if needed else None
    outcome.then(placed(2, LAST, 1_000_50), replace(FILLED, reviews_needed=needed, review_by=review_by))
    assert wake_on(outcome.state) == (None if review_by is None else (review_by, 1))


def test_nobody_has_more_in_one_listing_than_the_profile_allows() -> None:
    """All his bids together, to the fen, and of a bid that is taken in part what is taken; another's bids are another's."""
    capped = aggregate(replace(DEMO, investor_caps_fen=((date.min, 900_00),)))
    small, third = bid("c", 100_00), bid("d", 100_50, "cem")
    assert code_of(capped, FIRST) is None
    assert code_of(capped, replace(FIRST, amount_fen=1_000_00)) == "above_investor_cap"
    assert code_of(capped, small, (OPENED, PLACED)) == "above_investor_cap"
    assert code_of(capped, third, (OPENED, PLACED)) is None
    assert code_of(LISTING, small, (OPENED, PLACED)) is None
    others = placed(1, replace(FIRST, account_id="acc_cem", investor="usr_cem"), 900_00)
    in_part = replace(bid("e", 2_000_00), allow_partial=True)
    assert code_of(capped, in_part, (OPENED, others)) is None
    assert code_of(capped, in_part, (OPENED,)) == "above_investor_cap"
    assert (DEMO.investor_cap_fen(TODAY), CN_P2P_2016.investor_cap_fen(TODAY)) == (None, 120_000_00)


def test_thresholds_of_the_profiles() -> None:
    """The demo reviews nothing by hand, the law above 100,000 yuan (chosen)."""
    assert DEMO.reviews_needed(10**15, TODAY) == 0
    assert [CN_P2P_2016.reviews_needed(fen, TODAY) for fen in (100_000_00, 100_000_01)] == [0, 2]


def test_expiry_carries_what_onboarding_needs_to_release_the_exposure() -> None:
    """The event names loan, borrower, application and amount, and every hold."""
    outcome = given(LISTING, APPLIED, PLACED).when(Wake(business_date=CLOSES, phase=1), on(CLOSES))
    (expired,) = outcome.events
    assert (expired.loan_id, expired.borrower, expired.application_id, expired.amount_fen) == (
        "loan_1",
        "usr_bea",
        "app_1",
        1_000_50,
    )
    assert [held.hold_id for held in expired.bids] == ["hold_a"]


def test_a_reviewed_listing_remembers_who_approved() -> None:
    """The state keeps the first reviewer until the second has come."""
    assert fold(LISTING, (*TO_REVIEW, reviewed(FIN, 1))).reviewers == (FIN,)


@pytest.mark.parametrize(("verdict", "left_fen"), [("approve", 0), ("reject", 1_000_50)])
def test_a_review_ends_with_every_hold_captured_or_released(verdict: Any, left_fen: int) -> None:
    """A whole town: bids of two investors, two reviews or one rejection; no money stays held."""
    town = Town(replace(DEMO, automatic_reviews_fen=((date.min, 0),)))
    town.does("lst_1", open_listing(**APPLICATION))
    for command in (FIRST, LAST):
        account, owner = command.account_id, command.investor
        town.does(account, OpenAccount(owner=owner))
        asked = RequestTopUp(top_up_id=f"top_{account}", amount_fen=command.amount_fen)
        town.does(account, asked, owner)
        answer = ConfirmTopUp(
            top_up_id=asked.top_up_id, bank_reference=account, amount_fen=asked.amount_fen, succeeded=True
        )
        town.does(account, answer)
        hold = PlaceBid(
            bid_id=command.bid_id, hold_id=command.hold_id, listing_id="lst_1", amount_fen=command.amount_fen
        )
        town.does(account, hold, owner)
    town.settle(lambda _: 0)
    assert town.states["lst_1"].kind == "filled"
    for reviewer in (FIN, FAN):
        if town.states["lst_1"].kind == "filled":
            town.does("lst_1", ReviewListing(verdict=verdict), reviewer)
    if town.states["lst_1"].kind == "passed":
        town.does("lst_1", CAPS_KEPT)
        town.does("lst_1", ExecutePayout(voucher="F8-1"), "stf_cas")
        town.does("lst_1", CAPS_KEPT)
    town.settle(lambda _: 0)
    accounts = [town.states[account] for account in ("acc_ann", "acc_cem")]
    assert [account.held_fen for account in accounts] == [0, 0]
    assert sum(account.available_fen for account in accounts) == left_fen
    assert town.refused == []
