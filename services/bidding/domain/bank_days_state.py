"""What is known of all bank days: the last ones' digests, the differences that are open or explained, and those that are settled.

A day leaves when no file of it is looked at any more, and takes what was settled of it along: views keep both. Of a day that comes bit
by bit only what is open is kept, and a digest of all that was told. Differences lie in buckets (buckets.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, assert_never, cast

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
    LineKind,
    Resolution,
    Side,
    Told,
)
from services.bidding.commands.bank_days import Half
from services.bidding.domain.bank_day_records import Begun, Books, Break, Breaks, Day, Explained, Settled
from services.bidding.domain.bank_day_sums import LINE_KINDS, digest_of, in_hex
from services.bidding.domain.buckets import all_kept, kept, kept_with, kept_without

#: Dates of which a file is still looked at, counted from the latest (chosen): an order that comes later than that is a difference of
#: the balance.
DAYS_KEPT: Final = 60


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


# --- the fold ------------------------------------------------------------------------------------------------------


def evolve(state: Books, event: DaysEvent) -> Books:
    """Fold one event. Never refuses: what happened, happened."""
    match event:
        case BankDayReconciled():
            return _reconciled(state, event)
        case BankDayBegun():
            return replace(state, begun=_begun(event))
        case BankBreaksListed():
            return _listed(state, event)
        case BankBreakOpened():
            return _opened(state, event)
        case BankBreakClosed():
            return replace(state, breaks=kept_without(state.breaks, event.break_id))
        case BankBreakExplained():
            found = kept(state.breaks, event.counterpart) if event.counterpart else None
            explained = Explained(
                code=event.code,
                who=event.explained_by,
                counterpart=event.counterpart or "",
                other=half_of(found) if found else None,
            )
            told = replace(_live(state, event.break_id), explained=explained)
            return replace(state, breaks=kept_with(state.breaks, event.break_id, told))
        case BankBreakResolved():
            said = _live(state, event.break_id).explained
            assert said is not None, "somebody explained it first"
            state = _settled(state, event.break_id, event.code, said.counterpart, said.other)
            return _resting(state, said.counterpart, event.break_id)
        case BankBreaksMatched():
            one, two = half_of(_live(state, event.here)), half_of(_live(state, event.there))
            state = _settled(state, event.here, "timing", event.there, two)
            return _settled(state, event.there, "timing", event.here, one)
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
    day = Day(
        revision=event.revision,
        lines_hash=event.lines_hash,
        bank=event.bank,
        ledger=event.ledger,
        told=event.told,
        waits=event.unlisted + event.unclosed,
    )
    days = state.days | {name: day}
    settled_fen = {kind: fen for kind, fen in state.settled_fen.items() if kind not in event.corrected}
    is_begun = state.begun is not None and state.begun.business_date == event.business_date
    settled, breaks = _without(state, event.gone)
    if event.told is not None:
        settled = _that(
            settled, lambda each: each.business_date != event.business_date or each.kind not in LINE_KINDS
        )
    state = replace(
        state,
        days=days,
        breaks=breaks,
        settled=settled,
        settled_fen=settled_fen,
        begun=None if is_begun else state.begun,
    )
    first = first_kept(max(days))
    left = [on for on, each in days.items() if on < first and not each.waits]
    if not left:
        return state
    return replace(
        state,
        days={on: each for on, each in days.items() if on not in left},
        left_fen=state.left_fen + sum(net_fen(days[on].bank) - net_fen(days[on].ledger) for on in left),
        settled=_that(state.settled, lambda each: each.business_date.isoformat() >= first),
    )


def first_kept(latest: str) -> str:
    """The first date of which a file is still looked at."""
    return (date.fromisoformat(latest) - timedelta(days=DAYS_KEPT - 1)).isoformat()


def _that(
    settled: Mapping[str, Mapping[str, Settled]], stays: Callable[[Settled], bool]
) -> dict[str, dict[str, Settled]]:
    shorter = {
        name: {break_id: each for break_id, each in bucket.items() if stays(each)}
        for name, bucket in settled.items()
    }
    return {name: bucket for name, bucket in shorter.items() if bucket}


def net_fen(side: Side) -> int:
    """What a side's bookings of a day came to."""
    return side.in_fen - side.out_fen


def told_of(state: Books, day: date) -> Told | None:
    """All that was told of a day that comes bit by bit; None of one whose differences are all kept by their ids."""
    known = state.days.get(day.isoformat())
    return known.told if known else None


def ids_of(state: Books, day: date) -> tuple[int, str]:
    """How many differences of lines are kept of a day, open or settled, and their digest."""
    kept_of: list[tuple[str, Break | Settled]] = [*all_kept(state.breaks), *all_kept(state.settled)]
    ids = [name for name, each in kept_of if each.business_date == day and each.kind in LINE_KINDS]
    return len(ids), in_hex(digest_of(ids))


