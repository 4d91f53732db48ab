"""Events of what counts again because a correction made it owed again: against the borrower's cap, and in his guarantor's register.

Neither is asked whether there is room: what is owed is a fact. New loans find that much less of it.
"""

from libs.events.codec import event
from libs.events.money import Count, PositiveFen


@event("onboarding.ExposureRestored.v1")
class ExposureRestored:
    """`amount_fen` more of a loan is owed than counted (all of it where the loan was repaid and is not), above the cap or not."""

    user_id: str
    loan_id: str
    amount_fen: PositiveFen
    loan_exposure_after_fen: PositiveFen
    exposure_after_fen: PositiveFen


@event("repayment.GuaranteeRestored.v1")
class GuaranteeRestored:
    """`amount_fen` more of a loan is owed than the guarantor's limit counted; `left_fen` does now, within the limit or not."""

    guarantor: str
    loan_id: str
    amount_fen: PositiveFen
    left_fen: PositiveFen
    guaranteed_fen: Count
