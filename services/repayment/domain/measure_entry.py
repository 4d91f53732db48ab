"""Measures as inputs of a loan: what is owed, or its class, is decided by them as by its payments (docs/decisions/0024).

**A new kind of measure** is an input without a line here, decided again as it was. It has one in `is_journaled` if it changes nothing of what
is owed, in `comes_to_nothing` if it may apply to nothing where the loan is another, in `is_as_it_was` if nothing of it may be another.
"""

from collections.abc import Sequence
from dataclasses import replace

from libs.events.compensation import ClaimsSubrogated
from libs.events.flags import Flag, Unflag
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import BranchMove, MeasureTerms, NonAccrual, Waiver
from libs.events.repayment import RepaymentDistributed
from services.repayment.domain.trouble import Trouble

#: As which a measure is refused that has nothing to do any more: more than that it was not meant to.
_NOTHING_LEFT = {
    Waiver: ("nothing_to_waive", "loan_repaid"),
    NonAccrual: ("not_accruing", "accruing"),
    # A flag that was lifted while the loan was repaid stands in the replay: what raises it again finds it there.
    Flag: ("loan_repaid", "flag_stands"),
    Unflag: ("loan_repaid", "no_flag"),
}


def is_journaled(terms: MeasureTerms) -> bool:
    """Whether a replay applies it again; one that changes nothing of what is owed stands in no journal."""
    return not isinstance(terms, BranchMove)


def comes_to_nothing(terms: MeasureTerms, code: str) -> bool:
    """Whether what a loan refuses now as `code` was to do as much as there is: penalty is given up as far as any is owed, income ends once."""
    return code in _NOTHING_LEFT.get(type(terms), ())


def is_as_it_was(before: Sequence[object], after: Sequence[object]) -> bool:
    """Whether what an input comes to is what it came to, as far as that is not the loan's alone: who has a share in an asset keeps it, and what
    a guarantor paid, and to whom, was right when he paid it."""
    return _given(before) == _given(after)


def carried(live: Trouble, replayed: Trouble) -> Trouble:
    """What a replay found of measures, with what no input of it decides."""
    return replace(
        replayed,
        examined=live.examined,
        done=live.done,
        branch=live.branch,
        unreplayed=live.unreplayed,
        waiting=live.waiting,
        # Who has died is dead, and what is disputed is, whatever was booked.
        flags=live.flags,
        asked_again_on=live.asked_again_on,
    )


def _given(events: Sequence[object]) -> list[object]:
    return [given for event in events if (given := _of(event)) is not None]


def _of(event: object) -> object:
    match event:
        case DebtSettledInKind():
            return event.settled_fen, event.excess_fen, event.shares
        case ClaimsSubrogated():
            return event.claim, event.lines
        case RepaymentDistributed():
            return event.lines
        case _:
            return None
