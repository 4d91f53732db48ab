"""From a listing that opens to the bids of standing orders: the queue asks accounts, gathers what they hold, and sends the bids.

Nothing here chooses: whose turn it is stands in the queue's events.
"""

from libs.events.bidding import (
    AccountClosed,
    Bid,
    FundsHeld,
    ListingCancelled,
    ListingExpired,
    ListingFilled,
    ListingOpened,
)
from libs.events.codec import name_of
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.standing import (
    AutoInvestEnded,
    AutoInvestQueued,
    BidAnswer,
    Ended,
    HeldBid,
    HeldMoney,
    OrderAnsweredLate,
    OrderAsked,
    OrderHoldDeclined,
    OrdersAnswered,
    OrdersBid,
    OrdersConsidered,
    OrdersServed,
)
from libs.events.system import CommandRefused
from services.bidding.commands import ReleaseHold
from services.bidding.commands.standing import (
    QUEUE_STREAM,
    ConsiderOrders,
    EndOrderOf,
    EndService,
    HoldForOrder,
    QueueListing,
    RecordAnswers,
    RecordBids,
    RecordOrderDropped,
    RecordOrderHeld,
    ReturnBids,
    ReturnSpent,
)


def on_bidding(event: RecordedEvent) -> list[Send]:
    """Each step's next command."""
    match event.data:
        # The queue does not know who has lent, and newcomers choose by themselves (docs/decisions/0016).
        case ListingOpened(newcomers_only=False) as opened:
            return [_queue(opened)]
        case OrdersConsidered() as looked:
            if looked.asked:
                return [_hold(looked, ask) for ask in looked.asked]
            return [_go_on(looked.listing_id, looked.to_turn)] if looked.more else []
        case FundsHeld() as held if held.standing_order:
            return [_held(held)]
        case OrderHoldDeclined() as declined:
            return [_dropped(declined.listing_id, declined.order_id, declined.code)]
        case OrdersBid() as gathered:
            bids = RecordBids(listing_id=gathered.listing_id, chunk=gathered.chunk, bids=gathered.bids)
            about = {"listing_id": gathered.listing_id, "chunk": str(gathered.chunk)}
            return [Send("bids", gathered.listing_id, bids, about)]
        case OrdersAnswered() as answered:
            return [_answers(answered)]
        case OrdersServed() as served:
            reason = served.results[0].code
            return [
                Send(
                    f"release:{money.hold_id}",
                    money.account_id,
                    ReleaseHold(hold_id=money.hold_id, reason=reason),
                )
                for money in served.unbid
            ]
        case OrderAnsweredLate(held=HeldMoney() as late):
            unwanted = ReleaseHold(hold_id=late.hold_id, reason="answered_late")
            return [Send(f"release:{late.hold_id}", late.account_id, unwanted)]
        case AutoInvestEnded() as ended if ended.next_listing_id:
            return [_go_on(ended.next_listing_id, 0)]
        case _:
            return _on_ends(event)


def _on_ends(event: RecordedEvent) -> list[Send]:
    """What was refused, came to nothing or was closed."""
    match event.data:
        case CommandRefused(command_type=kind, about=about) as refused if kind == name_of(HoldForOrder):
            return [_dropped(about["listing_id"], about["order_id"], refused.code)]
        case CommandRefused(command_type=kind, about=about) as refused if kind == name_of(RecordBids):
            back = ReturnBids(listing_id=about["listing_id"], chunk=int(about["chunk"]), code=refused.code)
            return [Send("bids", QUEUE_STREAM, back)]
        case ListingFilled() as full:
            return [_end(full.listing_id, "listing_full")]
        case ListingExpired() | ListingCancelled() as over:
            return [_end(over.listing_id, "listing_closed"), *_return_spent(over.listing_id, over.bids)]
        case AccountClosed() as closed:
            return [Send("order", QUEUE_STREAM, EndOrderOf(owner=closed.owner))]
        case _:
            return []


def _queue(opened: ListingOpened) -> Send:
    listing = QueueListing(
        listing_id=opened.listing_id,
        borrower=opened.borrower,
        related=opened.related,
        amount_fen=opened.amount_fen,
        annual_rate=opened.annual_rate,
        tenor_months=opened.tenor_months,
        grade=opened.grade,
        bid_min_fen=opened.bid_min_fen,
    )
    return Send("orders", QUEUE_STREAM, listing)


