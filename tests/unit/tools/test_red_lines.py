"""The auditor's red lines: each of its sentences about them is said of one event that breaks its line, and of none that keeps it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from libs.events.codec import encode, name_of, parse_json
from libs.events.market import PurchaseHeld
from libs.events.money import Rounding
from libs.events.onboarding import ExposureConfirmed, UserRegistered
from libs.events.schedules.cost import is_allowed
from libs.events.schedules.terms import PLAIN, Method, RepaymentTerms
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import market_story as market
from tests.unit.given import TODAY
from tests.unit.onboarding import stories as people
from tests.unit.repayment import stories as loan
from tests.unit.repayment import test_trading as trade
from tools.simulator.books import Books
from tools.simulator.law_books import LAW, LawBooks
from tools.simulator.loan_books import WrongBooks, opened
from tools.simulator.market_books import MarketBooks, OfferBook
from tools.simulator.opening_books import OpeningBooks
from tools.simulator.people_books import PeopleBooks
from tools.simulator.red_lines import costs_too_much, is_a_customer, only_mediates

KNOWN = (replace(people.REGISTERED, owner="stf_own"), people.VERIFIED)
COUNTED = people.reserved(amount_fen=1_000_50, after_fen=1_000_50)
KEPT = ExposureConfirmed(
    user_id=people.BEA,
    application_id="app_1",
    loan_id="loan_1",
    exposure_fen=1_000_50,
    cap_fen=200_000_00,
    step="funding",
)
ASKED_AGAIN = replace(listing.ASKED_CAPS, executor="stf_cas", voucher="F8-1")
PAID = replace(listing.FUNDED_APPLICATION, executor="stf_cas", voucher="F8-1")
OPENED = replace(listing.APPLIED, related=())
REVIEWED = (
    replace(listing.FILLED, reviews_needed=2),
    listing.reviewed("stf_fin", 1),
    listing.reviewed("stf_fan", 2),
)


def told(event: Any) -> Any:
    """The event as the log has it."""
    return {"type": name_of(type(event)), "data": parse_json(encode(type(event), event))}


def refuted(words: str, folded: Callable[[], None]) -> None:
    """The books say so."""
    with pytest.raises(WrongBooks, match=words):
        folded()


# --- the platform only mediates --------------------------------------------------------------------------------------


def moves(account: str, amount_fen: int = 1) -> Any:
    """Money of an account."""
    return {"postings": [{"account": account, "amount_fen": amount_fen}]}


@pytest.mark.parametrize(
    ("kind", "account", "amount_fen"),
    [
        ("bidding.FundsHeld.v1", "held:acc_ann", 1),
        ("bidding.HoldCaptured.v1", "clearing:loan:loan_1", 1),
        ("bidding.FeeCredited.v1", "fees:platform", 1),
        ("bidding.FeeAdjusted.v1", "fees:platform", -1),
        ("bidding.MarketingFunded.v1", "marketing:platform", 1),
        ("bidding.VoucherPaid.v1", "marketing:platform", -1),
    ],
)
def test_money_that_is_mediated(kind: str, account: str, amount_fen: int) -> None:
    """A customer's, on its way, a fee that comes in or was never right, and the platform's own that goes out."""
    only_mediates("here", kind, moves(account, amount_fen))


@pytest.mark.parametrize(
    ("account", "amount_fen", "words"),
    [
        ("pool:platform", 1, "moves money of pool:platform, which is no customer's and on no way"),
        ("clearing:loans", 1, "which is no customer's and on no way"),
        ("held:acc_fees", 1, "the platform holds customers' money in held:acc_fees"),
        ("available:acc_marketing", 1, "the platform holds customers' money in available:acc_marketing"),
        ("fees:platform", -1, "takes 1 from the platform's fees"),
        ("marketing:platform", 1, "gives 1 back to the platform's marketing account"),
    ],
)
def test_money_that_is_not(account: str, amount_fen: int, words: str) -> None:
    """A pool, the platform as a customer, a fee that pays, vouchers' money that comes back from whom it was given."""
    refuted(words, lambda: only_mediates("here", "bidding.HoldReleased.v1", moves(account, amount_fen)))


