"""What the holder of claims may expect, month by month, if the rest of the schedule is paid as it stands.

A payment is split when it comes, by what each holder is owed then (distribution.py); before that nobody knows the fen. So this
is an estimate, computed alike for all: the claims lie side by side, each as wide as the principal that it is owed, in the order
of their ids, and each row's open amounts are spread evenly on all of them (libs.events.money.slice_fen). Rows that a guarantor has paid
for are his alone, and his claim takes no part in the others, as when they are paid (sharing.py). Over all claims the
expectations sum to the schedule exactly; each is within a fen a row of the claim's proportion. Penalty and the platform's fee
on interest are not in it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.events.money import slice_fen
from services.repayment.domain.guarantee import Subrogated, by_owner


@dataclass(frozen=True, slots=True)
class Due:
    """What a row still asks for, of the whole loan or of a slice of it; `missed`: it was not paid in time."""

    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Holders:
    """What each claim of a loan is owed, and which instalments are a guarantor's alone."""

    held: Mapping[str, int]
    subrogated: Sequence[Subrogated] = ()

    @property
    def claims(self) -> Collection[str]:
        """All that may expect anything."""
        return dict.fromkeys((*self.held, *(each.claim_id for each in self.subrogated)))

    @property
    def sharing(self) -> Mapping[str, int]:
        """The claims that share all other instalments."""
        his = {each.claim_id for each in self.subrogated}
        return {claim: fen for claim, fen in self.held.items() if claim not in his} if his else self.held


@dataclass(frozen=True, slots=True)
class Slice:
    """From where to where some neighbouring claims lie, and how wide all of the loan's are."""

    start: int
    end: int
    whole: int

    def of(self, row: Due) -> Due:
        """What falls to it of a row."""
        return Due(
            number=row.number,
            due_on=row.due_on,
            principal_fen=slice_fen(row.principal_fen, self.start, self.end, self.whole),
            interest_fen=slice_fen(row.interest_fen, self.start, self.end, self.whole),
            missed=row.missed,
        )


_ALL: Final = Slice(0, 1, 1)


def slices_of(own: Collection[str], held: Mapping[str, int]) -> Iterator[Slice]:
    """Where these claims lie among all of a loan, of which `held` says what each is owed. Neighbours are one slice: theirs sum to it,
    because only its ends are rounded. One pass over what is held, whatever part of it is asked for."""
    whole, at = sum(held.values()), 0
    start: int | None = None
    for claim_id in sorted(held):
        if claim_id not in own and start is not None:
            yield Slice(start, at, whole)
            start = None
        elif claim_id in own and start is None and held[claim_id]:
            start = at
        at += held[claim_id]
    if start is not None:
        yield Slice(start, at, whole)


def parts_of(
    own: Collection[str], holders: Holders, rows: Sequence[Due]
) -> Iterator[tuple[Slice, Sequence[Due]]]:
    """What falls to these claims of a loan's open rows: of which of them which part; a step for each part that lies together."""
    of = by_owner(holders.subrogated, rows)
    yield from ((_ALL, of[each.claim_id]) for each in holders.subrogated if each.claim_id in own)
    yield from ((part, of[None]) for part in slices_of(own, holders.sharing))


def expected_of(claim_id: str, holders: Holders, rows: Sequence[Due]) -> list[Due]:
    """What one claim may expect of each row of its loan that it has a part in; nothing for a claim that is not among its holders."""
    return [part.of(row) for part, shared in parts_of((claim_id,), holders, rows) for row in shared]
