"""The listing: a loan request that collects bids in the order of the log, never more than it asks for.

It decides about bids whose money is already held in another stream, so it declines by an event that names the hold.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.bidding import (
    Bid,
    BidDeclined,
    BidPlaced,
    CaptureRecorded,
    ClaimTerms,
    FundsCollected,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    LoanFunded,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.money import Rounding, divide_fen
from services.bidding.commands import FundListing, OpenListing, RecordBid, RecordCapture
from services.bidding.domain.ids import account_of, claim_of, listing_of
from services.bidding.domain.listing_state import (
    Expired,
    Filled,
    Funded,
    Funding,
    ListingEvent,
    ListingState,
    NotListed,
    Open,
    Terms,
    evolve,
)
from services.bidding.domain.profile import Profile, cost_is_within

#: Bids are multiples of 100 yuan (domain.md section 3).
BID_STEP_FEN = 100_00

#: A bid is at least a thousandth of the amount, so that a loan has at most 1,000 claims.
BIDS_MAX = 1_000

#: The phase of a day in which listings expire (design.md 2.7).
EXPIRY_PHASE = 1

_GRADE_LENGTH_MAX = 8
_PERMILLE = 1_000

ListingCommand = OpenListing | RecordBid | FundListing | RecordCapture


def bid_min_fen(amount_fen: int) -> int:
    """The smallest bid on a listing, in fen: max(100 yuan, amount/1,000 rounded up to 100 yuan) (domain.md section 3)."""
    return divide_fen(amount_fen, BIDS_MAX * BID_STEP_FEN, Rounding.UP) * BID_STEP_FEN


def decide(
    command: ListingCommand | Wake, state: ListingState, context: Context, *, profile: Profile
) -> Sequence[ListingEvent]:
    """What a command does to a listing. Refusals stand on the commands; bids are declined by event."""
    match command:
        case OpenListing():
            return _open(command, state, context, profile)
        case RecordBid():
            return _record_bid(command, state, context)
        case FundListing():
            return _fund(state, context)
        case RecordCapture():
            return _record_capture(command, state)
        case Wake():
            return _expire(command, state)
        case _:
            assert_never(command)


def wake_on(state: ListingState) -> WakeOn:
    """An open listing wakes when the day of its window's end is closed."""
    return _end_of(state) if isinstance(state, Open) else None


def _end_of(state: Open) -> tuple[date, int]:
    return (state.terms.closes_on, EXPIRY_PHASE)


# --- opening -------------------------------------------------------------------------------------------------------


def _open(
    command: OpenListing, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingOpened]:
    if not isinstance(state, NotListed):
        if _asks_for(command, state.terms):
            return []
        raise Refused("listing_exists")
    _check_terms(command, context, profile)
    return [
        ListingOpened(
            listing_id=listing_of(command.loan_id),
            loan_id=command.loan_id,
            borrower=command.borrower,
            borrower_account=account_of(command.borrower),
            amount_fen=command.amount_fen,
            annual_rate=command.annual_rate,
            tenor_months=command.tenor_months,
            grade=command.grade,
            bid_min_fen=bid_min_fen(command.amount_fen),
            closes_on=context.business_date + timedelta(days=command.window_days),
            origination_fee_fen=command.origination_fee_fen,
            interest_fee_permille=command.interest_fee_permille,
        )
    ]


def _asks_for(command: OpenListing, terms: Terms) -> bool:
    """Whether the listing stands on these terms already; its window runs from the day it was opened first."""
    asked = (command.loan_id, command.borrower, command.amount_fen, command.annual_rate, command.tenor_months)
    listed = (terms.loan_id, terms.borrower, terms.amount_fen, terms.annual_rate, terms.tenor_months)
    asked_fees = (command.grade, command.origination_fee_fen, command.interest_fee_permille)
    return asked == listed and asked_fees == (
        terms.grade,
        terms.origination_fee_fen,
        terms.interest_fee_permille,
    )


def _check_terms(command: OpenListing, context: Context, profile: Profile) -> None:
    if not 1 <= command.tenor_months <= profile.tenor_months_max:
        raise Refused("invalid_tenor")
    if not 1 <= command.window_days <= profile.window_days_max:
        raise Refused("invalid_window")
    if not (
        0 < len(command.grade) <= _GRADE_LENGTH_MAX and command.grade.isascii() and command.grade.isalnum()
    ):
        raise Refused("invalid_grade")
    if (
        command.origination_fee_fen >= command.amount_fen
        or not 0 <= command.interest_fee_permille <= _PERMILLE
    ):
        raise Refused("invalid_fee")
    cap_fen = profile.listing_cap_fen(context.business_date)
    if cap_fen is not None and command.amount_fen > cap_fen:
        raise Refused("invalid_amount")
    ceiling = profile.rate_ceiling(context.business_date)
    if ceiling is not None and not cost_is_within(
        ceiling,
        amount_fen=command.amount_fen,
        fee_fen=command.origination_fee_fen,
        annual_rate=command.annual_rate,
        months=command.tenor_months,
    ):
        raise Refused("invalid_rate")


# --- bids ----------------------------------------------------------------------------------------------------------


def _record_bid(command: RecordBid, state: ListingState, context: Context) -> Sequence[ListingEvent]:
    match state:
        case NotListed():
            raise Refused("unknown_listing")
        case Open() | Filled() | Funding() if any(bid.hold_id == command.hold_id for bid in state.bids):
            return []
        case Open():
            code = _why_not(command, state, context)
            return _place(command, state) if code is None else [_decline(command, state.terms, code)]
        case Filled() | Funding() | Funded():
            return [_decline(command, state.terms, "listing_full")]
        case Expired():
            return [_decline(command, state.terms, "listing_closed")]
        case _:
            assert_never(state)


