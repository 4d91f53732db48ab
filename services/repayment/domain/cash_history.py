"""What the holder of a claim was to get and got, month by month, and by what the two differ: early, late, missed.

A payment pays the oldest instalment first, so a loan's document says which instalments each of its payments paid: its amounts laid
end to end beside what the rows have received. A claim's receipt is its share of one payment and is spread on the same instalments
in the same proportions, cut by slices (libs.events.money.slice_fen), so its parts sum to it to the fen. What an early settlement paid
belongs to the instalments that were to come. Penalty is nobody's expectation: it is received, and stands apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, chain, pairwise
from typing import Final, Literal

from libs.events.money import slice_fen

Component = Literal["principal", "interest"]
COMPONENTS: Final[tuple[Component, ...]] = ("principal", "interest")


@dataclass(frozen=True, slots=True)
class Instalment:
    """What a row of the loan asks for of one component, and what it has received of that (fen)."""

    due_on: date
    owed_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what came on a date: the instalment that it was for, and how much; `ahead`: for none, the schedule was made less by it."""

    paid_on: date
    due_on: date
    amount_fen: int
    ahead: bool = False

    @property
    def timing(self) -> Literal["early", "in_time", "late"]:
        """Early: in a month before the one in which it is due. Late: after the due date, in the same month or later."""
        if self.paid_on > self.due_on:
            return "late"
        is_early = self.ahead or _month(self.paid_on) < _month(self.due_on)
        return "early" if is_early else "in_time"


def pieces_of(
    payments: Mapping[date, int], rows: Sequence[Instalment], *, is_owed: bool
) -> dict[date, list[Piece]]:
    """What a loan's payments of each date paid, instalment by instalment, of one component.

    First what the rows have received, oldest first. Then what stands in no row: of a loan that is owed no more, an early settlement's,
    on what the rows still ask for; of one that is still owed, a prepayment's, for which the rows were asked anew, so it is for none of
    them and ahead of all. More than that is for the date on which it came.
    """
    asked = () if is_owed else rows
    room = iter(
        chain(
            ((row.due_on, row.paid_fen) for row in rows),
            ((row.due_on, row.owed_fen - row.paid_fen) for row in asked),
        )
    )
    found: dict[date, list[Piece]] = {}
    due_on, left_fen = next(room, (None, 0))
    for paid_on in sorted(payments):
        rest_fen, pieces = payments[paid_on], []
        while rest_fen > 0:
            while left_fen <= 0 and due_on is not None:
                due_on, left_fen = next(room, (None, 0))
            part_fen = rest_fen if due_on is None else min(rest_fen, left_fen)
            pieces.append(Piece(paid_on, due_on or paid_on, part_fen, ahead=is_owed and due_on is None))
            rest_fen, left_fen = rest_fen - part_fen, left_fen - part_fen
        found[paid_on] = pieces
    return found


def share_of(received_fen: int, paid_on: date, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """A claim's receipt of a date, spread on the instalments that its loan's payments of that date paid; the parts sum to it."""
    whole = sum(piece.amount_fen for piece in pieces)
    if received_fen <= 0 or not whole:
        yield Piece(paid_on, paid_on, received_fen)
        return
    ends = accumulate((piece.amount_fen for piece in pieces), initial=0)
    for piece, (start, end) in zip(pieces, pairwise(ends), strict=True):
        yield replace(piece, amount_fen=slice_fen(received_fen, start, end, whole))


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month
