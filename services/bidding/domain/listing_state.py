"""What a listing remembers: its situations from open to funded or expired, and how its events change them.

Bids stand in the order of the log, a line each (accepted.py). Once every hold is captured or released, the bids are
history and only the terms stay.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, assert_never

from libs.events.bidding import (
    BidDeclined,
    BidPlaced,
    CaptureRecorded,
    FundingRequested,
    FundsCollected,
    ListingCancelled,
    ListingChecked,
    ListingExpired,
    ListingFilled,
    ListingOpened,
    ListingPrepared,
    ListingRefused,
    ListingReviewed,
    LoanFunded,
    PayoutApproved,
)
from libs.events.codec import record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.relations import ReservationConfirmed
from libs.events.schedules.terms import RepaymentTerms
from libs.events.scheduling import ListingScheduled
from libs.events.standing import OrdersAnswered
from libs.events.voiding import ListingVoidingApproved, ListingVoidingProposed, VoidingCode, VoidingPost
from services.bidding.domain.accepted import NONE, Lines, line_of


@record
class Voiding:
    """Why its contract would be void, who proposed or approved that, and the posts that did."""

    code: VoidingCode
    people: tuple[str, ...]
    posts: tuple[VoidingPost, ...] = ()


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
    newcomers_only: bool = False
    related_to_staff: bool = False
    repayment: RepaymentTerms | None = None
    guarantor: str = ""
    voiding: Voiding | None = None
    signers: tuple[str, ...] = ()
    """Who prepared it and who looked at it before it was published: they take no other step of its chain."""


@record
class NotListed:
    """No such listing yet."""

    kind: Literal["not_listed"] = "not_listed"


@record
class TurnedDown:
    """The application's terms broke a rule, or nobody found them fit to be published: there is no listing, and it was told so."""

    kind: Literal["turned_down"] = "turned_down"
    application_id: str


@record
class Prepared:
    """Waits for the look of a second person until the end of `terms.closes_on`; its window of `window_days` has not begun."""

    kind: Literal["prepared"] = "prepared"
    terms: Terms
    window_days: int
    content_hash: str
    purpose: str = ""

    def published_after(self, day: date, *, newcomers_only: bool) -> Terms:
        """Its terms when the whole days of its window begin after this one, for everybody or for newcomers only."""
        closes_on = day + timedelta(days=self.window_days)
        return replace(self.terms, closes_on=closes_on, newcomers_only=newcomers_only)


@record
class Scheduled:
    """Looked at by a second person, or put there by hand (`content_hash` is empty): open from `opens_on` to `terms.closes_on`."""

    kind: Literal["scheduled"] = "scheduled"
    terms: Terms
    content_hash: str
    opens_on: date
    purpose: str = ""


@record
class Open:
    """Takes bids until the end of `terms.closes_on`; `raised_fen` is what they sum to."""

    kind: Literal["open"] = "open"
    terms: Terms
    bids: Lines
    raised_fen: Count


@record
class Filled:
    """The amount is reached exactly; the full-bid review comes next, by `reviews_needed` people (0: by itself).

    `reviewers` have approved it, in their order; all must by the end of `review_by` (None where it passes by itself).
    """

    kind: Literal["filled"] = "filled"
    terms: Terms
    bids: Lines
    reviews_needed: Count
    reviewers: tuple[str, ...] = ()
    review_by: date | None = None


@record
class Passed:
    """Passed review, by itself or by `reviewers`; onboarding looks whether the borrower's caps are kept today. Once more when
    `executor` pays it out under a `voucher`; both are empty before."""

    kind: Literal["passed"] = "passed"
    terms: Terms
    bids: Lines
    reviewers: tuple[str, ...] = ()
    executor: str = ""
    voucher: str = ""


@record
class Payable:
    """Reviewed by people, caps kept: waits for another person to pay it out, until the end of `pay_by`."""

    kind: Literal["payable"] = "payable"
    terms: Terms
    bids: Lines
    reviewers: tuple[str, ...]
    pay_by: date | None = None


@record
class Funding:
    """Funded on `funded_on`; the holds in `missing` are not captured yet."""

    kind: Literal["funding"] = "funding"
    terms: Terms
    bids: Lines
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

    @property
    def is_void(self) -> bool:
        """Whether its contract was void; then what asked for funding meanwhile is too late, not wrong."""
        return self.terms.voiding is not None


ListingState = (
    NotListed
    | TurnedDown
    | Prepared
    | Scheduled
    | Open
    | Filled
    | Passed
    | Payable
    | Funding
    | Funded
    | Expired
    | Cancelled
)
ListingEvent = (
    ListingPrepared
    | ListingChecked
    | ListingScheduled
    | ListingOpened
    | ListingRefused
    | BidPlaced
    | BidDeclined
    | OrdersAnswered
    | ListingFilled
    | ListingReviewed
    | ListingCancelled
    | ListingExpired
    | FundingRequested
    | PayoutApproved
    | LoanFunded
    | CaptureRecorded
    | FundsCollected
    | ReservationConfirmed
    | ListingVoidingProposed
    | ListingVoidingApproved
)


