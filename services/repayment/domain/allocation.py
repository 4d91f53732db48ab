"""What is owed on a loan and what a payment pays: in the order that its terms name for its standing (libs.events.schedules.order).

Where they name none: oldest instalment first, within it penalty, fee, interest, then principal (domain.md section 4).

A `Book` needs the number of the first open instalment and what open instalments have received, however long the loan has lived, and
a penalty per instalment that has one. Of an ordinary loan that is nothing, or one line: only an order by component over all
instalments leaves several of them partly paid.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never

from libs.events.codec import record
from libs.events.money import AnnualRate, Count
from libs.events.repayment import AllocationLine, ScheduleRow
from libs.events.schedules.order import Component, PayOrder
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.domain.accruing import Arrears
from services.repayment.domain.pausing import Paused, delinquent_days, last_counted
from services.repayment.domain.pay_order import PLAIN_ORDER
from services.repayment.domain.schedule import is_asked, reached

#: The allocation line of principal and interest that were not due yet (early settlement).
UNDUE = 0

_DAY = timedelta(days=1)


@record
class Penalty:
    """Penalty interest of one open instalment: charged up to `to`, and what of it is not paid. Once days since the row's own day have been
    charged, `before_fen` is what of that was owed before them."""

    number: int
    to: date
    owed_fen: Count
    before_fen: Count = 0

    def owed_before(self, due_on: date) -> int:
        """What of it is owed whatever is charged for days since the row's own: as of a day before that it does not lapse."""
        return self.owed_fen if self.to <= due_on else self.before_fen

    def less(self, fen: int) -> "Penalty":
        """Once so much of it is paid or given up: the older first."""
        return replace(self, owed_fen=self.owed_fen - fen, before_fen=max(0, self.before_fen - fen))


@record
class Book:
    """The contract's rows and how far they are paid.

    All before `first_open` are paid in full (or are zero); `paid` is what instalments from it on have received (fen), in their order,
    those that received nothing left out. `penalties` are those of open instalments that were charged, in their order: what of
    them is paid is no longer owed, and stands in no line of `paid`. `pauses` are the days that do not count, `arrears` what the last
    restructuring put into a row.
    """

    funded_on: date
    annual_rate: AnnualRate
    rows: tuple[ScheduleRow, ...]
    first_open: int = 1
    paid: tuple[AllocationLine, ...] = ()
    penalty_rate: AnnualRate = Decimal(0)
    penalties: tuple[Penalty, ...] = ()
    repayment: RepaymentTerms | None = None
    pauses: tuple[Paused, ...] = ()
    arrears: Arrears | None = None

    @property
    def oldest_due_on(self) -> date | None:
        """Due date of the oldest instalment that is not fully paid, None when none is left."""
        return self.rows[self.first_open - 1].due_on if self.first_open <= len(self.rows) else None

    def is_behind(self, on: date) -> bool:
        """Whether an instalment was due before a day and is not fully paid, whatever days count: in a pause it is behind as well."""
        return self.oldest_due_on is not None and self.oldest_due_on < on

    @property
    def outstanding_fen(self) -> int:
        """Principal that is not repaid."""
        asked_fen = sum(row.principal_fen for row in self.rows[self.first_open - 1 :])
        return asked_fen - sum(line.principal_fen for line in self.paid)

    @property
    def last_touched(self) -> int:
        """The last instalment that has received anything, 0 when none has."""
        if self.paid:
            return self.paid[-1].number
        return next((row.number for row in reversed(self.rows[: self.first_open - 1]) if is_asked(row)), 0)

    @property
    def penalty_fen(self) -> int:
        """Penalty interest that was charged and is not paid."""
        return sum(penalty.owed_fen for penalty in self.penalties)

    def penalty_of(self, number: int) -> Penalty | None:
        """What was charged on an instalment, None when nothing was."""
        return next((penalty for penalty in self.penalties if penalty.number == number), None)


