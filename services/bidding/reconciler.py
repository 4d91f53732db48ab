"""The reconciler: compares each date's file of the custodian bank with our books, and puts what it found on the log as one command.

It remembers nothing that matters: which dates are over, what our side of them is, what the last file said and what was told of it stand
in views. A file is read, sorted and matched on the disk, so its length costs no memory. A date's file may grow, so the last week's are
looked at again, and while no line explains a balance, those before them too, a few at a time; and every date of which something waits.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol

import structlog

from libs.events.bank_days import Claims, LineBreak, Side
from libs.events.codec import encode
from libs.runtime.auth import Principal
from libs.runtime.http import Call, Order
from libs.runtime.http.edge import ReadsViews
from services.bidding.account_proof import drift_fen
from services.bidding.bank_file import BankFile, BankFileRefused
from services.bidding.claims_proof import claims_at_rest
from services.bidding.commands.bank_days import BANK_DAYS, ListBankBreaks, ReconcileBankDay
from services.bidding.custodian import BankRefused
from services.bidding.domain.bank_day_sums import listing_of, part_of
from services.bidding.domain.bank_days_state import DAYS_KEPT
from services.bidding.matching import Matcher, OurBooking
from services.bidding.waiting_breaks import USUAL, InThread, Room, chunks_of, shown_by

log = structlog.get_logger()

BOOKINGS: Final = "bidding.bank-bookings"
DAYS: Final = "bidding.bank-days"
BREAKS: Final = "bidding.bank-breaks"
#: Who asks in the log.
RECONCILER: Final = Principal("reconciler")
#: Dates whose files are looked at again, because an order that comes late is booked on the date that it carries (chosen).
LOOKED_AT_AGAIN: Final = 7
#: Dates before those that one round looks at while a balance is out, until all that are kept have been (chosen).
FURTHER_BACK: Final = 7
_ROUTE: Final = "reconcile /bidding/bank-days/{day}"
_PAGE: Final = 1_000
_NO_LINES: Final = sha256().hexdigest()


class DayNotOver(Exception):
    """Some partition still lives on the date, or its views do not show that it has left it: our side may still change."""


class BankFiles(Protocol):
    """Where a date's file comes from."""

    def lines(self, day: date) -> AbstractAsyncContextManager[Iterable[bytes]]:
        """The lines of a date's file, for as long as they are needed. Raises BankUnavailable, or BankRefused `file_not_ready`."""


@dataclass(frozen=True, slots=True)
class Dates:
    """The first date of the books, and the last one that is over in every partition."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Found:
    """What a date's file asks of the log: a command, the parts that follow it, and the revision that they go on from."""

    command: ReconcileBankDay
    parts: tuple[ListBankBreaks, ...]
    revision: int

    @property
    def commands(self) -> tuple[ReconcileBankDay | ListBankBreaks, ...]:
        """All of it, in its order."""
        return self.command, *self.parts


async def dates_over(views: ReadsViews, partitions: int) -> Dates | None:
    """Which dates our side is complete of; None while there is none. Raises ViewMissing."""
    partitions_at = [doc["lives_on"] async for doc in _named_from(views, BOOKINGS, "partition:", "lives_on")]
    page, _ = await views.page(BOOKINGS, where={}, after="day:", limit=1)
    if len(partitions_at) < partitions or not page:
        return None
    first = date.fromisoformat(page[0]["business_date"])
    last = date.fromisoformat(min(partitions_at)) - timedelta(days=1)
    return Dates(first, last) if first <= last else None


async def reconciliation(
    views: ReadsViews,
    day: date,
    lines: Iterable[bytes],
    dates: Dates | None,
    *,
    claims: Claims | None = None,
    accounts_drift_fen: int = 0,
    in_thread: InThread = asyncio.to_thread,
    room: Room = USUAL,
) -> Found:
    """What a date's file asks of the log. `accounts_drift_fen`: how far the accounts' own balances are from their postings, all
    together.

    Raises DayNotOver and BankFileRefused; then nothing was asked.
    """
    if dates is None or not dates.first <= day <= dates.last:
        raise DayNotOver(day.isoformat())
    known = await views.get(DAYS, day.isoformat()) or {}
    file = BankFile(lines, day, known.get("bank_bookings", 0))
    with Matcher.open() as matcher:
        await in_thread(matcher.take_bank, file)
        ledger = await _take_ledger(views, matcher, day)
        shown = await shown_by(views, matcher, day, known, room, in_thread)
    closing_fen, accounts_fen = await _sums_until(views, day)
    breaks = tuple([await _named(views, day, each) for each in shown.breaks])
    chunks = chunks_of(breaks, shown.gone, room.part)
    in_one = len(chunks) <= 1
    command = ReconcileBankDay(
        business_date=day,
        lines_hash=file.lines_hash,
        begins_at=file.begins_at,
        begins_with=file.begins_with,
        bank=file.side,
        ledger=replace(ledger, closing_fen=closing_fen),
        # Away from the ledger, so that what accounts say wrongly does not hide what was posted wrongly.
        accounts_fen=accounts_fen + accounts_drift_fen * (-1 if accounts_fen < closing_fen else 1),
        claims=claims,
        breaks=breaks if in_one else (),
        parts=() if in_one else tuple(part_of(*chunk) for chunk in chunks),
        unlisted=shown.unlisted,
        known=shown.known,
        gone=shown.gone if in_one else (),
        unclosed=shown.unclosed,
    )
    listing = listing_of(command)
    parts = tuple(
        ListBankBreaks(business_date=day, listing=listing, part=number, breaks=new, gone=gone)
        for number, (new, gone) in enumerate(() if in_one else chunks)
    )
    return Found(command, parts, known.get("revision", 0))


