"""Loan 7 is overdue, no cash is to be had, and its borrower gives things for it: a lorry for the arrears, a flat for all. Amounts in fen."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.assets import (
    AssetAuctionFailed,
    AssetCounted,
    AssetCountMissed,
    AssetDisposalFailed,
    AssetDisposalOverdue,
    AssetDisposalProposed,
    AssetDisposalSigned,
    AssetDisposed,
    AssetSold,
    AssetTaken,
    ProceedsLine,
)
from libs.events.deciding import Context
from libs.events.in_kind import AssetShare, DebtSettledInKind, SettlementInKind
from libs.events.repayment import LoanRepaid
from services.repayment.commands.assets import (
    CountAsset,
    DeclineDisposal,
    ProposeDisposal,
    RecordDisposal,
    RecordFailedAuction,
    SignDisposal,
    TakeAsset,
)
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.asset import asset_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.given import context
from tests.unit.repayment.stories import FIRST_DUE, OPENED, days, due, failed, line

ASSET = asset_aggregate(profile_named("demo"))
DAY = date(2024, 3, 15)
LATE = (OPENED, due(1), failed(FIRST_DUE))
LORRY = SettlementInKind(
    asset="movables",
    agreed_fen=34_002,
    valued_fen=40_000,
    valued_on=DAY,
    valuer="val:1",
    valuation="vault:2",
    ground="agreement",
    acquired_on=DAY,
    title="vault:3",
    keeper="keep:1",
    cash_impossible="vault:4",
)
#: All of it is worth 34,002 that is overdue, 66,998 that is not due, and 335 of interest for fifteen of the thirty-one days at 1 % a month.
FLAT = replace(LORRY, asset="real_estate", agreed_fen=200_000, valued_fen=200_000, remainder_to_debtor=True)


def carry_out(terms: SettlementInKind = LORRY, measure_id: str = "msr_1") -> CarryOutMeasure:
    """All have agreed."""
    return CarryOutMeasure(measure_id=measure_id, terms=terms)


def share(order: int, principal_fen: int, interest_fen: int) -> AssetShare:
    """What investor `order` gave up."""
    return AssetShare(
        claim_id=f"clm_7_{order}",
        account_id=f"acc_{order}",
        investor=f"usr_{order}",
        amount_fen=principal_fen + interest_fen,
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        penalty_fen=0,
    )


#: 33,002 and 1,000 at 50, 30 and 20 per cent; the fen that is left goes to the largest remainder.
SHARES = (share(1, 16_501, 500), share(2, 9_901, 300), share(3, 6_600, 200))
SETTLED = DebtSettledInKind(
    loan_id="loan_7",
    borrower="usr_bo",
    borrower_account="acc_bo",
    measure_id="msr_1",
    asset_id="ast_1",
    terms=LORRY,
    settled_fen=34_002,
    excess_fen=0,
    lines=(line(1, 1_000, 33_002),),
    shares=SHARES,
    principal_before_fen=100_000,
    principal_after_fen=66_998,
    overdue_after_fen=0,
    dpd=0,
    bucket="current",
    settled_on=DAY,
)
REPAID = LoanRepaid(loan_id="loan_7", borrower="usr_bo", repaid_on=DAY, early=True)

# --- the register --------------------------------------------------------------------------------------------------

WHAT: dict[str, Any] = {"asset_id": "ast_1", "loan_id": "loan_7"}
TAKE = TakeAsset(
    measure_id="msr_1",
    borrower="usr_bo",
    borrower_account="acc_bo",
    terms=LORRY,
    settled_fen=34_002,
    excess_fen=0,
    shares=SHARES,
    taken_on=DAY,
    product="",
    region="",
    **WHAT,
)
TAKEN = AssetTaken(
    measure_id="msr_1",
    borrower="usr_bo",
    borrower_account="acc_bo",
    terms=LORRY,
    settled_fen=34_002,
    excess_fen=0,
    shares=SHARES,
    taken_on=DAY,
    dispose_by=date(2025, 3, 15),
    count_due_on=days(DAY, 92),
    **WHAT,
)
COUNT = CountAsset(found=True, paper="vault:5")
COUNTED = AssetCounted(
    found=True, paper="vault:5", counted_by="stf_kp", counted_on=DAY, next_due_on=days(DAY, 92), **WHAT
)
MISSED = AssetCountMissed(due_on=days(DAY, 92), next_due_on=days(DAY, 184), missed=1, **WHAT)
OVERDUE = AssetDisposalOverdue(dispose_by=date(2025, 3, 15), **WHAT)
FAIL_AUCTION = RecordFailedAuction(reserve_fen=50_000, report="vault:6")
NO_BID = AssetAuctionFailed(reserve_fen=50_000, report="vault:6", recorded_by="stf_kp", held_on=DAY, **WHAT)

# --- the sale ------------------------------------------------------------------------------------------------------

_SALE: dict[str, Any] = {
    "disposal_id": "dsp_1",
    "manner": "auction",
    "price_fen": 30_001,
    "reserve_fen": 30_000,
    "cost_fen": 1_000,
    "cost_account": "acc_auc",
    "buyer_account": "acc_ann",
    "paper": "vault:7",
}
PROPOSE = ProposeDisposal(**_SALE)
#: Signed within thirty days, or not at all.
SIGN_UNTIL = days(DAY, 30)
PROPOSED = AssetDisposalProposed(
    reason=None, proposed_by="stf_kp", proposed_on=DAY, sign_until=SIGN_UNTIL, **_SALE, **WHAT
)
EXPIRED = AssetDisposalFailed(disposal_id="dsp_1", code="expired", failed_on=SIGN_UNTIL, **WHAT)
BY_FAY = AssetDisposalSigned(
    disposal_id="dsp_1",
    step="finance_supervisor",
    signer="stf_fay",
    signed_on=DAY,
    next_step="general_manager",
    **WHAT,
)
BY_GUS = replace(BY_FAY, step="general_manager", signer="stf_gus", next_step=None)
SOLD = AssetSold(disposal_id="dsp_1", buyer_account="acc_ann", price_fen=30_001, sold_on=DAY, **WHAT)
NO = AssetDisposalFailed(
    disposal_id="dsp_1", code="price_too_low", failed_on=DAY, refused_by="stf_fay", **WHAT
)
UNPAID = AssetDisposalFailed(disposal_id="dsp_1", code="insufficient_available", failed_on=DAY, **WHAT)
ON_SALE = (TAKEN, PROPOSED)
SIGNED = (*ON_SALE, BY_FAY, BY_GUS, SOLD)
RECORD = RecordDisposal(disposal_id="dsp_1")
DECLINE = DeclineDisposal(disposal_id="dsp_1", code="insufficient_available")


def sign(step: Any, **changed: Any) -> SignDisposal:
    """Whoever holds the post signs."""
    return SignDisposal(disposal_id="dsp_1", step=step, **changed)


def proceeds(order: int, amount_fen: int, principal_fen: int) -> ProceedsLine:
    """What investor `order` gets."""
    return ProceedsLine(
        line_id=f"clm_7_{order}",
        part="holder",
        account_id=f"acc_{order}",
        amount_fen=amount_fen,
        principal_fen=principal_fen,
    )


COST = ProceedsLine(line_id="cost", part="cost", account_id="acc_auc", amount_fen=1_000)
#: 29,001 at 17,001 : 10,201 : 6,800 of 34,002; two fen are left for the two largest remainders.
DISPOSED = AssetDisposed(
    disposal_id="dsp_1",
    price_fen=30_001,
    lines=(COST, proceeds(1, 14_500, 16_501), proceeds(2, 8_701, 9_901), proceeds(3, 5_800, 6_600)),
    loss_fen=5_001,
    disposed_on=DAY,
    **WHAT,
)


def by(who: str, day: date = DAY) -> Context:
    """A command of a member of staff."""
    return context(day, f"stf_{who}")
