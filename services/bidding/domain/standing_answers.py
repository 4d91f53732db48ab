"""What accounts answer to the orders that were asked, how long the queue waits for them, and what comes too late.

One account that is silent holds up nobody's money for longer than the day after: the others' bids go out without it. What it holds
later is released, because the queue remembers for which holds it has stopped to wait.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from libs.events.deciding import Wake, WakeOn
from libs.events.standing import (
    AutoInvestEnded,
    Ended,
    HeldMoney,
    OrderAnsweredLate,
    OrderDropped,
    OrderHeld,
    ServiceEnd,
    StandingOrderPaused,
)
from services.bidding.commands.standing import EndService, RecordOrderDropped, RecordOrderHeld
from services.bidding.domain.profile import Profile
from services.bidding.domain.standing_lines import order_with
from services.bidding.domain.standing_state import (
    COULD_NOT_PAY,
    SILENT,
    Bidding,
    Considering,
    Gathering,
    Idle,
    Queue,
    QueueEvent,
    evolve,
)
from services.bidding.domain.waiting import LAPSE_PHASE

#: How long accounts are waited for: until the end of the day after they were asked (chosen).
ANSWER_DAYS: Final = 1


def gather(
    command: RecordOrderHeld | RecordOrderDropped, state: Queue, profile: Profile
) -> Sequence[QueueEvent]:
    """An account's answer, if somebody waits for it. Refusals stand on the commands."""
    stage = state.stage
    order_id = command.bid.order_id if isinstance(command, RecordOrderHeld) else command.order_id
    is_awaited = isinstance(stage, Gathering) and (
        stage.target.listing_id == command.listing_id and order_id in stage.missing
    )
    if not is_awaited:
        return _late(command, order_id, state)
    match command:
        case RecordOrderHeld():
            return [OrderHeld(listing_id=command.listing_id, bid=command.bid)]
        case RecordOrderDropped():
            return dropped(state, command.listing_id, order_id, command.code, profile)
        case _:
            assert_never(command)


def _late(
    command: RecordOrderHeld | RecordOrderDropped, order_id: str, state: Queue
) -> Sequence[OrderAnsweredLate]:
    """What a bid stands on is never released here: its hold was awaited until the bid went out."""
    key = (command.listing_id, order_id)
    if not any((each.listing_id, each.order_id) == key for each in state.unanswered):
        return []
    held = None
    if isinstance(command, RecordOrderHeld):
        held = HeldMoney(account_id=command.bid.account_id, hold_id=command.bid.hold_id)
    return [OrderAnsweredLate(listing_id=command.listing_id, order_id=order_id, held=held)]


def dropped(
    state: Queue, listing_id: str, order_id: str, code: str, profile: Profile, *, unanswered: bool = False
) -> Sequence[OrderDropped | StandingOrderPaused]:
    """An order holds nothing; after too many listings in a row that it could not pay for it is paused, and its owner is told."""
    events: list[OrderDropped | StandingOrderPaused] = [
        OrderDropped(listing_id=listing_id, order_id=order_id, code=code, unanswered=unanswered)
    ]
    order = order_with(state.orders, order_id)
    if order is None or order.is_paused or code not in COULD_NOT_PAY:
        return events
    if order.misses + 1 >= profile.order_misses_max:
        events.append(StandingOrderPaused(order_id=order_id, owner=order.owner, code="could_not_pay"))
    return events


# --- nobody waits any more -------------------------------------------------------------------------------------------


def wake_on(state: Queue) -> WakeOn:
    """The end of the last day on which accounts are waited for; time does nothing else to the queue."""
    stage = state.stage
    if not isinstance(stage, Gathering) or stage.wait_until is None:
        return None
    return stage.wait_until, LAPSE_PHASE


def wait_no_longer(wake: Wake, state: Queue, profile: Profile) -> Sequence[QueueEvent]:
    """The accounts that have not answered are done without."""
    due, stage = wake_on(state), state.stage
    if due is None or (wake.business_date, wake.phase) < due or not isinstance(stage, Gathering):
        return []
    return _without_missing(stage, state, SILENT, profile)


def _without_missing(stage: Gathering, state: Queue, code: str, profile: Profile) -> list[QueueEvent]:
    return [
        event
        for order_id in stage.missing
        for event in dropped(state, stage.target.listing_id, order_id, code, profile, unanswered=True)
    ]


def end_service(command: EndService, state: Queue, profile: Profile) -> Sequence[QueueEvent]:
    """A listing takes no more: whoever holds money for it gets it back by the listing's own answer. Nothing for one that is not
    served, or that has the bids."""
    stage, code = state.stage, _end_of(command.code)
    if isinstance(stage, Idle) or stage.target.listing_id != command.listing_id:
        if any(target.listing_id == command.listing_id for target in state.waiting):
            return [ended(state, command.listing_id, code, last_turn=state.turns, following="")]
        return []
    if isinstance(stage, Bidding):
        return []
    events: list[QueueEvent] = []
    if isinstance(stage, Gathering):
        events = _without_missing(stage, state, code, profile)
        for event in events:
            state = evolve(state, event)
        if isinstance(state.stage, Gathering):
            return events  # the bids of those who answered go out, and come back by the listing's own word
    assert isinstance(state.stage, Considering), "nobody is asked any more"
    return [*events, ended(state, command.listing_id, code, last_turn=stage.last_turn)]


def _end_of(code: Ended) -> ServiceEnd:
    return "listing_full" if code == "listing_full" else "listing_closed"


def ended(
    state: Queue, listing_id: str, code: ServiceEnd, *, last_turn: int, following: str | None = None
) -> AutoInvestEnded:
    """A listing's service is over; who waits first follows, if it is not told otherwise."""
    first = state.waiting[0].listing_id if state.waiting else ""
    return AutoInvestEnded(
        listing_id=listing_id,
        code=code,
        last_turn=last_turn,
        next_listing_id=first if following is None else following,
    )
