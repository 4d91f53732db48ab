"""One date's file of the bank against the books, by hand: fetched from the bank, or a file that somebody has."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from libs.runtime.errors import OperatorError
from libs.runtime.http.commands import sealed
from libs.runtime.http.edge import CommandLog
from libs.runtime.kafka import LogWriter
from libs.runtime.mongo import Database
from libs.runtime.settings import Settings
from libs.runtime.views import ViewMissing, Views
from services.bidding.account_proof import drift_fen
from services.bidding.bank_file import BankFileRefused
from services.bidding.bank_files import HttpBankFiles, lines_in
from services.bidding.claims_proof import claims_at_rest
from services.bidding.custodian import BankRefused, BankUnavailable, HttpCustodian
from services.bidding.reconciler import (
    DAYS,
    DayNotOver,
    dates_over,
    order_of,
    reconciliation,
)

Progress = Callable[[int, int, str], None]

_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.2
_LINES_A_MOVE: Final = 10_000


def reconcile(settings: Settings, day: date, file: Path | None, progress: Progress) -> dict[str, Any]:
    """Reconcile a date and return its document of `bidding.bank-days`.

    Raises OperatorError for a file that is refused, a date that is not over, and whatever does not answer.
    """
    return asyncio.run(reconcile_days(settings, {day: file}, progress))


@contextmanager
def _in_words(day: date) -> Iterator[None]:
    """What goes wrong, as a sentence for a person. Raises OperatorError."""
    try:
        yield
    except BankFileRefused as refused:
        raise OperatorError(f"The file of {day} is refused, {refused}. Nothing of it counts.") from None
    except DayNotOver:
        raise OperatorError(f"{day} is not over in every partition, or not shown by the views yet.") from None
    except BankRefused as refused:
        raise OperatorError(f"The bank has no file of {day} for us: {refused.code}.") from None
    except BankUnavailable as error:
        raise OperatorError(f"The bank does not answer ({error}).") from None
    except OSError as error:
        raise OperatorError(f"The file of {day} cannot be read: {error.strerror or error}.") from None
    except ViewMissing as error:
        raise OperatorError(f"{error}: is the projector running?") from None


async def reconcile_days(
    settings: Settings, files: Mapping[date, Path | None], progress: Progress = lambda *_move: None
) -> dict[str, Any]:
    """Reconcile dates in their order, each with its file (None: the bank's), and return the last one's document.

    Raises OperatorError, as `reconcile` does.
    """
    database = Database.connect(settings)
    views = Views(database)
    commands = CommandLog(
        "bidding",
        partitions=settings.partitions,
        topic_prefix=settings.topic_prefix,
        connect=lambda: LogWriter(settings.require_kafka(), client_id="loanstream-reconcile"),
    )
    try:
        with _in_words(max(files)):
            dates = await dates_over(views, settings.partitions)
        asked: list[tuple[date, int, str]] = []
        for day, file in files.items():
            claims, drift = None, 0
            if dates is not None and day == dates.last:
                with _in_words(day):
                    claims = await claims_at_rest(views, lambda: asyncio.sleep(_PAUSE_S))
                    drift = await drift_fen(views)
            with _in_words(day):
                async with _opened(settings, day, file) as lines:
                    found = await reconciliation(
                        views,
                        day,
                        _counted(lines, progress),
                        dates,
                        claims=claims,
                        accounts_drift_fen=drift,
                    )
            last = ""
            for command in found.commands:
                call, order = order_of(command, found.revision)
                sent = sealed(settings.fingerprint_secret(), call, order)
                await commands.append(order.stream_id, sent.value)
                last = sent.command_id
            asked.append((day, found.revision, last))
        shown: dict[str, Any] = {}
        for day, revision, command_id in asked:  # sent one after the other, so they are waited for together
            shown = await _shown(views, day, revision, command_id)
        return shown
    finally:
        await commands.close()
        await database.close()


def _opened(settings: Settings, day: date, file: Path | None) -> AbstractAsyncContextManager[Iterable[bytes]]:
    if file is not None:
        if not file.is_file():
            raise OperatorError(f"There is no file {file}.")
        return nullcontext(lines_in(file))
    bank = settings.bank
    if bank is None:
        raise OperatorError("No bank is configured: give the file with --file, or set LOANSTREAM_BANK.")

    @asynccontextmanager
    async def fetched() -> Any:
        async with (
            HttpCustodian.client(bank) as client,
            HttpBankFiles(client, settings.bank_key()).lines(day) as lines,
        ):
            yield lines

    return fetched()


def _counted(lines: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
    """The same lines, with a move of the bar every now and then; the head says how many are to come."""
    total = 0
    for number, line in enumerate(lines):
        if number == 0 and line.count(b"|") == 5 and line.split(b"|")[4].isdigit():
            total = int(line.split(b"|")[4]) + 2
        if number % _LINES_A_MOVE == 0:
            progress(number, max(total, number), "lines of the bank's file")
        yield line
    progress(total, total, "matching with the books")


async def _shown(views: Views, day: date, revision: int, command_id: str) -> dict[str, Any]:
    """The date's document when it shows the decision. Raises OperatorError for a refusal, and after a minute."""
    give_up_at = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_at:
        found = await views.get("bidding.commands", command_id)
        if found is not None and found["outcome"] == "refused":
            raise OperatorError(f"The reconciliation of {day} is refused: {found['code']}.")
        document = await views.get(DAYS, day.isoformat())
        expected = revision + 1 if found is not None and found["outcome"] == "decided" else revision
        if found is not None and document is not None and document["revision"] >= expected:
            return document
        await asyncio.sleep(_PAUSE_S)
    raise OperatorError(
        f"The reconciliation of {day} was not shown in {_PATIENCE_S:.0f} seconds; it is stored."
    )


def told(document: dict[str, Any]) -> Table:
    """A reconciled day as a table: the bank's file, the ledger, the accounts, and the claims where they were compared."""
    table = Table(title=f"Bank day {document['business_date']}, revision {document['revision']}")
    for column in ("", "bookings", "in", "out", "balance"):
        table.add_column(column, justify="right" if column else "left")
    for name, title in (("bank", "bank's file"), ("ledger", "ledger")):
        amounts = (document[f"{name}_{field}"] for field in ("in_fen", "out_fen", "fen"))
        table.add_row(title, f"{document[f'{name}_bookings']:,}", *(yuan(fen) for fen in amounts))
    table.add_row("accounts", "", "", "", yuan(document["accounts_fen"]))
    table.add_row("difference", "", "", "", yuan(document["bank_fen"] - document["ledger_fen"]))
    if document["claims_fen"] is not None:
        table.add_section()
        table.add_row("paid for claims", "", "", "", yuan(document["lent_fen"]))
        table.add_row("register of claims", "", "", "", yuan(document["claims_fen"]))
    if document["loans_apart"]:
        named = ", ".join(document["loans_apart"])
        table.add_row("apart, loan by loan", "", "", "", yuan(document["claims_apart_fen"]))
        table.add_row(f"among them {named}", "", "", "", "")
    table.caption = (
        f"{document['opened']} opened, {document['closed']} closed, {document['open_after']} open of all days"
        + _waiting(document)
    )
    return table


def _waiting(document: dict[str, Any]) -> str:
    """What the work list has no room for yet."""
    waits = ""
    if document["unlisted"]:
        sums = yuan(document["unlisted_fen"])
        waits += f"; {document['unlisted']} wait until there is room on the work list, by which the bank has {sums} more"
    if document["unclosed"]:
        waits += f"; {document['unclosed']} wait to be closed"
    return waits


def yuan(fen: int) -> str:
    """An amount of fen as yuan."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02}"
