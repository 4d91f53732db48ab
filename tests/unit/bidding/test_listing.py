"""A listing takes bids in the order of the log, is filled exactly, and becomes claims that sum to the loan."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.events.bidding import ListingOpened, ListingPrepared, ListingRefused, LoanFunded
from libs.events.codec import encode
from libs.events.deciding import Refused, Wake
from libs.events.money import MAX_INTEGER
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from services.bidding.commands import FundListing, RecordBid, RecordCapture
from services.bidding.domain.ids import USER_SUFFIX_MAX, account_of
from services.bidding.domain.listing import aggregate, wake_on
from services.bidding.domain.opening import bid_min_fen
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.repayment.commands import OpenLoan
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import payoff_fen
from services.repayment.policies import on_bidding
from tests.unit.bidding.listing_story import (
    ALL_CAPTURED,
    CAPTURE_A,
    CAPTURE_B,
    CLAIMS,
    CLOSES,
    COLLECTED,
    EXPIRED,
    FILLED,
    FIRST,
    FULL,
    FUNDED,
    FUNDED_ON,
    LAST,
    ONE_CAPTURED,
    OPENED,
    PLACED,
    bid,
    captured,
    declined,
    in_part,
    open_listing,
    opened,
    placed,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.documents import recorded
from tests.unit.given import TODAY, fold, given

LISTING = aggregate(DEMO)
LOAN = loan_aggregate(profile_named("demo"))
LOAN_RULES = profile_named("demo").on(FUNDED_ON)
LATE = on(CLOSES + timedelta(days=1))


def spec(
    says: str, given_events: tuple[Any, ...], when: Any, then: tuple[Any, ...] | str, context: Any = None
) -> Spec:
    """A rule of the listing, on a day within its window."""
    return Spec(says, given_events, when, then, context or on())


def turned_down(
    says: str, history: tuple[Any, ...], command: RecordBid, code: str, context: Any = None
) -> Spec:
    """A bid that is declined by an event that names its hold."""
    return spec(says, history, command, (declined(command, code),), context)


SPECS = [
    spec("an operator opens a listing", (), open_listing(), (OPENED,)),
    spec("a loan has a term", (), open_listing(tenor_months=0), "invalid_tenor"),
    spec("a term has an end", (), open_listing(tenor_months=121), "invalid_tenor"),
    spec("a window has a day", (), open_listing(window_days=0), "invalid_window"),
    spec("a window ends", (), open_listing(window_days=11), "invalid_window"),
    spec("a grade is a short code", (), open_listing(grade="very good"), "invalid_grade"),
    spec("a grade is said", (), open_listing(grade=""), "invalid_grade"),
    spec(
        "a guarantor is named by his id", (), open_listing(guarantor="A trusted house"), "invalid_guarantor"
    ),
    spec(
        "who guarantees a loan is said when it opens",
        (),
        open_listing(guarantor="gua_1"),
        (replace(OPENED, guarantor="gua_1"),),
    ),
    spec("of eight letters", (), open_listing(grade="ABCDEFG8"), (opened(grade="ABCDEFG8"),)),
    spec("and not of nine", (), open_listing(grade="ABCDEFGH9"), "invalid_grade"),
    spec("which everybody can type", (), open_listing(grade="Ä"), "invalid_grade"),
    *(
        spec(
            f"a window may have {days} days",
            (),
            open_listing(window_days=days),
            (opened(closes_on=TODAY + timedelta(days=days)),),
        )
        for days in (1, 10)
    ),
    *(
        spec(
            f"the fee on interest may be {fee} of a thousand",
            (),
            open_listing(interest_fee_permille=fee),
            (opened(interest_fee_permille=fee),),
        )
        for fee in (0, 1000)
    ),
    spec("a fee leaves something of the loan", (), open_listing(origination_fee_fen=1_000_50), "invalid_fee"),
    spec("a fee on interest is a part of it", (), open_listing(interest_fee_permille=1001), "invalid_fee"),
    spec("a fee on interest is not negative", (), open_listing(interest_fee_permille=-1), "invalid_fee"),
    spec("a borrower is a user", (), open_listing(borrower="acc_bea"), "invalid_owner"),
    spec("a loan has a loan's id", (), open_listing(loan_id="lst_1"), "invalid_loan"),
    spec("a listing has one set of terms", (OPENED,), open_listing(amount_fen=1), "listing_exists"),
    spec("other fees are other terms", (OPENED,), open_listing(origination_fee_fen=0), "listing_exists"),
    spec("a listing opens once", (OPENED,), open_listing(), (), LATE),
    spec("an ended listing does not open again", ALL_CAPTURED, open_listing(), ()),
    spec("a bid takes its place", (OPENED,), FIRST, (PLACED,)),
    spec("the closing bid may be the odd rest", (OPENED, PLACED), LAST, FULL[2:]),
    spec(
        "one bid may close it all",
        (OPENED,),
        replace(FIRST, amount_fen=1_000_50),
        (placed(1, replace(FIRST, amount_fen=1_000_50), 1_000_50), replace(FILLED, bid_count=1)),
    ),
    spec(
        "the closing bid may be smaller than the least",
        (OPENED, placed(1, bid("a", 1_000_00), 1_000_00)),
        bid("b", 50),
        (placed(2, bid("b", 50), 1_000_50), FILLED),
    ),
    spec(
        "one investor bids as often as he likes",
        (OPENED, PLACED),
        bid("c", 100_00),
        (placed(2, bid("c", 100_00), 1_000_00),),
    ),
    turned_down("a bid has a least amount", (OPENED,), bid("a", 99_99), "bid_too_small"),
    turned_down("bids go in steps", (OPENED,), bid("a", 150_00), "bid_not_multiple"),
    turned_down("nothing is overfunded", (OPENED, PLACED), bid("c", 200_00), "bid_above_remaining"),
    turned_down("by no fen", (OPENED, PLACED), bid("c", 100_51), "bid_above_remaining"),
    spec(
        "who allows it lends what is left, odd as it is",
        (OPENED, PLACED),
        replace(bid("c", 200_00), allow_partial=True),
        (in_part(2, replace(bid("c", 200_00), allow_partial=True), 100_50, 1_000_50), FILLED),
    ),
    spec(
        "and all he bids where there is room",
        (OPENED,),
        replace(bid("c", 200_00), allow_partial=True),
        (placed(1, bid("c", 200_00), 200_00),),
    ),
    turned_down(
        "that does not make a small bid large",
        (OPENED,),
        replace(bid("c", 99_00), allow_partial=True),
        "bid_too_small",
    ),
    turned_down("nobody lends to himself", (OPENED,), bid("a", 100_00, "bea"), "own_loan"),
    turned_down("the window ends with its day", (OPENED,), FIRST, "listing_closed", LATE),
    turned_down("a filled listing is full", FULL, bid("c", 100_00), "listing_full"),
    turned_down("a funding one is full", (*FULL, FUNDED), bid("c", 100_00), "listing_full"),
    turned_down("a funded one is full", ALL_CAPTURED, bid("c", 100_00), "listing_full"),
    turned_down("an expired one is closed", (OPENED, EXPIRED), bid("c", 100_00), "listing_closed"),
    spec("the last day counts", (OPENED,), FIRST, (PLACED,), on(CLOSES)),
    spec("no listing, no bid", (), FIRST, "unknown_listing"),
    spec("a bid is taken once", (OPENED, PLACED), FIRST, ()),
    spec("and not declined when the listing is full", FULL, FIRST, ()),
    spec("nor while it is funding", (*FULL, FUNDED), FIRST, ()),
    spec("a filled listing becomes a loan", FULL, FundListing(), (FUNDED,), on(FUNDED_ON)),
    spec("an open one does not", (OPENED, PLACED), FundListing(), "listing_not_filled"),
    spec("an expired one does not", (OPENED, EXPIRED), FundListing(), "listing_not_filled"),
    spec("an unknown one does not", (), FundListing(), "unknown_listing"),
    spec("a listing is funded once", (*FULL, FUNDED), FundListing(), (), LATE),
    spec("for good", ALL_CAPTURED, FundListing(), (), LATE),
    spec("a capture is counted", (*FULL, FUNDED), CAPTURE_B, (captured("b", 100_50, 1),)),
    spec(
        "and says who guarantees it",
        (replace(OPENED, guarantor="gua_1"), *ONE_CAPTURED[1:]),
        CAPTURE_A,
        (captured("a", 900_00, 0), replace(COLLECTED, guarantor="gua_1")),
        LATE,
    ),
    spec(
        "the last one collects the loan", ONE_CAPTURED, CAPTURE_A, (captured("a", 900_00, 0), COLLECTED), LATE
    ),
    spec(
        "another's hold is not counted", (*FULL, FUNDED), replace(CAPTURE_A, hold_id="hold_x"), "unknown_hold"
    ),
    spec("nor another amount", (*FULL, FUNDED), replace(CAPTURE_A, amount_fen=1), "amount_differs"),
    spec("nor one before funding", FULL, CAPTURE_A, "listing_not_funded"),
    spec("nor one of no listing", (), CAPTURE_A, "unknown_listing"),
    spec("a capture is counted once", ONE_CAPTURED, CAPTURE_B, ()),
    spec("when all are counted, any is", ALL_CAPTURED, CAPTURE_A, ()),
    spec("an unfilled listing expires", (OPENED, PLACED), Wake(business_date=CLOSES, phase=1), (EXPIRED,)),
    spec("not before its day", (OPENED,), Wake(business_date=CLOSES - timedelta(days=1), phase=5), ()),
    spec("a filled one does not", FULL, Wake(business_date=CLOSES, phase=1), ()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_listings(spec: Spec) -> None:
    """Every rule of opening, bidding, expiring, funding and collecting holds."""
    spec.check(LISTING)


@pytest.mark.parametrize(
    ("amount_fen", "least_fen"),
    [
        (1, 100_00),
        (100_000_00, 100_00),
        (100_000_01, 200_00),
        (200_000_00, 200_00),
        (942_500_00, 1_000_00),
        (MAX_INTEGER, MAX_INTEGER // 1000),
    ],
)
def test_the_least_bid(amount_fen: int, least_fen: int) -> None:
    """The least bid is 100 yuan or a thousandth of the amount, rounded up to 100 yuan."""
    assert bid_min_fen(amount_fen) == least_fen


def test_an_open_listing_waits_for_the_end_of_its_window() -> None:
    """Only an open listing asks to be woken, on its last day in phase 1."""
    assert wake_on(fold(LISTING, ())) is None
    assert wake_on(fold(LISTING, (OPENED, PLACED))) == (CLOSES, 1)
    assert wake_on(fold(LISTING, FULL)) is None
    assert wake_on(fold(LISTING, (OPENED, EXPIRED))) is None


def test_the_ceiling_follows_the_profile_and_the_date() -> None:
    """Under cn-p2p-2016 an application's listing is turned down above the ceiling of its day; the demo has none."""
    law = aggregate(replace(CN_P2P_2016, check_required=False, fee_tables=()))
    dear = open_listing(annual_rate=Decimal("0.13"), origination_fee_fen=0, application_id="app_1")
    with_fee = open_listing(annual_rate=Decimal("0.12"), origination_fee_fen=20_00, application_id="app_1")
    # 13 % is under 4 x 3.45 % = 13.8 % in March 2024 and above 4 x 3.1 % = 12.4 % a year later.
    assert isinstance(given(law).when(dear, on(TODAY)).events[0], ListingOpened)
    # 12 % with 2 % up front costs 15.85 % (rules.md 1.6).
    for listing, today in ((dear, date(2025, 3, 15)), (with_fee, TODAY)):
        given(law).when(listing, on(today)).then(
            ListingRefused(
                loan_id=listing.loan_id,
                application_id="app_1",
                borrower=listing.borrower,
                amount_fen=listing.amount_fen,
                code="invalid_rate",
            )
        )
        assert isinstance(given(LISTING).when(listing, on(today)).events[0], ListingOpened)


