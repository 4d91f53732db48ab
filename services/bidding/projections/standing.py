"""The views of standing orders: each order and its place, what came of it for each listing, and whom each listing passed over.

All documents are written by the queue's stream alone. `bidding.standing-order-log` has a row for every order and listing where it was
asked; whoever was passed over stands in `bidding.auto-invest`, a few documents for each listing, because it may pass over thousands of
orders: which of them, the order's id says.
"""

from collections.abc import Sequence
from typing import Any, assert_never
from zlib import crc32

from libs.events.records import RecordedEvent
from libs.events.standing import (
    AutoInvestEnded,
    AutoInvestQueued,
    OrderDropped,
    OrderHeld,
    OrdersConsidered,
    OrdersServed,
    OrdersSpentReturned,
    OrderTerms,
    StandingOrderChanged,
    StandingOrderEnded,
    StandingOrderOpened,
    StandingOrderPaused,
    StandingOrderResumed,
)
from libs.events.views import Op, Set, View

# --- bidding.standing-orders ---------------------------------------------------------------------------------------

_Of = (
    StandingOrderOpened
    | StandingOrderChanged
    | StandingOrderPaused
    | StandingOrderResumed
    | StandingOrderEnded
)


def project_order(event: RecordedEvent) -> Sequence[Op]:
    """An order's document after one of its events. Amounts in fen, the rate as a decimal's text."""
    changes = _changes(event)
    changed = [
        Set(order_id, field, value) for order_id, fields in changes.items() for field, value in fields.items()
    ]
    return [*changed, *(Set(order_id, f"src.{event.stream}", event.address) for order_id in changes)]


def _changes(event: RecordedEvent) -> dict[str, dict[str, Any]]:
    data = event.data
    match data:
        case OrdersServed():
            # An order that ended meanwhile keeps its last place: it has none any more.
            return {
                result.order_id: {
                    "turn": result.turn,
                    "spent_fen": result.spent_after_fen,
                    "last_spent_on": _day(event),
                }
                for result in data.results
                if result.amount_fen
            }
        case OrdersSpentReturned():
            return {each.order_id: {"spent_fen": each.spent_after_fen} for each in data.returned}
        case StandingOrderOpened():
            assert event.at is not None, "a decision has a time"
            return {data.order_id: _of_order(data) | {"opened_at": event.at.isoformat()}}
        case _:
            return {data.order_id: _of_order(data)}


def _day(event: RecordedEvent) -> str | None:
    return event.business_date.isoformat() if event.business_date else None


def _of_order(data: _Of) -> dict[str, Any]:
    match data:
        case StandingOrderOpened():
            return {
                "order_id": data.order_id,
                "owner": data.owner,
                "state": "active",
                "paused_because": None,
                "version": 1,
                "text_hash": data.text_hash,
                "turn": data.turn,
                "opened_turn": data.turn,
                "spent_fen": 0,
                "last_spent_on": None,
                **_terms(data.terms),
            }
        case StandingOrderChanged():
            return {"version": data.version, **_terms(data.terms)}
        case StandingOrderPaused():
            return {"state": "paused", "paused_because": data.code}
        case StandingOrderResumed():
            return {"state": "active", "paused_because": None}
        case StandingOrderEnded():
            return {"state": "ended"}
        case _:
            assert_never(data)


def _terms(terms: OrderTerms) -> dict[str, Any]:
    return {
        "grades": list(terms.grades),
        "annual_rate_min": f"{terms.annual_rate_min:f}",
        "tenor_months_max": terms.tenor_months_max,
        "loan_max_fen": terms.loan_max_fen,
        "keep_back_fen": terms.keep_back_fen,
        "total_max_fen": terms.total_max_fen,
    }


ORDERS = View(
    name="bidding.standing-orders",
    version=3,
    reads=(
        StandingOrderOpened,
        StandingOrderChanged,
        StandingOrderPaused,
        StandingOrderResumed,
        StandingOrderEnded,
        OrdersServed,
        OrdersSpentReturned,
    ),
    project=project_order,
    owner_field="owner",
    indexes=("owner", "state"),
)