def book_of(
    funded_on: date,
    annual_rate: AnnualRate,
    rows: Sequence[ScheduleRow],
    paid_fen: Sequence[tuple[int, int]] = (),
    *,
    penalty_rate: Decimal = Decimal(0),
    penalties: Sequence[Penalty] = (),
    fees_paid_fen: Sequence[int] = (),
    repayment: RepaymentTerms | None = None,
    pauses: Sequence[Paused] = (),
    arrears: Arrears | None = None,
) -> Book:
    """A book from rows, what each has received as (interest, principal) and as fee in fen and the penalties of open rows: for
    those who hold a loan's view and not its state. Raises ValueError when something is paid on more entries than rows."""
    book = Book(
        funded_on=funded_on,
        annual_rate=annual_rate,
        rows=tuple(rows),
        first_open=_next_asked(rows, 1),
        penalty_rate=penalty_rate,
        penalties=tuple(penalties),
        repayment=repayment,
        pauses=tuple(pauses),
        arrears=arrears,
    )
    if not paid_fen and not fees_paid_fen:
        return book
    lines = (
        AllocationLine(number=row.number, interest_fen=interest, principal_fen=principal, fee_fen=fee)
        for row, (interest, principal), fee in zip(
            rows,
            [*paid_fen, *[(0, 0)] * (len(rows) - len(paid_fen))],
            [*fees_paid_fen, *[0] * (len(rows) - len(fees_paid_fen))],
            strict=True,
        )
    )
    return after(book, [line for line in lines if line_fen(line)])


def open_lines(book: Book, through: date) -> tuple[AllocationLine, ...]:
    """What is still open of each instalment due on or before a date, oldest first; zero rows are left out."""
    return lines_through(book, reached(book.rows, through))


def counted_due(book: Book, on: date) -> int:
    """The last instalment that counts as due on a value date: one that a payment dated later has touched does as well."""
    return max(reached(book.rows, on), book.last_touched)


def lines_through(book: Book, through: int) -> tuple[AllocationLine, ...]:
    """What is still open of the instalments up to this number, oldest first; what asks for nothing is left out."""
    received, nothing = {line.number: line for line in book.paid}, _nothing(UNDUE)
    penalties = {penalty.number: penalty.owed_fen for penalty in book.penalties}
    lines: list[AllocationLine] = []
    for row in book.rows[book.first_open - 1 : through]:
        paid = received.get(row.number, nothing)
        owed = AllocationLine(
            number=row.number,
            penalty_fen=penalties.get(row.number, 0),
            fee_fen=row.fee_fen - paid.fee_fen,
            interest_fen=row.interest_fen - paid.interest_fen,
            principal_fen=row.principal_fen - paid.principal_fen,
        )
        if line_fen(owed):
            lines.append(owed)
    return tuple(lines)


def lines_of(book: Book, number: int) -> tuple[AllocationLine, ...]:
    """What is still open of one instalment: a line, or none. One after an open one may be paid in full (an order by component)."""
    return tuple(line for line in lines_through(book, number) if line.number == number)


def owed_fen(book: Book, through: date) -> int:
    """Everything open of instalments due on or before a date, with the penalty charged on them."""
    return _total_fen(open_lines(book, through))


def overdue_fen(book: Book, next_missed: int) -> int:
    """Everything open of instalments that were missed, those before `next_missed`: until the evening after its due date none is. One that was
    charged for its days is late as well, before a loan whose debit was answered late has said so."""
    rows = book.rows
    charged = (each.number for each in book.penalties if each.to > rows[each.number - 1].due_on)
    return _total_fen(lines_through(book, max(next_missed - 1, *charged, 0)))


def overdue_lines(book: Book, on: date) -> tuple[AllocationLine, ...]:
    """What is open of each instalment that is late on a date: a day has counted since it was due."""
    return open_lines(book, last_counted(book.pauses, on) - _DAY)


def days_past_due(book: Book, on: date) -> int:
    """DPD: `on` − due date of the oldest instalment not fully paid, 0 on its due day and before, without paused days (rules.md 1.4)."""
    oldest = book.oldest_due_on
    return 0 if oldest is None else delinquent_days(book.pauses, oldest, on)


def allocate(
    book: Book, amount_fen: int, on: date, order: PayOrder = PLAIN_ORDER
) -> tuple[AllocationLine, ...]:
    """Spread an amount over what is due on or before its value date; what the lines leave of it was not owed. Lines stand in the
    order of their instalments, whatever was paid first."""
    owed = open_lines(book, on)
    taken: dict[int, dict[Component, int]] = {line.number: {} for line in owed}
    rest_fen = amount_fen
    for line, component in _in_order(owed, order):
        fen = min(rest_fen, _part_fen(line, component))
        taken[line.number][component] = fen
        rest_fen -= fen
    return tuple(
        AllocationLine(
            number=number,
            penalty_fen=parts["penalty"],
            fee_fen=parts["fee"],
            interest_fen=parts["interest"],
            principal_fen=parts["principal"],
        )
        for number, parts in taken.items()
        if any(parts.values())
    )


