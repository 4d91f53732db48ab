"""The view `bidding.bids`: every bid, what its listing answered, and what became of its money.

A document is written by two streams: the account's says what was asked and what is held, the listing's what it took.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.bidding import BidDeclined, BidPlaced, FundsHeld, HoldCaptured, HoldReduced, HoldReleased
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """A bid's document after one of its events. Amounts in fen."""
    data = event.data
    bid_id: str = data.bid.bid_id if isinstance(data, BidPlaced) else data.bid_id
    changed = [Set(bid_id, field, value) for field, value in _fields(data).items()]
    return [*changed, Set(bid_id, f"src.{event.stream}", event.address)]


def _fields(data: object) -> dict[str, Any]:
    match data:
        case FundsHeld():
            return {
                "bid_id": data.bid_id,
                "owner": data.owner,
                "account_id": data.account_id,
                "listing_id": data.listing_id,
                "asked_fen": data.amount_fen,
                "allow_partial": data.allow_partial,
                "hold": "held",
                "held_fen": data.amount_fen,
            }
        case HoldReduced():
            return {"held_fen": data.keeps_fen}
        case HoldReleased():
            return {"hold": "released", "held_fen": 0, "reason": data.reason}
        case HoldCaptured():
            return {"hold": "captured", "held_fen": 0, "loan_id": data.loan_id}
        case BidPlaced():
            return {"answer": "accepted", "accepted_fen": data.bid.amount_fen, "order": data.bid.order}
        case BidDeclined():
            return {"answer": "declined", "code": data.code}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


VIEW = View(
    name="bidding.bids",
    version=1,
    reads=(FundsHeld, HoldReduced, HoldReleased, HoldCaptured, BidPlaced, BidDeclined),
    project=project,
    owner_field="owner",
    indexes=("owner",),
)
