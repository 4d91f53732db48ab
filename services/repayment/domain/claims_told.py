"""How a loan's state takes over what was offered and sold of its claims."""

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from services.repayment.domain.holding import reservation_of, sold, without
from services.repayment.domain.restating import with_sale

#: How many sales of its claims a loan recognises when they come again.
SALES_REMEMBERED = 32

if TYPE_CHECKING:  # the state's module folds by this one
    from services.repayment.domain.loan_state import Running


def traded(state: "Running", event: ClaimReserved | ReservationReleased | ClaimTransferred) -> "Running":
    """The state after a step of a claim's sale."""
    match event:
        case ClaimReserved():
            return replace(state, reservations=(*state.reservations, reservation_of(event)))
        case ReservationReleased():
            return replace(state, reservations=without(state.reservations, event.offer_id))
        case ClaimTransferred():
            return replace(
                state,
                journal=with_sale(state, event),
                claims=sold(state.claims, event),
                last_order=event.claim.order,
                reservations=without(state.reservations, event.offer_id),
                sold=(*state.sold, event.offer_id)[-SALES_REMEMBERED:],
            )
        case _:
            assert_never(event)
