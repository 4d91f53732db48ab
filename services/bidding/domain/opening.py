"""From a loan request to a listing that takes bids: its terms, and where the profile wants it the look of a second person.

Nothing is published before somebody else than who prepared it has read what investors will read, and said so by its hash
(domain.md section 3, processes.md 1.A: nobody signs two steps of one chain).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import assert_never

from libs.events.bidding import (
    Disclosure,
    ListingChecked,
    ListingOpened,
    ListingPrepared,
    ListingRefused,
)
from libs.events.deciding import Context, Refused, Wake
from libs.events.money import Rounding, divide_fen
from libs.events.schedules.terms import require_sound
from libs.events.scheduling import ListingScheduled
from services.bidding.commands import CheckListing, OpenListing
from services.bidding.domain.disclosure import hash_of, is_lawful, template_of, text_of
from services.bidding.domain.funding import is_affordable
from services.bidding.domain.ids import (
    account_of,
    listing_of,
    require_guarantor,
    require_not_himself,
    require_staff,
)
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
from services.bidding.domain.profile import Profile, can_be_said

#: Bids are multiples of 100 yuan (domain.md section 3).
BID_STEP_FEN = 100_00

#: A bid is at least a thousandth of the amount, so that a loan has at most 1,000 claims.
BIDS_MAX = 1_000

#: The phase of a day in which listings open and expire (design.md 2.7): the next date begins behind it.
OPENING_PHASE = 1

_GRADE_LENGTH_MAX = 8
_PERMILLE = 1_000
_DAY = timedelta(days=1)


def bid_min_fen(amount_fen: int) -> int:
    """The smallest bid on a listing, in fen: max(100 yuan, amount/1,000 rounded up to 100 yuan) (domain.md section 3)."""
    return divide_fen(amount_fen, BIDS_MAX * BID_STEP_FEN, Rounding.UP) * BID_STEP_FEN


def open_listing(
    command: OpenListing, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingOpened | ListingScheduled | ListingPrepared | ListingRefused]:
    """The request is listed now or on its day, prepared or turned down. Refusals stand on OpenListing."""
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
        terms = _terms(command, context)
        if profile.check_required:
            return [_prepare(command, terms, context, profile)]
    except Refused as refused:
        if not command.application_id:
            raise
        return [_turn_down(command, refused.code)]
    return [_opened_by_hand(command, terms, context.business_date)]


def _opened_by_hand(command: OpenListing, terms: Terms, on: date) -> ListingOpened | ListingScheduled:
    opening, opens_on = opened(terms, content_hash=""), command.opens_on
    if opens_on in (None, on):
        return opening
    assert opens_on is not None, "the case above"
    return ListingScheduled(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        opens_on=opens_on,
        opening=opening,
        purpose=command.purpose,
    )


def _terms(command: OpenListing, context: Context) -> Terms:
    day, opens_on = context.business_date, command.opens_on
    # A window is whole days: one that had begun when the listing opened is none of them, as in the disclosure.
    after = day if opens_on in (None, day) else opens_on - _DAY
    return Terms(
        listing_id=listing_of(command.loan_id),
        loan_id=command.loan_id,
        borrower=command.borrower,
        borrower_account=account_of(command.borrower),
        amount_fen=command.amount_fen,
        annual_rate=command.annual_rate,
        tenor_months=command.tenor_months,
        grade=command.grade,
        bid_min_fen=bid_min_fen(command.amount_fen),
        closes_on=after + timedelta(days=command.window_days),
        origination_fee_fen=command.origination_fee_fen,
        interest_fee_permille=command.interest_fee_permille,
        product=command.product,
        region=command.region,
        owner=command.owner,
        related=command.related,
        application_id=command.application_id,
        newcomers_only=command.newcomers_only,
        related_to_staff=command.related_to_staff,
        repayment=command.repayment,
        guarantor=command.guarantor,
    )


def opened(terms: Terms, *, content_hash: str) -> ListingOpened:
    """It takes bids from here on."""
    return ListingOpened(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        borrower_account=terms.borrower_account,
        amount_fen=terms.amount_fen,
        annual_rate=terms.annual_rate,
        tenor_months=terms.tenor_months,
        grade=terms.grade,
        bid_min_fen=terms.bid_min_fen,
        closes_on=terms.closes_on,
        origination_fee_fen=terms.origination_fee_fen,
        interest_fee_permille=terms.interest_fee_permille,
        product=terms.product,
        region=terms.region,
        owner=terms.owner,
        related=terms.related,
        application_id=terms.application_id,
        content_hash=content_hash,
        newcomers_only=terms.newcomers_only,
        related_to_staff=terms.related_to_staff,
        repayment=terms.repayment,
        guarantor=terms.guarantor,
    )


def _turn_down(told: OpenListing | Terms, code: str, content_hash: str = "") -> ListingRefused:
    """A saga step declines by an event (design.md 2.6): onboarding releases the exposure that it reserved."""
    return ListingRefused(
        loan_id=told.loan_id,
        application_id=told.application_id,
        borrower=told.borrower,
        amount_fen=told.amount_fen,
        code=code,
        content_hash=content_hash,
        guarantor=told.guarantor,
        listing_id=told.listing_id if isinstance(told, Terms) else "",
    )


def _asks_for(command: OpenListing, terms: Terms) -> bool:
    """Whether the listing stands on these terms already; its window runs from the day it was opened first."""
    asked = (command.loan_id, command.borrower, command.amount_fen, command.annual_rate, command.tenor_months)
    listed = (terms.loan_id, terms.borrower, terms.amount_fen, terms.annual_rate, terms.tenor_months)
    asked_fees = (command.grade, command.origination_fee_fen, command.interest_fee_permille)
    listed_fees = (terms.grade, terms.origination_fee_fen, terms.interest_fee_permille)
    return asked == listed and asked_fees == listed_fees and command.repayment == terms.repayment


def _check_terms(command: OpenListing, context: Context, profile: Profile) -> None:
    if profile.application_required and not command.application_id:
        raise Refused("application_required")
    if not 1 <= command.tenor_months <= profile.tenor_months_max:
        raise Refused("invalid_tenor")
    if not 1 <= command.window_days <= profile.window_days_max:
        raise Refused("invalid_window")
    if profile.check_required and (command.opens_on is not None or command.newcomers_only):
        raise Refused("invalid_opening")
    _require_opening(command.opens_on, context.business_date, profile)
    if not (
        0 < len(command.grade) <= _GRADE_LENGTH_MAX and command.grade.isascii() and command.grade.isalnum()
    ):
        raise Refused("invalid_grade")
    if (
        command.origination_fee_fen >= command.amount_fen
        or not 0 <= command.interest_fee_permille <= _PERMILLE
    ):
        raise Refused("invalid_fee")
    if not can_be_said(command):
        raise Refused("amount_too_large")
    _check_repayment(command, context)
    if code := _why_unlawful(command, command.purpose, context.business_date, profile):
        raise Refused(code)
    if profile.fees_version(command, context.business_date) is None:
        raise Refused("fee_not_published")
    require_guarantor(command.guarantor)


def _why_unlawful(asked: OpenListing | Terms, purpose: str, on: date, profile: Profile) -> str | None:
    """The code of the law that a loan breaks on a day. Laws change while a listing waits, so its opening looks at them again."""
    if not is_affordable(asked, on, profile):
        return "invalid_rate"
    if purpose in profile.purposes_forbidden(on):
        return "forbidden_purpose"
    if asked.related_to_staff and profile.staff_related == "refused":
        return "related_to_staff"
    return None


def _require_opening(opens_on: date | None, on: date, profile: Profile) -> None:
    if opens_on is not None and not on <= opens_on <= on + timedelta(days=profile.schedule_days_max):
        raise Refused("invalid_opening")


def _check_repayment(command: OpenListing, context: Context) -> None:
    """What the ledger would refuse when the money is collected is refused before anybody bids."""
    if command.repayment is None:
        return
    if command.repayment.method != command.method:
        raise Refused("invalid_method")
    require_sound(
        command.repayment,
        amount_fen=command.amount_fen,
        annual_rate=command.annual_rate,
        months=command.tenor_months,
        funded_on=context.business_date,
    )


# --- a second person's look ----------------------------------------------------------------------------------------


def _prepare(command: OpenListing, terms: Terms, context: Context, profile: Profile) -> ListingPrepared:
    pack = Disclosure(
        template=template_of(command.repayment),
        loan_id=terms.loan_id,
        borrower_kind=command.borrower_kind,
        region=terms.region,
        grade=terms.grade,
        product=terms.product,
        purpose=command.purpose,
        guarantor=command.guarantor,
        owes_fen=command.owes_fen,
        amount_fen=terms.amount_fen,
        annual_rate=terms.annual_rate,
        method=command.method,
        tenor_months=terms.tenor_months,
        origination_fee_fen=terms.origination_fee_fen,
        interest_fee_permille=terms.interest_fee_permille,
        fees_version=profile.fees_version(command, context.business_date) or 0,
        window_days=command.window_days,
        bid_min_fen=terms.bid_min_fen,
        related_to_staff=terms.related_to_staff,
        repayment=terms.repayment,
    )
    text = text_of(pack)
    if not is_lawful(text):
        raise Refused("forbidden_words")
    return ListingPrepared(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        borrower_account=terms.borrower_account,
        owner=terms.owner,
        related=terms.related,
        application_id=terms.application_id,
        prepared_by=command.prepared_by,
        check_by=context.business_date + timedelta(days=profile.check_days),
        disclosure=pack,
        content_hash=hash_of(text),
    )


def check(
    command: CheckListing, state: ListingState, context: Context, profile: Profile
) -> Sequence[ListingChecked | ListingOpened | ListingRefused]:
    """A second person's verdict. Refusals stand on CheckListing."""
    match state:
        case NotListed():
            raise Refused("unknown_listing")
        case Prepared():
            return _check(command, state, context, profile)
        case TurnedDown():
            if command.verdict == "approve":
                raise Refused("listing_checked")
            return []
        case Cancelled():
            raise Refused(
                "listing_ended"
            )  # perhaps before anybody had looked at it: no verdict was carried out
        case Scheduled() | Open() | Filled() | Passed() | Payable() | Funding() | Funded() | Expired():
            if command.verdict == "reject":
                raise Refused("listing_checked")
            return []
        case _:
            assert_never(state)


