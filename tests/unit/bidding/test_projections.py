"""The views of bidding say the same of the same facts, in whatever order partitions bring them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from libs.events.bidding import (
    BidPlaced,
    ContractIssued,
    FundsCollected,
    FundsWithdrawn,
    HoldCaptured,
    InstallmentDebited,
    InvestorCredited,
    ListingExpired,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
    Posting,
    TopUpFailed,
    TopUpRequested,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.codec import decode, decode_object, name_of
from libs.events.market import OfferSettled
from libs.events.onboarding import StaffAppointed, StaffDismissed
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.system import BusinessDateSet
from libs.events.views import Add, View
from services.bidding.domain.redemption_state import STEPS
from services.bidding.projections import VIEWS
from services.bidding.projections.balances import VIEW as BALANCES
from services.bidding.projections.bank_days import BREAKS as BANK_BREAKS
from services.bidding.projections.bank_requests import VIEW as BANK_REQUESTS
from services.bidding.projections.bids import VIEW as BIDS
from services.bidding.projections.custody import VIEW as CUSTODY
from services.bidding.projections.listings import VIEW as LISTINGS
from services.bidding.projections.market import OFFERS, TRANSFERS
from services.bidding.projections.papers import CONTRACTS, PACKS
from services.bidding.projections.redemptions import VIEW as REDEMPTIONS
from tests.unit.bidding import account_story as account
from tests.unit.bidding import bank_day_story as bank_days
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import market_story as market
from tests.unit.bidding import newcomer_story as newcomers
from tests.unit.bidding import paper_story as papers
from tests.unit.bidding import redemption_story as redemption
from tests.unit.bidding import standing_story as standing
from tests.unit.bidding import test_adjusting as adjusting
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.bidding.specs import AVAILABLE, BANK, CLEARING, HELD, OPENED, asked, deposited, moved
from tests.unit.bidding.test_bank import BOOKED
from tests.unit.documents import documents, history, nested, recorded, turn_about
from tests.unit.given import TODAY

GOLDEN = Path(__file__).parents[2] / "contract" / "golden"
LOAN: dict[str, Any] = {"loan_id": "loan_1"}
ANN = history(
    "acc_ann",
    OPENED,
    asked(),
    deposited(),
    account.HELD_FUNDS,
    account.RELEASED,
    account.HELD_FUNDS,
    account.REDUCED,
    account.RELEASED_PART,
    account.HELD_FUNDS,
    moved(HoldCaptured, {HELD: -300_00, CLEARING: 300_00}, (200_00, 0), **LOAN, **account.BID),
    moved(
        WithdrawalRequested,
        {AVAILABLE: -50_00, HELD: 50_00},
        (150_00, 50_00),
        withdrawal_id="wdr_1",
        amount_fen=50_00,
    ),
    moved(
        WithdrawalFailed,
        {HELD: -50_00, AVAILABLE: 50_00},
        (200_00, 0),
        withdrawal_id="wdr_1",
        bank_reference="B1",
        amount_fen=50_00,
    ),
    moved(
        WithdrawalRequested,
        {AVAILABLE: -50_00, HELD: 50_00},
        (150_00, 50_00),
        withdrawal_id="wdr_2",
        amount_fen=50_00,
    ),
    moved(
        FundsWithdrawn,
        {HELD: -50_00, BANK: 50_00},
        (150_00, 0),
        withdrawal_id="wdr_2",
        bank_reference="B2",
        amount_fen=50_00,
    ),
    moved(
        InvestorCredited,
        {CLEARING: -26_10, AVAILABLE: 26_10},
        (176_10, 0),
        principal_fen=23_40,
        interest_fen=3_00,
        fee_fen=30,
        amount_fen=26_10,
        **account.SHARE,
    ),
    moved(
        LoanProceedsCredited, {CLEARING: -980_50, AVAILABLE: 980_50}, (1_156_60, 0), amount_fen=980_50, **LOAN
    ),
    moved(
        InstallmentDebited,
        {AVAILABLE: -88_85, CLEARING: 88_85},
        (1_067_75, 0),
        debit_id="dbt_1",
        requested_fen=88_85,
        debited_fen=88_85,
        value_date=TODAY,
        **LOAN,
    ),
    moved(
        LoanPaymentDebited,
        {AVAILABLE: -100_00, CLEARING: 100_00},
        (967_75, 0),
        payment_id="pay_1",
        amount_fen=100_00,
        settle=False,
        value_date=TODAY,
        **LOAN,
    ),
    moved(
        LoanPaymentReturned,
        {CLEARING: -40_00, AVAILABLE: 40_00},
        (1_007_75, 0),
        payment_id="pay_1",
        amount_fen=40_00,
        reason="overpayment",
        **LOAN,
    ),
)
COLLECTED_FOR_ANN = FundsCollected(
    funded_on=listing.FUNDED_ON,
    claims=listing.CLAIMS,
    **(listing.KNOWN | {"borrower": "usr_ann", "borrower_account": "acc_ann"}),
)
LISTED = history("lst_1", *listing.ALL_CAPTURED[:-1], COLLECTED_FOR_ANN)
FEES = history("acc_fees", account.fee(20_00, 20_00), account.fee(30, 20_30))
EXPIRED = history(
    "lst_2",
    listing.opened(listing_id="lst_2"),
    replace(listing.declined(listing.bid("z", 99_00), "bid_too_small"), listing_id="lst_2"),
    ListingExpired(listing_id="lst_2", expired_on=listing.CLOSES, bids=()),
)

REVIEWED = history(
    "lst_3",
    *listing.TO_REVIEW,
    listing.reviewed("stf_fin", 1),
    listing.reviewed("stf_fan", 2, "reject"),
    listing.CANCELLED,
)
LEFT = history(
    "acc_bob", replace(OPENED, account_id="acc_bob"), replace(account.CLOSED, account_id="acc_bob")
)
UNREQUESTED = history("bankref_B77", BOOKED)
CYS: dict[str, Any] = {"account_id": "acc_cy", "owner": "usr_cy"}
CY = history(
    "acc_cy",
    TopUpRequested(top_up_id="top_8", amount_fen=60_00, **CYS),
    TopUpFailed(top_up_id="top_8", bank_reference="B8", code="refused", **CYS),
    TopUpRequested(top_up_id="top_9", amount_fen=70_00, card_ref="card_" + "c3" * 16, **CYS),
)
ORDERS = history(standing.QUEUE, *standing.LIFE)
VOUCHERS = history(vouchers.MARKETING_STREAM, *vouchers.LIFE)
CREDITED = history(
    "acc_dan",
    replace(OPENED, account_id="acc_dan"),
    replace(
        vouchers.CREDITED,
        account_id="acc_dan",
        postings=(
            Posting(account=vouchers.ON_ITS_WAY, amount_fen=-50_00),
            Posting(account="available:acc_dan", amount_fen=50_00),
        ),
    ),
)
PAPERS = history("ctr_1", papers.ISSUED)
PACK = history(
    "pack_1_1",
    *papers.ISSUED_PACK,
    papers.LATE,
    papers.SENT_BACK,
    *papers.DELIVERED_PACK[1:],
)
PASSED = history("lst_4", *listing.TO_FUND)
PASSED = [structs.replace(event, data=replace(event.data, listing_id="lst_4")) for event in PASSED]
REVIEWED = [structs.replace(event, data=replace(event.data, listing_id="lst_3")) for event in REVIEWED]
STAFF = history(
    "stf_fin",
    StaffAppointed(staff_id="stf_fin", roles=("cashier",), region=None),
    StaffDismissed(staff_id="stf_fin", roles=("cashier",), region=None),
)

PUBLISHED = [
    structs.replace(event, data=replace(event.data, listing_id=event.stream))
    for stream, said in (
        ("lst_5", (listing.PREPARED, listing.checked(), listing.PUBLISHED, *listing.TO_PAY[1:])),
        ("lst_6", (listing.PREPARED, listing.checked(opens_on=TODAY))),
    )
    for event in history(stream, *said)
]
TURNED_DOWN = [
    *history("lst_7", replace(listing.PREPARED, listing_id="lst_7"), listing.checked("reject")),
    *history("lst_7", replace(listing.turned_down_by("check_rejected"), content_hash=listing.PACK_HASH)),
    *history("lst_8", listing.turned_down_by("invalid_rate")),
]
TURNED_DOWN = [
    structs.replace(event, data=replace(event.data, listing_id="lst_7"))
    if hasattr(event.data, "listing_id")
    else event
    for event in TURNED_DOWN
]


def with_own_bids(*streams: list[RecordedEvent]) -> list[RecordedEvent]:
    """The same listings, each with bids of its own: no bid is answered by two of them."""
    return [event for told in streams for event in history(str(told[0].stream), *map(_own_bid, told))]


def _own_bid(event: RecordedEvent) -> Any:
    if not isinstance(event.data, BidPlaced):
        return event.data
    bid = event.data.bid
    return replace(event.data, bid=replace(bid, bid_id=f"{bid.bid_id}_{event.stream}"))


REVIEWED, PASSED = with_own_bids(REVIEWED), with_own_bids(PASSED)
PUBLISHED = with_own_bids(
    [event for event in PUBLISHED if event.stream == "lst_5"],
    [event for event in PUBLISHED if event.stream == "lst_6"],
)
SCHEDULED = history("lst_9", replace(newcomers.SCHEDULED, listing_id="lst_9"))
OFFER = history(
    "offer_1",
    market.REQUESTED,
    market.OPENED,
    market.TAKEN,
    market.REOPENED,
    market.TAKEN,
    market.SETTLED,
)
MORE_OFFERS = [
    event
    for number, end in enumerate((market.REFUSED, market.WITHDRAWN, market.EXPIRED, market.CLOSED), 2)
    for event in history(
        f"offer_{number}",
        *(
            replace(said, offer_id=f"offer_{number}")
            for said in (market.REQUESTED, *(() if end is market.REFUSED else (market.OPENED,)), end)
        ),
    )
]
TRADER = history("acc_cem", market.CEM, market.HELD, market.RELEASED, market.HELD, market.CAPTURED)
SELLER = history("acc_dee", *(replace(market.CREDITED, account_id="acc_dee", owner="usr_dee"),))
REDEEMED = history("rdm_1", *redemption.FOR_SALE, redemption.SOLD)
ENDS = [
    history(f"rdm_{number}", *(replace(said, redemption_id=f"rdm_{number}") for said in told))
    for number, told in enumerate(redemption.OTHER_ENDS, 2)
]
DAYS = [
    recorded(BusinessDateSet(business_date=TODAY + timedelta(days=number)), stream, number + 1, "bidding")
    for number in (0, 1)
    for stream in ("~p0", "~p1")
]
BANK_DAY = history("bankdays", *bank_days.TWO_DAYS, bank_days.MATCHED, *bank_days.ENDED)
LOAN_OF = history(
    "loan_1",
    *(
        decode(kind, (GOLDEN / f"{name_of(kind)}.json").read_bytes())
        for kind in (LoanOpened, RepaymentDistributed)
    ),
)
CORRECTED = [
    *history(
        "acc_cor",
        *(
            replace(event, account_id="acc_cor")
            for event in (adjusting.booked(), adjusting.debited(500_00, 90_00, 0), adjusting.CREDITED)
        ),
    ),
    *history("acc_cor_fees", replace(adjusting.fees(-10_00, 20_00, 0), account_id="acc_cor_fees")),
    *history("loan_cor", adjusting.RESTATED),
]
EVERYTHING: list[RecordedEvent] = [
    *ANN,
    *CORRECTED,
    *LISTED,
    *FEES,
    *EXPIRED,
    *REVIEWED,
    *LEFT,
    *PASSED,
    *STAFF,
    *UNREQUESTED,
    *CY,
    *PAPERS,
    *PACK,
    *PUBLISHED,
    *TURNED_DOWN,
    *VOUCHERS,
    *CREDITED,
    *SCHEDULED,
    *REDEEMED,
    *(event for told in ENDS for event in told),
    *DAYS,
    *OFFER,
    *MORE_OFFERS,
    *TRADER,
    *SELLER,
    *BANK_DAY,
    *LOAN_OF,
    *ORDERS,
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_replaying_and_interleaving_change_nothing(view: View) -> None:
    """A fresh fold of the same events, and of the same events in another order of streams, gives equal documents."""
    first = documents(view, EVERYTHING)
    assert first
    assert documents(view, EVERYTHING) == first
    streams = (ANN, LISTED, FEES, EXPIRED, REVIEWED, LEFT, PASSED, STAFF, UNREQUESTED, CY, PAPERS, PACK)
    more = (PUBLISHED, TURNED_DOWN, VOUCHERS, CREDITED, SCHEDULED, BANK_DAY, LOAN_OF, ORDERS)
    traded = (OFFER, MORE_OFFERS, TRADER, SELLER, REDEEMED, *ENDS, DAYS)
    corrected = [[event] for event in CORRECTED[3:]]
    assert documents(view, turn_about(*streams, *more, *traded, CORRECTED[:3], *corrected)) == first


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_type_that_a_view_reads_changes_it(view: View) -> None:
    """A view reads no type of event in vain, and this history has one of each."""
    changing = {
        type(event.data) for event in EVERYTHING if type(event.data) in view.reads and view.project(event)
    }
    assert changing == set(view.reads)


def test_balances_follow_an_account_from_deposit_to_repayment() -> None:
    """Balances are those after the last event; the sums say what brought them there and add up to them."""
    ann = documents(BALANCES, EVERYTHING)["acc_ann"]
    sums = {
        "deposited_fen": 500_00,
        "withdrawn_fen": 50_00,
        "invested_fen": 300_00,
        "principal_back_fen": 23_40,
        "interest_fen": 3_00,
        "penalty_fen": 0,
        "fees_fen": 20_30,
        "borrowed_fen": 1_000_50,
        "repaid_fen": 148_85,
        "vouchers_fen": 0,
        "bought_fen": 0,
        "sold_fen": 0,
        "adjusted_fen": 0,
        "owed_fen": 0,
    }
    who = {"account_id": "acc_ann", "owner": "usr_ann", "state": "open"}
    source = {"src.acc_ann": "bidding/0/19/0", "src.lst_1": "bidding/0/8/0"}
    assert ann == who | sums | source | {"available_fen": 1_007_75, "held_fen": 0}
    assert ann["available_fen"] + ann["held_fen"] == (
        sums["deposited_fen"]
        - sums["withdrawn_fen"]
        - sums["invested_fen"]
        + sums["principal_back_fen"]
        + sums["interest_fen"]
        + sums["penalty_fen"]
        - sums["fees_fen"]
        + sums["borrowed_fen"]
        - sums["repaid_fen"]
        + sums["vouchers_fen"]
        - sums["bought_fen"]
        + sums["sold_fen"]
    )


def test_a_bid_is_shown_by_its_account_and_its_listing_in_any_order() -> None:
    """The account says what was asked and held, the listing what it took; a part leaves less held."""
    held = history("acc_ann", account.HELD_FUNDS, account.REDUCED)
    bid = replace(listing.accepted(1, listing.FIRST), bid_id="bid_1", amount_fen=100_00)
    answered = history("lst_1", replace(listing.PLACED, bid=bid, excess_fen=200_00))
    expected = {
        "bid_id": "bid_1",
        "owner": "usr_ann",
        "account_id": "acc_ann",
        "listing_id": "lst_1",
        "asked_fen": 300_00,
        "allow_partial": False,
        "hold": "held",
        "held_fen": 100_00,
        "answer": "accepted",
        "accepted_fen": 100_00,
        "order": 1,
        "src.acc_ann": "bidding/0/2/0",
        "src.lst_1": "bidding/0/1/0",
    }
    for told in ([*held, *answered], [*answered, *held]):
        assert documents(BIDS, told) == {"bid_1": expected}


def test_a_new_account_is_shown_with_zeros() -> None:
    """An account without money has every field, so that nobody must guess what a missing one means."""
    shown = documents(BALANCES, ANN[:1])["acc_ann"]
    assert {field for field, value in shown.items() if value == 0} == {
        "available_fen",
        "held_fen",
        "deposited_fen",
        "withdrawn_fen",
        "invested_fen",
        "principal_back_fen",
        "interest_fen",
        "penalty_fen",
        "fees_fen",
        "borrowed_fen",
        "repaid_fen",
        "vouchers_fen",
        "bought_fen",
        "sold_fen",
        "adjusted_fen",
        "owed_fen",
    }


def test_what_the_bank_has_not_answered_is_open_and_nothing_else() -> None:
    """A request is there with all that the order to the bank says until its answer comes, whichever it is."""
    assert documents(BANK_REQUESTS, EVERYTHING) == {
        "acc_cy:top_9": {
            "request_id": "top_9",
            "kind": "collect",
            "account_id": "acc_cy",
            "owner": "usr_cy",
            "amount_fen": 70_00,
            "card_ref": "card_" + "c3" * 16,
            "business_date": "2024-03-15",
            "asked_at": "2024-03-15T10:30:00+00:00",
            "src.acc_cy": "bidding/0/3/0",
        }
    }
    asked_out = documents(BANK_REQUESTS, ANN[:11])["acc_ann:wdr_1"]
    assert (asked_out["kind"], asked_out["amount_fen"], asked_out["card_ref"]) == ("pay_out", 50_00, None)


def test_the_fee_account_belongs_to_nobody() -> None:
    """The platform's account is shown with its balance, under an owner that is no person."""
    assert documents(BALANCES, FEES) == {
        "acc_fees": {
            "account_id": "acc_fees",
            "owner": "platform",
            "available_fen": 20_30,
            "held_fen": 0,
            "fees_received_fen": 20_30,
            "src.acc_fees": "bidding/0/2/0",
        }
    }


