"""What an account remembers: its situations, and how its events change them.

Compact on purpose: money now, what is held and why, what the bank still owes an answer for, and of the finished only what
tells a duplicate from a new request. History is the log's.
"""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.adjustments import AdjustmentBooked, AdjustmentCredited, AdjustmentDebited, FeeAdjusted
from libs.events.assets import AssetProceedsCredited, AssetSaleDebited, AssetSaleDeclined
from libs.events.bidding import (
    AccountClosed,
    AccountClosureDeclined,
    AccountOpened,
    CardRecorded,
    FeeCredited,
    FundsDeposited,
    FundsHeld,
    FundsWithdrawn,
    HoldCaptured,
    HoldReduced,
    HoldReleased,
    InstallmentDebited,
    InstallmentDebitFailed,
    InvestorCredited,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
    OwnerDeathRecorded,
    OwnerDeathWithdrawn,
    RelationRecorded,
    RiskLevel,
    SuitabilityRecorded,
    TopUpFailed,
    TopUpRequested,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.card import CardRef
from libs.events.codec import record
from libs.events.compensation import CompensationDebitDeclined, CompensationDebited, SubrogationRecorded
from libs.events.market import PurchaseCaptured, PurchaseHeld, PurchaseReleased, SaleCredited
from libs.events.money import Count, Fen, PositiveFen
from libs.events.recovery_costs import PayeeConfirmed
from libs.events.standing import OrderHoldDeclined
from libs.events.vouchers import VoucherCredited
from services.bidding.domain.dealings import DealingEvent, Dealings, dealt, is_of_no_loan
from services.bidding.domain.deceased import DeathWord, words_after
from services.bidding.domain.owing import Owed, still_owed, with_debt
from services.bidding.domain.requests import NO_REQUESTS, Requests, with_answer, with_request


@record
class Hold:
    """Money held for a bid that no loan has captured and nothing has released yet."""

    bid_id: str
    listing_id: str
    amount_fen: PositiveFen


@record
class Purchase:
    """Money held for an offer that its owner wants to buy."""

    hold_id: str
    offer_id: str
    amount_fen: PositiveFen


@record
class Suitability:
    """The owner's risk level and the last day on which it counts."""

    level: RiskLevel
    valid_to: date


@record
class NotOpened:
    """Nobody's account yet."""

    kind: Literal["not_opened"] = "not_opened"


@record
class Open:
    """A user's custody account: `available` he can use, `held` waits for a listing or the bank. Both in fen.

    `invested_fen` is the principal of his claims that has not come back, `suitability` is None until onboarding has assessed
    him, `related` are the users who are related to him, `card_ref` names his own-name card, None while none is known. Once
    `is_closed` only loans still move money here, and their owner takes it out. `has_lent`: a bid of his was captured once.
    `purchases` are what is held for claims of others that he wants to buy. `owed` is what corrections took back and was not there, oldest
    first: while there is any, nothing is available. `deaths` is what his loans say of his death. `stray_payment_id` is the last payment
    that came back because no loan knew it: of such payments nothing else is kept, or each would stay here for ever.
    """

    kind: Literal["open"] = "open"
    account_id: str
    owner: str
    available_fen: Count
    held_fen: Count
    holds: dict[str, Hold]
    top_ups: Requests
    withdrawals: Requests
    loans: dict[str, Dealings]
    invested_fen: Fen = 0
    suitability: Suitability | None = None
    related: tuple[str, ...] = ()
    is_closed: bool = False
    card_ref: CardRef | None = None
    has_lent: bool = False
    purchases: tuple[Purchase, ...] = ()
    owed: tuple[Owed, ...] = ()
    deaths: tuple[DeathWord, ...] = ()
    stray_payment_id: str | None = None


@record
class FeeAccount:
    """The platform's fee account: it receives, and gives back only what a correction names (`owed`, as in `Open`)."""

    kind: Literal["fee_account"] = "fee_account"
    balance_fen: Count
    owed: tuple[Owed, ...] = ()


AccountState = NotOpened | Open | FeeAccount

_BankEvent = (
    TopUpRequested | FundsDeposited | TopUpFailed | WithdrawalRequested | FundsWithdrawn | WithdrawalFailed
)
_HoldEvent = FundsHeld | HoldReduced | HoldReleased | HoldCaptured | OrderHoldDeclined
_LoanEvent = (
    LoanProceedsCredited
    | InstallmentDebited
    | InstallmentDebitFailed
    | LoanPaymentDebited
    | LoanPaymentReturned
    | InvestorCredited
    | VoucherCredited
)
_GuarantorEvent = CompensationDebited | CompensationDebitDeclined | SubrogationRecorded
_AssetEvent = AssetSaleDebited | AssetSaleDeclined | AssetProceedsCredited
_OwnersEvent = (
    SuitabilityRecorded
    | RelationRecorded
    | CardRecorded
    | OwnerDeathRecorded
    | OwnerDeathWithdrawn
    | AccountClosed
    | AccountClosureDeclined
    | PayeeConfirmed
)
_MarketEvent = PurchaseHeld | PurchaseReleased | PurchaseCaptured | SaleCredited
_AdjustingEvent = AdjustmentBooked | AdjustmentDebited | AdjustmentCredited
AccountEvent = (
    AccountOpened
    | FeeCredited
    | FeeAdjusted
    | _OwnersEvent
    | _BankEvent
    | _HoldEvent
    | _LoanEvent
    | _MarketEvent
    | _GuarantorEvent
    | _AssetEvent
    | _AdjustingEvent
)


def evolve(state: AccountState, event: AccountEvent) -> AccountState:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case AccountOpened():
            return Open(
                account_id=event.account_id,
                owner=event.owner,
                available_fen=0,
                held_fen=0,
                holds={},
                top_ups=NO_REQUESTS,
                withdrawals=NO_REQUESTS,
                loans={},
            )
        case FeeCredited():
            owed = state.owed if isinstance(state, FeeAccount) else ()
            return FeeAccount(balance_fen=event.balance_after_fen, owed=owed)
        case FeeAdjusted():
            owed = state.owed if isinstance(state, FeeAccount) else ()
            return FeeAccount(balance_fen=event.balance_after_fen, owed=still_owed(owed, event))
        case AdjustmentBooked() | AdjustmentDebited() | AdjustmentCredited():
            assert isinstance(state, Open), "only an open account is adjusted"
            return _adjusted(state, event)
        case (
            SuitabilityRecorded()
            | RelationRecorded()
            | CardRecorded()
            | OwnerDeathRecorded()
            | OwnerDeathWithdrawn()
            | AccountClosed()
            | AccountClosureDeclined()
            | PayeeConfirmed()
        ):
            assert isinstance(state, Open), "only an open account knows its owner"
            return _with_owner(state, event)
        case PurchaseHeld() | PurchaseReleased() | PurchaseCaptured() | SaleCredited():
            assert isinstance(state, Open), "only an open account trades"
            return _traded(state, event)
        case CompensationDebited() | CompensationDebitDeclined() | SubrogationRecorded():
            assert isinstance(state, Open), "only an open account pays for others"
            return _compensated(state, event)
        case AssetSaleDebited() | AssetSaleDeclined() | AssetProceedsCredited():
            assert isinstance(state, Open), "only an open account buys, and has shares in assets"
            return _with_asset(state, event)
        case _:
            assert isinstance(state, Open), "only an open account has a history"
            return _with_detail(_with_balance(state, event), event)


def _with_owner(state: Open, event: _OwnersEvent) -> Open:
    match event:
        case SuitabilityRecorded():
            return replace(state, suitability=Suitability(level=event.level, valid_to=event.valid_to))
        case RelationRecorded():
            return replace(state, related=(*state.related, event.related))
        case CardRecorded():
            return replace(state, card_ref=event.card_ref)
        case OwnerDeathRecorded() | OwnerDeathWithdrawn():
            return replace(state, deaths=words_after(state.deaths, event))
        case AccountClosed():
            return replace(state, is_closed=True)
        case AccountClosureDeclined() | PayeeConfirmed():
            return state
        case _:
            assert_never(event)


def _with_balance(state: Open, event: _BankEvent | _HoldEvent | _LoanEvent) -> Open:
    """Every event that moves money carries the balances after it."""
    match event:
        case TopUpRequested() | TopUpFailed() | InstallmentDebitFailed() | OrderHoldDeclined():
            return state
        case _:
            return replace(state, available_fen=event.available_after_fen, held_fen=event.held_after_fen)


def _with_detail(state: Open, event: _BankEvent | _HoldEvent | _LoanEvent) -> Open:
    match event:
        case TopUpRequested():
            return replace(state, top_ups=with_request(state.top_ups, event.top_up_id, event.amount_fen))
        case FundsDeposited() | TopUpFailed():
            deposited = isinstance(event, FundsDeposited)
            answered = with_answer(state.top_ups, event.top_up_id, event.bank_reference, succeeded=deposited)
            return replace(state, top_ups=answered)
        case WithdrawalRequested():
            asked = with_request(state.withdrawals, event.withdrawal_id, event.amount_fen)
            return replace(state, withdrawals=asked)
        case FundsWithdrawn() | WithdrawalFailed():
            paid = isinstance(event, FundsWithdrawn)
            answered = with_answer(
                state.withdrawals, event.withdrawal_id, event.bank_reference, succeeded=paid
            )
            return replace(state, withdrawals=answered)
        case FundsHeld():
            hold = Hold(bid_id=event.bid_id, listing_id=event.listing_id, amount_fen=event.amount_fen)
            return replace(state, holds=state.holds | {event.hold_id: hold})
        case HoldReduced():
            kept = replace(state.holds[event.hold_id], amount_fen=event.keeps_fen)
            return replace(state, holds=state.holds | {event.hold_id: kept})
        case HoldReleased() | HoldCaptured():
            holds = {hold_id: hold for hold_id, hold in state.holds.items() if hold_id != event.hold_id}
            if isinstance(event, HoldReleased):
                return replace(state, holds=holds)
            invested_fen = state.invested_fen + event.amount_fen
            return replace(state, holds=holds, invested_fen=invested_fen, has_lent=True)
        case InvestorCredited():
            return replace(state, invested_fen=state.invested_fen - event.principal_fen)
        case VoucherCredited() | OrderHoldDeclined():
            return state
        case _:
            return _with_dealings(state, event)


def _with_dealings(state: Open, event: DealingEvent) -> Open:
    before = state.loans.get(event.loan_id, Dealings())
    after = dealt(before, event)
    if isinstance(event, LoanPaymentReturned) and is_of_no_loan(after, event):
        others = {loan_id: dealings for loan_id, dealings in state.loans.items() if loan_id != event.loan_id}
        return replace(state, loans=others, stray_payment_id=event.payment_id)
    return replace(state, loans=state.loans | {event.loan_id: after})


def _compensated(state: Open, event: _GuarantorEvent) -> Open:
    match event:
        case CompensationDebited():
            before = state.loans.get(event.loan_id, Dealings())
            paid = replace(before, payment_id=event.compensation_id, paid_on=event.value_date)
            return replace(
                state,
                available_fen=event.available_after_fen,
                held_fen=event.held_after_fen,
                loans=state.loans | {event.loan_id: paid},
            )
        case CompensationDebitDeclined():
            return state
        case SubrogationRecorded():
            return replace(state, invested_fen=state.invested_fen + event.principal_fen)
        case _:
            assert_never(event)


def _with_asset(state: Open, event: _AssetEvent) -> Open:
    """A sale is remembered under its asset's name; principal that was settled in kind has come back, or is lost, by its proceeds."""
    match event:
        case AssetSaleDeclined():
            return state
        case AssetSaleDebited():
            bought = state.loans | {event.asset_id: Dealings(payment_id=event.disposal_id)}
            return replace(
                state,
                available_fen=event.available_after_fen,
                held_fen=event.held_after_fen,
                loans=bought,
            )
        case AssetProceedsCredited():
            return replace(
                state,
                available_fen=event.available_after_fen,
                held_fen=event.held_after_fen,
                invested_fen=state.invested_fen - event.principal_fen,
            )
        case _:
            assert_never(event)


def _traded(state: Open, event: _MarketEvent) -> Open:
    state = replace(state, available_fen=event.available_after_fen, held_fen=event.held_after_fen)
    match event:
        case PurchaseHeld():
            held = Purchase(hold_id=event.hold_id, offer_id=event.offer_id, amount_fen=event.amount_fen)
            return replace(state, purchases=(*state.purchases, held))
        case PurchaseReleased():
            return replace(state, purchases=_without(state, event.hold_id))
        case PurchaseCaptured():
            invested_fen = state.invested_fen + event.sale.principal_fen
            return replace(state, purchases=_without(state, event.hold_id), invested_fen=invested_fen)
        case SaleCredited():
            return replace(state, invested_fen=state.invested_fen - event.sale.principal_fen)
        case _:
            assert_never(event)


def _without(state: Open, hold_id: str) -> tuple[Purchase, ...]:
    return tuple(held for held in state.purchases if held.hold_id != hold_id)


# --- corrections ---------------------------------------------------------------------------------------------------


def _adjusted(state: Open, event: _AdjustingEvent) -> Open:
    match event:
        case AdjustmentBooked():
            invested_fen = state.invested_fen - event.line.principal_fen
            return replace(state, invested_fen=invested_fen, owed=with_debt(state.owed, event))
        case AdjustmentDebited():
            state = replace(state, owed=still_owed(state.owed, event))
        case AdjustmentCredited():
            pass
        case _:
            assert_never(event)
    return replace(state, available_fen=event.available_after_fen, held_fen=event.held_after_fen)
