"""The bank's daily files over HTTP, and the role that reconciles them: fetched to the disk first, so that no connection waits for us."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
import structlog

from libs.runtime.bank_signature import signed_headers
from libs.runtime.http.commands import sealed
from libs.runtime.http.edge import CommandLog, ReadsViews
from libs.runtime.kafka import LogUnavailable, LogWriter
from libs.runtime.mongo import Database, DatabaseError
from libs.runtime.observability import BANK_BREAKS_OPEN, BANK_UNBALANCED_FEN
from libs.runtime.settings import Settings
from libs.runtime.views import ViewMissing, Views
from libs.runtime.waiting import until_set
from services.bidding.bank_file import lines_of
from services.bidding.commands.bank_days import ListBankBreaks, ReconcileBankDay
from services.bidding.custodian import BankRefused, BankUnavailable, HttpCustodian
from services.bidding.reconciler import BREAKS, Reconciler, order_of

log = structlog.get_logger()

#: More than ten million lines: whatever is longer is no day's file.
FILE_BYTES_MAX: Final = 2 * 1024**3
_CHUNK_BYTES: Final = 256 * 1024
#: Seconds between two rounds, and between two looks at claims that do not agree (chosen).
_ROUND_S: Final = 600.0
_REST_S: Final = 0.5
#: So many looks for a decision before a date is given up for this round (chosen).
_LOOKS_MAX: Final = 60
_PAGE: Final = 1_000


class HttpBankFiles:
    """`GET /files/{date}`, signed as every call to the bank is."""

    def __init__(
        self, client: httpx.AsyncClient, secret: bytes, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._secret = secret
        self._now = now

    @asynccontextmanager
    async def lines(self, day: date) -> AsyncIterator[Iterable[bytes]]:
        """See BankFiles. Also BankRefused `file_too_large`."""
        with TemporaryDirectory(prefix="bank-file-") as place:
            path = Path(place) / day.isoformat()
            await self._fetch(f"/files/{day.isoformat()}", path)
            yield lines_in(path)

    async def _fetch(self, address: str, path: Path) -> None:
        headers = signed_headers(self._secret, address, b"", now=self._now())
        try:
            async with self._client.stream("GET", address, headers=headers) as answer:
                if answer.status_code >= 500 or answer.status_code in (401, 408, 429):
                    raise BankUnavailable(f"status {answer.status_code}")
                if answer.status_code == 404:
                    raise BankRefused("file_not_ready")
                if answer.status_code != 200:
                    raise BankRefused(f"status_{answer.status_code}")
                size = 0
                with path.open("wb") as file:
                    async for chunk in answer.aiter_bytes(_CHUNK_BYTES):
                        size += len(chunk)
                        if size > FILE_BYTES_MAX:
                            raise BankRefused("file_too_large")
                        file.write(chunk)
        except httpx.HTTPError as error:
            raise BankUnavailable(type(error).__name__) from error


def lines_in(path: Path) -> Iterator[bytes]:
    """The lines of a file on the disk. Raises OSError."""
    with path.open("rb") as file:
        yield from lines_of(iter(partial(file.read, _CHUNK_BYTES), b""))


async def tell_breaks(views: ReadsViews) -> None:
    """Count what is not resolved, and alarm while the whole is out of balance: whatever lines explain is work, this is not."""
    by_kind: dict[str, int] = {}
    unbalanced_fen = 0
    for state in ("open", "explained"):
        after: str | None = None
        while True:
            page, after = await views.page(BREAKS, where={"state": state}, after=after, limit=_PAGE)
            for document in page:
                by_kind[document["kind"]] = by_kind.get(document["kind"], 0) + 1
                if not document["reference"]:
                    unbalanced_fen += abs(document["difference_fen"])
                    log.error("bank_out_of_balance", kind=document["kind"], break_id=document["break_id"])
            if after is None:
                break
    BANK_BREAKS_OPEN.clear()
    for kind, count in by_kind.items():
        BANK_BREAKS_OPEN.labels(kind).set(count)
    BANK_UNBALANCED_FEN.set(unbalanced_fen)


async def keep_reconciling(
    settings: Settings, bank: str, stop: asyncio.Event, moves: Callable[[str], None] = lambda _undone: None
) -> None:
    """Look again and again until `stop`; `moves` hears of every round, and of which older dates it learned nothing. What is away, or a
    disk without room for a file, is waited for until the next round.
    """
    secret = settings.fingerprint_secret()
    database = Database.connect(settings)
    views = Views(database)
    commands = CommandLog(
        "bidding",
        partitions=settings.partitions,
        topic_prefix=settings.topic_prefix,
        connect=lambda: LogWriter(settings.require_kafka(), client_id="loanstream-reconciler"),
    )

    async def hear(command: ReconcileBankDay | ListBankBreaks, revision: int, attempt: int) -> str | None:
        call, order = order_of(command, revision, attempt)
        sent = sealed(secret, call, order)
        await commands.append(order.stream_id, sent.value)
        for _ in range(_LOOKS_MAX):
            decided = await views.get("bidding.commands", sent.command_id)
            if decided is not None:
                return str(decided["code"]) if decided["outcome"] == "refused" else None
            await until_set(stop, _REST_S)
        return "not_decided"

    try:
        async with HttpCustodian.client(bank) as client:
            files = HttpBankFiles(client, settings.bank_key())
            reconciler = Reconciler(
                views,
                files,
                hear,
                partial(until_set, stop, _REST_S),
                partitions=settings.partitions,
                began=int(time.time()),
            )
            while not stop.is_set():
                try:
                    await reconciler.once()
                    await tell_breaks(views)
                except (
                    BankUnavailable,
                    LogUnavailable,
                    DatabaseError,
                    ViewMissing,
                    OSError,
                    sqlite3.Error,
                ) as error:
                    log.warning("reconciler_waits", error=type(error).__name__, why=str(error))
                moves(", ".join(f"{day} {why}" for day, why in reconciler.unheard.items()))
                await until_set(stop, _REST_S if reconciler.goes_on else _ROUND_S)
    finally:
        await commands.close()
        await database.close()
