"""How a payment came to its loan: what a loan needs to decide about it again (docs/decisions/0024)."""

from datetime import date
from typing import Literal

from libs.events.codec import record
from libs.events.money import Count, PositiveFen

PaymentMode = Literal["", "settle", "reamortise", "shorten"]
"""What the payer asked for: to pay what is due, to end the loan, or to prepay a part (libs.events.rescheduling.Prepay)."""


@record
class Arrival:
    """A payment before anything was decided about it: all of its money, also what went back.

    It was booked on `booked_on`, when the loan had not been woken for phase `before_phase` of that date and had for all before.
    """

    account_id: str
    received_fen: PositiveFen
    booked_on: date
    before_phase: Count
    mode: PaymentMode = ""
