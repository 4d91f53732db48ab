"""The view `reporting.statement`: every movement of every custody account as one line, in the order of the log: its cash history.

A line says what the account holds after it, so a statement proves itself: each line's balance is the one before plus what
the line moved. `posted` is what the movement posted on each class of accounts, zero in all: the lines are the journal behind
the books (bidding.custody).
"""

from collections.abc import Sequence

from libs.events.adjustments import AdjustmentCredited, AdjustmentDebited, FeeAdjusted
from libs.events.assets import AssetProceedsCredited, AssetSaleDebited
from libs.events.bidding import (
    FeeCredited,
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
    UnrequestedMoneyReceived,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.compensation import CompensationDebited
from libs.events.market import PurchaseCaptured, PurchaseHeld, PurchaseReleased, SaleCredited
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View
from libs.events.vouchers import MarketingFunded, VoucherCredited, VoucherPaid

#: Who owns the lines of the fee account, of the marketing account and of money that is nobody's yet: no person's id.
PLATFORM = "platform"

#: What a line is about, where the event says it.
_ABOUT = (
    "loan_id",
    "listing_id",
    "bid_id",
    "payment_id",
    "claim_id",
    "distribution_id",
    "debit_id",
    "top_up_id",
    "withdrawal_id",
    "fee_id",
    "voucher_id",
    "offer_id",
    "compensation_id",
    "bank_reference",
    "correction_id",
)

#: The classes of accounts, as postings name them before the colon.
CLASSES = ("bank", "available", "held", "fees", "clearing", "unrequested", "marketing")

#: What a movement is to whoever reads his history: the steps of one affair are of one kind.
KINDS = {
    FundsDeposited: "top_up",
    WithdrawalRequested: "withdrawal",
    FundsWithdrawn: "withdrawal",
    WithdrawalFailed: "withdrawal",
    FundsHeld: "bid",
    HoldReduced: "bid",
    HoldReleased: "bid",
    HoldCaptured: "investment",
    LoanProceedsCredited: "loan",
    InstallmentDebited: "loan_payment",
    LoanPaymentDebited: "loan_payment",
    LoanPaymentReturned: "loan_payment",
    InvestorCredited: "repayment",
    FeeCredited: "fee",
    UnrequestedMoneyReceived: "unrequested",
    MarketingFunded: "marketing",
    VoucherPaid: "voucher",
    VoucherCredited: "voucher",
    PurchaseHeld: "trade",
    PurchaseReleased: "trade",
    PurchaseCaptured: "trade",
    SaleCredited: "trade",
    CompensationDebited: "compensation",
    AssetSaleDebited: "asset",
    AssetProceedsCredited: "asset",
    AdjustmentDebited: "correction",
    AdjustmentCredited: "correction",
    FeeAdjusted: "correction",
}

MOVEMENTS = tuple(KINDS)


def project(event: RecordedEvent) -> Sequence[Op]:
    """One line per movement, under the account's id and the movement's place in its stream."""
    moved = event.data
    account_id = moved.booking_id if isinstance(moved, UnrequestedMoneyReceived) else moved.account_id
    line = _line(account_id, event.sequence)
    fields = {
        "account_id": account_id,
        "business_date": event.business_date.isoformat() if event.business_date else None,
        "kind": KINDS[type(moved)],
        "movement": type(moved).__name__,
        "available_fen": _on(moved, f"available:{account_id}"),
        "held_fen": _on(moved, f"held:{account_id}"),
        "event": event.address,
        **{f"posted.{of}_fen": _posted(moved, of) for of in CLASSES},
        **{name: getattr(moved, name) for name in _ABOUT if hasattr(moved, name)},
    }
    if isinstance(moved, InstallmentDebited):
        # What a loan asks for is a payment of it under the debit's own name.
        fields["payment_id"] = moved.debit_id
    if isinstance(moved, HoldReleased | LoanPaymentReturned | PurchaseReleased | WithdrawalFailed):
        fields["reason"] = moved.code if isinstance(moved, WithdrawalFailed) else moved.reason
    if isinstance(
        moved, FeeCredited | FeeAdjusted | UnrequestedMoneyReceived | MarketingFunded | VoucherPaid
    ):
        if isinstance(moved, UnrequestedMoneyReceived):
            after_fen = moved.amount_fen
        else:
            after_fen = moved.balance_after_fen
        fields |= {
            "owner": PLATFORM,
            "available_fen": -moved.amount_fen if isinstance(moved, VoucherPaid) else moved.amount_fen,
            "available_after_fen": after_fen,
            "held_after_fen": 0,
        }
    else:
        fields |= {
            "owner": moved.owner,
            "available_after_fen": moved.available_after_fen,
            "held_after_fen": moved.held_after_fen,
        }
    return [Set(line, name, value) for name, value in fields.items()]


def _line(account_id: str, sequence: int | None) -> str:
    """A line's name: in the order of names an account's lines stand as they happened."""
    return f"{account_id}/{sequence:010}"


def _on(moved: object, account: str) -> int:
    """What the event moved on one posting account, in fen."""
    return sum(posting.amount_fen for posting in moved.postings if posting.account == account)  # type: ignore[attr-defined]


def _posted(moved: object, of: str) -> int:
    """What the event posted on one class of accounts, in fen."""
    postings = moved.postings  # type: ignore[attr-defined]  # every movement has them
    return sum(posting.amount_fen for posting in postings if posting.account.split(":", 1)[0] == of)


VIEW = View(
    name="reporting.statement",
    version=7,
    reads=MOVEMENTS,
    project=project,
    owner_field="owner",
    indexes=("account_id",),
)
