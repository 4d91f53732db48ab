"""What was paid late while a debit had no answer, judged once all have one: said, and charged where there is still somebody to pay it.

Nothing that was booked is moved: penalty that would have been paid first is owed with the oldest open instalment, and that of a loan
that is repaid is given up by name (docs/decisions/0018).
"""

from collections.abc import Sequence
from datetime import date, timedelta

from libs.events.lateness import LateLine, LatenessJudged, Unjudged
from libs.events.repayment import PaymentMissed
from services.repayment.domain.allocation import Book, days_past_due, lines_through, overdue_fen
from services.repayment.domain.guarantee import Subrogated, by_owner
from services.repayment.domain.loan_state import LoanEvent, LoanState, Repaid, Running, reopened
from services.repayment.domain.pausing import delinquent_days
from services.repayment.domain.profile import Rules
from services.repayment.domain.schedule import daily_interest_fen
from services.repayment.domain.unjudged import fined, is_late

_DAY = timedelta(days=1)


def missed_and_paid(state: Running, still_open: Sequence[int]) -> Sequence[PaymentMissed]:
    """Instalments that were missed and have been paid since; those that are open are said as always."""
    late = [part for part in state.unjudged if is_late(part, state.book.pauses)]
    numbers = {part.number for part in late if part.number >= state.next_missed} - {*still_open}
    return [_missed(state, [part for part in late if part.number == number]) for number in sorted(numbers)]


def _missed(state: Running, parts: Sequence[Unjudged]) -> PaymentMissed:
    due_on, paid_on = parts[0].due_on, max(part.paid_on for part in parts)
    return PaymentMissed(
        loan_id=state.loan_id,
        borrower=state.borrower,
        number=parts[0].number,
        due_on=due_on,
        open_fen=sum(part.fee_fen + part.open_fen for part in parts),
        dpd=delinquent_days(state.book.pauses, due_on, paid_on - _DAY),
        product=state.product,
        region=state.region,
        paid_on=paid_on,
    )


def lateness(rules: Rules, state: Running, on: date, *, is_repaid: bool = False) -> Sequence[LatenessJudged]:
    """All that was paid unjudged, as of today; nothing where nothing was. What a guarantor has paid for is judged apart: its penalty is his."""
    if not state.unjudged:
        return []
    book, found = state.book, []
    paid_for = state.guarantee.subrogated if state.guarantee else ()
    for owner, parts in by_owner(paid_for, state.unjudged).items():
        if parts:
            number = 0 if is_repaid else _first_open(book, paid_for, owner)
            judged = _judged(rules, state, book, parts, (number, on))
            book = fined(book, judged.number, judged.penalty_fen)
            found.append(judged)
    return found


def _first_open(book: Book, paid_for: Sequence[Subrogated], owner: str | None) -> int:
    """The oldest instalment that is open and that this claim, or those of all others, are paid by; 0 for none."""
    own = by_owner(paid_for, lines_through(book, len(book.rows)))[owner]
    return own[0].number if own else 0


def _judged(
    rules: Rules, state: Running, book: Book, parts: Sequence[Unjudged], place: tuple[int, date]
) -> LatenessJudged:
    first, on = place
    lines = tuple(_line(rules, state.book, part) for part in parts)
    penalty_fen = sum(line.penalty_fen for line in lines)
    charged_fen = penalty_fen if first else 0
    number = first if charged_fen else 0
    after = fined(book, number, charged_fen)
    reached = max(delinquent_days(book.pauses, part.due_on, part.paid_on - _DAY) for part in parts)
    return LatenessJudged(
        loan_id=state.loan_id,
        borrower=state.borrower,
        judged_on=on,
        lines=lines,
        dpd=days_past_due(book, on),
        reached_dpd=reached,
        bucket=rules.bucket_of(reached),
        loan_class=rules.class_of(reached),
        no_income=reached > rules.accrual_dpd_max,
        number=number,
        penalty_fen=charged_fen,
        penalty_after_fen=after.penalty_fen,
        overdue_after_fen=overdue_fen(after, state.next_missed),
        given_up_fen=penalty_fen - charged_fen,
        product=state.product,
        region=state.region,
    )


def _line(rules: Rules, book: Book, part: Unjudged) -> LateLine:
    """An instalment that is paid within the grace costs nothing, as always."""
    is_charged = delinquent_days(book.pauses, part.due_on, part.paid_on) > rules.penalty_grace_days
    days = delinquent_days(book.pauses, part.since, part.paid_on) if is_charged else 0
    return LateLine(
        number=part.number,
        due_on=part.due_on,
        paid_on=part.paid_on,
        open_fen=part.open_fen,
        days=days,
        penalty_fen=daily_interest_fen(
            part.open_fen, book.penalty_rate, days, rules.day_basis, rules.rounding
        ),
    )


def late_at_the_end(rules: Rules, state: LoanState, on: date) -> Sequence[LoanEvent]:
    """A loan that is repaid is woken by no day: what it was late with it says with the last answer, or with its end."""
    if not isinstance(state, Repaid) or state.unanswered:
        return []
    last = reopened(state)
    return [*missed_and_paid(last, ()), *lateness(rules, last, on, is_repaid=True)]
