"""What the policies of bidding are told, and the commands that each event is answered with."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.bidding import (
    FundsCollected,
)
from libs.events.onboarding import (
    CardBound,
    ErasureRequested,
    ExposureConfirmed,
    ExposureRevoked,
    PrecedentsMet,
    RelationDeclared,
    SuitabilityAssessed,
    UserVerified,
)
from libs.events.sagas import Send
from services.bidding.commands import (
    CaptureHold,
    ConfirmFunding,
    CreditFee,
    CreditProceeds,
    FundListing,
    OpenAccount,
    RecordBid,
    RecordCapture,
    RecordCard,
    ReduceHold,
    RejectFunding,
    ReleaseHold,
)
from tests.unit.bidding import account_story as account
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import paper_story as papers
from tests.unit.bidding import redemption_story as redemption
from tests.unit.bidding import standing_answers, test_adjusting, test_assets, test_compensation, test_market
from tests.unit.bidding import standing_story as standing
from tests.unit.bidding import stock_story as stock
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.bidding.repaid_story import DUE, REFUSED_BID, REFUSED_PAYMENT, REPAYMENTS_ANSWERS

FREE_LOAN = FundsCollected(
    funded_on=listing.FUNDED_ON, claims=listing.CLAIMS, **(listing.KNOWN | {"origination_fee_fen": 0})
)


def release(hold_id: str, reason: str, who: str = "ann") -> Send:
    """A hold is released."""
    return Send(f"release:{hold_id}", f"acc_{who}", ReleaseHold(hold_id=hold_id, reason=reason))


DECLINED = listing.declined(listing.FIRST, "listing_full")
FEE = CreditFee(loan_id="loan_1", fee_id="origination:loan_1", amount_fen=20_00)

HOLD = {"hold_id": "hold_1", "account_id": "acc_ann"}
BID_SENT = RecordBid(
    bid_id="bid_1", hold_id="hold_1", account_id="acc_ann", investor="usr_ann", amount_fen=300_00
)

PARTLY_PLACED = listing.in_part(2, listing.bid("c", 200_00), 100_50, 1_000_50)
ASSESSED_BID = replace(account.HELD_FUNDS, suitability_level="C3", suitability_valid_to=date(2025, 3, 14))
ASSESSED_BID_SENT = replace(BID_SENT, suitability_level="C3", suitability_valid_to=date(2025, 3, 14))
RELATED_BID = replace(account.HELD_FUNDS, related=("usr_bea",))
VERIFIED = UserVerified(
    user_id="usr_ann",
    kind="person",
    region="sh",
    owner="stf_own",
    provider="stub",
    reference="ref_1",
    verified_on=date(2024, 3, 15),
)
CARD = "card_" + "a1" * 16
CARD_SENT = Send("card", "acc_ann", RecordCard(owner="usr_ann", card_ref=CARD))
ASSESSED = SuitabilityAssessed(
    user_id="usr_ann", level="C3", assessed_on=date(2024, 3, 15), valid_to=date(2025, 3, 14)
)
READY = PrecedentsMet(
    **(
        listing.TERMS
        | listing.APPLICATION
        | {"borrower_kind": "person", "purpose": "stock", "window_days": 5}
    )
)
RECHECKED: dict[str, Any] = {
    "user_id": "usr_bea",
    "application_id": "app_1",
    "loan_id": "loan_1",
    "cap_fen": 200_000_00,
    "step": "funding",
}
CAPS_KEPT = ExposureConfirmed(exposure_fen=1_000_50, **RECHECKED)
CAPS_BROKEN = ExposureRevoked(
    amount_fen=1_000_50, exposure_after_fen=0, code="exposure_cap_exceeded", **RECHECKED
)
LISTED = listing.open_listing(**listing.APPLICATION, borrower_kind="person", purpose="stock")

_VOID_BLANK = f"void-blank:{stock.STOCK}:1"
ANSWERS: list[tuple[str, Any, list[Send]]] = [
    *standing_answers.ANSWERS,
    ("bidding", account.HELD_FUNDS, [Send("bid", "lst_1", BID_SENT, HOLD)]),
    ("bidding", DECLINED, [release("hold_a", "listing_full")]),
    ("bidding", REFUSED_BID, [release("hold_1", "unknown_listing")]),
    (
        "bidding",
        listing.EXPIRED,
        [
            release("hold_a", "listing_expired"),
            Send("vouchers", "marketing", vouchers.EXPIRED_LISTING),
            standing.END_CLOSED,
        ],
    ),
    ("bidding", vouchers.PAID, [Send("voucher", "acc_ann", vouchers.CREDIT)]),
    ("bidding", vouchers.GRANTED, []),
    ("bidding", listing.FILLED, [Send("fund", "lst_1", FundListing()), standing.END_FULL]),
    ("bidding", listing.TO_REVIEW[-1], [standing.END_FULL]),
    (
        "bidding",
        listing.CANCELLED,
        [
            release("hold_a", "listing_cancelled"),
            release("hold_b", "listing_cancelled", "cem"),
            Send("vouchers", "marketing", vouchers.CANCELLED_LISTING),
            standing.END_CLOSED,
        ],
    ),
    ("bidding", ASSESSED_BID, [Send("bid", "lst_1", ASSESSED_BID_SENT, HOLD)]),
    ("bidding", RELATED_BID, [Send("bid", "lst_1", replace(BID_SENT, related=("usr_bea",)), HOLD)]),
    ("onboarding", VERIFIED, [Send("account", "acc_ann", OpenAccount(owner="usr_ann"))]),
    (
        "onboarding",
        replace(VERIFIED, card_ref=CARD),
        [CARD_SENT, Send("account", "acc_ann", OpenAccount(owner="usr_ann"))],
    ),
    ("onboarding", CardBound(user_id="usr_ann", card_ref=CARD), [CARD_SENT]),
    (
        "onboarding",
        replace(VERIFIED, related=("usr_bea", "usr_eve")),
        [
            Send("account", "acc_ann", OpenAccount(owner="usr_ann")),
            Send("relation:usr_bea", "acc_ann", account.RELATE),
            Send("relation:usr_eve", "acc_ann", replace(account.RELATE, related="usr_eve")),
        ],
    ),
    (
        "onboarding",
        RelationDeclared(user_id="usr_ann", related="usr_bea"),
        [Send("relation:usr_bea", "acc_ann", account.RELATE)],
    ),
    (
        "onboarding",
        RelationDeclared(user_id="usr_ann", related="usr_bea", by_other=True),
        [Send("relation:usr_bea", "acc_ann", account.RELATE)],
    ),
    (
        "onboarding",
        ErasureRequested(user_id="usr_ann", requested_on=DUE),
        [Send("close", "acc_ann", account.CLOSE)],
    ),
    # Whether it may go is for onboarding to hear, and so is what is asked of it about caps.
    ("bidding", account.stays("has_money"), []),
    ("bidding", listing.ASKED_CAPS, []),
    ("onboarding", CAPS_KEPT, [Send("caps", "lst_1", ConfirmFunding())]),
    (
        "onboarding",
        replace(CAPS_KEPT, related_to_staff=True),
        [Send("caps", "lst_1", ConfirmFunding(related_to_staff=True))],
    ),
    ("onboarding", replace(CAPS_KEPT, step="precedents"), []),
    ("onboarding", CAPS_BROKEN, [Send("caps", "lst_1", RejectFunding(code="exposure_cap_exceeded"))]),
    ("onboarding", replace(CAPS_BROKEN, step="precedents"), []),
    ("onboarding", ASSESSED, [Send("suitability", "acc_ann", account.ASSESS)]),
    ("onboarding", READY, [Send("list", "lst_1", LISTED, {"loan_id": "loan_1", "application_id": "app_1"})]),
    (
        "onboarding",
        replace(READY, checked_by="stf_leo", exposure_fen=2_000_00),
        [
            Send(
                "list",
                "lst_1",
                replace(LISTED, prepared_by="stf_leo", owes_fen=2_000_00),
                {"loan_id": "loan_1", "application_id": "app_1"},
            )
        ],
    ),
    # Before it opens nobody holds money for it, and who may pay it out is a person.
    ("bidding", listing.PREPARED, []),
    ("bidding", listing.checked(), []),
    ("bidding", listing.PAYABLE, []),
    # What the listing says of an application's terms is for onboarding to hear; a voucher may wait for one that was scheduled.
    (
        "bidding",
        listing.turned_down_by("invalid_rate"),
        [Send("vouchers", "marketing", replace(vouchers.CANCELLED_LISTING, code="listing_refused"))],
    ),
    (
        "bidding",
        listing.FUNDED,
        [
            Send(
                "capture:hold_a",
                "acc_ann",
                CaptureHold(hold_id="hold_a", loan_id="loan_1", amount_fen=900_00),
            ),
            Send(
                "capture:hold_b",
                "acc_cem",
                CaptureHold(hold_id="hold_b", loan_id="loan_1", amount_fen=100_50),
            ),
        ],
    ),
    (
        "bidding",
        account.CAPTURED,
        [Send("captured", "lst_1", RecordCapture(hold_id="hold_1", amount_fen=300_00))],
    ),
    (
        "bidding",
        listing.COLLECTED,
        [
            Send("proceeds", "acc_bea", CreditProceeds(loan_id="loan_1", amount_fen=980_50)),
            Send("fee", "acc_fees", FEE),
            Send("contract", "ctr_1", papers.ISSUE),
            Send("vouchers", "marketing", vouchers.SETTLE),
        ],
    ),
    (
        "bidding",
        FREE_LOAN,
        [
            Send("proceeds", "acc_bea", CreditProceeds(loan_id="loan_1", amount_fen=1_000_50)),
            Send("contract", "ctr_1", papers.issue(origination_fee_fen=0)),
            Send("vouchers", "marketing", vouchers.SETTLE),
        ],
    ),
    (
        "bidding",
        papers.LAWFUL,
        [
            Send("pack:clm_1_1", "pack_1_1", papers.open_pack(1)),
            Send("pack:clm_1_2", "pack_1_2", papers.open_pack(2)),
        ],
    ),
    ("bidding", papers.ISSUED, []),
    (
        "repayment",
        papers.LOAN_VOIDED,
        [Send("void-contract", "ctr_1", papers.VOID_CONTRACT)],
    ),
    (
        "bidding",
        papers.CONTRACT_VOID,
        [
            Send("void-pack:clm_1_1", "pack_1_1", papers.void_pack(1)),
            Send("void-pack:clm_1_2", "pack_1_2", papers.void_pack(2)),
        ],
    ),
    ("bidding", stock.SIGNED, [Send("blank", "ctr_1", papers.RECORD_BLANK)]),
    ("bidding", papers.BLANK_RECORDED, []),
    ("bidding", papers.LATE_BLANK, [Send(_VOID_BLANK, stock.STOCK, stock.VOID_SIGNED)]),
    (
        "bidding",
        replace(papers.CONTRACT_VOID, claims=(), blanks=(stock.BLANK,)),
        [Send(_VOID_BLANK, stock.STOCK, stock.VOID_SIGNED)],
    ),
    ("bidding", stock.SIGNED_VOID, []),
    (
        "bidding",
        replace(listing.CANCELLED, bids=(), code="duress"),
        [
            Send("void-contract", "ctr_1", papers.VOID_UNFUNDED),
            Send("vouchers", "marketing", vouchers.CANCELLED_LISTING),
            standing.END_CLOSED,
        ],
    ),
    ("bidding", listing.PLACED, []),
    ("bidding", PARTLY_PLACED, [Send("reduce", "acc_ann", ReduceHold(hold_id="hold_c", keep_fen=100_50))]),
    ("bidding", account.REDUCED, []),
    (
        "bidding",
        replace(account.HELD_FUNDS, allow_partial=True),
        [Send("bid", "lst_1", replace(BID_SENT, allow_partial=True), HOLD)],
    ),
    ("bidding", REFUSED_PAYMENT, []),
    *REPAYMENTS_ANSWERS,
    *test_market.ANSWERS,
    *redemption.ANSWERS,
    *test_compensation.ANSWERS,
    *test_assets.ANSWERS,
    *test_adjusting.ANSWERS,
]
