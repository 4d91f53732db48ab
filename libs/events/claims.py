"""Events of `repayment` about a claim that is for sale: reserved on its loan, given free, or another's.

A loan's claims live in its own stream, so that "Σ claims = outstanding principal" holds at every event, also at a sale: what
stands before `ClaimTransferred` in the loan's stream is the seller's, what stands after it the buyer's.
"""

from datetime import date

from libs.events.bidding import ClaimTerms
from libs.events.codec import event
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code
from libs.events.schedules.terms import Method


@event("repayment.ClaimReserved.v1")
class ClaimReserved:
    """A holder's claim, or a part of it, may be offered: nothing else is done with it until it is transferred or released.

    `principal_fen` of the claim's `outstanding_fen` are reserved; every distribution makes both less in proportion.
    `interest_max_fen` is the most that can have accrued on it while it is for sale. The last instalment is due on `matures_on`, and the
    loan is repaid by `method` (None: nobody said, in equal instalments).
    """

    loan_id: str
    offer_id: str
    claim_id: str
    account_id: str
    investor: str
    borrower: str
    principal_fen: PositiveFen
    outstanding_fen: PositiveFen
    interest_max_fen: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    reserved_on: date
    product: str = ""
    region: str = ""
    method: Method | None = None


@event("repayment.ReservationReleased.v1")
class ReservationReleased:
    """The claim is no longer reserved (`code`): its offer ended, an instalment was missed, or the loan is repaid."""

    loan_id: str
    offer_id: str
    claim_id: str
    account_id: str
    investor: str
    code: Code


@event("repayment.ClaimTransferred.v1")
class ClaimTransferred:
    """A reserved claim, or the reserved part of one, is the buyer's: a new `claim`, ordered after all others of the loan.

    The seller's claim keeps `left_fen` of its principal and ends at zero. The buyer owes price + interest: `price_fen` for the
    principal, `interest_fen` for what had accrued on it from the last due date (or the funding) to `value_date`; the seller
    owes `fee_fen` of it. Distributions before this event are the seller's, after it the buyer's.
    """

    loan_id: str
    offer_id: str
    hold_id: str
    borrower: str
    sold_claim_id: str
    seller: str
    seller_account: str
    left_fen: Count
    claim: ClaimTerms
    price_fen: PositiveFen
    interest_fen: Count
    fee_fen: Count
    value_date: date
    product: str = ""
    region: str = ""
