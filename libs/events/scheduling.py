"""The event of `bidding` that says when a listing will open which an operator's hand put there; what was prepared says so by its check.

It stands in a file of its own because it tells a whole ListingOpened beforehand.
"""

from datetime import date

from libs.events.bidding import ListingOpened
from libs.events.codec import event


@event("bidding.ListingScheduled.v1")
class ListingScheduled:
    """A listing opens as `opens_on` begins, and will say `opening`, unless it is taken back or the law changes meanwhile. `purpose` is
    what the money is for, empty where nobody said."""

    listing_id: str
    loan_id: str
    opens_on: date
    opening: ListingOpened
    purpose: str = ""