@pytest.mark.parametrize("account", ["", "acc_fees", "acc_marketing"])
def test_the_platform_is_no_party(account: str) -> None:
    """Nor is nobody."""
    is_a_customer("here", "acc_ann")
    refuted("the platform is a party of a loan", lambda: is_a_customer("here", account))


# --- borrowers and lenders -------------------------------------------------------------------------------------------


def _people(*events: Any) -> None:
    books = PeopleBooks(Books())
    books.bidders.update({"hold_a": set(), "hold_b": set()})
    for event in events:
        books.record("here", told(event))


def _bid_by(investor: str) -> Any:
    return replace(listing.PLACED, bid=replace(listing.PLACED.bid, investor=investor))


TO_PAY_OUT = (*KNOWN, COUNTED, OPENED, *REVIEWED, listing.ASKED_CAPS, KEPT, listing.PAYABLE, ASKED_AGAIN)


def test_a_borrower_who_may() -> None:
    """Verified, counted and looked at since his loan was paid out."""
    _people(*TO_PAY_OUT, KEPT, PAID)
    _people(*KNOWN, OPENED, listing.PLACED)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((OPENED,), "usr_bea borrows, and nobody has verified him"),
        ((KNOWN[0], OPENED), "usr_bea borrows, and nobody has verified him"),
        ((*KNOWN, OPENED, _bid_by("usr_bea")), "usr_bea bids on his own loan"),
        ((*KNOWN, KEPT), "loan_1 goes on and does not count"),
        ((*KNOWN, OPENED, *REVIEWED, PAID), "loan_1 is funded and does not count"),
        ((*KNOWN, COUNTED, OPENED, *REVIEWED, PAID), "nobody has looked at the cap again"),
        ((*TO_PAY_OUT[:-1], PAID), "nobody has looked at the cap again"),
        ((*TO_PAY_OUT, PAID), "nobody has looked at the cap again"),
    ],
)
def test_a_borrower_who_may_not(events: tuple[Any, ...], words: str) -> None:
    """A fake one, himself as a lender, and whoever's loan does not count or was not looked at when its money moved."""
    refuted(words, lambda: _people(*events))


@pytest.mark.parametrize("is_near", [True, False])
def test_who_is_near_to_staff_is_marked(is_near: bool) -> None:
    """As his own stream has it, both ways round."""
    tie = {"user_id": people.BEA, "staff_id": "stf_max", "himself": False}

    def looked(says: bool) -> None:
        books = OpeningBooks()
        if is_near:
            books.record("here", {"type": "onboarding.StaffTieRecorded.v1", "data": tie}, None)
        books.record("here", told(replace(KEPT, related_to_staff=says)), None)

    looked(is_near)
    refuted(f"usr_bea is near to staff: {is_near}", lambda: looked(not is_near))


def test_who_came_near_since_is_marked_too() -> None:
    """What is approved and funded says what his stream said last, and not what the listing said."""
    tie = {"user_id": people.BEA, "staff_id": "stf_max", "himself": False}

    def paid(event: Any) -> None:
        books = OpeningBooks()
        books.record("here", told(replace(KEPT, step="precedents")), None)
        books.record("here", told(OPENED), None)
        books.record("here", {"type": "onboarding.StaffTieRecorded.v1", "data": tie}, None)
        books.record("here", told(replace(KEPT, related_to_staff=True)), None)
        books.record("here", told(event), None)

    for event in (listing.PAYABLE, PAID):
        paid(replace(event, related_to_staff=True))
        refuted("the mark of loan_1 is False, not True", partial(paid, event))
    paid(replace(PAID, application_id=""))


# --- what the law asks -----------------------------------------------------------------------------------------------

