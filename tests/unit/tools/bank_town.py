"""The bank simulator without its process: its ledger on a file, its addresses, the platform it calls back, and a clock."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from pydantic_core import from_json, to_json

from libs.runtime.bank_signature import is_signed, signed_headers
from services.bidding.custodian import BankOrder, HttpCustodian
from tools.bank.app import build_app
from tools.bank.calling import call_back
from tools.bank.ledger import Ledger

SECRET = b"b" * 32
NOW_S = 1_800_000_000.0
JSON = {"Content-Type": "application/json"}


@dataclass
class Platform:
    """What is called back: it checks the signature, keeps what it was told, and answers what a test says."""

    answers: list[int] = field(default_factory=list)
    told: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One call-back. Without an answer on the list, 200."""
        headers = request.headers
        signed = is_signed(
            SECRET,
            request.url.path,
            request.content,
            timestamp=headers.get("Loanstream-Bank-Timestamp"),
            claimed=headers.get("Loanstream-Bank-Signature"),
            now=NOW_S,
        )
        assert signed, "a call-back is signed"
        self.told.append((request.url.path, from_json(request.content)))
        return httpx.Response(self.answers.pop(0) if self.answers else 200)


@dataclass
class BankTown:
    """The simulator and everybody around it. `now_s` is the bank's clock."""

    path: Path
    http: httpx.AsyncClient
    ledger: Ledger
    platform: Platform = field(default_factory=Platform)
    now_s: float = NOW_S

    @property
    def custodian(self) -> HttpCustodian:
        """The bank as bidding knows it."""
        return HttpCustodian(self.http, SECRET, lambda: self.now_s)

    async def ask(self, method: str, path: str, body: Any = None, **changed: str) -> httpx.Response:
        """A signed call, with headers changed."""
        content = b"" if body is None else to_json(body)
        headers = signed_headers(SECRET, path, content, now=self.now_s) | JSON | changed
        return await self.http.request(method, path, content=content, headers=headers)

    async def behave(self, **wish: Any) -> None:
        """The next order meets this."""
        answer = await self.ask("POST", "/control/behaviours", wish | {"nonce": uuid4().hex})
        assert answer.status_code == 201, answer.text

    def settle(self, *, after_s: float = 0.0) -> None:
        """Let time pass, and book what is due."""
        self.now_s += after_s
        while self.ledger.settle_due(self.now_s):
            pass
        self.check()

    async def call_back(self, *, after_s: float = 0.0) -> list[tuple[str, Any]]:
        """Let time pass, and make the call-backs that are due; what the platform was told by them."""
        self.now_s += after_s
        before, stop = len(self.platform.told), asyncio.Event()
        transport = httpx.MockTransport(self.platform.answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
            calling = asyncio.create_task(call_back(self.ledger, client, SECRET, stop, lambda: self.now_s))
            async with asyncio.timeout(10):
                while self.ledger.calls_due(self.now_s, 1):  # noqa: ASYNC110  # it tells nobody
                    await asyncio.sleep(0.005)
            stop.set()
            await calling
        return self.platform.told[before:]

    def check(self) -> None:
        """The books, from the rows: every booking's entries sum to zero, and balances and days are the sums of the rows."""
        with closing(sqlite3.connect(self.path)) as database:
            unbalanced = database.execute(
                "SELECT number FROM bookings LEFT JOIN entries ON booking = number GROUP BY number"
                " HAVING count(entries.account) <> 2 OR sum(entries.amount_fen) <> 0"
            ).fetchall()
            assert unbalanced == []
            held = "SELECT account, sum(amount_fen) FROM entries GROUP BY account ORDER BY account"
            kept = "SELECT account, balance_fen FROM balances WHERE balance_fen <> 0 ORDER BY account"
            nonzero = [row for row in database.execute(held).fetchall() if row[1]]
            assert nonzero == database.execute(kept).fetchall()
            days = (
                "SELECT business_date, count(*), sum(iif(direction = 'in', amount_fen, 0)),"
                " sum(iif(direction = 'out', amount_fen, 0)) FROM bookings GROUP BY business_date ORDER BY 1"
            )
            assert (
                database.execute(days).fetchall()
                == database.execute("SELECT * FROM days ORDER BY 1").fetchall()
            )


def order(request: str = "top_1", amount_fen: int = 500_00, **changed: Any) -> BankOrder:
    """Ann's request."""
    fields: dict[str, Any] = {
        "request_id": request,
        "account": "acc_ann",
        "holder": "usr_ann",
        "card_ref": "card_ann",
        "amount_fen": amount_fen,
        "business_date": "2024-03-15",
    }
    return BankOrder(**(fields | changed))


@asynccontextmanager
async def bank_town(directory: Path) -> AsyncIterator[BankTown]:
    """A bank on the ledger of this directory, which may have a history."""
    path = directory / "ledger.sqlite3"
    ledger = Ledger(path)
    now: list[BankTown] = []
    app = build_app(ledger, SECRET, lambda: now[0].now_s)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bank") as client:
        now.append(BankTown(path, client, ledger))
        yield now[0]
    ledger.close()