def test_under_the_law_only_applications_are_listed_whatever_their_amount() -> None:
    """What a person or a company may owe is reserved by onboarding before the listing opens, so nothing is listed by hand
    and bidding has no cap of its own: a company's million is not held to a person's 200,000."""
    law = aggregate(CN_P2P_2016)
    terms: dict[str, Any] = {"annual_rate": Decimal("0.10"), "origination_fee_fen": 0}
    given(law).when(open_listing(**terms)).then_refused("application_required")
    published = {"product": "business", "origination_fee_fen": 3_000_00}
    companys = open_listing(**(terms | published), amount_fen=1_000_000_00, application_id="app_1")
    assert isinstance(given(law).when(companys).events[0], ListingPrepared)
    assert given(LISTING).when(open_listing(**terms)).refused is None


def test_the_longest_listing_fits_into_its_records() -> None:
    """The smallest bids by people with the longest ids give 1,000 claims, and those fit into one event and one command."""
    suffix, owner = "f" * 64, f"usr_{'f' * USER_SUFFIX_MAX}"
    assert account_of(owner) == owner.replace("usr_", "acc_")
    with pytest.raises(Refused, match="invalid_owner"):
        account_of(owner + "f")
    terms = {"listing_id": f"lst_{suffix}", "loan_id": f"loan_{suffix}", "amount_fen": 100_000_00}
    state = fold(LISTING, (opened(**terms),))
    for order in range(1, 1001):
        command = replace(
            bid(f"{suffix[:-4]}{order:04}", 100_00), account_id=account_of(owner), investor=owner
        )
        for event in LISTING.decide(command, state, on()):
            state = LISTING.evolve(state, event)
    (funded,) = LISTING.decide(FundListing(), state, on())
    assert len(funded.claims) == 1000
    assert sum(claim.principal_fen for claim in funded.claims) == 100_000_00
    assert len(encode(LoanFunded, funded)) < DECISION_BYTES_MAX
    state = LISTING.evolve(state, funded)
    collected: Any = None
    for each in funded.bids:
        captured_now = RecordCapture(hold_id=each.hold_id, amount_fen=each.amount_fen)
        for collected in LISTING.decide(captured_now, state, on()):
            state = LISTING.evolve(state, collected)
    [send] = on_bidding(recorded(collected, state.terms.listing_id))
    assert len(send.command.claims) == 1000
    assert len(encode(OpenLoan, send.command)) < COMMAND_BYTES_MAX - 8 * 1024


