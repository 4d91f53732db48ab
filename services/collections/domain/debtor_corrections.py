"""What the correction of a payment does to a debtor's promises: one that was kept by it is not kept any more, and one that was broken
without it is kept.

The loan says first which payment does not count, or counts on another date, and then where it stands; promises are judged by the latter, when
all of its payments are known as they count.
"""

from collections.abc import Iterator, Sequence

from libs.events.collections import CasePaymentCorrected, PromiseReopened
from libs.events.deciding import Context
from services.collections.commands import CorrectCasePayment, JudgeAgain
from services.collections.domain.debtor_cases import broken, kept, mended, of_promise, released
from services.collections.domain.debtor_flags import flags_on
from services.collections.domain.debtor_state import (
    ClosedCase,
    Debtor,
    DebtorEvent,
    DebtorState,
    NoDebtor,
    OpenCase,
    case_in,
    evolve,
)
from services.collections.domain.ids import case_of
from services.collections.domain.promise_state import JudgedPromise, Tally, promise_after, tally_of


def correct_payment(command: CorrectCasePayment, state: DebtorState) -> Sequence[DebtorEvent]:
    """The payment counts as the loan says now, whether its case is still open or not, if it is one of its last."""
    found = _found(state, command.loan_id)
    payment = found[1].payment(command.payment_id) if found else None
    if found is None or payment is None:
        return []
    amount_fen = payment.amount_fen if command.amount_fen is None else command.amount_fen
    if (amount_fen, command.value_date) == (payment.amount_fen, payment.value_date):
        return []
    return [
        CasePaymentCorrected(
            debtor_id=found[0].debtor_id,
            case_id=found[1].case_id,
            loan_id=command.loan_id,
            payment_id=command.payment_id,
            before_fen=payment.amount_fen,
            amount_fen=amount_fen,
            value_date=command.value_date,
        )
    ]


def judge_again(command: JudgeAgain, state: DebtorState, context: Context) -> Sequence[DebtorEvent]:
    """Judge promises again, oldest first, by the payments as they count now."""
    found = _found(state, command.loan_id)
    if found is None:
        return []
    debtor, tally = found
    events: list[DebtorEvent] = list(_retaken(command, debtor, tally))
    for promise in tally.promises:
        after: DebtorState = debtor
        for event in events:
            after = evolve(after, event)
        assert isinstance(after, Debtor), "a debtor stays one"
        events += _judged(after, tally.case_id, promise, context)
    return events


def _retaken(command: JudgeAgain, debtor: Debtor, tally: Tally) -> Iterator[CasePaymentCorrected]:
    for line in command.retaken:
        payment = tally.payment(line.payment_id)
        if payment is not None and payment.amount_fen != line.amount_fen:
            yield CasePaymentCorrected(
                debtor_id=debtor.debtor_id,
                case_id=tally.case_id,
                loan_id=tally.loan_id,
                payment_id=line.payment_id,
                before_fen=payment.amount_fen,
                amount_fen=line.amount_fen,
                value_date=payment.value_date,
            )


def _judged(debtor: Debtor, case_id: str, promise: JudgedPromise, context: Context) -> Sequence[DebtorEvent]:
    tally, case = tally_of(debtor.tallies, case_id), case_in(debtor, case_id)
    assert tally is not None
    assert case is not None, "a promise is of a case"
    paid_fen = tally.paid_fen(promise)
    is_reached = paid_fen >= promise.amount_fen
    if is_reached == promise.kept:
        return []
    if is_reached and promise.broken:
        return [mended(debtor, case, promise, paid_fen, tally.last_paid_on(promise))]
    if is_reached:
        assert case.promise is not None, "what is not kept is open"
        return [kept(debtor, case, case.promise, tally.last_paid_on(promise))]
    return _reopened(debtor, case, promise, paid_fen, context)


def _reopened(
    debtor: Debtor, case: OpenCase | ClosedCase, promise: JudgedPromise, paid_fen: int, context: Context
) -> Sequence[DebtorEvent]:
    """It waits for its date again; once that has passed it is broken, and where a newer one was made since it is not needed. One of who has died
    since is nobody's, as when he died."""
    event = PromiseReopened(
        **of_promise(debtor, case, promise, paid_fen),
        promised_on=promise.promised_on,
    )
    stands = promise_after(None, event, None)
    assert stands is not None, "it is open"
    if "death" in flags_on(debtor, case.loan_id):
        return [event, released(debtor, case, stands)]
    if promise.promised_on < context.business_date:
        return [event, broken(debtor, case, stands)]
    return [event] if promise.until is None else [event, released(debtor, case, stands)]


def _found(state: DebtorState, loan_id: str) -> tuple[Debtor, Tally] | None:
    tally = None if isinstance(state, NoDebtor) else tally_of(state.tallies, case_of(loan_id))
    return None if isinstance(state, NoDebtor) or tally is None else (state, tally)
