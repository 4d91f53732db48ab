"""From a filled listing to a loan: the full-bid review 满标复审, ceiling and caps of that day, then one capture after the other.

At or under the profile's threshold the review passes by itself. Above it two different people of finance look at it, who are
staff and so no party to the loan; neither may own the borrower (who brings the customer does not decide: processes.md 1.A). A
third pays it out: whoever decides does not execute (rule 7 there). Who prepared it or looked at it before it was published does
neither, whatever post is his by now (rule 5).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import assert_never

from libs.events.bidding import (
    Bid,
    CaptureRecorded,
    ClaimTerms,
    FundingRequested,
    FundsCollected,
    ListingCancelled,
    ListingReviewed,
    LoanFunded,
    PayoutApproved,
)
from libs.events.deciding import Context, Refused
from libs.events.schedules.cost import is_allowed
from services.bidding.commands import (
    ConfirmFunding,
    ExecutePayout,
    OpenListing,
    RecordCapture,
    RejectFunding,
    ReviewListing,
)
from services.bidding.domain.accepted import bid_with, bids_of
from services.bidding.domain.cancelling import cancelled
from services.bidding.domain.ids import claim_of, require_not_himself, require_staff
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
)
from services.bidding.domain.profile import Profile
from services.bidding.domain.waiting import require_in_time

_AtFunding = FundingRequested | PayoutApproved | LoanFunded | ListingCancelled

#: A voucher's number as finance counts them.
_VOUCHER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def fund(state: ListingState, context: Context, profile: Profile) -> Sequence[_AtFunding]:
    """The review passes by itself. Refusals stand on FundListing."""
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            raise Refused("unknown_listing")
        case Cancelled() if state.is_void:
            return []
        case Open() | Expired() | Cancelled():
            raise Refused("listing_not_filled")
        case Passed() | Payable() | Funding() | Funded():
            return []
        case Filled():
            if state.reviews_needed:
                raise Refused("review_missing")
            return [_pass(state, context, profile)]
        case _:
            assert_never(state)


def _pass(state: Filled, context: Context, profile: Profile, reviewers: tuple[str, ...] = ()) -> _AtFunding:
    """Reviewed, by these people or by itself. The ceiling in force on the contract's date, which is this one, is looked at here; the caps are onboarding's to
    look at again (domain.md section 2). A listing that was opened by hand counts under no cap.
    """
    terms = state.terms
    if not is_affordable(terms, context.business_date, profile):
        return cancelled(terms, state.bids, context, "invalid_rate")
    if not terms.application_id:
        return _approved(state, context, profile, reviewers) if reviewers else _funded(state, context)
    return _asked(terms)


def _asked(terms: Terms, *, executor: str = "", voucher: str = "") -> FundingRequested:
    return FundingRequested(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        application_id=terms.application_id,
        amount_fen=terms.amount_fen,
        executor=executor,
        voucher=voucher,
    )


def is_affordable(terms: OpenListing | Terms, on: date, profile: Profile) -> bool:
    """Whether a loan on these terms costs at most what the ceiling of a day allows."""
    return is_allowed(
        profile.rate_ceilings,
        on,
        terms=terms.repayment,
        amount_fen=terms.amount_fen,
        fee_fen=terms.origination_fee_fen,
        annual_rate=terms.annual_rate,
        months=terms.tenor_months,
    )


def answer_caps(
    command: ConfirmFunding | RejectFunding, state: ListingState, context: Context, profile: Profile
) -> Sequence[PayoutApproved | LoanFunded | ListingCancelled]:
    """Onboarding's answer about the borrower's caps. Refusals stand on the commands."""
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            raise Refused("unknown_listing")
        case Passed():
            if isinstance(command, RejectFunding):
                return [cancelled(state.terms, state.bids, context, command.code)]
            return [_caps_kept(command, state, context, profile)]
        case Cancelled() if state.is_void:
            return []
        case Payable() | Funding() | Funded() | Cancelled():
            if isinstance(command, RejectFunding) != isinstance(state, Cancelled):
                raise Refused("listing_not_passed")
            return []
        case Open() | Filled() | Expired():
            raise Refused("listing_not_passed")
        case _:
            assert_never(state)


def _caps_kept(
    command: ConfirmFunding, state: Passed, context: Context, profile: Profile
) -> PayoutApproved | LoanFunded | ListingCancelled:
    """The next date may have come since they were asked for: the ceiling is that of the contract's. And the borrower may have come
    near to the staff since his loan was listed: that is as it would have been then.
    """
    is_near = state.terms.related_to_staff or command.related_to_staff
    if is_near and profile.staff_related == "refused":
        return cancelled(state.terms, state.bids, context, "related_to_staff")
    if state.reviewers and not state.executor:
        approved = _approved(state, context, profile, state.reviewers)
        return replace(approved, related_to_staff=is_near)
    if not is_affordable(state.terms, context.business_date, profile):
        return cancelled(state.terms, state.bids, context, "invalid_rate")
    funded = _funded(state, context, executor=state.executor, voucher=state.voucher)
    return replace(funded, related_to_staff=is_near)


def review(
    command: ReviewListing, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingReviewed | _AtFunding]:
    """One person's verdict. Refusals stand on ReviewListing."""
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            raise Refused("unknown_listing")
        case Open() | Expired():
            raise Refused("listing_not_filled")
        case Passed() | Payable() | Funding() | Funded() | Cancelled():
            if (command.verdict == "reject") != isinstance(state, Cancelled):
                raise Refused("listing_reviewed")
            return []
        case Filled():
            return _review(command, state, context, profile)
        case _:
            assert_never(state)


