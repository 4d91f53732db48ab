"""What must be equal for the whole of a bank day: the balances, the accounts, the claims. What differs is told once, until it changes."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

from libs.events.bank_days import BankBreakClosed, BankBreakOpened, BreakKind, Claims, Side, Unlisted
from libs.events.deciding import Refused
from libs.events.money import MAX_INTEGER
from services.bidding.commands.bank_days import Half
from services.bidding.domain.bank_day_records import Books, Break
from services.bidding.domain.bank_day_sums import digest
from services.bidding.domain.bank_days_state import net_fen
from services.bidding.domain.buckets import all_kept


class Said(Protocol):
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
    @property
    def unclosed(self) -> Unlisted | None: ...


def wholes(said: Said, state: Books) -> tuple[list[BankBreakOpened | BankBreakClosed], tuple[BreakKind, ...]]:
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
            events.append(closed(*live))
        if left_fen and left_fen != told_fen:
            revision = state.days[on].revision + 1 if on in state.days else 1
            name = digest(on, kind, str(left_fen), str(revision))
            events.append(opened(name, _whole(said.business_date, kind, bank_fen, bank_fen - left_fen)))
    return events, tuple(corrected)


def _is_mended(differs_fen: int, told_fen: int) -> bool:
    """Whether what people settled is gone: nothing differs any more, or just what is open does."""
    return differs_fen in (0, told_fen)


def _sums(said: Said, state: Books, *, is_latest: bool) -> Iterator[tuple[BreakKind, int, int]]:
    on = said.business_date.isoformat()
    days = {name: (day.bank, day.ledger) for name, day in state.days.items()} | {on: (said.bank, said.ledger)}
    explained_fen = state.left_fen + sum(net_fen(bank) - net_fen(ledger) for bank, ledger in days.values())
    bank, ledger = days[max(days)]
    yield "balance_differs", bank.closing_fen, ledger.closing_fen + explained_fen
    if not is_latest:
        return
    yield "accounts_differ", said.accounts_fen, said.ledger.closing_fen
    if said.claims is not None:
        yield "claims_differ", said.claims.ledger_fen + _apart_fen(said.claims), said.claims.ledger_fen


def _apart_fen(claims: Claims) -> int:
    """How much more the register has; where loans differ by more than their sums do, by so much, in the direction of the sums."""
    more_fen = claims.register_fen - claims.ledger_fen
    by_loans_fen = claims.apart_fen if more_fen >= 0 else -claims.apart_fen
    return max(more_fen, by_loans_fen, key=abs)


def _whole(day: date, kind: BreakKind, bank_fen: int, ledger_fen: int) -> Break:
    if max(abs(bank_fen), abs(ledger_fen)) > MAX_INTEGER:
        raise Refused("amount_too_large")
    return Break(
        business_date=day, kind=kind, reference="", account_id="", bank_fen=bank_fen, ledger_fen=ledger_fen
    )


def opened(break_id: str, each: Break | Half) -> BankBreakOpened:
    """It is on the work list."""
    return BankBreakOpened(
        break_id=break_id,
        business_date=each.business_date,
        kind=each.kind,
        reference=each.reference,
        account_id=each.account_id,
        bank_fen=each.bank_fen,
        ledger_fen=each.ledger_fen,
    )


def closed(break_id: str, each: Break) -> BankBreakClosed:
    """A file shows it no more."""
    return BankBreakClosed(break_id=break_id, business_date=each.business_date, code="closed_by_file")
