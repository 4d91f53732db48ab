"""What came to a loan, in the order in which it came: the inputs from which its state can be decided again (docs/decisions/0024).

Never what was decided, but one number per payment: what the loan took of it, so that a replay can be held against the truth. An entry
is a line of text, a hundred lines become one: a loan of 3,000 payments is stored with every change, and a state is read by nobody.

**Another input is added** by a record here, its kind's letter in `_written` and `_read`, the event that appends it in
`loan_state.evolve` (`with_entry`), and its place in `replaying.replay`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import assert_never

from libs.events.arrival import Arrival, PaymentMode
from libs.events.codec import record
from libs.events.money import Count, PositiveFen
from libs.events.schedules.row import ScheduleRow

#: So many entries of the tail become one text.
CHUNK = 100

#: How many corrections a loan recognises when they come again.
CORRECTIONS_REMEMBERED = 32

#: Phases of the day before which a payment is booked where nothing else was said: a debit's after the dues, any other before them.
BEFORE_DUES, BEFORE_MISSES = 2, 4


@record
class Payment:
    """A payment that the loan took, and `taken_fen` of it. `before_phase` of `booked_on` had not woken the loan yet. `account_id` is
    empty for the borrower's own, `payer` for the borrower."""

    payment_id: str
    account_id: str
    payer: str
    amount_fen: PositiveFen
    value_date: date
    booked_on: date
    before_phase: Count
    mode: PaymentMode
    is_debit: bool
    taken_fen: Count
    is_reversed: bool = False


@record
class Sale:
    """A claim, or a part of it, changed hands: `principal_fen` went to claim `claim_id` of order `order`, `left_fen` stayed."""

    sold_order: int
    sold_claim_id: str
    seller_account: str
    seller: str
    left_fen: Count
    order: int
    claim_id: str
    account_id: str
    investor: str
    principal_fen: PositiveFen
    sold_on: date


Entry = Payment | Sale


@record
class Journal:
    """`lent`: order and principal (fen) of each claim as lent. `chunks` of CHUNK entries each, then the `tail`, a line per entry.
    `rows` is the contract's first schedule, empty while it stands in the book; `corrections` are the last that were applied."""

    lent: str = ""
    chunks: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    rows: tuple[ScheduleRow, ...] = ()
    corrections: tuple[str, ...] = ()


EMPTY = Journal()


def opened(lent: Sequence[tuple[int, int]]) -> Journal:
    """The journal of a loan whose claims, as (order, principal in fen), are these."""
    return Journal(lent=" ".join(f"{order}:{fen}" for order, fen in lent))


def lent(journal: Journal) -> dict[int, int]:
    """Order -> principal (fen) of the claims as lent."""
    pairs = (pair.split(":") for pair in journal.lent.split())
    return {int(order): int(fen) for order, fen in pairs}


def with_entry(journal: Journal, entry: Entry) -> Journal:
    """The journal once one more came."""
    tail = (*journal.tail, _written(entry))
    if len(tail) < CHUNK:
        return replace(journal, tail=tail)
    return replace(journal, chunks=(*journal.chunks, "\n".join(tail)), tail=())


def with_first_rows(journal: Journal, rows: tuple[ScheduleRow, ...]) -> Journal:
    """The journal once the schedule changes: the contract's first one is kept, `rows` if it has not changed before."""
    return replace(journal, rows=journal.rows or rows)


def with_correction(journal: Journal, correction_id: str) -> Journal:
    """The journal once a correction was applied."""
    return replace(journal, corrections=(*journal.corrections, correction_id)[-CORRECTIONS_REMEMBERED:])


def with_entries(journal: Journal, entries: Sequence[Entry]) -> Journal:
    """The journal with these entries and no others."""
    lines = [_written(entry) for entry in entries]
    full = len(lines) - len(lines) % CHUNK
    chunks = tuple("\n".join(lines[start : start + CHUNK]) for start in range(0, full, CHUNK))
    return replace(journal, chunks=chunks, tail=tuple(lines[full:]))


def entries_of(journal: Journal) -> tuple[Entry, ...]:
    """Everything that came, in its order."""
    return tuple(_read(line) for line in _lines(journal))


def reversed_in(journal: Journal, payment_id: str) -> Journal:
    """The journal in which a payment does not count."""
    return with_entries(
        journal,
        [
            replace(entry, is_reversed=True, taken_fen=0)
            if isinstance(entry, Payment) and entry.payment_id == payment_id
            else entry
            for entry in entries_of(journal)
        ],
    )


def redated_in(journal: Journal, payment_id: str, to_date: date, asked_on: date) -> Journal:
    """The journal in which a payment came on another date: after all that had come by then, before what came later."""
    entries = entries_of(journal)
    moved = [_on(entry, to_date, asked_on) for entry in entries if is_payment(entry, payment_id)]
    others = [entry for entry in entries if not is_payment(entry, payment_id)]
    place = next(
        (at for at, entry in enumerate(others) if moved and _moment(entry) > _moment(moved[0])), len(others)
    )
    return with_entries(journal, [*others[:place], *moved, *others[place:]])