BEFORE, SINCE = date(2016, 8, 23), date(2016, 8, 24)
PUBLISHED: tuple[Any, ...] = (listing.PREPARED, listing.checked(), listing.PUBLISHED)
HELD = PurchaseHeld(
    account_id="acc_cem",
    owner="usr_cem",
    hold_id="hold_1",
    offer_id="offer_1",
    amount_fen=400_08,
    available_after_fen=0,
    held_after_fen=400_08,
    postings=(),
    suitability_level="C2",
    suitability_valid_to=TODAY,
)


def _law(*events: Any, profile: str = LAW, on: date = TODAY) -> None:
    books = LawBooks(Books(), profile)
    for event in events:
        books.record("here", told(event), on.isoformat())


def _filled(amount_fen: int, reviews: int) -> Any:
    return replace(listing.FILLED, amount_fen=amount_fen, reviews_needed=reviews)


def _company() -> UserRegistered:
    return replace(people.REGISTERED, kind="organisation")


def test_what_the_law_lets_pass() -> None:
    """The caps of its day by the kind of borrower, a text that was read, two people from the threshold on, buyers like bidders."""
    for event in (COUNTED, KEPT):
        _law(people.REGISTERED, event, on=SINCE)
        _law(people.REGISTERED, replace(event, cap_fen=None), on=BEFORE)
        _law(people.REGISTERED, replace(event, cap_fen=None), profile="demo")
        _law(_company(), replace(event, cap_fen=1_000_000_00))
    _law(_filled(100_000_00, 0), _filled(100_000_01, 2))
    _law(_filled(100_000_01, 0), profile="demo")
    _law(*PUBLISHED, HELD, market.TAKEN)
    _law(listing.APPLIED, replace(HELD, suitability_level=None), market.TAKEN, profile="demo")


def _bought(**said: Any) -> tuple[Any, ...]:
    return (*PUBLISHED, replace(HELD, **said), market.TAKEN)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((people.REGISTERED, replace(COUNTED, cap_fen=None)), "cap of usr_bea is not the law's, 20000000"),
        ((people.REGISTERED, replace(KEPT, cap_fen=None)), "is not the law's, 20000000, but None"),
        ((people.REGISTERED, replace(KEPT, cap_fen=1_000_000_00)), "is not the law's, 20000000"),
        ((_company(), KEPT), "is not the law's, 100000000"),
        ((listing.OPENED,), "lst_1 is listed, nobody has applied for it"),
        ((listing.APPLIED,), "lst_1 is published unread"),
        ((listing.PREPARED, listing.PUBLISHED), "lst_1 is published unread"),
        ((listing.PREPARED, listing.checked("reject"), listing.PUBLISHED), "lst_1 is published unread"),
        ((listing.checked(), listing.PUBLISHED), "lst_1 is published unread"),
        ((_filled(100_000_01, 0),), "lst_1 needs 2 reviews, told is 0"),
        ((_filled(100_000_01, 1),), "lst_1 needs 2 reviews, told is 1"),
        (_bought(suitability_level=None), "nobody has assessed usr_cem, and he buys"),
        (_bought(suitability_valid_to=None), "nobody has assessed usr_cem, and he buys"),
        (_bought(suitability_valid_to=TODAY.replace(day=1)), "usr_cem buys on an assessment of"),
        (_bought(suitability_level="C1"), "usr_cem is C1 and buys of B, which is for C2"),
    ],
)
def test_what_it_does_not(events: tuple[Any, ...], words: str) -> None:
    """Whatever the event says of itself."""
    refuted(words, lambda: _law(*events))


@pytest.mark.parametrize(("has_fen", "is_above"), [(120_000_00, False), (120_000_01, True)])
def test_nobody_buys_beyond_what_one_investor_may_have(has_fen: int, is_above: bool) -> None:
    """With what he has in the loan already."""

    def bought(profile: str) -> None:
        books = _lent()
        books.loans["loan_7"].claims["clm_7_4"] = has_fen - 1
        books.loans["loan_7"].claims["clm_7_1"] = 1
        books.loans["loan_7"].holders |= {"clm_7_4": "acc_9", "clm_7_1": "acc_9"}
        LawBooks(books, profile).record("here", told(trade.TRANSFERRED), None)

    bought("demo")
    if not is_above:
        bought(LAW)
    else:
        refuted("acc_9 buys up to 12000001 of loan_7, above what one may", lambda: bought(LAW))


