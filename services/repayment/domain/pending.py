"""Debits that have no answer yet: what one finds counts on the day on which it was asked, so nothing after that day is judged.

Neither by the day (`loan_day.wake`) nor by money that comes meanwhile: penalty is charged up to that day and no further
(docs/decisions/0018). The answer, or the first wake after it, charges what is owed then.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.codec import record


@record
class Pending:
    """A debit that nobody has answered, and the day on which it was asked."""

    debit_id: str
    asked_on: date


def waits_for(unanswered: Sequence[Pending], debit_id: str) -> bool:
    """Whether it is one of those that have no answer."""
    return any(debit.debit_id == debit_id for debit in unanswered)


def asked_as(unanswered: Sequence[Pending], debit_id: str) -> Pending | None:
    """One of those that have no answer."""
    return next((debit for debit in unanswered if debit.debit_id == debit_id), None)


def answered(unanswered: Sequence[Pending], debit_id: str) -> tuple[Pending, ...]:
    """Those that still have none once this one has."""
    return tuple(debit for debit in unanswered if debit.debit_id != debit_id)


def judged_to(unanswered: Sequence[Pending], on: date) -> date:
    """The last day, up to this one, of which it is known what was paid."""
    return min((on, *(debit.asked_on for debit in unanswered)))
