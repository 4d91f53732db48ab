"""What the queue of standing orders remembers: the orders in the order of service, and how far the listing that is served has come.

One listing is served at a time, the others wait in the order in which they opened: who spends on one has his new place before the
next begins, and what an order has left is one number.
"""

from dataclasses import replace
from datetime import date
from typing import Final, Literal, assert_never

from libs.events.codec import record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.standing import (
    AutoInvestEnded,
    AutoInvestQueued,
    HeldBid,
    OrderAnsweredLate,
    OrderDropped,
    OrderHeld,
    OrdersBid,
    OrdersConsidered,
    OrdersServed,
    OrdersSpentReturned,
    StandingOrderChanged,
    StandingOrderEnded,
    StandingOrderOpened,
    StandingOrderPaused,
    StandingOrderResumed,
)
from services.bidding.domain.deceased import OWNER_DECEASED
from services.bidding.domain.standing_lines import (
    NONE,
    Lines,
    StandingOrder,
    order_with,
    with_changed,
    with_order,
    without,
)

#: Why an order could not pay for a listing that it was asked for: after so many of them in a row it is paused.
COULD_NOT_PAY: Final = (
    "insufficient_available",
    "keeps_back",
    "unknown_account",
    "account_closed",
    OWNER_DECEASED,
)


#: Why an order takes no part whose account did not answer in its time.
SILENT: Final = "no_answer"


@record
class Target:
    """A listing as its service sees it: what must fit an order, and what it lacks (`remaining_fen`)."""

    listing_id: str
    borrower: str
    related: tuple[str, ...]
    annual_rate: AnnualRate
    tenor_months: Count
    grade: str
    bid_min_fen: PositiveFen
    remaining_fen: Count


@record
class Idle:
    """No listing is served."""

    kind: Literal["idle"] = "idle"


@record
class Considering:
    """Orders with turns above `after_turn` up to `last_turn` are looked at next; `in_full`: as many are asked as one decision may, because
    none of those before held anything."""

    kind: Literal["considering"] = "considering"
    target: Target
    after_turn: Count
    last_turn: Count
    chunk: Count
    in_full: bool = False


@record
class Gathering:
    """The accounts of the orders `missing` have not answered yet, and are awaited until the end of `wait_until`; `held` are those that
    hold money. Both in their turns' order. `asked` has the hold that each was asked for."""

    kind: Literal["gathering"] = "gathering"
    target: Target
    after_turn: Count
    last_turn: Count
    chunk: Count
    asked: dict[str, str]
    missing: tuple[str, ...]
    held: tuple[HeldBid, ...]
    wait_until: date | None = None


@record
class Bidding:
    """The bids are with the listing."""

    kind: Literal["bidding"] = "bidding"
    target: Target
    after_turn: Count
    last_turn: Count
    chunk: Count
    bids: tuple[HeldBid, ...]


@record
class Unanswered:
    """A hold that an account was asked for, and that nobody waits for any more. `is_silent`: its time to answer was over, so its order
    is not asked before it has answered."""

    listing_id: str
    order_id: str
    hold_id: str
    is_silent: bool = False


@record
class Queue:
    """All orders, and the listings that wait behind the one that is served. `turns` and `asks` count what was ever given out."""

    kind: Literal["queue"] = "queue"
    orders: Lines = NONE
    turns: Count = 0
    asks: Count = 0
    waiting: tuple[Target, ...] = ()
    stage: Idle | Considering | Gathering | Bidding = Idle()
    unanswered: tuple[Unanswered, ...] = ()


_OrderEvent = (
    StandingOrderOpened
    | StandingOrderChanged
    | StandingOrderPaused
    | StandingOrderResumed
    | StandingOrderEnded
    | OrdersSpentReturned
)
_ServiceEvent = (
    AutoInvestQueued
    | OrdersConsidered
    | OrderHeld
    | OrderDropped
    | OrdersBid
    | OrdersServed
    | AutoInvestEnded
)
QueueEvent = _OrderEvent | _ServiceEvent | OrderAnsweredLate


def evolve(state: Queue, event: QueueEvent) -> Queue:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case StandingOrderOpened():
            order = StandingOrder(
                order_id=event.order_id,
                owner=event.owner,
                turn=event.turn,
                version=1,
                is_paused=False,
                terms=event.terms,
                spent_fen=0,
            )
            return replace(state, orders=with_order(state.orders, order), turns=event.turn)
        case StandingOrderEnded():
            return replace(state, orders=without(state.orders, event.order_id))
        case StandingOrderChanged() | StandingOrderPaused() | StandingOrderResumed():
            return replace(state, orders=with_changed(state.orders, _changed(state, event)))
        case OrdersSpentReturned():
            return replace(state, orders=_with_returned(state.orders, event))
        case AutoInvestQueued():
            return _queued(state, event)
        case OrderAnsweredLate():
            key = (event.listing_id, event.order_id)
            left = tuple(each for each in state.unanswered if (each.listing_id, each.order_id) != key)
            return replace(state, unanswered=left)
        case _:
            return _served(state, event)


def _changed(
    state: Queue,
    event: StandingOrderChanged | StandingOrderPaused | StandingOrderResumed,
) -> StandingOrder:
    order = order_with(state.orders, event.order_id)
    assert order is not None, "only an order that stands changes"
    match event:
        case StandingOrderChanged():
            return replace(order, version=event.version, terms=event.terms, misses=0)
        case StandingOrderPaused():
            return replace(order, is_paused=True)
        case StandingOrderResumed():
            return replace(order, is_paused=False, misses=0)
        case _:
            assert_never(event)


