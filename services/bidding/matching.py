"""A bank's file against our bookings of its date, however many: both are sorted on the disk, and what differs is small.

Memory stays bounded, because SQLite sorts in a file that is thrown away; who differs is asked of its two indexes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from libs.events.bank_days import LineBreak, LineKind, Unlisted
from services.bidding.bank_file import BankFile, BankFileRefused, BankLine
from services.bidding.domain.bank_day_files import LISTED_MAX, alone_in

_CACHE_KIB: Final = 64 * 1024
_CHUNK: Final = 10_000
_TABLES: Final = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;
CREATE TABLE bank (line INTEGER PRIMARY KEY, reference TEXT NOT NULL, account TEXT NOT NULL, moved_fen INTEGER NOT NULL);
CREATE TABLE ledger (reference TEXT NOT NULL, account TEXT NOT NULL, moved_fen INTEGER NOT NULL);
"""
#: Whose two sides are not one booking each, which say the same.
_DIFFERING: Final = """
SELECT reference FROM bank AS b WHERE NOT EXISTS (SELECT 1 FROM ledger AS l
    WHERE l.reference = b.reference AND l.account = b.account AND l.moved_fen = b.moved_fen)
UNION SELECT reference FROM ledger AS l WHERE NOT EXISTS (SELECT 1 FROM bank AS b
    WHERE b.reference = l.reference AND b.account = l.account AND b.moved_fen = l.moved_fen)
UNION SELECT reference FROM ledger GROUP BY reference HAVING COUNT(*) > 1
ORDER BY reference
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


class Matcher:
    """One day's two sides, in a file of their own."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

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

    def breaks(self, listed_max: int = LISTED_MAX) -> tuple[list[LineBreak], Unlisted | None]:
        """What differs, by reference, and the sums of what is more than a work list takes."""
        self._database.execute("CREATE INDEX ledger_by ON ledger (reference, account, moved_fen)")
        found: list[LineBreak] = []
        more = differs_fen = alone = 0
        for (reference,) in self._database.execute(_DIFFERING):
            judged = self._judged(reference)
            taken = max(0, listed_max - len(found))
            found += judged[:taken]
            rest = judged[taken:]
            more += len(rest)
            differs_fen += sum(each.bank_fen - each.ledger_fen for each in rest)
            alone += alone_in(rest)
        return found, Unlisted(breaks=more, differs_fen=differs_fen, alone=alone) if more else None

    def _judged(self, reference: str) -> Sequence[LineBreak]:
        said = self._database.execute(
            "SELECT line, reference, account, moved_fen FROM bank WHERE reference = ?", (reference,)
        ).fetchone()
        ours = self._database.execute(
            "SELECT reference, account, moved_fen FROM ledger WHERE reference = ? ORDER BY account, moved_fen",
            (reference,),
        ).fetchall()
        return judged(BankLine(*said) if said else None, [OurBooking(*each) for each in ours])


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
