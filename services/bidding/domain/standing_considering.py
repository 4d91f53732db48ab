"""Whose turn it is: one look at the queue for the listing that is served, and why an order does not take part."""

from datetime import date
from typing import Final

from libs.events.standing import OrderAsked, OrdersConsidered, OrdersPassed
from services.bidding.domain.opening import BID_STEP_FEN
from services.bidding.domain.standing_lines import StandingOrder, behind
from services.bidding.domain.standing_state import Considering, Queue, Target

#: Orders looked at, and asked, by one decision (chosen): its record stays far below what the log takes.
LOOK_MAX: Final = 1_000
ASK_MAX: Final = 50


def consider(
    state: Queue, stage: Considering, investor_cap_fen: int | None, wait_until: date
) -> OrdersConsidered | None:
    """Look at the next orders until enough are asked to fill the listing, or as many as one decision may: these also where none of
    those before held anything, so that a front without money is passed in a few looks. Whose account has let an earlier listing wait
    in vain rests until it answers *(chosen)*: a dead account delays one listing. None where no order is left.
    `investor_cap_fen` is the most that one investor may have in one listing.
    """
    target = stage.target
    left_fen, to_turn, looked, more = target.remaining_fen, stage.after_turn, 0, False
    asked: list[OrderAsked] = []
    passed: dict[str, list[str]] = {}
    silent = {each.order_id for each in state.unanswered if each.is_silent}
    for order in behind(state.orders, stage.after_turn):
        if order.turn > stage.last_turn:
            break
        is_enough = left_fen == 0 and not stage.in_full
        if is_enough or looked == LOOK_MAX or len(asked) == ASK_MAX:
            more = True
            break
        looked, to_turn = looked + 1, order.turn
        code = why_not(order, target) or ("account_silent" if order.order_id in silent else None)
        most_fen = _most_fen(order, target.remaining_fen, investor_cap_fen)
        if code is None and most_fen < min(target.remaining_fen, target.bid_min_fen):
            code = _why_too_small(order, target)
        if code is not None:
            passed.setdefault(code, []).append(order.order_id)
            continue
        asked.append(_ask(order, most_fen, number=state.asks + len(asked) + 1))
        left_fen = max(0, left_fen - most_fen)
    if looked == 0:
        return None
    return OrdersConsidered(
        listing_id=target.listing_id,
        chunk=stage.chunk,
        after_turn=stage.after_turn,
        to_turn=to_turn,
        last_turn=stage.last_turn,
        more=more,
        remaining_fen=target.remaining_fen,
        borrower=target.borrower,
        bid_min_fen=target.bid_min_fen,
        asked=tuple(asked),
        passed=tuple(OrdersPassed(code=code, order_ids=tuple(ids)) for code, ids in passed.items()),
        wait_until=wait_until if asked else None,
    )


def why_not(order: StandingOrder, target: Target) -> str | None:
    """The code of the first reason for which an order does not take part in a listing, None where it fits. What only an account
    knows (suitability, relations, money) is answered there and by the listing.
    """
    if order.is_paused:
        return "order_paused"
    if order.owner == target.borrower:
        return "own_loan"
    if order.owner in target.related:
        return "related_party"
    terms = order.terms
    if target.grade not in terms.grades:
        return "grade_not_wanted"
    if target.annual_rate < terms.annual_rate_min:
        return "rate_too_low"
    if target.tenor_months > terms.tenor_months_max:
        return "term_too_long"
    return None


def _most_fen(order: StandingOrder, remaining_fen: int, investor_cap_fen: int | None) -> int:
    """The most that an order may bid: all that the listing lacks, or whole steps of bids. Those before him may have less money
    than they may bid, so nothing is taken off for them: the listing takes in the turns' order what it lacks, and gives the rest back.
    """
    limits = [remaining_fen, order.terms.loan_max_fen]
    if investor_cap_fen is not None:
        limits.append(investor_cap_fen)
    if order.terms.total_max_fen is not None:
        limits.append(max(0, order.terms.total_max_fen - order.spent_fen))
    most_fen = min(limits)
    return most_fen if most_fen == remaining_fen else most_fen - most_fen % BID_STEP_FEN


def _why_too_small(order: StandingOrder, target: Target) -> str:
    """Why the most that an order may bid is less than the listing takes: its cap per loan, or what its total cap leaves."""
    return "loan_max_too_small" if order.terms.loan_max_fen < target.bid_min_fen else "total_max_reached"


def _ask(order: StandingOrder, most_fen: int, *, number: int) -> OrderAsked:
    return OrderAsked(
        order_id=order.order_id,
        owner=order.owner,
        account_id=order.account_id,
        version=order.version,
        turn=order.turn,
        most_fen=most_fen,
        keep_back_fen=order.terms.keep_back_fen,
        hold_id=f"hold_auto{number}",
        bid_id=f"bid_auto{number}",
    )