def _review(
    command: ReviewListing, state: Filled, context: Context, profile: Profile
) -> Sequence[ListingReviewed | _AtFunding]:
    terms, reviewer = state.terms, context.principal
    if not state.reviews_needed:
        raise Refused("review_not_needed")
    require_staff(reviewer)
    if reviewer == terms.owner:
        raise Refused("forbidden_owner")
    require_not_himself(command.himself, terms.borrower)
    if reviewer in terms.signers:
        raise Refused("forbidden_same_person")
    if reviewer in state.reviewers:
        raise Refused("forbidden_second_review")
    require_in_time(state, context)
    reviewed = ListingReviewed(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        reviewer=reviewer,
        verdict=command.verdict,
        order=len(state.reviewers) + 1,
        reviews_needed=state.reviews_needed,
    )
    if command.verdict == "reject":
        return [reviewed, cancelled(terms, state.bids, context, "review_rejected")]
    if reviewed.order < state.reviews_needed:
        return [reviewed]
    return [reviewed, _pass(state, context, profile, (*state.reviewers, reviewer))]


def _approved(
    state: Filled | Passed, context: Context, profile: Profile, reviewers: tuple[str, ...]
) -> PayoutApproved:
    terms = state.terms
    return PayoutApproved(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        application_id=terms.application_id,
        amount_fen=terms.amount_fen,
        reviewers=reviewers,
        owner=terms.owner,
        pay_by=context.business_date + timedelta(days=profile.review_days),
        related_to_staff=terms.related_to_staff,
    )


def execute(
    command: ExecutePayout, state: ListingState, context: Context, profile: Profile
) -> Sequence[_AtFunding]:
    """A cashier pays it out. Refusals stand on ExecutePayout."""
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            raise Refused("unknown_listing")
        case Passed() if state.executor:
            return []
        case Open() | Filled() | Passed() | Expired() | Cancelled():
            raise Refused("payout_not_approved")
        case Funding() | Funded():
            return []
        case Payable():
            pass
        case _:
            assert_never(state)
    _require_another(context.principal, state)
    require_not_himself(command.himself, state.terms.borrower)
    if _VOUCHER.fullmatch(command.voucher) is None:
        raise Refused("invalid_voucher")
    require_in_time(state, context)
    if not is_affordable(state.terms, context.business_date, profile):
        return [cancelled(state.terms, state.bids, context, "invalid_rate")]
    return [_paid(state, context, command.voucher)]


def _paid(state: Payable, context: Context, voucher: str) -> FundingRequested | LoanFunded:
    """The caps were looked at when it was approved, which is days ago: what counts against them may have grown since."""
    if not state.terms.application_id:
        return _funded(state, context, executor=context.principal, voucher=voucher)
    return _asked(state.terms, executor=context.principal, voucher=voucher)


def _require_another(who: str, state: Payable) -> None:
    require_staff(who)
    if who == state.terms.owner:
        raise Refused("forbidden_owner")
    if who in (*state.terms.signers, *state.reviewers):
        raise Refused("forbidden_same_person")


def _funded(
    state: Filled | Passed | Payable, context: Context, *, executor: str = "", voucher: str = ""
) -> LoanFunded:
    terms, bids = state.terms, bids_of(state.bids)
    return LoanFunded(
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
        bids=bids,
        claims=_claims(terms, bids),
        product=terms.product,
        region=terms.region,
        owner=terms.owner,
        application_id=terms.application_id,
        executor=executor,
        voucher=voucher,
        repayment=terms.repayment,
        related_to_staff=terms.related_to_staff,
    )


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


def record_capture(command: RecordCapture, state: ListingState) -> Sequence[ListingEvent]:
    """A hold is captured; the last one collects the loan. Refusals stand on RecordCapture."""
    match state:
        case NotListed() | TurnedDown() | Prepared() | Scheduled():
            raise Refused("unknown_listing")
        case Open() | Filled() | Passed() | Payable() | Expired() | Cancelled():
            raise Refused("listing_not_funded")
        case Funded():
            return []
        case Funding():
            return _capture(command, state)
        case _:
            assert_never(state)


def _capture(command: RecordCapture, state: Funding) -> Sequence[ListingEvent]:
    bid = bid_with(state.bids, command.hold_id)
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
        claims=_claims(terms, bids_of(state.bids)),
        product=terms.product,
        region=terms.region,
        owner=terms.owner,
        application_id=terms.application_id,
        repayment=terms.repayment,
        guarantor=terms.guarantor,
    )