def _in_order(owed: Sequence[AllocationLine], order: PayOrder) -> list[tuple[AllocationLine, Component]]:
    match order.across:
        case "horizontal":
            return [(line, component) for line in owed for component in order.components]
        case "vertical":
            return [(line, component) for component in order.components for line in owed]
        case _:
            assert_never(order.across)


def _part_fen(line: AllocationLine, component: Component) -> int:
    match component:
        case "penalty":
            return line.penalty_fen
        case "fee":
            return line.fee_fen
        case "interest":
            return line.interest_fen
        case "principal":
            return line.principal_fen
        case _:
            assert_never(component)


def line_fen(line: AllocationLine) -> int:
    """What one instalment receives in all."""
    return line.penalty_fen + line.fee_fen + line.interest_fen + line.principal_fen


# --- what is paid --------------------------------------------------------------------------------------------------


def after(book: Book, lines: Sequence[AllocationLine]) -> Book:
    """The book once the lines, oldest first, are paid. Line 0 pays what is not due: all of it, and nothing is owed any more; or a
    part, which comes off the last rows until `rescheduled` says what is asked instead."""
    for line in lines:
        if line.number != UNDUE:
            book = _paid(book, line)
        elif line.principal_fen == book.outstanding_fen:
            book = replace(book, first_open=len(book.rows) + 1, paid=(), penalties=())
        else:
            book = replace(book, rows=_from_the_end(book.rows, line.principal_fen))
    return book


def rescheduled(book: Book, rows: Sequence[ScheduleRow]) -> Book:
    """The book once `rows` take the place of all from the number of the first of them on (libs.events.rescheduling): they ask for all
    that they say. What rows before them still owe stays, and so does every penalty."""
    first = rows[0].number
    changed = (*book.rows[: first - 1], *rows)
    return replace(
        book,
        rows=changed,
        first_open=_next_asked(changed, min(book.first_open, first)),
        paid=tuple(line for line in book.paid if line.number < first),
    )


def _paid(book: Book, line: AllocationLine) -> Book:
    """What an instalment received is remembered while it, or one before it, is open."""
    book = _penalty_paid(book, line)
    received = {earlier.number: earlier for earlier in book.paid}
    before = received.get(line.number) or _nothing(line.number)
    received[line.number] = AllocationLine(
        number=line.number,
        fee_fen=before.fee_fen + line.fee_fen,
        interest_fen=before.interest_fen + line.interest_fen,
        principal_fen=before.principal_fen + line.principal_fen,
    )
    book = replace(
        book, paid=tuple(received[number] for number in sorted(received) if line_fen(received[number]))
    )
    # Beyond what was ever paid or charged a row is open if it asks for anything.
    touched = max(*received, *(penalty.number for penalty in book.penalties), 0)
    open_ = lines_through(book, touched)
    still_open = [row.number for row in open_]
    first_open = still_open[0] if still_open else _next_asked(book.rows, touched + 1)
    return replace(
        book,
        first_open=first_open,
        paid=tuple(kept for kept in book.paid if kept.number >= first_open),
        penalties=tuple(kept for kept in book.penalties if kept.number in still_open),
    )


def _nothing(number: int) -> AllocationLine:
    return AllocationLine(number=number, interest_fen=0, principal_fen=0)


def _from_the_end(rows: Sequence[ScheduleRow], principal_fen: int) -> tuple[ScheduleRow, ...]:
    left: list[ScheduleRow] = []
    for row in reversed(rows):
        fen = min(principal_fen, row.principal_fen)
        principal_fen -= fen
        left.append(replace(row, principal_fen=row.principal_fen - fen))
    return tuple(reversed(left))


def _next_asked(rows: Sequence[ScheduleRow], number: int) -> int:
    """The first instalment from this one on that asks for anything; one beyond the last when none does."""
    return next((row.number for row in rows[number - 1 :] if is_asked(row)), len(rows) + 1)


def _penalty_paid(book: Book, line: AllocationLine) -> Book:
    if not line.penalty_fen:
        return book
    penalties = (
        penalty.less(line.penalty_fen) if penalty.number == line.number else penalty
        for penalty in book.penalties
    )
    return replace(book, penalties=tuple(penalties))


def _total_fen(lines: Sequence[AllocationLine]) -> int:
    return sum(line_fen(line) for line in lines)
