"""The bank of a simulation: what it has booked, whatever it has told us, and its daily files, which are late, cut, or wrong by a line.

Its own generator, so that what goes wrong in a file does not change who the people are.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from random import Random

_YUAN = 100
#: Differences that finance's work list has room for: so few that some wait.
WORK_LIST = 12


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One line of a file: what came in is positive."""

    reference: str
    account: str
    moved_fen: int

    @property
    def text(self) -> str:
        """As it stands in the file."""
        direction = "in" if self.moved_fen > 0 else "out"
        return f"B|{self.reference}||{self.account}|{direction}|{abs(self.moved_fen)}|2024-01-25T08:00:00Z\n"


@dataclass(frozen=True, slots=True)
class GivenFile:
    """What a whole file said."""

    entries: tuple[BankEntry, ...]
    closing_fen: int


@dataclass(slots=True)
class PlayedBank:
    """Its lines by date, as its files tell them, and every whole file that it ever gave, by the digest of its lines."""

    rng: Random
    files: dict[tuple[date, str], GivenFile] = field(default_factory=dict)
    _days: dict[date, list[BankEntry]] = field(default_factory=dict)
    _told: dict[str, list[str]] = field(default_factory=dict)
    _held: dict[date, int] = field(default_factory=dict)
    _charged: dict[date, tuple[int, date]] = field(default_factory=dict)
    """Fees in no line, and until when the bank keeps them."""
    _asked: set[date] = field(default_factory=set)
    _numbers: int = 0

    def book(self, on: date, reference: str, account: str, moved_fen: int) -> None:
        """Money moved, once per reference. Of a few bookings the file says something else, or nothing, or too much."""
        told = self._told.setdefault(reference, [])
        told.append(account)
        if len(told) > 1:
            return
        entry = BankEntry(reference, account, moved_fen)
        day = self._days.setdefault(on, [])
        chance = self.rng.random()
        if chance < 0.03:
            return
        if chance < 0.06:
            entry = BankEntry(reference, account, moved_fen + (1 if moved_fen > 0 else -1))
        elif chance < 0.08:
            entry = BankEntry(reference, account, -moved_fen)
        elif chance < 0.10:
            entry = BankEntry(reference, "acc_elsewhere", moved_fen)
        elif chance < 0.16:  # it was after the bank's own midnight
            day = self._days.setdefault(on + timedelta(days=1), [])
        day.append(entry)
        if chance > 0.97:
            self._numbers += 1
            day.append(BankEntry(f"phantom_{self._numbers}", account, 7 * _YUAN))

    def old_reference(self, account: str) -> str | None:
        """A reference that another account was told before, now and then: the bank's mistake that no account can see."""
        if self.rng.random() > 0.03:
            return None
        others = [reference for reference, told in self._told.items() if account not in told]
        return self.rng.choice(others) if others else None

    def file(self, on: date) -> bytes:
        """The date's file: whole, or cut somewhere; the first one may lack what comes late. Now and then a fee is in no line."""
        if on not in self._asked:
            self._asked.add(on)
            self._held[on] = self.rng.choice((0, 0, 0, 1, 2))
            kept_until = on + timedelta(days=self.rng.choice((3, 10_000)))
            self._charged[on] = self.rng.choice((0,) * 11 + (5 * _YUAN,)), kept_until
        else:
            self._held[on] = 0
        entries = tuple(self._days.get(on, ()))
        entries = entries[: max(0, len(entries) - self._held[on])]
        before_fen = sum(
            sum(entry.moved_fen for entry in day) for earlier, day in self._days.items() if earlier < on
        )
        before_fen -= sum(fee for since, (fee, until) in self._charged.items() if since <= on < until)
        in_fen = sum(max(entry.moved_fen, 0) for entry in entries)
        out_fen = sum(max(-entry.moved_fen, 0) for entry in entries)
        lines = "".join(entry.text for entry in entries)
        digest = sha256(lines.encode()).hexdigest()
        closing_fen = before_fen + in_fen - out_fen
        whole = (
            f"H|loanstream-bank-file|2|{on}|{len(entries)}|{before_fen}\n{lines}"
            f"T|{len(entries)}|{in_fen}|{out_fen}|{closing_fen}\n"
        ).encode()
        if self.rng.random() < 0.1:
            return whole[: self.rng.randrange(len(whole))]
        self.files[on, digest] = GivenFile(entries, closing_fen)
        return whole

    def may_grow(self, on: date) -> bool:
        """Whether the date's last file lacked something."""
        return self._held.get(on, 1) > 0
