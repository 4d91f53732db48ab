"""Reconciliation with the custodian bank 对账: each day is decided on its digests and its differences, never on its lines.

Who has read a million lines says what differs; here it is proved that the differences are all: they add up to the difference of
the two sides, to the fen. A day's file may grow, and may not change. A difference lives until a later file closes it, two of them
settle each other, or one person explains and another resolves it. One stream for all days: what the bank booked on one and
we on another is matched in one decision.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, assert_never, get_args

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakExplained,
    BankBreakOpened,
    BankBreakResolved,
    BankBreaksMatched,
    BankDayReconciled,
    BreakKind,
    LineBreak,
    LineKind,
    Side,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.money import MAX_INTEGER
from services.bidding.commands.bank_days import (
    BANK_DAYS,
    ExplainBreak,
    MatchBreaks,
    ReconcileBankDay,
    ResolveBreak,
)
from services.bidding.domain.bank_days_state import Books, Break, DaysEvent, evolve
from services.bidding.domain.ids import require_staff

#: Differences of one day, so that its command stays below what a command may be (chosen). A day with more is no work list: it is
#: another platform's file, or an outage that people look at first.
DAY_BREAKS_MAX: Final = 600
#: Differences that are not resolved, of all days (chosen).
BREAKS_MAX: Final = 5_000

_LINE_KINDS: Final[tuple[str, ...]] = get_args(LineKind)
#: What counts a booking on one side only: here, there.
_HERE: Final = ("missing_here",)
_THERE: Final = ("missing_there", "reference_reused")

DaysCommand = ReconcileBankDay | ExplainBreak | ResolveBreak | MatchBreaks


def decide(command: DaysCommand | Wake, state: Books, context: Context) -> Sequence[DaysEvent]:
    """What a command does. Refusals stand on the commands."""
    match command:
        case Wake():
            return []
        case ReconcileBankDay():
            return _reconcile(command, state, context)
        case ExplainBreak():
            return _explain(command, state, context)
        case ResolveBreak():
            return _resolve(command, state, context)
        case MatchBreaks():
            return _match(command, state, context)
        case _:
            assert_never(command)


# --- a day's file --------------------------------------------------------------------------------------------------


def _reconcile(command: ReconcileBankDay, state: Books, context: Context) -> Sequence[DaysEvent]:
    _check(command, state, context)
    known = state.days.get(command.business_date.isoformat())
    opening, closing = _changes(command, state)
    if known and (known.bank, known.ledger) == (command.bank, command.ledger) and not (opening or closing):
        return []
    open_after = len(state.breaks) + len(opening) - len(closing)
    if open_after > BREAKS_MAX:
        raise Refused("too_many_breaks")
    return [
        *(_closed(break_id, state.breaks[break_id]) for break_id in closing),
        *(_opened(break_id, each) for break_id, each in opening.items()),
        BankDayReconciled(
            business_date=command.business_date,
            revision=known.revision + 1 if known else 1,
            lines_hash=command.lines_hash,
            bank=command.bank,
            ledger=command.ledger,
            accounts_fen=command.accounts_fen,
            claims=command.claims,
            opened=len(opening),
            closed=len(closing),
            open_after=open_after,
        ),
    ]


def _check(command: ReconcileBankDay, state: Books, context: Context) -> None:
    """The day is over, its file goes on from its last one, and the differences are all that there are."""
    if command.business_date >= context.business_date:
        raise Refused("day_not_over")
    known = state.days.get(command.business_date.isoformat())
    if known and (known.bank.bookings, known.lines_hash) != (command.begins_at, command.begins_with):
        raise Refused("file_differs")
    if len(command.breaks) > DAY_BREAKS_MAX:
        raise Refused("too_many_breaks")
    if len({_id_of(command, each) for each in command.breaks}) != len(command.breaks):
        raise Refused("invalid_breaks")
    differences = sum(each.bank_fen - each.ledger_fen for each in command.breaks)
    alone = sum((each.kind in _HERE) - (each.kind in _THERE) for each in command.breaks)
    more = command.bank.bookings - command.ledger.bookings
    if (differences, alone) != (_net(command.bank) - _net(command.ledger), more):
        raise Refused("breaks_do_not_add_up")


def _changes(command: ReconcileBankDay, state: Books) -> tuple[dict[str, Break], list[str]]:
    """What the work list gets, and what leaves it."""
    reported = {_id_of(command, each): _break_of(command, each) for each in command.breaks}
    of_day = [
        break_id
        for break_id, each in state.breaks.items()
        if each.business_date == command.business_date and each.kind in _LINE_KINDS
    ]
    closing = [break_id for break_id in of_day if break_id not in reported]
    opening = {
        break_id: each
        for break_id, each in reported.items()
        if break_id not in state.breaks and break_id not in state.settled
    }
    for kind, bank_fen, ledger_fen in _wholes(command, state):
        settled_fen = state.settled_fen.get(kind, 0)
        live = next((name for name, each in state.breaks.items() if each.kind == kind), None)
        told_fen = state.breaks[live].difference_fen if live else 0
        differs_fen = bank_fen - ledger_fen - settled_fen
        if differs_fen == told_fen:
            continue
        if live:
            closing.append(live)
        if differs_fen:
            found = _whole(command, kind, bank_fen, bank_fen - differs_fen)
            opening[_digest(str(command.business_date), kind, str(differs_fen), str(len(state.settled)))] = (
                found
            )
    return opening, closing


def _wholes(command: ReconcileBankDay, state: Books) -> Iterator[tuple[BreakKind, int, int]]:
    """What must be equal for the whole at the end of a day: judged at the latest day, because balances add up."""
    name = command.business_date.isoformat()
    if any(day > name for day in state.days):
        return
    explained_fen = _net(command.bank) - _net(command.ledger)
    explained_fen += sum(_net(day.bank) - _net(day.ledger) for on, day in state.days.items() if on < name)
    yield "balance_differs", command.bank.closing_fen, command.ledger.closing_fen + explained_fen
    yield "accounts_differ", command.accounts_fen, command.ledger.closing_fen
    if command.claims is not None:
        yield "claims_differ", command.claims.register_fen, command.claims.ledger_fen


def _net(side: Side) -> int:
    return side.in_fen - side.out_fen


def _whole(command: ReconcileBankDay, kind: BreakKind, bank_fen: int, ledger_fen: int) -> Break:
    if max(abs(bank_fen), abs(ledger_fen)) > MAX_INTEGER:
        raise Refused("amount_too_large")
    return Break(
        business_date=command.business_date,
        kind=kind,
        reference="",
        account_id="",
        bank_fen=bank_fen,
        ledger_fen=ledger_fen,
    )


def _break_of(command: ReconcileBankDay, line: LineBreak) -> Break:
    return Break(
        business_date=command.business_date,
        kind=line.kind,
        reference=line.reference,
        account_id=line.account_id,
        bank_fen=line.bank_fen,
        ledger_fen=line.ledger_fen,
    )


def _id_of(command: ReconcileBankDay, line: LineBreak) -> str:
    """A difference is known by all that it says: said again it is the same, said otherwise it is another."""
    amounts = (str(line.bank_fen), str(line.ledger_fen))
    return _digest(str(command.business_date), line.kind, line.reference, line.account_id, *amounts)


def _digest(*parts: str) -> str:
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


# --- the life of a difference --------------------------------------------------------------------------------------


def _explain(command: ExplainBreak, state: Books, context: Context) -> Sequence[BankBreakExplained]:
    require_staff(context.principal)
    found = state.breaks.get(command.break_id)
    if found is None:
        raise Refused("break_not_open")
    if found.explained and found.explained.code == command.code:
        return []
    return [
        BankBreakExplained(
            break_id=command.break_id,
            business_date=found.business_date,
            code=command.code,
            explained_by=context.principal,
        )
    ]


def _resolve(command: ResolveBreak, state: Books, context: Context) -> Sequence[BankBreakResolved]:
    require_staff(context.principal)
    if (settled := state.settled.get(command.break_id)) is not None:
        if settled != command.code:
            raise Refused("break_resolved")
        return []
    found = state.breaks.get(command.break_id)
    if found is None:
        raise Refused("break_not_open")
    if found.explained is None:
        raise Refused("break_not_explained")
    _require_another(found.explained.who, context)
    return [
        BankBreakResolved(
            break_id=command.break_id,
            business_date=found.business_date,
            code=command.code,
            explained_by=found.explained.who,
            resolved_by=context.principal,
        )
    ]


def _require_another(who_explained: str, context: Context) -> None:
    """Four eyes: nobody finds his own explanation right (processes.md 1.A rule 5)."""
    if who_explained == context.principal:
        raise Refused("forbidden_second_signature")


def _match(
    command: MatchBreaks, state: Books, context: Context
) -> Sequence[BankBreaksMatched | BankBreakExplained]:
    require_staff(context.principal)
    if command.by == "reference":
        return [
            BankBreaksMatched(
                here=here,
                there=there,
                amount_fen=state.breaks[here].bank_fen,
                matched_by=context.principal,
            )
            for here, there in _pairs(state, lambda each: (each.reference, each.account_id))
        ]
    unexplained = replace(
        state, breaks={name: each for name, each in state.breaks.items() if not each.explained}
    )
    events: list[BankBreaksMatched | BankBreakExplained] = []
    for pair in _pairs(unexplained, lambda _each: ()):
        for break_id, counterpart in (pair, pair[::-1]):
            events.append(
                BankBreakExplained(
                    break_id=break_id,
                    business_date=state.breaks[break_id].business_date,
                    code="timing",
                    explained_by=context.principal,
                    counterpart=counterpart,
                )
            )
    return events


def _pairs(state: Books, name_of: Callable[[Break], tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """What the bank alone has and what we alone have, of one name and amount and of two days, where just one on each side has
    them: of two that fit, nobody could say which.
    """
    sides: tuple[dict[tuple[object, ...], list[str]], ...] = ({}, {})
    for break_id, each in state.breaks.items():
        if each.kind in (*_HERE, *_THERE):
            moved_fen = each.bank_fen or each.ledger_fen
            side = sides[each.kind in _THERE]
            side.setdefault((*name_of(each), moved_fen), []).append(break_id)
    for key, here in sides[0].items():
        there = sides[1].get(key, [])
        if len(here) == len(there) == 1 and _of_two_days(state, here[0], there[0]):
            yield here[0], there[0]


def _of_two_days(state: Books, here: str, there: str) -> bool:
    return state.breaks[here].business_date != state.breaks[there].business_date


def wake_on(_state: Books) -> WakeOn:
    """Time does nothing to it: how old a difference is, is counted where it is shown."""
    return None


AGGREGATE = Aggregate(
    name="bank days",
    prefix=BANK_DAYS,
    commands=get_args(DaysCommand),
    events=get_args(DaysEvent),
    state=Books,
    initial=Books(days={}, breaks={}, settled={}, settled_fen={}),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)
