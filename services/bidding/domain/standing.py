"""The queue of standing orders: it serves each listing in the published order, oldest last-spent first (domain.md section 3).

For every listing it asks the orders whose turn it is and that fit, as many as the listing needs; their accounts hold the money, and
when all have answered the bids go to the listing together, in their turns. So the order of service is the order of this log, whoever
is slow and whatever other people bid meanwhile (docs/decisions/0016).
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Wake
from libs.events.standing import (
    AutoInvestEnded,
    AutoInvestQueued,
    BidAnswer,
    Ended,
    HeldMoney,
    OrderAnsweredLate,
    OrderResult,
    OrdersBid,
    OrdersServed,
    OrdersSpentReturned,
    SpentReturned,
    StandingOrderEnded,
)
from services.bidding.commands.standing import (
    ChangeStandingOrder,
    ConsiderOrders,
    EndOrderOf,
    EndService,
    EndStandingOrder,
    OpenStandingOrder,
    PauseStandingOrder,
    QueueListing,
    RecordAnswers,
    RecordOrderDropped,
    RecordOrderHeld,
    ResumeStandingOrder,
    ReturnBids,
    ReturnSpent,
)
from services.bidding.domain.profile import Profile
from services.bidding.domain.standing_answers import (
    ANSWER_DAYS,
    end_service,
    ended,
    gather,
    wait_no_longer,
    wake_on,
)
from services.bidding.domain.standing_considering import consider
from services.bidding.domain.standing_lines import order_of, order_with
from services.bidding.domain.standing_orders import OwnersCommand, decide_for_owner
from services.bidding.domain.standing_state import (
    Bidding,
    Considering,
    Gathering,
    Idle,
    Queue,
    QueueEvent,
    evolve,
)

_SagasCommand = (
    EndOrderOf
    | QueueListing
    | ConsiderOrders
    | RecordOrderHeld
    | RecordOrderDropped
    | RecordAnswers
    | ReturnBids
    | ReturnSpent
    | EndService
)
QueueCommand = OwnersCommand | _SagasCommand


def decide(
    command: QueueCommand | Wake, state: Queue, context: Context, *, profile: Profile
) -> Sequence[QueueEvent]:
    """What a command does to the queue. Refusals stand on the commands."""
    match command:
        case (
            OpenStandingOrder()
            | ChangeStandingOrder()
            | PauseStandingOrder()
            | ResumeStandingOrder()
            | EndStandingOrder()
        ):
            return decide_for_owner(command, state, context)
        case EndOrderOf():
            order = order_of(state.orders, command.owner)
            if order is None:
                return []
            return [StandingOrderEnded(order_id=order.order_id, owner=order.owner, code="account_closed")]
        case ReturnSpent():
            return _return_spent(command, state)
        case _:
            return _serve(command, state, context, profile)


def _serve(
    command: QueueListing
    | ConsiderOrders
    | RecordOrderHeld
    | RecordOrderDropped
    | RecordAnswers
    | ReturnBids
    | EndService
    | Wake,
    state: Queue,
    context: Context,
    profile: Profile,
) -> Sequence[QueueEvent]:
    match command:
        case QueueListing():
            first = _queue(command, state)
            if not isinstance(state.stage, Idle):
                return first  # it waits
        case ConsiderOrders():
            stage = state.stage
            is_next = isinstance(stage, Considering) and (
                (stage.target.listing_id, stage.after_turn) == (command.listing_id, command.after_turn)
            )
            return _go_on(state, [], context, profile) if is_next else []
        case RecordOrderHeld() | RecordOrderDropped():
            first = gather(command, state, profile)
        case Wake():
            first = wait_no_longer(command, state, profile)
        case EndService():
            first = end_service(command, state, profile)
        case RecordAnswers():
            first = _answer(command, state)
        case ReturnBids():
            first = _take_back(command, state)
        case _:
            assert_never(command)
    if not first or isinstance(first[-1], AutoInvestEnded | OrderAnsweredLate):
        return first
    return _go_on(state, first, context, profile)


def _go_on(
    state: Queue, first: Sequence[QueueEvent], context: Context, profile: Profile
) -> Sequence[QueueEvent]:
    """These events and what follows from them at once: bids that all have answered for, or the next look at the queue.

    At most one look a decision, so that a decision's size is bounded; the next listing begins with a decision of its own.
    """
    for event in first:
        state = evolve(state, event)
    stage = state.stage
    match stage:
        case Gathering(missing=()):
            bids = OrdersBid(listing_id=stage.target.listing_id, chunk=stage.chunk, bids=stage.held)
            return [*first, bids]
        case Considering():
            code: Ended = next((each.ended for each in first if isinstance(each, OrdersServed)), "")
            if code:
                return [*first, ended(state, stage.target.listing_id, code, last_turn=stage.last_turn)]
            looked = consider(
                state,
                stage,
                profile.investor_cap_fen(context.business_date),
                context.business_date + timedelta(days=ANSWER_DAYS),
            )
            if looked is None:
                return [*first, _exhausted(state, stage)]
            is_last = not looked.asked and not looked.more
            return [*first, looked, *([_exhausted(state, stage)] if is_last else [])]
        case Idle() | Gathering() | Bidding():
            return first
        case _:
            assert_never(stage)


def _exhausted(state: Queue, stage: Considering) -> AutoInvestEnded:
    return ended(state, stage.target.listing_id, "orders_exhausted", last_turn=stage.last_turn)


def _queue(command: QueueListing, state: Queue) -> Sequence[QueueEvent]:
    stage = state.stage
    is_served = not isinstance(stage, Idle) and stage.target.listing_id == command.listing_id
    waits = any(target.listing_id == command.listing_id for target in state.waiting)
    if not state.orders or is_served or waits:
        return []
    return [
        AutoInvestQueued(
            listing_id=command.listing_id,
            borrower=command.borrower,
            related=command.related,
            amount_fen=command.amount_fen,
            annual_rate=command.annual_rate,
            tenor_months=command.tenor_months,
            grade=command.grade,
            bid_min_fen=command.bid_min_fen,
        )
    ]


def _is_awaited(state: Queue, listing_id: str, chunk: int) -> bool:
    stage = state.stage
    return isinstance(stage, Bidding) and (stage.target.listing_id, stage.chunk) == (listing_id, chunk)


def _answer(command: RecordAnswers, state: Queue) -> Sequence[OrdersServed]:
    if not _is_awaited(state, command.listing_id, command.chunk):
        return []
    return [
        OrdersServed(
            listing_id=command.listing_id,
            chunk=command.chunk,
            remaining_fen=command.remaining_after_fen,
            ended=command.ended,
            results=_results(command.answers, state),
        )
    ]


def _results(answers: Sequence[BidAnswer], state: Queue) -> tuple[OrderResult, ...]:
    """Who spent goes to the end, one behind the other; who did not keeps his place (turn 0: the order has ended)."""
    turns = state.turns
    results: list[OrderResult] = []
    for answer in answers:
        order = order_with(state.orders, answer.order_id)
        if answer.amount_fen:
            turns += 1
        spent_fen = (order.spent_fen if order else 0) + answer.amount_fen
        kept = order.turn if order else 0
        results.append(
            OrderResult(
                order_id=answer.order_id,
                amount_fen=answer.amount_fen,
                code=answer.code,
                turn=turns if answer.amount_fen else kept,
                spent_after_fen=spent_fen,
            )
        )
    return tuple(results)


def _take_back(command: ReturnBids, state: Queue) -> Sequence[OrdersServed]:
    stage = state.stage
    if not _is_awaited(state, command.listing_id, command.chunk) or not isinstance(stage, Bidding):
        return []
    answers = [BidAnswer(order_id=bid.order_id, amount_fen=0, code=command.code) for bid in stage.bids]
    return [
        OrdersServed(
            listing_id=command.listing_id,
            chunk=command.chunk,
            remaining_fen=stage.target.remaining_fen,
            ended="listing_closed",
            results=_results(answers, state),
            unbid=tuple(HeldMoney(account_id=bid.account_id, hold_id=bid.hold_id) for bid in stage.bids),
        )
    ]


def _return_spent(command: ReturnSpent, state: Queue) -> Sequence[OrdersSpentReturned]:
    returned: list[SpentReturned] = []
    for bid in command.bids:
        order = order_with(state.orders, bid.order_id)
        if order is not None:
            after_fen = order.spent_fen - bid.amount_fen
            returned.append(
                SpentReturned(order_id=order.order_id, amount_fen=bid.amount_fen, spent_after_fen=after_fen)
            )
    if not returned:
        return []
    return [OrdersSpentReturned(listing_id=command.listing_id, returned=tuple(returned))]


def aggregate(profile: Profile) -> Aggregate:
    """The queue under a profile, which says how much one investor may have in one listing."""
    return Aggregate(
        name="standing-order",
        prefix="auto",
        commands=get_args(QueueCommand),
        events=get_args(QueueEvent),
        state=Queue,
        initial=Queue(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