@pytest.mark.parametrize("rate", ["0", "0.12", "10"])
@pytest.mark.parametrize("months", [1, 12, 120])
def test_the_largest_listing_is_a_loan_that_can_be_said(rate: str, months: int) -> None:
    """One fen more than a loan may grow to is refused by name; the largest opens, and so does its loan, and after a
    hundred years of penalty all that is owed is still a number that may stand in an event."""
    terms: dict[str, Any] = {
        "annual_rate": Decimal(rate),
        "tenor_months": months,
        "origination_fee_fen": 0,
    }
    low, high = 1, MAX_INTEGER
    while low < high:
        middle = (low + high + 1) // 2
        opens = given(LISTING).when(open_listing(amount_fen=middle, **terms)).refused is None
        low, high = (middle, high) if opens else (low, middle - 1)
    given(LISTING).when(open_listing(amount_fen=low + 1, **terms)).then_refused("amount_too_large")
    assert low >= 200_000_00
    funded = replace(
        COLLECTED,
        amount_fen=low,
        claims=(replace(CLAIMS[0], principal_fen=low),),
        **terms,
    )
    [send] = on_bidding(recorded(funded, "lst_1"))
    lent = given(LOAN).when(send.command)
    century_later = FUNDED_ON.replace(year=FUNDED_ON.year + 100)
    owed = payoff_fen(lent.state.book, century_later, LOAN_RULES)
    assert owed <= MAX_INTEGER
