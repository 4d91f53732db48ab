"""What a listing remembers: its situations from open to funded or expired, and how its events change them.

Bids stand in the order of the log and carry that order as a number. Once every hold is captured or released, the bids are
history and only the terms stay.
"""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.bidding import (
    Bid,
    BidDeclined,
    BidPlaced,
    CaptureRecorded,
    FundingRequested,
    FundsCollected,
    ListingCancelled,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingRefused,
    ListingReviewed,
    LoanFunded,
)
from libs.events.codec import record
from libs.events.money import AnnualRate, Count, PositiveFen


@record
class Terms:
    """What is being lent on, as published when the listing opened."""

    listing_id: str
    loan_id: str
    borrower: str
    borrower_account: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    bid_min_fen: PositiveFen
    closes_on: date
    origination_fee_fen: Count
    interest_fee_permille: int
    product: str
    region: str
    owner: str | None
    related: tuple[str, ...]
    application_id: str


@record
class NotListed:
    """No such listing yet."""

    kind: Literal["not_listed"] = "not_listed"


@record
class TurnedDown:
    """The application's terms broke a rule: there is no listing, and it was told so."""

    kind: Literal["turned_down"] = "turned_down"
    application_id: str


@record
class Open:
    """Takes bids until the end of `terms.closes_on`; `raised_fen` is what they sum to."""

    kind: Literal["open"] = "open"
    terms: Terms
    bids: tuple[Bid, ...]
    raised_fen: Count


@record
class Filled:
    """The amount is reached exactly; the full-bid review comes next, by `reviews_needed` people (0: by itself).

    `reviewers` are those who have approved it, in their order.
    """

    kind: Literal["filled"] = "filled"
    terms: Terms
    bids: tuple[Bid, ...]
    reviews_needed: Count
    reviewers: tuple[str, ...] = ()


@record
class Passed:
    """Passed review; onboarding looks whether the borrower's caps are kept today."""

    kind: Literal["passed"] = "passed"
    terms: Terms
    bids: tuple[Bid, ...]


@record
class Funding:
    """Funded on `funded_on`; the holds in `missing` are not captured yet."""

    kind: Literal["funding"] = "funding"
    terms: Terms
    bids: tuple[Bid, ...]
    funded_on: date
    missing: tuple[str, ...]


@record
class Funded:
    """Every hold is captured: the rest is the loan's life."""

    kind: Literal["funded"] = "funded"
    terms: Terms


@record
class Expired:
    """The window ended unfilled."""

    kind: Literal["expired"] = "expired"
    terms: Terms


@record
class Cancelled:
    """Taken back before it was filled, or filled and not funded."""

    kind: Literal["cancelled"] = "cancelled"
    terms: Terms


ListingState = NotListed | TurnedDown | Open | Filled | Passed | Funding | Funded | Expired | Cancelled
ListingEvent = (
    ListingOpened
    | ListingRefused
    | BidPlaced
    | BidDeclined
    | ListingFilled
    | ListingReviewed
    | ListingCancelled
    | ListingExpired
    | FundingRequested
    | LoanFunded
    | CaptureRecorded
    | FundsCollected
)


def evolve(state: ListingState, event: ListingEvent) -> ListingState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case ListingOpened():
            return Open(terms=_terms(event), bids=(), raised_fen=0)
        case ListingRefused():
            return TurnedDown(application_id=event.application_id)
        case BidPlaced():
            assert isinstance(state, Open), "only an open listing takes a bid"
            return replace(state, bids=(*state.bids, event.bid), raised_fen=event.raised_after_fen)
        case BidDeclined():
            return state
        case ListingFilled():
            assert isinstance(state, Open), "only an open listing is filled"
            return Filled(terms=state.terms, bids=state.bids, reviews_needed=event.reviews_needed)
        case ListingReviewed():
            assert isinstance(state, Filled), "only a filled listing is reviewed"
            return replace(state, reviewers=(*state.reviewers, event.reviewer))
        case ListingCancelled():
            assert isinstance(state, Open | Filled | Passed), "only a listing that is not funded is cancelled"
            return Cancelled(terms=state.terms)
        case ListingExpired():
            assert isinstance(state, Open), "only an open listing expires"
            return Expired(terms=state.terms)
        case FundingRequested():
            assert isinstance(state, Filled), "only a filled listing passes"
            return Passed(terms=state.terms, bids=state.bids)
        case LoanFunded():
            assert isinstance(state, Filled | Passed), "only a filled listing is funded"
            missing = tuple(bid.hold_id for bid in state.bids)
            return Funding(terms=state.terms, bids=state.bids, funded_on=event.funded_on, missing=missing)
        case CaptureRecorded():
            assert isinstance(state, Funding), "only a funded listing has its holds captured"
            return replace(state, missing=tuple(hold for hold in state.missing if hold != event.hold_id))
        case FundsCollected():
            assert isinstance(state, Funding), "only a funded listing collects"
            return Funded(terms=state.terms)
        case _:
            assert_never(event)


def _terms(event: ListingOpened) -> Terms:
    return Terms(
        listing_id=event.listing_id,
        loan_id=event.loan_id,
        borrower=event.borrower,
        borrower_account=event.borrower_account,
        amount_fen=event.amount_fen,
        annual_rate=event.annual_rate,
        tenor_months=event.tenor_months,
        grade=event.grade,
        bid_min_fen=event.bid_min_fen,
        closes_on=event.closes_on,
        origination_fee_fen=event.origination_fee_fen,
        interest_fee_permille=event.interest_fee_permille,
        product=event.product,
        region=event.region,
        owner=event.owner,
        related=event.related,
        application_id=event.application_id,
    )