def test_a_listing_is_shown_as_it_fills_and_ends() -> None:
    """A listing's document carries its terms, how far it is, and its state after each event."""
    terms = {
        "listing_id": "lst_1",
        "loan_id": "loan_1",
        "borrower": "usr_bea",
        "amount_fen": 1_000_50,
        "bid_min_fen": 100_00,
        "annual_rate": "0.12",
        "rate_units": 12_000_000,
        "tenor_months": 12,
        "grade": "B",
        "closes_on": "2024-03-20",
        "origination_fee_fen": 20_00,
        "interest_fee_permille": 100,
        "product": "",
        "region": "",
        "owner": None,
        "application_id": "",
        "reviews": 0,
        "reviews_needed": 0,
        "newcomers_only": False,
        "related_to_staff": False,
    }
    one_bid = documents(LISTINGS, LISTED[:2])["lst_1"]
    progress = {"state": "open", "raised_fen": 900_00, "remaining_fen": 100_50, "bids": 1}
    assert one_bid == terms | progress | {"src.lst_1": "bidding/0/2/0"}
    states = [documents(LISTINGS, LISTED[:count])["lst_1"]["state"] for count in (1, 3, 4, 5, 8)]
    assert states == ["open", "open", "filled", "funding", "funded"]
    assert documents(LISTINGS, LISTED)["lst_1"]["funded_on"] == "2024-03-18"
    assert documents(LISTINGS, EXPIRED)["lst_2"]["state"] == "expired"


