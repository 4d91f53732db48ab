"""The marketing account: money in from the bank only, out as vouchers only, and never more promised than there is."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.bidding import Posting
from libs.events.codec import encode
from libs.events.deciding import Wake
from libs.events.money import MAX_INTEGER
from libs.events.topics import DECISION_BYTES_MAX
from libs.events.vouchers import VoucherPaid
from services.bidding.domain.account import aggregate as account_aggregate
from services.bidding.domain.ids import account_of
from services.bidding.domain.marketing import AGGREGATE, SETTLING, VOUCHERS_MAX, Account, Voucher
from services.bidding.domain.profile import DEMO
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.specs import ANN, OPENED, Spec, on
from tests.unit.bidding.voucher_story import (
    CANCELLED_LISTING,
    CREDIT,
    CREDITED,
    EXPIRED_LISTING,
    FUND,
    FUNDED,
    GRANTED,
    LIFE,
    MARKETING,
    PAID,
    REDEEM,
    REDEEMED,
    SETTLE,
    VALID_TO,
    expired,
    grant,
    granted,
    returned,
)
from tests.unit.given import TODAY, context, fold, given

ACCOUNT = account_aggregate(DEMO)
#: A second voucher of hers, for a bid that is as large as her larger part.
LARGE = granted(100_00, voucher_id="vch_2", bid_min_fen=listing.CLAIMS[0].principal_fen)
TWO_REDEEMED = (
    FUNDED,
    GRANTED,
    granted(100_00, voucher_id="vch_2"),
    REDEEMED,
    replace(REDEEMED, voucher_id="vch_2"),
)


def spec(says: str, history: tuple[Any, ...], when: Any, then: Any, who: str = "stf_ole") -> Spec:
    """A rule of the marketing account, for whoever acts."""
    return Spec(says, history, when, then, on(principal=who))


SPECS = [
    spec("the platform pays in", (), FUND, (FUNDED,)),
    spec("the same booking is booked once", (FUNDED,), FUND, ()),
    spec("a booking has one amount", (FUNDED,), replace(FUND, amount_fen=1), "amount_differs"),
    spec("a booking is the bank's", (), replace(FUND, booking_id="M1"), "invalid_bank_reference"),
    spec(
        "what is there stays sayable",
        (replace(FUNDED, amount_fen=MAX_INTEGER, balance_after_fen=MAX_INTEGER, postings=()),),
        replace(FUND, booking_id="bankref_M2"),
        "amount_too_large",
    ),
    spec("a voucher's money is reserved", (FUNDED,), grant(), (GRANTED,)),
    spec("a voucher is granted once", (FUNDED, GRANTED), grant(), ()),
    spec("on one set of terms", (FUNDED, GRANTED), grant(amount_fen=1), "voucher_exists"),
    spec("by staff", (FUNDED,), grant(), "forbidden_not_staff", ANN),
    spec("who is not himself the investor", (FUNDED,), grant(himself=ANN), "forbidden_holder", "stf_ann"),
    spec("but may be another", (FUNDED,), grant(himself="usr_cem"), (GRANTED,)),
    spec("to an investor", (FUNDED,), grant(investor="usr_marketing"), "invalid_owner"),
    spec("not for a day that is over", (FUNDED,), grant(valid_to=date(2024, 3, 14)), "invalid_validity"),
    spec("but for today", (FUNDED,), grant(valid_to=TODAY), (granted(valid_to=TODAY),)),
    spec("never more than there is", (FUNDED,), grant(amount_fen=100_01), "marketing_exhausted"),
    spec(
        "what is reserved is not there",
        (FUNDED, GRANTED),
        grant(voucher_id="vch_2", amount_fen=50_01),
        "marketing_exhausted",
    ),
    spec(
        "to the last fen",
        (FUNDED, GRANTED),
        grant(voucher_id="vch_2"),
        (granted(100_00, voucher_id="vch_2"),),
    ),
    spec("it is redeemed for a loan", (FUNDED, GRANTED), REDEEM, (REDEEMED,), ANN),
    spec("once", (FUNDED, GRANTED, REDEEMED), REDEEM, (), ANN),
    spec(
        "for another loan instead, whatever became of the first",
        (FUNDED, GRANTED, REDEEMED),
        replace(REDEEM, loan_id="loan_2"),
        (replace(REDEEMED, loan_id="loan_2"),),
        ANN,
    ),
    spec(
        "and then the first one pays nothing",
        (FUNDED, GRANTED, REDEEMED, replace(REDEEMED, loan_id="loan_2")),
        SETTLE,
        (),
    ),
    spec("by nobody else", (FUNDED, GRANTED), REDEEM, "unknown_voucher", "usr_cem"),
    spec("not when it has ended", LIFE, REDEEM, "unknown_voucher", ANN),
    spec("a funded loan pays it", (FUNDED, GRANTED, REDEEMED), SETTLE, (PAID,)),
    spec("a loan without vouchers says nothing", (FUNDED, GRANTED), SETTLE, ()),
    spec(
        "a part that is too small gives it back",
        (FUNDED, GRANTED, REDEEMED),
        replace(SETTLE, claims=(replace(listing.CLAIMS[0], principal_fen=899_99),)),
        (returned("bid_too_small"),),
    ),
    spec(
        "another's part pays nothing",
        (FUNDED, GRANTED, REDEEMED),
        replace(SETTLE, claims=(replace(listing.CLAIMS[0], investor="usr_cem"),)),
        (returned("bid_too_small"),),
    ),
    spec(
        "a claim pays one voucher",
        TWO_REDEEMED,
        SETTLE,
        (
            replace(PAID, reserved_after_fen=50_00),
            replace(returned("bid_too_small"), voucher_id="vch_2"),
        ),
    ),
    spec(
        "a part that is large enough for a voucher is not taken by one that a smaller part would do for",
        (FUNDED, granted(bid_min_fen=1), LARGE, REDEEMED, replace(REDEEMED, voucher_id="vch_2")),
        replace(
            SETTLE, claims=(listing.CLAIMS[0], replace(listing.CLAIMS[1], investor=ANN, account_id="acc_ann"))
        ),
        (
            replace(
                PAID,
                voucher_id="vch_2",
                reserved_after_fen=50_00,
                postings=(
                    Posting(account=MARKETING, amount_fen=-50_00),
                    Posting(account="clearing:voucher:vch_2", amount_fen=50_00),
                ),
            ),
            replace(PAID, claim_id="clm_1_2", balance_after_fen=0),
        ),
    ),
    spec(
        "a listing that ends gives it back",
        (FUNDED, GRANTED, REDEEMED),
        EXPIRED_LISTING,
        (returned("listing_expired"),),
    ),
    spec("and nothing where nothing was redeemed", (FUNDED, GRANTED), CANCELLED_LISTING, ()),
    spec("its last day ends it", (FUNDED, GRANTED), Wake(business_date=VALID_TO, phase=1), (expired(),)),
    spec(
        "redeemed it waits for the word of its loan",
        (FUNDED, GRANTED, REDEEMED),
        Wake(business_date=date(2024, 4, 9), phase=1),
        (),
    ),
    spec(
        "which a loan that had ended before never gives",
        (FUNDED, GRANTED, REDEEMED),
        Wake(business_date=date(2024, 4, 10), phase=1),
        (expired(),),
    ),
    spec("not before", (FUNDED, GRANTED), Wake(business_date=date(2024, 3, 30), phase=1), ()),
]
CREDIT_SPECS = [
    spec("a voucher arrives", (OPENED,), CREDIT, (CREDITED,), ""),
    spec("where there is an account", (), CREDIT, "unknown_account", ""),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_the_marketing_account(row: Spec) -> None:
    """Each rule of the marketing account, one row each."""
    row.check(AGGREGATE)


@pytest.mark.parametrize("row", CREDIT_SPECS, ids=lambda row: row.says)
def test_a_voucher_reaches_its_investor(row: Spec) -> None:
    """The investor's account takes what the marketing account paid."""
    row.check(ACCOUNT)