def retaken_in(journal: Journal, taken_fen: Mapping[str, int]) -> Journal:
    """The journal once the loan takes other amounts (fen, by payment) of some payments."""
    if not taken_fen:
        return journal
    return with_entries(
        journal,
        [
            replace(entry, taken_fen=taken_fen[entry.payment_id])
            if isinstance(entry, Payment) and entry.payment_id in taken_fen
            else entry
            for entry in entries_of(journal)
        ],
    )


def is_payment(entry: Entry, payment_id: str) -> bool:
    """Whether an entry is this payment."""
    return isinstance(entry, Payment) and entry.payment_id == payment_id


def _on(entry: Entry, day: date, asked_on: date) -> Entry:
    if not isinstance(entry, Payment):
        return entry
    # A day on which the loan has not asked is still to ask: what counts as of it comes before its dues.
    phase = BEFORE_DUES if day > asked_on else phase_of(is_debit=entry.is_debit)
    return replace(entry, value_date=day, booked_on=day, before_phase=phase)


def _moment(entry: Entry) -> tuple[date, int]:
    if isinstance(entry, Payment):
        return entry.booked_on, entry.before_phase
    return entry.sold_on, BEFORE_DUES


def payment_of(
    arrival: Arrival | None,
    *,
    payment_id: str,
    payer: str,
    taken_fen: int,
    value_date: date,
    is_debit: bool,
) -> Payment:
    """A payment that was taken, as its event says it came. Without an arrival it came from the borrower's account on its value date,
    and nothing went back."""
    return Payment(
        payment_id=payment_id,
        account_id=arrival.account_id if arrival else "",
        payer=payer,
        amount_fen=arrival.received_fen if arrival else taken_fen,
        value_date=value_date,
        booked_on=arrival.booked_on if arrival else value_date,
        before_phase=arrival.before_phase if arrival else phase_of(is_debit=is_debit),
        mode=arrival.mode if arrival else "",
        is_debit=is_debit,
        taken_fen=taken_fen,
    )


def phase_of(*, is_debit: bool) -> int:
    """The phase of its value date before which a payment is booked if nothing is late (design.md 2.7)."""
    return BEFORE_MISSES if is_debit else BEFORE_DUES


def _lines(journal: Journal) -> Iterator[str]:
    for chunk in journal.chunks:
        yield from chunk.split("\n")
    yield from journal.tail


# --- the text, version 1 -------------------------------------------------------------------------------------------


def _written(entry: Entry) -> str:
    match entry:
        case Payment():
            flags = "d" * entry.is_debit + "x" * entry.is_reversed
            late = "" if entry.booked_on == entry.value_date else entry.booked_on.isoformat()
            fields = (
                entry.payment_id,
                entry.account_id,
                entry.payer,
                str(entry.amount_fen),
                "" if entry.taken_fen == entry.amount_fen else str(entry.taken_fen),
                entry.value_date.isoformat(),
                late,
                str(entry.before_phase),
                entry.mode,
                flags,
            )
            return _joined("p1", fields)
        case Sale():
            numbers = (entry.sold_order, entry.left_fen, entry.order, entry.principal_fen)
            names = (
                entry.sold_claim_id,
                entry.seller_account,
                entry.seller,
                entry.claim_id,
                entry.account_id,
                entry.investor,
                entry.sold_on.isoformat(),
            )
            return _joined("s1", (*map(str, numbers), *names))
        case _:
            assert_never(entry)


def _read(line: str) -> Entry:
    kind, *fields = (_unescaped(field) for field in line.split("|"))
    if kind == "p1":
        return _payment(fields)
    if kind == "s1":
        return _sale(fields)
    raise ValueError(f"a journal's entry of a kind that is not known: {kind}")


def _payment(fields: Sequence[str]) -> Payment:
    payment_id, account_id, payer, amount, taken, value_date, booked_on, phase, mode, flags = fields
    return Payment(
        payment_id=payment_id,
        account_id=account_id,
        payer=payer,
        amount_fen=int(amount),
        value_date=date.fromisoformat(value_date),
        booked_on=date.fromisoformat(booked_on or value_date),
        before_phase=int(phase),
        mode=_mode(mode),
        is_debit="d" in flags,
        taken_fen=int(taken or amount),
        is_reversed="x" in flags,
    )


def _mode(text: str) -> PaymentMode:
    match text:
        case "" | "settle" | "reamortise" | "shorten":
            return text
        case _:
            raise ValueError(f"a payment's mode that is not known: {text}")


def _sale(fields: Sequence[str]) -> Sale:
    sold_order, left_fen, order, principal_fen, *names = fields
    sold_claim_id, seller_account, seller, claim_id, account_id, investor, sold_on = names
    return Sale(
        sold_order=int(sold_order),
        sold_claim_id=sold_claim_id,
        seller_account=seller_account,
        seller=seller,
        left_fen=int(left_fen),
        order=int(order),
        claim_id=claim_id,
        account_id=account_id,
        investor=investor,
        principal_fen=int(principal_fen),
        sold_on=date.fromisoformat(sold_on),
    )


def _joined(kind: str, fields: Sequence[str]) -> str:
    return "|".join((kind, *map(_escaped, fields)))


def _escaped(field: str) -> str:
    """No field holds what parts fields or lines."""
    return field.replace("%", "%25").replace("|", "%7C").replace("\n", "%0A")


def _unescaped(field: str) -> str:
    return field.replace("%0A", "\n").replace("%7C", "|").replace("%25", "%")
