"""What it cost to pursue a loan that was written off, and who is paid it from what comes first (processes.md 1.P: "money first to cost").

A write-off says it, or is proposed again for it, with its bill among the papers (libs.events.measures). It is no debt of a row: nobody's claim is more by it.
The account that is named is asked whether it could take it, before the loan is (docs/decisions/0009).
"""

import re
from datetime import date
from typing import Final

from libs.events.arrival import Arrival
from libs.events.codec import event
from libs.events.measures import MeasureTerms, WriteOff
from libs.events.money import Count, PositiveFen

#: An account's id; anything else is asked of nobody.
_ACCOUNT: Final = re.compile(r"acc_[A-Za-z0-9_-]{1,64}", re.ASCII)


def payee_of(terms: MeasureTerms) -> str:
    """The account that a measure would pay a recovery's cost to; empty where it says none, or none that could be one."""
    if not isinstance(terms, WriteOff) or not terms.cost_fen or not _ACCOUNT.fullmatch(terms.cost_account):
        return ""
    return terms.cost_account


@event("bidding.PayeeConfirmed.v1")
class PayeeConfirmed:
    """The account could be paid what a measure says that a recovery cost. The terms and who proposes them (`himself` as a customer, empty for
    nobody) go back with the answer, for the loan is asked next."""

    account_id: str
    owner: str
    measure_id: str
    loan_id: str
    terms: WriteOff
    himself: str = ""


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