def test_a_voucher_that_the_day_has_not_reached_yet_is_over_all_the_same() -> None:
    """Its last day is his; it ends for him when the date has changed, whatever the tick has come to."""
    given(AGGREGATE, FUNDED, GRANTED).when(REDEEM, context(VALID_TO, ANN)).then(REDEEMED)
    late = context(date(2024, 4, 1), ANN)
    given(AGGREGATE, FUNDED, GRANTED).when(REDEEM, late).then_refused("voucher_expired")


LONG = (FUNDED, granted(tenor_min_months=6))
TERM_SPECS = [
    spec("a term is granted", (FUNDED,), grant(tenor_min_months=6), (granted(tenor_min_months=6),)),
    spec("as any of its terms", LONG, grant(tenor_min_months=3), "voucher_exists"),
    spec("once", (*LONG, REDEEMED), grant(tenor_min_months=6), ()),
    spec("a loan just long enough", LONG, replace(REDEEM, tenor_months=6), (REDEEMED,), ANN),
    spec("a shorter one", LONG, replace(REDEEM, tenor_months=5), "term_too_short", ANN),
    spec("one that nobody knows", LONG, REDEEM, (REDEEMED,), ANN),
    spec(
        "whose funding says it",
        (*LONG, REDEEMED),
        replace(SETTLE, tenor_months=5),
        (returned("term_too_short"),),
    ),
    spec("long enough when funded", (*LONG, REDEEMED), replace(SETTLE, tenor_months=6), (PAID,)),
    spec("or does not", (*LONG, REDEEMED), replace(SETTLE, tenor_months=None), (PAID,)),
]


