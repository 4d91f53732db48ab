"""The view `bidding.redemptions`: each emergency redemption, what it waits for and how it ended; what each month asked and got.

A redemption's document is written by its own stream alone. `month:<yyyy-mm>` are sums over the redemptions of a month: `asked`
counts by `asked_on`; `sold`, `amount_fen` and `days_used` are sums by `sold_on`. `~clock` says which day it is, for the working days
that are left: the first partition's date is that of all.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.records import RecordedEvent
from libs.events.redemption import (
    RedemptionApproved,
    RedemptionAsked,
    RedemptionDeclined,
    RedemptionFormCompleted,
    RedemptionLapsed,
    RedemptionRefused,
    RedemptionReleased,
    RedemptionReleaseRefused,
    RedemptionSold,
)
from libs.events.system import BusinessDateSet
from libs.events.views import Add, Op, Set, View

CLOCK = "~clock"
_CLOCKS_STREAM = "~p0"


def project(event: RecordedEvent) -> Sequence[Op]:
    """A redemption's document after one of its events, and its month's sums. Amounts in fen."""
    if isinstance(event.data, BusinessDateSet):
        day = event.data.business_date.isoformat()
        return [Set(CLOCK, "business_date", day)] if event.stream == _CLOCKS_STREAM else []
    name = event.data.redemption_id
    changed = [Set(name, field, value) for field, value in _fields(event.data).items()]
    return [*changed, *_counted(event.data), Set(name, f"src.{event.stream}", event.address)]


def _counted(data: object) -> list[Op]:
    match data:
        case RedemptionAsked():
            return [Add(month_of(data.asked_on.isoformat()), "asked", 1)]
        case RedemptionSold():
            month = month_of(data.sold_on.isoformat())
            return [
                Add(month, "sold", 1),
                Add(month, "amount_fen", data.amount_fen),
                Add(month, "days_used", data.days_used),
            ]
        case _:
            return []


def month_of(day: str) -> str:
    """The document of a day's month."""
    return f"month:{day[:7]}"


def _fields(data: object) -> dict[str, Any]:
    match data:
        case RedemptionAsked():
            return {
                "redemption_id": data.redemption_id,
                "investor": data.investor,
                "offer_id": data.offer_id,
                "reason": data.reason,
                "price_permille": data.price_permille,
                "principal_fen": data.principal_fen,
                "asked_on": data.asked_on.isoformat(),
                "stage": "form",
                "deadline": None,
                "code": None,
                "amount_fen": None,
                "days_used": None,
            }
        case RedemptionDeclined():
            return {"stage": "declined", "code": data.code}
        case RedemptionFormCompleted():
            return {
                "claim_id": data.claim_id,
                "loan_id": data.loan_id,
                "completed_on": data.completed_on.isoformat(),
                "deadline": data.deadline.isoformat(),
                "stage": data.next_step,
            }
        case RedemptionApproved():
            return {"stage": data.next_step, f"signers.{data.step}": data.signer}
        case RedemptionRefused():
            return {"stage": "refused", "code": data.code, f"signers.{data.step}": data.signer}
        case RedemptionReleaseRefused():
            return {"stage": "refused", "code": data.code, "signers.release": data.signer}
        case RedemptionReleased():
            return {
                "stage": "sale",
                "sale_offer_id": data.sale_offer_id,
                "signers.release": data.signer,
            }
        case RedemptionSold():
            return {"stage": "sold", "amount_fen": data.amount_fen, "days_used": data.days_used}
        case RedemptionLapsed():
            return {"stage": "lapsed", "code": data.code}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


VIEW = View(
    name="bidding.redemptions",
    version=2,
    reads=(
        RedemptionAsked,
        RedemptionDeclined,
        RedemptionFormCompleted,
        RedemptionApproved,
        RedemptionRefused,
        RedemptionReleaseRefused,
        RedemptionReleased,
        RedemptionSold,
        RedemptionLapsed,
        BusinessDateSet,
    ),
    project=project,
    owner_field="investor",
    indexes=("investor", "stage"),
)
