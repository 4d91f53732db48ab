"""Routes of a contract that is void before its money moved: legal proposes, another of legal and finance agree."""

from typing import Annotated, Literal

from fastapi import Depends

from libs.events import voiding as events
from libs.runtime.http import Answer, NoFields, Order, Shape, id_path, scopes
from libs.runtime.http.posts import post
from services.bidding.api.router import router
from services.bidding.api.worklists import Himself
from services.bidding.commands import voiding as commands

ListingId = Annotated[str, id_path("lst")]
Legal = Annotated[None, Depends(post("bidding", "legal"))]
Finance = Annotated[None, Depends(post("bidding", "accountant", "cashier", "finance_supervisor"))]


class VoidingIn(Shape):
    """Why the contract is void."""

    code: events.VoidingCode


class VoidingOut(Answer):
    """It is proposed, or one post has agreed; with the second the listing is cancelled, and whatever was held for it released next."""

    loan_id: str
    code: events.VoidingCode
    status: Literal["proposed", "approved"]

    @staticmethod
    def proposed(event: events.ListingVoidingProposed) -> "VoidingOut":
        """Others must agree."""
        return VoidingOut(id=event.listing_id, loan_id=event.loan_id, code=event.code, status="proposed")

    @staticmethod
    def approved(event: events.ListingVoidingApproved) -> "VoidingOut":
        """One of two has agreed."""
        return VoidingOut(id=event.listing_id, loan_id=event.loan_id, code=event.code, status="approved")


@router.command(
    "/listings/{listing}/voiding",
    scopes("legal"),
    answer=VoidingOut,
    answers={events.ListingVoidingProposed: VoidingOut.proposed},
)
async def propose_voiding(listing: ListingId, body: VoidingIn, himself: Himself, _: Legal) -> Order:
    """Propose that a listing's contract is void; not once its loan is funded. Who it is, the token says."""
    return Order(listing, commands.ProposeVoiding(code=body.code, himself=himself))


@router.command(
    "/listings/{listing}/voiding/legal",
    scopes("legal"),
    answer=VoidingOut,
    answers={events.ListingVoidingApproved: VoidingOut.approved},
)
async def approve_for_legal(
    listing: ListingId,
    himself: Himself,
    _: Legal,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Agree for legal; who proposed it does not."""
    return Order(listing, commands.ApproveVoiding(post="legal", himself=himself))


@router.command(
    "/listings/{listing}/voiding/finance",
    scopes("finance"),
    answer=VoidingOut,
    answers={events.ListingVoidingApproved: VoidingOut.approved},
)
async def approve_for_finance(
    listing: ListingId,
    himself: Himself,
    _: Finance,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Agree for finance."""
    return Order(listing, commands.ApproveVoiding(post="finance", himself=himself))
