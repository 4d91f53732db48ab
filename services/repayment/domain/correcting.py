"""Putting a loan right: what it would be without the error, and who has to get or give back what (docs/decisions/0024).

The loan is decided again from its journal with and without the error; the differences are what moves. Nobody is guessed at: a loan
whose journal does not give it, to the fen, is refused, and so is one of whose claims a sale would have been of another amount.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from libs.events.corrections import (
    AdjustingLine,
    ClaimChange,
    ClaimStanding,
    FloorStanding,
    LoanRestated,
    MeasuredStanding,
    PaymentRedated,
    PaymentReversed,
    PenaltyStanding,
    Retaken,
    RowStanding,
    Standing,
)
from libs.events.deciding import Context, Refused
from libs.events.measures import NonAccrualEnded
from libs.events.repayment import LoanClassified, LoanRepaid, OverdueBucketChanged, PaymentMissed
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.domain.accrual import stopped
from services.repayment.domain.allocation import days_past_due, overdue_fen, overdue_lines
from services.repayment.domain.journal import entries_of, redated_in, reversed_in
from services.repayment.domain.journal_entries import Measure, Payment, Sale
from services.repayment.domain.loan_state import LoanEvent, Repaid, Running, evolve, reopened
from services.repayment.domain.measure_entry import is_as_it_was
from services.repayment.domain.profile import CURRENT, Profile
from services.repayment.domain.replay_run import Got, Row, begin
from services.repayment.domain.replaying import Replayed, finish, shared
from services.repayment.domain.trading import release_all, release_dearer
from services.repayment.domain.trouble import Floor

_DAY = timedelta(days=1)


def correct(
    profile: Profile, command: CorrectPayment, state: Running | Repaid, context: Context
) -> Sequence[LoanEvent]:
    """The loan without the error, and what moves. Refusals stand on CorrectPayment."""
    live = reopened(state)
    if command.correction.correction_id in live.journal.corrections:
        return []
    if live.trouble.voided_on is not None:
        raise Refused("loan_voided")
    if live.trouble.unreplayed:
        raise Refused("loan_measured")
    if live.guarantee and (live.guarantee.under_way or live.guarantee.subrogated):
        raise Refused(
            "loan_compensated"
        )  # what the guarantor paid was right when he paid it, and no input of a replay
    payment = _payment(command, live, context)
    cause = _cause(command, live, payment)
    before, after = _both(profile, state, cause, context)
    restated = _restated(command, state, before, after, context)
    if isinstance(cause, PaymentReversed) and not payment.taken_fen:
        raise Refused("changes_nothing")
    events: list[LoanEvent] = [
        cause,
        restated,
        *_missed(state, after, context),
        *_moved(state, after, context),
        *_accrual(live, after, context),
        *_released(live, after, context),
        *([_repaid(after)] if after.is_repaid else []),
    ]
    _require_taken_over(state, events, after)
    return events


def _both(
    profile: Profile, state: Running | Repaid, cause: PaymentReversed | PaymentRedated, context: Context
) -> tuple[Replayed, Replayed]:
    """The loan with the error, which must be the loan as it is, and without. Days and inputs before the error are lived once."""
    live, on = reopened(state), context.business_date
    if isinstance(cause, PaymentReversed):
        journal = reversed_in(live.journal, cause.payment_id)
    else:
        journal = redated_in(live.journal, cause.payment_id, cause.to_date, live.asked_on)
    entries, changed = entries_of(live.journal), entries_of(journal)
    try:
        run, same = shared(profile, state, entries, changed)
        before = finish(run.fork(), state, on, entries[same:])
    except Refused as refused:
        raise Refused("history_differs") from refused
    if before.state != live or before.is_repaid != isinstance(state, Repaid):
        raise Refused("history_differs")
    after = finish(run if same else begin(profile, state, changed), state, on, changed[same:])
    for entry in changed:
        if isinstance(entry, Measure) and not is_as_it_was(
            before.applied.get(entry.measure_id, ()), after.applied.get(entry.measure_id, ())
        ):
            raise Refused(f"{entry.terms.kind}_would_differ")
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
        if asked.to_date == payment.value_date:
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
            amount_fen=payment.taken_fen,
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


def _restated(
    command: CorrectPayment, state: Running | Repaid, before: Replayed, after: Replayed, context: Context
) -> LoanRestated:
    live, book, on = before.state, after.state.book, context.business_date
    lines = _lines(before, after)
    platform_fen = after.platform_fen - before.platform_fen
    assert sum(line.amount_fen for line in lines) + platform_fen == 0, "what is given back is what is got"
    is_repaid = isinstance(state, Repaid)
    return LoanRestated(
        loan_id=live.loan_id,
        borrower=live.borrower,
        correction_id=command.correction.correction_id,
        booking=command.booking,
        restated_on=on,
        standing=_standing(
            live, after.state, applied=any(isinstance(each, Measure) for each in after.entries)
        ),
        rows=tuple(_rows(before, after)),
        retaken=tuple(_retaken(command, before, after)),
        lines=lines,
        claims=tuple(_claims(before, after)),
        platform_fen=platform_fen,
        from_bucket=None if is_repaid else live.bucket,
        principal_before_fen=0 if is_repaid else live.book.outstanding_fen,
        principal_after_fen=book.outstanding_fen,
        overdue_after_fen=overdue_fen(book, on),
        penalty_after_fen=book.penalty_fen,
        dpd=days_past_due(book, on),
        product=live.product,
        region=live.region,
        guarantor=live.guarantee.guarantor if live.guarantee else "",
        recovered_fen=after.state.trouble.recovered_fen - live.trouble.recovered_fen,
        waived_fen=after.waived_fen - before.waived_fen,
    )


def _standing(live: Running, state: Running, *, applied: bool) -> Standing:
    book = state.book
    return Standing(
        first_open=book.first_open,
        paid=book.paid,
        penalties=tuple(
            PenaltyStanding(number=penalty.number, to=penalty.to, owed_fen=penalty.owed_fen)
            for penalty in book.penalties
        ),
        claims=tuple(
            ClaimStanding(claim_id=claim.claim_id, principal_fen=claim.principal_fen)
            for claim in state.claims
        ),
        weights=state.weights,
        bucket=state.bucket,
        loan_class=state.loan_class,
        next_due=state.next_due,
        next_missed=state.next_missed,
        asked_on=state.asked_on,
        rows=None if book.rows == live.book.rows else book.rows,
        measured=_measured(state) if applied else None,
    )


def _measured(state: Running) -> MeasuredStanding:
    trouble = state.trouble
    return MeasuredStanding(
        floor=_floor(trouble.floor),
        observed=_floor(trouble.observed),
        recovered_fen=trouble.recovered_fen,
        matures_on=state.book.rows[-1].due_on if trouble.reschedulings else None,
    )


def _floor(floor: Floor | None) -> FloorStanding | None:
    return FloorStanding(best=floor.best, until=floor.until) if floor else None


def _rows(before: Replayed, after: Replayed) -> Iterator[RowStanding]:
    """Also a row to which nothing has happened now, if something had, and a row that the loan had not: nobody knows yet that it is empty."""
    had = [each.number for each in before.state.book.rows]
    new = {each.number: Row() for each in after.state.book.rows if each.number not in had}
    for number in sorted({0: Row()} | before.rows | after.rows | new):
        row = after.rows.get(number, Row())
        yield RowStanding(
            number=number,
            principal_fen=row.principal_fen,
            interest_fen=row.interest_fen,
            fee_fen=row.fee_fen,
            paid_penalty_fen=row.paid_penalty_fen,
            penalty_fen=row.penalty_fen,
            missed=row.missed,
            penalty_to=row.penalty_to,
        )


# --- what moves ----------------------------------------------------------------------------------------------------


def _retaken(command: CorrectPayment, before: Replayed, after: Replayed) -> Iterator[Retaken]:
    """Other payments of which the loan takes more, or less, than it had."""
    taken = _taken(after)
    for payment_id, before_fen in _taken(before).items():
        is_reversed = payment_id == command.correction.payment_id and command.correction.kind == "reverse"
        if taken[payment_id] != before_fen and not is_reversed:
            yield Retaken(payment_id=payment_id, before_fen=before_fen, after_fen=taken[payment_id])


def _taken(replayed: Replayed) -> dict[str, int]:
    return {
        entry.payment_id: entry.taken_fen
        for entry in replayed.entries
        if isinstance(entry, Payment) and not entry.is_reversed
    } | {
        entry.payment_id: 0 for entry in replayed.entries if isinstance(entry, Payment) and entry.is_reversed
    }


def _claims(before: Replayed, after: Replayed) -> Iterator[ClaimChange]:
    """What each claim got more than it had."""
    for claim_id in before.got | after.got:
        had, has = before.got.get(claim_id, Got()), after.got.get(claim_id, Got())
        if had != has:
            yield ClaimChange(
                claim_id=claim_id,
                principal_fen=has.principal_fen - had.principal_fen,
                interest_fen=has.interest_fen - had.interest_fen,
                penalty_fen=has.penalty_fen - had.penalty_fen,
                fee_fen=has.fee_fen - had.fee_fen,
            )


def _lines(before: Replayed, after: Replayed) -> tuple[AdjustingLine, ...]:
    """One line per account, so that nobody waits for his own money: payers first, in the order of their payments, then holders."""
    lines: dict[str, AdjustingLine] = {}
    taken = _taken(after)
    payers = {entry.payment_id: entry.account_id for entry in before.entries if isinstance(entry, Payment)}
    for payment_id, before_fen in _taken(before).items():
        account_id = payers[payment_id] or before.state.borrower_account
        line = lines.get(account_id, _nothing(account_id))
        lines[account_id] = replace(line, returned_fen=line.returned_fen + before_fen - taken[payment_id])
    holders = _holders(before)
    for change in _claims(before, after):
        account_id = holders[change.claim_id]
        line = lines.get(account_id, _nothing(account_id))
        lines[account_id] = replace(
            line,
            principal_fen=line.principal_fen + change.principal_fen,
            interest_fen=line.interest_fen + change.interest_fen,
            penalty_fen=line.penalty_fen + change.penalty_fen,
            fee_fen=line.fee_fen + change.fee_fen,
        )
    return tuple(
        replace(line, amount_fen=_amount_fen(line))
        for account_id, line in lines.items()
        if line != _nothing(account_id)
    )


def _nothing(account_id: str) -> AdjustingLine:
    return AdjustingLine(
        account_id=account_id,
        principal_fen=0,
        interest_fen=0,
        penalty_fen=0,
        fee_fen=0,
        returned_fen=0,
        amount_fen=0,
    )


def _amount_fen(line: AdjustingLine) -> int:
    return line.principal_fen + line.interest_fen + line.penalty_fen - line.fee_fen + line.returned_fen


def _holders(replayed: Replayed) -> dict[str, str]:
    """Claim -> the account of its holder, of those too who sold all."""
    sold = {
        entry.sold_claim_id: entry.seller_account for entry in replayed.entries if isinstance(entry, Sale)
    }
    return sold | {claim.claim_id: claim.account_id for claim in replayed.state.claims}


# --- what is said beside it ----------------------------------------------------------------------------------------


def _missed(before: Running | Repaid, after: Replayed, context: Context) -> Iterator[PaymentMissed]:
    """Instalments that were paid in time only by the error and are open: said as the day would have said them. A loan that was
    not late has nobody who collects, so all that it missed is said."""
    state, on = after.state, context.business_date - _DAY
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
                overdue_after_fen=overdue_fen(state.book, context.business_date),
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
            overdue_fen=overdue_fen(stands.book, on),
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
    """Whether its interest is income is said where it is another."""
    if after.state.trouble.non_accrual == live.trouble.non_accrual:
        return []
    if after.state.trouble.non_accrual:
        return stopped(live, context.business_date, "overdue", book=after.state.book)
    return [
        NonAccrualEnded(
            loan_id=live.loan_id,
            borrower=live.borrower,
            ended_on=context.business_date,
            principal_fen=after.state.book.outstanding_fen,
            product=live.product,
            region=live.region,
        )
    ]


def _released(live: Running, after: Replayed, context: Context) -> Sequence[LoanEvent]:
    """Nothing is for sale of a loan that is late, or at its end, or dearer than its buyer was told."""
    if after.is_repaid:
        return release_all(live, "loan_repaid")
    if days_past_due(after.state.book, context.business_date):
        return release_all(live, "loan_overdue")
    return release_dearer(live, after.state)


def _repaid(after: Replayed) -> LoanRepaid:
    """As it would have ended: a loan that stays repaid may have been so on another day."""
    assert after.repaid is not None, "a loan that is repaid has said so"
    return after.repaid


def _require_taken_over(state: Running | Repaid, events: Sequence[LoanEvent], after: Replayed) -> None:
    """The events say all that the replay found: a field that no standing carries would be lost without a word."""
    folded: object = state
    for event in events:
        assert isinstance(folded, Running | Repaid), "a loan that was lent stays lent"
        folded = evolve(folded, event)
    assert isinstance(folded, Running | Repaid), "a loan that was lent stays lent"
    left, found = reopened(folded), after.state
    journal = replace(left.journal, corrections=found.journal.corrections)
    assert replace(left, reservations=found.reservations, journal=journal) == found, "it is the replay's"
    assert isinstance(folded, Repaid) == after.is_repaid, "the loan has ended as in the replay"
