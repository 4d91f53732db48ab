"""Bodies of requests and answers about what becomes of a listing beside its bids and its review."""

from datetime import date
from typing import Literal

from libs.events import bidding as events
from libs.runtime.http import Answer, Shape


class CancellationIn(Shape):
    """Why an operator takes a listing back."""

    code: Literal["terms_wrong", "duplicate", "suspected_fraud", "unlawful"]


class CancellationOut(Answer):
    """The listing is taken back; whatever was held for it is released next."""

    loan_id: str
    cancelled_on: date
    code: str
    bids: int

    @staticmethod
    def of(event: events.ListingCancelled) -> "CancellationOut":
        """From the decision's event."""
        return CancellationOut(
            id=event.listing_id,
            loan_id=event.loan_id,
            cancelled_on=event.cancelled_on,
            code=event.code,
            bids=len(event.bids),
        )
