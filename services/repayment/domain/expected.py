"""What the holder of a claim may expect, month by month, if the rest of the schedule is paid as it stands.

A payment is split when it comes, by what each holder is owed then (distribution.py); before that nobody knows the fen. So this
is an estimate, computed alike for all: the claims lie side by side, each as wide as the principal that it is owed, in the order
of their ids, and each row's open amounts are spread evenly on all of them (libs.events.money.slice_fen). Over all claims the
expectations sum to the schedule exactly; each is within a fen a row of the claim's proportion. Penalty and the platform's fee
on interest are not in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from libs.events.money import slice_fen


@dataclass(frozen=True, slots=True)
class Due:
    """What a row still asks for, of the whole loan or of one claim; `missed`: it was not paid in time."""

    due_on: date
    principal_fen: int
    interest_fen: int
    missed: bool = False


def expected_of(claim_id: str, held: Mapping[str, int], rows: Sequence[Due]) -> list[Due]:
    """What a claim may expect of each open row of its loan. `held` is what each claim of the loan is owed.

    Nothing for a claim that is not among them or is owed nothing.
    """
    own_fen = held.get(claim_id, 0)
    if own_fen <= 0:
        return []
    start = sum(fen for other, fen in held.items() if other < claim_id)
    end, whole = start + own_fen, sum(held.values())
    return [
        Due(
            due_on=row.due_on,
            principal_fen=slice_fen(row.principal_fen, start, end, whole),
            interest_fen=slice_fen(row.interest_fen, start, end, whole),
            missed=row.missed,
        )
        for row in rows
    ]
