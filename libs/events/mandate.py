"""The lenders' mandate: what the house may do with their money without asking, and what they are asked and answer.

The house only services a loan whose lenders bear its risk (processes.md 1.P, A23). So an extension, a write-off or a settlement in
kind needs their word: a clause of the contract, or a vote by principal. Others than measures ask for it too, so it stands apart.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record
from libs.events.money import Count, PositiveFen

MandateBy = Literal["clause", "vote", "silence", "not_needed"]
"""How they gave it: by their contract, by more than two thirds of the principal, or with those who kept silent in it, where the
contract says that silence is consent."""


@record
class Voter:
    """A lender and what he was owed of the principal on the day that counts."""

    investor: str
    principal_fen: PositiveFen


@event("repayment.MandateAsked.v1")
class MandateAsked:
    """The lenders are asked, each with his principal, until the end of `until`. `measure_id` is whatever needs their word."""

    measure_id: str
    loan_id: str
    voters: tuple[Voter, ...]
    until: date
    silence_consents: bool


@event("repayment.MandateVoted.v1")
class MandateVoted:
    """A lender answered, with all his principal; `for_fen` and `against_fen` are all votes so far."""

    measure_id: str
    loan_id: str
    investor: str
    agrees: bool
    principal_fen: PositiveFen
    for_fen: Count
    against_fen: Count
