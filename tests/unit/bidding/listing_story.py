"""What happens to Bea's listing in the specs: her loan of 1,000.50 yuan, its two bids, its funding or its end."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal

from libs.events.bidding import (
    Bid,
    BidDeclined,
    BidPlaced,
    CaptureRecorded,
    ClaimTerms,
    Disclosure,
    FundingRequested,
    FundsCollected,
    ListingCancelled,
    ListingChecked,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingPrepared,
    ListingRefused,
    ListingReviewed,
    LoanFunded,
    PayoutApproved,
)
from services.bidding.commands import CancelBid, CancelListing, OpenListing, RecordBid, RecordCapture
from tests.unit.given import TODAY

CLOSES = date(2024, 3, 20)
FUNDED_ON = date(2024, 3, 18)

TERMS: dict[str, Any] = {
    "loan_id": "loan_1",
    "borrower": "usr_bea",
    "amount_fen": 1_000_50,
    "annual_rate": Decimal("0.12"),
    "tenor_months": 12,
    "grade": "B",
    "origination_fee_fen": 20_00,
    "interest_fee_permille": 100,
}
KNOWN = {"listing_id": "lst_1", "borrower_account": "acc_bea"} | TERMS


def open_listing(**changed: Any) -> OpenListing:
    """Bea's loan of 1,000.50 yuan is listed for five days."""
    return OpenListing(**(TERMS | {"window_days": 5} | changed))


def opened(**changed: Any) -> ListingOpened:
    """It is."""
    return ListingOpened(**(KNOWN | {"bid_min_fen": 100_00, "closes_on": CLOSES} | changed))


OPENED = opened()


def bid(name: str, amount_fen: int, investor: str = "ann") -> RecordBid:
    """An investor's held bid reaches the listing."""
    return RecordBid(
        bid_id=f"bid_{name}",
        hold_id=f"hold_{name}",
        account_id=f"acc_{investor}",
        investor=f"usr_{investor}",
        amount_fen=amount_fen,
    )


def accepted(order: int, command: RecordBid) -> Bid:
    """The bid as the listing keeps it."""
    return Bid(
        order=order,
        bid_id=command.bid_id,
        hold_id=command.hold_id,
        account_id=command.account_id,
        investor=command.investor,
        amount_fen=command.amount_fen,
    )


def placed(order: int, command: RecordBid, raised_fen: int) -> BidPlaced:
    """It was accepted, and this much is raised now."""
    return BidPlaced(
        listing_id="lst_1",
        bid=accepted(order, command),
        raised_after_fen=raised_fen,
        remaining_after_fen=1_000_50 - raised_fen,
    )


def declined(command: RecordBid, code: str) -> BidDeclined:
    """It was not, for this reason."""
    return BidDeclined(
        listing_id="lst_1",
        bid_id=command.bid_id,
        hold_id=command.hold_id,
        account_id=command.account_id,
        investor=command.investor,
        amount_fen=command.amount_fen,
        code=code,
    )


def in_part(order: int, command: RecordBid, taken_fen: int, raised_fen: int) -> BidPlaced:
    """A part of it was accepted."""
    taken = replace(accepted(order, command), amount_fen=taken_fen)
    return replace(placed(order, command, raised_fen), bid=taken, excess_fen=command.amount_fen - taken_fen)


FIRST, LAST = bid("a", 900_00), bid("b", 100_50, "cem")
PLACED = placed(1, FIRST, 900_00)
FILLED = ListingFilled(listing_id="lst_1", loan_id="loan_1", amount_fen=1_000_50, bid_count=2)
FULL = (OPENED, PLACED, placed(2, LAST, 1_000_50), FILLED)
CLAIMS = (
    ClaimTerms(order=1, claim_id="clm_1_1", account_id="acc_ann", investor="usr_ann", principal_fen=900_00),
    ClaimTerms(order=2, claim_id="clm_1_2", account_id="acc_cem", investor="usr_cem", principal_fen=100_50),
)
FUNDED = LoanFunded(funded_on=FUNDED_ON, bids=(accepted(1, FIRST), accepted(2, LAST)), claims=CLAIMS, **KNOWN)


def captured(name: str, amount_fen: int, missing: int) -> CaptureRecorded:
    """A hold was captured."""
    return CaptureRecorded(
        listing_id="lst_1", loan_id="loan_1", hold_id=f"hold_{name}", amount_fen=amount_fen, missing=missing
    )


COLLECTED = FundsCollected(funded_on=FUNDED_ON, claims=CLAIMS, **KNOWN)
ONE_CAPTURED = (*FULL, FUNDED, captured("b", 100_50, 1))
ALL_CAPTURED = (*ONE_CAPTURED, captured("a", 900_00, 0), COLLECTED)
EXPIRED = ListingExpired(
    listing_id="lst_1",
    expired_on=CLOSES,
    bids=(accepted(1, FIRST),),
    loan_id="loan_1",
    borrower="usr_bea",
    amount_fen=1_000_50,
)

#: As onboarding asks for it: who owns the borrower, who is related to her, where and what it is.
APPLICATION: dict[str, Any] = {
    "product": "credit",
    "region": "sh",
    "owner": "stf_own",
    "related": ("usr_rel",),
    "application_id": "app_1",
}
APPLIED = opened(**APPLICATION)
#: Filled above the threshold, so that two people must review it.
TO_REVIEW = (
    APPLIED,
    PLACED,
    placed(2, LAST, 1_000_50),
    replace(FILLED, reviews_needed=2, review_by=TODAY + timedelta(days=10)),
)


