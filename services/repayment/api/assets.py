"""Routes of assets taken in settlement: the register, its counts, failed auctions, and a sale that three people agree to.

They come into the register by a measure (`settlement_in_kind`). The token's scopes let somebody knock: keepers by theirs, who signs a sale
as one of the committee. The post that each step needs, the staff's register says; whose turn it is, the log decides.
"""

from typing import Annotated, Final

from fastapi import Depends, Query

from libs.events import assets as events
from libs.runtime.http import (
    Order,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import customer_behind, holds
from libs.runtime.http.problems import Problem
from services.repayment.api.asset_shapes import (
    AssetDone,
    AssetOut,
    AssetsOut,
    AssetStage,
    CountIn,
    DisposalIn,
    DisposalStepIn,
    FailedAuctionIn,
)
from services.repayment.api.routes import router
from services.repayment.commands import assets as commands

AssetId = Annotated[str, id_path("ast")]
DisposalId = Annotated[str, id_path("dsp")]
Assets = Annotated[ViewReader, Depends(view_reader("repayment.assets"))]
Staff = Annotated[ViewReader, Depends(view_reader("repayment.staff"))]

#: Who keeps assets: counts them, has them auctioned, proposes to whom they go (processes.md 1.P; which posts is chosen).
_KEEPERS: Final = ("collections_supervisor", "legal")
_READERS: Final = (*_KEEPERS, "risk", "finance_supervisor", "general_manager")


async def _require_post(staff: ViewReader, who: str, *roles: str) -> None:
    if not await holds(staff, who, *roles):
        raise Problem(403, "forbidden_post")


@router.read("/assets", scopes("measure", "collections_supervisor", "legal", "committee"), answer=AssetsOut)
async def read_assets(
    assets: Assets,
    page: ThisPage,
    staff: Staff,
    principal: ThisPrincipal,
    asset_stage: Annotated[
        AssetStage | None, Query(description="Only those that wait for this.", examples=["kept"])
    ] = None,
    overdue: Annotated[
        bool | None, Query(description="Only those that should have been sold, or not.", examples=[True])
    ] = None,
) -> AssetsOut:
    """The register of assets taken in settlement, with their deadlines."""
    await _require_post(staff, principal.subject, *_READERS)
    where = {
        **({} if asset_stage is None else {"stage": asset_stage}),
        **({} if overdue is None else {"is_overdue": overdue}),
    }
    found, following = await assets.page(page, where=where)
    return AssetsOut(items=[AssetOut.of(document) for document in found], next=following)


@router.command(
    "/assets/{asset}/counts",
    scopes("collections_supervisor", "legal"),
    answer=AssetDone,
    answers={events.AssetCounted: AssetDone.counted},
)
async def count_asset(asset: AssetId, body: CountIn, staff: Staff, principal: ThisPrincipal) -> Order:
    """Say that it was looked for, and whether it was there; due every quarter."""
    await _require_post(staff, principal.subject, *_KEEPERS)
    return Order(asset, commands.CountAsset(found=body.found, paper=body.paper))


@router.command(
    "/assets/{asset}/failed-auctions",
    scopes("collections_supervisor", "legal"),
    answer=AssetDone,
    answers={events.AssetAuctionFailed: AssetDone.not_sold},
)
async def record_failed_auction(
    asset: AssetId, body: FailedAuctionIn, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Record a public auction that brought no bid of its reserve price."""
    await _require_post(staff, principal.subject, *_KEEPERS)
    return Order(asset, commands.RecordFailedAuction(reserve_fen=body.reserve_fen, report=body.report))


@router.command(
    "/assets/{asset}/disposals",
    scopes("collections_supervisor", "legal"),
    answer=AssetDone,
    answers={events.AssetDisposalProposed: AssetDone.proposed},
)
async def propose_disposal(
    asset: AssetId, body: DisposalIn, call: ThisCall, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Propose a sale: public auction first, else after one that failed or for a reason."""
    await _require_post(staff, principal.subject, *_KEEPERS)
    himself = await customer_behind(staff, principal.subject)
    terms = {**dict(body), "cost_account": body.cost_account or "", "himself": himself}
    return Order(asset, commands.ProposeDisposal(disposal_id=call.mint("dsp"), **terms))


@router.command(
    "/assets/{asset}/disposals/{disposal}/steps",
    scopes("committee"),
    answer=AssetDone,
    answers={
        events.AssetDisposalSigned: AssetDone.signed,
        events.AssetDisposalFailed: AssetDone.failed,
    },
)
async def sign_disposal(
    asset: AssetId, disposal: DisposalId, body: DisposalStepIn, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Agree to a sale by one's post, or refuse it with a code; after the last its buyer's account pays."""
    await _require_post(staff, principal.subject, body.step)
    signer = await staff.find(principal.subject)
    himself = None if signer is None else signer.get("user_id")
    command = commands.SignDisposal(
        disposal_id=disposal, step=body.step, refused=body.refused, himself=himself
    )
    return Order(asset, command)
