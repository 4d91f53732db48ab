"""Charged penalty that is given up: no money moves, and nothing else of the debt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from libs.events.measures import WaivedLine
from services.repayment.domain.allocation import Book, open_lines
from services.repayment.domain.guarantee import Guarantee


def waived_lines(book: Book, amount_fen: int, guarantee: Guarantee | None) -> tuple[WaivedLine, ...]:
    """What of charged penalty an amount gives up, the oldest instalment's first; what it leaves was not owed, or is the guarantor's: he has paid
    for it, and nobody asks him."""
    lines: list[WaivedLine] = []
    for penalty in book.penalties:
        if guarantee is not None and guarantee.is_his(penalty.number):
            continue
        fen = min(amount_fen, penalty.owed_fen)
        amount_fen -= fen
        if fen:
            lines.append(WaivedLine(number=penalty.number, waived_fen=fen))
    return tuple(lines)


def waived(book: Book, lines: Sequence[WaivedLine]) -> Book:
    """The book without these penalties; an instalment of which nothing else was open is paid."""
    given_up = {line.number: line.waived_fen for line in lines}
    book = replace(
        book,
        penalties=tuple(penalty.less(given_up.get(penalty.number, 0)) for penalty in book.penalties),
    )
    still_open = [line.number for line in open_lines(book, date.max)]
    first_open = still_open[0] if still_open else len(book.rows) + 1
    return replace(
        book,
        first_open=first_open,
        paid=tuple(line for line in book.paid if line.number >= first_open),
        penalties=tuple(penalty for penalty in book.penalties if penalty.number in still_open),
    )
