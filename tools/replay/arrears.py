"""What follows a missed instalment: the borrower rings up and promises, and later letters where he does not pay.

Borrowers call in, because a collector may not ring anybody between 22:00 and 8:00 and the demo runs at any hour; letters
wake nobody (services/collections/domain/contact_gate.py). No clock is bent for it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from libs.events.repayment import ScheduleRow
from tools.replay.actions import CallIn, Dun

#: A miss is known on the evening after the due date, so the next morning is the first on which it can be talked about.
TALKED_AFTER: Final = timedelta(days=2)
_KNOWN_AFTER: Final = timedelta(days=1)
#: How long a borrower who will not pay asks for.
_PROMISED_DAYS: Final = timedelta(days=7)
#: A promise is for 14 days at most (services/collections/domain/profile.py).
_PROMISE_MAX: Final = timedelta(days=14)
#: The first morning of each later stage, counted from the due date of what was missed first.
_STAGES: Final = (("mid", timedelta(days=32), False), ("late", timedelta(days=92), True))


def is_missed(row: ScheduleRow, paid_on: date | None, horizon: date) -> bool:
    """Whether the platform will say that an instalment was missed, paid on that date or (None) never."""
    known_on = row.due_on + _KNOWN_AFTER
    return known_on <= horizon and (paid_on is None or paid_on > known_on)


def promised(
    borrower: str, loan: str, row: ScheduleRow, paid_on: date | None, horizon: date
) -> Iterator[tuple[date, CallIn]]:
    """The call of a borrower who has missed an instalment, where he still has time for one: what he promises, and whether
    he keeps it."""
    calls_on = row.due_on + TALKED_AFTER
    if calls_on > horizon or (paid_on is not None and paid_on < calls_on):
        return
    promised_on = min(paid_on or calls_on + _PROMISED_DAYS, calls_on + _PROMISE_MAX)
    yield (
        calls_on,
        CallIn(
            key=f"{row.number}",
            user=borrower,
            loan=loan,
            number=row.number,
            amount_fen=row.principal_fen + row.interest_fen,
            promised_on=promised_on,
            keeps=paid_on is not None and paid_on <= promised_on,
        ),
    )


def dunned(borrower: str, loan: str, row: ScheduleRow, horizon: date) -> Iterator[tuple[date, Dun]]:
    """The letters to a borrower who pays nothing from this instalment on."""
    for stage, after, assigned in _STAGES:
        if row.due_on + after <= horizon:
            yield row.due_on + after, Dun(f"{stage}", borrower, loan, stage, assigned)
