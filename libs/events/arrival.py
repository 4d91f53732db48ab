"""How something came to its loan, and when: what a loan needs to decide about it again (docs/decisions/0024)."""

from datetime import date
from typing import Literal

from libs.events.codec import event, record
from libs.events.money import Count, PositiveFen

PaymentMode = Literal["", "settle", "reamortise", "shorten"]
"""What the payer asked for: to pay what is due, to end the loan, or to prepay a part (libs.events.rescheduling.Prepay)."""


@record
class Arrival:
    """A payment before anything was decided about it: all of its money, also what went back.

    It was booked on `booked_on`, when the loan had not been woken for phase `before_phase` of that date and had for all before.
    It was entered in the place of payment `replaces`, which was reversed; empty for none.
    """

    account_id: str
    received_fen: PositiveFen
    booked_on: date
    before_phase: Count
    mode: PaymentMode = ""
    replaces: str = ""


@record
class Answered:
    """A debit was answered after the day on which it was asked, and the loan took nothing of it: at this place, as an Arrival says it."""

    on: date
    before_phase: Count


@event("repayment.LoanWaited.v1")
class LoanWaited:
    """The day had something to do with the loan and did not come to it: from phase `since_phase` of `since` until the phase `until_phase` of
    `until`, which woke it (`woken`); or before which something else came, and the loan waits on."""

    loan_id: str
    since: date
    since_phase: Count
    until: date
    until_phase: Count
    woken: bool