def _with_returned(orders: Lines, event: OrdersSpentReturned) -> Lines:
    for returned in event.returned:
        order = order_with(orders, returned.order_id)
        assert order is not None, "only to an order that stands anything comes back"
        orders = with_changed(orders, replace(order, spent_fen=returned.spent_after_fen))
    return orders


def _queued(state: Queue, event: AutoInvestQueued) -> Queue:
    target = Target(
        listing_id=event.listing_id,
        borrower=event.borrower,
        related=event.related,
        annual_rate=event.annual_rate,
        tenor_months=event.tenor_months,
        grade=event.grade,
        bid_min_fen=event.bid_min_fen,
        remaining_fen=event.amount_fen,
    )
    return _next(replace(state, waiting=(*state.waiting, target)))


def _next(state: Queue) -> Queue:
    """Whoever waits first is served, if nobody is."""
    if not isinstance(state.stage, Idle) or not state.waiting:
        return state
    target, *others = state.waiting
    stage = Considering(target=target, after_turn=0, last_turn=state.turns, chunk=1)
    return replace(state, waiting=tuple(others), stage=stage)


def _served(
    state: Queue,
    event: OrdersConsidered | OrderHeld | OrderDropped | OrdersBid | OrdersServed | AutoInvestEnded,
) -> Queue:
    stage = state.stage
    match event:
        case OrdersConsidered():
            assert isinstance(stage, Considering), "orders are looked at in their turn"
            return _considered(state, stage, event)
        case OrderHeld() | OrderDropped():
            assert isinstance(stage, Gathering), "only who was asked answers"
            if isinstance(event, OrderDropped):
                state = _dropped(state, stage, event)
            return replace(state, stage=_gathered(stage, event))
        case OrdersBid():
            assert isinstance(stage, Gathering), "bids go out when all have answered"
            bidding = Bidding(
                target=stage.target,
                after_turn=stage.after_turn,
                last_turn=stage.last_turn,
                chunk=stage.chunk,
                bids=event.bids,
            )
            return replace(state, stage=bidding)
        case OrdersServed():
            assert isinstance(stage, Bidding), "only a listing that was bid on answers"
            return _spent(state, stage, event)
        case AutoInvestEnded():
            if isinstance(stage, Idle) or stage.target.listing_id != event.listing_id:
                others = tuple(each for each in state.waiting if each.listing_id != event.listing_id)
                return replace(state, waiting=others)
            return _next(replace(state, stage=Idle()))
        case _:
            assert_never(event)


def _considered(state: Queue, stage: Considering, event: OrdersConsidered) -> Queue:
    if not event.asked:
        return replace(state, stage=replace(stage, after_turn=event.to_turn, chunk=stage.chunk + 1))
    asked = {ask.order_id: ask.hold_id for ask in event.asked}
    gathering = Gathering(
        target=stage.target,
        after_turn=event.to_turn,
        last_turn=stage.last_turn,
        chunk=stage.chunk,
        asked=asked,
        missing=tuple(asked),
        held=(),
        wait_until=event.wait_until,
    )
    return replace(state, stage=gathering, asks=state.asks + len(asked))


def _dropped(state: Queue, stage: Gathering, event: OrderDropped) -> Queue:
    """Who could not pay has one listing more that he missed; who has not answered may still do so."""
    order = order_with(state.orders, event.order_id)
    if order is not None and event.code in COULD_NOT_PAY:
        state = replace(state, orders=with_changed(state.orders, replace(order, misses=order.misses + 1)))
    if not event.unanswered:
        return state
    late = Unanswered(
        listing_id=event.listing_id,
        order_id=event.order_id,
        hold_id=stage.asked[event.order_id],
        is_silent=event.code == SILENT,
    )
    return replace(state, unanswered=(*state.unanswered, late))


def _gathered(stage: Gathering, event: OrderHeld | OrderDropped) -> Gathering | Considering:
    """Answers come in any order; bids are kept in that of the turns. When nobody holds anything the next are looked at."""
    order_id = event.bid.order_id if isinstance(event, OrderHeld) else event.order_id
    held = (*stage.held, event.bid) if isinstance(event, OrderHeld) else stage.held
    missing = tuple(other for other in stage.missing if other != order_id)
    if not missing and not held:
        return Considering(
            target=stage.target,
            after_turn=stage.after_turn,
            last_turn=stage.last_turn,
            chunk=stage.chunk + 1,
            in_full=True,
        )
    turns = {order_id: place for place, order_id in enumerate(stage.asked)}
    in_turn = tuple(sorted(held, key=lambda bid: turns[bid.order_id]))
    return replace(stage, missing=missing, held=in_turn)


def _spent(state: Queue, stage: Bidding, event: OrdersServed) -> Queue:
    orders, turns = state.orders, state.turns
    for result in event.results:
        order = order_with(orders, result.order_id)
        if result.amount_fen == 0:
            continue
        turns = result.turn
        if order is not None:  # it may have ended meanwhile
            after = replace(order, turn=result.turn, spent_fen=result.spent_after_fen, misses=0)
            orders = with_order(orders, after)
    considering = Considering(
        target=replace(stage.target, remaining_fen=event.remaining_fen),
        after_turn=stage.after_turn,
        last_turn=stage.last_turn,
        chunk=stage.chunk + 1,
    )
    return replace(state, orders=orders, turns=turns, stage=considering)
