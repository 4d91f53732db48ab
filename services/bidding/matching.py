"""A bank's file against our bookings of its date, however many: both are sorted on the disk, and what differs is small.

Memory stays bounded, because SQLite sorts in a file that is thrown away; who differs is asked of its two indexes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from libs.events.bank_days import LineBreak, LineKind, Told, Unlisted
from services.bidding.bank_file import BankFile, BankFileRefused, BankLine
from services.bidding.commands.bank_days import Gone
from services.bidding.domain.bank_day_sums import (
    alone_in,
    break_id_of,
    differs_fen_in,
    digest_of,
    in_hex,
)

_CACHE_KIB: Final = 64 * 1024
_CHUNK: Final = 10_000
_TABLES: Final = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;
CREATE TABLE bank (line INTEGER PRIMARY KEY, reference TEXT NOT NULL, account TEXT NOT NULL, moved_fen INTEGER NOT NULL);
CREATE TABLE ledger (reference TEXT NOT NULL, account TEXT NOT NULL, moved_fen INTEGER NOT NULL);
CREATE TABLE known (reference TEXT NOT NULL, break_id TEXT NOT NULL, kind TEXT NOT NULL,
    bank_fen INTEGER NOT NULL, ledger_fen INTEGER NOT NULL, counterpart TEXT NOT NULL);
-- Whose two sides are not one booking each, which say the same.
CREATE VIEW differing AS
SELECT reference FROM bank AS b WHERE NOT EXISTS (SELECT 1 FROM ledger AS l
    WHERE l.reference = b.reference AND l.account = b.account AND l.moved_fen = b.moved_fen)
UNION SELECT reference FROM ledger AS l WHERE NOT EXISTS (SELECT 1 FROM bank AS b
    WHERE b.reference = l.reference AND b.account = l.account AND b.moved_fen = l.moved_fen)
UNION SELECT reference FROM ledger GROUP BY reference HAVING COUNT(*) > 1;
"""
_DIFFERING: Final = "SELECT reference FROM differing ORDER BY reference"
_DIFFERING_OR_KNOWN: Final = """
SELECT reference FROM differing UNION SELECT reference FROM known ORDER BY reference
"""
_TWICE: Final = """
SELECT MIN(second) FROM (SELECT MAX(line) AS second FROM bank GROUP BY reference HAVING COUNT(*) > 1)
"""


@dataclass(frozen=True, slots=True)
class OurBooking:
    """One booking of ours under a reference of the bank; `moved_fen` is negative for what went out."""

    reference: str
    account: str
    moved_fen: int


