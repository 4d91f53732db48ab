"""What a loan tells bidding about money, and the commands that this becomes."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.flags import LoanFlagged, LoanUnflagged
from libs.events.measures import MeasureProposed, WriteOff
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import (
    DebitRequested,
    DistributionLine,
    InstallmentDue,
    LoanRepaid,
    OverpaymentReturned,
    PaymentReturned,
    RepaymentDistributed,
)
from libs.events.sagas import Send
from libs.events.system import CommandHadNoEffect, CommandRefused
from services.bidding.commands import (
    ConfirmPayee,
    CreditFee,
    CreditInvestor,
    DebitInstallment,
    RecordDeathFlag,
    ReturnPayment,
)

DUE = date(2024, 4, 15)
REFUSED_BID = CommandRefused(
    command_type="bidding.RecordBid",
    code="unknown_listing",
    stream_id="lst_1",
    about={"hold_id": "hold_1", "account_id": "acc_ann"},
)
REFUSED_PAYMENT = CommandRefused(
    command_type="repayment.RecordPayment",
    code="unknown_loan",
    stream_id="loan_1",
    about={"payment_id": "pay_1", "account_id": "acc_ann", "amount_fen": "10000", "loan_id": "loan_1"},
)
REFUSED_DEBIT = CommandRefused(
    command_type="repayment.RecordDebit",
    code="internal",
    stream_id="loan_1",
    about={"payment_id": "dbt_1", "account_id": "acc_bea", "amount_fen": "8885", "loan_id": "loan_1"},
)
ASKED: dict[str, Any] = {
    "loan_id": "loan_1",
    "borrower": "usr_bea",
    "borrower_account": "acc_bea",
    "debit_id": "dbt_1_20240415",
    "debit_fen": 88_85,
    "value_date": DUE,
}
INSTALLMENT_DUE = InstallmentDue(number=1, due_on=DUE, principal_fen=78_85, interest_fen=10_00, **ASKED)
DEBIT_REQUESTED = DebitRequested(**ASKED)
BACK: dict[str, Any] = {
    "loan_id": "loan_1",
    "payment_id": "pay_1",
    "account_id": "acc_ann",
    "amount_fen": 100_00,
}
OVERPAID = OverpaymentReturned(**BACK)
#: Of the same payment a lawyer is paid.
COST_PAID = RecoveryCostPaid(
    loan_id="loan_1",
    borrower="usr_ann",
    measure_id="msr_1",
    payment_id="pay_1",
    account_id="acc_law",
    amount_fen=30_00,
    left_fen=0,
    value_date=DUE,
    is_all=False,
)
NOT_TAKEN = PaymentReturned(code="loan_repaid", **BACK)


def line(order: int, who: str, principal_fen: int, interest_fen: int, fee_fen: int) -> DistributionLine:
    """One holder's share."""
    return DistributionLine(
        claim_id=f"clm_1_{order}",
        account_id=f"acc_{who}",
        investor=f"usr_{who}",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
    )


def distributed(*lines: DistributionLine) -> RepaymentDistributed:
    """A payment, split."""
    return RepaymentDistributed(
        loan_id="loan_1",
        distribution_id="dst_1",
        payment_id="pay_1",
        value_date=DUE,
        principal_fen=sum(each.principal_fen for each in lines),
        interest_fen=sum(each.interest_fen for each in lines),
        fee_fen=sum(each.fee_fen for each in lines),
        lines=lines,
    )


DISTRIBUTED = distributed(line(1, "ann", 70_90, 9_00, 90), line(2, "cem", 7_95, 1_00, 10))
FREE = distributed(line(1, "ann", 70_90, 9_00, 0), line(2, "cem", 0, 1, 0), line(3, "dan", 0, 0, 0))
EATEN_UP = distributed(line(1, "ann", 0, 1, 1))


def credit(order: int, who: str, principal_fen: int, interest_fen: int, fee_fen: int) -> Send:
    """The command that a share becomes."""
    share = CreditInvestor(
        loan_id="loan_1",
        claim_id=f"clm_1_{order}",
        distribution_id="dst_1",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
    )
    return Send(f"credit:clm_1_{order}", f"acc_{who}", share)


