"""What is known of all bank days: the last ones' digests, the differences that are open or explained, and those that are settled.

A day leaves when no file of it is looked at any more, and takes what was settled of it along: views keep both. Differences lie in
buckets by their id, because a state is folded event by event, and thousands are matched by one decision.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, Literal, TypeVar, assert_never

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakExplained,
    BankBreakInFlight,
    BankBreakOpened,
    BankBreakResolved,
    BankBreaksListed,
    BankBreaksMatched,
    BankDayBegun,
    BankDayReconciled,
    BreakKind,
    Claims,
    Explanation,
    Part,
    Resolution,
    Side,
    Unlisted,
)
from libs.events.codec import record
from libs.events.money import Count, Fen
from libs.events.onboarding import TextHash

#: Dates of which a file is still looked at, counted from the latest (chosen): an order that comes later than that is a difference of
#: the balance.
DAYS_KEPT: Final = 60

_Kept = TypeVar("_Kept")


@record
class Day:
    """The last file of a date that said something new, and our side of it."""

    revision: Count
    lines_hash: TextHash
    bank: Side
    ledger: Side


@record
class Explained:
    """Who said what of a difference, and by which other one it comes from where he knows that."""

    code: Explanation
    who: str
    counterpart: str = ""


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
class Settled:
    """A difference that its date's files still show and nobody has to look at. Of what was in flight each half knows the other
    (`counterpart`) and what it says by itself."""

    business_date: date
    code: Resolution
    counterpart: str = ""
    line: Break | None = None


@record
class Begun:
    """A file whose differences come in parts: what was told of it, how many parts are in, and the ids of what they showed."""

    business_date: date
    listing: TextHash
    lines_hash: TextHash
    bank: Side
    ledger: Side
    accounts_fen: Fen
    claims: Claims | None
    parts: tuple[Part, ...]
    unlisted: Unlisted | None
    opened: Count = 0
    told: tuple[tuple[str, ...], ...] = ()


Breaks = dict[str, dict[str, Break]]
"""By the first digits of an id, then by the id."""


@record
class Books:
    """The last days by date, and all differences. A settled one is told again by every later file of its day, so its id is kept;
    `settled_fen` sums those of the whole by kind, because they stand until something else changes. `left_fen` is how much more the bank
    moved than we on all days that have left.
    """

    kind: Literal["books"] = "books"
    days: dict[str, Day]
    breaks: Breaks
    settled: dict[str, dict[str, Settled]]
    settled_fen: dict[str, Fen]
    left_fen: Fen = 0
    begun: Begun | None = None


DaysEvent = (
    BankDayReconciled
    | BankDayBegun
    | BankBreaksListed
    | BankBreakOpened
    | BankBreakClosed
    | BankBreakExplained
    | BankBreakResolved
    | BankBreaksMatched
    | BankBreakInFlight
)


# --- buckets -------------------------------------------------------------------------------------------------------


def kept(buckets: Mapping[str, Mapping[str, _Kept]], break_id: str) -> _Kept | None:
    """What is kept under an id."""
    return buckets.get(_bucket(break_id), {}).get(break_id)


def all_kept(buckets: Mapping[str, Mapping[str, _Kept]]) -> Iterator[tuple[str, _Kept]]:
    """Everything that is kept, by its id."""
    for bucket in buckets.values():
        yield from bucket.items()


def number_of(breaks: Breaks) -> int:
    """How many there are."""
    return sum(map(len, breaks.values()))


def _bucket(break_id: str) -> str:
    return break_id[4:6]


def _with(buckets: dict[str, dict[str, _Kept]], break_id: str, value: _Kept) -> dict[str, dict[str, _Kept]]:
    name = _bucket(break_id)
    return buckets | {name: buckets.get(name, {}) | {break_id: value}}


def _without(buckets: dict[str, dict[str, _Kept]], break_id: str) -> dict[str, dict[str, _Kept]]:
    name = _bucket(break_id)
    left = {other: value for other, value in buckets.get(name, {}).items() if other != break_id}
    if left:
        return buckets | {name: left}
    return {other: bucket for other, bucket in buckets.items() if other != name}


# --- the fold ------------------------------------------------------------------------------------------------------


def evolve(state: Books, event: DaysEvent) -> Books:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case BankDayReconciled():
            return _reconciled(state, event)
        case BankDayBegun() | BankBreaksListed():
            return replace(state, begun=_begun(state, event))
        case BankBreakOpened():
            return _opened(state, event)
        case BankBreakClosed():
            return replace(state, breaks=_without(state.breaks, event.break_id))
        case BankBreakExplained():
            explained = Explained(
                code=event.code, who=event.explained_by, counterpart=event.counterpart or ""
            )
            told = replace(_live(state, event.break_id), explained=explained)
            return replace(state, breaks=_with(state.breaks, event.break_id, told))
        case BankBreakResolved():
            said = _live(state, event.break_id).explained
            return _settled(state, event.break_id, event.code, "" if said is None else said.counterpart)
        case BankBreaksMatched():
            state = _settled(state, event.here, "timing", event.there)
            return _settled(state, event.there, "timing", event.here)
        case BankBreakInFlight():
            return _in_flight(state, event)
        case _:
            assert_never(event)


def _live(state: Books, break_id: str) -> Break:
    found = kept(state.breaks, break_id)
    assert found is not None, "only a difference that stands is explained or ends"
    return found


def _reconciled(state: Books, event: BankDayReconciled) -> Books:
    name = event.business_date.isoformat()
    day = Day(revision=event.revision, lines_hash=event.lines_hash, bank=event.bank, ledger=event.ledger)
    days = state.days | {name: day}
    settled_fen = {kind: fen for kind, fen in state.settled_fen.items() if kind not in event.corrected}
    is_begun = state.begun is not None and state.begun.business_date == event.business_date
    state = replace(state, days=days, settled_fen=settled_fen, begun=None if is_begun else state.begun)
    first = first_kept(max(days))
    left = [on for on in days if on < first]
    if not left:
        return state
    return replace(
        state,
        days={on: each for on, each in days.items() if on >= first},
        left_fen=state.left_fen + sum(net_fen(days[on].bank) - net_fen(days[on].ledger) for on in left),
        settled=_since(state.settled, first),
    )


def first_kept(latest: str) -> str:
    """The first date of which a file is still looked at."""
    return (date.fromisoformat(latest) - timedelta(days=DAYS_KEPT - 1)).isoformat()


def _since(settled: Mapping[str, Mapping[str, Settled]], first: str) -> dict[str, dict[str, Settled]]:
    shorter = {
        name: {break_id: each for break_id, each in bucket.items() if each.business_date.isoformat() >= first}
        for name, bucket in settled.items()
    }
    return {name: bucket for name, bucket in shorter.items() if bucket}


def net_fen(side: Side) -> int:
    """What a side's bookings of a day came to."""
    return side.in_fen - side.out_fen


