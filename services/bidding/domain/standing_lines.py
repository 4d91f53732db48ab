"""Standing orders as the queue's state keeps them: one text, a line for each in the order in which they are served.

A state is encoded whole after every decision on it, and there may be 10,000 orders: as records they would take two hundred times
as long (accepted.py, docs/decisions/0016). Turns only grow along the text, so a place in it is found by halving.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from libs.events.standing import OrderTerms

Lines = str
"""Orders: `;<order>,<owner>,<turn>,<version>,<a|p>,<grades>,<rate>,<months>,<loan max>,<keep back>,<total max>,<spent>,<misses>`
for each, the ids without their prefixes, which follow."""

NONE: Lines = ""

_ORDER, _OWNER = "sto_", "usr_"


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """An order in the queue: whose, its place, what it takes, whether it takes part, and what it has spent. Amounts in fen."""

    order_id: str
    owner: str
    turn: int
    version: int
    is_paused: bool
    terms: OrderTerms
    spent_fen: int
    misses: int = 0
    """For how many listings in a row it could not pay."""

    @property
    def account_id(self) -> str:
        """Its owner's account."""
        return f"acc_{self.owner.removeprefix(_OWNER)}"


def number_of(lines: Lines) -> int:
    """How many there are."""
    return lines.count(";")


def order_with(lines: Lines, order_id: str) -> StandingOrder | None:
    """The order of an id, None where there is none."""
    begins = lines.find(f";{order_id.removeprefix(_ORDER)},")
    return None if begins < 0 else _read(_line_at(lines, begins))


def order_of(lines: Lines, owner: str) -> StandingOrder | None:
    """The order of an owner, None where he has none. Turns are digits, so no other field looks like his."""
    wanted = f",{owner.removeprefix(_OWNER)},"
    found = lines.find(wanted)
    while found >= 0:
        begins = lines.rfind(";", 0, found)
        order = _read(_line_at(lines, begins))
        if order.owner == owner:
            return order
        found = lines.find(wanted, found + 1)
    return None


def behind(lines: Lines, turn: int) -> Iterator[StandingOrder]:
    """The orders with a higher turn, in the order of service."""
    found = lines.split(";")[1:]
    for line in found[bisect_right(found, turn, key=_turn_of) :]:
        yield _read(line)


def with_order(lines: Lines, order: StandingOrder) -> Lines:
    """The queue with one more order, or with one at a new turn: at its end."""
    return without(lines, order.order_id) + _written(order)


def with_changed(lines: Lines, order: StandingOrder) -> Lines:
    """The queue with an order that has changed and keeps its place."""
    begins, ends = _bounds(lines, order.order_id)
    return lines[:begins] + _written(order) + lines[ends:]


def without(lines: Lines, order_id: str) -> Lines:
    """The queue without an order."""
    begins, ends = _bounds(lines, order_id)
    return lines[:begins] + lines[ends:]


def _bounds(lines: Lines, order_id: str) -> tuple[int, int]:
    """Where an order's line begins and ends; the end of the text where it has none."""
    begins = lines.find(f";{order_id.removeprefix(_ORDER)},")
    return (len(lines), len(lines)) if begins < 0 else (begins, _end_of(lines, begins))


def _line_at(lines: Lines, begins: int) -> str:
    return lines[begins + 1 : _end_of(lines, begins)]


def _end_of(lines: Lines, begins: int) -> int:
    ends = lines.find(";", begins + 1)
    return len(lines) if ends < 0 else ends


def _turn_of(line: str) -> int:
    return int(line.split(",", 3)[2])


def _written(order: StandingOrder) -> Lines:
    terms = order.terms
    fields = (
        order.order_id.removeprefix(_ORDER),
        order.owner.removeprefix(_OWNER),
        order.turn,
        order.version,
        "p" if order.is_paused else "a",
        "/".join(terms.grades),
        f"{terms.annual_rate_min:f}",
        terms.tenor_months_max,
        terms.loan_max_fen,
        terms.keep_back_fen,
        "" if terms.total_max_fen is None else terms.total_max_fen,
        order.spent_fen,
        order.misses,
    )
    return ";" + ",".join(map(str, fields))


def _read(line: str) -> StandingOrder:
    order, owner, turn, version, mark, grades, rate, months, loan_max, keep_back, total_max, spent, misses = (
        line.split(",")
    )
    terms = OrderTerms(
        grades=tuple(grades.split("/")),
        annual_rate_min=Decimal(rate),
        tenor_months_max=int(months),
        loan_max_fen=int(loan_max),
        keep_back_fen=int(keep_back),
        total_max_fen=int(total_max) if total_max else None,
    )
    return StandingOrder(
        order_id=_ORDER + order,
        owner=_OWNER + owner,
        turn=int(turn),
        version=int(version),
        is_paused=mark == "p",
        terms=terms,
        spent_fen=int(spent),
        misses=int(misses),
    )
