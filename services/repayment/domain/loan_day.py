"""What the day does to a loan: instalments fall due, debits are asked again, misses are said, buckets get worse.

A loan is woken only when one of these is next (`wake_on`), so a day costs as much as the loans that change.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from libs.events.deciding import Wake, WakeOn
from libs.events.repayment import DebitRequested, InstallmentDue, OverdueBucketChanged, PaymentMissed
from services.repayment.domain.allocation import Book, days_past_due, open_lines, overdue_fen, owed_fen
from services.repayment.domain.loan_state import LoanEvent, Running
from services.repayment.domain.profile import Rules

#: Phases of the day (design.md 2.7) in which a loan has something to do.
DUES_PHASE, MISSES_PHASE = 2, 4

_DAY = timedelta(days=1)


def wake(rules: Rules, call: Wake, state: Running) -> Sequence[LoanEvent]:
    """Everything up to (date, phase), not only of that moment: a loan that was stuck catches up in its next wake."""
    yesterday = call.business_date - _DAY
    asking_on = call.business_date if call.phase >= DUES_PHASE else yesterday
    judged_on = call.business_date if call.phase >= MISSES_PHASE else yesterday
    return [
        *(_dues(state, asking_on) or _retry(rules, state, asking_on)),
        *_misses(state, judged_on),
        *_worse_bucket(rules, state, judged_on),
    ]


def _dues(state: Running, on: date) -> Sequence[LoanEvent]:
    events: list[LoanEvent] = []
    asked_fen = 0
    for line in open_lines(state.book, on):
        if line.number < state.next_due:
            continue
        row = state.book.rows[line.number - 1]
        owed = owed_fen(state.book, row.due_on)
        events.append(
            InstallmentDue(
                loan_id=state.loan_id,
                borrower=state.borrower,
                borrower_account=state.borrower_account,
                number=row.number,
                due_on=row.due_on,
                principal_fen=row.principal_fen,
                interest_fen=row.interest_fen,
                debit_id=_debit_id(state.loan_id, row.due_on),
                debit_fen=owed - asked_fen,
                value_date=on,
            )
        )
        asked_fen = owed
    return events


def _retry(rules: Rules, state: Running, on: date) -> Sequence[LoanEvent]:
    retry_on = _retry_date(rules, state)
    if retry_on is None or retry_on > on:
        return []
    return [
        DebitRequested(
            loan_id=state.loan_id,
            borrower=state.borrower,
            borrower_account=state.borrower_account,
            debit_id=_debit_id(state.loan_id, on),
            debit_fen=owed_fen(state.book, on),
            value_date=on,
        )
    ]


def _misses(state: Running, on: date) -> Sequence[LoanEvent]:
    return [
        PaymentMissed(
            loan_id=state.loan_id,
            borrower=state.borrower,
            number=line.number,
            due_on=state.book.rows[line.number - 1].due_on,
            open_fen=line.interest_fen + line.principal_fen,
            dpd=days_past_due(state.book, on),
        )
        for line in open_lines(state.book, on - _DAY)
        if line.number >= state.next_missed
    ]


def _worse_bucket(rules: Rules, state: Running, on: date) -> Sequence[LoanEvent]:
    """Buckets get worse by the day's close only: before it, today's payments are still to come."""
    bucket = rules.bucket_of(days_past_due(state.book, on))
    return (
        _moved(state, state.book, bucket, on) if rules.rank_of(bucket) > rules.rank_of(state.bucket) else []
    )


def better_bucket(rules: Rules, state: Running, book: Book, on: date) -> Sequence[LoanEvent]:
    """Buckets get better by a payment only, at once."""
    bucket = rules.bucket_of(days_past_due(book, on))
    return _moved(state, book, bucket, on) if rules.rank_of(bucket) < rules.rank_of(state.bucket) else []


def _moved(state: Running, book: Book, bucket: str, on: date) -> Sequence[LoanEvent]:
    return [
        OverdueBucketChanged(
            loan_id=state.loan_id,
            borrower=state.borrower,
            changed_on=on,
            from_bucket=state.bucket,
            to_bucket=bucket,
            dpd=days_past_due(book, on),
            principal_fen=book.outstanding_fen,
            overdue_fen=overdue_fen(book, on),
        )
    ]


def _retry_date(rules: Rules, state: Running) -> date | None:
    """The next day on which the open rest is asked again: only while an instalment that was asked for is open."""
    if state.book.first_open >= state.next_due:
        return None
    last_due_on = state.book.rows[state.next_due - 2].due_on
    days = (last_due_on + timedelta(days=after_due) for after_due in rules.retry_days)
    return min((day for day in days if day > state.asked_on), default=None)


def next_wake(rules: Rules, state: Running) -> WakeOn:
    """The earliest of: the next due date and debit retry (phase 2), the next miss and worse bucket (phase 4).

    None for a loan that is asked no more and counted in the last bucket.
    """
    times: list[tuple[date, int]] = []
    if due := _unsaid(state.book, state.next_due):
        times.append((due, DUES_PHASE))
    if retry_on := _retry_date(rules, state):
        times.append((retry_on, DUES_PHASE))
    if missed := _unsaid(state.book, state.next_missed):
        times.append((missed + _DAY, MISSES_PHASE))
    oldest, worse_from = state.book.oldest_due_on, rules.dpd_after(state.bucket)
    if oldest is not None and worse_from is not None:
        times.append((oldest + timedelta(days=worse_from), MISSES_PHASE))
    return min(times, default=None)


def _unsaid(book: Book, number: int) -> date | None:
    """Due date of the first open instalment from `number` on; a row of zero is never due."""
    rows = book.rows[max(number, book.first_open) - 1 :]
    return rows[0].due_on if rows and (rows[0].principal_fen or rows[0].interest_fen) else None


def _debit_id(loan_id: str, on: date) -> str:
    return f"dbt_{loan_id.removeprefix('loan_')}_{on:%Y%m%d}"
