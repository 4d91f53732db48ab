"""What came to a loan, in the order in which it came: the inputs from which its state can be decided again (docs/decisions/0024).

Never what was decided, but one number per payment: what the loan took of it, so that a replay can be held against the truth. An entry
is a line of text, a hundred lines become one: a loan of 3,000 payments is stored with every change, and a state is read by nobody.

What an input is, and how another one is added, stands in `journal_entries`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from libs.events.codec import record
from libs.events.corrections import Retaken
from libs.events.schedules.row import ScheduleRow
from services.repayment.domain.journal_entries import (
    BEFORE_DUES,
    Entry,
    Moment,
    Payment,
    Sale,
    Wait,
    moment_of,
    phase_of,
    read,
    start_of_payment,
    written,
)

#: So many entries of the tail become one text.
CHUNK = 100

#: How many corrections a loan recognises when they come again.
CORRECTIONS_REMEMBERED = 32


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

#: Before all days.
NEVER: Moment = (date.min, 0)


def opened(lent: Sequence[tuple[int, int]]) -> Journal:
    """The journal of a loan whose claims, as (order, principal in fen), are these."""
    return Journal(lent=" ".join(f"{order}:{fen}" for order, fen in lent))


def lent(journal: Journal) -> dict[int, int]:
    """Order -> principal (fen) of the claims as lent."""
    pairs = (pair.split(":") for pair in journal.lent.split())
    return {int(order): int(fen) for order, fen in pairs}


def with_entry(journal: Journal, entry: Entry) -> Journal:
    """The journal once one more came."""
    tail = (*journal.tail, written(entry))
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
    lines = [written(entry) for entry in entries]
    full = len(lines) - len(lines) % CHUNK
    chunks = tuple("\n".join(lines[start : start + CHUNK]) for start in range(0, full, CHUNK))
    return replace(journal, chunks=chunks, tail=tuple(lines[full:]))


def entries_of(journal: Journal) -> tuple[Entry, ...]:
    """Everything that came, in its order."""
    return tuple(read(line) for line in _lines(journal))


def has_payment(journal: Journal, payment_id: str) -> bool:
    """Whether a payment was taken, however long ago and whatever a correction made of it: a search in the text, which reads no entry."""
    start = start_of_payment(payment_id)
    return any(part.startswith(start) or f"\n{start}" in part for part in (*journal.tail, *journal.chunks))


def why_not_replaced(journal: Journal, payment_id: str, payer: str) -> str:
    """Why nothing of a payer's (empty for the borrower) is entered in the place of a payment, as a code; empty where it is. One that was, and
    was reversed too, is replaced itself. Of somebody else's payment a stranger is not told how it stands."""
    payments = {entry.payment_id: entry for entry in entries_of(journal) if isinstance(entry, Payment)}
    if payment_id not in payments:
        return "unknown_payment"
    if payer and payer != payments[payment_id].payer:
        return "payment_of_another"
    if not payments[payment_id].is_reversed:
        return "payment_not_reversed"
    is_replaced = any(entry.replaces == payment_id for entry in payments.values())
    return "payment_replaced" if is_replaced else ""


def last_moment(journal: Journal) -> Moment:
    """Where the last of it came that was not a sale, which changes nothing that a day looks at; before all days where nothing did."""
    lines = (line for part in (*journal.chunks, *journal.tail)[::-1] for line in part.split("\n")[::-1])
    entries = (read(line) for line in lines)
    return next((moment_of(entry) for entry in entries if not isinstance(entry, Sale)), NEVER)


def reversed_in(journal: Journal, payment_id: str) -> Journal:
    """The journal in which a payment does not count."""
    return with_entries(
        journal,
        [
            replace(entry, is_reversed=True, taken_fen=0, cost_fen=0)
            if isinstance(entry, Payment) and entry.payment_id == payment_id
            else entry
            for entry in entries_of(journal)
        ],
    )


def redated_in(journal: Journal, payment_id: str, to_date: date, asked_on: date) -> Journal:
    """The journal in which a payment came on another date: after all that had come by then, before what came later, a late day among it."""
    entries = entries_of(journal)
    moved = [_on(entry, to_date, asked_on) for entry in entries if is_payment(entry, payment_id)]
    others = [entry for entry in entries if not is_payment(entry, payment_id)]
    place = next(
        (at for at, entry in enumerate(others) if moved and _is_later(entry, moment_of(moved[0]))),
        len(others),
    )
    return with_entries(journal, [*others[:place], *moved, *others[place:]])


def _is_later(entry: Entry, moment: Moment) -> bool:
    """A phase that woke the loan late comes after all that came before that phase."""
    came = moment_of(entry)
    return came > moment or (came == moment and isinstance(entry, Wait) and entry.woken)


def retaken_in(journal: Journal, retaken: Iterable[Retaken]) -> Journal:
    """The journal once the loan takes other amounts of some payments."""
    taken = {line.payment_id: line for line in retaken}
    if not taken:
        return journal
    return with_entries(
        journal,
        [
            replace(entry, taken_fen=line.after_fen, cost_fen=line.cost_fen)
            if isinstance(entry, Payment) and (line := taken.get(entry.payment_id))
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


def _lines(journal: Journal) -> Iterator[str]:
    for chunk in journal.chunks:
        yield from chunk.split("\n")
    yield from journal.tail
