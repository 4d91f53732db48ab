"""A claim's price on its way: held of the buyer's money, captured when the claim is his, credited to the seller less the fee."""

from collections.abc import Sequence

from libs.events.deciding import Refused
from libs.events.market import PurchaseCaptured, PurchaseHeld, PurchaseReleased, SaleCredited
from services.bidding.commands.market import CapturePurchase, CreditSale, ReleasePurchase, TakeOffer
from services.bidding.domain.account_state import Open, Purchase
from services.bidding.domain.booking import book
from services.bidding.domain.ids import clearing_of_offer


def hold(command: TakeOffer, state: Open) -> Sequence[PurchaseHeld]:
    """The most that the offer can cost is set aside. Refusals stand on TakeOffer."""
    if _held(state, command.hold_id):
        return []
    known = state.suitability
    return [
        PurchaseHeld(
            hold_id=command.hold_id,
            offer_id=command.offer_id,
            amount_fen=command.maximum_fen,
            suitability_level=known.level if known else None,
            suitability_valid_to=known.valid_to if known else None,
            related=state.related,
            **book(state, available_fen=-command.maximum_fen, held_fen=command.maximum_fen),
        )
    ]


def release(command: ReleasePurchase, state: Open) -> Sequence[PurchaseReleased]:
    """All of it comes back."""
    held = _held(state, command.hold_id)
    if held is None:
        return []
    return [
        PurchaseReleased(
            hold_id=held.hold_id,
            offer_id=held.offer_id,
            amount_fen=held.amount_fen,
            reason=command.reason,
            **book(state, available_fen=held.amount_fen, held_fen=-held.amount_fen),
        )
    ]


def capture(command: CapturePurchase, state: Open) -> Sequence[PurchaseCaptured]:
    """The buyer pays what the loan fixed, which is never more than he holds; the rest is his again."""
    held = _held(state, command.hold_id)
    if held is None:
        raise Refused("unknown_hold")
    amount_fen = command.sale.price_fen + command.sale.interest_fen
    rest_fen = held.amount_fen - amount_fen
    return [
        PurchaseCaptured(
            hold_id=held.hold_id,
            offer_id=held.offer_id,
            loan_id=command.loan_id,
            seller=command.seller,
            seller_account=command.seller_account,
            sale=command.sale,
            amount_fen=amount_fen,
            released_fen=rest_fen,
            **book(
                state,
                available_fen=rest_fen,
                held_fen=-held.amount_fen,
                against=clearing_of_offer(held.offer_id),
            ),
        )
    ]


def credit_sale(command: CreditSale, state: Open) -> Sequence[SaleCredited]:
    """The seller has his money, less the fee. Refusals stand on CreditSale."""
    sale = command.sale
    amount_fen = sale.price_fen + sale.interest_fen - sale.fee_fen
    if amount_fen <= 0:
        raise Refused("invalid_fee")
    return [
        SaleCredited(
            offer_id=command.offer_id,
            loan_id=command.loan_id,
            sale=sale,
            amount_fen=amount_fen,
            **book(state, available_fen=amount_fen, against=clearing_of_offer(command.offer_id)),
        )
    ]


def _held(state: Open, hold_id: str) -> Purchase | None:
    return next((held for held in state.purchases if held.hold_id == hold_id), None)
