"""Whether a loan's interest is income: all of it or none (processes.md 1.P, "non-accrual").

It is none once the loan is more than 90 days overdue, by hand or written off, and is again when all arrears are paid; what was decided by
hand is taken back by hand as well. What the debtor owes is the same either way.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from libs.events.deciding import Refused
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


def in_arrears(book: Book, on: date) -> bool:
    """Whether something is unpaid that was due before a day. A restructuring pays nothing: what was in arrears of interest and fees stands in the
    first of its new rows, and is paid with it *(chosen: the principal has new days)*."""
    return book.is_behind(on) or (book.arrears is not None and book.first_open <= book.arrears.number)


def resumed(state: Running, book: Book, on: date) -> Sequence[NonAccrualEnded]:
    """Arrears there were, and none are left, whatever days count: that ends what the days began, and nothing that was decided by hand. What was written off is no income, whatever is paid of it."""
    trouble = state.trouble
    is_cured = in_arrears(state.book, on) and not in_arrears(book, on)
    may_end = trouble.non_accrual and not trouble.no_income_by_hand and trouble.written_off_on is None
    return [ended(state, book, on)] if may_end and is_cured else []


def ended(state: Running, book: Book, on: date, *, measure_id: str = "") -> NonAccrualEnded:
    """Its interest is income again."""
    return NonAccrualEnded(
        loan_id=state.loan_id,
        borrower=state.borrower,
        ended_on=on,
        principal_fen=book.outstanding_fen,
        product=state.product,
        region=state.region,
        measure_id=measure_id,
    )


def resumed_by_hand(state: Running, on: date, measure_id: str) -> Sequence[NonAccrualEnded]:
    """Two people say that the reason is gone; arrears are paid first all the same. Refusals stand on CarryOutMeasure."""
    trouble = state.trouble
    if trouble.written_off_on is not None:
        raise Refused("loan_written_off")
    if not trouble.non_accrual:
        raise Refused("accruing")
    if in_arrears(state.book, on):
        raise Refused("not_cured")
    return [ended(state, state.book, on, measure_id=measure_id)]
