"""Events of an asset taken in settlement 抵债资产 (its file F19): kept, counted, sold, and what its sale brings to whom.

An asset is a stream of its own (`ast_…`) of repayment; its buyer's money moves in bidding, through the asset's own clearing.
"""

from datetime import date
from typing import Literal

from libs.events.bank import Posting
from libs.events.codec import event, record
from libs.events.in_kind import AssetShare, SettlementInKind
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference

DisposalManner = Literal["auction", "agreement", "tender", "package"]
"""How it is sold: by public auction first; otherwise after one that failed, or for a reason."""

DisposalStep = Literal["finance_supervisor", "general_manager"]


@record
class ProceedsLine:
    """Who gets what of a sale: its cost, a holder (`line_id` is his claim), or the debtor. `principal_fen` is what the holder's share
    stood for of principal: it comes back by this line or is lost."""

    line_id: str
    part: Literal["cost", "holder", "debtor"]
    account_id: str
    amount_fen: Count
    principal_fen: Count = 0


@event("repayment.AssetTaken.v1")
class AssetTaken:
    """An asset is in the register: whose it is by `shares`, by when it must be sold (`dispose_by`) and counted next."""

    asset_id: str
    loan_id: str
    measure_id: str
    borrower: str
    borrower_account: str
    terms: SettlementInKind
    settled_fen: PositiveFen
    excess_fen: Count
    shares: tuple[AssetShare, ...]
    taken_on: date
    dispose_by: date
    count_due_on: date
    product: str = ""
    region: str = ""


@event("repayment.AssetCounted.v1")
class AssetCounted:
    """Somebody of the staff saw it, or not (`found`), and wrote a paper about it."""

    asset_id: str
    loan_id: str
    found: bool
    paper: Reference
    counted_by: str
    counted_on: date
    next_due_on: date


@event("repayment.AssetCountMissed.v1")
class AssetCountMissed:
    """Nobody counted it by the end of `due_on`: `missed` counts in all."""

    asset_id: str
    loan_id: str
    due_on: date
    next_due_on: date
    missed: PositiveFen


@event("repayment.AssetDisposalOverdue.v1")
class AssetDisposalOverdue:
    """It should have been sold by the end of `dispose_by`."""

    asset_id: str
    loan_id: str
    dispose_by: date


@event("repayment.AssetAuctionFailed.v1")
class AssetAuctionFailed:
    """A public auction brought no bid of `reserve_fen`: it may be sold otherwise."""

    asset_id: str
    loan_id: str
    reserve_fen: PositiveFen
    report: Reference
    recorded_by: str
    held_on: date


@event("repayment.AssetDisposalProposed.v1")
class AssetDisposalProposed:
    """Somebody proposes a sale; finance and the general manager sign it next, until the end of `sign_until`, or it comes to nothing.
    `cost_fen` of the price is `cost_account`'s (empty: no cost). `reason` says why there was no auction before."""

    asset_id: str
    loan_id: str
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
    proposed_on: date
    sign_until: date | None = None


@event("repayment.AssetDisposalSigned.v1")
class AssetDisposalSigned:
    """One post agreed; `next_step` is None after the last."""

    asset_id: str
    loan_id: str
    disposal_id: str
    step: DisposalStep
    signer: str
    signed_on: date
    next_step: DisposalStep | None


@event("repayment.AssetSold.v1")
class AssetSold:
    """All have signed: the buyer's account pays next, all of it or nothing."""

    asset_id: str
    loan_id: str
    disposal_id: str
    buyer_account: str
    price_fen: PositiveFen
    sold_on: date


@event("repayment.AssetDisposalFailed.v1")
class AssetDisposalFailed:
    """Nothing comes of a sale (`code`): somebody refused it (`refused_by`, else empty), or the buyer does not pay. The asset is kept."""

    asset_id: str
    loan_id: str
    disposal_id: str
    code: Code
    failed_on: date
    refused_by: str = ""


@event("repayment.AssetDisposed.v1")
class AssetDisposed:
    """The buyer paid: `lines` are the whole price, the cost first, then the holders at their shares, then the debtor where agreed.
    `loss_fen` of the shares is lost."""

    asset_id: str
    loan_id: str
    disposal_id: str
    price_fen: PositiveFen
    lines: tuple[ProceedsLine, ...]
    loss_fen: Count
    disposed_on: date


# --- bidding: the accounts -----------------------------------------------------------------------------------------


@event("bidding.AssetSaleDebited.v1")
class AssetSaleDebited:
    """The buyer's money is taken for an asset."""

    account_id: str
    owner: str
    asset_id: str
    loan_id: str
    disposal_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.AssetSaleDeclined.v1")
class AssetSaleDeclined:
    """Nothing was taken from the buyer's account: it has less than the price, is closed, or its owner has died (`code`)."""

    account_id: str
    owner: str
    asset_id: str
    loan_id: str
    disposal_id: str
    amount_fen: PositiveFen
    code: Code


@event("bidding.AssetProceedsCredited.v1")
class AssetProceedsCredited:
    """What an asset's sale brings to one account; a holder's principal in it has come back or is lost (`principal_fen`)."""

    account_id: str
    owner: str
    asset_id: str
    loan_id: str
    disposal_id: str
    line_id: str
    part: Literal["cost", "holder", "debtor"]
    amount_fen: Count
    principal_fen: Count
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
