"""The view `repayment.assets`: the file of each asset taken in settlement (F19): what it is, when it is counted and sold by, its sale.

An asset's document is written by its own stream alone. `stage` is `kept`, then the post whose signature a sale waits for, `payment`
while its buyer is asked, at last `disposed`. Amounts are in fen.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.events.assets import (
    AssetAuctionFailed,
    AssetCounted,
    AssetCountMissed,
    AssetDisposalFailed,
    AssetDisposalOverdue,
    AssetDisposalProposed,
    AssetDisposalSigned,
    AssetDisposed,
    AssetSold,
    AssetTaken,
)
from libs.events.codec import encode, parse_json
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View

#: Who signs a sale first.
_FIRST = "finance_supervisor"


def project(event: RecordedEvent) -> Sequence[Op]:
    """An asset's document after one of its events."""
    name = event.data.asset_id
    changed = [Set(name, field, value) for field, value in _fields(event.data).items()]
    return [*changed, Set(name, f"src.{event.stream}", event.address)]


def _fields(data: object) -> Mapping[str, Any]:
    match data:
        case AssetTaken():
            return _taken(data)
        case AssetCounted():
            return {
                "count_due_on": data.next_due_on.isoformat(),
                f"counts.{data.counted_on.isoformat()}": {
                    "found": data.found,
                    "paper": data.paper,
                    "by": data.counted_by,
                },
            }
        case AssetCountMissed():
            return {"count_due_on": data.next_due_on.isoformat(), "counts_missed": data.missed}
        case AssetDisposalOverdue():
            return {"is_overdue": True}
        case AssetAuctionFailed():
            return {f"failed_auctions.{data.held_on.isoformat()}": data.reserve_fen}
        case AssetDisposalProposed():
            return {"stage": _FIRST, "disposal": parse_json(encode(type(data), data)), "code": None}
        case AssetDisposalSigned():
            return {"stage": data.next_step or "payment", f"signers.{data.step}": data.signer}
        case AssetSold():
            return {"sold_on": data.sold_on.isoformat()}
        case AssetDisposalFailed():
            return {"stage": "kept", "code": data.code, "disposal": None, "sold_on": None}
        case AssetDisposed():
            return {
                "stage": "disposed",
                "disposed_on": data.disposed_on.isoformat(),
                "price_fen": data.price_fen,
                "loss_fen": data.loss_fen,
                "proceeds": {line.line_id: line.amount_fen for line in data.lines},
            }
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _taken(data: AssetTaken) -> Mapping[str, Any]:
    return {
        "asset_id": data.asset_id,
        "loan_id": data.loan_id,
        "measure_id": data.measure_id,
        "asset": data.terms.asset,
        "terms": parse_json(encode(type(data.terms), data.terms)),
        "settled_fen": data.settled_fen,
        "excess_fen": data.excess_fen,
        "taken_on": data.taken_on.isoformat(),
        "dispose_by": data.dispose_by.isoformat(),
        "count_due_on": data.count_due_on.isoformat(),
        "counts_missed": 0,
        "is_overdue": False,
        "stage": "kept",
        "disposal": None,
        "code": None,
        "sold_on": None,
        "disposed_on": None,
        "price_fen": None,
        "loss_fen": None,
        "holders": [share.investor for share in data.shares],
    }


VIEW = View(
    name="repayment.assets",
    version=1,
    reads=(
        AssetTaken,
        AssetCounted,
        AssetCountMissed,
        AssetDisposalOverdue,
        AssetAuctionFailed,
        AssetDisposalProposed,
        AssetDisposalSigned,
        AssetSold,
        AssetDisposalFailed,
        AssetDisposed,
    ),
    project=project,
    indexes=("stage", "loan_id", "is_overdue"),
)
