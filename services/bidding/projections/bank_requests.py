"""The view `bidding.bank-requests`: what customers asked of the bank and it has not answered, one document a request.

The courier takes its orders from here and finds them again after a restart. A document is its account's stream's alone and goes
with the bank's answer, so the view is as small as what is open.
"""

from collections.abc import Sequence

from libs.events.bidding import (
    FundsDeposited,
    FundsWithdrawn,
    TopUpFailed,
    TopUpRequested,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.records import RecordedEvent
from libs.events.views import Delete, Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """A request opens its document, the bank's answer ends it."""
    match event.data:
        case TopUpRequested() as asked:
            return _opened(asked, asked.top_up_id, "collect", event)
        case WithdrawalRequested() as asked:
            return _opened(asked, asked.withdrawal_id, "pay_out", event)
        case FundsDeposited() | TopUpFailed() as answered:
            return [Delete(_name(answered.account_id, answered.top_up_id))]
        case FundsWithdrawn() | WithdrawalFailed() as answered:
            return [Delete(_name(answered.account_id, answered.withdrawal_id))]
        case _:
            raise TypeError(f"{event.type} is not read by this view")


def _opened(
    asked: TopUpRequested | WithdrawalRequested, request_id: str, kind: str, event: RecordedEvent
) -> list[Op]:
    assert event.business_date is not None, "an account decides on a business date"
    assert event.at is not None, "a person's request has a time"
    fields = {
        "request_id": request_id,
        "kind": kind,
        "account_id": asked.account_id,
        "owner": asked.owner,
        "amount_fen": asked.amount_fen,
        "card_ref": asked.card_ref,
        "business_date": event.business_date.isoformat(),
        "asked_at": event.at.isoformat(),
        f"src.{event.stream}": event.address,
    }
    doc = _name(asked.account_id, request_id)
    return [Set(doc, field, value) for field, value in fields.items()]


def _name(account_id: str, request_id: str) -> str:
    """A request's id is its account's own word, so both name the document."""
    return f"{account_id}:{request_id}"


VIEW = View(
    name="bidding.bank-requests",
    version=1,
    reads=(
        TopUpRequested,
        FundsDeposited,
        TopUpFailed,
        WithdrawalRequested,
        FundsWithdrawn,
        WithdrawalFailed,
    ),
    project=project,
    owner_field="owner",
)
