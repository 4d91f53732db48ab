"""The simulator's ledger: orders taken once, money booked twice over, call-backs to be made, all in one SQLite file.

Each method is one transaction, so a process that is killed anywhere has done all of it or nothing. Times are seconds since 1970,
handed in; a booking's day is the business date that its order carries, never the clock's.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic_core import to_json

from libs.events.money import MAX_INTEGER
from tools.bank.behaviour import GOOD, Behaviour
from tools.bank.schema import CUSTODY, OUTSIDE, connect

_BATCH = 256
_RETRY_FIRST_S, _RETRY_MAX_S = 0.2, 5.0
_CALL_BACK = {"collect": "top-ups", "pay_out": "withdrawals"}


class Declined(Exception):
    """The bank does not take a call (`code`, with the status that its address answers)."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Order:
    """What the platform asks for: all that makes two orders of one request the same."""

    kind: Literal["collect", "pay_out"]
    account: str
    holder: str
    card_ref: str | None
    amount_fen: int
    business_date: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call-back that is due: `number` names it here, `path` and `body` are what is sent."""

    number: int
    path: str
    body: bytes
    attempts: int


class Ledger:
    """Everything that the bank remembers. Calls block, and may come from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = connect(path)
        self._turn = threading.RLock()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # --- orders ---------------------------------------------------------------------------------------------------

    def take(self, request: str, order: Order, now_s: float) -> dict[str, Any]:
        """Take an order, or hear it again, and say how it stands. Raises Declined `order_differs` for other content under its id.

        An account belongs to the holder who is named with it first, and so does a card: the simulator has no register of people.
        """
        with self._transaction() as database:
            known = database.execute(
                "SELECT kind, account, holder, card, amount_fen, business_date FROM orders WHERE request = ?",
                (request,),
            ).fetchone()
            if known is not None and Order(*known) != order:
                raise Declined(409, "order_differs")
            if known is None:
                behaviour = self._next_behaviour(database)
                names = [order.account, *([order.card_ref] if order.card_ref else [])]
                database.executemany(
                    "INSERT OR IGNORE INTO holders VALUES (?, ?)", [(name, order.holder) for name in names]
                )
                database.execute(
                    "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
                    (
                        request, order.kind, order.account, order.holder, order.card_ref, order.amount_fen,
                        order.business_date, behaviour.model_dump_json(), now_s + behaviour.hold_s,
                    ),
                )  # fmt: skip
            return _standing(database, request)

    def standing(self, request: str) -> dict[str, Any]:
        """What the bank knows of a request: unknown, pending, or done with its answer."""
        with self._transaction() as database:
            return _standing(database, request)

    def enrol(self, name: str, holder: str) -> None:
        """Say whose an account or a card is, before anybody names it. Raises Declined `holder_differs`."""
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO holders VALUES (?, ?)", (name, holder))
            if _holder(database, name) != holder:
                raise Declined(409, "holder_differs")

    # --- booking --------------------------------------------------------------------------------------------------

    def settle_due(self, now_s: float) -> int:
        """Book or refuse the orders that are due, with the call-backs that say so. Returns how many."""
        with self._transaction() as database:
            due = database.execute(
                "SELECT request, kind, account, holder, card, amount_fen, business_date, behaviour FROM orders"
                " WHERE reference IS NULL AND due_s <= ? ORDER BY due_s, request LIMIT ?",
                (now_s, _BATCH),
            ).fetchall()
            for request, *fields, behaviour in due:
                _settle(database, request, Order(*fields), Behaviour.model_validate_json(behaviour), now_s)
            return len(due)

    def receive(self, amount_fen: int, business_date: str, now_s: float) -> str:
        """Money comes in that nobody asked for: booked, and told to the platform. Returns its reference. Raises Declined
        `too_much_money`."""
        with self._transaction() as database:
            if not _can_be_told(database, amount_fen):
                raise Declined(422, "too_much_money")
            reference = _reference(database, business_date)
            received = Order("collect", "", "", None, amount_fen, business_date)
            _book(database, reference, None, received, now_s)
            path = f"/bidding/bank/unrequested/bankref_{reference}"
            _call(database, reference, path, {"amount_fen": amount_fen}, now_s)
            return reference

    def balances(self) -> dict[str, int]:
        """The balance of every account of the ledger, in fen."""
        with self._transaction() as database:
            return dict(database.execute("SELECT account, balance_fen FROM balances").fetchall())

    # --- call-backs -----------------------------------------------------------------------------------------------

    def calls_due(self, now_s: float, at_most: int) -> list[Call]:
        """Call-backs to make now, of each subject the first that was not taken: what contradicts comes after the truth."""
        with self._transaction() as database:
            found = database.execute(
                "SELECT number, path, body, attempts FROM calls AS due WHERE status IS NULL AND due_s <= ? AND NOT EXISTS"
                " (SELECT 1 FROM calls WHERE subject = due.subject AND number < due.number AND status IS NULL)"
                " ORDER BY due_s, number LIMIT ?",
                (now_s, at_most),
            ).fetchall()
        return [Call(number, path, body.encode(), attempts) for number, path, body, attempts in found]

    def called(self, call: Call, status: int, now_s: float, *, is_final: bool) -> None:
        """What the platform answered (0: nothing). One that is not final is made again, after ever longer."""
        pause_s = min(_RETRY_FIRST_S * 2 ** min(call.attempts, 10), _RETRY_MAX_S)
        with self._transaction() as database:
            database.execute(
                "UPDATE calls SET attempts = attempts + 1, status = ?, due_s = ? WHERE number = ?",
                (status if is_final else None, now_s + pause_s, call.number),
            )

    def calls(self) -> list[dict[str, Any]]:
        """All call-backs, in their order: where to, how often tried, and the final status, None while there is none."""
        with self._transaction() as database:
            rows = database.execute("SELECT path, attempts, status FROM calls ORDER BY number").fetchall()
        return [{"path": path, "attempts": attempts, "status": status} for path, attempts, status in rows]

    # --- on demand ------------------------------------------------------------------------------------------------

    def behave(self, behaviour: Behaviour, orders: int) -> None:
        """The next orders meet this, after those that an earlier wish is for."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO behaviours (orders, behaviour) VALUES (?, ?)",
                (orders, behaviour.model_dump_json()),
            )

    def see(self, signature: str, now_s: float, forget_s: float) -> None:
        """Remember a signature for as long as it is good. Raises Declined `replayed` for one that was seen."""
        with self._transaction() as database:
            database.execute("DELETE FROM signatures WHERE seen_s < ?", (now_s - forget_s,))
            try:
                database.execute("INSERT INTO signatures VALUES (?, ?)", (signature, now_s))
            except sqlite3.IntegrityError:
                raise Declined(409, "replayed") from None

    @staticmethod
    def _next_behaviour(database: sqlite3.Connection) -> Behaviour:
        wished = database.execute(
            "SELECT number, orders, behaviour FROM behaviours ORDER BY number LIMIT 1"
        ).fetchone()
        if wished is None:
            return GOOD
        number, orders, behaviour = wished
        if orders > 1:
            database.execute("UPDATE behaviours SET orders = orders - 1 WHERE number = ?", (number,))
        else:
            database.execute("DELETE FROM behaviours WHERE number = ?", (number,))
        return Behaviour.model_validate_json(behaviour)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _standing(database: sqlite3.Connection, request: str) -> dict[str, Any]:
    found = database.execute(
        "SELECT reference, amount_fen, succeeded, code FROM orders WHERE request = ?", (request,)
    ).fetchone()
    if found is None:
        return {"status": "unknown", "answer": None}
    reference, amount_fen, succeeded, code = found
    if reference is None:
        return {"status": "pending", "answer": None}
    return {"status": "done", "answer": _answer(reference, amount_fen, bool(succeeded), code)}


def _answer(reference: str, amount_fen: int, succeeded: bool, code: str | None) -> dict[str, Any]:
    """The same words in a call-back and to a query: the platform takes two that differ for two answers."""
    said: dict[str, Any] = {
        "bank_reference": reference,
        "amount_fen": amount_fen,
        "succeeded": succeeded,
    }
    return said if code is None else said | {"code": code}


def _settle(
    database: sqlite3.Connection, request: str, order: Order, behaviour: Behaviour, now_s: float
) -> None:
    code = behaviour.refuse or _why_not(database, order)
    reference = _reference(database, order.business_date)
    database.execute(
        "UPDATE orders SET reference = ?, succeeded = ?, code = ? WHERE request = ?",
        (reference, code is None, code, request),
    )
    if code is None:
        _book(database, reference, request, order, now_s)
    path = f"/bidding/bank/{_CALL_BACK[order.kind]}/{order.account}/{request}"
    truth = _answer(reference, order.amount_fen, code is None, code)
    said = [truth] * behaviour.times
    match behaviour.contradiction:
        case "outcome":
            said.append(_answer(reference, order.amount_fen, code is not None, None))
        case "amount":
            said.append(truth | {"amount_fen": order.amount_fen + 1})
        case "reference":
            said.append(truth | {"bank_reference": _reference(database, order.business_date)})
        case None:
            pass
    for body in said:
        _call(database, request, path, body, now_s + behaviour.late_s)


def _why_not(database: sqlite3.Connection, order: Order) -> str | None:
    """Why an order is not booked: the card, or the account, is another holder's, there is not so much in custody, or no file could
    say it."""
    names = [order.account, *([order.card_ref] if order.card_ref else [])]
    if any(_holder(database, name) != order.holder for name in names):
        return "not_own_name"
    if order.kind == "pay_out" and _balance(database, CUSTODY) < order.amount_fen:
        return "insufficient_custody"
    if order.kind == "collect" and not _can_be_told(database, order.amount_fen):
        return "too_much_money"
    return None


def _can_be_told(database: sqlite3.Connection, amount_fen: int) -> bool:
    """Whether all that ever came in, with this, is a number that the file's reader takes: no sum or balance of a date is above it."""
    (in_fen,) = database.execute("SELECT coalesce(SUM(in_fen), 0) FROM days").fetchone()
    return bool(in_fen + amount_fen <= MAX_INTEGER)


