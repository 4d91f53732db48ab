"""How a loan's state takes over what its correction found: no deciding, only the standing that the event says."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, assert_never

from libs.events.arrival import Answered, LoanWaited
from libs.events.claims import ClaimTransferred
from libs.events.compensation import ClaimsSubrogated
from libs.events.corrections import LoanRestated, MeasuredStanding, PaymentRedated, PaymentReversed, Standing
from libs.events.measures import MeasureApplied
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import PaymentReceived
from libs.events.rescheduling import ScheduleChanged
from services.repayment.domain.accruing import Arrears
from services.repayment.domain.allocation import Book, Penalty, rescheduled
from services.repayment.domain.guarantee import Asked, replaced_from
from services.repayment.domain.journal import (
    Journal,
    entries_of,
    redated_in,
    retaken_in,
    reversed_in,
    with_correction,
    with_entry,
    with_first_rows,
)
from services.repayment.domain.journal_entries import Answer, Compensation, Measure, Sale, Wait, payment_of
from services.repayment.domain.pending import Pending
from services.repayment.domain.sales import sellers
from services.repayment.domain.trouble import restated

if TYPE_CHECKING:  # the state's module folds by this one
    from services.repayment.domain.loan_state import Running

_Fen = TypeVar("_Fen", int, int | None)


def with_cost(state: "Running", event: RecoveryCostPaid, *, is_debit: bool) -> Journal:
    """The journal once all that was taken of a payment is a recovery's cost; records from before it was said how it came are no input."""
    if event.arrival is None:
        return state.journal
    entry = payment_of(
        event.arrival,
        payment_id=event.payment_id,
        payer=event.payer,
        taken_fen=0,
        value_date=event.value_date,
        is_debit=is_debit,
        cost_fen=event.amount_fen,
    )
    return with_entry(state.journal, entry)


def with_payment(state: "Running", event: PaymentReceived, *, is_debit: bool) -> Journal:
    """The journal once a payment was taken. What it prepays changes the rows: the first ones are kept."""
    entry = payment_of(
        event.arrival,
        payment_id=event.payment_id,
        payer=event.payer,
        taken_fen=event.amount_fen,
        value_date=event.value_date,
        is_debit=is_debit,
        cost_fen=event.cost_fen,
    )
    journal = with_entry(state.journal, entry)
    is_part = event.early and event.principal_after_fen > 0
    return with_first_rows(journal, state.book.rows) if is_part else journal


def with_sale(state: "Running", event: ClaimTransferred) -> Journal:
    """The journal once a claim changed hands."""
    orders = {claim.claim_id: claim.order for claim in state.claims}
    bought = event.claim
    return with_entry(
        state.journal,
        Sale(
            sold_order=orders[event.sold_claim_id],
            sold_claim_id=event.sold_claim_id,
            seller_account=event.seller_account,
            seller=event.seller,
            left_fen=event.left_fen,
            order=bought.order,
            claim_id=bought.claim_id,
            account_id=bought.account_id,
            investor=bought.investor,
            principal_fen=bought.principal_fen,
            sold_on=event.value_date,
        ),
    )


def with_measure(journal: Journal, event: MeasureApplied) -> Journal:
    """The journal once a measure was applied."""
    return with_entry(
        journal,
        Measure(
            measure_id=event.measure_id,
            terms=event.terms,
            applied_on=event.applied_on,
            before_phase=event.before_phase,
            waivable_fen=event.waivable_fen,
        ),
    )


def with_compensation(state: "Running", event: ClaimsSubrogated) -> Journal:
    """The journal once a guarantor paid, of what he was asked for; records from before it was said how his money came are no input."""
    asked = state.guarantee.under_way if state.guarantee else None
    if event.arrival is None or not isinstance(asked, Asked):
        return state.journal
    return with_entry(
        state.journal,
        Compensation(
            compensation_id=event.compensation_id,
            account_id=event.arrival.account_id,
            amount_fen=event.arrival.received_fen,
            lines=asked.lines,
            order=event.claim.order,
            value_date=event.value_date,
            booked_on=event.arrival.booked_on,
            before_phase=event.arrival.before_phase,
        ),
    )


