"""Events of `bidding` about money that is held for a bid: from the bid to the loan, or back to its investor.

They stand beside the others because one file of all would be too long to read; `libs.events.bidding` gives them on.
"""

from datetime import date

from libs.events.account import RiskLevel
from libs.events.bank import Posting
from libs.events.codec import event
from libs.events.money import Count, PositiveFen


@event("bidding.FundsHeld.v1")
class FundsHeld:
    """A bid's money is held; the listing has not answered yet.

    `suitability_level` is the investor's risk level as his account knows it, None when nobody has assessed him; `related` are
    the users whom it knows as related to him. `allow_partial`: where less is left, the listing may take a part. `has_lent`: a bid
    of his was captured before, so he is no newcomer. Where a `standing_order` asked for it, the queue of orders answers next, and
    then the listing.
    """

    account_id: str
    owner: str
    hold_id: str
    bid_id: str
    listing_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
    suitability_level: RiskLevel | None = None
    suitability_valid_to: date | None = None
    related: tuple[str, ...] = ()
    allow_partial: bool = False
    has_lent: bool = False
    standing_order: str = ""


@event("bidding.HoldReleased.v1")
class HoldReleased:
    """A hold ended without a loan; `reason` is a code (`listing_full`, `listing_expired` …)."""

    account_id: str
    owner: str
    hold_id: str
    bid_id: str
    listing_id: str
    amount_fen: PositiveFen
    reason: str
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.HoldReduced.v1")
class HoldReduced:
    """The listing took a part of the bid: `amount_fen` is available again, the hold goes on with `keeps_fen`."""

    account_id: str
    owner: str
    hold_id: str
    bid_id: str
    listing_id: str
    amount_fen: PositiveFen
    keeps_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.HoldCaptured.v1")
class HoldCaptured:
    """A hold became the investor's part of a funded loan."""

    account_id: str
    owner: str
    hold_id: str
    bid_id: str
    listing_id: str
    loan_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
