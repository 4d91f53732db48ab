"""Whether a loan's interest is income: all of it or none (processes.md 1.P, "non-accrual").

It is none once the loan is more than 90 days overdue, by hand or written off, and is again when all arrears are paid. What the debtor
owes is the same either way.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from services.repayment.domain.allocation import Book, days_past_due
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import Rules

Cause = Literal["overdue", "by_hand", "written_off"]


def stopped(
    state: Running, on: date, cause: Cause, *, measure_id: str = "", book: Book | None = None
) -> Sequence[NonAccrualStarted]:
    """Its interest is no income any more; nothing where it was none before."""
    if state.trouble.non_accrual:
        return []
    at = book or state.book
    return [
        NonAccrualStarted(
            loan_id=state.loan_id,
            borrower=state.borrower,
            cause=cause,
            measure_id=measure_id,
            started_on=on,
            dpd=days_past_due(at, on),
            principal_fen=at.outstanding_fen,
            product=state.product,
            region=state.region,
        )
    ]


def stopped_by_day(rules: Rules, state: Running, on: date) -> Sequence[NonAccrualStarted]:
    """What the day's close says of it."""
    return stopped(state, on, "overdue") if days_past_due(state.book, on) > rules.accrual_dpd_max else []


def resumed(state: Running, book: Book, on: date) -> Sequence[NonAccrualEnded]:
    """Arrears there were, and none are left, whatever days count: a payment in time ends nothing that was decided by hand. What was written
    off is no income, whatever is paid of it."""
    trouble = state.trouble
    is_cured = state.book.is_behind(on) and not book.is_behind(on)
    if not (trouble.non_accrual and trouble.written_off_on is None and is_cured):
        return []
    return [
        NonAccrualEnded(
            loan_id=state.loan_id,
            borrower=state.borrower,
            ended_on=on,
            principal_fen=book.outstanding_fen,
            product=state.product,
            region=state.region,
        )
    ]
