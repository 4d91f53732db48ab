"""Taking back 撤标: a listing before it is filled, and never a bid that was accepted.

Who may ask for it is the borrower, who need not borrow, and an operator, who must not leave up what is wrong. From the last
bid on others rely on the loan, and only its review, a cap or the ceiling of the day may end it (funding.py), or that nobody
reviews it or pays it out in time (waiting.py).
"""

from collections.abc import Sequence
from typing import Literal, assert_never

from libs.events.bidding import ListingCancelled
from libs.events.deciding import Context, Refused
from services.bidding.commands import CancelBid, CancelListing
from services.bidding.domain.accepted import NONE, Lines, bids_by, bids_of
from services.bidding.domain.listing_state import (
    Cancelled,
    Expired,
    Filled,
    Funded,
    Funding,
    ListingState,
    NotListed,
    Open,
    Passed,
    Payable,
    Prepared,
    Scheduled,
    Terms,
    TurnedDown,
)


def cancel(command: CancelListing, state: ListingState, context: Context) -> Sequence[ListingCancelled]:
    """A listing is taken back. Refusals stand on CancelListing."""
    match state:
        case NotListed() | TurnedDown():
            raise Refused("unknown_listing")
        case _:
            is_borrower = context.principal == state.terms.borrower
    if command.by == "borrower" and not is_borrower:
        raise Refused("unknown_listing")
    if (command.by == "borrower") != (command.code == "borrower_withdrew"):
        raise Refused("forbidden_code")
    match state:
        case Prepared() | Scheduled():
            return [cancelled(state.terms, NONE, context, command.code, command.by)]
        case Open():
            return [cancelled(state.terms, state.bids, context, command.code, command.by)]
        case Cancelled():
            return []
        case Filled() | Passed() | Payable() | Funding() | Funded():
            raise Refused("listing_filled")
        case Expired():
            raise Refused("listing_ended")
        case _:
            assert_never(state)


def cancelled(
    terms: Terms,
    lines: Lines,
    context: Context,
    code: str,
    by: Literal["", "borrower", "operator"] = "",
) -> ListingCancelled:
    """The end of a listing that becomes no loan. `by`: who took it back, empty where a rule or its review did."""
    return ListingCancelled(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        application_id=terms.application_id,
        amount_fen=terms.amount_fen,
        cancelled_on=context.business_date,
        code=code,
        bids=bids_of(lines),
        cancelled_by=by,
        guarantor=terms.guarantor,
    )


def refuse_bid_back(command: CancelBid, state: ListingState, context: Context) -> Refused:
    """Why a bid is not taken back. What it can be stands on CancelBid."""
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            return Refused("unknown_listing")
        case Open() | Filled() | Passed() | Payable() | Funding():
            own = bids_by(state.bids, context.principal)
            accepted = any(bid.bid_id == command.bid_id for bid in own)
            return Refused("bid_accepted" if accepted else "unknown_bid")
        case Funded() | Expired() | Cancelled():
            return Refused("listing_ended")
        case _:
            assert_never(state)
