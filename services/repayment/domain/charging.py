"""Penalty interest: what of it becomes owed up to a day, and in which pieces it is charged.

Each piece is rounded for itself, so what is owed on a day depends on where the days before it were cut. They are cut where a book alone says so
(`charging_days`), and whoever asks what is owed on a day cuts there: the close, a payment, a debit, and a quote of a day to come.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from libs.events.codec import record
from libs.events.repayment import PenaltyLine
from services.repayment.domain.allocation import Book, Penalty, open_lines
from services.repayment.domain.pausing import delinquent_days, reaches
from services.repayment.domain.profile import Rules
from services.repayment.domain.schedule import daily_interest_fen, last_of_month

_DAY = timedelta(days=1)


@record
class Piece:
    """What becomes owed as one charge, up to a day."""

    on: date
    lines: tuple[PenaltyLine, ...]


def penalty_lines(book: Book, on: date, rules: Rules) -> tuple[PenaltyLine, ...]:
    """Penalty interest 罚息 that becomes owed up to a date, as one piece: round(open · penalty rate · days / basis) for each instalment
    that is longer overdue than the grace, `open` being its principal and interest (never penalty or fee: no compounding).

    The days run from its due date, or from where it was charged to last; an instalment paid within the grace costs
    nothing, one that is not costs from its first day on. Paused days are none of both. Source: domain.md section 4,
    docs/decisions/0005.
    """
    lines: list[PenaltyLine] = []
    before = {penalty.number: penalty.to for penalty in book.penalties}
    for owed in open_lines(book, on - timedelta(days=rules.penalty_grace_days + 1)):
        due_on = book.rows[owed.number - 1].due_on
        if book.pauses and delinquent_days(book.pauses, due_on, on) <= rules.penalty_grace_days:
            continue
        since = max(before.get(owed.number, due_on), due_on)
        days = delinquent_days(book.pauses, since, on)
        open_fen = owed.interest_fen + owed.principal_fen
        fen = daily_interest_fen(open_fen, book.penalty_rate, days, rules.day_basis, rules.rounding)
        if fen:
            lines.append(PenaltyLine(number=owed.number, open_fen=open_fen, days=days, penalty_fen=fen))
    return tuple(lines)


def charging_days(book: Book, to: date, rules: Rules) -> tuple[date, ...]:
    """The days, since it was charged last and up to a date, whose evening charges: month ends until the loan is lost, and those on
    which the oldest instalment reaches a worse bucket or class, whatever the loan's own is by measure or history."""
    oldest = book.oldest_due_on
    if oldest is None or oldest >= to or not book.penalty_rate:
        return ()
    # Penalty that a late answer made owed stands up to its row's own day, and says nothing of the others'.
    since = max(
        (each.to for each in book.penalties if each.to > book.rows[each.number - 1].due_on), default=oldest
    )
    worse = (*(bucket.dpd_from for bucket in rules.buckets[1:]), *(dpd for _, dpd in rules.classes[1:]))
    days = {on for dpd in worse if since < (on := reaches(book.pauses, oldest, dpd)) <= to}
    until = min(to, reaches(book.pauses, oldest, rules.classes[-1][1]) - _DAY)
    month_end = last_of_month(since + _DAY)
    while month_end <= until:
        days.add(month_end)
        month_end = last_of_month(month_end + _DAY)
    return tuple(sorted(days))


def pieces(book: Book, to: date, rules: Rules) -> tuple[Piece, ...]:
    """What becomes owed up to a date: at each of the charging days before it, and what has run since."""
    found: list[Piece] = []
    for on in (*charging_days(book, to, rules), to):
        if lines := penalty_lines(book, on, rules):
            found.append(Piece(on=on, lines=lines))
            book = charged(book, lines, on)
    return tuple(found)


def next_charge(book: Book, until: date, rules: Rules) -> date | None:
    """The next day, up to a date, whose evening charges anything."""
    return next((on for on in charging_days(book, until, rules) if penalty_lines(book, on, rules)), None)


def charged(book: Book, lines: Sequence[PenaltyLine], on: date) -> Book:
    """The book once these penalties are owed, up to a date."""
    found = {penalty.number: penalty for penalty in book.penalties}
    for line in lines:
        due_on = book.rows[line.number - 1].due_on
        before = found.get(line.number) or Penalty(number=line.number, to=due_on, owed_fen=0)
        found[line.number] = Penalty(
            number=line.number,
            to=on,
            owed_fen=before.owed_fen + line.penalty_fen,
            before_fen=before.owed_before(due_on),
        )
    return replace(book, penalties=tuple(found[number] for number in sorted(found)))


def accrued(book: Book, on: date, rules: Rules) -> Book:
    """The book as it would stand if all penalty up to a date were charged: what a debit asks and a quote names."""
    for piece in pieces(book, on, rules):
        book = charged(book, piece.lines, piece.on)
    return book
