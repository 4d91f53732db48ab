"""Routes about what becomes of a listing beside its bids and its review: who takes it back, and why a bid stays.

Refusals of the log are listed on the commands (services/bidding/commands/listings.py) and reach the caller as problems.
"""

from typing import Annotated

from libs.events import bidding as events
from libs.runtime.http import NoFields, Order, id_path, scopes
from libs.runtime.http.commands import Unchanged
from services.bidding import commands
from services.bidding.api.listing_shapes import CancellationIn, CancellationOut
from services.bidding.api.router import router

ListingId = Annotated[str, id_path("lst")]


@router.command(
    "/listings/{listing}/bids/{bid}/cancellation", scopes("bid:own"), answer=Unchanged, answers={}
)
async def cancel_bid(
    listing: ListingId,
    bid: Annotated[str, id_path("bid")],
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Ask for a bid back. What the listing accepted stands until its end, what it declined is released by itself: the answer
    is always a refusal that says which."""
    return Order(listing, commands.CancelBid(bid_id=bid))


@router.command(
    "/listings/{listing}/withdrawal",
    scopes("application:own"),
    answer=CancellationOut,
    answers={events.ListingCancelled: CancellationOut.of},
)
async def withdraw_listing(
    listing: ListingId,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """The borrower does not want the loan any more; not once it is filled. Nobody else's listing exists for him."""
    return Order(listing, commands.CancelListing(code="borrower_withdrew", by="borrower"))


@router.command(
    "/listings/{listing}/cancellation",
    scopes("operator"),
    answer=CancellationOut,
    answers={events.ListingCancelled: CancellationOut.of},
)
async def cancel_listing(listing: ListingId, body: CancellationIn) -> Order:
    """An operator takes back a listing that must not stay up; not once it is filled."""
    return Order(listing, commands.CancelListing(code=body.code, by="operator"))