def turned_down_by(code: str) -> ListingRefused:
    """The application hears why it is not listed."""
    return ListingRefused(
        loan_id="loan_1", application_id="app_1", borrower="usr_bea", amount_fen=1_000_50, code=code
    )


def reviewed(reviewer: str, order: int, verdict: Literal["approve", "reject"] = "approve") -> ListingReviewed:
    """One of finance has looked at it."""
    return ListingReviewed(
        listing_id="lst_1",
        loan_id="loan_1",
        reviewer=reviewer,
        verdict=verdict,
        order=order,
        reviews_needed=2,
    )


FUNDED_APPLICATION = LoanFunded(
    funded_on=FUNDED_ON,
    bids=(accepted(1, FIRST), accepted(2, LAST)),
    claims=CLAIMS,
    product="credit",
    region="sh",
    owner="stf_own",
    application_id="app_1",
    **KNOWN,
)
CANCELLED = ListingCancelled(
    listing_id="lst_1",
    loan_id="loan_1",
    borrower="usr_bea",
    application_id="app_1",
    amount_fen=1_000_50,
    cancelled_on=FUNDED_ON,
    code="review_rejected",
    bids=(accepted(1, FIRST), accepted(2, LAST)),
)


def taken_back(
    by: Literal["", "borrower", "operator"], code: str, *bids: Bid, **changed: Any
) -> ListingCancelled:
    """A listing that is not filled is taken back."""
    return replace(
        CANCELLED, application_id="", cancelled_on=TODAY, cancelled_by=by, code=code, bids=bids, **changed
    )


#: The review has passed; onboarding looks at the caps.
ASKED_CAPS = FundingRequested(
    listing_id="lst_1", loan_id="loan_1", borrower="usr_bea", application_id="app_1", amount_fen=1_000_50
)
TO_FUND = (*TO_REVIEW, ASKED_CAPS)
WITHDRAW = CancelListing(code="borrower_withdrew", by="borrower")
TAKE_BACK = CancelListing(code="duplicate", by="operator")
BID_BACK = CancelBid(bid_id="bid_a")
#: Under the law: a consumer's loan of the same amount for the fees that are published, prepared for a second person's look.
LAWFUL: dict[str, Any] = APPLICATION | {
    "product": "consumer",
    "origination_fee_fen": 2_00,
    "borrower_kind": "person",
    "purpose": "renovation",
    "owes_fen": 1_000_50,
    "prepared_by": "stf_leo",
}
PACK = Disclosure(
    template=5,
    loan_id="loan_1",
    borrower_kind="person",
    region="sh",
    grade="B",
    product="consumer",
    purpose="renovation",
    guarantor="",
    owes_fen=1_000_50,
    amount_fen=1_000_50,
    annual_rate=Decimal("0.12"),
    method="equal_instalments",
    tenor_months=12,
    origination_fee_fen=2_00,
    interest_fee_permille=100,
    fees_version=2,
    window_days=5,
    bid_min_fen=100_00,
)
PACK_TEXT = """\
Loanstream disclosure, version 5
loan loan_1
borrower: a person, region sh, risk grade B
staff of this platform or related to staff: no
owes on this platform with this loan: 100050 fen
product consumer, for renovation
amount 100050 fen, bids from 10000 fen
interest 0.12 a year
repaid in 12 months, equal_instalments
origination fee 200 fen, taken from the pay-out
service fee 100 per mille of the interest, borne by the lenders
fees as published in version 2
external guarantor: none
open for bids for 5 whole days: a day that had begun when it opened is none of them
The platform only mediates: it does not lend, does not promise repayment and does not make up for a loss.
Whoever lends may lose all that he lent. Past figures say nothing about this loan.
"""
PACK_HASH = sha256(PACK_TEXT.encode()).hexdigest()
PREPARED = ListingPrepared(
    listing_id="lst_1",
    loan_id="loan_1",
    borrower="usr_bea",
    borrower_account="acc_bea",
    owner="stf_own",
    related=("usr_rel",),
    application_id="app_1",
    prepared_by="stf_leo",
    check_by=TODAY + timedelta(days=10),
    disclosure=PACK,
    content_hash=PACK_HASH,
)


def checked(
    verdict: Literal["approve", "reject"] = "approve", opens_on: date | None = None
) -> ListingChecked:
    """Lia of legal has read it."""
    return ListingChecked(
        listing_id="lst_1",
        loan_id="loan_1",
        checker="stf_lia",
        verdict=verdict,
        content_hash=PACK_HASH,
        opens_on=opens_on,
    )


PUBLISHED = opened(
    **(APPLICATION | {"product": "consumer", "origination_fee_fen": 2_00, "content_hash": PACK_HASH})
)
#: Two people have reviewed it and the caps are kept.
PAYABLE = PayoutApproved(
    listing_id="lst_1",
    loan_id="loan_1",
    borrower="usr_bea",
    application_id="app_1",
    amount_fen=1_000_50,
    reviewers=("stf_fin", "stf_fan"),
    owner="stf_own",
    pay_by=FUNDED_ON + timedelta(days=10),
)
REVIEWED_BY_TWO = (*TO_REVIEW, reviewed("stf_fin", 1), reviewed("stf_fan", 2), ASKED_CAPS)
TO_PAY = (*REVIEWED_BY_TWO, PAYABLE)
CAPTURE_A = RecordCapture(hold_id="hold_a", amount_fen=900_00)
CAPTURE_B = RecordCapture(hold_id="hold_b", amount_fen=100_50)