def order_of(
    command: ReconcileBankDay | ListBankBreaks, revision: int, attempt: int = 0
) -> tuple[Call, Order]:
    """The command as a call: the same file on the same books is the same one, until something new was said of the day. A command
    that was refused is asked again as another one, because what stood in its way may be gone.
    """
    day = command.business_date.isoformat()
    key = f"{revision}:{attempt}:{sha256(encode(type(command), command)).hexdigest()}"
    return Call(RECONCILER, _ROUTE, {"day": day}, None, b""), Order(BANK_DAYS, command, key=key)


def says_nothing(command: ReconcileBankDay, known: Mapping[str, Any]) -> bool:
    """Whether the date's document says all of it already, so that looking again costs the log nothing. A whole that is out of balance
    is asked about again.
    """
    sides = {"bank": command.bank, "ledger": command.ledger}
    balanced = (known.get("lent_fen"), known.get("ledger_fen")) == (
        known.get("claims_fen"),
        known.get("accounts_fen"),
    )
    claims = command.claims
    is_news = command.known is not None and (command.parts or command.breaks or command.gone)
    return (
        balanced
        and not is_news
        and not known.get("claims_apart_fen")
        and (claims is None or (claims.ledger_fen == claims.register_fen and not claims.apart_fen))
        and command.lines_hash == known.get("lines_hash")
        and command.accounts_fen == known.get("accounts_fen")
        and all(side.closing_fen == known.get(f"{name}_fen") for name, side in sides.items())
        and all(side.bookings == known.get(f"{name}_bookings") for name, side in sides.items())
    )


async def known_days(views: ReadsViews) -> dict[date, Mapping[str, Any]]:
    """The dates that were reconciled, with their documents."""
    documents = _named_from(views, DAYS, "", "business_date")
    return {date.fromisoformat(document["business_date"]): document async for document in documents}


