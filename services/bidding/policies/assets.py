"""An asset that is sold asks its buyer's account, and what he paid goes on by the lines that the asset says."""

from libs.events.assets import (
    AssetDisposed,
    AssetProceedsCredited,
    AssetSaleDebited,
    AssetSaleDeclined,
    AssetSold,
)
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.bidding.commands.assets import CreditAssetProceeds, DebitAssetSale


def on_repayment(event: RecordedEvent) -> list[Send]:
    """The asset decides who pays and who gets what."""
    match event.data:
        case AssetSold() as sold:
            debit = DebitAssetSale(
                asset_id=sold.asset_id,
                loan_id=sold.loan_id,
                disposal_id=sold.disposal_id,
                amount_fen=sold.price_fen,
            )
            about = {"asset_id": sold.asset_id, "disposal_id": sold.disposal_id}
            return [Send("asset-sale", sold.buyer_account, debit, about)]
        case AssetDisposed() as disposed:
            return [
                Send(
                    f"asset-proceeds:{line.line_id}",
                    line.account_id,
                    CreditAssetProceeds(
                        asset_id=disposed.asset_id,
                        loan_id=disposed.loan_id,
                        disposal_id=disposed.disposal_id,
                        line=line,
                    ),
                )
                for line in disposed.lines
            ]
        case _:
            return []


SAGAS = (
    Saga(
        name="asset sale",
        why="The price of an asset is taken from its buyer's account whole, or not at all.",
        opened_by={AssetSold: lambda sold: f"debit {sold.disposal_id}"},
        closed_by={
            AssetSaleDebited: lambda debited: f"debit {debited.disposal_id}",
            AssetSaleDeclined: lambda declined: f"debit {declined.disposal_id}",
            CommandRefused: lambda refused: (
                (f"debit {refused.about['disposal_id']}",) if "disposal_id" in refused.about else ()
            ),
        },
        steps=(Step(on=AssetSold, send=DebitAssetSale, declined_by=(AssetSaleDeclined, CommandRefused)),),
        expected_refusals=(DebitAssetSale,),
    ),
    Saga(
        name="asset proceeds",
        why="What an asset's buyer paid reaches all who have a share in it, to the fen.",
        opened_by={
            AssetDisposed: lambda disposed: tuple(
                f"{disposed.disposal_id}/{line.line_id}" for line in disposed.lines
            )
        },
        closed_by={AssetProceedsCredited: lambda credited: f"{credited.disposal_id}/{credited.line_id}"},
        steps=(Step(on=AssetDisposed, send=CreditAssetProceeds),),
    ),
)
