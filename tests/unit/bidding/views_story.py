"""What all views of bidding are told: accounts, listings, papers, sales and the bank's days, each stream with its ends."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import structs

from libs.events.bidding import (
    BidPlaced,
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
from libs.events.codec import decode, name_of
from libs.events.onboarding import StaffAppointed, StaffDismissed
from libs.events.records import RecordedEvent
from libs.events.repayment import LoanOpened, RepaymentDistributed
from libs.events.system import BusinessDateSet
from tests.unit.bidding import account_story as account
from tests.unit.bidding import bank_day_story as bank_days
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import market_story as market
from tests.unit.bidding import newcomer_story as newcomers
from tests.unit.bidding import paper_story as papers
from tests.unit.bidding import redemption_story as redemption
from tests.unit.bidding import standing_story as standing
from tests.unit.bidding import stock_story as stock
from tests.unit.bidding import test_adjusting as adjusting
from tests.unit.bidding import test_assets as assets
from tests.unit.bidding import test_compensation as compensation
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.bidding.specs import AVAILABLE, BANK, CLEARING, HELD, OPENED, asked, deposited, moved
from tests.unit.bidding.test_bank import BOOKED
from tests.unit.documents import history, recorded
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
PAPERS = history("ctr_1", papers.ISSUED, papers.CONTRACT_VOID)
PACK = history(
    "pack_1_1",
    *papers.ISSUED_PACK,
    papers.LATE,
    papers.SENT_BACK,
    *papers.DELIVERED_PACK[1:],
    papers.PACK_VOID,
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
#: And another pair, which was in flight at midnight.
LANDED = replace(bank_days.LATE, reference=bank_days.FLYING.reference)
FLEW = replace(
    bank_days.IN_FLIGHT,
    break_id=bank_days.name(bank_days.MONDAY, bank_days.FLYING),
    counterpart=bank_days.name(bank_days.TUESDAY, LANDED),
    other=LANDED,
)
BANK_DAY = history(
    "bankdays",
    *bank_days.TWO_DAYS,
    bank_days.MATCHED,
    *bank_days.ENDED,
    bank_days.opened(bank_days.MONDAY, bank_days.FLYING),
    FLEW,
    replace(bank_days.listed(0), gone=(bank_days.E,)),
    replace(bank_days.NEXT_DONE, revision=2, gone=(FLEW.counterpart,)),
)
LOAN_OF = history(
    "loan_1",
    *(
        decode(kind, (GOLDEN / f"{name_of(kind)}.json").read_bytes())
        for kind in (LoanOpened, RepaymentDistributed)
    ),
    compensation.SUBROGATED,
)
GUARANTOR = history(
    "acc_gus",
    *(
        replace(said, account_id="acc_gus", owner="usr_gus")
        for said in (compensation.DEBITED, compensation.RECORDED)
    ),
)
#: Blank contracts, as far as they go.
STOCK = history(
    stock.STOCK, *stock.USED, stock.RETURNED, stock.VOID, stock.SIGNED_VOID, stock.WRONG, stock.EXPLAINED
)
BUYER = history(
    "acc_buy",
    *(
        replace(said, account_id="acc_buy", owner="usr_buy")
        for said in (assets.DEBITED, replace(assets.CREDITED, amount_fen=300_00, postings=assets.BACK))
    ),
    assets.DISPOSED,
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
    *GUARANTOR,
    *STOCK,
    *BUYER,
]
