"""Events of `repayment` about a loan's interest: whether it is income, all of it or none (processes.md 1.P).

What the debtor owes is the same either way. A measure stops it by hand (`libs.events.measures.NonAccrual`), or the loan's days do.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.money import Count


@event("repayment.NonAccrualStarted.v1")
class NonAccrualStarted:
    """The loan's interest is no income any more: overdue for more than 90 days, by hand (`measure_id`; empty where a correction
    finds that it had been), or written off."""

    loan_id: str
    borrower: str
    cause: Literal["overdue", "by_hand", "written_off"]
    measure_id: str
    started_on: date
    dpd: Count
    principal_fen: Count
    product: str = ""
    region: str = ""


@event("repayment.NonAccrualEnded.v1")
class NonAccrualEnded:
    """The loan's interest is income again: all arrears are paid, or two people take back what was decided by hand (`measure_id`)."""

    loan_id: str
    borrower: str
    ended_on: date
    principal_fen: Count
    product: str = ""
    region: str = ""
    measure_id: str = ""
