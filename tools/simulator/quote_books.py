"""What an early end is quoted at, and in which pieces penalty is charged, once more from the contract: day by day, in fractions.

A piece ends on the last day of a month until the loan is lost, on a day on which its oldest instalment reaches a worse bucket or class, and where somebody
pays. So a quote of a day to come is what the days until then will say, and whoever pays it ends the loan.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from tools.simulator.loan_books import LoanBook, require

_DAY: Final = timedelta(days=1)
_GRACE_DAYS: Final = 3
_LOST_FROM: Final = 361
#: Days past due with which a bucket or a class begins (domain.md section 4).
_EDGES: Final = frozenset((1, 31, 61, 91, 121, 151, 181, 271, _LOST_FROM))


def require_pieces(where: str, loan: LoanBook, charged_on: date) -> None:
    """A charge up to a day leaves out none that ends a piece before it. Raises WrongBooks."""
    left = next((day for day in _days(loan, charged_on - _DAY) if _fens(loan, day, {})), None)
    require(left is None, f"{where}: {loan.loan_id} is charged up to {charged_on} over {left} in one piece")


def require_charged(where: str, loan: LoanBook, day: date) -> None:
    """What a day that is over had to charge has been charged. Raises WrongBooks."""
    left = next((each for each in _days(loan, day) if _fens(loan, each, {})), None)
    require(left is None, f"{where}: {loan.loan_id} was not charged on {left}")


def require_quotes(loan: LoanBook, quotes: Sequence[tuple[date, int]]) -> None:
    """Penalty quoted up to each of these days is what has been charged by then, if nothing is paid. Raises WrongBooks."""
    for valid_to, said in quotes:
        to: dict[int, date] = {}
        owed = loan.penalty_fen
        for day in (*_days(loan, valid_to), valid_to):
            for number, fen in _fens(loan, day, to).items():
                to[number], owed = day, owed + fen
        require(
            said == owed, f"{loan.loan_id} is quoted {said} of penalty up to {valid_to}, charged is {owed}"
        )


def _days(loan: LoanBook, until: date) -> Iterator[date]:
    """The days up to one that end a piece, since the loan was charged last."""
    oldest = loan.oldest
    if oldest is None or not loan.penalty_rate:
        return
    day = max((row.charged_to for row in loan.rows.values() if row.charged_to > row.due_on), default=date.min)
    day = max(day, oldest.due_on)
    dpd = loan.counted(oldest.due_on, day)
    while (day := day + _DAY) <= until:
        before, dpd = dpd, dpd + (day not in loan.paused)
        is_month_end = (day + _DAY).day == 1 and dpd < _LOST_FROM
        if is_month_end or (dpd != before and dpd in _EDGES):
            yield day


def _fens(loan: LoanBook, on: date, to: dict[int, date]) -> dict[int, int]:
    """By instalment what is charged up to a day; `to`: where that was done meanwhile."""
    found: dict[int, int] = {}
    for number, row in loan.rows.items():
        if row.open_fen and loan.counted(row.due_on, on) > _GRACE_DAYS:
            days = loan.counted(to.get(number, row.charged_to), on)
            if fen := int(row.open_fen * loan.penalty_rate * days / 365 + Fraction(1, 2)):
                found[number] = fen
    return found
