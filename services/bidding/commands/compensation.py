"""Commands to a guarantor's account: it pays for a loan, and has a claim for what it paid."""

from datetime import date

from libs.events.codec import command
from libs.events.money import PositiveFen


@command("bidding.DebitCompensation")
class DebitCompensation:
    """All that the loan asks of its guarantor is taken, or nothing and it is declined by event (`insufficient_available`,
    `owner_deceased`). No effect for what was taken."""

    loan_id: str
    compensation_id: str
    amount_fen: PositiveFen
    value_date: date


@command("bidding.RecordSubrogation")
class RecordSubrogation:
    """The loan owes him for it. No money moves."""

    loan_id: str
    compensation_id: str
    claim_id: str
    principal_fen: PositiveFen
