"""Putting a loan right: what it would be without the error, and who has to get or give back what (docs/decisions/0024).

The loan is decided again from its journal with and without the error; the differences are what moves. Nobody is guessed at: a loan
whose journal does not give it, to the fen, is refused, and so is one of whose claims less would have been there than was sold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from libs.events.corrections import CorrectionExamined, PaymentRedated, PaymentReversed, counts_from
from libs.events.deciding import Context, Refused
from libs.events.repayment import LoanClassified, LoanRepaid, OverdueBucketChanged, PaymentMissed
from services.repayment.commands.corrections import CorrectPayment, ExamineCorrection
from services.repayment.domain.accrual import ended, stopped
from services.repayment.domain.allocation import days_past_due, overdue_fen, overdue_lines
from services.repayment.domain.correction import YEAR_ENDED
from services.repayment.domain.guarantee import Asked
from services.repayment.domain.himself import guarantor_of, holders_of, require_no_part_in
from services.repayment.domain.journal import entries_of, redated_in, reversed_in
from services.repayment.domain.journal_entries import Compensation, Measure, Payment
from services.repayment.domain.lateness import late_at_the_end
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, evolve, reopened
from services.repayment.domain.measure_entry import is_as_it_was
from services.repayment.domain.profile import CURRENT, Profile
from services.repayment.domain.replay_start import begin, require_short
from services.repayment.domain.replaying import Replayed, finish, shared
from services.repayment.domain.restatement import restated
from services.repayment.domain.trading import release_all, release_dearer


def correct(
    profile: Profile, command: CorrectPayment, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    """The loan without the error, and what moves. Refusals stand on CorrectPayment.

    One that had ended when lateness was not said yet says it first: no day wakes it, and its inputs give a loan that has.
    """
    told = late_at_the_end(profile.on(reopened(state).book.funded_on), state, context.business_date)
    return [*told, *_corrected(profile, command, _folded(state, told), context)]


def _corrected(
    profile: Profile, command: CorrectPayment, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    live = reopened(state)
    if command.correction.correction_id in live.journal.corrections:
        return []
    if command.booking != "prior_year" and counts_from(command.correction).year < context.business_date.year:
        raise Refused(YEAR_ENDED)
    for himself in command.people:
        require_no_part_in(live, himself)
    if live.trouble.voided_on is not None:
        raise Refused("loan_voided")
    if live.trouble.unreplayed:
        raise Refused("loan_measured")
    if live.guarantee and isinstance(live.guarantee.under_way, Asked):
        raise Refused("loan_compensated")  # what he is asked for is what was owed then
    payment = _payment(command, live, context)
    cause = _cause(command, live, payment)
    before, after = _both(profile, state, cause, context)
    restatement = restated(command, state, before, after, context)
    if isinstance(cause, PaymentReversed) and not cause.amount_fen:
        raise Refused("changes_nothing")
    events: list[LoanEvent] = [
        cause,
        restatement,
        *_missed(state, after),
        *_moved(state, after, context),
        *_accrual(live, after, context),
        *_released(live, after, context),
        *([_repaid(after)] if after.is_repaid else []),
    ]
    _require_taken_over(state, events, after)
    return events


def examine_correction(command: ExamineCorrection, state: Running | Repaid) -> Sequence[CorrectionExamined]:
    """Who has a part in the loan today. Refusals stand on ExamineCorrection."""
    live = reopened(state)
    if command.correction_id in live.trouble.examined:
        return []
    require_no_part_in(live, command.himself)
    return [
        CorrectionExamined(
            loan_id=live.loan_id,
            correction_id=command.correction_id,
            borrower=live.borrower,
            guarantor=guarantor_of(live),
            holders=holders_of(live),
        )
    ]


def _both(
    profile: Profile, state: Running | Repaid, cause: PaymentReversed | PaymentRedated, context: Context
) -> tuple[Replayed, Replayed]:
    """The loan with the error, which must be the loan as it is, and without. Days and inputs before the error are lived once."""
    live = reopened(state)
    if isinstance(cause, PaymentReversed):
        journal = reversed_in(live.journal, cause.payment_id)
    else:
        journal = redated_in(live.journal, cause.payment_id, cause.to_date, live.asked_on)
    entries, changed = entries_of(live.journal), entries_of(journal)
    require_short(live, entries)
    try:
        run, same = shared(profile, state, entries, changed)
        before = finish(run.fork(), state, context, entries[same:])
    except Refused as refused:
        raise Refused("history_differs") from refused
    if before.state != live or before.is_repaid != isinstance(state, Repaid):
        raise Refused("history_differs")
    rest = run if same else begin(profile, state, changed)
    after = finish(rest, state, context, changed[same:], before.reached)
    for entry in changed:
        if isinstance(entry, Measure) and not is_as_it_was(
            before.applied.get(entry.measure_id, ()), after.applied.get(entry.measure_id, ())
        ):
            raise Refused(f"{entry.terms.kind}_would_differ")
        if isinstance(entry, Compensation) and not is_as_it_was(
            before.applied[entry.compensation_id], after.applied[entry.compensation_id]
        ):
            raise Refused("compensation_would_differ")
    if before.state.guarantee != after.state.guarantee:
        raise Refused("compensation_would_differ")
    return before, after


def _payment(command: CorrectPayment, live: Running, context: Context) -> Payment:
    """The payment as it is booked."""
    asked = command.correction
    found = (entry for entry in entries_of(live.journal) if isinstance(entry, Payment))
    payment = next((entry for entry in found if entry.payment_id == asked.payment_id), None)
    if payment is None:
        raise Refused("unknown_payment")
    if payment.is_reversed:
        raise Refused("payment_reversed")
    if payment.value_date != asked.value_date:
        raise Refused("value_date_differs")
    if payment.payer and not payment.account_id:
        raise Refused("history_differs")
    if asked.to_date is not None:
        if asked.to_date > context.business_date:
            raise Refused("date_in_future")
        if asked.to_date < live.book.funded_on:
            raise Refused("before_funding")
        if asked.to_date == payment.value_date and payment.booked_on <= payment.value_date:
            raise Refused("changes_nothing")
    return payment


def _cause(command: CorrectPayment, live: Running, payment: Payment) -> PaymentReversed | PaymentRedated:
    asked = command.correction
    if asked.to_date is None:
        return PaymentReversed(
            loan_id=live.loan_id,
            borrower=live.borrower,
            payment_id=payment.payment_id,
            correction_id=asked.correction_id,
            booking=command.booking,
            amount_fen=payment.taken_fen + payment.cost_fen,
            value_date=payment.value_date,
        )
    return PaymentRedated(
        loan_id=live.loan_id,
        borrower=live.borrower,
        payment_id=payment.payment_id,
        correction_id=asked.correction_id,
        booking=command.booking,
        from_date=payment.value_date,
        to_date=asked.to_date,
    )


# --- what is said beside it ----------------------------------------------------------------------------------------


def _missed(before: Running | Repaid, after: Replayed) -> Iterator[PaymentMissed]:
    """Instalments that were paid in time only by the error and are open: said as the day would have said them. A loan that was
    not late has nobody who collects, so all that it missed is said."""
    state, on = after.state, after.judged_on
    is_late = isinstance(before, Running) and before.bucket != CURRENT
    said = before.next_missed if isinstance(before, Running) and is_late else 1
    for line in overdue_lines(state.book, on):
        if said <= line.number < state.next_missed:
            yield PaymentMissed(
                loan_id=state.loan_id,
                borrower=state.borrower,
                number=line.number,
                due_on=state.book.rows[line.number - 1].due_on,
                open_fen=line.fee_fen + line.interest_fen + line.principal_fen or line.penalty_fen,
                dpd=days_past_due(state.book, on),
                product=state.product,
                region=state.region,
                overdue_after_fen=overdue_fen(state.book, state.next_missed),
                again=True,
            )


def _moved(
    state: Running | Repaid, after: Replayed, context: Context
) -> Iterator[OverdueBucketChanged | LoanClassified]:
    was, stands, on = reopened(state), after.state, context.business_date
    bucket = CURRENT if isinstance(state, Repaid) else was.bucket
    if stands.bucket != bucket:
        yield OverdueBucketChanged(
            loan_id=stands.loan_id,
            borrower=stands.borrower,
            changed_on=on,
            from_bucket=bucket,
            to_bucket=stands.bucket,
            dpd=days_past_due(stands.book, on),
            principal_fen=stands.book.outstanding_fen,
            overdue_fen=overdue_fen(stands.book, stands.next_missed),
            product=stands.product,
            region=stands.region,
        )
    if stands.loan_class != was.loan_class:
        yield LoanClassified(
            loan_id=stands.loan_id,
            borrower=stands.borrower,
            classified_on=on,
            from_class=was.loan_class,
            to_class=stands.loan_class,
            dpd=days_past_due(stands.book, on),
            principal_fen=stands.book.outstanding_fen,
            product=stands.product,
            region=stands.region,
        )


def _accrual(live: Running, after: Replayed, context: Context) -> Sequence[LoanEvent]:
    """Whether its interest is income is said where it is another: none for its days, for what two people decided of it is theirs either way."""
    if after.state.trouble.non_accrual == live.trouble.non_accrual:
        return []
    if after.state.trouble.non_accrual:
        return stopped(live, context.business_date, "overdue", book=after.state.book)
    return [ended(live, after.state.book, context.business_date)]


def _released(live: Running, after: Replayed, context: Context) -> Sequence[LoanEvent]:
    """Nothing is for sale of a loan that is behind, or at its end, or dearer than its buyer was told."""
    if after.is_repaid:
        return release_all(live, "loan_repaid")
    if after.state.book.is_behind(context.business_date):
        return release_all(live, "loan_overdue")
    return release_dearer(live, after.state)


def _repaid(after: Replayed) -> LoanRepaid:
    """As it would have ended: a loan that stays repaid may have been so on another day."""
    assert after.repaid is not None, "a loan that is repaid has said so"
    return after.repaid


def _require_taken_over(state: Running | Repaid, events: Sequence[LoanEvent], after: Replayed) -> None:
    """The events say all that the replay found: a field that no standing carries would be lost without a word."""
    folded = _folded(state, events)
    left, found = reopened(folded), after.state
    journal = replace(left.journal, corrections=found.journal.corrections)
    assert replace(left, reservations=found.reservations, journal=journal) == found, "it is the replay's"
    assert isinstance(folded, Repaid) == after.is_repaid, "the loan has ended as in the replay"


def _folded(state: Running | Repaid, events: Sequence[LoanEvent]) -> Running | Repaid:
    for event in events:
        evolved = evolve(state, event)
        assert isinstance(evolved, Running | Repaid), "a loan that was lent stays lent"
        state = evolved
    return state