# --- bidding.standing-order-log ------------------------------------------------------------------------------------


def row_of(order_id: str, listing_id: str) -> str:
    """The id of an order's row for a listing."""
    return f"{order_id}:{listing_id}"


def project_log(event: RecordedEvent) -> Sequence[Op]:
    """What came of each order that was asked for a listing. Amounts in fen. `returned` stands beside the state, because a listing may
    come to nothing before the queue has heard what it took.
    """
    data = event.data
    ops: list[Op] = []
    for order_id, fields in _rows(data).items():
        row = row_of(order_id, data.listing_id)
        ops += [Set(row, field, value) for field, value in fields.items()]
        ops.append(Set(row, f"src.{event.stream}", event.address))
    return ops


def _rows(data: Any) -> dict[str, dict[str, Any]]:
    match data:
        case OrdersConsidered():
            return {
                ask.order_id: {
                    "order_id": ask.order_id,
                    "owner": ask.owner,
                    "listing_id": data.listing_id,
                    "version": ask.version,
                    "turn": ask.turn,
                    "asked_fen": ask.most_fen,
                    "bid_id": ask.bid_id,
                    "state": "asked",
                    "held_fen": 0,
                    "amount_fen": 0,
                    "code": "",
                    "returned": False,
                }
                for ask in data.asked
            }
        case OrderHeld():
            return {data.bid.order_id: {"state": "bid", "held_fen": data.bid.amount_fen}}
        case OrderDropped():
            return {data.order_id: {"state": "passed", "code": data.code}}
        case OrdersServed():
            return {
                result.order_id: {
                    "state": "took_part" if result.amount_fen else "passed",
                    "amount_fen": result.amount_fen,
                    "code": result.code,
                }
                for result in data.results
            }
        case OrdersSpentReturned():
            return {each.order_id: {"returned": True} for each in data.returned}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


LOG = View(
    name="bidding.standing-order-log",
    version=2,
    reads=(OrdersConsidered, OrderHeld, OrderDropped, OrdersServed, OrdersSpentReturned),
    project=project_log,
    owner_field="owner",
    indexes=("owner", "order_id", "listing_id"),
)

# --- bidding.auto-invest -------------------------------------------------------------------------------------------


#: Documents of those whom one listing passed over (chosen): ten thousand orders are some 30 kB in each.
PASSED_DOCS = 16


def passed_of(listing_id: str, order_id: str) -> str:
    """The id of the document that says whether a listing passed an order over."""
    return f"{listing_id}:{crc32(order_id.encode()) % PASSED_DOCS}"


def project_service(event: RecordedEvent) -> Sequence[Op]:
    """How far a listing's service has come, and whom it passed over for which reason."""
    data = event.data
    listing_id: str = data.listing_id
    source = Set(listing_id, f"src.{event.stream}", event.address)
    match data:
        case AutoInvestQueued():
            fields: dict[str, Any] = {"listing_id": listing_id, "state": "waiting", "looks": 0, "code": ""}
            return [*(Set(listing_id, field, value) for field, value in fields.items()), source]
        case OrdersConsidered():
            ops: list[Op] = [
                Set(listing_id, "state", "serving"),
                Set(listing_id, "looks", data.chunk),
                Set(listing_id, "last_turn", data.last_turn),
                source,
            ]
            for each in data.passed:
                for order_id in each.order_ids:
                    doc = passed_of(listing_id, order_id)
                    ops.append(Set(doc, f"codes.{order_id}", each.code))
                    ops.append(Set(doc, f"src.{event.stream}", event.address))
            return ops
        case AutoInvestEnded():
            ended = {"state": "ended", "code": data.code, "last_turn": data.last_turn}
            return [*(Set(listing_id, field, value) for field, value in ended.items()), source]
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


SERVICES = View(
    name="bidding.auto-invest",
    version=2,
    reads=(AutoInvestQueued, OrdersConsidered, AutoInvestEnded),
    project=project_service,
)