@pytest.mark.parametrize("row", TERM_SPECS, ids=lambda row: row.says)
def test_a_voucher_asks_for_a_term(row: Spec) -> None:
    """A loan that is shorter does not redeem it where that is known, and does not pay it."""
    row.check(AGGREGATE)


LATE = replace(SETTLE, funded_on=date(2024, 4, 1))
AFTER = date(2024, 4, 1)


@pytest.mark.parametrize(
    ("says", "history", "when", "on_day", "then"),
    [
        ("funded on its last day", (REDEEMED,), replace(SETTLE, funded_on=VALID_TO), AFTER, (PAID,)),
        ("a word from before days were named", (REDEEMED,), replace(SETTLE, funded_on=None), AFTER, (PAID,)),
        ("funded after it", (REDEEMED,), LATE, AFTER, (expired(),)),
        (
            "funded after it, which has not ended here",
            (REDEEMED,),
            LATE,
            VALID_TO,
            (returned("voucher_expired"),),
        ),
        ("a loan that ends after it", (REDEEMED,), EXPIRED_LISTING, AFTER, (expired(),)),
        ("a loan that ends on it", (REDEEMED,), EXPIRED_LISTING, VALID_TO, (returned("listing_expired"),)),
        (
            "one of them is over, and takes no part of the other's",
            (
                granted(100_00, voucher_id="vch_2", valid_to=AFTER),
                REDEEMED,
                replace(REDEEMED, voucher_id="vch_2"),
            ),
            LATE,
            AFTER,
            (
                expired(50_00),
                replace(
                    PAID,
                    voucher_id="vch_2",
                    postings=(
                        Posting(account=MARKETING, amount_fen=-50_00),
                        Posting(account="clearing:voucher:vch_2", amount_fen=50_00),
                    ),
                ),
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_day_of_the_funding_judges_a_voucher(
    says: str, history: tuple[Any, ...], when: Any, on_day: date, then: tuple[Any, ...]
) -> None:
    """What was in time is paid, however late that is told; what was not comes back while it is valid, and is over afterwards."""
    given(AGGREGATE, FUNDED, GRANTED, *history).when(when, context(on_day)).then(*then)


def test_the_marketing_account_is_no_persons() -> None:
    """Nobody's account id is the platform's, and the account wakes for its first voucher only while it has one."""
    with pytest.raises(Exception, match="invalid_owner"):
        account_of("usr_marketing")
    assert AGGREGATE.wake_on(AGGREGATE.initial) is None
    assert AGGREGATE.wake_on(fold(AGGREGATE, (FUNDED, GRANTED))) == (VALID_TO, 1)


def test_all_open_vouchers_may_end_in_one_record() -> None:
    """As many as may be open expire on one day, or are paid by one loan, in an event record of legal size; no more are granted."""
    suffix = "f" * 40
    many = {
        f"vch_{number:032}": Voucher(
            investor=f"usr_{suffix}", amount_fen=1_00, bid_min_fen=1, valid_to=VALID_TO, loan_id="loan_1"
        )
        for number in range(VOUCHERS_MAX)
    }
    state = Account(balance_fen=MAX_INTEGER, booked={}, vouchers=many)
    events = AGGREGATE.decide(Wake(business_date=VALID_TO + SETTLING, phase=1), state, on())
    assert len(events) == VOUCHERS_MAX
    paying = replace(PAID, investor=f"usr_{suffix}", paid_to=f"acc_{suffix}", balance_after_fen=MAX_INTEGER)
    assert 1_000 * (len(encode(VoucherPaid, paying)) + 100) < DECISION_BYTES_MAX
    assert sum(len(encode(type(event), event)) + 100 for event in events) < DECISION_BYTES_MAX
    with pytest.raises(Exception, match="too_many_vouchers"):
        AGGREGATE.decide(grant(), state, on(principal="stf_ole"))
