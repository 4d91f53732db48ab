"""What the day does to a loan: dues are asked, misses are said, penalty is charged, buckets and classes get worse.

A loan is woken only when one of these is next (`wake_on`), so a day costs as much as the loans that change.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from libs.events.deciding import Wake, WakeOn
from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    LoanClass,
    LoanClassified,
    OverdueBucketChanged,
    PaymentMissed,
    PenaltyCharged,
)
from services.repayment.domain.accrual import stopped_by_day
from services.repayment.domain.allocation import (
    Book,
    days_past_due,
    lines_of,
    open_lines,
    overdue_fen,
    overdue_lines,
    owed_fen,
)
from services.repayment.domain.charging import accrued, charged, charging_days, next_charge, pieces
from services.repayment.domain.lateness import lateness, missed_and_paid
from services.repayment.domain.loan_state import LoanEvent, Running
from services.repayment.domain.pausing import is_paused, next_counted, reaches
from services.repayment.domain.pending import judged_to
from services.repayment.domain.profile import CURRENT, WRITTEN_OFF, Rules
from services.repayment.domain.schedule import is_asked
from services.repayment.domain.trading import release_all
from services.repayment.domain.trouble import floor_on
from services.repayment.domain.unjudged import fined

#: Phases of the day (design.md 2.7) in which a loan has something to do.
DUES_PHASE, MISSES_PHASE = 2, 4

_DAY = timedelta(days=1)


def wake(rules: Rules, call: Wake, state: Running) -> Sequence[LoanEvent]:
    """Everything up to (date, phase), not only of that moment: a loan that was stuck catches up in its next wake.

    While a debit has no answer it is asked on but not judged: what the debit finds counts on the day on which it was asked, so
    the loan may have been paid in time (docs/decisions/0018). The first wake after the answer judges.
    """
    yesterday = call.business_date - _DAY
    asking_on = call.business_date if call.phase >= DUES_PHASE else yesterday
    if state.unanswered:
        return _dues(rules, state, asking_on) or _retry(rules, state, asking_on)
    judged_on = call.business_date if call.phase >= MISSES_PHASE else yesterday
    missed = _misses(state, judged_on)
    paid = missed_and_paid(state, [each.number for each in missed])
    # What is said from here on counts what has just been missed.
    said = max((each.number for each in (*paid, *missed)), default=0)
    state = replace(state, next_missed=max(state.next_missed, said + 1))
    told = lateness(rules, state, judged_on)
    for each in told:
        state = replace(state, book=fined(state.book, each.number, each.penalty_fen))
    worse = [*_worse_bucket(rules, state, judged_on), *_worse_class(rules, state, judged_on)]
    charging = charging_days(state.book, judged_on, rules)
    charges = penalties(rules, state, charging[-1]) if charging else []
    late = state
    if charges:
        late = replace(state, book=charged_by(state.book, charges))
        worse = [*_worse_bucket(rules, late, judged_on), *_worse_class(rules, late, judged_on)]
    return [
        *(_dues(rules, late, asking_on) or _retry(rules, late, asking_on)),
        *sorted([*paid, *missed], key=lambda miss: miss.number),
        *(release_all(state, "loan_overdue") if missed else []),
        *told,
        *charges,
        *worse,
        *_observed_no_more(rules, state, judged_on),
        *stopped_by_day(rules, state, judged_on),
    ]


def penalties(rules: Rules, state: Running, on: date) -> Sequence[PenaltyCharged]:
    """The penalty that becomes owed up to a date, and never beyond the day of a debit without an answer, each piece said for itself.

    Charged at a payment (up to its value date, before allocation), when the days reach a worse bucket or class, and at month ends until
    the loan is lost: so an overdue loan has about one charge a month and never one a day (docs/decisions/0005). Charging days that nobody
    has spoken of yet are pieces here as well: what is owed does not depend on when it is said.
    """
    charges: list[PenaltyCharged] = []
    book = state.book
    for piece in pieces(book, judged_to(state.unanswered, on), rules):
        book = charged(book, piece.lines, piece.on)
        charges.append(
            PenaltyCharged(
                loan_id=state.loan_id,
                borrower=state.borrower,
                charged_on=piece.on,
                penalty_fen=sum(line.penalty_fen for line in piece.lines),
                penalty_after_fen=book.penalty_fen,
                overdue_after_fen=overdue_fen(book, state.next_missed),
                dpd=days_past_due(book, piece.on),
                bucket=state.bucket,
                lines=piece.lines,
                product=state.product,
                region=state.region,
            )
        )
    return charges


def charged_by(book: Book, charges: Sequence[PenaltyCharged]) -> Book:
    """The book after these charges."""
    for charge in charges:
        book = charged(book, charge.lines, charge.charged_on)
    return book


def _dues(rules: Rules, state: Running, on: date) -> Sequence[LoanEvent]:
    events: list[LoanEvent] = []
    book = accrued(state.book, on, rules)
    asked_fen = 0
    is_asked = _may_ask(state) and not is_paused(state.book.pauses, on)
    for line in open_lines(state.book, on):
        if line.number < state.next_due:
            continue
        row = state.book.rows[line.number - 1]
        owed = owed_fen(book, row.due_on)
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
                fee_fen=row.fee_fen,
                asked=is_asked,
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
            debit_fen=owed_fen(accrued(state.book, on, rules), on),
            value_date=on,
        )
    ]


def _misses(state: Running, on: date) -> Sequence[PaymentMissed]:
    """Said before the wake's charges, so of the book without them; each counts the ones before it."""
    return [
        PaymentMissed(
            loan_id=state.loan_id,
            borrower=state.borrower,
            number=line.number,
            due_on=state.book.rows[line.number - 1].due_on,
            open_fen=line.fee_fen + line.interest_fen + line.principal_fen or line.penalty_fen,
            dpd=days_past_due(state.book, on),
            product=state.product,
            region=state.region,
            overdue_after_fen=owed_fen(state.book, state.book.rows[line.number - 1].due_on),
        )
        for line in overdue_lines(state.book, on)
        if line.number >= state.next_missed
    ]


