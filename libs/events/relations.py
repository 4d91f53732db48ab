"""Events of `bidding` about who is related to whose borrower, told by the listing, which knew it on the day of approval.

A buyer on the secondary market is nobody's bidder, so the listing is asked before its loan's claims are offered to anybody.
"""

from datetime import date

from libs.events.codec import event
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.schedules.terms import Method


@event("bidding.ReservationConfirmed.v1")
class ReservationConfirmed:
    """What the loan said when it reserved a claim (repayment.ClaimReserved), and `related`, those whom the loan's listing knew as related
    to its borrower: the offer opens next."""

    listing_id: str
    offer_id: str
    loan_id: str
    borrower: str
    principal_fen: PositiveFen
    interest_max_fen: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    product: str = ""
    region: str = ""
    method: Method | None = None
    related: tuple[str, ...] = ()
