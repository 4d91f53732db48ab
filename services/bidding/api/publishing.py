"""Routes about what becomes of a listing beside its bids and its review: who looks at it before it is published, what investors
read of it, who pays it out, who takes it back, what became of one's bids, and why a bid stays.

Refusals of the log are listed on the commands (services/bidding/commands/listings.py) and reach the caller as problems.
"""

from typing import Annotated

from fastapi import Depends, Request

from libs.events import bidding as events
from libs.runtime.http import (
    NoFields,
    Order,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.commands import Unchanged
from libs.runtime.http.posts import post
from services.bidding import commands
from services.bidding.api.listing_shapes import (
    CancellationIn,
    CancellationOut,
    CheckIn,
    CheckOut,
    DisclosureOut,
    FeeTablesOut,
    OwnBidOut,
    OwnBidsOut,
    PayoutIn,
    PayoutOut,
    PublicationOut,
    PublicationsOut,
)
from services.bidding.api.router import router
from services.bidding.api.shapes import ReviewableOut, ReviewablesOut, is_published
from services.bidding.api.worklists import BY_AGE, Himself, Signers, Staff
from services.bidding.domain.profile import profile_named

ListingId = Annotated[str, id_path("lst")]
Listings = Annotated[ViewReader, Depends(view_reader("bidding.open-listings"))]

Bids = Annotated[ViewReader, Depends(view_reader("bidding.bids"))]

#: Every public text is checked by legal (processes.md 1.N), which brings no customers and assesses none.
Legal = Annotated[None, Depends(post("bidding", "legal"))]


#: Who pays out, and never whoever confirms that money arrived (processes.md 1.A rule 4).
Cashier = Annotated[None, Depends(post("bidding", "cashier"))]


@router.read("/publications", scopes("legal"), answer=PublicationsOut)
async def read_publications(listings: Listings, page: ThisPage, _: Legal) -> PublicationsOut:
    """Listings that wait for the look of a second person, oldest first, with what investors will read of them."""
    found, following = await listings.page(page, where={"state": "prepared"}, order=BY_AGE)
    return PublicationsOut(items=[PublicationOut.of(document) for document in found], next=following)


@router.command(
    "/listings/{listing}/checks",
    scopes("legal"),
    answer=CheckOut,
    answers={events.ListingChecked: CheckOut.of},
)
async def check_listing(listing: ListingId, body: CheckIn, himself: Himself, _: Legal) -> Order:
    """Let a prepared listing be published, now or on a day to come, to all or to newcomers, or not at all. Who it is, the token
    says."""
    verdict = commands.CheckListing(
        verdict=body.verdict,
        content_hash=body.content_hash,
        opens_on=body.opens_on,
        newcomers_only=body.newcomers_only,
        himself=himself,
    )
    return Order(listing, verdict)


@router.read("/listings/{listing}/disclosure", scopes("listing:read", "operator"), answer=DisclosureOut)
async def read_disclosure(listing: ListingId, listings: Listings) -> DisclosureOut:
    """What investors are told of a published listing, word for word; one that was opened by hand has none."""
    document = await listings.get(listing, missing="unknown_listing")
    if "disclosure" not in document or not is_published(document):
        raise not_found("unknown_disclosure")
    return DisclosureOut.of(document)


@router.read("/fees", scopes("listing:read", "operator", "risk"), answer=FeeTablesOut)
async def read_fees(request: Request) -> FeeTablesOut:
    """The published fees of every product, version by version: no other fee is agreed on or listed."""
    return FeeTablesOut.of(profile_named(edge_of(request).settings.profile).fee_tables)


@router.read("/payouts", scopes("finance"), answer=ReviewablesOut)
async def read_payouts(listings: Listings, page: ThisPage, staff: Staff, _: Cashier) -> ReviewablesOut:
    """Reviewed listings that wait for a cashier who has not reviewed them, oldest first, and who may sign each."""
    found, following = await listings.page(page, where={"state": "payable"}, order=BY_AGE)
    signers = await Signers.of(staff, "cashier")
    return ReviewablesOut(
        items=[ReviewableOut.waiting(document, signers.who_may(document)) for document in found],
        next=following,
    )


@router.command(
    "/listings/{listing}/payout",
    scopes("finance"),
    answer=PayoutOut,
    answers={
        events.FundingRequested: PayoutOut.asked,
        events.LoanFunded: PayoutOut.paid,
        events.ListingCancelled: PayoutOut.cancelled,
    },
)
async def execute_payout(listing: ListingId, body: PayoutIn, himself: Himself, _: Cashier) -> Order:
    """Pay a reviewed listing out under a loan voucher; who reviewed it does not."""
    return Order(listing, commands.ExecutePayout(voucher=body.voucher, himself=himself))


@router.read("/bids", scopes("bid:own"), answer=OwnBidsOut)
async def read_bids(bids: Bids, page: ThisPage, principal: ThisPrincipal) -> OwnBidsOut:
    """The caller's own bids: what each listing answered, and what became of the money."""
    found, following = await bids.page(page, where={"owner": principal.subject})
    return OwnBidsOut(items=[OwnBidOut.of(document) for document in found], next=following)


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
