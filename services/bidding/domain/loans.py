"""What a loan gives to its borrower's account and takes from it, and what anybody pays on a loan by his own wish."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from libs.events.bidding import (
    InstallmentDebited,
    InstallmentDebitFailed,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
)
from libs.events.deciding import Context, Refused
from services.bidding.commands import CreditProceeds, DebitInstallment, PayLoan, ReturnPayment
from services.bidding.domain.account_state import Open
from services.bidding.domain.booking import book
from services.bidding.domain.dealings import Dealings
from services.bidding.domain.deceased import OWNER_DECEASED, has_died
from services.bidding.domain.ids import clearing_of

#: Why nothing is taken for an asking that comes long after its day.
DAY_OVER: Final = "day_over"
#: The debits of a day are decided while accounts live on the next one already (design.md 2.7).
_LATEST: Final = timedelta(days=1)


def _dealings(state: Open, loan_id: str) -> Dealings:
    return state.loans.get(loan_id, Dealings())


def credit_proceeds(command: CreditProceeds, state: Open) -> Sequence[LoanProceedsCredited]:
    """The borrower has his loan."""
    if _dealings(state, command.loan_id).proceeds_credited:
        return []
    return [
        LoanProceedsCredited(
            loan_id=command.loan_id,
            amount_fen=command.amount_fen,
            **book(state, available_fen=command.amount_fen, against=clearing_of(command.loan_id)),
        )
    ]


def debit(
    command: DebitInstallment, state: Open, context: Context
) -> Sequence[InstallmentDebited | InstallmentDebitFailed]:
    """All that is owed, or what there is of it, or the answer that there is nothing. Nothing is taken from who has died; nor for a day
    that is long over, as when a parked command is retried: what is there today may have come today, and would count on that day."""
    if _dealings(state, command.loan_id).debit_id == command.debit_id:
        return []
    code = _declines(command, state, context)
    debited_fen = 0 if code else min(command.requested_fen, state.available_fen)
    if debited_fen == 0:
        return [
            InstallmentDebitFailed(
                account_id=state.account_id,
                owner=state.owner,
                loan_id=command.loan_id,
                debit_id=command.debit_id,
                requested_fen=command.requested_fen,
                value_date=command.value_date,
                code=code,
            )
        ]
    return [
        InstallmentDebited(
            loan_id=command.loan_id,
            debit_id=command.debit_id,
            requested_fen=command.requested_fen,
            debited_fen=debited_fen,
            value_date=command.value_date,
            **book(state, available_fen=-debited_fen, against=clearing_of(command.loan_id)),
        )
    ]


def _declines(command: DebitInstallment, state: Open, context: Context) -> str:
    if has_died(state):
        return OWNER_DECEASED
    return DAY_OVER if context.business_date > command.value_date + _LATEST else ""


def pay(command: PayLoan, state: Open, context: Context) -> Sequence[LoanPaymentDebited]:
    """Somebody pays on a loan. Refusals stand on PayLoan."""
    if command.payment_id in (_dealings(state, command.loan_id).payment_id, state.stray_payment_id):
        return []
    if command.settle and command.prepay is not None:
        raise Refused("invalid_prepay")
    return [
        LoanPaymentDebited(
            loan_id=command.loan_id,
            payment_id=command.payment_id,
            amount_fen=command.amount_fen,
            settle=command.settle,
            prepay=command.prepay,
            replaces=command.replaces,
            value_date=context.business_date,
            **book(state, available_fen=-command.amount_fen, against=clearing_of(command.loan_id)),
        )
    ]


def give_back(command: ReturnPayment, state: Open) -> Sequence[LoanPaymentReturned]:
    """What the loan did not take is the payer's again, or of whom its recovery's cost is owed to."""
    if command.payment_id in (_dealings(state, command.loan_id).returned_payment_id, state.stray_payment_id):
        return []
    return [
        LoanPaymentReturned(
            loan_id=command.loan_id,
            payment_id=command.payment_id,
            amount_fen=command.amount_fen,
            reason=command.reason,
            **book(state, available_fen=command.amount_fen, against=clearing_of(command.loan_id)),
        )
    ]
