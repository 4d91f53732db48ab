"""How a payment must be allocated, done once more fen by fen from what is open and the order that was agreed on.

It shares no code with the platform: what is due is sorted by the keys of its order, and then paid in that row.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol

_USUAL: Final[dict[str, Any]] = {
    "across": "horizontal",
    "components": ["penalty", "fee", "interest", "principal"],
}
_PERFORMS: Final = ("normal", "special_mention")


class OpenRow(Protocol):
    """What is open of an instalment."""

    due_on: date
    principal_fen: int
    interest_fen: int
    fee_fen: int
    penalty_fen: int


def order_of(terms: Any, loan_class: str) -> dict[str, Any]:
    """The order of a loan's terms for its class."""
    agreed = (terms or {}).get("allocation")
    if agreed is None:
        return _USUAL
    order: dict[str, Any] = agreed["performing" if loan_class in _PERFORMS else "non_performing"]
    return order


def expected(
    rows: Mapping[int, OpenRow], amount_fen: int, on: date, order: dict[str, Any]
) -> dict[int, dict[str, int]]:
    """What each instalment receives of each component; parts of nothing are left out."""
    places = [
        (number, component)
        for number, row in rows.items()
        if row.due_on <= on
        for component in order["components"]
    ]
    rank = {component: place for place, component in enumerate(order["components"])}
    if order["across"] == "vertical":
        places.sort(key=lambda place: (rank[place[1]], place[0]))
    else:
        places.sort(key=lambda place: (place[0], rank[place[1]]))
    paid: dict[int, dict[str, int]] = {}
    for number, component in places:
        fen = min(amount_fen, getattr(rows[number], f"{component}_fen"))
        if fen:
            paid.setdefault(number, {})[component] = fen
            amount_fen -= fen
    return paid


def said(lines: Sequence[Any]) -> dict[int, dict[str, int]]:
    """The same from the lines of a payment."""
    return {
        line["number"]: {
            component: line[f"{component}_fen"]
            for component in _USUAL["components"]
            if line[f"{component}_fen"]
        }
        for line in lines
    }