def test_a_listing_in_review_shows_who_has_approved_it_and_how_it_ended() -> None:
    """Above the threshold it is `in_review`, with its reviewers in order; a rejection is its end."""
    waiting = documents(LISTINGS, REVIEWED[:5])["lst_3"]
    shown = {name: waiting[name] for name in ("state", "reviews", "reviews_needed", "reviewers.1", "owner")}
    assert shown == {
        "state": "in_review",
        "reviews": 1,
        "reviews_needed": 2,
        "reviewers.1": "stf_fin",
        "owner": "stf_own",
    }
    rejected = documents(LISTINGS, REVIEWED)["lst_3"]
    assert (rejected["state"], rejected["code"], rejected["reviewers.2"]) == (
        "cancelled",
        "review_rejected",
        "stf_fan",
    )


def test_custody_balances_and_only_adds() -> None:
    """All classes sum to zero, the bank's legs are kept apart, and clearing is shown per loan."""
    shown = documents(CUSTODY, EVERYTHING)
    books = shown.pop("books")
    assert shown == {
        "bank:custody": {"balance_fen": -580_00, "gained_fen": 50_00, "given_fen": 630_00},
        "marketing": {"balance_fen": 50_00, "gained_fen": 100_00, "given_fen": 50_00},
        "unrequested": {"balance_fen": 30_00, "gained_fen": 30_00, "given_fen": 0},
        "available": {"balance_fen": 1_055_77, "gained_fen": 3_044_78, "given_fen": 1_989_01},
        "held": {"balance_fen": 0, "gained_fen": 1_800_16, "given_fen": 1_800_16},
        "fees": {"balance_fen": 20_30, "gained_fen": 20_30, "given_fen": 0},
        "clearing": {"balance_fen": -576_07, "gained_fen": 936_69, "given_fen": 1_512_76},
        "clearing:voucher:vch_1": {"balance_fen": 0, "gained_fen": 50_00, "given_fen": 50_00},
        "clearing:loan:loan_1": {"balance_fen": -578_05, "gained_fen": 488_85, "given_fen": 1_066_90},
        # the fee, which the fee account has not booked yet
        "clearing:offer:offer_1": {"balance_fen": 1_98, "gained_fen": 397_84, "given_fen": 395_86},
    }
    classes = [name for name in shown if not name.startswith("clearing:")]
    for name in classes:
        assert {field: books[f"classes.{name}.{field}"] for field in shown[name]} == shown[name]
    assert len(books) == 3 * len(classes) + 1
    money = [event for event in EVERYTHING if type(event.data) in CUSTODY.reads]
    assert all(isinstance(op, Add) for event in money for op in CUSTODY.project(event))


