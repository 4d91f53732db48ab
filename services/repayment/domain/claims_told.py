"""How a loan's state takes over what was offered, sold, repaid and compensated of its claims."""

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from libs.events.claims import ClaimReserved, ClaimTransferred, ReservationReleased
from libs.events.compensation import ClaimsSubrogated
from libs.events.repayment import RepaymentDistributed
from services.repayment.domain.guarantee import GuaranteeEvent, fold
from services.repayment.domain.holding import claim_of, less, reservation_of, sold, without
from services.repayment.domain.restating import with_compensation, with_sale

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


def shared(state: "Running", event: RepaymentDistributed) -> "Running":
    """The state after a distribution."""
    claims = less(state.claims, event)
    if state.weights or any(claim.principal_fen for claim in claims):
        return replace(state, claims=claims)
    return replace(state, claims=claims, weights=tuple(claim.principal_fen for claim in state.claims))


def compensated(state: "Running", event: GuaranteeEvent) -> "Running":
    """The state after a step of a compensation. Between ClaimsSubrogated and the RepaymentDistributed of its record the claims are ahead of the book."""
    assert state.guarantee is not None, "only a loan with a guarantor is compensated"
    after = replace(state, guarantee=fold(state.guarantee, event))
    if not isinstance(event, ClaimsSubrogated):
        return after
    return replace(
        after,
        journal=with_compensation(state, event),
        claims=(*state.claims, claim_of(event.claim)),
        last_order=event.claim.order,
        weights=(*state.weights, 0) if state.weights else (),
    )