def _check(
    command: CheckListing, state: Prepared, context: Context, profile: Profile
) -> Sequence[ListingChecked | ListingOpened | ListingRefused]:
    terms, day = state.terms, context.business_date
    _require_second_person(context.principal, state)
    require_not_himself(command.himself, terms.borrower)
    if day > opening_of(state)[0]:  # whether the tick has come to this stream yet or not
        raise Refused("check_lapsed")
    if command.content_hash != state.content_hash:
        raise Refused("text_differs")
    opens_on = command.opens_on
    _require_opening(opens_on, day, profile)
    checked = ListingChecked(
        listing_id=terms.listing_id,
        loan_id=terms.loan_id,
        checker=context.principal,
        verdict=command.verdict,
        content_hash=state.content_hash,
        opens_on=opens_on if opens_on != day else None,
        newcomers_only=command.newcomers_only,
    )
    if command.verdict == "reject":
        return [checked, _turn_down(terms, "check_rejected", state.content_hash)]
    if checked.opens_on is not None:
        return [checked]
    terms = state.published_after(day, newcomers_only=command.newcomers_only)
    return [checked, _publish(replace(state, terms=terms), day, profile)]


def _require_second_person(who: str, state: Prepared) -> None:
    require_staff(who)
    if who == state.terms.owner:
        raise Refused("forbidden_owner")
    if who in state.terms.signers:
        raise Refused("forbidden_same_person")


def _publish(state: Prepared | Scheduled, on: date, profile: Profile) -> ListingOpened | ListingRefused:
    """It opens, unless the law changed while it waited."""
    if code := _why_unlawful(state.terms, state.purpose, on, profile):
        return _turn_down(state.terms, code, state.content_hash)
    return opened(state.terms, content_hash=state.content_hash)


def opening_of(state: Prepared | Scheduled) -> tuple[date, int]:
    """When it wakes: a scheduled one as its day begins, which is when the day before is closed; one that nobody has looked at
    when the last day to do so is closed."""
    if isinstance(state, Scheduled):
        return (state.opens_on - _DAY, OPENING_PHASE)
    return (state.terms.closes_on, OPENING_PHASE)


def open_or_lapse(
    wake: Wake, state: Prepared | Scheduled, profile: Profile
) -> Sequence[ListingOpened | ListingRefused]:
    """What the day does to a listing that is not open yet."""
    if (wake.business_date, wake.phase) < opening_of(state):
        return []
    if isinstance(state, Scheduled):
        return [_publish(state, state.opens_on, profile)]
    return [_turn_down(state.terms, "check_lapsed", state.content_hash)]
