"""A day's file: what it opens and closes, in one command or in parts, and what it says of the whole.

Who has read a million lines says what differs; here it is proved that the differences are all: they add up to the difference of the
two sides, to the fen, and each part is the one that was counted. A day of few differences is told as a whole by each of its files. Of one
of many each file tells what is new and what is gone, beside a digest of what was told before; what has no room waits.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakInFlight,
    BankBreakOpened,
    BankBreaksListed,
    BankDayBegun,
    BankDayReconciled,
    LineBreak,
    LineKind,
    Part,
    Told,
    Unlisted,
)
from libs.events.deciding import Context, Refused
from services.bidding.commands.bank_days import Gone, Half, ListBankBreaks, ReconcileBankDay
from services.bidding.domain.bank_day_pairs import alone, freed
from services.bidding.domain.bank_day_records import Begun, Books
from services.bidding.domain.bank_day_sums import (
    LINE_KINDS,
    break_id_of,
    listing_of,
    part_of,
    told_with,
)
from services.bidding.domain.bank_day_wholes import Said, closed, opened, wholes
from services.bidding.domain.bank_days_state import (
    DaysEvent,
    evolve,
    first_kept,
    ids_of,
    net_fen,
    told_of,
)
from services.bidding.domain.buckets import all_kept, kept, number_of

#: Differences of one command, so that it stays below what a command may be (chosen). One that is gone counts as two: it may say of
#: another one that it stands alone.
PART_MAX: Final = 600
#: New differences of one listing, and as many that are gone (chosen); what is more waits for the next one.
LISTED_MAX: Final = 10_000
#: Differences that are not resolved, of all days, so that one decision can end them all (chosen).
BREAKS_MAX: Final = 15_000

#: What is on its way between two dates.
_FLYING: Final = ("missing_here", "missing_there")
_A_DAY: Final = timedelta(days=1)


def reconcile(command: ReconcileBankDay, state: Books, context: Context) -> Sequence[DaysEvent]:
    """The whole of a day, what is new of it, or the beginning of its parts. Refusals stand on the command."""
    _check(command, state, context)
    day, known = command.business_date, command.known
    if known is None:
        told = _told(day, command.breaks, state)
        shown = frozenset(break_id_of(day, each) for each in command.breaks)
        after = _after(state, told)
        landed, gone = _landed(day, state, shown)
        return _finished(command, state, told, [*_gone(day, after, shown), *landed], gone=gone)
    if not command.parts:
        told = _new(day, command.breaks, state)
        ended, gone = _ended(day, command.gone, state)
        total = told_with(day, known, command.breaks, command.gone)
        return _finished(command, state, told, ended, gone=gone, total=total)
    listing = listing_of(command)
    if state.begun and (state.begun.business_date, state.begun.listing) == (day, listing):
        return []
    return [
        BankDayBegun(
            business_date=day,
            listing=listing,
            lines_hash=command.lines_hash,
            bank=command.bank,
            ledger=command.ledger,
            accounts_fen=command.accounts_fen,
            claims=command.claims,
            parts=command.parts,
            unlisted=command.unlisted,
            known=known,
            unclosed=command.unclosed,
        )
    ]


def list_part(command: ListBankBreaks, state: Books) -> Sequence[DaysEvent]:
    """One part; the last one ends the day. Refusals stand on the command."""
    begun, day = state.begun, command.business_date
    if begun is None or (begun.business_date, begun.listing) != (day, command.listing):
        raise Refused("listing_not_begun")
    if command.part < begun.listed:
        return []
    if command.part > begun.listed:
        raise Refused("part_missing")
    part = part_of(command.breaks, command.gone)
    if command.part >= len(begun.parts) or part != begun.parts[command.part]:
        raise Refused("part_differs")
    total = told_with(day, begun.told, command.breaks, command.gone)
    ended, gone = _ended(day, command.gone, state)
    moved: list[DaysEvent] = [*_new(day, command.breaks, state), *ended]
    listed = BankBreaksListed(
        business_date=day,
        listing=command.listing,
        part=command.part,
        break_ids=tuple(break_id_of(day, each) for each in command.breaks),
        told=total,
        gone=gone,
        opened=_opened_in(moved),
        closed=_closed_in(moved),
    )
    events = [*moved, listed]
    if command.part + 1 == len(begun.parts):
        return _finished(begun, state, events, (), total=total)
    if number_of(_after(state, events).breaks) > BREAKS_MAX:
        raise Refused("too_many_breaks")
    return events


def _opened_in(events: Sequence[DaysEvent]) -> int:
    return sum(isinstance(event, BankBreakOpened) for event in events)


def _closed_in(events: Sequence[DaysEvent]) -> int:
    return sum(isinstance(event, BankBreakClosed) for event in events)


def _after(state: Books, events: Sequence[DaysEvent]) -> Books:
    for event in events:
        state = evolve(state, event)
    return state


def _check(command: ReconcileBankDay, state: Books, context: Context) -> None:
    """The day is over, its file goes on from its last one, and the differences are all that there are."""
    on = command.business_date.isoformat()
    known = state.days.get(on)
    if command.business_date >= context.business_date:
        raise Refused("day_not_over")
    if state.days and known is None and on < first_kept(max(state.days)):
        raise Refused("day_too_old")
    if known and (known.bank.bookings, known.lines_hash) != (command.begins_at, command.begins_with):
        raise Refused("file_differs")
    _check_known(command, state)
    _check_sizes(command)
    sums: list[Part | Told | Unlisted] = [part_of(command.breaks, command.gone), *command.parts]
    sums += [each for each in (command.known, command.unlisted) if each is not None]
    less = command.unclosed or Unlisted(breaks=0, differs_fen=0, alone=0)
    differs_fen = sum(each.differs_fen for each in sums) - less.differs_fen
    alone = sum(each.alone for each in sums) - less.alone
    more = command.bank.bookings - command.ledger.bookings
    if (differs_fen, alone) != (net_fen(command.bank) - net_fen(command.ledger), more):
        raise Refused("breaks_do_not_add_up")


def _check_known(command: ReconcileBankDay, state: Books) -> None:
    """What is not said again was told: the same ones, by their digest."""
    told, known = told_of(state, command.business_date), command.known
    if known is None:
        if told is not None or command.parts or command.gone or command.unlisted or command.unclosed:
            raise Refused("invalid_breaks")
        return
    is_so = known == told if told else (known.breaks, known.digest) == ids_of(state, command.business_date)
    if not is_so:
        raise Refused("known_differs")


def _check_sizes(command: ReconcileBankDay) -> None:
    if len(command.breaks) + 2 * len(command.gone) > PART_MAX:
        raise Refused("too_many_breaks")
    if sum(part.breaks for part in command.parts) > 2 * LISTED_MAX:
        raise Refused("too_many_breaks")
    ids = {break_id_of(command.business_date, each) for each in command.breaks}
    ids |= {each.break_id for each in command.gone}
    said = len(command.breaks) + len(command.gone)
    if len(ids) != said or (said and command.parts):
        raise Refused("invalid_breaks")


# --- what a file shows -----------------------------------------------------------------------------------------------


def _new(day: date, breaks: Sequence[LineBreak], state: Books) -> list[BankBreakOpened | BankBreakInFlight]:
    """What is told for the first time."""
    ids = [break_id_of(day, each) for each in breaks]
    known = (kept(kept_in, each) for each in ids for kept_in in (state.breaks, state.settled))
    if any(each is not None for each in known):
        raise Refused("invalid_breaks")
    return _told(day, breaks, state)


def _told(day: date, breaks: Sequence[LineBreak], state: Books) -> list[BankBreakOpened | BankBreakInFlight]:
    """What is new among these: on the work list, or the other half of what stands there from the date before or after."""
    events: list[BankBreakOpened | BankBreakInFlight] = []
    halves = _halves(day, state)
    for each in breaks:
        break_id = break_id_of(day, each)
        if kept(state.breaks, break_id) or kept(state.settled, break_id):
            continue
        moved_fen = each.bank_fen or each.ledger_fen
        other = (_other(each.kind), each.reference, each.account_id, moved_fen)
        found = halves.pop(other, []) if each.kind in _FLYING else []
        if len(found) == 1:
            [(half, on)] = found
            events.append(
                BankBreakInFlight(
                    break_id=half,
                    business_date=on,
                    counterpart=break_id,
                    other_date=day,
                    amount_fen=moved_fen,
                    other=each,
                )
            )
            events += freed(half, state)
        else:
            line = Half(
                business_date=day,
                kind=each.kind,
                reference=each.reference,
                account_id=each.account_id,
                bank_fen=each.bank_fen,
                ledger_fen=each.ledger_fen,
            )
            events.append(opened(break_id, line))
    return events


_Half = tuple[str, str, str, int]


def _halves(day: date, state: Books) -> dict[_Half, list[tuple[str, date]]]:
    """Open differences of the dates beside this one that only one side has."""
    found: dict[_Half, list[tuple[str, date]]] = {}
    for break_id, each in all_kept(state.breaks):
        if each.kind in _FLYING and abs(each.business_date - day) == _A_DAY:
            key = (each.kind, each.reference, each.account_id, each.bank_fen or each.ledger_fen)
            found.setdefault(key, []).append((break_id, each.business_date))
    return found


def _other(kind: LineKind) -> str:
    return "missing_there" if kind == "missing_here" else "missing_here"


def _finished(
    said: Said | Begun,
    state: Books,
    told: Sequence[DaysEvent],
    ended: Sequence[DaysEvent],
    *,
    gone: tuple[str, ...] = (),
    total: Told | None = None,
) -> Sequence[DaysEvent]:
    """All differences of a day are in: the whole is judged, and the day is reconciled. `total`: of a day that comes bit by bit, all
    that was told."""
    known = state.days.get(said.business_date.isoformat())
    of_whole, corrected = wholes(said, state)
    events = [*told, *ended, *of_whole]
    is_same = known and (known.bank, known.ledger) == (said.bank, said.ledger)
    if is_same and not (events or corrected or gone):
        return []
    open_after = number_of(_after(state, events).breaks)
    if open_after > BREAKS_MAX:
        raise Refused("too_many_breaks")
    before = (said.opened, said.closed) if isinstance(said, Begun) else (0, 0)
    return [
        *events,
        BankDayReconciled(
            business_date=said.business_date,
            revision=known.revision + 1 if known else 1,
            lines_hash=said.lines_hash,
            bank=said.bank,
            ledger=said.ledger,
            accounts_fen=said.accounts_fen,
            claims=said.claims,
            opened=before[0] + _opened_in(events),
            closed=before[1] + _closed_in(events),
            open_after=open_after,
            unlisted=said.unlisted.breaks if said.unlisted else 0,
            unlisted_fen=said.unlisted.differs_fen if said.unlisted else 0,
            unclosed=said.unclosed.breaks if said.unclosed else 0,
            corrected=corrected,
            told=total,
            gone=gone,
        ),
    ]


# --- what a file shows no more ---------------------------------------------------------------------------------------


def _gone(day: date, state: Books, shown: frozenset[str]) -> list[BankBreakClosed | BankBreakOpened]:
    """What stands on the work list, and the day's file does not show any more."""
    events: list[BankBreakClosed | BankBreakOpened] = []
    for break_id, each in all_kept(state.breaks):
        if each.business_date == day and each.kind in LINE_KINDS and break_id not in shown:
            events += [closed(break_id, each), *freed(break_id, state)]
    return events


