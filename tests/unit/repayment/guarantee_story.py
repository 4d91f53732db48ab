"""A loan with a guarantor who pays its first instalment thirty days late, and the register that he stands in. Amounts in fen."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.application import GuaranteeRequested
from libs.events.arrival import Arrival
from libs.events.bidding import ListingCancelled, ListingExpired, ListingRefused, Posting
from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationApproved,
    CompensationDebitDeclined,
    CompensationDebited,
    CompensationDeclined,
    CompensationExecuted,
    CompensationProposed,
    SubrogatedClaim,
)
from libs.events.deciding import Context
from libs.events.guarantees import GuaranteeReserved, GuarantorAdmitted, GuarantorProposed, GuarantorRefused
from libs.events.repayment import (
    AllocationLine,
    DistributionLine,
    PenaltyCharged,
    PenaltyLine,
    RepaymentDistributed,
)
from libs.events.system import CommandRefused
from services.repayment.commands import (
    AdmitGuarantor,
    ApproveCompensation,
    DeclineCompensation,
    ExecuteCompensation,
    ProposeCompensation,
    ProposeGuarantor,
    RecordCompensation,
    ReduceGuarantee,
    RefuseCompensation,
    RefuseGuarantor,
    ReserveGuarantee,
    RestoreGuarantee,
    SuspendGuarantor,
)
from tests.unit.given import context
from tests.unit.repayment.stories import CONTRACTED, FIRST_DUE, amended, days, due, failed, line, received

DAY = days(FIRST_DUE, 30)
GUARANTEED = amended(CONTRACTED, guarantor="gua_g")
#: The first instalment was asked and found nothing.
LATE = (GUARANTEED, due(1), failed(FIRST_DUE))


def by(who: str, day: date = DAY) -> Context:
    """A command of a member of staff."""
    return context(day, f"stf_{who}")


# --- the loan ------------------------------------------------------------------------------------------------------

PROPOSE = ProposeCompensation(loan_id="loan_7", compensation_id="cmp_1")
APPROVE = ApproveCompensation(loan_id="loan_7", compensation_id="cmp_1")
REFUSE = RefuseCompensation(loan_id="loan_7", compensation_id="cmp_1", code="not_now")
EXECUTE = ExecuteCompensation(loan_id="loan_7", compensation_id="cmp_1")

#: 18 % on 340.02 for thirty days of 365: 5.03.
LINES = (AllocationLine(number=1, penalty_fen=503, interest_fen=1_000, principal_fen=33_002),)
AMOUNT = 34_505

PROPOSED = CompensationProposed(
    loan_id="loan_7",
    borrower="usr_bo",
    compensation_id="cmp_1",
    guarantor="gua_g",
    covers="overdue",
    dpd=30,
    amount_fen=AMOUNT,
    proposed_by="stf_acc",
    proposed_on=DAY,
    sign_until=days(DAY, 10),
)
APPROVED = CompensationApproved(
    loan_id="loan_7", compensation_id="cmp_1", guarantor="gua_g", approved_by="stf_fin", approved_on=DAY
)
EXECUTED = CompensationExecuted(
    loan_id="loan_7",
    borrower="usr_bo",
    compensation_id="cmp_1",
    guarantor="gua_g",
    account_id="acc_g",
    covers="overdue",
    amount_fen=AMOUNT,
    lines=LINES,
    value_date=DAY,
    executed_by="stf_cas",
)
SIGNED = (PROPOSED, APPROVED, EXECUTED)

RECORD = RecordCompensation(compensation_id="cmp_1", account_id="acc_g", amount_fen=AMOUNT, value_date=DAY)
DECLINE = DeclineCompensation(compensation_id="cmp_1", code="insufficient_available")
DECLINED = CompensationDeclined(
    loan_id="loan_7",
    compensation_id="cmp_1",
    guarantor="gua_g",
    code="insufficient_available",
    declined_on=DAY,
)

CHARGED = PenaltyCharged(
    loan_id="loan_7",
    borrower="usr_bo",
    charged_on=DAY,
    penalty_fen=503,
    penalty_after_fen=503,
    overdue_after_fen=AMOUNT,
    dpd=30,
    bucket="current",
    lines=(PenaltyLine(number=1, open_fen=34_002, days=30, penalty_fen=503),),
)
SUBROGATED = ClaimsSubrogated(
    loan_id="loan_7",
    borrower="usr_bo",
    compensation_id="cmp_1",
    guarantor="gua_g",
    covers="overdue",
    claim=SubrogatedClaim(
        order=4,
        claim_id="clm_7_4",
        account_id="acc_g",
        investor="usr_g",
        principal_fen=33_002,
        first=1,
        through=1,
    ),
    amount_fen=AMOUNT,
    principal_fen=33_002,
    interest_fen=1_000,
    penalty_fen=503,
    lines=LINES,
    guaranteed_fen=66_998,
    value_date=DAY,
    arrival=Arrival(account_id="acc_g", received_fen=AMOUNT, booked_on=DAY, before_phase=2),
)


def share(
    order: int, principal_fen: int, interest_fen: int, penalty_fen: int, fee_fen: int
) -> DistributionLine:
    """What one holder is paid."""
    return DistributionLine(
        claim_id=f"clm_7_{order}",
        account_id="acc_g" if order == 4 else f"acc_{order}",
        investor="usr_g" if order == 4 else f"usr_{order}",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
        penalty_fen=penalty_fen,
    )


PAID_OUT = RepaymentDistributed(
    loan_id="loan_7",
    distribution_id="dst_cmp_1",
    payment_id="cmp_1",
    value_date=DAY,
    principal_fen=33_002,
    interest_fen=1_000,
    fee_fen=100,
    lines=(
        share(1, 16_501, 500, 251, 50),
        share(2, 9_901, 300, 151, 30),
        share(3, 6_600, 200, 101, 20),
    ),
    penalty_fen=503,
)
COMPENSATED = (*LATE, *SIGNED, CHARGED, SUBROGATED, PAID_OUT)

# --- the register --------------------------------------------------------------------------------------------------

VALID_TO = date(2024, 12, 31)
NOMINATE = ProposeGuarantor(guarantor="gua_g", limit_fen=100_000, valid_to=VALID_TO, file="doc_9")
NOMINATED = GuarantorProposed(
    guarantor="gua_g",
    limit_fen=100_000,
    valid_to=VALID_TO,
    file="doc_9",
    proposed_by="stf_ria",
    proposed_on=DAY,
    sign_until=days(DAY, 30),
)
ADMITTED = GuarantorAdmitted(
    guarantor="gua_g",
    limit_fen=100_000,
    valid_to=VALID_TO,
    guaranteed_fen=0,
    proposed_by="stf_ria",
    admitted_by="stf_gm",
    admitted_on=DAY,
)
RESERVE = ReserveGuarantee(
    guarantor="gua_g", application_id="app_7", loan_id="loan_7", borrower="usr_bo", amount_fen=60_000
)
RESERVED = GuaranteeReserved(
    guarantor="gua_g",
    application_id="app_7",
    loan_id="loan_7",
    amount_fen=60_000,
    guaranteed_fen=60_000,
    limit_fen=100_000,
)
KNOWN = (NOMINATED, ADMITTED, RESERVED)
ADMIT = AdmitGuarantor(guarantor="gua_g")
DECLINE_TO = RefuseGuarantor(guarantor="gua_g", code="file_incomplete")
NOT_AGREED = GuarantorRefused(guarantor="gua_g", code="file_incomplete", refused_by="stf_gm", refused_on=DAY)
SUSPEND = SuspendGuarantor(guarantor="gua_g", code="net_worth_too_small")
REDUCE = ReduceGuarantee(guarantor="gua_g", loan_id="loan_7", left_fen=20_000)
RESTORE = RestoreGuarantee(guarantor="gua_g", loan_id="loan_7", owed_fen=60_000)
RESERVE_MORE = replace(RESERVE, application_id="app_8", loan_id="loan_8", amount_fen=40_000)

# --- what its sagas are told ---------------------------------------------------------------------------------------

REQUESTED = GuaranteeRequested(
    application_id="app_7",
    loan_id="loan_7",
    applicant="usr_bo",
    guarantor="gua_g",
    amount_fen=60_000,
    exposure_fen=60_000,
    related_to_staff=False,
)
_ASKED: dict[str, Any] = {
    "account_id": "acc_g",
    "owner": "usr_g",
    "loan_id": "loan_7",
    "compensation_id": "cmp_1",
    "amount_fen": AMOUNT,
}
DEBITED = CompensationDebited(
    **_ASKED,
    value_date=DAY,
    available_after_fen=0,
    held_after_fen=0,
    postings=(
        Posting(account="available:acc_g", amount_fen=-AMOUNT),
        Posting(account="clearing:loan:loan_7", amount_fen=AMOUNT),
    ),
)
TOO_LITTLE = CompensationDebitDeclined(**_ASKED, code="insufficient_available")
NO_ACCOUNT = CommandRefused(
    command_type="bidding.DebitCompensation",
    code="unknown_account",
    stream_id="acc_g",
    about={"loan_id": "loan_7", "compensation_id": "cmp_1"},
)
PAID = replace(received("pay_1", FIRST_DUE, (line(1, 1_000, 33_002),), (100_000, 66_998)), guarantor="gua_g")
_ENDED: dict[str, Any] = {
    "loan_id": "loan_7",
    "borrower": "usr_bo",
    "application_id": "app_7",
    "amount_fen": 60_000,
    "guarantor": "gua_g",
}
EXPIRED = ListingExpired(listing_id="lst_7", expired_on=DAY, bids=(), **_ENDED)
CANCELLED = ListingCancelled(listing_id="lst_7", cancelled_on=DAY, code="rejected", bids=(), **_ENDED)
REFUSED = ListingRefused(code="rejected", **_ENDED)