def _holder(database: sqlite3.Connection, name: str) -> str:
    return str(database.execute("SELECT holder FROM holders WHERE name = ?", (name,)).fetchone()[0])


def _balance(database: sqlite3.Connection, account: str) -> int:
    return int(
        database.execute("SELECT balance_fen FROM balances WHERE account = ?", (account,)).fetchone()[0]
    )


def _reference(database: sqlite3.Connection, business_date: str) -> str:
    """The next reference: the day, and a number that no other has."""
    database.execute("UPDATE counters SET value = value + 1 WHERE name = 'reference'")
    (number,) = database.execute("SELECT value FROM counters WHERE name = 'reference'").fetchone()
    return f"B{business_date.replace('-', '')}-{number:08d}"


def _book(
    database: sqlite3.Connection, reference: str, request: str | None, order: Order, now_s: float
) -> None:
    """One booking with its two entries, the balances after it, and its day's sums."""
    booked_at = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    gained_fen = order.amount_fen if order.kind == "collect" else -order.amount_fen
    number = database.execute(
        "INSERT INTO bookings (reference, request, account, direction, amount_fen, business_date, booked_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            reference, request, order.account, "in" if gained_fen > 0 else "out", order.amount_fen,
            order.business_date, booked_at,
        ),
    ).lastrowid  # fmt: skip
    for name, moved_fen in ((CUSTODY, gained_fen), (OUTSIDE, -gained_fen)):
        database.execute("INSERT INTO entries VALUES (?, ?, ?)", (number, name, moved_fen))
        database.execute(
            "UPDATE balances SET balance_fen = balance_fen + ? WHERE account = ?", (moved_fen, name)
        )
    database.execute(
        "INSERT INTO days VALUES (?, 1, ?, ?) ON CONFLICT (business_date) DO UPDATE SET"
        " bookings = bookings + 1, in_fen = in_fen + excluded.in_fen, out_fen = out_fen + excluded.out_fen",
        (order.business_date, max(gained_fen, 0), max(-gained_fen, 0)),
    )


def _call(database: sqlite3.Connection, subject: str, path: str, body: dict[str, Any], due_s: float) -> None:
    database.execute(
        "INSERT INTO calls (subject, path, body, due_s) VALUES (?, ?, ?, ?)",
        (subject, path, to_json(body).decode(), due_s),
    )
