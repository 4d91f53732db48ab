"""What happens to Ann's account in the specs: events with their postings, and the commands that lead to them."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    FeeCredited,
    FundsHeld,
    FundsWithdrawn,
    HoldCaptured,
    HoldReduced,
    HoldReleased,
    InstallmentDebited,
    InstallmentDebitFailed,
    InvestorCredited,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
    Posting,
    RelationRecorded,
    SuitabilityRecorded,
    WithdrawalRequested,
)
from services.bidding.commands import (
    CaptureHold,
    CloseAccount,
    CreditFee,
    CreditInvestor,
    CreditProceeds,
    DebitInstallment,
    PayLoan,
    PlaceBid,
    RecordRelation,
    RecordSuitability,
    ReduceHold,
    ReleaseHold,
    ReturnPayment,
)
from tests.unit.bidding.specs import AVAILABLE, BANK, CLEARING, HELD, OPENED, asked, deposited, moved
from tests.unit.given import TODAY

DUE = date(2024, 4, 15)


def rich(amount_fen: int = 500_00) -> tuple[Any, ...]:
    """The history of an account with this much available."""
    return (OPENED, asked(amount_fen=amount_fen), deposited(amount_fen, amount_fen))


BID: dict[str, Any] = {"bid_id": "bid_1", "hold_id": "hold_1", "listing_id": "lst_1", "amount_fen": 300_00}
HELD_FUNDS = moved(FundsHeld, {AVAILABLE: -300_00, HELD: 300_00}, (200_00, 300_00), **BID)
ALL_HELD = moved(FundsHeld, {AVAILABLE: -300_00, HELD: 300_00}, (0, 300_00), **BID)
RELEASED = moved(HoldReleased, {HELD: -300_00, AVAILABLE: 300_00}, (500_00, 0), reason="listing_full", **BID)
RELEASED_PART = moved(
    HoldReleased,
    {HELD: -100_00, AVAILABLE: 100_00},
    (500_00, 0),
    reason="listing_expired",
    **(BID | {"amount_fen": 100_00}),
)
CAPTURED = moved(HoldCaptured, {HELD: -300_00, CLEARING: 300_00}, (200_00, 0), loan_id="loan_1", **BID)
#: The listing took 100.00 of it.
REDUCE = ReduceHold(hold_id="hold_1", keep_fen=100_00)
REDUCED = moved(
    HoldReduced,
    {HELD: -200_00, AVAILABLE: 200_00},
    (400_00, 100_00),
    keeps_fen=100_00,
    **(BID | {"amount_fen": 200_00}),
)
CAPTURED_PART = moved(
    HoldCaptured,
    {HELD: -100_00, CLEARING: 100_00},
    (400_00, 0),
    loan_id="loan_1",
    **(BID | {"amount_fen": 100_00}),
)
PROCEEDS = moved(
    LoanProceedsCredited,
    {CLEARING: -980_00, AVAILABLE: 980_00},
    (980_00, 0),
    loan_id="loan_1",
    amount_fen=980_00,
)
PLACE = PlaceBid(**BID)
RELEASE = ReleaseHold(hold_id="hold_1", reason="listing_full")
CAPTURE = CaptureHold(hold_id="hold_1", loan_id="loan_1")
CAPTURE_PART = CaptureHold(hold_id="hold_1", loan_id="loan_1", amount_fen=100_00)
CREDIT_PROCEEDS = CreditProceeds(loan_id="loan_1", amount_fen=980_00)


def debit(debit_id: str = "dbt_1_20240415", requested_fen: int = 88_85) -> DebitInstallment:
    """The loan asks for an instalment."""
    return DebitInstallment(loan_id="loan_1", debit_id=debit_id, requested_fen=requested_fen, value_date=DUE)


def debited(debited_fen: int, after_fen: int) -> InstallmentDebited:
    """The account had this much of an instalment of 88.85."""
    return moved(
        InstallmentDebited,
        {AVAILABLE: -debited_fen, CLEARING: debited_fen},
        (after_fen, 0),
        loan_id="loan_1",
        debit_id="dbt_1_20240415",
        requested_fen=88_85,
        debited_fen=debited_fen,
        value_date=DUE,
    )


NOTHING_TO_DEBIT = InstallmentDebitFailed(
    account_id="acc_ann",
    owner="usr_ann",
    loan_id="loan_1",
    debit_id="dbt_1_20240415",
    requested_fen=88_85,
    value_date=DUE,
)


def pay(amount_fen: int = 100_00, payment_id: str = "pay_1") -> PayLoan:
    """Ann pays on a loan."""
    return PayLoan(payment_id=payment_id, loan_id="loan_1", amount_fen=amount_fen, settle=True)


PAID = moved(
    LoanPaymentDebited,
    {AVAILABLE: -100_00, CLEARING: 100_00},
    (400_00, 0),
    loan_id="loan_1",
    payment_id="pay_1",
    amount_fen=100_00,
    settle=True,
    value_date=TODAY,
)
PREPAY = replace(pay(), settle=False, prepay="shorten")
PREPAID = replace(PAID, settle=False, prepay="shorten")
GIVE_BACK = ReturnPayment(loan_id="loan_1", payment_id="pay_1", amount_fen=40_00, reason="overpayment")
GIVEN_BACK = moved(
    LoanPaymentReturned,
    {CLEARING: -40_00, AVAILABLE: 40_00},
    (440_00, 0),
    loan_id="loan_1",
    payment_id="pay_1",
    amount_fen=40_00,
    reason="overpayment",
)
GIVE_ALL_BACK = replace(GIVE_BACK, amount_fen=100_00, reason="unknown_loan")
ALL_GIVEN_BACK = moved(
    LoanPaymentReturned,
    {CLEARING: -100_00, AVAILABLE: 100_00},
    (500_00, 0),
    loan_id="loan_1",
    payment_id="pay_1",
    amount_fen=100_00,
    reason="unknown_loan",
)
SHARE: dict[str, Any] = {"loan_id": "loan_1", "claim_id": "clm_1_1", "distribution_id": "dst_1"}


def share(principal_fen: int, interest_fen: int, fee_fen: int, penalty_fen: int = 0) -> CreditInvestor:
    """One claim's share of a distribution."""
    return CreditInvestor(
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
        penalty_fen=penalty_fen,
        **SHARE,
    )