# --- the market ------------------------------------------------------------------------------------------------------


def _lent() -> Books:
    books = Books()
    books.loans["loan_7"] = opened("here", told(loan.OPENED)["data"])
    return books


def _market(*events: Any, claims: int = 3, value_date: date = trade.DAY) -> None:
    books = _lent()
    lent = books.loans["loan_7"]
    lent.claims |= {f"clm_7_{order}": 1 for order in range(4, claims + 1)}
    others = MarketBooks(books)
    others.record("here", told(loan.OPENED))
    others.holds["hold_1"] = {"amount_fen": 50_010}
    ends = loan.days(loan.FUNDED_ON, 60)
    offer = OfferBook("usr_1", "clm_7_1", "loan_7", 990, fee_permille=5, expires_on=ends)
    others.offers["offer_1"] = replace(offer, hold="hold_1", taken_on=value_date.isoformat())
    for event in events:
        others.record("here", told(event))


@pytest.mark.parametrize("permille", [899, 900, 1_100, 1_101])
def test_the_band_of_a_price(permille: int) -> None:
    """Ten per cent up and down, with both ends."""
    asked = replace(market.REQUESTED, price_permille=permille, offer_id="offer_2")
    if permille in (900, 1_100):
        _market(asked)
    else:
        refuted("offer_2 is outside the band", lambda: _market(asked))


def test_a_loan_has_so_many_claims() -> None:
    """A part more fits until there are two thousand; a whole claim that is sold makes no more of them."""
    _market(trade.PART, claims=1_999)
    _market(trade.RESERVED, claims=2_000)
    refuted("loan_7 has too many claims", lambda: _market(trade.PART, claims=2_000))


@pytest.mark.parametrize("days", [-3, 0, 1, 3])
def test_no_claim_is_sold_near_a_due_date(days: int) -> None:
    """Three days before it and after; far from it the contract says what it costs."""
    _market(trade.RESERVED, trade.TRANSFERRED)
    near = loan.days(loan.FIRST_DUE, days)
    sold = replace(trade.TRANSFERRED, value_date=near)
    refuted(
        "clm_7_1 is sold near or after a due date",
        lambda: _market(trade.RESERVED, sold, value_date=near),
    )


def test_nor_of_a_loan_that_is_late() -> None:
    """However far the next due date is."""
    late = loan.days(loan.FIRST_DUE, 10)
    sold = replace(trade.TRANSFERRED, value_date=late)
    refuted("near or after a due date", lambda: _market(trade.RESERVED, sold, value_date=late))


# --- what a loan may cost --------------------------------------------------------------------------------------------


@given(
    st.builds(
        RepaymentTerms,
        method=st.sampled_from(get_args(Method)),
        interest_by=st.sampled_from(("month", "day")),
        rounding=st.sampled_from(Rounding),
        period_fee_permille=st.integers(0, 2),
    ),
    st.integers(500_00, 5_000_00),
    st.integers(-2_000, 200),
    st.integers(1, 24),
    st.integers(0, 5),
)
def test_the_auditor_and_the_platform_draw_the_ceiling_at_the_same_place(
    terms: RepaymentTerms, amount_fen: int, millionths: int, months: int, fee_permille: int
) -> None:
    """Near the ceiling, where rounding and fees decide, for every method; their code is not shared."""
    assume(terms != PLAIN)
    on, ceiling = date(2024, 3, 1), Decimal("0.138")
    loan: dict[str, Any] = {
        "on": on,
        "amount_fen": amount_fen,
        "fee_fen": amount_fen * fee_permille // 1_000,
        "months": months,
    }
    rate = ceiling + Decimal(millionths) * Decimal("0.000001")
    told = parse_json(encode(RepaymentTerms, terms))
    allowed = is_allowed(((date.min, ceiling),), terms=terms, annual_rate=rate, **loan)
    assert costs_too_much(annual_rate=str(rate), repayment=told, **loan) != allowed
