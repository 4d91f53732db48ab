"""What a replay's events say of how their payment came: their deciders do not know, the shell of a command does."""

from dataclasses import replace

from libs.events.arrival import Answered, Arrival
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived, PaymentReturned
from services.repayment.domain.journal_entries import Payment
from services.repayment.domain.loan_state import LoanEvent


def told_as_booked(event: LoanEvent, payment: Payment) -> LoanEvent:
    """What takes a payment, or gives a late one back, with what its own event said of how it came."""
    on, phase = payment.booked_on, payment.before_phase
    if isinstance(event, PaymentReturned):
        return replace(event, answered=Answered(on=on, before_phase=phase)) if is_late(payment) else event
    if not isinstance(event, PaymentReceived | RecoveryCostPaid):
        return event
    arrival = Arrival(
        account_id=payment.account_id,
        received_fen=payment.amount_fen,
        booked_on=on,
        before_phase=phase,
        mode=payment.mode,
    )
    return replace(event, arrival=arrival)


def is_late(payment: Payment) -> bool:
    """Whether it is a debit that was answered after the day of its asking."""
    return payment.is_debit and payment.booked_on > payment.value_date