SHARED = moved(
    InvestorCredited,
    {CLEARING: -26_10, AVAILABLE: 26_10},
    (26_10, 0),
    principal_fen=23_40,
    interest_fen=3_00,
    fee_fen=30,
    amount_fen=26_10,
    **SHARE,
)

ASSESS = RecordSuitability(level="C3", valid_to=date(2025, 3, 14))
ASSESSED = SuitabilityRecorded(account_id="acc_ann", owner="usr_ann", level="C3", valid_to=date(2025, 3, 14))

RELATE = RecordRelation(related="usr_bea")
RELATED = RelationRecorded(account_id="acc_ann", owner="usr_ann", related="usr_bea")
CLOSE = CloseAccount(owner="usr_ann")
CLOSED = AccountClosed(account_id="acc_ann", owner="usr_ann", closed_on=TODAY)


def stays(code: str) -> AccountClosureDeclined:
    """Something of Ann's is still there."""
    return AccountClosureDeclined(account_id="acc_ann", owner="usr_ann", code=code)


#: Ann bids all she has, lends it, and gets a part of it back, which she has paid out.
EMPTY_LENDER = (
    OPENED,
    asked(amount_fen=300_00),
    deposited(300_00, 300_00),
    ALL_HELD,
    moved(HoldCaptured, {HELD: -300_00, CLEARING: 300_00}, (0, 0), loan_id="loan_1", **BID),
)


def paid_back(principal_fen: int) -> tuple[Any, ...]:
    """Principal comes back and is paid out."""
    legs = {CLEARING: -principal_fen, AVAILABLE: principal_fen}
    terms = {"withdrawal_id": f"wdr_{principal_fen}", "amount_fen": principal_fen}
    return (
        moved(
            InvestorCredited,
            legs,
            (principal_fen, 0),
            principal_fen=principal_fen,
            interest_fen=0,
            fee_fen=0,
            amount_fen=principal_fen,
            **SHARE,
        ),
        moved(
            WithdrawalRequested, {AVAILABLE: -principal_fen, HELD: principal_fen}, (0, principal_fen), **terms
        ),
        moved(
            FundsWithdrawn, {HELD: -principal_fen, BANK: principal_fen}, (0, 0), bank_reference="B9", **terms
        ),
    )


#: Sixty fen of penalty came with it; the fee is on interest only.
SHARED_LATE = moved(
    InvestorCredited,
    {CLEARING: -26_70, AVAILABLE: 26_70},
    (26_70, 0),
    principal_fen=23_40,
    interest_fen=3_00,
    penalty_fen=60,
    fee_fen=30,
    amount_fen=26_70,
    **SHARE,
)


def fee(amount_fen: int, after_fen: int) -> FeeCredited:
    """The platform earned a fee."""
    return FeeCredited(
        account_id="acc_fees",
        loan_id="loan_1",
        fee_id="origination:loan_1",
        amount_fen=amount_fen,
        balance_after_fen=after_fen,
        postings=(
            Posting(account=CLEARING, amount_fen=-amount_fen),
            Posting(account="fees:platform", amount_fen=amount_fen),
        ),
    )


def credit_fee(amount_fen: int) -> CreditFee:
    """Book a fee."""
    return CreditFee(loan_id="loan_1", fee_id="origination:loan_1", amount_fen=amount_fen)