def days_to_do(known: Mapping[date, Any], dates: Dates, further: int | None = None) -> Sequence[date]:
    """The dates that are over and have no file yet, the oldest first, and the last ones once more; `further`: also some of those before
    them, which are another few for each number.
    """
    whole = (dates.last - dates.first).days + 1
    days = [dates.first + timedelta(days=number) for number in range(whole)]
    again = dates.last - timedelta(days=LOOKED_AT_AGAIN)
    before = [day for day in reversed(days) if dates.last - timedelta(days=DAYS_KEPT) < day <= again]
    rounds = -(-len(before) // FURTHER_BACK)
    start = (further or 0) % rounds * FURTHER_BACK if rounds else 0
    looked = () if further is None else before[start : start + FURTHER_BACK]
    waiting = {day for day, document in known.items() if document.get("waits")}
    return [day for day in days if day not in known or day > again or day in looked or day in waiting]


async def is_unbalanced(views: ReadsViews) -> bool:
    """Whether a difference of the balance stands that no line explains: an order may have come later than a week."""
    for state in ("open", "explained"):
        found, _ = await views.page(
            BREAKS, where={"kind": "balance_differs", "state": state}, after=None, limit=1
        )
        if found:
            return True
    return False


# --- our side ------------------------------------------------------------------------------------------------------


async def _named_from(views: ReadsViews, view: str, start: str, field: str) -> AsyncIterator[dict[str, Any]]:
    """The documents whose names follow a start, in order, a page at a time, as long as they have a field."""
    after: str | None = start or None
    while True:
        page, after = await views.page(view, where={}, after=after, limit=_PAGE)
        for document in page:
            if field not in document:
                return
            yield document
        if after is None:
            return


async def _take_ledger(views: ReadsViews, matcher: Matcher, day: date) -> Side:
    """Our bookings of the date, a page at a time; the day's sums without its balance."""
    bookings = in_fen = out_fen = 0
    rows: list[OurBooking] = []
    async for document in _named_from(views, BOOKINGS, f"{day.isoformat()}|", "booked_on"):
        if document["booked_on"] != day.isoformat():
            break
        rows.append(OurBooking(document["reference"], document["account_id"], document["moved_fen"]))
        bookings += 1
        in_fen += max(rows[-1].moved_fen, 0)
        out_fen += max(-rows[-1].moved_fen, 0)
        if len(rows) == _PAGE:
            matcher.take_ledger(rows)
            rows = []
    matcher.take_ledger(rows)
    return Side(bookings=bookings, in_fen=in_fen, out_fen=out_fen, closing_fen=0)


async def _sums_until(views: ReadsViews, day: date) -> tuple[int, int]:
    """What the bank has by our books at the end of a date, and what all accounts have."""
    closing_fen = accounts_fen = 0
    async for document in _named_from(views, BOOKINGS, "day:", "accounts_fen"):
        if document["business_date"] > day.isoformat():
            break
        closing_fen += document.get("in_fen", 0) - document.get("out_fen", 0)
        accounts_fen += document["accounts_fen"]
    return closing_fen, accounts_fen


async def _named(views: ReadsViews, day: date, found: LineBreak) -> LineBreak:
    """A booking that the bank has not on this date, under a reference that we booked before, was told to somebody else."""
    if found.kind != "missing_there":
        return found
    others, _ = await views.page(BOOKINGS, where={"reference": found.reference}, after=None, limit=_PAGE)
    is_reused = any(
        (other["booked_on"], other["account_id"]) < (day.isoformat(), found.account_id) for other in others
    )
    return replace(found, kind="reference_reused") if is_reused else found


# --- again and again -----------------------------------------------------------------------------------------------


class Reconciler:
    """One round after the other. `hear` puts a command on the log and gives the code of its refusal, None where it was believed:
    revision and attempt make it the same one or another (`pause` waits a moment).
    """

    def __init__(
        self,
        views: ReadsViews,
        files: BankFiles,
        hear: Callable[[ReconcileBankDay | ListBankBreaks, int, int], Awaitable[str | None]],
        pause: Callable[[], Awaitable[None]],
        *,
        partitions: int,
        began: int = 0,
    ) -> None:
        self._views = views
        self._files = files
        self._hear = hear
        self._pause = pause
        self._partitions = partitions
        # A process that begins anew must not repeat attempts that were refused before: the log would give those answers again.
        self._began = began
        self._refused: dict[date, int] = {}
        self._rounds = 0
        self.goes_on = False
        """Whether the last round told something of a date of which something still waits."""
        self.unheard: dict[date, str] = {}
        """Dates that were reconciled before and have to be looked at again, and why the last round learned nothing of them."""

    async def once(self) -> Sequence[date]:
        """Ask for the files of all dates that need a look, and return those that were believed. A date's first file that is refused,
        by its reader or by the log, or not ready ends the round: later balances rest on it. A later one does not, however long it
        waits: what later balances rest on was believed before.

        Raises BankUnavailable, LogUnavailable, DatabaseError, ViewMissing.
        """
        self.goes_on = False
        self.unheard = {}
        dates = await dates_over(self._views, self._partitions)
        if dates is None:
            return []
        known = await known_days(self._views)
        further = self._rounds if await is_unbalanced(self._views) else None
        self._rounds += 1
        done: list[date] = []
        books = sum(document["revision"] for document in known.values())
        told = False
        for day in days_to_do(known, dates, further):
            found = await self._found(day, dates, known.get(day, {}))
            if found is None:
                if day not in known:
                    break
                continue
            # What was told of an earlier date may explain the balance of the last one, whose own file says nothing new.
            judges = told and day == dates.last
            if judges or not says_nothing(found.command, known.get(day, {})):
                code = await self._tell(day, found, books if judges else found.revision)
                if code is not None:
                    if day not in known:
                        break
                    self.unheard[day] = code
                    continue
                told, books = True, books + 1
            done.append(day)
        return done

    async def _found(self, day: date, dates: Dates, known: Mapping[str, Any]) -> Found | None:
        """What the date's file asks, None where nothing of it counts."""
        claims, drift = None, 0
        if day == dates.last:
            claims = await claims_at_rest(self._views, self._pause)
            # All accounts are looked at once a date, and again for as long as one of them is wrong.
            is_right = bool(known) and known["accounts_fen"] == known["ledger_fen"]
            drift = 0 if is_right else await drift_fen(self._views)
        try:
            async with self._files.lines(day) as lines:
                return await reconciliation(
                    self._views, day, lines, dates, claims=claims, accounts_drift_fen=drift
                )
        except BankFileRefused as refused:
            log.error("bank_file_refused", day=day.isoformat(), line=refused.line, code=refused.code)
            why = f"line {refused.line} {refused.code}"
        except BankRefused as refused:
            log.warning("bank_file_missing", day=day.isoformat(), code=refused.code)
            why = refused.code
        if known:
            self.unheard[day] = why
        return None

    async def _tell(self, day: date, found: Found, revision: int) -> str | None:
        """As what the log refuses it; None where it believes all of it."""
        attempt = self._refused.get(day, 0)
        for command in found.commands:
            code = await self._hear(command, revision, attempt)
            if code is not None:
                self._refused[day] = max(attempt, self._began) + 1
                log.error("bank_day_refused", day=day.isoformat(), code=code)
                return code
        self._refused.pop(day, None)
        waiting = found.command.unlisted
        if waiting:
            log.error(
                "bank_day_overflows",
                day=day.isoformat(),
                unlisted=waiting.breaks,
                unlisted_fen=waiting.differs_fen,
            )
        is_news = found.parts or found.command.breaks or found.command.gone
        self.goes_on = self.goes_on or bool(is_news and (waiting or found.command.unclosed))
        return None
