"""Events of `repayment` about a schedule that is no longer the contract's first: the borrower prepaid, or something else was agreed."""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.money import PositiveFen
from libs.events.schedules.row import ScheduleRow

Prepay = Literal["reamortise", "shorten"]
"""What a partial prepayment does with the rest of the schedule: the same due dates with smaller instalments, or the same
instalments and fewer of them."""

ScheduleReason = Literal[
    "partial_prepayment_reamortised",
    "partial_prepayment_shortened",
    "extended",
    "restructured",
    "written_off",
]


@event("repayment.ScheduleChanged.v1")
class ScheduleChanged:
    """From here on `rows` are what is asked of the principal that is not due: they take the place of all rows from the number of the
    first of them on. Rows before it keep their numbers, and what is open of them.

    Σ principal of `rows` and of what is open before them is `outstanding_fen`, the outstanding principal. `change_id` is what caused it:
    a payment's id, or an agreement's.
    """

    loan_id: str
    borrower: str
    change_id: str
    reason: ScheduleReason
    changed_on: date
    outstanding_fen: PositiveFen
    rows: tuple[ScheduleRow, ...]
    product: str = ""
    region: str = ""
