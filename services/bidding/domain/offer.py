"""The offer 债权转让: a holder's claim for sale, in the order book from its reservation on the loan until its sale or another end.

An offer is taken whole *(chosen)*: whoever wants to sell in parts offers parts. The first buyer in the log has it. The claim
itself stays in its loan's stream; the offer decides who may have it and for how long, the loan what it is worth.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.deciding import Aggregate, Context, Refused, Wake
from libs.events.fees import transfer_fee
from libs.events.market import (
    OfferExpired,
    OfferOpened,
    OfferRefused,
    OfferRequested,
    OfferSettled,
    OfferTaken,
    permille_fen,
)
from services.bidding.commands.market import (
    CloseOffer,
    OpenOffer,
    RecordReservation,
    RecordTake,
    RefuseOffer,
    ReopenOffer,
    SettleOffer,
    WithdrawOffer,
)
from services.bidding.commands.redemption import ConfirmUnsold
from services.bidding.domain.contract_text import hash_of
from services.bidding.domain.fitness import Candidate, why_unfit
from services.bidding.domain.ids import account_of, loan_of_claim
from services.bidding.domain.offer_ending import (
    close,
    expire,
    over,
    refused,
    reopen,
    require_known,
    wake_on,
    withdraw,
)
from services.bidding.domain.offer_state import (
    NotOffered,
    NotReserved,
    OfferEvent,
    OfferState,
    Open,
    Requested,
    Settled,
    Taken,
    Terms,
    Unsold,
    evolve,
)
from services.bidding.domain.profile import Profile
from services.bidding.domain.transfer_text import CURRENT_VERSION, TEMPLATE, transfer_text
from services.bidding.domain.unsold import confirm_unsold

OfferCommand = (
    OpenOffer
    | RecordReservation
    | RefuseOffer
    | RecordTake
    | ReopenOffer
    | CloseOffer
    | WithdrawOffer
    | SettleOffer
    | ConfirmUnsold
)


def decide(
    command: OfferCommand | Wake, state: OfferState, context: Context, *, profile: Profile
) -> Sequence[OfferEvent]:
    """What a command does to an offer. Refusals stand on the commands."""
    match command:
        case OpenOffer():
            return _request(command, context, profile) if isinstance(state, NotOffered) else []
        case RecordReservation():
            return _open(command, state, context, profile)
        case RefuseOffer():
            return _refuse(command, state, context)
        case RecordTake():
            return _take(command, state, context, profile)
        case ReopenOffer():
            return reopen(command, state, context)
        case CloseOffer():
            return close(command, state, context)
        case WithdrawOffer():
            return withdraw(state, context)
        case SettleOffer():
            return _settle(command, state)
        case ConfirmUnsold():
            return confirm_unsold(command, state, context, profile)
        case Wake():
            return expire(command, state)
        case _:
            assert_never(command)


# --- opening -------------------------------------------------------------------------------------------------------


def _request(command: OpenOffer, context: Context, profile: Profile) -> Sequence[OfferRequested]:
    # Other people's claims do not exist for anybody, whatever an API forgot to check.
    if command.redemption_id is None and context.principal != command.seller:
        raise Refused("unknown_claim")
    if loan_of_claim(command.claim_id) != command.loan_id:
        raise Refused("invalid_claim")
    on = context.business_date
    if not profile.may_cost(command.price_permille, on):
        raise Refused("invalid_price")
    by_hand = command.until is None and 1 <= command.window_days <= profile.offer_days_max
    if not (by_hand or (command.until is not None and command.until >= on)):
        raise Refused("invalid_window")
    return [
        OfferRequested(
            offer_id=command.offer_id,
            seller=command.seller,
            account_id=account_of(command.seller),
            claim_id=command.claim_id,
            loan_id=command.loan_id,
            principal_fen=command.principal_fen,
            price_permille=command.price_permille,
            window_days=command.window_days,
            requested_on=on,
            until=command.until or on + timedelta(days=command.window_days),
            redemption_id=command.redemption_id,
        )
    ]


def _open(
    command: RecordReservation, state: OfferState, context: Context, profile: Profile
) -> Sequence[OfferOpened | OfferExpired]:
    require_known(state)
    if not isinstance(state, Requested):
        return []
    wish, on = state.wish, context.business_date
    fee = transfer_fee(profile.transfer_fees, on)
    price_fen = permille_fen(command.principal_fen, wish.price_permille)
    opened = OfferOpened(
        offer_id=wish.offer_id,
        seller=wish.seller,
        account_id=wish.account_id,
        claim_id=wish.claim_id,
        loan_id=wish.loan_id,
        borrower=command.borrower,
        principal_fen=command.principal_fen,
        price_permille=wish.price_permille,
        maximum_fen=price_fen + command.interest_max_fen,
        fee_permille=fee.permille,
        fees_version=fee.version,
        grade=command.grade,
        annual_rate=command.annual_rate,
        matures_on=command.matures_on,
        opened_on=on,
        expires_on=wish.until or on + timedelta(days=wish.window_days),
        product=command.product,
        region=command.region,
        redemption_id=wish.redemption_id,
        method=command.method,
        related=command.related,
    )
    return [opened, *over(opened, on)]


def _refuse(command: RefuseOffer, state: OfferState, context: Context) -> Sequence[OfferRefused]:
    require_known(state)
    if not isinstance(state, Requested):
        return []
    return [refused(state, command.code, context.business_date)]


# --- buying --------------------------------------------------------------------------------------------------------


def _take(command: RecordTake, state: OfferState, context: Context, profile: Profile) -> Sequence[OfferTaken]:
    match state:
        case NotOffered() | NotReserved():
            raise Refused("unknown_offer")
        case Requested():
            raise Refused("offer_not_open")
        case Taken() | Settled() if state.hold_id == command.hold_id:
            return []
        case Taken():
            raise Refused("offer_taken")
        case Settled() | Unsold():
            raise Refused("offer_ended")
        case Open():
            pass
        case _:
            assert_never(state)
    terms, on = state.terms, context.business_date
    if code := _why_not(command, terms, on, profile):
        raise Refused(code)
    return [
        OfferTaken(
            offer_id=terms.offer_id,
            loan_id=terms.loan_id,
            claim_id=terms.claim_id,
            hold_id=command.hold_id,
            buyer=command.buyer,
            buyer_account=command.account_id,
            price_permille=terms.price_permille,
            fee_permille=terms.fee_permille,
            held_fen=command.held_fen,
            taken_on=on,
            investor_cap_fen=profile.investor_cap_fen(on),
        )
    ]


def _why_not(command: RecordTake, terms: Terms, on: date, profile: Profile) -> str | None:
    """The code of the rule that a buyer breaks, None for a good one."""
    # The date may be past before the tick has reached this stream: the window ends with its day all the same.
    if on > terms.expires_on:
        return "offer_ended"
    if command.buyer == terms.seller:
        return "own_offer"
    if command.held_fen < terms.maximum_fen:
        return "below_maximum"
    candidate = Candidate(
        user=command.buyer,
        level=command.suitability_level,
        valid_to=command.suitability_valid_to,
        related=command.related,
    )
    return why_unfit(
        candidate, borrower=terms.borrower, related=terms.related, grade=terms.grade, on=on, profile=profile
    )


def _settle(command: SettleOffer, state: OfferState) -> Sequence[OfferSettled]:
    require_known(state)
    if isinstance(state, Settled):
        return []
    if not isinstance(state, Taken):
        raise Refused("offer_not_taken")
    terms = state.terms
    sold = OfferSettled(
        offer_id=terms.offer_id,
        seller=terms.seller,
        account_id=terms.account_id,
        buyer=state.buyer,
        buyer_account=state.buyer_account,
        claim_id=terms.claim_id,
        loan_id=terms.loan_id,
        borrower=terms.borrower,
        principal_fen=terms.principal_fen,
        price_permille=terms.price_permille,
        grade=terms.grade,
        annual_rate=terms.annual_rate,
        matures_on=terms.matures_on,
        opened_on=terms.opened_on,
        expires_on=terms.expires_on,
        sale=command.sale,
        template=TEMPLATE,
        version=CURRENT_VERSION,
        certificate_hash="",
        redemption_id=terms.redemption_id,
    )
    return [replace(sold, certificate_hash=hash_of(transfer_text(sold)))]


# --- the aggregate -------------------------------------------------------------------------------------------------


def aggregate(profile: Profile) -> Aggregate:
    """The offer aggregate under a profile's price band, windows, fees and caps."""
    return Aggregate(
        name="offer",
        prefix="offer",
        commands=get_args(OfferCommand),
        events=get_args(OfferEvent),
        state=OfferState,
        initial=NotOffered(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
