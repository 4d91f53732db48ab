"""What a loan's guarantor would pay on a day, and how long it has been due: no deciding, only the contract and the book."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from libs.events.repayment import AllocationLine
from libs.events.schedules.terms import PLAIN, RepaymentTerms
from services.repayment.domain.allocation import UNDUE, Book, line_fen, overdue_lines
from services.repayment.domain.loan_day import charged_by, penalties
from services.repayment.domain.loan_state import Running
from services.repayment.domain.pausing import delinquent_days
from services.repayment.domain.profile import Rules
from services.repayment.domain.settling import settlement


def owed(rules: Rules, state: Running, on: date) -> tuple[AllocationLine, ...]:
    """What the guarantor would pay on a date, by instalments, oldest first: of those that he has not paid for, the overdue ones with
    their penalty up to that date, or what settles the loan; without the platform's fees. Nothing where nothing is overdue: he answers for what is missed, so what falls
    due in a pause is not his to pay until a day of it counts."""
    guarantee = state.guarantee
    first = guarantee.next_number if guarantee else None
    if first is None:
        return ()
    book = charged_by(state.book, penalties(rules, state, on))
    overdue = _his(overdue_lines(book, on), first)
    if not overdue or terms_of(state.book).compensates == "overdue":
        return overdue
    return _his(settlement(book, on, rules), first)


def _his(lines: Sequence[AllocationLine], first: int) -> tuple[AllocationLine, ...]:
    without_fees = (
        replace(line, fee_fen=0) for line in lines if line.number == UNDUE or line.number >= first
    )
    return tuple(line for line in without_fees if line_fen(line))


def terms_of(book: Book) -> RepaymentTerms:
    """How the contract says that the loan is repaid, and compensated."""
    return book.repayment or PLAIN


def days_unpaid(state: Running, lines: Sequence[AllocationLine], on: date) -> int:
    """How long the oldest instalment that the guarantor has not paid for is past due."""
    return max(
        (
            delinquent_days(state.book.pauses, state.book.rows[line.number - 1].due_on, on)
            for line in lines
            if line.number
        ),
        default=0,
    )


def total_fen(lines: Sequence[AllocationLine]) -> int:
    """All that some lines say."""
    return sum(line_fen(line) for line in lines)
