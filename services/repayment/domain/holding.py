"""Who holds a loan's principal: its claims in their order, those that are for sale, and how events change them."""

from dataclasses import replace

from libs.events.bidding import ClaimTerms
from libs.events.claims import ClaimReserved, ClaimTransferred
from libs.events.codec import record
from libs.events.compensation import SubrogatedClaim
from libs.events.money import Count, PositiveFen
from libs.events.repayment import RepaymentDistributed


@record
class Claim:
    """What one holder is still owed of the principal (fen). Claims stand in claim order, which decides ties of a split."""

    order: int
    claim_id: str
    account_id: str
    investor: str
    principal_fen: Count


@record
class Reservation:
    """A claim that is for sale: `principal_fen` of the `of_fen` that it was owed when it was reserved."""

    offer_id: str
    claim_id: str
    principal_fen: PositiveFen
    of_fen: PositiveFen


def claim_of(terms: ClaimTerms | SubrogatedClaim) -> Claim:
    """A claim as its event says it."""
    return Claim(
        order=terms.order,
        claim_id=terms.claim_id,
        account_id=terms.account_id,
        investor=terms.investor,
        principal_fen=terms.principal_fen,
    )


def less(claims: tuple[Claim, ...], event: RepaymentDistributed) -> tuple[Claim, ...]:
    """The claims after a distribution."""
    repaid_fen = {line.claim_id: line.principal_fen for line in event.lines}
    return tuple(
        Claim(
            order=claim.order,
            claim_id=claim.claim_id,
            account_id=claim.account_id,
            investor=claim.investor,
            principal_fen=claim.principal_fen - repaid_fen.get(claim.claim_id, 0),
        )
        for claim in claims
    )


def reservation_of(event: ClaimReserved) -> Reservation:
    """What is for sale from here on."""
    return Reservation(
        offer_id=event.offer_id,
        claim_id=event.claim_id,
        principal_fen=event.principal_fen,
        of_fen=event.outstanding_fen,
    )


def without(reservations: tuple[Reservation, ...], offer_id: str) -> tuple[Reservation, ...]:
    """What is still for sale once an offer's claim is not."""
    return tuple(kept for kept in reservations if kept.offer_id != offer_id)


def sold(claims: tuple[Claim, ...], event: ClaimTransferred) -> tuple[Claim, ...]:
    """The seller's claim keeps what is left, or is gone; the buyer's stands after all others."""
    kept = (
        replace(claim, principal_fen=event.left_fen) if claim.claim_id == event.sold_claim_id else claim
        for claim in claims
        if claim.claim_id != event.sold_claim_id or event.left_fen
    )
    return (*kept, claim_of(event.claim))
