"""What is owed on a loan and what a payment pays: oldest instalment first, within it interest, then principal.

Penalty and fee will stand before interest when they exist (domain.md section 4: penalty -> fee -> interest -> principal);
no event charges them yet. Civil Code art. 561 gives the same order where nothing is agreed: interest before principal.

Because the oldest comes first, only one instalment can be partly paid at any time. So a `Book` needs the number of the
first open instalment and two amounts, however long the loan has lived.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from libs.events.codec import record
from libs.events.money import AnnualRate, Count
from libs.events.repayment import AllocationLine, ScheduleRow
from services.repayment.domain.profile import Rules
from services.repayment.domain.schedule import daily_interest_fen, reached

#: The allocation line of principal and interest that were not due yet (early settlement).
UNDUE = 0

_DAY = timedelta(days=1)


@record
class Book:
    """The contract's rows and how far they are paid.

    All before `first_open` are paid in full (or are zero), that one has received the two amounts (fen), those after it nothing.
    """

    funded_on: date
    annual_rate: AnnualRate
    rows: tuple[ScheduleRow, ...]
    first_open: int = 1
    interest_paid_fen: Count = 0
    principal_paid_fen: Count = 0

    @property
    def oldest_due_on(self) -> date | None:
        """Due date of the oldest instalment that is not fully paid, None when none is left."""
        return self.rows[self.first_open - 1].due_on if self.first_open <= len(self.rows) else None

    @property
    def outstanding_fen(self) -> int:
        """Principal that is not repaid."""
        return sum(row.principal_fen for row in self.rows[self.first_open - 1 :]) - self.principal_paid_fen


def book_of(
    funded_on: date,
    annual_rate: AnnualRate,
    rows: Sequence[ScheduleRow],
    paid_fen: Sequence[tuple[int, int]] = (),
) -> Book:
    """A book from rows and what each has received as (interest, principal) in fen: for those who hold a loan's view and
    not its state. Raises ValueError when `paid_fen` has more entries than rows."""
    book = Book(funded_on=funded_on, annual_rate=annual_rate, rows=tuple(rows))
    lines = (
        AllocationLine(number=row.number, interest_fen=interest, principal_fen=principal)
        for row, (interest, principal) in zip(
            rows, [*paid_fen, *[(0, 0)] * (len(rows) - len(paid_fen))], strict=True
        )
    )
    return after(book, [line for line in lines if line.interest_fen or line.principal_fen])


def open_lines(book: Book, through: date) -> tuple[AllocationLine, ...]:
    """What is still open of each instalment due on or before a date, oldest first; zero rows are left out."""
    return _open_rows(book, reached(book.rows, through))


def owed_fen(book: Book, through: date) -> int:
    """Everything open of instalments due on or before a date."""
    return _total_fen(open_lines(book, through))


def overdue_fen(book: Book, on: date) -> int:
    """Everything open of instalments due before a date: the due day itself is not late (DPD 0)."""
    return owed_fen(book, on - _DAY)


def days_past_due(book: Book, on: date) -> int:
    """DPD: `on` − due date of the oldest instalment not fully paid, 0 on its due day and before (rules.md 1.4)."""
    oldest = book.oldest_due_on
    return 0 if oldest is None else max(0, (on - oldest).days)


def allocate(book: Book, amount_fen: int, on: date) -> tuple[AllocationLine, ...]:
    """Spread an amount over what is due on or before its value date; what the lines leave of it was not owed."""
    lines: list[AllocationLine] = []
    rest_fen = amount_fen
    for owed in open_lines(book, on):
        interest_fen = min(rest_fen, owed.interest_fen)
        principal_fen = min(rest_fen - interest_fen, owed.principal_fen)
        rest_fen -= interest_fen + principal_fen
        if interest_fen or principal_fen:
            lines.append(
                AllocationLine(number=owed.number, interest_fen=interest_fen, principal_fen=principal_fen)
            )
    return tuple(lines)


def settlement(book: Book, on: date, rules: Rules) -> tuple[AllocationLine, ...]:
    """What settles the loan in full on a value date: all that is due and open, and as line 0 the principal that is not due
    with its interest for the days the money was really used.

    That interest is round(principal · rate · actual days / basis) from the last due date (or the funding) to the value
    date, and never more than the running period's scheduled interest. Source: Civil Code of the PRC art. 677 (who repays
    early owes interest for the actual period, unless agreed otherwise), domain.md section 4. Actual/365 is *(chosen)*; so is
    the cap: on 365 or 360 no month reaches it, and no basis that a profile may set can make early cost more than in time.
    """
    # A payment dated later may already have touched an instalment that is not due on this value date: it counts as due.
    touched = book.first_open if book.interest_paid_fen or book.principal_paid_fen else book.first_open - 1
    through = max(reached(book.rows, on), touched)
    due = _open_rows(book, through)
    undue_rows = book.rows[through:]
    principal_fen = sum(row.principal_fen for row in undue_rows)
    if not principal_fen:
        return due
    since = book.rows[through - 1].due_on if through else book.funded_on
    accrued_fen = daily_interest_fen(
        principal_fen, book.annual_rate, max(0, (on - since).days), rules.day_basis, rules.rounding
    )
    interest_fen = min(accrued_fen, undue_rows[0].interest_fen)
    return (*due, AllocationLine(number=UNDUE, interest_fen=interest_fen, principal_fen=principal_fen))


def payoff_fen(book: Book, on: date, rules: Rules) -> int:
    """The amount that settles the loan in full on a value date. The quote and the contract both call this."""
    return _total_fen(settlement(book, on, rules))


def after(book: Book, lines: Sequence[AllocationLine]) -> Book:
    """The book once the lines, oldest first, are paid. Line 0 ends it: nothing is owed any more."""
    for line in lines:
        if line.number == UNDUE:
            book = replace(book, first_open=len(book.rows) + 1, interest_paid_fen=0, principal_paid_fen=0)
        else:
            book = _paid(book, line)
    return book


def _paid(book: Book, line: AllocationLine) -> Book:
    # Lines come oldest first and zero rows are skipped, so each line belongs to the first open instalment of its turn.
    interest_fen = book.interest_paid_fen + line.interest_fen
    principal_fen = book.principal_paid_fen + line.principal_fen
    row = book.rows[line.number - 1]
    if interest_fen < row.interest_fen or principal_fen < row.principal_fen:
        return replace(
            book, first_open=line.number, interest_paid_fen=interest_fen, principal_paid_fen=principal_fen
        )
    is_open = (
        later.number for later in book.rows[line.number :] if later.principal_fen or later.interest_fen
    )
    first_open = next(is_open, len(book.rows) + 1)
    return replace(book, first_open=first_open, interest_paid_fen=0, principal_paid_fen=0)


def _open_rows(book: Book, through: int) -> tuple[AllocationLine, ...]:
    lines: list[AllocationLine] = []
    for row in book.rows[book.first_open - 1 : through]:
        is_first = row.number == book.first_open
        interest_fen = row.interest_fen - book.interest_paid_fen * is_first
        principal_fen = row.principal_fen - book.principal_paid_fen * is_first
        if interest_fen or principal_fen:
            lines.append(
                AllocationLine(number=row.number, interest_fen=interest_fen, principal_fen=principal_fen)
            )
    return tuple(lines)


def _total_fen(lines: Sequence[AllocationLine]) -> int:
    return sum(line.interest_fen + line.principal_fen for line in lines)
