"""The tables of the simulator's ledger, and how its file is opened: SQLite, because a ledger must survive kill -9.

Amounts are integer fen. `entries` is the double entry: of each booking they sum to zero. `balances` and `days` are sums of it, kept
by the same transaction, so that neither a balance nor a file's head costs a look at a million rows.
"""

import sqlite3
from pathlib import Path
from typing import Final

#: Customers' money at the bank, and everybody's money elsewhere.
CUSTODY: Final = "custody"
OUTSIDE: Final = "outside"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS holders (name TEXT PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
    request TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('collect', 'pay_out')),
    account TEXT NOT NULL, holder TEXT NOT NULL, card TEXT, amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    business_date TEXT NOT NULL, behaviour TEXT NOT NULL, due_s REAL NOT NULL,
    reference TEXT UNIQUE, succeeded INTEGER, code TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_due ON orders (due_s) WHERE reference IS NULL;
CREATE INDEX IF NOT EXISTS orders_of_day ON orders (business_date);
CREATE TABLE IF NOT EXISTS bookings (
    number INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, request TEXT UNIQUE, account TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')), amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    business_date TEXT NOT NULL, booked_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS bookings_of_day ON bookings (business_date, number);
CREATE TABLE IF NOT EXISTS entries (
    booking INTEGER NOT NULL REFERENCES bookings, account TEXT NOT NULL, amount_fen INTEGER NOT NULL,
    PRIMARY KEY (booking, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS balances (
    account TEXT PRIMARY KEY, balance_fen INTEGER NOT NULL CHECK (account <> 'custody' OR balance_fen >= 0)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (
    business_date TEXT PRIMARY KEY, bookings INTEGER NOT NULL, in_fen INTEGER NOT NULL, out_fen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY, subject TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, due_s REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, status INTEGER);
CREATE INDEX IF NOT EXISTS calls_due ON calls (due_s) WHERE status IS NULL;
CREATE INDEX IF NOT EXISTS calls_of ON calls (subject, number) WHERE status IS NULL;
CREATE TABLE IF NOT EXISTS behaviours (number INTEGER PRIMARY KEY, orders INTEGER NOT NULL, behaviour TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS signatures (signature TEXT PRIMARY KEY, seen_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO balances VALUES ('custody', 0), ('outside', 0);
INSERT OR IGNORE INTO counters VALUES ('reference', 0);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger, made if missing. A commit is on the disk when it returns. May be used by several threads in turn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A second connection that only reads, so that a long file holds up no booking."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = None
    return connection
