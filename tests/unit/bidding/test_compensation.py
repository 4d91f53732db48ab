"""A guarantor's account pays for a loan whole or not at all, and knows of its claim."""

from dataclasses import replace

import pytest

from libs.events.bidding import LoanPaymentReturned
from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationDebitDeclined,
    CompensationDebited,
    CompensationExecuted,
    SubrogatedClaim,
    SubrogationRecorded,
)
from libs.events.repayment import AllocationLine
from libs.events.sagas import Send
from services.bidding.commands import ReturnPayment
from services.bidding.commands.compensation import DebitCompensation, RecordSubrogation
from services.bidding.domain.account import aggregate
from services.bidding.domain.account_state import Open
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.account_story import DUE, rich
from tests.unit.bidding.specs import ANN, ANNS, AVAILABLE, CLEARING, OPENED, Spec, moved, on
from tests.unit.given import fold

ACCOUNT = aggregate(DEMO)
DEBIT = DebitCompensation(loan_id="loan_1", compensation_id="cmp_1", amount_fen=345_05, value_date=DUE)
DEBITED = moved(
    CompensationDebited,
    {AVAILABLE: -345_05, CLEARING: 345_05},
    (154_95, 0),
    loan_id="loan_1",
    compensation_id="cmp_1",
    amount_fen=345_05,
    value_date=DUE,
)
DECLINED = CompensationDebitDeclined(
    account_id=ANNS,
    owner=ANN,
    loan_id="loan_1",
    compensation_id="cmp_1",
    amount_fen=345_05,
    code="insufficient_available",
)
RECORD = RecordSubrogation(
    loan_id="loan_1", compensation_id="cmp_1", claim_id="clm_1_4", principal_fen=330_02
)
RECORDED = SubrogationRecorded(
    account_id=ANNS,
    owner=ANN,
    loan_id="loan_1",
    compensation_id="cmp_1",
    claim_id="clm_1_4",
    principal_fen=330_02,
)
BACK = ReturnPayment(loan_id="loan_1", payment_id="cmp_1", amount_fen=100_00, reason="overpayment")
CAME_BACK = moved(
    LoanPaymentReturned,
    {CLEARING: -100_00, AVAILABLE: 100_00},
    (254_95, 0),
    loan_id="loan_1",
    payment_id="cmp_1",
    amount_fen=100_00,
    reason="overpayment",
)

SPECS = [
    Spec("all of it is taken", rich(), DEBIT, (DEBITED,), on()),
    Spec("once", (*rich(), DEBITED), DEBIT, (), on()),
    Spec("or nothing", rich(345_04), DEBIT, (DECLINED,), on()),
    Spec("from an account that is open", (), DEBIT, "unknown_account", on()),
    Spec("he has a claim", (*rich(), DEBITED), RECORD, (RECORDED,), on()),
    Spec("in an account that is open", (), RECORD, "unknown_account", on()),
    Spec("what the loan did not take is his again", (*rich(), DEBITED), BACK, (CAME_BACK,), on()),
]


_LINE = AllocationLine(number=1, interest_fen=10_00, principal_fen=330_02, penalty_fen=5_03)
EXECUTED = CompensationExecuted(
    loan_id="loan_1",
    borrower="usr_bo",
    compensation_id="cmp_1",
    guarantor="gua_ann",
    account_id=ANNS,
    covers="overdue",
    amount_fen=345_05,
    lines=(_LINE,),
    value_date=DUE,
    executed_by="stf_cas",
)
SUBROGATED = ClaimsSubrogated(
    loan_id="loan_1",
    borrower="usr_bo",
    compensation_id="cmp_1",
    guarantor="gua_ann",
    covers="overdue",
    claim=SubrogatedClaim(
        order=4, claim_id="clm_1_4", account_id=ANNS, investor=ANN, principal_fen=330_02, first=1, through=1
    ),
    amount_fen=345_05,
    principal_fen=330_02,
    interest_fen=10_00,
    penalty_fen=5_03,
    lines=(_LINE,),
    guaranteed_fen=0,
    value_date=DUE,
)
#: The account is asked for what was signed, and told of its claim where that is of any principal.
ANSWERS = [
    (
        "repayment",
        EXECUTED,
        [Send("compensation", ANNS, DEBIT, {"loan_id": "loan_1", "compensation_id": "cmp_1"})],
    ),
    ("repayment", SUBROGATED, [Send("subrogation", ANNS, RECORD)]),
    ("repayment", replace(SUBROGATED, claim=replace(SUBROGATED.claim, principal_fen=0)), []),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_the_money_of_a_compensation(row: Spec) -> None:
    """Each step of a guarantor's account, one row each."""
    row.check(ACCOUNT)


def test_who_paid_for_others_has_a_claim() -> None:
    """What he paid for of the principal is invested, so he cannot be forgotten until it comes back."""
    state = fold(ACCOUNT, (OPENED, *rich()[1:], DEBITED, RECORDED))
    assert isinstance(state, Open)
    assert state.invested_fen == 330_02
