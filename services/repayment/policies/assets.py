"""From a debt that was settled in kind to the register of assets, and from a sale that was signed to one that was paid."""

from libs.events.assets import (
    AssetDisposalFailed,
    AssetDisposed,
    AssetSaleDebited,
    AssetSaleDeclined,
    AssetSold,
    AssetTaken,
)
from libs.events.in_kind import DebtSettledInKind
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.repayment.commands.assets import DeclineDisposal, RecordDisposal, TakeAsset

#: Bidding's command whose refusal means that the buyer has no account that could pay.
_DEBIT = "bidding.DebitAssetSale"


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The buyer's account answers."""
    match event.data:
        case AssetSaleDebited() as paid:
            return [Send("asset-sale", paid.asset_id, RecordDisposal(disposal_id=paid.disposal_id))]
        case AssetSaleDeclined() as declined:
            return [_decline(declined.asset_id, declined.disposal_id, declined.code)]
        case CommandRefused() as refused if refused.command_type == _DEBIT and refused.about:
            return [_decline(refused.about["asset_id"], refused.about["disposal_id"], refused.code)]
        case _:
            return []


def on_repayment(event: RecordedEvent) -> list[Send]:
    """What a loan was settled by is kept."""
    match event.data:
        case DebtSettledInKind() as settled:
            take = TakeAsset(
                asset_id=settled.asset_id,
                loan_id=settled.loan_id,
                measure_id=settled.measure_id,
                borrower=settled.borrower,
                borrower_account=settled.borrower_account,
                terms=settled.terms,
                settled_fen=settled.settled_fen,
                excess_fen=settled.excess_fen,
                shares=settled.shares,
                taken_on=settled.settled_on,
                product=settled.product,
                region=settled.region,
            )
            return [Send("take-asset", settled.asset_id, take)]
        case _:
            return []


def _decline(asset_id: str, disposal_id: str, code: str) -> Send:
    return Send("asset-sale", asset_id, DeclineDisposal(disposal_id=disposal_id, code=code))


SAGAS = (
    Saga(
        name="take asset",
        why="What took the place of a debt is in the register, so that it is counted and sold in time.",
        opened_by={DebtSettledInKind: lambda settled: settled.asset_id},
        closed_by={AssetTaken: lambda taken: taken.asset_id},
        steps=(Step(on=DebtSettledInKind, send=TakeAsset),),
    ),
    Saga(
        name="dispose of asset",
        why="A sale that all have signed is paid, or it comes to nothing and the asset is kept.",
        opened_by={AssetSold: lambda sold: sold.disposal_id},
        closed_by={
            AssetDisposed: lambda disposed: disposed.disposal_id,
            AssetDisposalFailed: lambda failed: failed.disposal_id,
        },
        steps=(
            Step(on=AssetSaleDebited, send=RecordDisposal),
            Step(on=AssetSaleDeclined, send=DeclineDisposal),
            Step(on=CommandRefused, send=DeclineDisposal),
        ),
    ),
)
