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
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.standing import BidAnswer, Ended, HeldBid, OrdersAnswered
from services.bidding.commands import (
    CancelBid,
    CancelListing,
    CheckListing,
    ConfirmFunding,
    ExecutePayout,
    FundListing,
    OpenListing,
    RecordBid,
    RecordCapture,
    RejectFunding,
    ReviewListing,
)
from services.bidding.commands.market import ConfirmReservation
from services.bidding.commands.standing import RecordBids
from services.bidding.commands.voiding import ApproveVoiding, ProposeVoiding
from services.bidding.domain.accepted import bid_with, bids_by, bids_of, number_of
from services.bidding.domain.cancelling import refuse_bid_back
from services.bidding.domain.fitness import Candidate, why_unfit
from services.bidding.domain.funding import answer_caps, execute, fund, record_capture, review
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
    Payable,
    Prepared,
    Scheduled,
    Terms,
    TurnedDown,
    evolve,
)
from services.bidding.domain.opening import (
    BID_STEP_FEN,
    OPENING_PHASE,
    check,
    open_listing,
    open_or_lapse,
    opening_of,
)
from services.bidding.domain.profile import Profile
from services.bidding.domain.reserving import confirm_reservation
from services.bidding.domain.voiding import take_back
from services.bidding.domain.waiting import lapse, lapses_on

_FundingCommand = FundListing | ConfirmFunding | RejectFunding | ReviewListing | ExecutePayout | RecordCapture
ListingCommand = (
    OpenListing
    | CheckListing
    | RecordBid
    | RecordBids
    | CancelBid
    | CancelListing
    | ConfirmReservation
    | ProposeVoiding
    | ApproveVoiding
    | _FundingCommand
)


def decide(
    command: ListingCommand | Wake, state: ListingState, context: Context, *, profile: Profile
) -> Sequence[ListingEvent]:
    """What a command does to a listing. Refusals stand on the commands; bids are declined by event."""
    match command:
        case OpenListing():
            return open_listing(command, state, context, profile)
        case CheckListing():
            return check(command, state, context, profile)
        case RecordBid():
            return _record_bid(command, state, context, profile)
        case RecordBids():
            return _record_bids(command, state, context, profile)
        case CancelBid():
            raise refuse_bid_back(command, state, context)
        case CancelListing() | ProposeVoiding() | ApproveVoiding():
            return take_back(command, state, context)
        case ConfirmReservation():
            return confirm_reservation(command, state)
        case FundListing():
            return fund(state, context, profile)
        case ConfirmFunding() | RejectFunding():
            return answer_caps(command, state, context, profile)
        case ReviewListing():
            return review(command, state, context, profile)
        case ExecutePayout():
            return execute(command, state, context, profile)
        case RecordCapture():
            return record_capture(command, state)
        case Wake():
            return _wake(command, state, context, profile)
        case _:
            assert_never(command)


def wake_on(state: ListingState) -> WakeOn:
    """An open listing wakes when the day of its window's end is closed; one before it says when it opens or lapses, and one that
    waits for people when it has waited too long."""
    match state:
        case Prepared() | Scheduled():
            return opening_of(state)
        case Open():
            return _end_of(state)
        case Filled() | Payable():
            return lapses_on(state)
        case _:
            return None


def _end_of(state: Open) -> tuple[date, int]:
    return (state.terms.closes_on, OPENING_PHASE)


def _wake(wake: Wake, state: ListingState, context: Context, profile: Profile) -> Sequence[ListingEvent]:
    match state:
        case Prepared() | Scheduled():
            return open_or_lapse(wake, state, profile)
        case Open():
            return _expire(wake, state)
        case Filled() | Payable():
            return lapse(wake, state, context)
        case _:
            return []


# --- bids ----------------------------------------------------------------------------------------------------------


def _record_bid(
    command: RecordBid, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingEvent]:
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            raise Refused("unknown_listing")
        case Open() | Filled() | Passed() | Payable() | Funding() if bid_with(state.bids, command.hold_id):
            return []
        case Open():
            code = _why_not(command, state, context, profile)
            if code is not None:
                return [_decline(command, state.terms, code)]
            return _place(command, state, context, profile)
        case Filled() | Passed() | Payable() | Funding() | Funded():
            return [_decline(command, state.terms, "listing_full")]
        case Expired() | Cancelled():
            return [_decline(command, state.terms, "listing_closed")]
        case _:
            assert_never(state)


def _record_bids(
    command: RecordBids, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingEvent]:
    """One after the other, each on what those before it have left; and the answer to the queue that sent them."""
    events: list[ListingEvent] = []
    answers: list[BidAnswer] = []
    for held in command.bids:
        decided = _record_bid(_bid_of(held), state, context, profile)
        if not decided:
            return []  # it was accepted before, and so all of them were answered
        for event in decided:
            state = evolve(state, event)
        events += decided
        answers.append(_answer_to(held, decided[0]))
    is_open = isinstance(state, Open) and not any(answer.code == "listing_closed" for answer in answers)
    is_over = isinstance(state, Open | Expired | Cancelled)
    ended: Ended = "" if is_open else "listing_closed" if is_over else "listing_full"
    answered = OrdersAnswered(
        listing_id=command.listing_id,
        chunk=command.chunk,
        remaining_after_fen=state.terms.amount_fen - state.raised_fen if isinstance(state, Open) else 0,
        ended=ended,
        answers=tuple(answers),
    )
    return [*events, answered]


