"""The bank's daily file: every booking of one business date, a line each, as somebody else's program reads it.

UTF-8 lines that end in a line feed, fields joined by `|`, which no field can contain:

    H|loanstream-bank-file|2|<date>|<count>|<balance before, fen>
    B|<reference>|<request, or empty>|<account, or empty>|<in or out>|<amount in fen>|<time, UTC>
    T|<count>|<sum in, fen>|<sum out, fen>|<balance after, fen>

The 2 is the format's version; a reader refuses another. Lines stand in the order in which they were booked. An empty request is
money that nobody asked for. A balance is that of all bookings of
earlier dates, or of these and the date's own. The date is the business date of the order; the time is the bank's clock and decides nothing. Count
and sums stand at both ends, so that a cut file is not taken for a whole one. A date's file may be asked for again: an order that
comes late is booked on the date that it carries, at the end of that date's lines.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

from tools.bank.ledger import Declined
from tools.bank.schema import connect_to_read

VERSION: Final = 2
#: Rows to a chunk: a quarter of a megabyte.
_CHUNK_ROWS: Final = 2_500


def file_of(path: Path, day: date) -> Iterator[bytes]:
    """The file of a business date in chunks, from the ledger at `path`, as one moment shows it; nothing is held in memory.

    Raises Declined `file_not_ready`, at the first chunk, for a date that the bank has not heard of yet: it has no calendar but the
    dates that orders carry.
    """
    with closing(connect_to_read(path)) as database:
        database.execute("BEGIN")  # one snapshot for the head, the lines and the end
        on = day.isoformat()
        (latest,) = database.execute(
            "SELECT MAX(day) FROM (SELECT MAX(business_date) AS day FROM days"
            " UNION ALL SELECT MAX(business_date) FROM orders)"
        ).fetchone()
        if latest is None or on > latest:
            raise Declined(404, "file_not_ready")
        sums = database.execute(
            "SELECT bookings, in_fen, out_fen FROM days WHERE business_date = ?", (on,)
        ).fetchone()
        count, in_fen, out_fen = sums or (0, 0, 0)
        (before_fen,) = database.execute(
            "SELECT coalesce(SUM(in_fen - out_fen), 0) FROM days WHERE business_date < ?", (on,)
        ).fetchone()
        yield f"H|loanstream-bank-file|{VERSION}|{on}|{count}|{before_fen}\n".encode()
        rows = database.execute(
            "SELECT 'B|' || reference || '|' || coalesce(request, '') || '|' || account || '|' || direction || '|'"
            " || amount_fen || '|' || booked_at || char(10) FROM bookings WHERE business_date = ? ORDER BY number",
            (on,),
        )
        while chunk := rows.fetchmany(_CHUNK_ROWS):
            yield "".join(line for (line,) in chunk).encode()
        yield f"T|{count}|{in_fen}|{out_fen}|{before_fen + in_fen - out_fen}\n".encode()
