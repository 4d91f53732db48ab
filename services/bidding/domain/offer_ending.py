"""How an offer ends without a buyer, or opens again: its seller, its window or its loan says so."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from libs.events.deciding import Context, Refused, Wake, WakeOn
from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferOpened,
    OfferRefused,
    OfferReopened,
    OfferWithdrawn,
)
from services.bidding.commands.market import CloseOffer, ReopenOffer
from services.bidding.domain.offer_state import (
    NotOffered,
    NotReserved,
    OfferState,
    Open,
    Requested,
    Settled,
    Taken,
    Terms,
    Unsold,
)

#: The phase of a day in which an offer expires (design.md 2.7): the one that ends the day here.
EXPIRY_PHASE = 1

#: Why a loan does not transfer a claim to this buyer or today, though it is still reserved; any other code ends the offer.
PASSING_CODES = ("blocked_window", "above_investor_cap", "above_maximum", "value_date_passed")


def require_known(state: OfferState) -> None:
    """Refused `unknown_offer` where there never was one."""
    if isinstance(state, NotOffered):
        raise Refused("unknown_offer")


def reopen(
    command: ReopenOffer, state: OfferState, context: Context
) -> Sequence[OfferReopened | OfferClosed | OfferExpired]:
    """The loan did not transfer the claim: open for others while its window lasts, or closed."""
    require_known(state)
    if not isinstance(state, Taken) or state.hold_id != command.hold_id:
        return []
    if command.code not in PASSING_CODES:
        return [_closed(state, command.code, context.business_date)]
    reopened = OfferReopened(
        offer_id=state.terms.offer_id,
        loan_id=state.terms.loan_id,
        hold_id=state.hold_id,
        buyer=state.buyer,
        buyer_account=state.buyer_account,
        code=command.code,
    )
    return [reopened, *over(state.terms, context.business_date)]


def close(command: CloseOffer, state: OfferState, context: Context) -> Sequence[OfferClosed | OfferRefused]:
    """The loan has given the claim free, perhaps before the offer was open."""
    require_known(state)
    if isinstance(state, Requested):
        return [refused(state, command.code, context.business_date)]
    return [_closed(state, command.code, context.business_date)] if isinstance(state, Open) else []


def refused(state: Requested, code: str, on: date) -> OfferRefused:
    """The loan did not reserve the claim, or does not any more: there is no offer."""
    wish = state.wish
    return OfferRefused(
        offer_id=wish.offer_id,
        seller=wish.seller,
        account_id=wish.account_id,
        claim_id=wish.claim_id,
        loan_id=wish.loan_id,
        refused_on=on,
        code=code,
        redemption_id=wish.redemption_id,
    )


def _closed(state: Open | Taken, code: str, on: date) -> OfferClosed:
    terms = state.terms
    return OfferClosed(
        offer_id=terms.offer_id,
        seller=terms.seller,
        account_id=terms.account_id,
        claim_id=terms.claim_id,
        loan_id=terms.loan_id,
        principal_fen=terms.principal_fen,
        opened_on=terms.opened_on,
        expires_on=terms.expires_on,
        closed_on=on,
        code=code,
        redemption_id=terms.redemption_id,
        hold_id=state.hold_id if isinstance(state, Taken) else None,
        buyer_account=state.buyer_account if isinstance(state, Taken) else None,
    )


def withdraw(state: OfferState, context: Context) -> Sequence[OfferWithdrawn]:
    """The seller takes it back. Refusals stand on WithdrawOffer."""
    # Other people's offers cannot be withdrawn, so for this they do not exist.
    if _seller_of(state) != context.principal:
        raise Refused("unknown_offer")
    match state:
        case Requested():
            raise Refused("offer_not_open")
        case Taken():
            raise Refused("offer_taken")
        case Unsold(how="withdrawn"):
            return []
        case NotOffered() | NotReserved() | Unsold() | Settled():
            raise Refused("offer_ended")
        case Open():
            terms = state.terms
            return [
                OfferWithdrawn(
                    offer_id=terms.offer_id,
                    seller=terms.seller,
                    account_id=terms.account_id,
                    claim_id=terms.claim_id,
                    loan_id=terms.loan_id,
                    principal_fen=terms.principal_fen,
                    opened_on=terms.opened_on,
                    expires_on=terms.expires_on,
                    withdrawn_on=context.business_date,
                    redemption_id=terms.redemption_id,
                )
            ]
        case _:
            assert_never(state)


def _seller_of(state: OfferState) -> str | None:
    match state:
        case NotOffered():
            return None
        case Requested() | NotReserved():
            return state.wish.seller
        case Open() | Taken() | Unsold() | Settled():
            return state.terms.seller
        case _:
            assert_never(state)


def wake_on(state: OfferState) -> WakeOn:
    """An open offer wakes when the day of its window's end is closed; one that is taken waits for the loan."""
    return _end_of(state) if isinstance(state, Open) else None


def _end_of(state: Open) -> tuple[date, int]:
    return (state.terms.expires_on, EXPIRY_PHASE)


def expire(wake: Wake, state: OfferState) -> Sequence[OfferExpired]:
    """Nobody has taken it in its window."""
    if not isinstance(state, Open) or (wake.business_date, wake.phase) < _end_of(state):
        return []
    return [_expired(state.terms, wake.business_date)]


def over(offered: Terms | OfferOpened, on: date) -> Sequence[OfferExpired]:
    """The end of an offer that opens, or opens again, when its window is over: its last day's tick has passed it by."""
    return [_expired(offered, on)] if on > offered.expires_on else []


def _expired(offered: Terms | OfferOpened, on: date) -> OfferExpired:
    return OfferExpired(
        offer_id=offered.offer_id,
        seller=offered.seller,
        account_id=offered.account_id,
        claim_id=offered.claim_id,
        loan_id=offered.loan_id,
        principal_fen=offered.principal_fen,
        opened_on=offered.opened_on,
        expires_on=offered.expires_on,
        expired_on=on,
        redemption_id=offered.redemption_id,
    )