def give_back(account_id: str, payment_id: str, amount_fen: int, reason: str) -> Send:
    """Money returns."""
    command = ReturnPayment(loan_id="loan_1", payment_id=payment_id, amount_fen=amount_fen, reason=reason)
    return Send("return", account_id, command)


DEBIT = DebitInstallment(loan_id="loan_1", debit_id="dbt_1_20240415", requested_fen=88_85, value_date=DUE)
#: A loss is proposed that has cost 30.00, and one that has cost nothing.
COSTLY = MeasureProposed(
    measure_id="msr_1",
    loan_id="loan_1",
    terms=WriteOff(ground="court", cost_fen=30_00, cost_account="acc_law"),
    reason="unreachable",
    evidence=("vault:1",),
    proposed_by="stf_col",
    proposed_on=DUE,
    himself="usr_9",
)
PAYEE = ConfirmPayee(
    measure_id="msr_1",
    loan_id="loan_1",
    terms=WriteOff(ground="court", cost_fen=30_00, cost_account="acc_law"),
    himself="usr_9",
)
DEAD = LoanFlagged(loan_id="loan_1", borrower="usr_bea", measure_id="msr_1", flag="death", flagged_on=DUE)
ALIVE = LoanUnflagged(
    loan_id="loan_1", borrower="usr_bea", measure_id="msr_2", flag="death", unflagged_on=DUE
)
INTEREST_FEE = CreditFee(loan_id="loan_1", fee_id="dst_1", amount_fen=1_00)
#: What bidding does with the money that a loan asks for, gives out and gives back.
REPAYMENTS_ANSWERS: list[tuple[str, Any, list[Send]]] = [
    ("repayment", INSTALLMENT_DUE, [Send("debit", "acc_bea", DEBIT)]),
    ("repayment", DEBIT_REQUESTED, [Send("debit", "acc_bea", DEBIT)]),
    (
        "repayment",
        DISTRIBUTED,
        [
            credit(1, "ann", 70_90, 9_00, 90),
            credit(2, "cem", 7_95, 1_00, 10),
            Send("fee", "acc_fees", INTEREST_FEE),
        ],
    ),
    ("repayment", FREE, [credit(1, "ann", 70_90, 9_00, 0), credit(2, "cem", 0, 1, 0)]),
    (
        "repayment",
        EATEN_UP,
        [Send("fee", "acc_fees", CreditFee(loan_id="loan_1", fee_id="dst_1", amount_fen=1))],
    ),
    ("repayment", OVERPAID, [give_back("acc_ann", "pay_1", 100_00, "overpayment")]),
    (
        "repayment",
        COST_PAID,
        [
            Send(
                "cost",
                "acc_law",
                ReturnPayment(
                    loan_id="loan_1", payment_id="cost:pay_1", amount_fen=30_00, reason="recovery_cost"
                ),
            )
        ],
    ),
    ("repayment", COSTLY, [Send("payee", "acc_law", PAYEE, {"payee_of": "msr_1"})]),
    ("repayment", replace(COSTLY, terms=WriteOff(ground="court")), []),
    ("repayment", NOT_TAKEN, [give_back("acc_ann", "pay_1", 100_00, "loan_repaid")]),
    ("repayment", REFUSED_PAYMENT, [give_back("acc_ann", "pay_1", 100_00, "unknown_loan")]),
    ("repayment", REFUSED_DEBIT, [give_back("acc_bea", "dbt_1", 88_85, "internal")]),
    ("repayment", DEAD, [Send("death", "acc_bea", RecordDeathFlag(loan_id="loan_1", said=1, stands=True))]),
    ("repayment", ALIVE, [Send("death", "acc_bea", RecordDeathFlag(loan_id="loan_1", said=1, stands=False))]),
    ("repayment", replace(DEAD, flag="dispute"), []),
    ("repayment", replace(ALIVE, flag="dispute"), []),
    ("repayment", REFUSED_BID, []),
    ("repayment", LoanRepaid(loan_id="loan_1", borrower="usr_bea", repaid_on=DUE, early=False), []),
    ("repayment", CommandHadNoEffect(command_type="repayment.OpenLoan", stream_id="loan_1"), []),
]
