"""A loan book where none is at hand: invented from a seed, with the shape and the oddities of the real one.

It says nothing about the world; it makes everything happen that happens to real loans.
"""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from libs.events.money import Rounding
from libs.events.schedules.due_dates import due_date
from libs.events.schedules.rows import MONTH, installment_fen
from tools.replay.book import FEN_PER_UNIT, BookLoan, Completed, Current, Defaulted, Outcome, Status

#: How many of 40 loans end how: about the shares of Prosper's book.
_SHARES: Final = (
    (Status.CURRENT, 19),
    (Status.EARLY, 9),
    (Status.CHARGED_OFF, 4),
    (Status.COMPLETED, 4),
    (Status.PAST_DUE, 2),
    (Status.DEFAULTED, 2),
)
_STATUSES: Final = tuple(status for status, share in _SHARES for _ in range(share))
_TENORS: Final = (36, 36, 36, 36, 36, 36, 36, 60, 60, 12)
_GRADES: Final = ("AA", "A", "B", "C", "D", "E", "HR")
_FIRST_DAY: Final = date(2010, 1, 1)
_DAYS: Final = 4 * 365


def generated_book(number: int, seed: int = 1) -> tuple[BookLoan, ...]:
    """`number` invented loans; the same seed gives the same loans."""
    random = Random(seed)
    return tuple(_loan(index, random) for index in range(number))


def _loan(index: int, random: Random) -> BookLoan:
    # A stride that shares no factor with 40 visits every status within 40 loans and none twice in a row for long.
    status = _STATUSES[index * 11 % len(_STATUSES)]
    tenor = random.choice(_TENORS)
    amount_fen = random.randrange(10, 351) * 100 * FEN_PER_UNIT
    if index % 20 == 7:
        amount_fen += random.randrange(1, 100 * FEN_PER_UNIT)
    grade = random.randrange(len(_GRADES))
    rate = Decimal(600 + 400 * grade + random.randrange(800)) / 10_000
    originated_on = _FIRST_DAY + timedelta(days=random.randrange(_DAYS))
    return BookLoan(
        number=str(100_001 + index),
        status=status,
        amount_fen=amount_fen,
        annual_rate=rate,
        interest_fee_permille=random.randrange(20, 130),
        tenor_months=tenor,
        grade=_GRADES[grade],
        originated_on=originated_on,
        monthly_payment_fen=_billed_fen(
            index, installment_fen(amount_fen, rate, (MONTH,) * tenor, Rounding.HALF_UP)
        ),
        investors=random.randrange(1, 120),
        outcome=_outcome(status, originated_on, tenor, random),
    )


def _billed_fen(index: int, annuity_fen: int) -> int | None:
    """What the invented lender billed: the annuity, but every 20th loan differently, and every 40th not at all."""
    if index % 40 == 13:
        return None
    return annuity_fen + 3 if index % 20 == 4 else annuity_fen


def _outcome(status: Status, originated_on: date, tenor: int, random: Random) -> Outcome:
    last_due = due_date(originated_on, tenor)
    match status:
        case Status.EARLY:
            days = random.randrange(20, (last_due - originated_on).days)
            return Completed(originated_on + timedelta(days=min(days, 38 * 30)), early=True)
        case Status.COMPLETED:
            return Completed(last_due + timedelta(days=random.choice((0, 0, 0, 9))), early=False)
        case Status.CHARGED_OFF | Status.DEFAULTED:
            return Defaulted(random.randrange(1, min(tenor, 36)))
        case Status.PAST_DUE:
            return Current(random.randrange(4, min(tenor, 37)), random.randrange(1, 121))
        case Status.CURRENT:
            return Current(random.randrange(min(tenor, 38)), 0)
