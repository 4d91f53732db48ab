"""What an offer remembers: its situations from the holder's wish to the sale or another end, and how its events change them.

How much it was is remembered after its end too: an emergency redemption asks whether a holder's own sale stayed unsold, and how
long it stood.
"""

from datetime import date
from typing import Literal, assert_never

from libs.events.codec import record
from libs.events.market import (
    OfferClosed,
    OfferExpired,
    OfferOpened,
    OfferRefused,
    OfferReopened,
    OfferRequested,
    OfferSettled,
    OfferTaken,
    OfferWithdrawn,
)
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code
from libs.events.redemption import UnsoldConfirmed, UnsoldDeclined


@record
class Wish:
    """What a holder asked for; `until` is None of old ones, `redemption_id` a redemption's."""

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    price_permille: Count
    window_days: Count
    until: date | None
    redemption_id: str | None
    is_whole: bool = True


@record
class Terms:
    """What is offered, as it stands in the order book. Amounts in fen, of the day on which it opened; `is_whole`: all of the claim."""

    offer_id: str
    seller: str
    account_id: str
    claim_id: str
    loan_id: str
    borrower: str
    principal_fen: PositiveFen
    price_permille: Count
    maximum_fen: PositiveFen
    fee_permille: Count
    grade: str
    annual_rate: AnnualRate
    matures_on: date
    opened_on: date
    expires_on: date
    redemption_id: str | None
    related: tuple[str, ...] = ()
    is_whole: bool = True


@record
class NotOffered:
    """No such offer yet."""

    kind: Literal["not_offered"] = "not_offered"


@record
class Requested:
    """The loan is asked to reserve the claim; it always answers."""

    kind: Literal["requested"] = "requested"
    wish: Wish


@record
class NotReserved:
    """The loan did not reserve the claim: there was no offer."""

    kind: Literal["not_reserved"] = "not_reserved"
    wish: Wish
    code: Code


@record
class Open:
    """In the order book until the end of `terms.expires_on`."""

    kind: Literal["open"] = "open"
    terms: Terms


@record
class Taken:
    """The first buyer has it: the loan transfers the claim, then the money moves."""

    kind: Literal["taken"] = "taken"
    terms: Terms
    hold_id: str
    buyer: str
    buyer_account: str


@record
class Unsold:
    """Ended on `ended_on` without a buyer: `how`, and the loan's `code` where it ended the offer."""

    kind: Literal["unsold"] = "unsold"
    terms: Terms
    how: Literal["expired", "withdrawn", "closed"]
    ended_on: date
    code: Code | None = None


@record
class Settled:
    """Sold, and paid; `hold_id` is the buyer's."""

    kind: Literal["settled"] = "settled"
    terms: Terms
    hold_id: str
    sold_fen: PositiveFen


OfferState = NotOffered | Requested | NotReserved | Open | Taken | Unsold | Settled
OfferEvent = (
    OfferRequested
    | OfferRefused
    | OfferOpened
    | OfferTaken
    | OfferReopened
    | OfferWithdrawn
    | OfferExpired
    | OfferClosed
    | OfferSettled
    | UnsoldConfirmed
    | UnsoldDeclined
)


def evolve(state: OfferState, event: OfferEvent) -> OfferState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case OfferRequested():
            return Requested(wish=_wish(event))
        case OfferRefused():
            assert isinstance(state, Requested), "only a wish is refused"
            return NotReserved(wish=state.wish, code=event.code)
        case OfferOpened():
            assert isinstance(state, Requested), "only what was asked for opens"
            return Open(terms=_terms(event, is_whole=state.wish.is_whole))
        case OfferTaken():
            assert isinstance(state, Open), "only an open offer is taken"
            return Taken(
                terms=state.terms,
                hold_id=event.hold_id,
                buyer=event.buyer,
                buyer_account=event.buyer_account,
            )
        case OfferReopened():
            assert isinstance(state, Taken), "only an offer that was taken opens again"
            return Open(terms=state.terms)
        case OfferSettled():
            assert isinstance(state, Taken), "only an offer that was taken is sold"
            return Settled(terms=state.terms, hold_id=state.hold_id, sold_fen=event.sale.principal_fen)
        case UnsoldConfirmed() | UnsoldDeclined():
            return state  # an answer to a redemption
        case _:
            assert isinstance(state, Open | Taken), "only an offer that stands ends"
            return _ended(state, event)


def _ended(state: Open | Taken, event: OfferExpired | OfferWithdrawn | OfferClosed) -> Unsold:
    match event:
        case OfferExpired():
            return Unsold(terms=state.terms, how="expired", ended_on=event.expired_on)
        case OfferWithdrawn():
            return Unsold(terms=state.terms, how="withdrawn", ended_on=event.withdrawn_on)
        case OfferClosed():
            return Unsold(terms=state.terms, how="closed", ended_on=event.closed_on, code=event.code)
        case _:
            assert_never(event)


def _wish(event: OfferRequested) -> Wish:
    return Wish(
        offer_id=event.offer_id,
        seller=event.seller,
        account_id=event.account_id,
        claim_id=event.claim_id,
        loan_id=event.loan_id,
        price_permille=event.price_permille,
        window_days=event.window_days,
        until=event.until,
        redemption_id=event.redemption_id,
        is_whole=event.principal_fen is None,
    )


def _terms(event: OfferOpened, *, is_whole: bool) -> Terms:
    return Terms(
        offer_id=event.offer_id,
        seller=event.seller,
        account_id=event.account_id,
        claim_id=event.claim_id,
        loan_id=event.loan_id,
        borrower=event.borrower,
        principal_fen=event.principal_fen,
        price_permille=event.price_permille,
        maximum_fen=event.maximum_fen,
        fee_permille=event.fee_permille,
        grade=event.grade,
        annual_rate=event.annual_rate,
        matures_on=event.matures_on,
        opened_on=event.opened_on,
        expires_on=event.expires_on,
        redemption_id=event.redemption_id,
        related=event.related,
        is_whole=is_whole,
    )
