"""Early payment of a part 部分提前还款: how much of it is principal, and what is asked from then on.

First all that is due, with its penalty, also that of rows which a restructuring made anew. What is left of the money pays principal that is not due, and interest on that principal for
the days it was really used: Civil Code of the PRC art. 677, as for early settlement. The rest of the principal keeps its interest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from libs.events.deciding import Refused
from libs.events.repayment import AllocationLine, ScheduleRow
from libs.events.rescheduling import Prepay, ScheduleReason
from libs.events.schedules.prepaid import Standing, prepaid_rows, require_sense
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.domain.accruing import accrued_interest_fen
from services.repayment.domain.allocation import UNDUE, Book, counted_due, line_fen
from services.repayment.domain.charging import accrued
from services.repayment.domain.profile import Rules
from services.repayment.domain.settling import owed_lines


@dataclass(frozen=True, slots=True)
class Prepayment:
    """What an amount pays early: its lines, the rows that were not due, and those in their place; none where it settles the loan."""

    lines: tuple[AllocationLine, ...]
    before: tuple[ScheduleRow, ...]
    rows: tuple[ScheduleRow, ...]

    @property
    def saved_fen(self) -> int:
        """The interest and fees of instalments that nobody will ask for, less the interest that the prepayment itself pays."""
        paid_fen = sum(line.interest_fen for line in self.lines if line.number == UNDUE)
        return _cost_fen(self.before) - _cost_fen(self.rows) - paid_fen


def prepayment(
    book: Book,
    amount_fen: int,
    on: date,
    mode: Prepay,
    rules: Rules,
    *,
    asked: int = 0,
    penalty_to: date | None = None,
) -> Prepayment:
    """What an amount pays on a value date; `asked` is the last instalment that was asked for; penalty is charged up to the value
    date or to `penalty_to`. The quote and the contract both call this.

    As much principal as the money pays together with its interest: what is left of it would not pay a fen more.
    Refused: `arrears_unpaid` (the row in which a restructuring asks for them is not due: rows in its place would ask for none), `prepay_without_sense` (of the method), `nothing_to_prepay` (all principal is due), `below_prepay_minimum` (after what is due).
    """
    terms = manner_of(book, rules)
    require_sense(terms, mode)
    book = accrued(book, penalty_to or on, rules)
    through = max(counted_due(book, on), asked)
    if book.arrears and through < book.arrears.number:
        raise Refused("arrears_unpaid")
    due = owed_lines(book, through)
    before = book.rows[through:]
    undue_fen = sum(row.principal_fen for row in before)
    if not undue_fen:
        raise Refused("nothing_to_prepay")
    rest_fen = amount_fen - sum(map(line_fen, due))
    if rest_fen < rules.prepay_min_fen and rest_fen < undue_fen:
        raise Refused("below_prepay_minimum")

    def interest_fen_of(part_fen: int) -> int:
        return accrued_interest_fen(rules, book, part_fen, on, of_fen=undue_fen, through=through)

    low, high = 0, undue_fen + 1
    while high - low > 1:
        middle = (low + high) // 2
        if middle + interest_fen_of(middle) <= rest_fen:
            low = middle
        else:
            high = middle
    if not low:
        raise Refused("below_prepay_minimum")
    interest_fen = interest_fen_of(low)
    lines = (*due, AllocationLine(number=UNDUE, interest_fen=interest_fen, principal_fen=low))
    if low == undue_fen:
        return Prepayment(lines, before, ())
    standing = Standing(terms, book.annual_rate, book.funded_on, book.rows, through)
    rows = prepaid_rows(standing, undue_fen - low, mode)
    if not _cost_fen(
        before
    ):  # a write-off has given up what they asked for, and a void contract asks for none
        rows = tuple(replace(row, interest_fen=0, fee_fen=0) for row in rows)
    return Prepayment(lines, before, rows)


def manner_of(book: Book, rules: Rules) -> RepaymentTerms:
    """The manner of repayment of a loan, named or not; after a restructuring no grace runs any more, whatever its rows are numbered."""
    terms = book.repayment or RepaymentTerms(method="equal_instalments", rounding=rules.rounding)
    return replace(terms, principal_grace=0, interest_grace=0) if book.arrears else terms


def reason_of(mode: Prepay) -> ScheduleReason:
    """Why the schedule changed."""
    return "partial_prepayment_reamortised" if mode == "reamortise" else "partial_prepayment_shortened"


def _cost_fen(rows: Sequence[ScheduleRow]) -> int:
    return sum(row.interest_fen + row.fee_fen for row in rows)