def test_the_trial_balance_is_zero_at_every_position() -> None:
    """After each event, whatever the order of the streams; and it shows the position of an event that does not balance."""
    money = [event for event in EVERYTHING if type(event.data) in CUSTODY.reads]
    assert len({type(event.data) for event in money}) == len(CUSTODY.reads), (
        "a movement is missing in this story"
    )
    assert set(totals(money)) == set(totals(money[::-1])) == {0}
    for position, event in enumerate(money):
        *kept, _ = event.data.postings
        broken = structs.replace(event, data=replace(event.data, postings=tuple(kept)))
        story = totals([*money[:position], broken, *money[position + 1 :]])
        assert [total != 0 for total in story] == [at >= position for at in range(len(money))]


def totals(money: list[RecordedEvent]) -> list[int]:
    """The total of the books after each event; the classes must sum to it."""
    found = []
    for length in range(1, len(money) + 1):
        books = documents(CUSTODY, money[:length])["books"]
        found.append(books["total_fen"])
        assert sum(value for name, value in books.items() if name.endswith(".balance_fen")) == found[-1]
    return found


def test_a_contract_is_kept_whole() -> None:
    """The document gives the event back that was issued, so its texts can be written again."""
    kept = documents(CONTRACTS, EVERYTHING)["loan_1"]
    assert decode_object(ContractIssued, kept["contract"]) == papers.ISSUED
    assert (kept["borrower"], kept["src.ctr_1"]) == ("usr_bea", "bidding/0/1/0")


