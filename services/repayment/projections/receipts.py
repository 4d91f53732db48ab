"""What a claim received on which value date, beside what it is owed: what a holder's cash history is computed from.

It is a part of the claim's own document, which its loan's stream writes at that moment anyway. A claim receives about once a month,
so a document grows by a few amounts a month; what was not paid is not said.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.corrections import LoanRestated
from libs.events.repayment import DistributionLine
from libs.events.views import Add, Op

PARTS = ("principal_fen", "interest_fen", "penalty_fen", "fee_fen")


def received(line: DistributionLine, on: date) -> Sequence[Op]:
    """A holder's share of a payment is received on its value date; the fee is what he bears of it."""
    at = f"received.{on.isoformat()}"
    return [Add(line.claim_id, f"{at}.{part}", fen) for part in PARTS if (fen := getattr(line, part))]


def restated(loan: LoanRestated) -> Sequence[Op]:
    """What a correction gives a claim, or takes back from it, counts on the day of the correction: the past stays as it was."""
    at = f"received.{loan.restated_on.isoformat()}"
    return [
        Add(change.claim_id, f"{at}.{part}", fen)
        for change in loan.claims
        for part in PARTS
        if (fen := getattr(change, part))
    ]