def _worse_bucket(rules: Rules, state: Running, on: date) -> Sequence[LoanEvent]:
    """Buckets get worse by the day's close only: before it, today's payments are still to come."""
    if state.bucket == WRITTEN_OFF:
        return []
    bucket = rules.bucket_of(days_past_due(state.book, on))
    return (
        _moved(state, state.book, bucket, on) if rules.rank_of(bucket) > rules.rank_of(state.bucket) else []
    )


def better_bucket(rules: Rules, state: Running, book: Book, on: date) -> Sequence[LoanEvent]:
    """Buckets get better by a payment only, at once. What was written off comes back when nothing of it is owed."""
    if state.bucket == WRITTEN_OFF:
        return _moved(state, book, CURRENT, on) if book.oldest_due_on is None else []
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
            overdue_fen=overdue_fen(book, state.next_missed),
            product=state.product,
            region=state.region,
        )
    ]


def _worse_class(rules: Rules, state: Running, on: date) -> Sequence[LoanClassified]:
    """Classes get worse by the day's close, as buckets do."""
    name = rules.class_of(days_past_due(state.book, on))
    is_worse = rules.class_rank(name) > rules.class_rank(state.loan_class)
    return classified(state, state.book, name, on) if is_worse else []


def cured(rules: Rules, state: Running, book: Book, on: date) -> Sequence[LoanClassified]:
    """A class gets better only when all arrears are met, whatever days count, and then it is the best at once (rules.md 1.4, "cure"): the best that
    measures left it, and the best of all once nothing is owed. What was written off has no better one before."""
    is_over = book.oldest_due_on is None
    best = rules.class_of(0) if is_over else floor_on(state.trouble, on)
    is_better = rules.class_rank(best) < rules.class_rank(state.loan_class)
    may_be = is_over or (not book.is_behind(on) and state.trouble.written_off_on is None)
    return classified(state, book, best, on) if may_be and is_better else []


def _observed_no_more(rules: Rules, state: Running, on: date) -> Sequence[LoanClassified]:
    """The one class that gets better by a day and not by a payment: there is none to wait for."""
    over_on = _observation_over(rules, state)
    return cured(rules, state, state.book, on) if over_on is not None and over_on <= on else []


def _observation_over(rules: Rules, state: Running) -> date | None:
    """The day after the last on which it is observed, where its class is better from then on: all that was asked for is paid. None where something
    is open, for that cures it when it is paid."""
    observed, written_off_on = state.trouble.observed, state.trouble.written_off_on
    if observed is None or observed.until is None or written_off_on is not None:
        return None
    over_on = observed.until + _DAY
    is_better = rules.class_rank(floor_on(state.trouble, over_on)) < rules.class_rank(state.loan_class)
    return over_on if is_better and state.book.first_open >= state.next_due else None