def test_a_pack_shows_what_it_waits_for_and_who_signed() -> None:
    """The document follows the pack from step to step, through being sent back, to its delivery."""

    def after(*events: Any) -> dict[str, Any]:
        shown = documents(PACKS, history("pack_1_1", *events))["pack_1_1"]
        return {
            name: shown[name] for name in ("next_step", "sent_back", "is_overdue", "channel", "delivered_on")
        }

    waiting = {"sent_back": None, "is_overdue": False, "channel": None, "delivered_on": None}
    assert after(papers.PACK_OPENED) == waiting | {"next_step": "receipt"}
    assert after(*papers.ISSUED_PACK, papers.LATE) == waiting | {"next_step": "review", "is_overdue": True}
    back = (*papers.ISSUED_PACK, papers.SENT_BACK)
    assert after(*back) == waiting | {"next_step": "receipt", "sent_back": "wrong_list"}
    assert after(*back, papers.RECEIPT) == waiting | {"next_step": "claim_list"}
    sent = {"next_step": None, "channel": "email", "delivered_on": "2024-03-20"}
    assert after(*papers.DELIVERED_PACK) == waiting | sent
    shown = nested("pack_1_1", documents(PACKS, EVERYTHING)["pack_1_1"])
    assert shown["investor"] == "usr_ann"
    assert shown["signers"] == {
        "receipt": "stf_acc",
        "claim_list": "stf_ria",
        "review": "stf_liz",
        "seal_legal_representative": "stf_gus",
        "seal_company": "stf_abe",
        "delivery": "stf_cus",
    }