def evolve(state: ListingState, event: ListingEvent) -> ListingState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case ListingPrepared() | ListingScheduled():
            return _to_come(event)
        case ListingChecked():
            assert isinstance(state, Prepared), "only a prepared listing is checked"
            return _checked(state, event)
        case ListingOpened():
            before = state.terms if isinstance(state, Prepared | Scheduled) else None
            return Open(terms=_terms(event, before), bids=NONE, raised_fen=0)
        case ListingRefused():
            return TurnedDown(application_id=event.application_id)
        case BidPlaced() | BidDeclined() | OrdersAnswered() | ReservationConfirmed():
            return _answered(state, event)
        case ListingVoidingProposed() | ListingVoidingApproved() | ListingCancelled():
            assert isinstance(state, Prepared | Scheduled | Open | Filled | Passed | Payable), (
                "only a listing that is not funded is cancelled"
            )
            return _ending(state, event)
        case ListingFilled():
            assert isinstance(state, Open), "only an open listing is filled"
            return Filled(
                terms=state.terms,
                bids=state.bids,
                reviews_needed=event.reviews_needed,
                review_by=event.review_by,
            )
        case ListingReviewed():
            assert isinstance(state, Filled), "only a filled listing is reviewed"
            return replace(state, reviewers=(*state.reviewers, event.reviewer))
        case ListingExpired():
            assert isinstance(state, Open), "only an open listing expires"
            return Expired(terms=state.terms)
        case FundingRequested():
            assert isinstance(state, Filled | Payable), "only a filled listing passes, or is paid out"
            passed = Passed(terms=state.terms, bids=state.bids, reviewers=state.reviewers)
            return replace(passed, executor=event.executor, voucher=event.voucher)
        case PayoutApproved():
            assert isinstance(state, Filled | Passed), "only a reviewed listing is paid out"
            return Payable(terms=state.terms, bids=state.bids, reviewers=event.reviewers, pay_by=event.pay_by)
        case LoanFunded():
            assert isinstance(state, Filled | Passed | Payable), "only a filled listing is funded"
            missing = tuple(bid.hold_id for bid in event.bids)
            return Funding(terms=state.terms, bids=state.bids, funded_on=event.funded_on, missing=missing)
        case CaptureRecorded() | FundsCollected():
            assert isinstance(state, Funding), "only a funded listing collects"
            return _captured(state, event)
        case _:
            assert_never(event)


def _ending(
    state: Prepared | Scheduled | Open | Filled | Passed | Payable,
    event: ListingVoidingProposed | ListingVoidingApproved | ListingCancelled,
) -> ListingState:
    if isinstance(event, ListingCancelled):
        return Cancelled(terms=state.terms)
    return replace(state, terms=_voided(state.terms, event))


def _voided(terms: Terms, event: ListingVoidingProposed | ListingVoidingApproved) -> Terms:
    if isinstance(event, ListingVoidingProposed):
        return replace(terms, voiding=Voiding(code=event.code, people=(event.proposer,)))
    assert terms.voiding is not None, "only what is proposed is approved"
    people, posts = (*terms.voiding.people, event.approver), (*terms.voiding.posts, event.post)
    return replace(terms, voiding=replace(terms.voiding, people=people, posts=posts))


def _answered(
    state: ListingState, event: BidPlaced | BidDeclined | OrdersAnswered | ReservationConfirmed
) -> ListingState:
    if not isinstance(event, BidPlaced):
        return state
    assert isinstance(state, Open), "only an open listing takes a bid"
    return replace(state, bids=state.bids + line_of(event.bid), raised_fen=event.raised_after_fen)


def _captured(state: Funding, event: CaptureRecorded | FundsCollected) -> Funding | Funded:
    if isinstance(event, FundsCollected):
        return Funded(terms=state.terms)
    return replace(state, missing=tuple(hold for hold in state.missing if hold != event.hold_id))


def _checked(state: Prepared, event: ListingChecked) -> Prepared | Scheduled:
    """What opens at once, or never, says so by the next event of the same decision."""
    state = replace(state, terms=replace(state.terms, signers=(*state.terms.signers, event.checker)))
    if event.opens_on is None or event.verdict == "reject":
        return state
    return Scheduled(
        terms=state.published_after(event.opens_on - timedelta(days=1), newcomers_only=event.newcomers_only),
        content_hash=event.content_hash,
        opens_on=event.opens_on,
        purpose=state.purpose,
    )


def _to_come(event: ListingPrepared | ListingScheduled) -> Prepared | Scheduled:
    if isinstance(event, ListingScheduled):
        terms = _terms(event.opening)
        return Scheduled(terms=terms, content_hash="", opens_on=event.opens_on, purpose=event.purpose)
    told = event.disclosure
    terms = Terms(
        listing_id=event.listing_id,
        loan_id=event.loan_id,
        borrower=event.borrower,
        borrower_account=event.borrower_account,
        amount_fen=told.amount_fen,
        annual_rate=told.annual_rate,
        tenor_months=told.tenor_months,
        grade=told.grade,
        bid_min_fen=told.bid_min_fen,
        closes_on=event.check_by,
        origination_fee_fen=told.origination_fee_fen,
        interest_fee_permille=told.interest_fee_permille,
        product=told.product,
        region=told.region,
        owner=event.owner,
        related=event.related,
        application_id=event.application_id,
        related_to_staff=told.related_to_staff,
        repayment=told.repayment,
        guarantor=told.guarantor,
        signers=(event.prepared_by,),
    )
    text, days = event.content_hash, told.window_days
    return Prepared(terms=terms, window_days=days, content_hash=text, purpose=told.purpose)


def _terms(event: ListingOpened, before: Terms | None = None) -> Terms:
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
        newcomers_only=event.newcomers_only,
        related_to_staff=event.related_to_staff,
        repayment=event.repayment,
        guarantor=event.guarantor,
        voiding=before.voiding if before else None,
        signers=before.signers if before else (),
    )