def half_of(each: Break) -> Half:
    """What a difference says by itself."""
    return Half(
        business_date=each.business_date,
        kind=cast(LineKind, each.kind),
        reference=each.reference,
        account_id=each.account_id,
        bank_fen=each.bank_fen,
        ledger_fen=each.ledger_fen,
    )


def _begun(event: BankDayBegun) -> Begun | None:
    """None for a beginning of before rules 11: nobody goes on with it, and what it told is known by its ids."""
    if event.known is None:
        return None
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
        unclosed=event.unclosed,
        told=event.known,
    )


def _listed(state: Books, event: BankBreaksListed) -> Books:
    if state.begun is None or event.told is None:
        return state
    days, on = state.days, event.business_date.isoformat()
    settled, breaks = _without(state, event.gone)
    if on in days and days[on].told is not None:
        days = days | {on: replace(days[on], told=event.told)}
    begun = replace(
        state.begun,
        listed=state.begun.listed + 1,
        told=event.told,
        opened=state.begun.opened + event.opened,
        closed=state.begun.closed + event.closed,
    )
    return replace(state, breaks=breaks, settled=settled, days=days, begun=begun)


def _opened(state: Books, event: BankBreakOpened) -> Books:
    """A new difference, or the one that is left of two that settled each other: the other one is shown no more."""
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
        settled = kept_without(settled, event.break_id)
        other = kept(settled, again.counterpart)
        if other is not None and other.counterpart == event.break_id:
            settled = kept_with(settled, again.counterpart, replace(other, counterpart="", other=None))
    return replace(state, breaks=kept_with(state.breaks, event.break_id, opened), settled=settled)


def _resting(state: Books, break_id: str, on_it: str) -> Books:
    """One of two that explain each other is resolved, and rests on the other one as long as that says the same."""
    found = kept(state.breaks, break_id)
    if found is None or found.explained is None or found.explained.counterpart != on_it:
        return state
    rested = replace(found, explained=replace(found.explained, other_over=True))
    return replace(state, breaks=kept_with(state.breaks, break_id, rested))


def _without(state: Books, gone: Sequence[str]) -> tuple[dict[str, dict[str, Settled]], Breaks]:
    """What is settled without these, which no file shows any more; so nothing rests on what they were resolved by."""
    settled, breaks, over = state.settled, state.breaks, frozenset(gone)
    for break_id in gone:
        settled = kept_without(settled, break_id)
    for break_id, each in all_kept(state.breaks) if over else ():
        if each.explained and each.explained.other_over and each.explained.counterpart in over:
            said = replace(each.explained, other_over=False)
            breaks = kept_with(breaks, break_id, replace(each, explained=said))
    return settled, breaks


def _keeps(state: Books, day: date) -> bool:
    """Whether what is settled of a day is kept: its files tell it again as a whole."""
    return told_of(state, day) is None


def _settled(
    state: Books, break_id: str, code: Resolution, counterpart: str, other: Half | None = None
) -> Books:
    """Of two that settle each other each knows the other: when one is shown no more, the other stands alone again."""
    ended = _live(state, break_id)
    settled_fen = state.settled_fen
    if not ended.reference:
        settled_fen = settled_fen | {ended.kind: settled_fen.get(ended.kind, 0) + ended.difference_fen}
    settled = state.settled
    if _keeps(state, ended.business_date) or ended.kind not in LINE_KINDS:
        over = Settled(
            business_date=ended.business_date,
            kind=ended.kind,
            code=code,
            counterpart=counterpart,
            other=other,
        )
        settled = kept_with(settled, break_id, over)
    return replace(
        state, breaks=kept_without(state.breaks, break_id), settled=settled, settled_fen=settled_fen
    )


def _in_flight(state: Books, event: BankBreakInFlight) -> Books:
    first = half_of(_live(state, event.break_id))
    second = replace(
        first,
        business_date=event.other_date,
        kind="missing_there" if first.kind == "missing_here" else "missing_here",
        bank_fen=first.ledger_fen,
        ledger_fen=first.bank_fen,
    )
    settled = state.settled
    for break_id, line, counterpart, other in (
        (event.break_id, first, event.counterpart, second),
        (event.counterpart, second, event.break_id, first),
    ):
        if _keeps(state, line.business_date):
            half = Settled(
                business_date=line.business_date,
                kind=line.kind,
                code="timing",
                counterpart=counterpart,
                other=other,
            )
            settled = kept_with(settled, break_id, half)
    return replace(state, breaks=kept_without(state.breaks, event.break_id), settled=settled)
