"""Two days of the custodian bank in the specs: a file that grows, a booking that we have a day later, what finance makes of it."""

from dataclasses import replace
from datetime import date
from typing import Any

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
    Claims,
    LineBreak,
    Side,
    Told,
)
from services.bidding.commands.bank_days import Gone, Half, ListBankBreaks, ReconcileBankDay
from services.bidding.domain.bank_day_sums import NOTHING_TOLD, break_id_of, listing_of, part_of, told_with
from tests.unit.given import TODAY

NOTHING, FIRST, SECOND, THIRD = ("0" * 64, "1" * 64, "2" * 64, "3" * 64)
MONDAY, TUESDAY = date(2024, 3, 11), date(2024, 3, 12)
UFA, LIN = "stf_ufa", "stf_lin"


def side(bookings: int, in_fen: int, out_fen: int = 0, closing_fen: int | None = None) -> Side:
    """One side of a day that began with nothing, if it is not said otherwise."""
    closing = in_fen - out_fen if closing_fen is None else closing_fen
    return Side(bookings=bookings, in_fen=in_fen, out_fen=out_fen, closing_fen=closing)


def line(kind: Any, reference: str, bank_fen: int, ledger_fen: int, account: str = "acc_ann") -> LineBreak:
    """A booking that differs."""
    return LineBreak(
        kind=kind, reference=reference, account_id=account, bank_fen=bank_fen, ledger_fen=ledger_fen
    )


def name(on: date, each: LineBreak) -> str:
    """The id of its break."""
    return break_id_of(on, each)


def opened(on: date, each: LineBreak) -> BankBreakOpened:
    """It is on the work list."""
    return BankBreakOpened(
        break_id=name(on, each),
        business_date=on,
        kind=each.kind,
        reference=each.reference,
        account_id=each.account_id,
        bank_fen=each.bank_fen,
        ledger_fen=each.ledger_fen,
    )


def closed(break_id: str, on: date = MONDAY) -> BankBreakClosed:
    """A later file shows it no more."""
    return BankBreakClosed(break_id=break_id, business_date=on, code="closed_by_file")


#: Monday: the bank has B1 and B2, we have B1 alone; B3 is ours and not the bank's yet.
HERE, THERE = line("missing_here", "B2", 200_00, 0), line("missing_there", "B3", 0, 50_00)
FILE = ReconcileBankDay(
    business_date=MONDAY,
    lines_hash=FIRST,
    begins_at=0,
    begins_with=NOTHING,
    bank=side(2, 700_00),
    ledger=side(2, 550_00),
    accounts_fen=550_00,
    claims=None,
    breaks=(HERE, THERE),
)
DONE = BankDayReconciled(
    business_date=MONDAY,
    revision=1,
    lines_hash=FIRST,
    bank=FILE.bank,
    ledger=FILE.ledger,
    accounts_fen=550_00,
    claims=None,
    opened=2,
    closed=0,
    open_after=2,
)
H, T = name(MONDAY, HERE), name(MONDAY, THERE)
RECONCILED = (opened(MONDAY, HERE), opened(MONDAY, THERE), DONE)

#: The file has grown by B3, which came late.
GROWN = replace(FILE, lines_hash=SECOND, begins_at=2, begins_with=FIRST, bank=side(3, 750_00), breaks=(HERE,))
GROWN_DONE = replace(DONE, revision=2, lines_hash=SECOND, bank=GROWN.bank, opened=0, closed=1, open_after=1)
SETTLED_BY_FILE = (*RECONCILED, closed(T), GROWN_DONE)

#: Tuesday: what the bank booked as B2 on Monday is in our books.
LATE = line("missing_there", "B2", 0, 200_00)
NEXT = replace(
    FILE,
    business_date=TUESDAY,
    lines_hash=THIRD,
    bank=side(0, 0, closing_fen=750_00),
    ledger=side(1, 200_00, closing_fen=750_00),
    accounts_fen=750_00,
    breaks=(LATE,),
)
NEXT_DONE = replace(
    DONE,
    business_date=TUESDAY,
    lines_hash=THIRD,
    bank=NEXT.bank,
    ledger=NEXT.ledger,
    accounts_fen=750_00,
    opened=1,
    open_after=2,
)
L = name(TUESDAY, LATE)
TWO_DAYS = (*SETTLED_BY_FILE, opened(TUESDAY, LATE), NEXT_DONE)
MATCHED = BankBreaksMatched(here=H, there=L, amount_fen=200_00, matched_by=UFA)


def explained(break_id: str = H, on: date = MONDAY, **changed: Any) -> BankBreakExplained:
    """Ufa says that it was booked later."""
    fields: dict[str, Any] = {"code": "booked_later", "explained_by": UFA}
    return BankBreakExplained(break_id=break_id, business_date=on, **(fields | changed))


RESOLVED = BankBreakResolved(
    break_id=H, business_date=MONDAY, code="booked_later", explained_by=UFA, resolved_by=LIN
)
CLAIMS = Claims(ledger_fen=900_00, register_fen=900_00)
#: What the reconciler makes of Tuesday: the two are one.
IN_FLIGHT = BankBreakInFlight(
    break_id=H, business_date=MONDAY, counterpart=L, other_date=TUESDAY, amount_fen=200_00, other=LATE
)
LANDED_DONE = replace(NEXT_DONE, opened=0, open_after=0)

FLYING = line("missing_here", "B6", 200_00, 0)

#: Monday in two parts.
IN_PARTS = replace(FILE, breaks=(), parts=(part_of((HERE,)), part_of((THERE,))), known=NOTHING_TOLD)
BEGUN = BankDayBegun(
    business_date=MONDAY,
    listing=listing_of(IN_PARTS),
    lines_hash=FIRST,
    bank=FILE.bank,
    ledger=FILE.ledger,
    accounts_fen=550_00,
    claims=None,
    parts=IN_PARTS.parts,
    unlisted=None,
    known=NOTHING_TOLD,
)


def told(*breaks: LineBreak) -> Told:
    """All that was told of Monday."""
    return told_with(MONDAY, NOTHING_TOLD, breaks, ())


#: Told bit by bit, and it is all.
ALL_DONE = replace(DONE, told=told(HERE, THERE))


def gone(each: LineBreak, counterpart: str = "", other: Half | None = None) -> Gone:
    """The file shows it no more."""
    return Gone(
        break_id=name(MONDAY, each),
        kind=each.kind,
        bank_fen=each.bank_fen,
        ledger_fen=each.ledger_fen,
        counterpart=counterpart,
        other=other,
    )


def part(number: int, *breaks: LineBreak) -> ListBankBreaks:
    """One part of Monday."""
    return ListBankBreaks(business_date=MONDAY, listing=BEGUN.listing, part=number, breaks=breaks)


def listed(number: int, *ids: str) -> BankBreaksListed:
    """It is in."""
    return BankBreaksListed(
        business_date=MONDAY,
        listing=BEGUN.listing,
        part=number,
        break_ids=ids,
        told=told(*(HERE, THERE)[: number + 1]),
        opened=len(ids),
    )


#: A booking on another account: explained by one person, resolved by another.
ELSEWHERE = line("account_differs", "B7", 9_00, 9_00)
E = name(MONDAY, ELSEWHERE)
ENDED = (
    opened(MONDAY, ELSEWHERE),
    explained(E, code="bank_error"),
    replace(RESOLVED, break_id=E, code="bank_corrected"),
)
assert TODAY > TUESDAY