def _begun(state: Books, event: BankDayBegun | BankBreaksListed) -> Begun:
    if isinstance(event, BankDayBegun):
        return Begun(
            business_date=event.business_date,
            listing=event.listing,
            lines_hash=event.lines_hash,
            bank=event.bank,
            ledger=event.ledger,
            accounts_fen=event.accounts_fen,
            claims=event.claims,
            parts=event.parts,
            unlisted=event.unlisted,
        )
    assert state.begun is not None, "parts follow a beginning"
    return replace(state.begun, told=(*state.begun.told, event.break_ids))


def _opened(state: Books, event: BankBreakOpened) -> Books:
    """A new difference, or the half that is left of one that was in flight: its other half is shown no more."""
    opened = Break(
        business_date=event.business_date,
        kind=event.kind,
        reference=event.reference,
        account_id=event.account_id,
        bank_fen=event.bank_fen,
        ledger_fen=event.ledger_fen,
    )
    settled, again = state.settled, kept(state.settled, event.break_id)
    if again is not None:
        settled = _without(_without(settled, event.break_id), again.counterpart)
    begun = state.begun
    if begun is not None and begun.business_date == event.business_date:
        begun = replace(begun, opened=begun.opened + 1)
    return replace(state, breaks=_with(state.breaks, event.break_id, opened), settled=settled, begun=begun)


def _settled(state: Books, break_id: str, code: Resolution, counterpart: str) -> Books:
    """Of two that settle each other each knows the other: when one is shown no more, the other stands alone again."""
    ended = _live(state, break_id)
    settled_fen = state.settled_fen
    if not ended.reference:
        settled_fen = settled_fen | {ended.kind: settled_fen.get(ended.kind, 0) + ended.difference_fen}
    line = replace(ended, explained=None) if counterpart else None
    settled = Settled(business_date=ended.business_date, code=code, counterpart=counterpart, line=line)
    return replace(
        state,
        breaks=_without(state.breaks, break_id),
        settled=_with(state.settled, break_id, settled),
        settled_fen=settled_fen,
    )


def _in_flight(state: Books, event: BankBreakInFlight) -> Books:
    first = replace(_live(state, event.break_id), explained=None)
    other = replace(
        first,
        business_date=event.other_date,
        kind="missing_there" if first.kind == "missing_here" else "missing_here",
        bank_fen=first.ledger_fen,
        ledger_fen=first.bank_fen,
    )
    settled = state.settled
    for break_id, line, counterpart in (
        (event.break_id, first, event.counterpart),
        (event.counterpart, other, event.break_id),
    ):
        half = Settled(business_date=line.business_date, code="timing", counterpart=counterpart, line=line)
        settled = _with(settled, break_id, half)
    return replace(state, breaks=_without(state.breaks, event.break_id), settled=settled)
