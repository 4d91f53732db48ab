"""Routes of emergency redemptions: the lender's form and list, the work of each post with its clock, and one address for all steps.

The token's scope `redemption` lets somebody knock; the step that he asks for says which post he must hold. Whether it is the step's
turn, and whether he has signed another, the log decides. Who he is as a customer, the staff's register says.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request

from libs.events import redemption as events
from libs.runtime.http import (
    Order,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    edge_of,
    id_path,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import customer_behind, holds
from libs.runtime.http.problems import Problem
from services.bidding.api.papers import Staff
from services.bidding.api.redemption_shapes import (
    RedemptionDone,
    RedemptionFiguresOut,
    RedemptionIn,
    RedemptionOut,
    RedemptionsOut,
    SignatureIn,
)
from services.bidding.api.router import router
from services.bidding.commands import redemption as commands
from services.bidding.domain.profile import Profile, profile_named
from services.bidding.projections.redemptions import CLOCK, month_of

RedemptionId = Annotated[str, id_path("rdm")]
Redemptions = Annotated[ViewReader, Depends(view_reader("bidding.redemptions"))]

#: Whose step it is (processes.md 1.J): each approval is named by its post, the cashier releases.
CASHIER: Final = "cashier"


def _profile(request: Request) -> Profile:
    return profile_named(edge_of(request).settings.profile)


ThisProfile = Annotated[Profile, Depends(_profile)]


async def _require_post(step: events.RedemptionStep, staff: ViewReader, who: str) -> None:
    if not await holds(staff, who, CASHIER if step == "release" else step):
        raise Problem(403, "forbidden_post")


async def _today(redemptions: ViewReader) -> date | None:
    clock = await redemptions.find(CLOCK)
    return None if clock is None else date.fromisoformat(clock["business_date"])


@router.command(
    "/redemptions",
    scopes("claim:own"),
    answer=RedemptionDone,
    answers={events.RedemptionAsked: RedemptionDone.asked},
)
async def ask_redemption(body: RedemptionIn, call: ThisCall) -> Order:
    """Ask for an emergency redemption, after one's own offer stayed unsold. Whether it did, the offer says next."""
    redemption_id = call.mint("rdm")
    return Order(redemption_id, commands.AskRedemption(redemption_id=redemption_id, **dict(body)))


@router.read("/redemptions", scopes("claim:own"), answer=RedemptionsOut)
async def read_own_redemptions(
    redemptions: Redemptions, page: ThisPage, principal: ThisPrincipal, profile: ThisProfile
) -> RedemptionsOut:
    """The caller's own redemptions, how far they are and how many working days are left."""
    found, following = await redemptions.page(page, where={"investor": principal.subject})
    today = await _today(redemptions)
    return RedemptionsOut(
        items=[RedemptionOut.of(document, today, profile) for document in found], next=following
    )


@router.read("/redemptions/work", scopes("redemption"), answer=RedemptionsOut)
async def read_redemption_work(
    waits_for: Annotated[events.RedemptionStep, Query(description="The step that the redemptions wait for.")],
    redemptions: Redemptions,
    page: ThisPage,
    staff: Staff,
    principal: ThisPrincipal,
    profile: ThisProfile,
) -> RedemptionsOut:
    """The redemptions that wait for a step, for the post that does it, with the working days that are left."""
    await _require_post(waits_for, staff, principal.subject)
    found, following = await redemptions.page(page, where={"stage": waits_for})
    today = await _today(redemptions)
    return RedemptionsOut(
        items=[RedemptionOut.of(document, today, profile) for document in found], next=following
    )


@router.read("/redemptions/figures/{month}", scopes("operator"), answer=RedemptionFiguresOut)
async def read_redemption_figures(
    month: Annotated[
        str, Path(pattern="^[0-9]{4}-[0-9]{2}$", description="As in 2024-03.", examples=["2024-03"])
    ],
    redemptions: Redemptions,
) -> RedemptionFiguresOut:
    """What a month asked and got: redemptions asked for, sold, their money and the working days they took."""
    return RedemptionFiguresOut.of(month, await redemptions.find(month_of(month)))


@router.command(
    "/redemptions/{redemption}/steps",
    scopes("redemption"),
    answer=RedemptionDone,
    answers={
        events.RedemptionApproved: RedemptionDone.approved,
        events.RedemptionRefused: RedemptionDone.refused,
        events.RedemptionReleaseRefused: RedemptionDone.refused,
        events.RedemptionReleased: RedemptionDone.released,
    },
)
async def sign_redemption(
    redemption: RedemptionId, body: SignatureIn, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Do the redemption's next step, by one's post; each of the five may refuse it with a code, which ends it. Who it is, the token says."""
    await _require_post(body.step, staff, principal.subject)
    himself = await customer_behind(staff, principal.subject)
    if body.step == "release":
        return Order(redemption, commands.ReleaseRedemption(refused=body.refused, himself=himself))
    return Order(redemption, commands.SignRedemption(step=body.step, refused=body.refused, himself=himself))