def _bid_of(held: HeldBid) -> RecordBid:
    return RecordBid(
        bid_id=held.bid_id,
        hold_id=held.hold_id,
        account_id=held.account_id,
        investor=held.investor,
        amount_fen=held.amount_fen,
        suitability_level=held.suitability_level,
        suitability_valid_to=held.suitability_valid_to,
        allow_partial=True,
        has_lent=held.has_lent,
        standing_order=held.order_id,
    )


def _answer_to(held: HeldBid, event: ListingEvent) -> BidAnswer:
    if isinstance(event, BidPlaced):
        return BidAnswer(order_id=held.order_id, amount_fen=event.bid.amount_fen, code="")
    assert isinstance(event, BidDeclined), "a bid is accepted or declined"
    return BidAnswer(order_id=held.order_id, amount_fen=0, code=event.code)


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
    if terms.newcomers_only and command.has_lent:
        return "newcomers_only"
    if code := _why_too_much(command, state, context.business_date, profile):
        return code
    if command.amount_fen >= remaining_fen:
        fits = command.amount_fen == remaining_fen or command.allow_partial
        return None if fits else "bid_above_remaining"
    if command.amount_fen < terms.bid_min_fen:
        return "bid_too_small"
    if command.amount_fen % BID_STEP_FEN:
        return "bid_not_multiple"
    return None


def _why_too_much(command: RecordBid, state: Open, on: date, profile: Profile) -> str | None:
    """The code of the cap that a bid breaks together with what its investor has in this listing already."""
    taken_fen = _taken_fen(command, state, on, profile)
    in_it_fen = _lent_fen(state, command.investor) + taken_fen
    newcomer_cap_fen = profile.newcomer_cap_fen(on)
    if state.terms.newcomers_only and newcomer_cap_fen is not None and in_it_fen > newcomer_cap_fen:
        return "above_newcomer_cap"
    cap_fen = profile.investor_cap_fen(on)
    is_cut = taken_fen < _wanted_fen(command, state)
    if is_cut and taken_fen < state.terms.bid_min_fen:
        return "above_investor_cap"
    return "above_investor_cap" if cap_fen is not None and in_it_fen > cap_fen else None


def _taken_fen(command: RecordBid, state: Open, on: date, profile: Profile) -> int:
    """What the listing takes of a bid, if it takes it: of a standing order's whole steps up to its investor's cap."""
    wanted_fen, cap_fen = _wanted_fen(command, state), profile.investor_cap_fen(on)
    if not command.standing_order or cap_fen is None:
        return wanted_fen
    left_fen = max(0, cap_fen - _lent_fen(state, command.investor))
    return wanted_fen if wanted_fen <= left_fen else left_fen - left_fen % BID_STEP_FEN


def _wanted_fen(command: RecordBid, state: Open) -> int:
    """What there is of a listing for a bid."""
    remaining_fen = state.terms.amount_fen - state.raised_fen
    return min(command.amount_fen, remaining_fen) if command.allow_partial else command.amount_fen


def _lent_fen(state: Open, investor: str) -> int:
    """What an investor has in this listing already."""
    return sum(bid.amount_fen for bid in bids_by(state.bids, investor))


def _why_unfit(command: RecordBid, terms: Terms, on: date, profile: Profile) -> str | None:
    candidate = Candidate(
        user=command.investor,
        level=command.suitability_level,
        valid_to=command.suitability_valid_to,
        related=command.related,
    )
    return why_unfit(
        candidate,
        borrower=terms.borrower,
        related=terms.related,
        grade=terms.grade,
        on=on,
        profile=profile,
    )


def _place(command: RecordBid, state: Open, context: Context, profile: Profile) -> Sequence[ListingEvent]:
    terms, day = state.terms, context.business_date
    taken_fen = _taken_fen(command, state, day, profile)
    raised_after = state.raised_fen + taken_fen
    bid = Bid(
        order=number_of(state.bids) + 1,
        bid_id=command.bid_id,
        hold_id=command.hold_id,
        account_id=command.account_id,
        investor=command.investor,
        amount_fen=taken_fen,
        standing_order=command.standing_order,
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
    reviews_needed = profile.reviews_needed(terms.amount_fen, day)
    filled = ListingFilled(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        amount_fen=terms.amount_fen,
        bid_count=bid.order,
        reviews_needed=reviews_needed,
        review_by=day + timedelta(days=profile.review_days) if reviews_needed else None,
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


def _expire(wake: Wake, state: Open) -> Sequence[ListingExpired]:
    if (wake.business_date, wake.phase) < _end_of(state):
        return []
    terms = state.terms
    return [
        ListingExpired(
            listing_id=terms.listing_id,
            expired_on=wake.business_date,
            bids=bids_of(state.bids),
            loan_id=terms.loan_id,
            borrower=terms.borrower,
            application_id=terms.application_id,
            amount_fen=terms.amount_fen,
            guarantor=terms.guarantor,
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
