"""What an investor does with his standing order: sets it up, changes, pauses, resumes and ends it. Nobody else can."""

import re
from collections.abc import Sequence
from typing import Final, assert_never

from libs.events.deciding import Context, Refused
from libs.events.standing import (
    OrderTerms,
    StandingOrderChanged,
    StandingOrderEnded,
    StandingOrderOpened,
    StandingOrderPaused,
    StandingOrderResumed,
)
from services.bidding.commands.standing import (
    ChangeStandingOrder,
    EndStandingOrder,
    OpenStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
)
from services.bidding.domain.ids import account_of
from services.bidding.domain.opening import BID_STEP_FEN
from services.bidding.domain.standing_lines import StandingOrder, number_of, order_of, order_with
from services.bidding.domain.standing_state import Queue
from services.bidding.domain.standing_text import TEXT_HASH

OwnersCommand = (
    OpenStandingOrder | ChangeStandingOrder | PauseStandingOrder | ResumeStandingOrder | EndStandingOrder
)
OwnersEvent = (
    StandingOrderOpened
    | StandingOrderChanged
    | StandingOrderPaused
    | StandingOrderResumed
    | StandingOrderEnded
)

#: Orders at the same time, so that the queue can be written whole after every decision (chosen; measured in docs/decisions/0016).
ORDERS_MAX: Final = 10_000

_GRADES_MAX = 12
#: A century: no loan is longer.
_TENOR_MAX = 1_200
_ORDER_ID = re.compile(r"sto_[A-Za-z0-9_-]{1,64}", re.ASCII)
#: A grade's text stands in the queue's lines, so it has none of their marks.
_GRADE = re.compile(r"[A-Za-z0-9]{1,8}", re.ASCII)


def decide_for_owner(command: OwnersCommand, state: Queue, context: Context) -> Sequence[OwnersEvent]:
    """What the owner of an order does with it. Refusals stand on the commands."""
    match command:
        case OpenStandingOrder():
            return _open(command, state, context)
        case ChangeStandingOrder():
            order = _own(state, command.order_id, context)
            _check(command.terms)
            if command.terms == order.terms:
                return []
            return [
                StandingOrderChanged(
                    order_id=order.order_id,
                    owner=order.owner,
                    version=order.version + 1,
                    terms=command.terms,
                )
            ]
        case PauseStandingOrder():
            order = _own(state, command.order_id, context)
            paused = StandingOrderPaused(order_id=order.order_id, owner=order.owner)
            return [] if order.is_paused else [paused]
        case ResumeStandingOrder():
            order = _own(state, command.order_id, context)
            resumed = StandingOrderResumed(order_id=order.order_id, owner=order.owner)
            return [resumed] if order.is_paused else []
        case EndStandingOrder():
            if order_with(state.orders, command.order_id) is None:
                return []
            order = _own(state, command.order_id, context)
            return [StandingOrderEnded(order_id=order.order_id, owner=order.owner, code="by_owner")]
        case _:
            assert_never(command)


def _own(state: Queue, order_id: str, context: Context) -> StandingOrder:
    """The order, if it is the caller's: other people's orders do not exist for anybody, whatever an API forgot to check."""
    order = order_with(state.orders, order_id)
    if order is None or order.owner != context.principal:
        raise Refused("unknown_order")
    return order


def _open(command: OpenStandingOrder, state: Queue, context: Context) -> Sequence[StandingOrderOpened]:
    owner = context.principal
    account_of(owner)  # refuses who is no user
    if _ORDER_ID.fullmatch(command.order_id) is None:
        raise Refused("unknown_order")
    known = order_of(state.orders, owner)
    if known is not None and (known.order_id, known.terms) == (command.order_id, command.terms):
        return []
    if known is not None or order_with(state.orders, command.order_id) is not None:
        raise Refused("order_exists")
    if command.text_hash != TEXT_HASH:
        raise Refused("text_differs")
    _check(command.terms)
    if number_of(state.orders) >= ORDERS_MAX:
        raise Refused("too_many_orders")
    return [
        StandingOrderOpened(
            order_id=command.order_id,
            owner=owner,
            terms=command.terms,
            text_hash=command.text_hash,
            turn=state.turns + 1,
        )
    ]


def _check(terms: OrderTerms) -> None:
    grades = terms.grades
    are_known = all(_GRADE.fullmatch(grade) for grade in grades)
    if not grades or len(grades) > _GRADES_MAX or list(grades) != sorted(dict.fromkeys(grades)):
        raise Refused("invalid_grades")
    if not are_known:
        raise Refused("invalid_grades")
    if not 1 <= terms.tenor_months_max <= _TENOR_MAX:
        raise Refused("invalid_tenor")
    if terms.loan_max_fen < BID_STEP_FEN:
        raise Refused("loan_max_too_small")
