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
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingRefused,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.money import Rounding, divide_fen
from services.bidding.commands import (
    CancelBid,
    CancelListing,
    ConfirmFunding,
    FundListing,
    OpenListing,
    RecordBid,
    RecordCapture,
    RejectFunding,
    ReviewListing,
)
from services.bidding.domain.cancelling import cancel, refuse_bid_back
from services.bidding.domain.funding import answer_caps, fund, is_affordable, record_capture, review
from services.bidding.domain.ids import account_of, listing_of
from services.bidding.domain.listing_state import (
    Cancelled,
    Expired,
    Filled,
    Funded,
    Funding,
    ListingEvent,
    ListingState,
    NotListed,
    Open,
    Passed,
    Terms,
    TurnedDown,
    evolve,
)
from services.bidding.domain.profile import Profile, can_be_said

#: Bids are multiples of 100 yuan (domain.md section 3).
BID_STEP_FEN = 100_00

#: A bid is at least a thousandth of the amount, so that a loan has at most 1,000 claims.
BIDS_MAX = 1_000

#: The phase of a day in which listings expire (design.md 2.7).
EXPIRY_PHASE = 1

_GRADE_LENGTH_MAX = 8
_PERMILLE = 1_000

_FundingCommand = FundListing | ConfirmFunding | RejectFunding | ReviewListing | RecordCapture
ListingCommand = OpenListing | RecordBid | CancelBid | CancelListing | _FundingCommand


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
            return _record_bid(command, state, context, profile)
        case CancelBid():
            raise refuse_bid_back(command, state, context)
        case CancelListing():
            return cancel(command, state, context)
        case FundListing():
            return fund(state, context, profile)
        case ConfirmFunding() | RejectFunding():
            return answer_caps(command, state, context)
        case ReviewListing():
            return review(command, state, context, profile)
        case RecordCapture():
            return record_capture(command, state)
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
) -> Sequence[ListingOpened | ListingRefused]:
    match state:
        case NotListed():
            pass
        case TurnedDown():
            if command.application_id == state.application_id:
                return []
        case _:
            if _asks_for(command, state.terms):
                return []
            raise Refused("listing_exists")
    try:
        _check_terms(command, context, profile)
        listing_id, borrower_account = listing_of(command.loan_id), account_of(command.borrower)
    except Refused as refused:
        if not command.application_id:
            raise
        return [_turn_down(command, refused.code)]
    return [
        ListingOpened(
            listing_id=listing_id,
            loan_id=command.loan_id,
            borrower=command.borrower,
            borrower_account=borrower_account,
            amount_fen=command.amount_fen,
            annual_rate=command.annual_rate,
            tenor_months=command.tenor_months,
            grade=command.grade,
            bid_min_fen=bid_min_fen(command.amount_fen),
            closes_on=context.business_date + timedelta(days=command.window_days),
            origination_fee_fen=command.origination_fee_fen,
            interest_fee_permille=command.interest_fee_permille,
            product=command.product,
            region=command.region,
            owner=command.owner,
            related=command.related,
            application_id=command.application_id,
        )
    ]


def _turn_down(command: OpenListing, code: str) -> ListingRefused:
    """A saga step declines by an event (design.md 2.6): onboarding releases the exposure that it reserved."""
    return ListingRefused(
        loan_id=command.loan_id,
        application_id=command.application_id,
        borrower=command.borrower,
        amount_fen=command.amount_fen,
        code=code,
    )


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
    if profile.application_required and not command.application_id:
        raise Refused("application_required")
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
    if not can_be_said(command.amount_fen, command.annual_rate, command.tenor_months):
        raise Refused("amount_too_large")
    if not is_affordable(command, context, profile):
        raise Refused("invalid_rate")


# --- bids ----------------------------------------------------------------------------------------------------------


