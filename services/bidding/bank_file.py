"""The bank's daily file, read line by line and believed only as a whole: its form is told in `tools/bank/daily_file.py`.

Whatever is wrong with it is said with the number of the line, and then nothing of it counts.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Final

from libs.events.bank_days import Side
from libs.events.money import MAX_INTEGER

VERSION: Final = b"2"
#: Longer than any line of the form.
LINE_BYTES_MAX: Final = 1_024

_ID: Final = rb"[A-Za-z0-9_-]{0,100}"
_SUM: Final = rb"[0-9]{1,25}"
_HEAD = re.compile(rb"H\|loanstream-bank-file\|([0-9]+)\|([0-9-]{10})\|([0-9]{1,15})\|(-?" + _SUM + rb")\n")
_LINE = re.compile(
    rb"B\|([!-{}~]{1,64})\|(" + _ID + rb")\|(" + _ID + rb")\|(in|out)\|([1-9][0-9]{0,15})\|"
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)\n"
)
_END = re.compile(rb"T\|([0-9]{1,15})\|(" + _SUM + rb")\|(" + _SUM + rb")\|(-?" + _SUM + rb")\n")


class BankFileRefused(Exception):
    """The file is not believed (`code`), because of what stands, or is missing, at this line."""

    def __init__(self, line: int, code: str) -> None:
        super().__init__(f"line {line}: {code.replace('_', ' ')}")
        self.line = line
        self.code = code


@dataclass(frozen=True, slots=True)
class BankLine:
    """One booking of the bank; `moved_fen` is negative for what went out. An empty account is money that nobody asked for."""

    line: int
    reference: str
    account: str
    moved_fen: int


class BankFile:
    """One pass over a file's lines; when it has ended, what the whole says.

    `begins_at`: after so many bookings the digest of what came before is kept, to be compared with the day's last file.
    """

    def __init__(self, lines: Iterable[bytes], day: date, begins_at: int = 0) -> None:
        self._lines = lines
        self._day = day
        self._hash = sha256()
        self.begins_at = begins_at
        self.begins_with = self._hash.hexdigest()
        self.lines_hash = self.begins_with
        self.side = Side(bookings=0, in_fen=0, out_fen=0, closing_fen=0)

    def read(self) -> Iterator[BankLine]:
        """The bookings in their order. Raises BankFileRefused at the first line that does not fit, the last one included."""
        numbered = enumerate(self._lines, 1)
        count, opening_fen = self._head(next(numbered, (1, b""))[1])
        seen = in_fen = out_fen = 0
        number = 1
        for number, raw in numbered:
            found = _LINE.fullmatch(raw)
            if found is None:
                break
            reference, _, account, direction, amount, booked_at = found.groups()
            amount_fen = int(amount)
            if amount_fen > MAX_INTEGER or not _is_a_time(booked_at):
                raise BankFileRefused(number, "broken_line")
            seen += 1
            if direction == b"in":
                in_fen += amount_fen
            else:
                out_fen += amount_fen
            self._hash.update(raw)
            if seen == self.begins_at:
                self.begins_with = self._hash.hexdigest()
            moved_fen = amount_fen if direction == b"in" else -amount_fen
            yield BankLine(number, reference.decode(), account.decode(), moved_fen)
        else:
            raise BankFileRefused(number + 1, "end_missing")
        closing_fen = self._end(number, raw, (count, seen), (in_fen, out_fen), opening_fen)
        if (after := next(numbered, None)) is not None:
            raise BankFileRefused(after[0], "goes_on_after_its_end")
        self.lines_hash = self._hash.hexdigest()
        if self.begins_at > seen:
            self.begins_at, self.begins_with = seen, self.lines_hash
        self.side = Side(bookings=seen, in_fen=in_fen, out_fen=out_fen, closing_fen=closing_fen)

    def _head(self, raw: bytes) -> tuple[int, int]:
        """How many bookings the file says it has, and the balance before them."""
        found = _HEAD.fullmatch(raw)
        if found is None:
            raise BankFileRefused(1, "head_missing" if not raw.startswith(b"H|") else "broken_head")
        version, day, count, opening = found.groups()
        if version != VERSION:
            raise BankFileRefused(1, "unknown_version")
        if day.decode() != self._day.isoformat():
            raise BankFileRefused(1, "wrong_date")
        if abs(int(opening)) > MAX_INTEGER:
            raise BankFileRefused(1, "sum_too_large")
        return int(count), int(opening)

    def _end(
        self, number: int, raw: bytes, counts: tuple[int, int], sums: tuple[int, int], opening_fen: int
    ) -> int:
        """The balance after all bookings, if the last line says what the head and the bookings say."""
        found = _END.fullmatch(raw)
        if found is None:
            is_cut = not raw.endswith(b"\n") and len(raw) < LINE_BYTES_MAX
            raise BankFileRefused(number, "cut_off" if is_cut else "broken_line")
        count, in_fen, out_fen, closing_fen = (int(figure) for figure in found.groups())
        if counts != (count, count):
            raise BankFileRefused(number, "count_differs")
        if sums != (in_fen, out_fen):
            raise BankFileRefused(number, "sum_differs")
        if opening_fen + in_fen - out_fen != closing_fen:
            raise BankFileRefused(number, "balance_differs")
        if max(in_fen, out_fen, abs(closing_fen)) > MAX_INTEGER:
            raise BankFileRefused(number, "sum_too_large")
        return closing_fen


def _is_a_time(booked_at: bytes) -> bool:
    """Whether there is such a moment: the bank's clock decides nothing, but a line that says none is no line."""
    try:
        datetime.fromisoformat(booked_at.decode())
    except ValueError:
        return False
    return True


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file that comes in chunks, each with its line feed; one that is too long comes in pieces, which fit no form."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
        while len(rest) > LINE_BYTES_MAX:
            yield rest[:LINE_BYTES_MAX]
            rest = rest[LINE_BYTES_MAX:]
    if rest:
        yield rest
