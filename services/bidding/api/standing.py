"""Routes of standing orders: their owner sets one up, changes, pauses and ends it, sees his place, and why it did or did not bid.

Whose order it is the token says, and the log once more; other people's orders do not exist for the caller.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends

from libs.events import standing as events
from libs.events.searches import Span
from libs.runtime.http import (
    NoFields,
    Order,
    Page,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from services.bidding.api.router import router
from services.bidding.api.standing_shapes import (
    OrderLogOut,
    OrderLogsOut,
    OrderTermsIn,
    OwnPartOut,
    OwnPartsOut,
    RiskTextOut,
    StandingOrderDone,
    StandingOrderIn,
    StandingOrderOut,
    StandingOrdersOut,
    state_of,
)
from services.bidding.commands import standing as commands
from services.bidding.domain.standing_text import TEXT, TEXT_HASH
from services.bidding.projections.standing import passed_of

OrderId = Annotated[str, id_path("sto")]
Orders = Annotated[ViewReader, Depends(view_reader("bidding.standing-orders"))]
Rows = Annotated[ViewReader, Depends(view_reader("bidding.standing-order-log"))]
Services = Annotated[ViewReader, Depends(view_reader("bidding.auto-invest"))]
Balances = Annotated[ViewReader, Depends(view_reader("bidding.balances"))]
Listings = Annotated[ViewReader, Depends(view_reader("bidding.open-listings"))]

#: Of one owner's orders, which come one after the other.
_ORDERS_SHOWN = 200


async def _own_order(order: OrderId, orders: Orders, principal: ThisPrincipal) -> str:
    """The order in the path, if it is the caller's."""
    document = await orders.get(order, missing="unknown_order")
    if document.get("owner") != principal.subject:
        raise not_found("unknown_order")
    return order


OwnOrder = Annotated[str, Depends(_own_order)]


# --- the owner's acts ----------------------------------------------------------------------------------------------


@router.read("/standing-orders/text", scopes("bid:own"), answer=RiskTextOut)
async def read_risk_text() -> RiskTextOut:
    """What an investor confirms, by its hash, when he sets up a standing order."""
    return RiskTextOut(text=TEXT, text_hash=TEXT_HASH)


@router.command(
    "/standing-orders",
    scopes("bid:own"),
    answer=StandingOrderDone,
    answers={events.StandingOrderOpened: StandingOrderDone.opened},
)
async def open_standing_order(body: StandingOrderIn, call: ThisCall, balances: Balances) -> Order:
    """Set up the caller's standing order, at the end of the queue. He has one at a time, and an account that pays."""
    account = await balances.get(
        f"acc_{call.principal.subject.removeprefix('usr_')}", missing="unknown_account"
    )
    if account.get("owner") != call.principal.subject or account.get("state") != "open":
        raise not_found("unknown_account")
    opened = commands.OpenStandingOrder(
        order_id=call.mint("sto"), terms=body.terms(), text_hash=body.text_hash
    )
    return Order(commands.QUEUE_STREAM, opened)


@router.command(
    "/standing-orders/{order}/terms",
    scopes("bid:own"),
    answer=StandingOrderDone,
    answers={events.StandingOrderChanged: StandingOrderDone.changed},
)
async def change_standing_order(order: OrderId, body: OrderTermsIn) -> Order:
    """Change what one's order takes, from its next turn on; it keeps its place."""
    return Order(commands.QUEUE_STREAM, commands.ChangeStandingOrder(order_id=order, terms=body.terms()))


