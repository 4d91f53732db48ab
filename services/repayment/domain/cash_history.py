"""What the holder of a claim was to get and got, month by month, and by what the two differ: early, late, missed.

A payment pays the oldest instalment first, so a loan's document says which instalments each of its payments paid: its amounts laid
end to end beside what the rows have received. A claim's receipt is its share of one payment and is spread on the same instalments
in the same proportions, cut by slices (libs.events.money.slice_fen), so its parts sum to it to the fen. What an early settlement paid
belongs to the instalments that were to come. Penalty is nobody's expectation: it is received, and stands apart.

What an asset settled nobody received: it took the place of the oldest instalments of its day, before the money of that day, and is
expected no more. So those that are paid after it are the next ones.

What a guarantor paid was for the instalments that he paid for, and what comes on these afterwards is his.

What was received stays so in its month, whatever is corrected later: a correction gives and takes on its own day. What it takes back was
for the instalments that were paid last, which are to be paid again. When a contract is void nothing is to be paid again as it was: what each
has had counts as something else from that day, for that day.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Final, Literal

from libs.events.money import slice_fen
from services.repayment.domain.guarantee import Subrogated, by_owner

Component = Literal["principal", "interest"]
COMPONENTS: Final[tuple[Component, ...]] = ("principal", "interest")


@dataclass(frozen=True, slots=True)
class Instalment:
    """What a row of the loan asks for of one component, and what it has received of that (fen). `number`: by which it may be one's alone."""

    due_on: date
    owed_fen: int
    paid_fen: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what came on a date: the instalment that it was for (number 0: none), and how much (below zero: of what was taken back);
    `ahead`: for none, the schedule was made less by it."""

    paid_on: date
    due_on: date
    amount_fen: int
    ahead: bool = False
    number: int = 0

    @property
    def timing(self) -> Literal["early", "in_time", "late"]:
        """Early: in a month before the one in which it is due. Late: after the due date, in the same month or later."""
        if self.paid_on > self.due_on:
            return "late"
        is_early = self.ahead or _month(self.paid_on) < _month(self.due_on)
        return "early" if is_early else "in_time"


def pieces_of(
    payments: Mapping[date, int],
    rows: Sequence[Instalment],
    *,
    is_owed: bool,
    in_kind: Mapping[date, int] = MappingProxyType({}),
) -> dict[date, list[Piece]]:
    """What a loan's payments of each date paid (below zero: what corrections took back), instalment by instalment, of one component;
    `in_kind` is what assets settled of it.

    First what the rows have received, oldest first. Then what stands in no row: of a loan that is owed no more, an early settlement's,
    on what the rows still ask for; of one that is still owed, a prepayment's, for which the rows were asked anew, so it is for none of
    them and ahead of all. More than that is for the date on which it came. What was taken back since had paid what the rows ask for.
    """
    lots = sorted(
        [*((day, 0, fen) for day, fen in in_kind.items()), *((day, 1, payments[day]) for day in payments)]
    )
    room = deque(_room([fen for *_, fen in lots], rows, is_owed=is_owed))
    laid: list[Piece] = []
    found: dict[date, list[Piece]] = {}
    for paid_on, is_money, fen in lots:
        if fen < 0:
            found[paid_on] = list(_taken_back(-fen, paid_on, laid))
            room.extendleft(replace(piece, amount_fen=-piece.amount_fen) for piece in found[paid_on])
            continue
        pieces = list(_placed(fen, paid_on, room))
        if is_money:
            found[paid_on] = pieces
            laid += pieces
    return found


def _placed(amount_fen: int, on: date, room: deque[Piece]) -> Iterator[Piece]:
    """What came on a day, on the first places that are left; more than they are stands for itself."""
    while amount_fen:
        place = room.popleft() if room else Piece(on, on, amount_fen)
        part_fen = min(amount_fen, place.amount_fen)
        if part_fen < place.amount_fen:
            room.appendleft(replace(place, amount_fen=place.amount_fen - part_fen))
        if part_fen:
            due_on = on if place.ahead else place.due_on
            yield replace(place, paid_on=on, due_on=due_on, amount_fen=part_fen)
        amount_fen -= part_fen


def _room(came_fen: Sequence[int], rows: Sequence[Instalment], *, is_owed: bool) -> Iterator[Piece]:
    """What payments can be laid on, in its order; their own dates are not known yet."""
    yield from (Piece(row.due_on, row.due_on, row.paid_fen, number=row.number) for row in rows)
    asked = (Piece(row.due_on, row.due_on, row.owed_fen - row.paid_fen, number=row.number) for row in rows)
    if not is_owed:
        yield from asked
        return
    whole = list(accumulate(came_fen, initial=0))
    ahead_fen = max(0, whole[-1] - sum(row.paid_fen for row in rows))
    yield Piece(date.min, date.min, ahead_fen, ahead=True)
    taken_fen = max(whole) - whole[-1]
    for place in asked:
        yield replace(place, amount_fen=min(place.amount_fen, taken_fen))
        taken_fen -= min(place.amount_fen, taken_fen)


def _taken_back(amount_fen: int, on: date, laid: list[Piece]) -> Iterator[Piece]:
    """What a correction takes back of what was paid last, off the pieces that were laid; more than they are stands for itself."""
    while amount_fen and laid:
        last = laid.pop()
        part_fen = min(amount_fen, last.amount_fen)
        if part_fen < last.amount_fen:
            laid.append(replace(last, amount_fen=last.amount_fen - part_fen))
        yield replace(last, paid_on=on, amount_fen=-part_fen)
        amount_fen -= part_fen
    if amount_fen:
        yield Piece(on, on, -amount_fen)


@dataclass(frozen=True, slots=True)
class PaidFor:
    """What a guarantor paid of one component of instalments that are his since: to their holders, on a day."""

    his: Subrogated
    paid_on: date
    lines: Sequence[tuple[int, int]]
    """The number of an instalment, 0 for all that was not due, with what he paid of it."""


def of_owners(
    pieces: Mapping[date, Sequence[Piece]], paid_for: Sequence[PaidFor], rows: Sequence[Instalment]
) -> Mapping[str | None, Mapping[date, Sequence[Piece]]]:
    """What was for whom: since he paid, what came on his instalments was for the guarantor's claim; for all others (None) the rest, and what
    he paid them."""
    found: dict[str | None, dict[date, list[Piece]]] = {
        None: {},
        **{each.his.claim_id: {} for each in paid_for},
    }
    for day, came in pieces.items():
        his = [each.his for each in paid_for if each.paid_on <= day]
        for owner, own in by_owner(his, came).items():
            found[owner][day] = own
    due_on = {row.number: row.due_on for row in rows}
    for each in paid_for:
        on = each.paid_on
        found[None].setdefault(on, []).extend(
            Piece(on, due_on.get(number, on), fen, ahead=not number, number=number)
            for number, fen in each.lines
        )
    return found


def spread(
    received: Mapping[date, int], pieces: Mapping[date, Sequence[Piece]], *, alone: date | None = None
) -> Iterator[Piece]:
    """What a claim received on each date, on the instalments for which it came; the parts of a date sum to what came on it. What came on
    `alone` was for that day."""
    laid: list[Piece] = []
    for paid_on in sorted(received):
        if paid_on == alone:
            yield Piece(paid_on, paid_on, received[paid_on])
            continue
        if received[paid_on] < 0:
            yield from _taken_back(-received[paid_on], paid_on, laid)
            continue
        came = list(share_of(received[paid_on], paid_on, pieces.get(paid_on, ())))
        laid += came
        yield from came


def share_of(received_fen: int, paid_on: date, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """A claim's receipt of a date, spread on the instalments that its loan's payments of that date paid; the parts sum to it."""
    whole = sum(piece.amount_fen for piece in pieces)
    if received_fen <= 0 or whole <= 0:
        yield Piece(paid_on, paid_on, received_fen)
        return
    ends = accumulate((piece.amount_fen for piece in pieces), initial=0)
    for piece, (start, end) in zip(pieces, pairwise(ends), strict=True):
        yield replace(piece, amount_fen=slice_fen(received_fen, start, end, whole))


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month
