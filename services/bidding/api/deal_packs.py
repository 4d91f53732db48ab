"""Routes of deal packs: the lender's own, the work of each post, and one address for all steps.

The token's scope `papers` lets somebody knock; the step that he asks for says which post he must hold. Whether it is the step's
turn, and whether he has signed another, the log decides.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Query

from libs.events import deal_packs as events
from libs.events.searches import Sorting, Span
from libs.runtime.http import (
    DayField,
    Order,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import customer_behind, holds
from libs.runtime.http.problems import Problem
from services.bidding.api.pack_shapes import DealPackOut, DealPacksOut, DeliveryIn, PackDone, StepIn
from services.bidding.api.papers import Staff
from services.bidding.api.router import router
from services.bidding.commands import papers as commands

PackId = Annotated[str, id_path("pack")]
Packs = Annotated[ViewReader, Depends(view_reader("bidding.deal-packs"))]

#: Whose step it is (processes.md 1.A, 1.G.6). Who holds the legal representative's seal, the company's, and who sees to the
#: guarantor's is chosen: the general manager, administration, and the post that checks guarantees.
POSTS: Final[dict[events.PackStep, str]] = {
    "receipt": "accountant",
    "claim_list": "risk",
    "review": "legal",
    "seal_legal_representative": "general_manager",
    "seal_company": "admin",
    "seal_guarantor": "disbursement",
    "delivery": "customer_service",
}


async def _require_post(step: events.PackStep, staff: ViewReader, who: str) -> None:
    if not await holds(staff, who, POSTS[step]):
        raise Problem(403, "forbidden_post")


@router.read("/deal-packs", scopes("claim:own"), answer=DealPacksOut)
async def read_own_packs(packs: Packs, page: ThisPage, principal: ThisPrincipal) -> DealPacksOut:
    """The packs of the caller's claims, and how far they are."""
    found, following = await packs.page(page, where={"investor": principal.subject})
    return DealPacksOut(items=[DealPackOut.of(document) for document in found], next=following)


@router.read("/deal-packs/work", scopes("papers"), answer=DealPacksOut)
async def read_work(
    step: Annotated[events.PackStep, Query(description="The step that the packs wait for.")],
    packs: Packs,
    page: ThisPage,
    staff: Staff,
    principal: ThisPrincipal,
    due_until: Annotated[DayField | None, Query(description="Only what is due on or before a date.")] = None,
) -> DealPacksOut:
    """The packs that wait for a step, for the post that does it: what is due first comes first."""
    await _require_post(step, staff, principal.subject)
    where: dict[str, Any] = {"next_step": step}
    if due_until is not None:
        where["due_on"] = Span(None, due_until.isoformat())
    found, following = await packs.page(page, where=where, order=Sorting("due_on"))
    return DealPacksOut(items=[DealPackOut.of(document) for document in found], next=following)


@router.command(
    "/deal-packs/{pack}/delivery",
    scopes("claim:own"),
    answer=PackDone,
    answers={events.DeliveryChosen: PackDone.chosen},
)
async def choose_delivery(pack: PackId, body: DeliveryIn) -> Order:
    """Say how the caller wants the papers of his claim: by post or by e-mail. Other people's packs do not exist for him."""
    return Order(pack, commands.ChooseDelivery(channel=body.channel))


@router.command(
    "/deal-packs/{pack}/steps",
    scopes("papers"),
    answer=PackDone,
    answers={
        events.ReceiptConfirmed: PackDone.signed,
        events.ClaimListIssued: PackDone.signed,
        events.DealPackReviewed: PackDone.signed,
        events.DealPackSentBack: PackDone.signed,
        events.DealPackSealed: PackDone.signed,
        events.DealPackDelivered: PackDone.delivered,
    },
)
async def sign_step(pack: PackId, body: StepIn, staff: Staff, principal: ThisPrincipal) -> Order:
    """Do the pack's next step, by one's post; legal may send it back with a code. Who it is, the token says."""
    await _require_post(body.step, staff, principal.subject)
    return Order(pack, _command(body, await customer_behind(staff, principal.subject)))


def _command(body: StepIn, himself: str | None) -> Any:
    match body.step:
        case "receipt":
            return commands.ConfirmReceipt(himself=himself)
        case "claim_list":
            return commands.IssueClaimList(himself=himself)
        case "review":
            return commands.ReviewDealPack(sent_back=body.sent_back, himself=himself)
        case "seal_legal_representative":
            return commands.SealDealPack(seal="legal_representative", himself=himself)
        case "seal_company":
            return commands.SealDealPack(seal="company", himself=himself)
        case "seal_guarantor":
            return commands.SealDealPack(seal="guarantor", himself=himself)
        case "delivery":
            return commands.DeliverDealPack(himself=himself)
