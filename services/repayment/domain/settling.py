"""What ends a loan early, as the lines that would be paid: all that is owed by a day, and principal that is not due with its interest to the day.

After a restructuring all that was in arrears stands in rows that are not due yet. It is owed all the same, so what settles the loan on that day
is what would have settled it before: a new schedule forgives nothing, and asks for no day twice.
"""

from collections.abc import Sequence
from datetime import date
from typing import TypeGuard

from libs.events.repayment import AllocationLine, ScheduleRow
from services.repayment.domain.accruing import Arrears, accrued_interest_fen
from services.repayment.domain.allocation import (
    UNDUE,
    Book,
    after,
    counted_due,
    line_fen,
    lines_through,
)
from services.repayment.domain.charging import accrued
from services.repayment.domain.profile import Rules


def settlement(
    book: Book, on: date, rules: Rules, *, penalty_to: date | None = None, owned: int = 0
) -> tuple[AllocationLine, ...]:
    """What settles the loan in full on a value date: all that is due and open with its penalty up to that date (or to `penalty_to`), what a
    restructuring left in arrears, and as line 0 the principal that is not due with its interest for the days the money was really used; fees
    of later periods fall away. Instalments up to `owned` count as due on any date: a guarantor has paid for them, and nobody else shares them.

    Penalty up to a day to come is cut as the days until then will charge it (charging.py), so the amount is enough on each of them.
    Interest is accruing.py's, whose cap has it that no basis that a profile may set can make early cost more than in time.
    """
    book = accrued(book, penalty_to or on, rules)
    through = max(counted_due(book, on), owned)
    principal_fen = sum(row.principal_fen for row in book.rows[through:])
    if not principal_fen:
        # What is still asked then is interest that was deferred: it has been earned.
        return lines_through(book, len(book.rows))
    due = owed_lines(book, through)
    interest_fen = accrued_interest_fen(rules, book, principal_fen, on, of_fen=principal_fen, through=through)
    interest_fen -= sum(line.interest_fen for line in due if line.number > through)
    return (*due, AllocationLine(number=UNDUE, interest_fen=interest_fen, principal_fen=principal_fen))


def lapsed(book: Book, lines: Sequence[AllocationLine], *, is_lost: bool) -> tuple[AllocationLine, ...]:
    """What is left of each instalment, though it was charged or written off, when these lines end the loan as of a day before that: penalty,
    and of a loss its interest and fees as well. Nothing when they do not end it, or as of a day on which all that was due."""
    early = next((line for line in lines if line.number == UNDUE), None)
    if early is None or sum(line.principal_fen for line in lines) < book.outstanding_fen:
        return ()
    paid = after(book, [line for line in lines if line is not early])
    interest_fen, found = early.interest_fen, []
    for line in lines_through(paid, len(paid.rows)):
        used_fen = min(interest_fen, line.interest_fen)
        interest_fen -= used_fen
        left = AllocationLine(
            number=line.number,
            penalty_fen=line.penalty_fen,
            fee_fen=line.fee_fen if is_lost else 0,
            interest_fen=line.interest_fen - used_fen if is_lost else 0,
            principal_fen=0,
        )
        if line_fen(left):
            found.append(left)
    return tuple(found)


def payoff_fen(book: Book, on: date, rules: Rules) -> int:
    """The amount that settles the loan in full on a value date: what the quote says. While a debit has no answer it takes less (`pending`)."""
    return sum(map(line_fen, settlement(book, on, rules)))


def owed_lines(book: Book, through: int) -> tuple[AllocationLine, ...]:
    """What is owed before anything is paid early: what is open of rows that count as due, and, of later ones, what a restructuring
    left in them, interest and fees in the first, and to each the penalty that was charged before its row is due: of a row that
    had another day, or because a debit's late answer showed that another one was late."""
    due, arrears = lines_through(book, through), book.arrears
    charged = {penalty.number: penalty for penalty in book.penalties}
    lines = (
        AllocationLine(
            number=row.number,
            # A write-off, or a void contract, asks for less.
            interest_fen=min(arrears.owed_fen, row.interest_fen) if _asks(arrears, row) else 0,
            fee_fen=min(arrears.fee_fen, row.fee_fen) if _asks(arrears, row) else 0,
            penalty_fen=charged[row.number].owed_before(row.due_on) if row.number in charged else 0,
            principal_fen=0,
        )
        for row in book.rows[through:]
    )
    return (*due, *(line for line in lines if line_fen(line)))


def _asks(arrears: Arrears | None, row: ScheduleRow) -> TypeGuard[Arrears]:
    return arrears is not None and row.number == arrears.number