def _why_not(command: RecordBid, state: Open, context: Context) -> str | None:
    """The code of the rule that a bid breaks, None for a good one. The bid that closes the listing may be odd."""
    terms = state.terms
    remaining_fen = terms.amount_fen - state.raised_fen
    # The date may be past before the tick has reached this stream: the window ends with its day all the same.
    if context.business_date > terms.closes_on:
        return "listing_closed"
    if terms.borrower == command.investor:
        return "own_listing"
    if command.amount_fen > remaining_fen:
        return "bid_above_remaining"
    if command.amount_fen == remaining_fen:
        return None
    if command.amount_fen < terms.bid_min_fen:
        return "bid_too_small"
    if command.amount_fen % BID_STEP_FEN:
        return "bid_not_multiple"
    return None


def _place(command: RecordBid, state: Open) -> Sequence[ListingEvent]:
    terms = state.terms
    raised_after = state.raised_fen + command.amount_fen
    bid = Bid(
        order=len(state.bids) + 1,
        bid_id=command.bid_id,
        hold_id=command.hold_id,
        account_id=command.account_id,
        investor=command.investor,
        amount_fen=command.amount_fen,
    )
    placed = BidPlaced(
        listing_id=terms.listing_id,
        bid=bid,
        raised_after_fen=raised_after,
        remaining_after_fen=terms.amount_fen - raised_after,
    )
    if raised_after < terms.amount_fen:
        return [placed]
    filled = ListingFilled(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        amount_fen=terms.amount_fen,
        bid_count=bid.order,
    )
    return [placed, filled]


def _decline(command: RecordBid, terms: Terms, code: str) -> BidDeclined:
    return BidDeclined(
        listing_id=terms.listing_id,
        bid_id=command.bid_id,
        hold_id=command.hold_id,
        account_id=command.account_id,
        investor=command.investor,
        amount_fen=command.amount_fen,
        code=code,
    )


def _expire(wake: Wake, state: ListingState) -> Sequence[ListingExpired]:
    if not isinstance(state, Open) or (wake.business_date, wake.phase) < _end_of(state):
        return []
    terms = state.terms
    return [ListingExpired(listing_id=terms.listing_id, expired_on=wake.business_date, bids=state.bids)]


# --- funding -------------------------------------------------------------------------------------------------------


def _fund(state: ListingState, context: Context) -> Sequence[LoanFunded]:
    match state:
        case NotListed():
            raise Refused("unknown_listing")
        case Open() | Expired():
            raise Refused("listing_not_filled")
        case Funding() | Funded():
            return []
        case Filled():
            terms = state.terms
            return [
                LoanFunded(
                    listing_id=terms.listing_id,
                    loan_id=terms.loan_id,
                    borrower=terms.borrower,
                    borrower_account=terms.borrower_account,
                    amount_fen=terms.amount_fen,
                    annual_rate=terms.annual_rate,
                    tenor_months=terms.tenor_months,
                    grade=terms.grade,
                    origination_fee_fen=terms.origination_fee_fen,
                    interest_fee_permille=terms.interest_fee_permille,
                    funded_on=context.business_date,
                    bids=state.bids,
                    claims=_claims(terms, state.bids),
                )
            ]
        case _:
            assert_never(state)


def _claims(terms: Terms, bids: tuple[Bid, ...]) -> tuple[ClaimTerms, ...]:
    """One claim per bid, of its amount and in its order: together exactly the loan's principal."""
    return tuple(
        ClaimTerms(
            order=bid.order,
            claim_id=claim_of(terms.loan_id, bid.order),
            account_id=bid.account_id,
            investor=bid.investor,
            principal_fen=bid.amount_fen,
        )
        for bid in bids
    )


def _record_capture(command: RecordCapture, state: ListingState) -> Sequence[ListingEvent]:
    match state:
        case NotListed():
            raise Refused("unknown_listing")
        case Open() | Filled() | Expired():
            raise Refused("listing_not_funded")
        case Funded():
            return []
        case Funding():
            return _capture(command, state)
        case _:
            assert_never(state)


def _capture(command: RecordCapture, state: Funding) -> Sequence[ListingEvent]:
    bid = next((bid for bid in state.bids if bid.hold_id == command.hold_id), None)
    if bid is None:
        raise Refused("unknown_hold")
    if bid.amount_fen != command.amount_fen:
        raise Refused("amount_differs")
    if command.hold_id not in state.missing:
        return []
    missing = len(state.missing) - 1
    recorded = CaptureRecorded(
        listing_id=state.terms.listing_id,
        loan_id=state.terms.loan_id,
        hold_id=command.hold_id,
        amount_fen=command.amount_fen,
        missing=missing,
    )
    return [recorded, _collected(state)] if missing == 0 else [recorded]


def _collected(state: Funding) -> FundsCollected:
    terms = state.terms
    return FundsCollected(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        borrower_account=terms.borrower_account,
        amount_fen=terms.amount_fen,
        annual_rate=terms.annual_rate,
        tenor_months=terms.tenor_months,
        grade=terms.grade,
        origination_fee_fen=terms.origination_fee_fen,
        interest_fee_permille=terms.interest_fee_permille,
        funded_on=state.funded_on,
        claims=_claims(terms, state.bids),
    )


def aggregate(profile: Profile) -> Aggregate:
    """The listing aggregate under a profile's caps and ceilings."""
    return Aggregate(
        name="listing",
        prefix="lst",
        commands=get_args(ListingCommand),
        events=get_args(ListingEvent),
        state=ListingState,
        initial=NotListed(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
