"""Interest that runs on what is not due yet: what it is on a day, and what it can be at most until another.

One function for all who ask: the settlement of a loan (allocation.py), the sale of a claim (trading.py) and what a holder is shown
of his (worth.py). So a claim is worth on a day what the loan would owe for it if it ended that day, whatever its manner of repayment.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from libs.events.codec import record
from libs.events.money import AnnualRate, Count, divide_fen
from libs.events.repayment import ScheduleRow
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.domain.profile import Rules
from services.repayment.domain.schedule import interest_used_fen, reached


@record
class Arrears:
    """What a restructuring left unpaid on a day, and in which row it is asked for: interest and fees (fen) that were due, and what had accrued on
    principal that was not. Nobody knows that of records from before it was said: then it is None, and not asked for."""

    number: Count
    since: date
    interest_fen: Count
    fee_fen: Count
    accrued_fen: Count | None = None

    @property
    def owed_fen(self) -> int:
        """All interest of the days before."""
        return self.interest_fen + (self.accrued_fen or 0)


class Lent(Protocol):
    """What interest depends on; the loan's Book is one."""

    @property
    def funded_on(self) -> date: ...
    @property
    def annual_rate(self) -> AnnualRate: ...
    @property
    def rows(self) -> Sequence[ScheduleRow]: ...
    @property
    def repayment(self) -> RepaymentTerms | None: ...
    @property
    def arrears(self) -> Arrears | None: ...


def accrued_interest_fen(
    rules: Rules, lent: Lent, part_fen: int, on: date, *, of_fen: int, through: int | None = None
) -> int:
    """Interest of the days for which `part_fen` of the `of_fen` that are not due was really used: round(part · rate · actual days /
    basis), by the contract's day count where it has one, from the last due date on which interest was asked (or the
    funding) to a date, the first day in, the last out; and never more than the part's share of the running period's scheduled interest.

    Until the row is due in which a restructuring asks for arrears, it is what was owed then and what has run since: of the overdue principal
    the days before bore penalty. `through` is the last row that counts as due, else the last that is due on that date. Source: Civil Code of the
    PRC art. 677 (who repays early owes interest for the actual period), domain.md section 3 ("accrued interest goes to the seller up to the
    settlement day") and section 4. Actual/365 is *(chosen)*; so is the cap: on 365 or 360 no month reaches it. Gross of the
    platform's fee on interest, which whoever is paid the interest bears *(chosen)*.
    """
    due = reached(lent.rows, on) if through is None else through
    if not part_fen or due >= len(lent.rows):
        return 0
    left = _left(lent, due)
    first = left.number - 1 if left else max(due, _grace(lent))
    asked = lent.rows[min(first, len(lent.rows) - 1)].interest_fen
    mode = rules.rounding if lent.repayment is None else lent.repayment.rounding
    before_fen = divide_fen(left.owed_fen * part_fen, of_fen, mode) if left else 0
    return min(
        before_fen + _used_fen(rules, lent, part_fen, (_since(lent, due), on)),
        divide_fen(asked * part_fen, of_fen, mode),
    )


def interest_max_fen(rules: Rules, lent: Lent, part_fen: int, between: tuple[date, date]) -> int:
    """The most that can have accrued on a part on any day between two dates, both included: what a buyer must have in hand beside
    the price. Repayments make the part less, so no later period asks for more than it does on today's part; none comes before the row that
    asks for arrears is due, so its share of them is the same until then."""
    first, last = between
    mode = rules.rounding if lent.repayment is None else lent.repayment.rounding
    most = 0
    for due in range(reached(lent.rows, first), len(lent.rows)):
        since, left = _since(lent, due), _left(lent, due)
        if since > last:
            break
        until = min(last, lent.rows[due].due_on)
        of_fen = sum(row.principal_fen for row in lent.rows[due:])
        before_fen = divide_fen(left.owed_fen * part_fen, of_fen, mode) if left else 0
        most = max(most, before_fen + _used_fen(rules, lent, part_fen, (since, until)))
    return most


def _grace(lent: Lent) -> int:
    """Rows that ask for no interest. A restructuring comes after them, and may number its own anew from one of them on."""
    return lent.repayment.interest_grace if lent.repayment and not lent.arrears else 0


def _left(lent: Lent, due: int) -> Arrears | None:
    """What a restructuring left, until the row is due that asks for it."""
    return lent.arrears if lent.arrears and due < lent.arrears.number else None


def _since(lent: Lent, due: int) -> date:
    """From when interest runs once so many rows are due: a row in the grace on interest has not asked for any."""
    left = _left(lent, due)
    if left:
        return left.since
    return lent.rows[due - 1].due_on if due > _grace(lent) else lent.funded_on


def _used_fen(rules: Rules, lent: Lent, part_fen: int, between: tuple[date, date]) -> int:
    return interest_used_fen(
        lent.repayment,
        part_fen,
        lent.annual_rate,
        between,
        day_basis=rules.day_basis,
        mode=rules.rounding,
    )
