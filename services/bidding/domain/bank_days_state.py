"""What is known of all bank days: their digests, the differences that are open or explained, and those that are settled."""

from dataclasses import replace
from datetime import date
from typing import Literal, assert_never

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakExplained,
    BankBreakOpened,
    BankBreakResolved,
    BankBreaksMatched,
    BankDayReconciled,
    BreakKind,
    Explanation,
    Resolution,
    Side,
)
from libs.events.codec import record
from libs.events.money import Count, Fen
from libs.events.onboarding import TextHash


@record
class Day:
    """The last file of a date that said something new, and our side of it."""

    revision: Count
    lines_hash: TextHash
    bank: Side
    ledger: Side


@record
class Explained:
    """Who said what of a difference."""

    code: Explanation
    who: str


@record
class Break:
    """A difference that is not resolved; `explained` is None while nobody has said where it comes from."""

    business_date: date
    kind: BreakKind
    reference: str
    account_id: str
    bank_fen: Fen
    ledger_fen: Fen
    explained: Explained | None = None

    @property
    def difference_fen(self) -> int:
        """How much more the bank has than we."""
        return self.bank_fen - self.ledger_fen


@record
class Books:
    """All days by date, all differences by id. A settled one is told again by every later file of its day, so its id is kept;
    `settled_fen` sums those of the whole by kind, because they stand until something else changes.
    """

    kind: Literal["books"] = "books"
    days: dict[str, Day]
    breaks: dict[str, Break]
    settled: dict[str, Resolution]
    settled_fen: dict[str, Fen]


DaysEvent = (
    BankDayReconciled
    | BankBreakOpened
    | BankBreakClosed
    | BankBreakExplained
    | BankBreakResolved
    | BankBreaksMatched
)


def evolve(state: Books, event: DaysEvent) -> Books:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case BankDayReconciled():
            day = Day(
                revision=event.revision, lines_hash=event.lines_hash, bank=event.bank, ledger=event.ledger
            )
            return replace(state, days=state.days | {event.business_date.isoformat(): day})
        case BankBreakOpened():
            opened = Break(
                business_date=event.business_date,
                kind=event.kind,
                reference=event.reference,
                account_id=event.account_id,
                bank_fen=event.bank_fen,
                ledger_fen=event.ledger_fen,
            )
            return replace(state, breaks=state.breaks | {event.break_id: opened})
        case BankBreakClosed():
            return replace(state, breaks=_without(state, event.break_id))
        case BankBreakExplained():
            explained = Explained(code=event.code, who=event.explained_by)
            told = replace(state.breaks[event.break_id], explained=explained)
            return replace(state, breaks=state.breaks | {event.break_id: told})
        case BankBreakResolved():
            return _settled(state, event.break_id, event.code)
        case BankBreaksMatched():
            return _settled(_settled(state, event.here, "timing"), event.there, "timing")
        case _:
            assert_never(event)


def _settled(state: Books, break_id: str, code: Resolution) -> Books:
    ended = state.breaks[break_id]
    settled_fen = state.settled_fen.get(ended.kind, 0) + ended.difference_fen
    return replace(
        state,
        breaks=_without(state, break_id),
        settled=state.settled | {break_id: code},
        settled_fen=state.settled_fen | {ended.kind: settled_fen},
    )


def _without(state: Books, break_id: str) -> dict[str, Break]:
    return {name: each for name, each in state.breaks.items() if name != break_id}
