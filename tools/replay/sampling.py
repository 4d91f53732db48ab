"""Which loans of a book are replayed: few enough to watch, chosen so that everything that happens to loans happens.

No randomness: the same book and number give the same loans, so a figure of yesterday's demo can be asked for again today.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from libs.events.money import split_fen
from libs.runtime.errors import OperatorError
from tools.replay.book import FEN_PER_UNIT, BookLoan, Status

LOANS_DEFAULT: Final = 100

#: A rate above this was beyond what courts protected (rules.md 1.7); the demo profile has no cap.
_HIGH_RATE: Final = Decimal("0.24")

_ODD, _HIGH, _UNBILLED = "odd amount", "rate above 24 %", "no payment in the book"

#: What a sample must show, most telling first: a sample smaller than this list shows its beginning.
TRAITS: Final = (
    Status.EARLY,
    Status.CURRENT,
    Status.CHARGED_OFF,
    Status.COMPLETED,
    Status.PAST_DUE,
    Status.DEFAULTED,
    _ODD,
    _HIGH,
    _UNBILLED,
)


def traits_of(loan: BookLoan) -> frozenset[str]:
    """What a loan shows: its status, an amount that is no multiple of 100, a rate above 24 %, a payment of 0."""
    found: set[str] = {loan.status}
    if loan.amount_fen % (100 * FEN_PER_UNIT):
        found.add(_ODD)
    if loan.annual_rate > _HIGH_RATE:
        found.add(_HIGH)
    if loan.monthly_payment_fen is None:
        found.add(_UNBILLED)
    return frozenset(found)


def sample(loans: Sequence[BookLoan], number: int) -> tuple[BookLoan, ...]:
    """`number` loans of a book in the book's order: first one for each trait that the book has, the rest spread evenly over
    the book, each status by its share. Raises OperatorError when the book is smaller."""
    if number > len(loans):
        raise OperatorError(
            f"The loan book holds {len(loans)} loans, fewer than {number}: ask for at most that many."
        )
    chosen = _one_per_trait(loans, number)
    by_status = {
        status: [index for index, loan in enumerate(loans) if loan.status is status and index not in chosen]
        for status in Status
    }
    rest = number - len(chosen)
    shares = split_fen(rest, [len(members) for members in by_status.values()])
    for members, share in zip(by_status.values(), shares, strict=True):
        chosen |= {members[(2 * step + 1) * len(members) // (2 * share)] for step in range(share)}
    return tuple(loans[index] for index in sorted(chosen))


def _one_per_trait(loans: Sequence[BookLoan], number: int) -> set[int]:
    """For each trait not shown yet the loan that shows most of the missing ones; the earlier loan among equals."""
    traits = [traits_of(loan) for loan in loans]
    chosen: set[int] = set()
    missing = set(TRAITS)
    for trait in TRAITS:
        having = [index for index, found in enumerate(traits) if trait in found]
        if trait not in missing or not having or len(chosen) == number:
            continue
        best = max(having, key=lambda index: (len(traits[index] & missing), -index))
        chosen.add(best)
        missing -= traits[best]
    return chosen
