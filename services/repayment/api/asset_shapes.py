"""Bodies of the requests and answers about assets taken in settlement: their file, counts, auctions and sales."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from libs.events import assets, in_kind
from libs.runtime.http import Answer, PositiveFenField, Shape, id_field
from services.repayment.api.measure_shapes import ReferenceField

_CODE = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"

AssetStage = Literal["kept", "finance_supervisor", "general_manager", "payment", "disposed"]


class CountIn(Shape):
    """Whether it was found, and the paper about it."""

    found: Annotated[bool, Field(strict=True)]
    paper: ReferenceField


class FailedAuctionIn(Shape):
    """A public auction with this reserve brought nothing; its report."""

    reserve_fen: PositiveFenField
    report: ReferenceField


class DisposalIn(Shape):
    """A sale: how, to whom, for how much; an auction has a reserve price. `cost_fen` of the price goes to `cost_account`. Without an
    auction that failed before, any other manner needs a reason."""

    manner: assets.DisposalManner
    price_fen: PositiveFenField
    buyer_account: Annotated[str, id_field("acc")]
    paper: ReferenceField
    reserve_fen: PositiveFenField | None = None
    cost_fen: Annotated[int, Field(strict=True, ge=0, le=2**53 - 1, examples=[0])] = 0
    cost_account: Annotated[str, id_field("acc")] | None = None
    reason: Annotated[str | None, Field(pattern=_CODE, examples=["perishable"])] = None


class DisposalStepIn(Shape):
    """A step of a sale; `refused` is a reason, a code, which ends it."""

    step: assets.DisposalStep
    refused: Annotated[str | None, Field(pattern=_CODE, examples=["price_too_low"])] = None


class AssetDone(Answer):
    """What was asked for is done; `stage` is what the asset waits for now."""

    stage: str

    @staticmethod
    def counted(event: assets.AssetCounted) -> "AssetDone":
        """It is kept."""
        return AssetDone(id=event.asset_id, stage="kept")

    @staticmethod
    def not_sold(event: assets.AssetAuctionFailed) -> "AssetDone":
        """It may be sold otherwise."""
        return AssetDone(id=event.asset_id, stage="kept")

    @staticmethod
    def proposed(event: assets.AssetDisposalProposed) -> "AssetDone":
        """Finance signs next; the sale has an id of its own."""
        return AssetDone(id=event.disposal_id, stage="finance_supervisor")

    @staticmethod
    def signed(event: assets.AssetDisposalSigned) -> "AssetDone":
        """On to the next post, or to the buyer."""
        return AssetDone(id=event.disposal_id, stage=event.next_step or "payment")

    @staticmethod
    def failed(event: assets.AssetDisposalFailed) -> "AssetDone":
        """It stays where it is."""
        return AssetDone(id=event.disposal_id, stage="kept")


class AssetOut(BaseModel):
    """The file of an asset: what it is, what it stands for, by when it is counted and sold, its sale and what that brought to whom
    (`proceeds`: `cost`, each holder's claim, `debtor`). Amounts are in fen."""

    asset_id: str
    loan_id: str
    measure_id: str
    asset: in_kind.AssetKind
    terms: dict[str, Any]
    settled_fen: int
    excess_fen: int
    taken_on: date
    dispose_by: date
    count_due_on: date
    counts_missed: int
    is_overdue: bool
    counts: dict[str, Any]
    failed_auctions: dict[str, int]
    stage: AssetStage
    disposal: dict[str, Any] | None
    code: str | None
    sold_on: date | None
    disposed_on: date | None
    price_fen: int | None
    loss_fen: int | None
    proceeds: dict[str, int]

    @staticmethod
    def of(document: Mapping[str, Any]) -> "AssetOut":
        """From a document of repayment.assets."""
        maps: dict[str, Any] = {"counts": {}, "failed_auctions": {}, "proceeds": {}}
        names = AssetOut.model_fields
        return AssetOut(**{name: document.get(name, maps.get(name)) for name in names})


class AssetsOut(BaseModel):
    """A page of assets."""

    items: list[AssetOut]
    next: str | None
