"""How a payment came, said with it: what a replay needs and what the payment's own event does not say (docs/decisions/0024).

An ordinary payment needs no word: the borrower's money, all of it taken, booked on its value date, a debit's after the dues of that
date, any other before them.
"""

from collections.abc import Sequence
from dataclasses import replace

from libs.events.arrival import Arrival, PaymentMode
from libs.events.deciding import Context
from libs.events.repayment import PaymentReceived
from services.repayment.commands import RecordDebit, RecordPayment
from services.repayment.domain.journal import BEFORE_DUES, BEFORE_MISSES, phase_of
from services.repayment.domain.loan_day import next_wake
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running
from services.repayment.domain.profile import Profile


def told(
    profile: Profile,
    command: RecordDebit | RecordPayment,
    state: Running | Repaid,
    context: Context,
    events: Sequence[LoanEvent],
) -> Sequence[LoanEvent]:
    """The events of a payment, the one that takes it with how it came."""
    if isinstance(state, Repaid):
        return events
    arrival = _arrival(profile, command, state, context)
    return [
        replace(event, arrival=arrival)
        if isinstance(event, PaymentReceived) and not _is_ordinary(arrival, command, event)
        else event
        for event in events
    ]


def _arrival(
    profile: Profile, command: RecordDebit | RecordPayment, state: Running, context: Context
) -> Arrival:
    account_id = "" if command.account_id == state.borrower_account else command.account_id
    return Arrival(
        account_id=account_id,
        received_fen=command.debited_fen if isinstance(command, RecordDebit) else command.amount_fen,
        booked_on=context.business_date,
        before_phase=_before_phase(profile, command, state, context),
        mode=_mode(command),
    )


def _before_phase(
    profile: Profile, command: RecordDebit | RecordPayment, state: Running, context: Context
) -> int:
    """The phase of today that has not woken the loan. Nothing to do in phase 2 leaves open whether it is over: then by what the markers
    of the day see to (design.md 2.7), everything dated today comes before it, a debit's money and what is dated tomorrow after it."""
    wake_on = next_wake(profile.on(state.book.funded_on), state)
    if wake_on is not None and wake_on <= (context.business_date, BEFORE_DUES):
        return BEFORE_DUES
    is_debit = isinstance(command, RecordDebit)
    return phase_of(is_debit=is_debit) if command.value_date <= context.business_date else BEFORE_MISSES


def _mode(command: RecordDebit | RecordPayment) -> PaymentMode:
    if isinstance(command, RecordDebit):
        return ""
    return "settle" if command.settle else command.prepay or ""


def _is_ordinary(arrival: Arrival, command: RecordDebit | RecordPayment, event: PaymentReceived) -> bool:
    return arrival == Arrival(
        account_id="",
        received_fen=event.amount_fen,
        booked_on=event.value_date,
        before_phase=phase_of(is_debit=isinstance(command, RecordDebit)),
    )