def _end(listing_id: str, code: Ended) -> Send:
    return Send("service", QUEUE_STREAM, EndService(listing_id=listing_id, code=code))


def _go_on(listing_id: str, after_turn: int) -> Send:
    return Send("consider", QUEUE_STREAM, ConsiderOrders(listing_id=listing_id, after_turn=after_turn))


def _hold(looked: OrdersConsidered, ask: OrderAsked) -> Send:
    hold = HoldForOrder(
        order_id=ask.order_id,
        listing_id=looked.listing_id,
        borrower=looked.borrower,
        hold_id=ask.hold_id,
        bid_id=ask.bid_id,
        most_fen=ask.most_fen,
        bid_min_fen=looked.bid_min_fen,
        keep_back_fen=ask.keep_back_fen,
    )
    about = {"listing_id": looked.listing_id, "order_id": ask.order_id}
    return Send(f"hold:{ask.hold_id}", ask.account_id, hold, about)


def _held(held: FundsHeld) -> Send:
    bid = HeldBid(
        order_id=held.standing_order,
        bid_id=held.bid_id,
        hold_id=held.hold_id,
        account_id=held.account_id,
        investor=held.owner,
        amount_fen=held.amount_fen,
        suitability_level=held.suitability_level,
        suitability_valid_to=held.suitability_valid_to,
        has_lent=held.has_lent,
    )
    return Send("held", QUEUE_STREAM, RecordOrderHeld(listing_id=held.listing_id, bid=bid))


def _dropped(listing_id: str, order_id: str, code: str) -> Send:
    dropped = RecordOrderDropped(listing_id=listing_id, order_id=order_id, code=code)
    return Send("dropped", QUEUE_STREAM, dropped)


def _answers(answered: OrdersAnswered) -> Send:
    answers = RecordAnswers(
        listing_id=answered.listing_id,
        chunk=answered.chunk,
        remaining_after_fen=answered.remaining_after_fen,
        ended=answered.ended,
        answers=answered.answers,
    )
    return Send("answers", QUEUE_STREAM, answers)


def _return_spent(listing_id: str, bids: tuple[Bid, ...]) -> list[Send]:
    spent = tuple(
        BidAnswer(order_id=bid.standing_order, amount_fen=bid.amount_fen, code="")
        for bid in bids
        if bid.standing_order
    )
    return [Send("spent", QUEUE_STREAM, ReturnSpent(listing_id=listing_id, bids=spent))] if spent else []


SAGAS = (
    Saga(
        name="auto-invest",
        why="When a listing opens, the standing orders are served in the published order, and each is told what came of it.",
        opened_by={AutoInvestQueued: lambda queued: queued.listing_id},
        closed_by={AutoInvestEnded: lambda ended: ended.listing_id},
        steps=(
            Step(on=ListingOpened, send=QueueListing),
            Step(on=OrdersConsidered, send=ConsiderOrders),
            Step(
                on=OrdersConsidered,
                send=HoldForOrder,
                declined_by=(OrderHoldDeclined, CommandRefused),
                compensation=RecordOrderDropped,
            ),
            Step(on=FundsHeld, send=RecordOrderHeld),
            Step(on=OrdersBid, send=RecordBids, declined_by=(CommandRefused,), compensation=ReturnBids),
            Step(on=OrdersAnswered, send=RecordAnswers),
            Step(on=OrdersServed, send=ReleaseHold),
            Step(on=OrderAnsweredLate, send=ReleaseHold),
            Step(on=ListingFilled, send=EndService),
            Step(on=ListingExpired, send=EndService),
            Step(on=ListingCancelled, send=EndService),
            Step(on=AutoInvestEnded, send=ConsiderOrders),
        ),
        expected_refusals=(HoldForOrder, RecordBids),
    ),
    Saga(
        name="auto-invest spent",
        why="What an order had bid on a listing that came to nothing counts no more towards its total cap.",
        opened_by={},  # orders that are over say nothing, so nothing would close it
        closed_by={},
        steps=(Step(on=ListingExpired, send=ReturnSpent), Step(on=ListingCancelled, send=ReturnSpent)),
    ),
    Saga(
        name="order of a closed account",
        why="Whoever left has no order that is asked.",
        opened_by={},  # most have none, which no event says
        closed_by={},
        steps=(Step(on=AccountClosed, send=EndOrderOf),),
    ),
)