def classified(
    state: Running, book: Book, name: LoanClass, on: date, *, measure_id: str = ""
) -> Sequence[LoanClassified]:
    """The loan moves to a class, by its days or by a measure."""
    return [
        LoanClassified(
            loan_id=state.loan_id,
            borrower=state.borrower,
            classified_on=on,
            from_class=state.loan_class,
            to_class=name,
            dpd=days_past_due(book, on),
            principal_fen=book.outstanding_fen,
            product=state.product,
            region=state.region,
            measure_id=measure_id,
        )
    ]


def _retry_date(rules: Rules, state: Running) -> date | None:
    """The next day on which the open rest is asked again: only while an instalment that was asked for is open. What a pause, or a death
    that was none, has kept from being asked is asked on the day after it."""
    if state.book.first_open >= state.next_due or not _may_ask(state):
        return None
    last_due_on, again_on = state.book.rows[state.next_due - 2].due_on, state.trouble.asked_again_on
    days = [last_due_on + timedelta(days=days) for days in (0, *rules.retry_days)]
    if again_on is not None and again_on > last_due_on:
        days.append(again_on)
    asked = (next_counted(state.book.pauses, day) for day in days)
    return min((day for day in asked if day > state.asked_on), default=None)


def _may_ask(state: Running) -> bool:
    """Nothing is taken for this loan from an account whose owner has died: his estate pays, or his heirs. His other loans know by their own flags."""
    return "death" not in state.trouble.flags


def next_wake(rules: Rules, state: Running) -> WakeOn:
    """The earliest of: the next due date and debit retry (phase 2), the next miss, worse bucket or class, the penalty of a month and the end
    of its observation (phase 4).

    None for a loan that is asked no more and is lost. Nothing of phase 4 while a debit has no answer.
    """
    times: list[tuple[date, int]] = []
    if due := _unsaid(state.book, state.next_due):
        times.append((due, DUES_PHASE))
    if retry_on := _retry_date(rules, state):
        times.append((retry_on, DUES_PHASE))
    if state.unanswered:
        return min(times, default=None)
    times += [(reaches(state.book.pauses, part.due_on, 1), MISSES_PHASE) for part in state.unjudged]
    if missed := _unsaid(state.book, state.next_missed):
        times.append((reaches(state.book.pauses, missed, 1), MISSES_PHASE))
    if over_on := _observation_over(rules, state):
        times.append((over_on, MISSES_PHASE))
    oldest = state.book.oldest_due_on
    bucket_edge = None if state.bucket == WRITTEN_OFF else rules.dpd_after(state.bucket)
    edges = (bucket_edge, rules.class_dpd_after(state.loan_class), _accrual_edge(rules, state))
    if oldest is not None:
        pauses = state.book.pauses
        times += [(reaches(pauses, oldest, dpd), MISSES_PHASE) for dpd in edges if dpd is not None]
    # Only a charge that comes before all of them is worth finding: a loan that is paid in time has none.
    if charge_on := next_charge(state.book, min(times)[0] if times else date.max, rules):
        times.append((charge_on, MISSES_PHASE))
    return min(times, default=None)


def _accrual_edge(rules: Rules, state: Running) -> int | None:
    return None if state.trouble.non_accrual else rules.accrual_dpd_max + 1


def _unsaid(book: Book, number: int) -> date | None:
    """Due date of the first open instalment from `number` on; a row of zero is never due unless penalty of before it is, and one that was paid in
    full out of its turn (an order by component) is not open. The oldest one that has received something is."""
    touched = {line.number for line in book.paid if line.number != book.first_open} if book.paid else ()
    fined = {penalty.number for penalty in book.penalties if penalty.owed_fen} if book.penalties else ()
    for row in book.rows[max(number, book.first_open) - 1 :]:
        is_due = is_asked(row) or row.number in fined
        if is_due and (row.number not in touched or lines_of(book, row.number)):
            return row.due_on
    return None


def _debit_id(loan_id: str, on: date) -> str:
    return f"dbt_{loan_id.removeprefix('loan_')}_{on:%Y%m%d}"
