"""The view `bidding.balances`: what every account holds now, and the sums of what brought it there.

At rest, every account's document satisfies, in fen:
available + held = deposited − withdrawn − invested + principal_back + interest + penalty − fees + borrowed
− repaid + vouchers − bought + sold + adjusted (what corrections moved; what they still want of it is `owed_fen`)
+ assets (taken in settlement: their proceeds − what was paid for them).
"""

from collections.abc import Sequence

from libs.events.adjustments import AdjustmentBooked, AdjustmentCredited, AdjustmentDebited, FeeAdjusted
from libs.events.assets import AssetProceedsCredited, AssetSaleDebited
from libs.events.bidding import (
    AccountClosed,
    AccountOpened,
    FeeCredited,
    FundsCollected,
    FundsDeposited,
    FundsHeld,
    FundsWithdrawn,
    HoldCaptured,
    HoldReduced,
    HoldReleased,
    InstallmentDebited,
    InvestorCredited,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.compensation import CompensationDebited
from libs.events.market import PurchaseCaptured, PurchaseHeld, PurchaseReleased, SaleCredited
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View
from libs.events.vouchers import MarketingFunded, VoucherCredited, VoucherPaid

#: Who owns the fee account's document: no person's id, so no person ever reads it as his own.
PLATFORM = "platform"

SUMS = (
    "deposited_fen",
    "withdrawn_fen",
    "invested_fen",
    "principal_back_fen",
    "interest_fen",
    "penalty_fen",
    "fees_fen",
    "borrowed_fen",
    "repaid_fen",
    "vouchers_fen",
    "bought_fen",
    "sold_fen",
    "adjusted_fen",
    "assets_fen",
)


def project(event: RecordedEvent) -> Sequence[Op]:
    """An account's own stream sets its balances; the sums may also grow from a listing's stream (the loan collected)."""
    match event.data:
        case AccountOpened() as opened:
            return _opened(opened, event)
        case AccountClosed() as closed:
            return [Set(closed.account_id, "state", "closed"), _source(closed.account_id, event)]
        case FeeCredited() as credited:
            return [
                *_who(credited.account_id, PLATFORM, event),
                Set(credited.account_id, "available_fen", credited.balance_after_fen),
                Set(credited.account_id, "held_fen", 0),
                Add(credited.account_id, "fees_received_fen", credited.amount_fen),
            ]
        case MarketingFunded() | VoucherPaid() as platforms:
            return [
                *_who(platforms.account_id, PLATFORM, event),
                Set(platforms.account_id, "available_fen", platforms.balance_after_fen),
                Set(platforms.account_id, "held_fen", 0),
            ]
        case FeeAdjusted() as adjusted:
            return [
                *_who(adjusted.account_id, PLATFORM, event),
                Set(adjusted.account_id, "available_fen", adjusted.balance_after_fen),
                Set(adjusted.account_id, "held_fen", 0),
                Set(adjusted.account_id, "owed_fen", adjusted.owed_after_fen),
                Add(adjusted.account_id, "adjusted_fen", adjusted.amount_fen),
            ]
        case AdjustmentBooked() as booked:
            return [
                Set(booked.account_id, "owed_fen", booked.owed_after_fen),
                _source(booked.account_id, event),
            ]
        case FundsCollected() as collected:
            account_id = collected.borrower_account
            return [
                Add(account_id, "borrowed_fen", collected.amount_fen),
                Add(account_id, "fees_fen", collected.origination_fee_fen),
                _source(account_id, event),
            ]
        case moved:
            return [
                Set(moved.account_id, "available_fen", moved.available_after_fen),
                Set(moved.account_id, "held_fen", moved.held_after_fen),
                *_sums(moved),
                _source(moved.account_id, event),
            ]


def _opened(opened: AccountOpened, event: RecordedEvent) -> list[Op]:
    account_id = opened.account_id
    return [
        *_who(account_id, opened.owner, event),
        Set(account_id, "state", "open"),
        Set(account_id, "available_fen", 0),
        Set(account_id, "held_fen", 0),
        Set(account_id, "owed_fen", 0),
        *(Add(account_id, field, 0) for field in SUMS),
    ]


def _who(account_id: str, owner: str, event: RecordedEvent) -> list[Op]:
    return [
        Set(account_id, "account_id", account_id),
        Set(account_id, "owner", owner),
        _source(account_id, event),
    ]


def _source(account_id: str, event: RecordedEvent) -> Op:
    """The last event per stream that shaped the document: where its numbers can be followed down to."""
    return Set(account_id, f"src.{event.stream}", event.address)


def _sums(moved: object) -> list[Op]:
    match moved:
        case FundsDeposited():
            return [Add(moved.account_id, "deposited_fen", moved.amount_fen)]
        case FundsWithdrawn():
            return [Add(moved.account_id, "withdrawn_fen", moved.amount_fen)]
        case HoldCaptured():
            return [Add(moved.account_id, "invested_fen", moved.amount_fen)]
        case InvestorCredited():
            return [
                Add(moved.account_id, "principal_back_fen", moved.principal_fen),
                Add(moved.account_id, "interest_fen", moved.interest_fen),
                Add(moved.account_id, "penalty_fen", moved.penalty_fen),
                Add(moved.account_id, "fees_fen", moved.fee_fen),
            ]
        case InstallmentDebited():
            return [Add(moved.account_id, "repaid_fen", moved.debited_fen)]
        case LoanPaymentDebited() | CompensationDebited():
            return [Add(moved.account_id, "repaid_fen", moved.amount_fen)]
        case LoanPaymentReturned():
            return [Add(moved.account_id, "repaid_fen", -moved.amount_fen)]
        case AssetSaleDebited() | AssetProceedsCredited():
            return [Add(moved.account_id, "assets_fen", _of_asset_fen(moved))]
        case VoucherCredited():
            return [Add(moved.account_id, "vouchers_fen", moved.amount_fen)]
        case PurchaseCaptured():
            return [Add(moved.account_id, "bought_fen", moved.amount_fen)]
        case AdjustmentDebited():
            return [
                Add(moved.account_id, "adjusted_fen", -moved.amount_fen),
                Set(moved.account_id, "owed_fen", moved.owed_after_fen),
            ]
        case AdjustmentCredited():
            return [Add(moved.account_id, "adjusted_fen", moved.amount_fen)]
        case SaleCredited():
            return [
                Add(moved.account_id, "sold_fen", moved.amount_fen + moved.sale.fee_fen),
                Add(moved.account_id, "fees_fen", moved.sale.fee_fen),
            ]
        case _:
            return []


def _of_asset_fen(moved: AssetSaleDebited | AssetProceedsCredited) -> int:
    return -moved.amount_fen if isinstance(moved, AssetSaleDebited) else moved.amount_fen


VIEW = View(
    name="bidding.balances",
    version=7,
    reads=(
        AccountOpened,
        AccountClosed,
        FundsDeposited,
        WithdrawalRequested,
        FundsWithdrawn,
        WithdrawalFailed,
        FundsHeld,
        HoldReduced,
        HoldReleased,
        HoldCaptured,
        LoanProceedsCredited,
        FeeCredited,
        InstallmentDebited,
        LoanPaymentDebited,
        LoanPaymentReturned,
        InvestorCredited,
        FundsCollected,
        MarketingFunded,
        VoucherPaid,
        VoucherCredited,
        PurchaseHeld,
        PurchaseReleased,
        PurchaseCaptured,
        SaleCredited,
        CompensationDebited,
        AssetSaleDebited,
        AssetProceedsCredited,
        AdjustmentBooked,
        AdjustmentDebited,
        AdjustmentCredited,
        FeeAdjusted,
    ),
    project=project,
    owner_field="owner",
    indexes=("owner",),
)