def test_a_sale_is_shown_on_both_sides_and_in_the_order_book() -> None:
    """Price and interest leave the buyer, come to the seller with the fee among his fees; the offer tells what was sold, and the
    bought claim's sale stands whole under its id.
    """
    balances = documents(BALANCES, EVERYTHING)
    buyer, seller = balances["acc_cem"], balances["acc_dee"]
    assert (buyer["bought_fen"], buyer["available_fen"], buyer["held_fen"]) == (397_84, 102_16, 0)
    assert (seller["sold_fen"], seller["fees_fen"], seller["available_fen"]) == (397_84, 1_98, 395_86)
    offers = documents(OFFERS, EVERYTHING)
    states = ["settled", "refused", "withdrawn", "expired", "closed"]
    assert [offers[f"offer_{number}"]["state"] for number in range(1, 6)] == states
    assert offers["offer_1"]["rate_units"] == 12_000_000
    assert offers["offer_1"]["sale.price_fen"] == 396_00
    (bought,) = documents(TRANSFERS, EVERYTHING).items()
    assert bought[0] == "clm_1_3"
    assert decode_object(OfferSettled, bought[1]["sold"]) == market.SETTLED


def test_a_redemption_shows_what_it_waits_for_and_its_month_what_came_of_it() -> None:
    """The work list goes by `stage`; a month counts who asked in it and what was sold in it; the clock is one partition's."""
    shown = documents(REDEMPTIONS, EVERYTHING)
    stages = [documents(REDEMPTIONS, REDEEMED[:count])["rdm_1"]["stage"] for count in range(1, 9)]
    assert stages == ["form", *STEPS, "sale", "sold"]
    assert [shown[f"rdm_{number}"]["stage"] for number in range(2, 5)] == ["declined", "refused", "lapsed"]
    assert shown["month:2024-03"] == {"asked": 4}
    assert shown["month:2024-04"] == {"sold": 1, "amount_fen": 853_72, "days_used": 15}
    assert shown["~clock"] == {"business_date": "2024-03-16"}
    assert shown["rdm_1"]["signers.release"] == "stf_cas"
    assert shown["rdm_1"]["deadline"] == "2024-04-08"


def test_a_difference_is_shown_from_its_first_day_to_its_end() -> None:
    """Closed by a file, matched with that of another day, or explained by one person and resolved by another."""
    shown = documents(BANK_BREAKS, EVERYTHING)
    ends = {doc: (fields["state"], fields["code"]) for doc, fields in shown.items()}
    assert ends == {
        bank_days.T: ("closed", "closed_by_file"),
        bank_days.H: ("resolved", "timing"),
        bank_days.L: ("resolved", "timing"),
        bank_days.E: ("resolved", "bank_corrected"),
    }
    assert (shown[bank_days.H]["counterpart"], shown[bank_days.H]["ended_on"]) == (bank_days.L, "2024-03-15")
    assert (shown[bank_days.E]["explained_by"], shown[bank_days.E]["resolved_by"]) == ("stf_ufa", "stf_lin")
