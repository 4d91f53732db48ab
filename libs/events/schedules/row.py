"""One row of a schedule: of the contract, which says it, and of the ledger, which keeps it."""

from datetime import date

from libs.events.codec import record
from libs.events.money import Count


@record
class ScheduleRow:
    """One instalment of a schedule, numbered from 1; `fee_fen` is the borrower's fee of that period."""

    number: int
    due_on: date
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count = 0
