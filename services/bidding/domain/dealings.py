"""What an account remembers of a loan that it borrowed or paid on: enough that the same again says nothing."""

from dataclasses import replace
from datetime import date
from typing import Final, assert_never

from libs.events.bidding import (
    InstallmentDebited,
    InstallmentDebitFailed,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
)
from libs.events.codec import record

#: Why a payment comes back: repayment refused it, because the loan it names was never opened.
UNKNOWN_LOAN: Final = "unknown_loan"

DealingEvent = (
    LoanProceedsCredited
    | InstallmentDebited
    | InstallmentDebitFailed
    | LoanPaymentDebited
    | LoanPaymentReturned
)


@record
class Dealings:
    """What this account last did for one loan, as borrower or payer, so that the same again says nothing; `paid_on` is the day of a
    payment or debit that has not come back."""

    proceeds_credited: bool = False
    debit_id: str | None = None
    payment_id: str | None = None
    returned_payment_id: str | None = None
    paid_on: date | None = None


def dealt(before: Dealings, event: DealingEvent) -> Dealings:
    """The dealings with the event's loan, after it."""
    match event:
        case LoanProceedsCredited():
            return replace(before, proceeds_credited=True)
        case InstallmentDebited():
            return replace(before, debit_id=event.debit_id, paid_on=event.value_date)
        case InstallmentDebitFailed():
            return replace(before, debit_id=event.debit_id)
        case LoanPaymentDebited():
            return replace(before, payment_id=event.payment_id, paid_on=event.value_date)
        case LoanPaymentReturned():
            is_last = event.payment_id == before.payment_id
            paid_on = None if is_last else before.paid_on
            return replace(before, returned_payment_id=event.payment_id, paid_on=paid_on)
        case _:
            assert_never(event)


def is_of_no_loan(after: Dealings, event: LoanPaymentReturned) -> bool:
    """Whether a return ends dealings with a loan that nobody has opened: all that they tell is the payment that came back. A loan
    that gave proceeds or asked for a debit is opened, or will be; and another payment is still on its way back."""
    paid = after.payment_id in {None, event.payment_id}
    return event.reason == UNKNOWN_LOAN and paid and after.debit_id is None and not after.proceeds_credited
