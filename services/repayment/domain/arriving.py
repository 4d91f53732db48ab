"""How a payment came, said with it: what a replay needs and what the payment's own event does not say (docs/decisions/0024).

An ordinary payment needs no word: the borrower's money, all of it taken, booked on its value date, a debit's after the dues of that
date, any other before them.
"""

from collections.abc import Sequence
from dataclasses import replace

from libs.events.arrival import Arrival, PaymentMode
from libs.events.compensation import ClaimsSubrogated
from libs.events.deciding import Context, WakeOn
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived
from services.repayment.commands import RecordCompensation, RecordDebit, RecordPayment
from services.repayment.domain.journal_entries import AFTER_MISSES, BEFORE_DUES, BEFORE_MISSES, phase_of
from services.repayment.domain.loan_day import next_wake
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, reopened
from services.repayment.domain.profile import Profile, Rules
from services.repayment.domain.waiting import is_judged, place_on, told_late, waited


def told(
    profile: Profile,
    command: RecordDebit | RecordPayment,
    state: Running | Repaid,
    context: Context,
    events: Sequence[LoanEvent],
) -> Sequence[LoanEvent]:
    """The events of a payment, the one that takes it with how it came."""
    rules = profile.on(reopened(state).book.funded_on)
    taken = next((event for event in events if _takes(event)), None)
    if isinstance(state, Repaid) or taken is None:
        if isinstance(command, RecordPayment):
            return events
        return told_late(rules, (command.debit_id, command.value_date), state, context, events)
    due = next_wake(rules, state)
    arrival = _arrival(command, state, due, context)
    late = waited(state, due, (arrival.booked_on, arrival.before_phase))
    is_ordinary = isinstance(taken, PaymentReceived) and _is_ordinary(arrival, command, taken)
    return [*late, *(event if is_ordinary else _told(event, arrival) for event in events)]


def _takes(event: LoanEvent) -> bool:
    """Whether the loan takes something of a payment by it, for its debt or for all that its pursuit cost."""
    return isinstance(event, PaymentReceived) or (isinstance(event, RecoveryCostPaid) and event.is_all)


def _told(event: LoanEvent, arrival: Arrival) -> LoanEvent:
    return replace(event, arrival=arrival) if isinstance(event, PaymentReceived | RecoveryCostPaid) else event


def told_compensation(
    rules: Rules,
    command: RecordCompensation,
    state: Running,
    context: Context,
    events: Sequence[LoanEvent],
) -> Sequence[LoanEvent]:
    """What a guarantor's money does, with how it came; what the loan does not take is no input."""
    if not any(isinstance(event, ClaimsSubrogated) for event in events):
        return events
    due = next_wake(rules, state)
    on, phase = place_on(state, due, context)
    arrival = Arrival(
        account_id=command.account_id,
        received_fen=command.amount_fen,
        booked_on=on,
        before_phase=phase,
    )
    return [
        *waited(state, due, (on, phase)),
        *(
            replace(event, arrival=arrival) if isinstance(event, ClaimsSubrogated) else event
            for event in events
        ),
    ]


def _arrival(command: RecordDebit | RecordPayment, state: Running, due: WakeOn, context: Context) -> Arrival:
    account_id = "" if command.account_id == state.borrower_account else command.account_id
    return Arrival(
        account_id=account_id,
        received_fen=command.debited_fen if isinstance(command, RecordDebit) else command.amount_fen,
        booked_on=context.business_date,
        before_phase=_before_phase(command, state, due, context),
        mode=_mode(command),
        replaces=command.replaces if isinstance(command, RecordPayment) else "",
    )


def _before_phase(command: RecordDebit | RecordPayment, state: Running, due: WakeOn, context: Context) -> int:
    """The phase of today that has not woken the loan. Nothing to do in phase 2 leaves open whether it is over: then by what the markers
    of the day see to (design.md 2.7), everything dated today comes before it, a debit's money and what is dated tomorrow after it; of
    a debit that was answered late nothing sees to it, so as for everything else that comes to a loan."""
    on = context.business_date
    if due is not None and due <= (on, BEFORE_DUES):
        return BEFORE_DUES
    if is_judged(due, context):
        return AFTER_MISSES
    if isinstance(command, RecordDebit):
        return place_on(state, due, context)[1] if command.value_date < on else BEFORE_MISSES
    return BEFORE_DUES if command.value_date <= on else BEFORE_MISSES


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
