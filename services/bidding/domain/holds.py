"""Money held for a bid: from the bid until the listing gives it back, in part or whole, or a loan captures it."""

from collections.abc import Sequence

from libs.events.bidding import FundsHeld, HoldCaptured, HoldReduced, HoldReleased
from libs.events.deciding import Refused
from libs.events.standing import OrderHoldDeclined
from services.bidding.commands import CaptureHold, PlaceBid, ReduceHold, ReleaseHold
from services.bidding.commands.standing import HoldForOrder
from services.bidding.domain.account_state import Hold, Open, evolve
from services.bidding.domain.booking import book
from services.bidding.domain.deceased import OWNER_DECEASED, has_died
from services.bidding.domain.ids import clearing_of
from services.bidding.domain.opening import BID_STEP_FEN


def hold(command: PlaceBid, state: Open) -> Sequence[FundsHeld]:
    """The bid's money is set aside. Refusals stand on PlaceBid."""
    if command.hold_id in state.holds:
        return []
    known = state.suitability
    return [
        FundsHeld(
            suitability_level=known.level if known else None,
            suitability_valid_to=known.valid_to if known else None,
            related=state.related,
            hold_id=command.hold_id,
            bid_id=command.bid_id,
            listing_id=command.listing_id,
            amount_fen=command.amount_fen,
            allow_partial=command.allow_partial,
            has_lent=state.has_lent,
            **book(state, available_fen=-command.amount_fen, held_fen=command.amount_fen),
        )
    ]


def hold_for_order(command: HoldForOrder, state: Open) -> Sequence[FundsHeld | OrderHoldDeclined]:
    """As much as the order asks for and its keep-back allows, in steps of bids. Declines stand on HoldForOrder."""
    if command.hold_id in state.holds:
        return []
    free_fen = state.available_fen - command.keep_back_fen
    amount_fen = command.most_fen if free_fen >= command.most_fen else free_fen - free_fen % BID_STEP_FEN
    if code := _why_none(command, state, amount_fen):
        return [
            OrderHoldDeclined(
                account_id=state.account_id,
                owner=state.owner,
                order_id=command.order_id,
                hold_id=command.hold_id,
                listing_id=command.listing_id,
                code=code,
            )
        ]
    known = state.suitability
    return [
        FundsHeld(
            suitability_level=known.level if known else None,
            suitability_valid_to=known.valid_to if known else None,
            related=state.related,
            hold_id=command.hold_id,
            bid_id=command.bid_id,
            listing_id=command.listing_id,
            amount_fen=amount_fen,
            allow_partial=True,
            has_lent=state.has_lent,
            standing_order=command.order_id,
            **book(state, available_fen=-amount_fen, held_fen=amount_fen),
        )
    ]


def _why_none(command: HoldForOrder, state: Open, amount_fen: int) -> str | None:
    """Why an account holds nothing for an order, None where it may hold this much."""
    if state.is_closed:
        return "account_closed"
    if has_died(state):
        return OWNER_DECEASED
    if command.borrower in state.related:
        return "related_party"
    least_fen = min(command.most_fen, command.bid_min_fen)
    if amount_fen >= least_fen:
        return None
    return "keeps_back" if state.available_fen >= least_fen else "insufficient_available"


def release(command: ReleaseHold, state: Open) -> Sequence[HoldReleased]:
    """All of it comes back."""
    held = state.holds.get(command.hold_id)
    if held is None:
        return []
    return [
        HoldReleased(
            hold_id=command.hold_id,
            bid_id=held.bid_id,
            listing_id=held.listing_id,
            amount_fen=held.amount_fen,
            reason=command.reason,
            **book(state, available_fen=held.amount_fen, held_fen=-held.amount_fen),
        )
    ]


def reduce(command: ReduceHold, state: Open) -> Sequence[HoldReduced]:
    """What the listing did not take comes back."""
    held = state.holds.get(command.hold_id)
    return [] if held is None else _reduced(state, command.hold_id, held, command.keep_fen)


def _reduced(state: Open, hold_id: str, held: Hold, keep_fen: int) -> list[HoldReduced]:
    rest_fen = held.amount_fen - keep_fen
    if rest_fen <= 0:
        return []
    return [
        HoldReduced(
            hold_id=hold_id,
            bid_id=held.bid_id,
            listing_id=held.listing_id,
            amount_fen=rest_fen,
            keeps_fen=keep_fen,
            **book(state, available_fen=rest_fen, held_fen=-rest_fen),
        )
    ]


def capture(command: CaptureHold, state: Open) -> Sequence[HoldReduced | HoldCaptured]:
    """The loan takes what the listing took. Refusals stand on CaptureHold."""
    held = state.holds.get(command.hold_id)
    if held is None:
        raise Refused("unknown_hold")
    taken_fen = held.amount_fen if command.amount_fen is None else min(command.amount_fen, held.amount_fen)
    reduced = _reduced(state, command.hold_id, held, taken_fen)
    for event in reduced:
        after = evolve(state, event)
        assert isinstance(after, Open), "a hold that is reduced leaves its account open"
        state = after
    captured = HoldCaptured(
        hold_id=command.hold_id,
        bid_id=held.bid_id,
        listing_id=held.listing_id,
        loan_id=command.loan_id,
        amount_fen=taken_fen,
        **book(state, held_fen=-taken_fen, against=clearing_of(command.loan_id)),
    )
    return [*reduced, captured]