def with_answer(journal: Journal, debit: Pending, answered: Answered, found_fen: int) -> Journal:
    """The journal once a debit was answered late, and nothing of it taken."""
    return with_entry(
        journal,
        Answer(
            debit_id=debit.debit_id,
            answered_on=answered.on,
            before_phase=answered.before_phase,
            found_fen=found_fen,
            asked_on=debit.asked_on,
        ),
    )


def rescheduled_by(state: "Running", event: ScheduleChanged) -> "Running":
    """What takes the place of a row that was asked for, or missed, will be asked for again."""
    first = event.rows[0].number
    return replace(
        state,
        book=rescheduled(state.book, event.rows),
        journal=with_first_rows(state.journal, state.book.rows),
        next_due=min(state.next_due, first),
        next_missed=min(state.next_missed, first),
        unjudged=tuple(part for part in state.unjudged if part.number < first),
        guarantee=replaced_from(state.guarantee, first),
    )


def with_wait(journal: Journal, event: LoanWaited) -> Journal:
    """The journal once the day was late."""
    return with_entry(
        journal,
        Wait(
            since=event.since,
            since_phase=event.since_phase,
            until=event.until,
            until_phase=event.until_phase,
            woken=event.woken,
        ),
    )


def corrected(state: "Running", event: PaymentReversed | PaymentRedated | LoanRestated) -> "Running":
    """The state after one event of a correction."""
    match event:
        case PaymentReversed():
            return replace(state, journal=reversed_in(state.journal, event.payment_id))
        case PaymentRedated():
            return replace(
                state, journal=redated_in(state.journal, event.payment_id, event.to_date, state.asked_on)
            )
        case LoanRestated():
            journal = with_correction(retaken_in(state.journal, event.retaken), event.correction_id)
            if event.standing.rows is not None:
                journal = with_first_rows(journal, state.book.rows)
            forgiven_fen = state.trouble.waived_fen + event.waived_fen
            trouble = replace(state.trouble, waived_fen=forgiven_fen)
            return standing_at(replace(state, journal=journal, trouble=trouble), event.standing)
        case _:
            assert_never(event)


def standing_at(state: "Running", standing: Standing) -> "Running":
    """The state at a standing; who holds a claim, what is for sale and what has no answer yet stay. A claim that was sold whole, and of which
    something is its seller's again, comes back in its place."""
    measured = standing.measured
    known = {claim.claim_id: claim for claim in (*sellers(entries_of(state.journal)), *state.claims)}
    return replace(
        state,
        book=_book_at(state.book, standing),
        claims=tuple(
            replace(known[claim.claim_id], principal_fen=claim.principal_fen) for claim in standing.claims
        ),
        weights=standing.weights,
        bucket=standing.bucket,
        loan_class=standing.loan_class,
        next_due=standing.next_due,
        next_missed=standing.next_missed,
        asked_on=standing.asked_on,
        unjudged=standing.unjudged,
        freed=standing.freed,
        answered_on=standing.answered_on,
        trouble=state.trouble if measured is None else restated(state.trouble, measured),
    )


def _book_at(book: Book, standing: Standing) -> Book:
    return replace(
        book,
        rows=book.rows if standing.rows is None else standing.rows,
        first_open=standing.first_open,
        paid=standing.paid,
        arrears=_arrears_at(book.arrears, standing.measured),
        penalties=tuple(
            Penalty(
                number=penalty.number,
                to=penalty.to,
                owed_fen=penalty.owed_fen,
                before_fen=penalty.before_fen,
            )
            for penalty in standing.penalties
        ),
    )


def _arrears_at(before: Arrears | None, measured: MeasuredStanding | None) -> Arrears | None:
    """What a restructuring left in arrears once it was decided again, on the same day; what a record does not say is as before."""
    if measured is None or before is None:
        return before
    if not measured.arrears_in:
        return None
    return Arrears(
        number=measured.arrears_in,
        since=before.since,
        interest_fen=_or(measured.arrears_interest_fen, before.interest_fen),
        fee_fen=_or(measured.arrears_fee_fen, before.fee_fen),
        accrued_fen=_or(measured.arrears_accrued_fen, before.accrued_fen),
    )


def _or(fen: int | None, before_fen: _Fen) -> int | _Fen:
    return before_fen if fen is None else fen
