"""What a listing says before a claim in its loan is offered: who was related to the borrower when the loan was approved.

The loan does not know it, and a buyer's account only what was declared to it; the listing knew, for its own bidders (decision 9).
"""

from collections.abc import Sequence

from libs.events.relations import ReservationConfirmed
from services.bidding.commands.market import ConfirmReservation
from services.bidding.domain.ids import listing_of
from services.bidding.domain.listing_state import ListingState, NotListed, TurnedDown


def confirm_reservation(command: ConfirmReservation, state: ListingState) -> Sequence[ReservationConfirmed]:
    """The listing's answer, always. The same question again is answered again: a listing keeps no list of offers."""
    related = () if isinstance(state, NotListed | TurnedDown) else state.terms.related
    return [
        ReservationConfirmed(
            listing_id=listing_of(command.loan_id),
            offer_id=command.offer_id,
            loan_id=command.loan_id,
            borrower=command.borrower,
            principal_fen=command.principal_fen,
            interest_max_fen=command.interest_max_fen,
            grade=command.grade,
            annual_rate=command.annual_rate,
            matures_on=command.matures_on,
            product=command.product,
            region=command.region,
            method=command.method,
            related=related,
        )
    ]
