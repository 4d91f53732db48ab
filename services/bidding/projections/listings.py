"""The view `bidding.open-listings`: what is to be published, what can be bid on, how far it is, and how it ended.

Every document is written by its listing's stream alone.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.bidding import (
    BidPlaced,
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
from libs.events.records import RecordedEvent
from libs.events.schedules.stored import stored
from libs.events.scheduling import ListingScheduled
from libs.events.views import Op, Set, View
from services.bidding.projections.rates import rate_units

#: From here on a listing waits for the next of its people.
_WAIT_FOR_PEOPLE = (ListingPrepared, ListingFilled, PayoutApproved)


def project(event: RecordedEvent) -> Sequence[Op]:
    """A listing's document after one of its events. Amounts in fen, the rate as a decimal's text."""
    if isinstance(event.data, ListingRefused) and not (event.data.listing_id or event.data.content_hash):
        return []  # it was neither prepared nor scheduled, so nobody waits to see it
    listing_id = str(event.stream) if isinstance(event.data, ListingRefused) else event.data.listing_id
    fields = _fields(event.data) | _since(event)
    changed = [Set(listing_id, field, value) for field, value in fields.items()]
    return [*changed, Set(listing_id, f"src.{event.stream}", event.address)]


_STATES = {
    ListingExpired: "expired",
    FundingRequested: "passed",
    FundsCollected: "funded",
}


def _since(event: RecordedEvent) -> dict[str, Any]:
    """When it opened, and since when it waits for people: in the world and on the platform's calendar."""
    assert event.at is not None, "a decision has a time"
    if isinstance(event.data, ListingOpened):
        return {"opened_at": event.at.isoformat()}
    if not isinstance(event.data, _WAIT_FOR_PEOPLE):
        return {}
    assert event.business_date is not None, "a listing decides on a business date"
    return {"waits_since": event.at.isoformat(), "waits_on": event.business_date.isoformat()}


def _fields(data: object) -> dict[str, Any]:
    match data:
        case ListingPrepared():
            return _prepared(data)
        case ListingChecked():
            opens_on = data.opens_on.isoformat() if data.opens_on else None
            scheduled = {"state": "scheduled"} if opens_on and data.verdict == "approve" else {}
            return {"checked_by": data.checker, "opens_on": opens_on, **scheduled}
        case ListingScheduled():
            return _scheduled(data)
        case ListingRefused():
            return {"state": "refused", "code": data.code}
        case ListingOpened():
            return _opened(data)
        case BidPlaced():
            return {
                "raised_fen": data.raised_after_fen,
                "remaining_fen": data.remaining_after_fen,
                "bids": data.bid.order,
            }
        case ListingFilled():
            # Listings that pass by themselves are `filled` for a moment; `in_review` ones wait for people.
            state = "in_review" if data.reviews_needed else "filled"
            return {"state": state, "reviews_needed": data.reviews_needed}
        case ListingReviewed():
            return {"reviews": data.order, f"reviewers.{data.order}": data.reviewer}
        case ListingCancelled():
            return {"state": "cancelled", "cancelled_on": data.cancelled_on.isoformat(), "code": data.code}
        case ListingExpired() | FundingRequested() | FundsCollected():
            return {"state": _STATES[type(data)]}
        case PayoutApproved():
            return {"state": "payable"} | _marked(data)
        case LoanFunded():
            funded = {
                "state": "funding",
                "funded_on": data.funded_on.isoformat(),
                "executor": data.executor,
                "voucher": data.voucher,
            }
            return funded | _marked(data)
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _marked(data: PayoutApproved | LoanFunded) -> dict[str, Any]:
    """Near to the staff by now; an event of before there was a mark on it takes none away."""
    return {"related_to_staff": True} if data.related_to_staff else {}


def _scheduled(data: ListingScheduled) -> dict[str, Any]:
    """Nothing of it is published before it opens."""
    return {
        "listing_id": data.listing_id,
        "loan_id": data.loan_id,
        "borrower": data.opening.borrower,
        "state": "scheduled",
        "owner": data.opening.owner,
        "application_id": data.opening.application_id,
        "opens_on": data.opens_on.isoformat(),
    }


def _opened(data: ListingOpened) -> dict[str, Any]:
    """What everybody who may bid sees."""
    return {
        "listing_id": data.listing_id,
        "loan_id": data.loan_id,
        "borrower": data.borrower,
        "state": "open",
        "amount_fen": data.amount_fen,
        "bid_min_fen": data.bid_min_fen,
        "raised_fen": 0,
        "remaining_fen": data.amount_fen,
        "bids": 0,
        "annual_rate": f"{data.annual_rate:f}",
        "rate_units": rate_units(data.annual_rate),
        "tenor_months": data.tenor_months,
        "grade": data.grade,
        "closes_on": data.closes_on.isoformat(),
        "origination_fee_fen": data.origination_fee_fen,
        "interest_fee_permille": data.interest_fee_permille,
        "product": data.product,
        "region": data.region,
        "owner": data.owner,
        "application_id": data.application_id,
        "reviews_needed": 0,
        "reviews": 0,
        "newcomers_only": data.newcomers_only,
        "related_to_staff": data.related_to_staff,
    }


def _prepared(data: ListingPrepared) -> dict[str, Any]:
    """What its checker sees, and what of it is never changed again."""
    told = data.disclosure
    return {
        "listing_id": data.listing_id,
        "loan_id": data.loan_id,
        "borrower": data.borrower,
        "state": "prepared",
        "owner": data.owner,
        "application_id": data.application_id,
        "prepared_by": data.prepared_by,
        "check_by": data.check_by.isoformat(),
        "content_hash": data.content_hash,
        "disclosure": {
            "template": told.template,
            "loan_id": told.loan_id,
            "borrower_kind": told.borrower_kind,
            "region": told.region,
            "grade": told.grade,
            "product": told.product,
            "purpose": told.purpose,
            "guarantor": told.guarantor,
            "owes_fen": told.owes_fen,
            "amount_fen": told.amount_fen,
            "annual_rate": f"{told.annual_rate:f}",
            "method": told.method,
            "tenor_months": told.tenor_months,
            "origination_fee_fen": told.origination_fee_fen,
            "interest_fee_permille": told.interest_fee_permille,
            "fees_version": told.fees_version,
            "window_days": told.window_days,
            "bid_min_fen": told.bid_min_fen,
            "related_to_staff": told.related_to_staff,
            "repayment": stored(told.repayment),
        },
    }


VIEW = View(
    name="bidding.open-listings",
    version=6,
    reads=(
        ListingPrepared,
        ListingChecked,
        ListingScheduled,
        ListingRefused,
        ListingOpened,
        BidPlaced,
        ListingFilled,
        ListingReviewed,
        ListingCancelled,
        ListingExpired,
        FundingRequested,
        PayoutApproved,
        LoanFunded,
        FundsCollected,
    ),
    project=project,
    indexes=("state", "closes_on", "newcomers_only"),
)
