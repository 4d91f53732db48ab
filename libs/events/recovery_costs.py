"""What it cost to pursue a loan that was written off, and who is paid it from what comes first (processes.md 1.P: "money first to cost").

A write-off says it, or is proposed again for it, with its bill among the papers (libs.events.measures). It is no debt of a row: nobody's claim is more by it.
"""

from datetime import date

from libs.events.arrival import Arrival
from libs.events.codec import event
from libs.events.money import Count, PositiveFen


@event("repayment.RecoveryCostBooked.v1")
class RecoveryCostBooked:
    """The loan's next money pays this cost before anything of the debt."""

    loan_id: str
    borrower: str
    measure_id: str
    cost_fen: PositiveFen
    account_id: str
    booked_on: date
    product: str = ""
    region: str = ""


@event("repayment.RecoveryCostPaid.v1")
class RecoveryCostPaid:
    """So much of a payment is the cost's; `left_fen` of it is open still. `is_all`: the loan takes nothing else of that payment, which has no
    other word than this one. The payment = this + what was allocated + what went back. `payer` is who paid, empty for the borrower, `arrival` how
    it came, None in records from before it
    was said."""

    loan_id: str
    borrower: str
    measure_id: str
    payment_id: str
    account_id: str
    amount_fen: PositiveFen
    left_fen: Count
    value_date: date
    is_all: bool
    product: str = ""
    region: str = ""
    payer: str = ""
    arrival: Arrival | None = None
