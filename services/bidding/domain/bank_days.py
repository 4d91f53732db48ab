"""Reconciliation with the custodian bank 对账: each day is decided on its digests and its differences, never on its lines.

A day's file may grow, and may not change (bank_day_files.py). A difference lives until a later file closes it, two of them settle
each other, or one person explains and another resolves it. One stream for all days: what the bank booked on one and we on another is
matched in one decision.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, assert_never, get_args

from libs.events.bank_days import (
    BankBreakExplained,
    BankBreakOpened,
    BankBreakResolved,
    BankBreaksMatched,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from services.bidding.commands.bank_days import (
    BANK_DAYS,
    ExplainBreak,
    ListBankBreaks,
    MatchBreaks,
    ReconcileBankDay,
    ResolveBreak,
)
from services.bidding.domain.bank_day_files import list_part, reconcile
from services.bidding.domain.bank_day_pairs import freed, stands
from services.bidding.domain.bank_day_records import Books, Break
from services.bidding.domain.bank_day_sums import HERE, THERE
from services.bidding.domain.bank_days_state import DaysEvent, evolve
from services.bidding.domain.buckets import all_kept, kept
from services.bidding.domain.ids import account_of, require_staff

#: Pairs that one decision matches, so that its record stays below what the log takes (chosen).
MATCH_MAX: Final = 2_000

DaysCommand = ReconcileBankDay | ListBankBreaks | ExplainBreak | ResolveBreak | MatchBreaks


def decide(command: DaysCommand | Wake, state: Books, context: Context) -> Sequence[DaysEvent]:
    """What a command does. Refusals stand on the commands."""
    match command:
        case Wake():
            return []
        case ReconcileBankDay():
            return reconcile(command, state, context)
        case ListBankBreaks():
            return list_part(command, state)
        case ExplainBreak():
            return _explain(command, state, context)
        case ResolveBreak():
            return _resolve(command, state, context)
        case MatchBreaks():
            return _match(command, state, context)
        case _:
            assert_never(command)


# --- the life of a difference --------------------------------------------------------------------------------------


def _explain(
    command: ExplainBreak, state: Books, context: Context
) -> Sequence[BankBreakExplained | BankBreakOpened]:
    require_staff(context.principal)
    found = kept(state.breaks, command.break_id)
    if found is None:
        raise Refused("break_not_open")
    if _is_his(command.himself, found):
        raise Refused("forbidden_holder")
    said = found.explained
    if said and said.code == command.code and stands(command.break_id, said, state):
        return []
    return [
        BankBreakExplained(
            break_id=command.break_id,
            business_date=found.business_date,
            code=command.code,
            explained_by=context.principal,
        ),
        *freed(command.break_id, state),
    ]


def _resolve(command: ResolveBreak, state: Books, context: Context) -> Sequence[BankBreakResolved]:
    require_staff(context.principal)
    if (settled := kept(state.settled, command.break_id)) is not None:
        if settled.code != command.code:
            raise Refused("break_resolved")
        return []
    found = kept(state.breaks, command.break_id)
    if found is None:
        raise Refused("break_not_open")
    if _is_his(command.himself, found):
        raise Refused("forbidden_holder")
    if found.explained is None:
        raise Refused("break_not_explained")
    if not stands(command.break_id, found.explained, state):
        raise Refused("explanation_lapsed")
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


def _is_his(himself: str | None, each: Break) -> bool:
    """Whether a difference is of the account of a member of staff who is a customer too."""
    return himself is not None and each.account_id == account_of(himself)


def _require_another(who_explained: str, context: Context) -> None:
    """Four eyes: nobody finds his own explanation right (processes.md 1.A rule 5)."""
    if who_explained == context.principal:
        raise Refused("forbidden_second_signature")


def _match(
    command: MatchBreaks, state: Books, context: Context
) -> Sequence[BankBreaksMatched | BankBreakExplained | BankBreakOpened]:
    require_staff(context.principal)
    others = [(name, each) for name, each in all_kept(state.breaks) if not _is_his(command.himself, each)]
    if command.by == "reference":
        pairs = _pairs(others, lambda each: (each.reference, each.account_id))
        return [event for pair in islice(pairs, MATCH_MAX) for event in _settling(*pair, state, context)]
    unexplained = [(name, each) for name, each in others if not each.explained]
    events: list[BankBreaksMatched | BankBreakExplained] = []
    for pair in islice(_pairs(unexplained, lambda _each: ()), MATCH_MAX):
        for (break_id, each), (counterpart, _) in (pair, pair[::-1]):
            events.append(
                BankBreakExplained(
                    break_id=break_id,
                    business_date=each.business_date,
                    code="timing",
                    explained_by=context.principal,
                    counterpart=counterpart,
                )
            )
    return events


_Named = tuple[str, Break]


def _settling(
    here: _Named, there: _Named, state: Books, context: Context
) -> Sequence[BankBreaksMatched | BankBreakOpened]:
    """The two settle each other, so that nothing rests any more on what they were explained by."""
    matched = BankBreaksMatched(
        here=here[0], there=there[0], amount_fen=here[1].bank_fen, matched_by=context.principal
    )
    return [matched, *freed(here[0], state), *freed(there[0], state)]


def _pairs(
    breaks: Sequence[_Named], name_of: Callable[[Break], tuple[str, ...]]
) -> Iterator[tuple[_Named, _Named]]:
    """What the bank alone has and what we alone have, of one name and amount and of two days, where just one on each side has
    them: of two that fit, nobody could say which.
    """
    sides: tuple[dict[tuple[object, ...], list[_Named]], ...] = ({}, {})
    for break_id, each in breaks:
        if each.kind in (*HERE, *THERE):
            moved_fen = each.bank_fen or each.ledger_fen
            side = sides[each.kind in THERE]
            side.setdefault((*name_of(each), moved_fen), []).append((break_id, each))
    for key, here in sides[0].items():
        there = sides[1].get(key, [])
        if len(here) == len(there) == 1 and here[0][1].business_date != there[0][1].business_date:
            yield here[0], there[0]


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