def _record_bid(
    command: RecordBid, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingEvent]:
    match state:
        case NotListed() | TurnedDown():
            raise Refused("unknown_listing")
        case Open() | Filled() | Passed() | Funding() if any(
            bid.hold_id == command.hold_id for bid in state.bids
        ):
            return []
        case Open():
            code = _why_not(command, state, context, profile)
            if code is not None:
                return [_decline(command, state.terms, code)]
            return _place(
                command, state, profile.reviews_needed(state.terms.amount_fen, context.business_date)
            )
        case Filled() | Passed() | Funding() | Funded():
            return [_decline(command, state.terms, "listing_full")]
        case Expired() | Cancelled():
            return [_decline(command, state.terms, "listing_closed")]
        case _:
            assert_never(state)


def _why_not(command: RecordBid, state: Open, context: Context, profile: Profile) -> str | None:
    """The code of the rule that a bid breaks, None for a good one. The bid that closes the listing may be odd,
    and may be a part of a larger one whose bidder allows it.
    """
    terms = state.terms
    remaining_fen = terms.amount_fen - state.raised_fen
    # The date may be past before the tick has reached this stream: the window ends with its day all the same.
    if context.business_date > terms.closes_on:
        return "listing_closed"
    if code := _why_unfit(command, terms, context.business_date, profile):
        return code
    if command.amount_fen >= remaining_fen:
        fits = command.amount_fen == remaining_fen or command.allow_partial
        return None if fits else "bid_above_remaining"
    if command.amount_fen < terms.bid_min_fen:
        return "bid_too_small"
    if command.amount_fen % BID_STEP_FEN:
        return "bid_not_multiple"
    return None


def _why_unfit(command: RecordBid, terms: Terms, on: date, profile: Profile) -> str | None:
    """Why this investor may not bid here: his own or a related party's loan (red line 3, domain.md section 9), or a risk
    above his level (section 2: "a bid on a listing riskier than their level is refused"). The listing names the relations of
    the day of approval, the bid those that the investor's account knows now.

    Whoever was assessed is judged by it. Without an assessment the profile's `suitability_required` decides: the demo's
    investors were never assessed, so there they may bid until its people come through onboarding.
    """
    if command.investor == terms.borrower:
        return "own_loan"
    if command.investor in terms.related or terms.borrower in command.related:
        return "related_party"
    level, valid_to = command.suitability_level, command.suitability_valid_to
    if level is None or valid_to is None:
        return "unsuitable" if profile.suitability_required else None
    if valid_to < on:
        return "suitability_expired"
    return "unsuitable" if level < profile.level_needed(terms.grade, on) else None


def _place(command: RecordBid, state: Open, reviews_needed: int) -> Sequence[ListingEvent]:
    terms = state.terms
    remaining_fen = terms.amount_fen - state.raised_fen
    taken_fen = min(command.amount_fen, remaining_fen) if command.allow_partial else command.amount_fen
    raised_after = state.raised_fen + taken_fen
    bid = Bid(
        order=len(state.bids) + 1,
        bid_id=command.bid_id,
        hold_id=command.hold_id,
        account_id=command.account_id,
        investor=command.investor,
        amount_fen=taken_fen,
    )
    placed = BidPlaced(
        listing_id=terms.listing_id,
        bid=bid,
        raised_after_fen=raised_after,
        remaining_after_fen=terms.amount_fen - raised_after,
        excess_fen=command.amount_fen - taken_fen,
    )
    if raised_after < terms.amount_fen:
        return [placed]
    filled = ListingFilled(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        amount_fen=terms.amount_fen,
        bid_count=bid.order,
        reviews_needed=reviews_needed,
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
    return [
        ListingExpired(
            listing_id=terms.listing_id,
            expired_on=wake.business_date,
            bids=state.bids,
            loan_id=terms.loan_id,
            borrower=terms.borrower,
            application_id=terms.application_id,
            amount_fen=terms.amount_fen,
        )
    ]


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
