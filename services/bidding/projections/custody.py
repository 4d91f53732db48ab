"""The view `bidding.custody`: the double entry of all accounts, so that a difference is seen the moment it exists.

One document per class of posting account (`bank:custody`, `available`, `held`, `fees`, `clearing`, `unrequested`, `marketing`),
one per loan, voucher, offer and correction in clearing (`clearing:loan:<loan>`, `clearing:voucher:<voucher>`, `clearing:offer:<offer>`,
`clearing:correction:<correction>` and, across a year's end, `clearing:prior_year:<correction>`). `books` holds all classes once more in one document, because only one document is read at
one moment: its `total_fen` is zero at every position of the log. Sums only; the rows behind them are the movements of
`reporting.statement`.
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
    Posting,
    UnrequestedMoneyReceived,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.compensation import CompensationDebited
from libs.events.market import PurchaseCaptured, PurchaseHeld, PurchaseReleased, SaleCredited
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, View
from libs.events.vouchers import MarketingFunded, VoucherCredited, VoucherPaid

#: The document with the balances of all classes, by class, and their total.
BOOKS = "books"


def project(event: RecordedEvent) -> Sequence[Op]:
    """Add each posting to its class, here and in the books, and a clearing posting to its loan, voucher or offer as well."""
    postings: tuple[Posting, ...] = event.data.postings
    ops: list[Op] = []
    for posting in postings:
        of = class_of(posting.account)
        ops += _add(of, posting.amount_fen)
        if of == "clearing":
            ops += _add(posting.account, posting.amount_fen)
        ops += [
            Add(BOOKS, f"classes.{of}.{field}", amount_fen)
            for field, amount_fen in _amounts(posting.amount_fen)
        ]
        ops.append(Add(BOOKS, "total_fen", posting.amount_fen))
    return ops


def class_of(account: str) -> str:
    """The class of a posting's account: the bank stands for itself, the others are many of a kind."""
    kind = account.split(":", 1)[0]
    return account if kind == "bank" else kind


def _add(doc: str, amount_fen: int) -> list[Op]:
    return [Add(doc, field, amount) for field, amount in _amounts(amount_fen)]


def _amounts(amount_fen: int) -> tuple[tuple[str, int], ...]:
    """Gained and given are kept apart too: what the bank gave are the deposits, what it gained the withdrawals."""
    return (
        ("balance_fen", amount_fen),
        ("gained_fen", max(amount_fen, 0)),
        ("given_fen", max(-amount_fen, 0)),
    )


VIEW = View(
    name="bidding.custody",
    version=7,
    reads=(
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
        UnrequestedMoneyReceived,
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
        AdjustmentDebited,
        AdjustmentCredited,
        FeeAdjusted,
    ),
    project=project,
)
