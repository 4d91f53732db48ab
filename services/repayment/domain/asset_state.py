"""What the file of an asset remembers (F19): what was taken, when it is counted and sold by, who signed its sale."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.assets import (
    AssetAuctionFailed,
    AssetCounted,
    AssetCountMissed,
    AssetDisposalFailed,
    AssetDisposalOverdue,
    AssetDisposalProposed,
    AssetDisposalSigned,
    AssetDisposed,
    AssetSold,
    AssetTaken,
    DisposalManner,
    DisposalStep,
)
from libs.events.codec import record
from libs.events.in_kind import AssetShare
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference

#: Who signs a sale after its proposal, in this order (processes.md 1.P: asset keeper, finance, committee).
STEPS: tuple[DisposalStep, ...] = ("finance_supervisor", "general_manager")


@record
class Asset:
    """What never changes of it."""

    asset_id: str
    loan_id: str
    borrower_account: str
    remainder_to_debtor: bool
    shares: tuple[AssetShare, ...]
    dispose_by: date


@record
class Disposal:
    """A sale that is proposed, and who had to do with it; one that says no last day waits for its signatures for ever."""

    disposal_id: str
    manner: DisposalManner
    price_fen: PositiveFen
    reserve_fen: PositiveFen | None
    cost_fen: Count
    cost_account: str
    buyer_account: str
    paper: Reference
    reason: Code | None
    proposed_by: str
    sign_until: date | None = None
    signers: tuple[str, ...] = ()


@record
class NotTaken:
    """No such asset."""

    kind: Literal["not_taken"] = "not_taken"


@record
class Kept:
    """It is in the register; `disposal` waits for its signatures, or for the buyer's money once it has all. `ended` is the last sale that
    came to nothing."""

    kind: Literal["kept"] = "kept"
    asset: Asset
    count_due_on: date
    counts_missed: Count = 0
    counted: tuple[date, str] | None = None
    is_overdue: bool = False
    failed_auctions: tuple[Reference, ...] = ()
    disposal: Disposal | None = None
    ended: str = ""


@record
class Disposed:
    """It is sold and paid for."""

    kind: Literal["disposed"] = "disposed"
    asset_id: str
    disposal_id: str


def signs_until(state: Kept) -> date | None:
    """The last day on which its sale is signed, while that lacks a signature."""
    waits = state.disposal is not None and len(state.disposal.signers) < len(STEPS)
    return state.disposal.sign_until if state.disposal and waits else None


AssetState = NotTaken | Kept | Disposed
AssetEvent = (
    AssetTaken
    | AssetCounted
    | AssetCountMissed
    | AssetDisposalOverdue
    | AssetAuctionFailed
    | AssetDisposalProposed
    | AssetDisposalSigned
    | AssetSold
    | AssetDisposalFailed
    | AssetDisposed
)


def evolve(state: AssetState, event: AssetEvent) -> AssetState:
    """The state after one event."""
    if isinstance(event, AssetTaken):
        return _taken(event)
    assert isinstance(state, Kept), "only what is kept has a history"
    match event:
        case AssetCounted():
            return replace(state, count_due_on=event.next_due_on, counted=(event.counted_on, event.paper))
        case AssetCountMissed():
            return replace(state, count_due_on=event.next_due_on, counts_missed=event.missed)
        case AssetDisposalOverdue():
            return replace(state, is_overdue=True)
        case AssetAuctionFailed():
            return replace(state, failed_auctions=(*state.failed_auctions, event.report))
        case AssetDisposalProposed():
            return replace(state, disposal=_proposed(event))
        case AssetDisposalSigned():
            assert state.disposal is not None, "what is proposed is signed"
            signers = (*state.disposal.signers, event.signer)
            return replace(state, disposal=replace(state.disposal, signers=signers))
        case AssetSold():
            return state
        case AssetDisposalFailed():
            return replace(state, disposal=None, ended=event.disposal_id)
        case AssetDisposed():
            return Disposed(asset_id=event.asset_id, disposal_id=event.disposal_id)
        case _:
            assert_never(event)


def _taken(event: AssetTaken) -> Kept:
    asset = Asset(
        asset_id=event.asset_id,
        loan_id=event.loan_id,
        borrower_account=event.borrower_account,
        remainder_to_debtor=event.terms.remainder_to_debtor,
        shares=event.shares,
        dispose_by=event.dispose_by,
    )
    return Kept(asset=asset, count_due_on=event.count_due_on)


def _proposed(event: AssetDisposalProposed) -> Disposal:
    return Disposal(
        disposal_id=event.disposal_id,
        manner=event.manner,
        price_fen=event.price_fen,
        reserve_fen=event.reserve_fen,
        cost_fen=event.cost_fen,
        cost_account=event.cost_account,
        buyer_account=event.buyer_account,
        paper=event.paper,
        reason=event.reason,
        proposed_by=event.proposed_by,
        sign_until=event.sign_until,
    )
