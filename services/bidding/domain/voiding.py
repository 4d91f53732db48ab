"""A contract that is void before its money moved: for fraud, duress or an illegal purpose (processes.md 1.N).

Legal proposes it, another person of legal and finance agree, three people in all; then the listing is cancelled for that reason and every
hold released, which gives each lender his principal back and no interest. Once the loan is funded its money has moved: the way
is a measure of repayment then (`voidance`).
"""

from collections.abc import Sequence
from typing import assert_never

from libs.events.bidding import ListingCancelled
from libs.events.deciding import Context, Refused
from libs.events.voiding import ListingVoidingApproved, ListingVoidingProposed
from services.bidding.commands import CancelListing
from services.bidding.commands.voiding import ApproveVoiding, ProposeVoiding
from services.bidding.domain.accepted import NONE, Lines
from services.bidding.domain.cancelling import cancel, cancelled
from services.bidding.domain.ids import require_not_himself, require_staff
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
    TurnedDown,
)

_Cancellable = Prepared | Scheduled | Open | Filled | Passed | Payable
_Answer = ListingVoidingProposed | ListingVoidingApproved | ListingCancelled


def take_back(
    command: CancelListing | ProposeVoiding | ApproveVoiding, state: ListingState, context: Context
) -> Sequence[_Answer]:
    """A listing is taken back as it is, or because its contract is void. Refusals stand on the commands."""
    if isinstance(command, CancelListing):
        return cancel(command, state, context)
    return _void(command, state, context)


def _void(
    command: ProposeVoiding | ApproveVoiding, state: ListingState, context: Context
) -> Sequence[_Answer]:
    require_staff(context.principal)
    match state:
        case NotListed() | TurnedDown():
            raise Refused("unknown_listing")
        case Funding() | Funded():
            raise Refused("loan_funded")
        case Expired():
            raise Refused("listing_ended")
        case Cancelled():
            return []
        case Prepared() | Scheduled() | Open() | Filled() | Passed() | Payable():
            require_not_himself(command.himself, state.terms.borrower)
            if isinstance(command, ProposeVoiding):
                return _propose(command, state, context)
            return _approve(command, state, context)
        case _:
            assert_never(state)


def _propose(
    command: ProposeVoiding, state: _Cancellable, context: Context
) -> Sequence[ListingVoidingProposed]:
    terms = state.terms
    if terms.voiding is not None:
        if terms.voiding.code != command.code:
            raise Refused("voiding_proposed")
        return []
    return [
        ListingVoidingProposed(
            listing_id=terms.listing_id,
            loan_id=terms.loan_id,
            borrower=terms.borrower,
            code=command.code,
            proposer=context.principal,
        )
    ]


def _approve(command: ApproveVoiding, state: _Cancellable, context: Context) -> Sequence[_Answer]:
    terms, voiding = state.terms, state.terms.voiding
    if voiding is None:
        raise Refused("voiding_not_proposed")
    if command.post in voiding.posts:
        return []
    if context.principal in voiding.people:
        raise Refused("forbidden_second_signature")
    approved = ListingVoidingApproved(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        code=voiding.code,
        post=command.post,
        approver=context.principal,
    )
    if not voiding.posts:
        return [approved]
    return [approved, cancelled(terms, _bids(state), context, voiding.code)]


def _bids(state: _Cancellable) -> Lines:
    return NONE if isinstance(state, Prepared | Scheduled) else state.bids
