"""A day's file: what it opens and closes, in one command or in parts, and what it says of the whole.

Who has read a million lines says what differs; here it is proved that the differences are all: they add up to the difference of the
two sides, to the fen, and each part is the one that was counted.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, Protocol, get_args

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakInFlight,
    BankBreakOpened,
    BankBreaksListed,
    BankDayBegun,
    BankDayReconciled,
    BreakKind,
    Claims,
    LineBreak,
    LineKind,
    Part,
    Side,
    Unlisted,
)
from libs.events.deciding import Context, Refused
from libs.events.money import MAX_INTEGER
from services.bidding.commands.bank_days import ListBankBreaks, ReconcileBankDay
from services.bidding.domain.bank_days_state import (
    Begun,
    Books,
    Break,
    DaysEvent,
    all_kept,
    evolve,
    first_kept,
    kept,
    net_fen,
    number_of,
)

#: Differences of one command, so that it stays below what a command may be (chosen).
PART_MAX: Final = 600
#: Differences of one day that are listed (chosen). Those beyond are counted: an outage of that size is looked at as a whole.
LISTED_MAX: Final = 10_000
#: Differences that are not resolved, of all days, so that one decision can end them all (chosen).
BREAKS_MAX: Final = 15_000

#: What counts a booking on one side only: here, there.
HERE: Final = ("missing_here",)
THERE: Final = ("missing_there", "reference_reused")

_LINE_KINDS: Final[tuple[str, ...]] = get_args(LineKind)
#: What is on its way between two dates.
_FLYING: Final = ("missing_here", "missing_there")
_A_DAY: Final = timedelta(days=1)


class _Said(Protocol):
    """What is told of a day when all its differences are in: by one command, or by what its parts began with."""

    @property
    def business_date(self) -> date: ...
    @property
    def lines_hash(self) -> str: ...
    @property
    def bank(self) -> Side: ...
    @property
    def ledger(self) -> Side: ...
    @property
    def accounts_fen(self) -> int: ...
    @property
    def claims(self) -> Claims | None: ...
    @property
    def unlisted(self) -> Unlisted | None: ...


def part_of(breaks: Sequence[LineBreak]) -> Part:
    """What is told of a part before it comes."""
    said = "".join(
        f"{each.kind}|{each.reference}|{each.account_id}|{each.bank_fen}|{each.ledger_fen}|{each.number}\n"
        for each in breaks
    )
    return Part(
        digest=sha256(said.encode()).hexdigest(),
        breaks=len(breaks),
        differs_fen=sum(each.bank_fen - each.ledger_fen for each in breaks),
        alone=alone_in(breaks),
    )


def alone_in(breaks: Sequence[LineBreak]) -> int:
    """How many more bookings the bank has than we, by these."""
    return sum((each.kind in HERE) - (each.kind in THERE) for each in breaks)


def listing_of(command: ReconcileBankDay) -> str:
    """The digest over all that is told of a day in parts: whoever begins anew with other balances begins another listing."""
    claims = command.claims
    figures = (
        command.accounts_fen,
        command.bank.closing_fen,
        command.ledger.closing_fen,
        *((claims.register_fen, claims.ledger_fen) if claims else ()),
    )
    said = (command.lines_hash, *(str(fen) for fen in figures), *(part.digest for part in command.parts))
    return sha256("|".join(said).encode()).hexdigest()


def reconcile(command: ReconcileBankDay, state: Books, context: Context) -> Sequence[DaysEvent]:
    """The whole of a day, or the beginning of its parts. Refusals stand on the command."""
    _check(command, state, context)
    if not command.parts:
        reported = [break_id_of(command.business_date, each) for each in command.breaks]
        return _finished(command, state, _told(command.business_date, command.breaks, state), reported, 0)
    listing = listing_of(command)
    if state.begun and (state.begun.business_date, state.begun.listing) == (command.business_date, listing):
        return []
    return [
        BankDayBegun(
            business_date=command.business_date,
            listing=listing,
            lines_hash=command.lines_hash,
            bank=command.bank,
            ledger=command.ledger,
            accounts_fen=command.accounts_fen,
            claims=command.claims,
            parts=command.parts,
            unlisted=command.unlisted,
        )
    ]


def list_part(command: ListBankBreaks, state: Books) -> Sequence[DaysEvent]:
    """One part; the last one ends the day. Refusals stand on the command."""
    begun = state.begun
    if begun is None or (begun.business_date, begun.listing) != (command.business_date, command.listing):
        raise Refused("listing_not_begun")
    if command.part < len(begun.told):
        return []
    if command.part > len(begun.told):
        raise Refused("part_missing")
    if command.part >= len(begun.parts) or part_of(command.breaks) != begun.parts[command.part]:
        raise Refused("part_differs")
    told = _told(command.business_date, command.breaks, state)
    ids = tuple(break_id_of(command.business_date, each) for each in command.breaks)
    listed = BankBreaksListed(
        business_date=command.business_date, listing=command.listing, part=command.part, break_ids=ids
    )
    events: list[DaysEvent] = [*told, listed]
    if command.part + 1 == len(begun.parts):
        reported = [break_id for part in begun.told for break_id in part]
        return _finished(begun, state, events, [*reported, *ids], begun.opened)
    if number_of(_after(state, events).breaks) > BREAKS_MAX:
        raise Refused("too_many_breaks")
    return events


def _after(state: Books, events: Sequence[DaysEvent]) -> Books:
    for event in events:
        state = evolve(state, event)
    return state


def _check(command: ReconcileBankDay, state: Books, context: Context) -> None:
    """The day is over, its file goes on from its last one, and the differences are all that there are."""
    on = command.business_date.isoformat()
    if command.business_date >= context.business_date:
        raise Refused("day_not_over")
    if state.days and on < first_kept(max(state.days)):
        raise Refused("day_too_old")
    known = state.days.get(on)
    if known and (known.bank.bookings, known.lines_hash) != (command.begins_at, command.begins_with):
        raise Refused("file_differs")
    if len(command.breaks) > PART_MAX or sum(part.breaks for part in command.parts) > LISTED_MAX:
        raise Refused("too_many_breaks")
    ids = {break_id_of(command.business_date, each) for each in command.breaks}
    if len(ids) != len(command.breaks) or (command.breaks and command.parts):
        raise Refused("invalid_breaks")
    sums: list[Part | Unlisted] = [part_of(command.breaks), *command.parts]
    if command.unlisted:
        sums.append(command.unlisted)
    differs_fen, alone = sum(each.differs_fen for each in sums), sum(each.alone for each in sums)
    more = command.bank.bookings - command.ledger.bookings
    if (differs_fen, alone) != (net_fen(command.bank) - net_fen(command.ledger), more):
        raise Refused("breaks_do_not_add_up")


# --- what a file shows -----------------------------------------------------------------------------------------------


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
                )
            )
        else:
            events.append(_opened(break_id, _break_of(day, each)))
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
    said: _Said | Begun, state: Books, told: Sequence[DaysEvent], reported: Sequence[str], opened: int
) -> Sequence[DaysEvent]:
    """All differences of a day are in: what it shows no more is closed, the whole is judged, and the day is reconciled."""
    on, shown = said.business_date.isoformat(), frozenset(reported)
    known, after = state.days.get(on), _after(state, told)
    events: list[DaysEvent] = [
        *_gone(said.business_date, after, shown),
        *_landed(said.business_date, state, shown),
    ]
    wholes, corrected = _wholes(said, state)
    events += wholes
    is_same = known and (known.bank, known.ledger) == (said.bank, said.ledger)
    is_news = any(not isinstance(event, BankBreaksListed) for event in told)
    if is_same and not (is_news or events or corrected):
        return []
    events = [*told, *events]
    open_after = number_of(_after(state, events).breaks)
    if open_after > BREAKS_MAX:
        raise Refused("too_many_breaks")
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
            opened=opened + sum(isinstance(event, BankBreakOpened) for event in events),
            closed=sum(isinstance(event, BankBreakClosed) for event in events),
            open_after=open_after,
            unlisted=said.unlisted.breaks if said.unlisted else 0,
            corrected=corrected,
        ),
    ]


def _gone(day: date, state: Books, shown: frozenset[str]) -> list[BankBreakClosed]:
    """What stands on the work list, and the day's file does not show any more."""
    return [
        _closed(break_id, each)
        for break_id, each in all_kept(state.breaks)
        if each.business_date == day and each.kind in _LINE_KINDS and break_id not in shown
    ]


