"""The view `bidding.open-listings`: what can be bid on, how far it is, and how it ended.

Every document is written by its listing's stream alone.
"""

from collections.abc import Sequence

from libs.events.bidding import (
    BidPlaced,
    FundingRequested,
    FundsCollected,
    ListingCancelled,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingReviewed,
    LoanFunded,
)
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """A listing's document after one of its events. Amounts in fen, the rate as a decimal's text."""
    listing_id = event.data.listing_id
    changed = [Set(listing_id, field, value) for field, value in _fields(event.data).items()]
    return [*changed, Set(listing_id, f"src.{event.stream}", event.address)]


def _fields(data: object) -> dict[str, str | int | None]:
    match data:
        case ListingOpened():
            return {
                "listing_id": data.listing_id,
                "loan_id": data.loan_id,
                "borrower": data.borrower,
                "state": "open",
                "amount_fen": data.amount_fen,
                "bid_min_fen": data.bid_min_fen,
                "raised_fen": 0,
                "remaining_fen": data.amount_fen,
                "bids": 0,
                "annual_rate": f"{data.annual_rate:f}",
                "tenor_months": data.tenor_months,
                "grade": data.grade,
                "closes_on": data.closes_on.isoformat(),
                "origination_fee_fen": data.origination_fee_fen,
                "interest_fee_permille": data.interest_fee_permille,
                "product": data.product,
                "region": data.region,
                "owner": data.owner,
                "application_id": data.application_id,
                "reviews_needed": 0,
                "reviews": 0,
            }
        case BidPlaced():
            return {
                "raised_fen": data.raised_after_fen,
                "remaining_fen": data.remaining_after_fen,
                "bids": data.bid.order,
            }
        case ListingFilled():
            # Listings that pass by themselves are `filled` for a moment; `in_review` ones wait for people.
            state = "in_review" if data.reviews_needed else "filled"
            return {"state": state, "reviews_needed": data.reviews_needed}
        case ListingReviewed():
            return {"reviews": data.order, f"reviewers.{data.order}": data.reviewer}
        case ListingCancelled():
            return {"state": "cancelled", "cancelled_on": data.cancelled_on.isoformat(), "code": data.code}
        case ListingExpired():
            return {"state": "expired"}
        case FundingRequested():
            return {"state": "passed"}
        case LoanFunded():
            return {"state": "funding", "funded_on": data.funded_on.isoformat()}
        case FundsCollected():
            return {"state": "funded"}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


VIEW = View(
    name="bidding.open-listings",
    version=3,
    reads=(
        ListingOpened,
        BidPlaced,
        ListingFilled,
        ListingReviewed,
        ListingCancelled,
        ListingExpired,
        FundingRequested,
        LoanFunded,
        FundsCollected,
    ),
    project=project,
    indexes=("state", "closes_on"),
)
