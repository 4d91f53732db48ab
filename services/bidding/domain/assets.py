"""Accounts and an asset's sale: the buyer pays all of it or nothing, out of his own money, and every fen goes on to who has a share.

In the asset's clearing the money stands before anybody is credited, so it is never negative, and it ends at nothing.
"""

from collections.abc import Sequence

from libs.events.assets import AssetProceedsCredited, AssetSaleDebited, AssetSaleDeclined
from services.bidding.commands.assets import CreditAssetProceeds, DebitAssetSale
from services.bidding.domain.account_state import Open
from services.bidding.domain.booking import book
from services.bidding.domain.dealings import Dealings
from services.bidding.domain.deceased import OWNER_DECEASED, has_died
from services.bidding.domain.ids import clearing_of_asset


def debit(command: DebitAssetSale, state: Open) -> Sequence[AssetSaleDebited | AssetSaleDeclined]:
    """The price is taken, or the answer is why not."""
    if state.loans.get(command.asset_id, Dealings()).payment_id == command.disposal_id:
        return []
    if code := _why_not(command, state):
        return [
            AssetSaleDeclined(
                account_id=state.account_id,
                owner=state.owner,
                asset_id=command.asset_id,
                loan_id=command.loan_id,
                disposal_id=command.disposal_id,
                amount_fen=command.amount_fen,
                code=code,
            )
        ]
    return [
        AssetSaleDebited(
            asset_id=command.asset_id,
            loan_id=command.loan_id,
            disposal_id=command.disposal_id,
            amount_fen=command.amount_fen,
            **book(state, available_fen=-command.amount_fen, against=clearing_of_asset(command.asset_id)),
        )
    ]


def _why_not(command: DebitAssetSale, state: Open) -> str | None:
    if state.is_closed:
        return "account_closed"
    if has_died(state):
        return OWNER_DECEASED
    return "insufficient_available" if state.available_fen < command.amount_fen else None


def credit(command: CreditAssetProceeds, state: Open) -> Sequence[AssetProceedsCredited]:
    """What the sale brings to this account; of a holder's line also that his principal has ended, where it brings nothing."""
    line = command.line
    return [
        AssetProceedsCredited(
            asset_id=command.asset_id,
            loan_id=command.loan_id,
            disposal_id=command.disposal_id,
            line_id=line.line_id,
            part=line.part,
            amount_fen=line.amount_fen,
            principal_fen=line.principal_fen,
            **book(state, available_fen=line.amount_fen, against=clearing_of_asset(command.asset_id)),
        )
    ]