def _landed(day: date, state: Books, shown: frozenset[str]) -> list[BankBreakOpened]:
    """The other halves of what was in flight and is not shown any more: each stands alone now."""
    events: list[BankBreakOpened] = []
    for break_id, each in all_kept(state.settled):
        if each.business_date == day and each.counterpart and break_id not in shown:
            half = kept(state.settled, each.counterpart)
            if half is not None and half.line is not None:
                events.append(_opened(each.counterpart, half.line))
    return events


# --- the whole -------------------------------------------------------------------------------------------------------


def _wholes(
    said: _Said | Begun, state: Books
) -> tuple[list[BankBreakOpened | BankBreakClosed], tuple[BreakKind, ...]]:
    """What must be equal for the whole: what is told of it anew and no more, and of which kinds what was settled is gone.

    Balances add up, so the latest day says it. A file of an earlier one may explain what the latest did not, and then the difference
    ends; whether there is one, the latest file is asked again.
    """
    on = said.business_date.isoformat()
    is_latest = not any(day > on for day in state.days)
    events: list[BankBreakOpened | BankBreakClosed] = []
    corrected: list[BreakKind] = []
    for kind, bank_fen, ledger_fen in _sums(said, state, is_latest=is_latest):
        differs_fen, settled_fen = bank_fen - ledger_fen, state.settled_fen.get(kind, 0)
        live = next(((name, each) for name, each in all_kept(state.breaks) if each.kind == kind), None)
        told_fen = live[1].difference_fen if live else 0
        if differs_fen == told_fen + settled_fen:
            continue
        if settled_fen and _is_mended(differs_fen, told_fen):
            corrected.append(kind)
            settled_fen = 0
        left_fen = differs_fen - settled_fen
        if left_fen and not is_latest:
            continue
        if live and left_fen != told_fen:
            events.append(_closed(*live))
        if left_fen and left_fen != told_fen:
            revision = state.days[on].revision + 1 if on in state.days else 1
            name = digest(on, kind, str(left_fen), str(revision))
            events.append(_opened(name, _whole(said.business_date, kind, bank_fen, bank_fen - left_fen)))
    return events, tuple(corrected)