def _landed(day: date, state: Books, shown: frozenset[str]) -> tuple[list[BankBreakOpened], tuple[str, ...]]:
    """What was settled together with what is shown no more, and stands alone now; and what is shown no more."""
    events: list[BankBreakOpened] = []
    gone: list[str] = []
    for name, each in all_kept(state.settled):
        if each.business_date == day and each.counterpart and name not in shown:
            events += alone(name, each.counterpart, each.other, state)
            gone.append(name)
    return events, tuple(gone)


def _ended(
    day: date, gone: Sequence[Gone], state: Books
) -> tuple[list[BankBreakClosed | BankBreakOpened], tuple[str, ...]]:
    """What is on the work list is closed; of what is over, what was settled together with it stands alone now."""
    events: list[BankBreakClosed | BankBreakOpened] = []
    over: list[str] = []
    for each in gone:
        found = kept(state.breaks, each.break_id)
        if found is None:
            over.append(each.break_id)
            events += alone(each.break_id, each.counterpart, each.other, state)
        elif (found.business_date, found.bank_fen, found.ledger_fen) == (day, each.bank_fen, each.ledger_fen):
            events += [closed(each.break_id, found), *freed(each.break_id, state)]
        else:
            raise Refused("invalid_breaks")
    return events, tuple(over)
