"""What is paid while the loan cannot be judged is kept until it can be, or a late answer would hide that it was late (docs/decisions/0018).

A part that a debit's late money covers was paid on the day of the asking. One that was paid by its first evening was not late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from libs.events.lateness import Freed, Unjudged
from libs.events.repayment import PaymentReceived
from services.repayment.domain.allocation import Book, Penalty, overdue_lines
from services.repayment.domain.pausing import Paused, reaches
from services.repayment.domain.pending import Pending

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """Parts that are not judged, and money that was there and has paid none of them."""

    parts: tuple[Unjudged, ...]
    freed: tuple[Freed, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as it meets what is kept: the loan's book before it, and the first instalment of which no miss was said."""

    event: PaymentReceived
    kept: Kept
    book: Book
    next_missed: int


def with_paid(paid: Paid, unanswered: Sequence[Pending], answered_on: date | None) -> Kept:
    """What is kept once this is paid of the book: what was open on an evening that is over, and could not be said to be missed, or not be charged,
    because of what held the loan: debits without an answer, of which this may be one, and the day of the last late one, after which no day has come
    yet.

    An evening that still runs is none: who pays then is judged with it. Of today's own debits a replay knows no order
    (docs/decisions/0024), so only those of a day before hold the loan here.
    """
    booked_on = booked(paid.event)
    asking = [debit.debit_id for debit in unanswered if debit.asked_on < booked_on]
    if not asking and (answered_on is None or booked_on > answered_on + _DAY):
        return paid.kept
    is_waiting = any(debit_id != paid.event.payment_id for debit_id in asking)
    late = {line.number for line in overdue_lines(paid.book, min(paid.event.value_date, booked_on) - _DAY)}
    parts = (*paid.kept.parts, *_parts(paid, late, paid.next_missed, is_waiting=is_waiting))
    return with_found(replace(paid.kept, parts=parts), paid.book.pauses)


def with_late_money(paid: Paid, debit: Pending) -> Kept:
    """What is kept once a debit's late money has paid something of the book too: all of it was there on the day of the asking, and pays the oldest;
    what those were paid with later pays, on its day, what this money has paid now."""
    event = paid.event
    assert event.arrival is not None, "what comes late says how it came"
    own = _parts(paid, {line.number for line in event.allocation}, 0, is_waiting=True)
    parts = (*paid.kept.parts, *(replace(part, paid_on=date.max) for part in own))
    found = with_found(replace(paid.kept, parts=parts), paid.book.pauses, debit, event.arrival.received_fen)
    late = (part for part in found.parts if part.number >= paid.next_missed or part.since < part.paid_on)
    return replace(found, parts=tuple(late))


def booked(event: PaymentReceived) -> date:
    """The business date on which a payment came."""
    return event.arrival.booked_on if event.arrival else event.value_date


def _parts(paid: Paid, late: set[int], next_missed: int, *, is_waiting: bool) -> Iterator[Unjudged]:
    event, book = paid.event, paid.book
    for line in event.allocation:
        open_fen = line.interest_fen + line.principal_fen
        if line.number not in late or not open_fen + line.fee_fen:
            continue
        due_on, penalty = book.rows[line.number - 1].due_on, book.penalty_of(line.number)
        since = max(penalty.to, due_on) if penalty else due_on
        if line.number >= next_missed or (is_waiting and since < event.value_date):
            yield Unjudged(
                number=line.number,
                due_on=due_on,
                since=since,
                paid_on=event.value_date,
                fee_fen=line.fee_fen,
                open_fen=open_fen,
            )


def with_found(
    kept: Kept, pauses: Sequence[Paused], debit: Pending | None = None, found_fen: int = 0
) -> Kept:
    """What is kept once it is known that a debit has found so much more than the loan still needs: the oldest that were due by the day of its asking
    were paid on it; and so what had paid them was there, on its day, for what was paid later still, or will be."""
    there = [(each.on, each.fen) for each in kept.freed]
    if debit is not None and found_fen:
        there.append((debit.asked_on, found_fen))
    if not there:
        return replace(kept, freed=())
    parts, freed = kept.parts, list[Freed]()
    while there:
        there.sort()
        on, fen = there.pop(0)
        parts, more = _covered(parts, on, fen)
        there += more
        # What this money pays now is no money of a day before.
        if (rest_fen := fen - sum(used_fen for _, used_fen in more)) and on < date.max:
            freed.append(Freed(on=on, fen=rest_fen))
    return Kept(tuple(part for part in parts if is_late(part, pauses)), tuple(freed))


def _covered(
    parts: Sequence[Unjudged], on: date, fen: int
) -> tuple[tuple[Unjudged, ...], list[tuple[date, int]]]:
    """The parts once so much was there on a day, and the money that is not needed for them any more, by its day."""
    left: list[Unjudged] = []
    freed: list[tuple[date, int]] = []
    for part in sorted(parts, key=lambda part: (part.number, part.paid_on)):
        if not fen or not part.due_on <= on < part.paid_on:
            left.append(part)
            continue
        fee_fen = min(fen, part.fee_fen)
        open_fen = min(fen - fee_fen, part.open_fen)
        fen -= fee_fen + open_fen
        freed.append((part.paid_on, fee_fen + open_fen))
        covered = replace(part, paid_on=on, fee_fen=fee_fen, open_fen=open_fen)
        rest = replace(part, fee_fen=part.fee_fen - fee_fen, open_fen=part.open_fen - open_fen)
        left += [each for each in (covered, rest) if each.fee_fen + each.open_fen]
    return tuple(left), freed


def is_late(part: Unjudged, pauses: Sequence[Paused]) -> bool:
    """Whether it was paid after the first evening on which it was late."""
    return part.paid_on > reaches(pauses, part.due_on, 1)


def fined(book: Book, number: int, penalty_fen: int) -> Book:
    """The book once so much penalty is owed with an instalment, for days that are not its own: those are still to be charged."""
    if not penalty_fen:
        return book
    before = book.penalty_of(number) or Penalty(number=number, to=book.rows[number - 1].due_on, owed_fen=0)
    owed = replace(before, owed_fen=before.owed_fen + penalty_fen)
    others = (penalty for penalty in book.penalties if penalty.number != number)
    return replace(book, penalties=tuple(sorted((*others, owed), key=lambda penalty: penalty.number)))