def _is_mended(differs_fen: int, told_fen: int) -> bool:
    """Whether what people settled is gone: nothing differs any more, or just what is open does."""
    return differs_fen in (0, told_fen)


def _sums(said: _Said | Begun, state: Books, *, is_latest: bool) -> Iterator[tuple[BreakKind, int, int]]:
    on = said.business_date.isoformat()
    days = {name: (day.bank, day.ledger) for name, day in state.days.items()} | {on: (said.bank, said.ledger)}
    explained_fen = state.left_fen + sum(net_fen(bank) - net_fen(ledger) for bank, ledger in days.values())
    bank, ledger = days[max(days)]
    yield "balance_differs", bank.closing_fen, ledger.closing_fen + explained_fen
    if not is_latest:
        return
    yield "accounts_differ", said.accounts_fen, said.ledger.closing_fen
    if said.claims is not None:
        yield "claims_differ", said.claims.register_fen, said.claims.ledger_fen


def _whole(day: date, kind: BreakKind, bank_fen: int, ledger_fen: int) -> Break:
    if max(abs(bank_fen), abs(ledger_fen)) > MAX_INTEGER:
        raise Refused("amount_too_large")
    return Break(
        business_date=day, kind=kind, reference="", account_id="", bank_fen=bank_fen, ledger_fen=ledger_fen
    )


# --- names -----------------------------------------------------------------------------------------------------------


def _break_of(day: date, line: LineBreak) -> Break:
    return Break(
        business_date=day,
        kind=line.kind,
        reference=line.reference,
        account_id=line.account_id,
        bank_fen=line.bank_fen,
        ledger_fen=line.ledger_fen,
    )


def break_id_of(day: date, line: LineBreak) -> str:
    """A difference is known by all that it says: said again it is the same, said otherwise it is another."""
    amounts = (str(line.bank_fen), str(line.ledger_fen))
    which = (str(line.number),) if line.number else ()
    return digest(str(day), line.kind, line.reference, line.account_id, *amounts, *which)


def digest(*parts: str) -> str:
    """An id of a difference, of all that it says."""
    said = "".join(f"{len(part)}:{part}" for part in parts)
    return f"brk_{sha256(said.encode()).hexdigest()[:32]}"


def _opened(break_id: str, each: Break) -> BankBreakOpened:
    return BankBreakOpened(
        break_id=break_id,
        business_date=each.business_date,
        kind=each.kind,
        reference=each.reference,
        account_id=each.account_id,
        bank_fen=each.bank_fen,
        ledger_fen=each.ledger_fen,
    )


def _closed(break_id: str, each: Break) -> BankBreakClosed:
    return BankBreakClosed(break_id=break_id, business_date=each.business_date, code="closed_by_file")
