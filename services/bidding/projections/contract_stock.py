"""`bidding.contract-stock`: each stock of blank contracts, how many are where, which was signed for which loan, and its last count.

Every document is written by its own stream alone. Who has which numbers, the log says: `printed`, `at_branch`, `with_rep`, `signed`,
`returned` and `void` are how many papers came there, and those that went on from there are not taken off.
"""

from collections.abc import Sequence
from typing import Any

from libs.events.contract_stock import (
    BlankReturned,
    BlankSigned,
    BlanksVoided,
    Numbers,
    StockCounted,
    StockDifferenceExplained,
    StockHandedOver,
    StockPrinted,
    StockTaken,
)
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View
from libs.events.void_papers import SignedBlankVoided


def project(event: RecordedEvent) -> Sequence[Op]:
    """A stock's document after one of its events."""
    stock_id = event.data.stock_id
    return [*_ops(stock_id, event.data), Set(stock_id, f"src.{event.stream}", event.address)]


def _ops(stock_id: str, data: Any) -> list[Op]:
    match data:
        case StockPrinted():
            return _printed(data)
        case StockHandedOver():
            return [Set(stock_id, "offered", _said(data.numbers) | {"to": data.receiver})]
        case StockTaken():
            place = "at_branch" if data.place == "branch" else "with_rep"
            return [Set(stock_id, "offered", None), Add(stock_id, place, _size(data.numbers))]
        case BlankSigned():
            return [
                Add(stock_id, "signed", 1),
                Set(stock_id, f"loans.{data.number}", data.loan_id),
            ]
        case BlankReturned():
            return [Add(stock_id, "returned", 1)]
        case BlanksVoided():
            return [Add(stock_id, "void", _size(data.numbers))]
        case SignedBlankVoided():
            voided = data.voided
            said = {
                "loan_id": data.loan_id,
                "measure_id": voided.measure_id,
                "ground": voided.ground,
                "voided_on": voided.voided_on.isoformat(),
            }
            return [Add(stock_id, "void", 1), Set(stock_id, f"voided.{data.number}", said)]
        case StockCounted():
            return [Set(stock_id, "count", _counted(data))]
        case StockDifferenceExplained():
            return [Set(stock_id, "count.code", data.code)]
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _printed(data: StockPrinted) -> list[Op]:
    fields: dict[str, Any] = {
        "stock_id": data.stock_id,
        "branch": data.branch,
        "month": data.month.isoformat(),
        "party": data.party,
        "rep_quota": data.rep_quota,
        "offered": None,
        "loans": {},
        "voided": {},
        "count": None,
    }
    counts = [Add(data.stock_id, name, 0) for name in ("at_branch", "with_rep", "signed", "returned", "void")]
    return [
        *(Set(data.stock_id, name, value) for name, value in fields.items()),
        Add(data.stock_id, "printed", data.quota),
        *counts,
    ]


def _counted(data: StockCounted) -> dict[str, Any]:
    return {
        "month": data.month.isoformat(),
        "expected": data.expected,
        "counted": data.counted,
        "missing": [_said(numbers) for numbers in data.missing],
        "unexpected": [_said(numbers) for numbers in data.unexpected],
        "twice": [_said(numbers) for numbers in data.twice],
        "code": None,
    }


def _said(numbers: Numbers) -> dict[str, Any]:
    return {"first": numbers.first, "last": numbers.last}


def _size(numbers: Numbers) -> int:
    return numbers.last - numbers.first + 1


VIEW = View(
    name="bidding.contract-stock",
    version=2,
    reads=(
        StockPrinted,
        StockHandedOver,
        StockTaken,
        BlankSigned,
        BlankReturned,
        BlanksVoided,
        SignedBlankVoided,
        StockCounted,
        StockDifferenceExplained,
    ),
    project=project,
    indexes=("branch",),
)