@router.command(
    "/standing-orders/{order}/pause",
    scopes("bid:own"),
    answer=StandingOrderDone,
    answers={events.StandingOrderPaused: StandingOrderDone.paused},
)
async def pause_standing_order(order: OrderId, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """Let one's order take no part until it is resumed."""
    return Order(commands.QUEUE_STREAM, commands.PauseStandingOrder(order_id=order))


@router.command(
    "/standing-orders/{order}/resumption",
    scopes("bid:own"),
    answer=StandingOrderDone,
    answers={events.StandingOrderResumed: StandingOrderDone.resumed},
)
async def resume_standing_order(order: OrderId, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """Let one's order take part again, at its old place."""
    return Order(commands.QUEUE_STREAM, commands.ResumeStandingOrder(order_id=order))


@router.command(
    "/standing-orders/{order}/end",
    scopes("bid:own"),
    answer=StandingOrderDone,
    answers={events.StandingOrderEnded: StandingOrderDone.ended},
)
async def end_standing_order(order: OwnOrder, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """End one's order. A new one stands at the end of the queue."""
    return Order(commands.QUEUE_STREAM, commands.EndStandingOrder(order_id=order))


# --- what he sees --------------------------------------------------------------------------------------------------


@router.read("/standing-orders", scopes("bid:own"), answer=StandingOrdersOut)
async def read_standing_orders(orders: Orders, page: ThisPage, principal: ThisPrincipal) -> StandingOrdersOut:
    """The caller's own orders, those that ended among them, and the place of the one that stands."""
    found, following = await orders.page(page, where={"owner": principal.subject})
    items = [StandingOrderOut.of(document, await _place(orders, document)) for document in found]
    return StandingOrdersOut(items=items, next=following)


async def _place(orders: ViewReader, document: Mapping[str, Any]) -> int | None:
    if document["state"] != "active":
        return None
    before = {"state": "active", "turn": Span(high=document["turn"] - 1)}
    return 1 + await orders.count("turn", before)


@router.read("/standing-orders/{order}/log", scopes("bid:own"), answer=OrderLogsOut)
async def read_order_log(order: OwnOrder, rows: Rows, page: ThisPage) -> OrderLogsOut:
    """The listings that one's own order was asked for, with what it bid or why it did not."""
    found, following = await rows.page(page, where={"order_id": order})
    return OrderLogsOut(items=[OrderLogOut.of(row) for row in found], next=following)


@router.read("/listings/{listing}/auto-invest/mine", scopes("bid:own"), answer=OwnPartsOut)
async def read_own_part(
    listing: Annotated[str, id_path("lst")],
    listings: Listings,
    orders: Orders,
    rows: Rows,
    services: Services,
    principal: ThisPrincipal,
) -> OwnPartsOut:
    """Why the caller's standing order did or did not take part in a listing: some four reads, twenty at most."""
    offered = await listings.get(listing, missing="unknown_listing")
    if "closes_on" not in offered:
        raise not_found("unknown_listing")
    where = {"owner": principal.subject}
    own, _ = await orders.page(Page(None, _ORDERS_SHOWN), where=where)
    asked, _ = await rows.page(Page(None, _ORDERS_SHOWN), where=where | {"listing_id": listing})
    by_order = {row["order_id"]: row for row in asked}
    service = await services.find(listing)
    names = {passed_of(listing, order["order_id"]) for order in own if order["order_id"] not in by_order}
    codes: dict[str, str] = {}
    for name in sorted(names) if service else ():
        codes |= (await services.find(name) or {}).get("codes", {})
    items = [_part(order, by_order.get(order["order_id"]), codes, service, offered) for order in own]
    return OwnPartsOut(
        listing_id=listing,
        service=service["state"] if service else "none",
        items=[item for item in items if item is not None],
    )


def _part(
    order: Mapping[str, Any],
    row: Mapping[str, Any] | None,
    codes: Mapping[str, str],
    service: Mapping[str, Any] | None,
    listing: Mapping[str, Any],
) -> OwnPartOut | None:
    """What came of an order; None for one that ended and left no trace in the listing's service."""
    order_id: str = order["order_id"]
    if row is not None:
        amount_fen, code = row["amount_fen"], row["code"]
        return OwnPartOut(order_id=order_id, state=state_of(row), amount_fen=amount_fen, code=code)
    code = codes.get(order_id)
    if code is None and order["state"] == "ended":
        return None
    if code is None:
        code = _not_reached(order, service, listing)
    return OwnPartOut(order_id=order_id, state="passed" if code else "waiting", amount_fen=0, code=code)


def _not_reached(
    order: Mapping[str, Any], service: Mapping[str, Any] | None, listing: Mapping[str, Any]
) -> str:
    """Why an order that stands was not looked at; empty while its turn may still come. The queue may not have heard yet of a listing
    that opened after the order was set up; it never hears of one for newcomers."""
    if listing.get("newcomers_only"):
        return "newcomers_only"
    if service is None:
        return "" if _stood_before(order, listing) else "set_up_later"
    if order["opened_turn"] > service.get("last_turn", order["opened_turn"]):
        return "set_up_later"
    return str(service["code"])


def _stood_before(order: Mapping[str, Any], listing: Mapping[str, Any]) -> bool:
    """Whether an order was set up before a listing opened. Documents of the versions before do not say when."""
    if "opened_at" not in order or "opened_at" not in listing:
        return False
    return datetime.fromisoformat(order["opened_at"]) <= datetime.fromisoformat(listing["opened_at"])
