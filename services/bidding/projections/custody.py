"""The view `bidding.custody`: the double entry of all accounts, so that a difference is seen the moment it exists.

One document per class of posting account (`bank:custody`, `available`, `held`, `fees`, `clearing`) and one per loan in
clearing (`clearing:loan:<loan>`). Sums only: all `balance_fen` of the classes together are zero after every event.
The rows behind a sum are the events of bidding with a posting on the document's account.
"""

from collections.abc import Sequence

from libs.events.bidding import (
    FeeCredited,
    FundsDeposited,
    FundsHeld,
    FundsWithdrawn,
    HoldCaptured,
    HoldReleased,
    InstallmentDebited,
    InvestorCredited,
    LoanPaymentDebited,
    LoanPaymentReturned,
    LoanProceedsCredited,
    Posting,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """Add each posting to its class, and a clearing posting to its loan as well."""
    postings: tuple[Posting, ...] = event.data.postings
    return [
        op
        for posting in postings
        for doc in _documents(posting.account)
        for op in _add(doc, posting.amount_fen)
    ]


def _documents(account: str) -> tuple[str, ...]:
    kind = account.split(":", 1)[0]
    match kind:
        case "clearing":
            return (kind, account)
        case "bank":
            return (account,)
        case _:
            return (kind,)


def _add(doc: str, amount_fen: int) -> list[Op]:
    """Gained and given are kept apart too: what the bank gave are the deposits, what it gained the withdrawals."""
    return [
        Add(doc, "balance_fen", amount_fen),
        Add(doc, "gained_fen", max(amount_fen, 0)),
        Add(doc, "given_fen", max(-amount_fen, 0)),
    ]


VIEW = View(
    name="bidding.custody",
    version=1,
    reads=(
        FundsDeposited,
        WithdrawalRequested,
        FundsWithdrawn,
        WithdrawalFailed,
        FundsHeld,
        HoldReleased,
        HoldCaptured,
        LoanProceedsCredited,
        FeeCredited,
        InstallmentDebited,
        LoanPaymentDebited,
        LoanPaymentReturned,
        InvestorCredited,
    ),
    project=project,
)
