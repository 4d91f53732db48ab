"""What the close of a day is divided by: one pass of NumPy over the same loans, and a bare produce of as many records and bytes.

The pass is an oracle, too: it knows nothing of the services' code, and what it counts (dues, misses, moves, classes, charges and
the penalty to the fen) must be what the platform's events say.
"""

import asyncio
import json
import sys
import time
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from libs.runtime.kafka import LogWriter, Place, stored_offset
from libs.runtime.service import load_services
from libs.runtime.settings import Settings, load_settings
from tools.bench.book import DAYS, Book

#: Days past due at which a loan is in the next bucket, and in the next class (domain.md section 4).
BUCKET_EDGES: Final = np.array([1, 31, 61, 91, 121, 151, 181], dtype=np.int32)
CLASS_EDGES: Final = np.array([1, 91, 271, 361], dtype=np.int32)
_RETRIED_DAYS: Final = 3
_GRACE_DAYS: Final = 3
_LOST_DPD: Final = 361
_RATE_SCALE: Final = 10**8
_NEVER: Final = np.iinfo(np.int32).max
_IN_FLIGHT: Final = 5_000

_Days = npt.NDArray[np.int32]
_Fen = npt.NDArray[np.int64]


class Arrays:
    """All loans of a book as columns: a row per loan, and three instalments of each beside each other."""

    def __init__(self, book: Book) -> None:
        shares = [kind.per_mille * (book.loans // 1_000) for kind, _ in book.states]

        def column(values: list[Any], dtype: Any) -> Any:
            return np.repeat(np.array(values, dtype=dtype), shares, axis=0)

        books = [state.book for _, state in book.states]
        charged = [
            [(each.penalty_of(row.number) or _Uncharged(row.due_on)).to for row in each.rows]
            for each in books
        ]
        names = ["current", "M1", "M2", "M3", "M4", "M5", "M6", "M6+"]
        classes = ["normal", "special_mention", "substandard", "doubtful", "loss"]
        self.due: _Days = column([[row.due_on.toordinal() for row in each.rows] for each in books], np.int32)
        self.open_fen: _Fen = column(
            [[row.principal_fen + row.interest_fen for row in each.rows] for each in books], np.int64
        )
        self.charged_to: _Days = column([[day.toordinal() for day in days] for days in charged], np.int32)
        self.rate: _Fen = column([int(each.penalty_rate * _RATE_SCALE) for each in books], np.int64)
        self.bucket: _Days = column([names.index(state.bucket) for _, state in book.states], np.int32)
        self.loan_class: _Days = column(
            [classes.index(state.loan_class) for _, state in book.states], np.int32
        )
        self.has_money = column([bool(kind.money_fen) for kind, _ in book.states], np.bool_)

    def close(self, business_date: date) -> dict[str, int]:
        """One day over all loans, in place; what happened, counted."""
        day = business_date.toordinal()
        is_open = self.open_fen > 0
        asked = (self.due == day) & is_open
        told = {"dues": int(asked.sum())}
        recent = ((self.due < day) & (self.due >= day - _RETRIED_DAYS)).any(axis=1)
        in_arrears = ((self.due < day) & is_open).any(axis=1)
        told["retries"] = int((recent & in_arrears & ~asked.any(axis=1)).sum())
        self.open_fen[asked & self.has_money[:, None]] = 0
        is_open = self.open_fen > 0
        told["misses"] = int(((self.due == day - 1) & is_open).sum())
        oldest = np.where(is_open, self.due, _NEVER).min(axis=1)
        dpd = np.maximum(0, day - oldest).astype(np.int32)
        bucket = np.searchsorted(BUCKET_EDGES, dpd, side="right").astype(np.int32)
        loan_class = np.searchsorted(CLASS_EDGES, dpd, side="right").astype(np.int32)
        worse = (bucket > self.bucket) | (loan_class > self.loan_class)
        told["moves"] = int((bucket > self.bucket).sum())
        told["classes"] = int((loan_class > self.loan_class).sum())
        if (business_date + timedelta(days=1)).day == 1:
            worse |= dpd < _LOST_DPD
        told |= self._charge(day, is_open & (day - self.due > _GRACE_DAYS) & worse[:, None])
        self.bucket, self.loan_class = (
            np.maximum(bucket, self.bucket),
            np.maximum(loan_class, self.loan_class),
        )
        return told

    def _charge(self, day: int, rows: npt.NDArray[np.bool_]) -> dict[str, int]:
        """Half-up of open · rate · days / 365, in whole numbers."""
        divisor = 365 * _RATE_SCALE
        exact = self.open_fen * self.rate[:, None] * (day - self.charged_to)
        fen = np.where(rows, (2 * exact + divisor) // (2 * divisor), 0)
        fined = fen > 0
        self.charged_to[fined] = day
        return {"charges": int(fined.any(axis=1).sum()), "penalty_fen": int(fen.sum())}


class _Uncharged:
    """An instalment without penalty: it would be charged from its due date on."""

    def __init__(self, due_on: date) -> None:
        self.to = due_on


async def produce(settings: Settings, topic: str, records: int, size: int) -> float:
    """Seconds that a bare producer takes until so many records of this many bytes are stored."""
    writer = LogWriter(settings.require_kafka(), client_id="bare-close")
    await writer.start()
    value = bytes(range(256)) * (size // 256 + 1)
    places = [Place(topic, number) for number in range(settings.partitions)]
    try:
        began = time.perf_counter()
        waiting: list[asyncio.Future[object]] = []
        for number in range(records):
            place = places[number % len(places)]
            waiting.append(await writer.post(place, key=b"loan_%08d" % number, value=value[:size]))
            if len(waiting) == _IN_FLIGHT:
                await stored_offset(waiting[-1], 60.0)
                waiting.clear()
        for future in waiting:
            await stored_offset(future, 60.0)
        return time.perf_counter() - began
    finally:
        await writer.stop()


def passes(loans: int, profile: str, days: int) -> tuple[list[float], list[dict[str, int]]]:
    """Seconds of each day's pass over a book, and what it counted."""
    services = load_services(profile)
    arrays = Arrays(Book(loans, services["repayment"], services["bidding"]))
    took, told = [], []
    for day in DAYS[:days]:
        began = time.perf_counter()
        told.append(arrays.close(day))
        took.append(time.perf_counter() - began)
    return took, told


def main(argv: list[str]) -> None:
    """Be one side of the baseline."""
    settings = load_settings()
    match argv:
        case ["pass", loans, days]:
            took, told = passes(int(loans), settings.profile, int(days))
            answer: dict[str, Any] = {"seconds": took, "told": told}
        case ["produce", topic, records, size]:
            answer = {"seconds": asyncio.run(produce(settings, topic, int(records), int(size)))}
        case _:
            sys.exit(__doc__)
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