@dataclass(frozen=True, slots=True)
class Known:
    """A difference of the day that was told; `counterpart` is the one together with which it was settled."""

    reference: str
    gone: Gone


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be told of a day, as far as there is room: what is new, what is gone, and the sums of what waits."""

    new: tuple[LineBreak, ...]
    gone: tuple[Gone, ...]
    unlisted: Unlisted | None
    unclosed: Unlisted | None


class Matcher:
    """One day's two sides, in a file of their own, and what was told of the day before."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._told = _Sums()
        self._digest = 0

    @staticmethod
    @contextmanager
    def open(directory: Path | None = None) -> "Iterator[Matcher]":
        """A matcher whose file is below `directory` (the system's place for such files) and gone afterwards."""
        with TemporaryDirectory(prefix="bank-day-", dir=directory, ignore_cleanup_errors=True) as place:
            path = Path(place) / "sides.sqlite3"
            with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as database:
                database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                database.executescript(_TABLES)
                yield Matcher(database)

    def take_bank(self, file: BankFile) -> None:
        """The bank's side. Raises BankFileRefused; also `reference_twice`, where it stands for the second time."""
        rows = ((each.line, each.reference, each.account, each.moved_fen) for each in file.read())
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO bank VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")
        self._database.execute("CREATE INDEX bank_by ON bank (reference, account, moved_fen)")
        (twice,) = self._database.execute(_TWICE).fetchone()
        if twice is not None:
            raise BankFileRefused(twice, "reference_twice")

    def take_ledger(self, bookings: Iterable[OurBooking]) -> None:
        """Our side, or a part of it."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO ledger VALUES (?, ?, ?)",
            ((each.reference, each.account, each.moved_fen) for each in bookings),
        )
        self._database.execute("COMMIT")

    def take_known(self, known: Iterable[Known]) -> None:
        """What was told before, or a part of it."""
        rows = []
        for each in known:
            gone = each.gone
            self._told.take([gone])
            self._digest += digest_of([gone.break_id])
            said = (gone.break_id, gone.kind, gone.bank_fen, gone.ledger_fen, gone.counterpart)
            rows.append((each.reference, *said))
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO known VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    @property
    def told(self) -> Told:
        """All that was told before."""
        sums = self._told
        return Told(
            breaks=sums.breaks,
            differs_fen=sums.differs_fen,
            alone=sums.alone,
            digest=in_hex(self._digest),
        )

    def breaks(self, at_most: int) -> list[LineBreak] | None:
        """What differs, by reference; None if it is more than that."""
        self._database.execute(
            "CREATE INDEX IF NOT EXISTS ledger_by ON ledger (reference, account, moved_fen)"
        )
        found: list[LineBreak] = []
        for (reference,) in self._database.execute(_DIFFERING):
            found += self._judged(reference)
            if len(found) > at_most:
                return None
        return found

    def listing(self, day: date, *, new_max: int, gone_max: int, alone_max: int) -> Listing:
        """What was not told before and what is shown no more, by reference. At most `alone_max` of what is gone has a counterpart, because
        that will stand alone.
        """
        self._database.execute(
            "CREATE INDEX IF NOT EXISTS ledger_by ON ledger (reference, account, moved_fen)"
        )
        self._database.execute("CREATE INDEX IF NOT EXISTS known_by ON known (reference)")
        new: list[LineBreak] = []
        gone: list[Gone] = []
        unlisted, unclosed = _Sums(), _Sums()
        for (reference,) in self._database.execute(_DIFFERING_OR_KNOWN):
            known = self._known(reference)
            for each in self._judged(reference):
                was_told = [known.pop(break_id_of(day, said), None) for said in _told_as(each)]
                if any(was_told):
                    continue
                if len(new) < new_max:
                    new.append(each)
                else:
                    unlisted.take([each])
            for is_gone in known.values():
                alone_max -= bool(is_gone.counterpart)
                if len(gone) < gone_max and (alone_max >= 0 or not is_gone.counterpart):
                    gone.append(is_gone)
                else:
                    unclosed.take([is_gone])
        return Listing(tuple(new), tuple(gone), unlisted.said, unclosed.said)

    def _known(self, reference: str) -> dict[str, Gone]:
        rows = self._database.execute(
            "SELECT break_id, kind, bank_fen, ledger_fen, counterpart FROM known WHERE reference = ?",
            (reference,),
        ).fetchall()
        return {
            break_id: Gone(
                break_id=break_id,
                kind=kind,
                bank_fen=bank_fen,
                ledger_fen=ledger_fen,
                counterpart=counterpart,
            )
            for break_id, kind, bank_fen, ledger_fen, counterpart in rows
        }

    def _judged(self, reference: str) -> Sequence[LineBreak]:
        said = self._database.execute(
            "SELECT line, reference, account, moved_fen FROM bank WHERE reference = ?", (reference,)
        ).fetchone()
        ours = self._database.execute(
            "SELECT reference, account, moved_fen FROM ledger WHERE reference = ? ORDER BY account, moved_fen",
            (reference,),
        ).fetchall()
        return judged(BankLine(*said) if said else None, [OurBooking(*each) for each in ours])


@dataclass(slots=True)
class _Sums:
    """Of differences that are counted and not kept."""

    breaks: int = 0
    differs_fen: int = 0
    alone: int = 0

    def take(self, breaks: Sequence[LineBreak | Gone]) -> None:
        """Count these."""
        self.breaks += len(breaks)
        self.differs_fen += differs_fen_in(breaks)
        self.alone += alone_in(breaks)

    @property
    def said(self) -> Unlisted | None:
        """As it is told; None of none."""
        if not self.breaks:
            return None
        return Unlisted(breaks=self.breaks, differs_fen=self.differs_fen, alone=self.alone)


def _told_as(each: LineBreak) -> tuple[LineBreak, ...]:
    """What a difference may have been told as: what we alone have may be a reference that was told to somebody else before."""
    return (each, replace(each, kind="reference_reused")) if each.kind == "missing_there" else (each,)


def judged(said: BankLine | None, ours: Sequence[OurBooking]) -> list[LineBreak]:
    """What is wrong with one reference: its booking at the bank, if there is one, and all of ours of the day under it.

    Of several of ours the bank means the one on its own account; the others were told of what is not theirs, each by its number
    where they say the same.
    """
    if not ours:
        assert said is not None, "somebody has it"
        return [_broken("missing_here", said.reference, said.account, said.moved_fen, 0)]
    meant = next((each for each in ours if said and each.account == said.account), ours[0])
    others = list(ours)
    others.remove(meant)
    found = [
        replace(
            _broken("reference_reused", each.reference, each.account, 0, each.moved_fen),
            number=[meant, *others[:place]].count(each),
        )
        for place, each in enumerate(others)
    ]
    kind: LineKind
    if said is None:
        return [_broken("missing_there", meant.reference, meant.account, 0, meant.moved_fen), *found]
    if (said.moved_fen < 0) != (meant.moved_fen < 0):
        kind = "direction_differs"
    elif said.moved_fen != meant.moved_fen:
        kind = "amount_differs"
    elif said.account != meant.account:
        kind = "account_differs"
    else:
        return found
    return [_broken(kind, meant.reference, meant.account, said.moved_fen, meant.moved_fen), *found]


def _broken(kind: LineKind, reference: str, account: str, bank_fen: int, ledger_fen: int) -> LineBreak:
    return LineBreak(
        kind=kind, reference=reference, account_id=account, bank_fen=bank_fen, ledger_fen=ledger_fen
    )
