"""What an offer says for a redemption: that it stood long enough and nobody bought (processes.md 1.J: own transfer failed)."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from libs.events.deciding import Context, Refused
from libs.events.redemption import UnsoldConfirmed, UnsoldDeclined
from services.bidding.commands.redemption import ConfirmUnsold
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
from services.bidding.domain.profile import Profile


def confirm_unsold(
    command: ConfirmUnsold, state: OfferState, context: Context, profile: Profile
) -> Sequence[UnsoldConfirmed | UnsoldDeclined]:
    """The offer's answer, always. Refusals stand on ConfirmUnsold."""
    match state:
        case NotOffered() | Requested() | NotReserved():
            raise Refused("unknown_offer")
        case Open() | Taken() | Settled() | Unsold():
            terms = state.terms
        case _:
            assert_never(state)
    # Other people's offers do not exist for anybody.
    if terms.seller != command.investor:
        raise Refused("unknown_offer")
    if code := _why_not(command, state, context.business_date, profile):
        return [
            UnsoldDeclined(
                offer_id=terms.offer_id, redemption_id=command.redemption_id, seller=terms.seller, code=code
            )
        ]
    assert isinstance(state, Unsold), "whatever else it is, is declined"
    return [_confirmed(command, terms, state)]


def _why_not(
    command: ConfirmUnsold, state: Open | Taken | Settled | Unsold, on: date, profile: Profile
) -> str | None:
    """The code of what speaks against it, None where nothing does."""
    match state:
        case Open() | Taken():
            return "offer_open"
        case Settled():
            return "offer_sold"
        case Unsold(how="closed"):
            return "offer_closed"
        case Unsold() if state.terms.redemption_id is not None:
            return "offer_of_redemption"
        case Unsold():
            return _why_too_weak(command, state, on, profile)
        case _:
            assert_never(state)


def _why_too_weak(command: ConfirmUnsold, state: Unsold, on: date, profile: Profile) -> str | None:
    """It must have stood for some days, which are not long past, and have offered at least what is to be redeemed now."""
    terms = state.terms
    if not profile.stood_unsold(terms.opened_on, state.ended_on):
        return "offered_too_short"
    if not profile.is_fresh(state.ended_on, on):
        return "offered_too_long_ago"
    wanted_fen = command.principal_fen
    enough = terms.is_whole or (wanted_fen is not None and wanted_fen <= terms.principal_fen)
    return None if enough else "offered_less"


def _confirmed(command: ConfirmUnsold, terms: Terms, state: Unsold) -> UnsoldConfirmed:
    return UnsoldConfirmed(
        offer_id=terms.offer_id,
        redemption_id=command.redemption_id,
        seller=terms.seller,
        claim_id=terms.claim_id,
        loan_id=terms.loan_id,
        opened_on=terms.opened_on,
        ended_on=state.ended_on,
    )
