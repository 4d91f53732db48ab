"""The courier: takes customers' requests to the custodian bank, and asks what became of those that nobody answers.

All that it must remember is in the log: the view of open requests is its list, the bank knows a request by its id, and an answer
is the very command that a call-back is. So it may die anywhere, begin anew, and work beside another one: nothing is lost and
nothing counts twice. What it keeps in memory is only whom it told when.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog

from libs.runtime.http.commands import sealed
from libs.runtime.http.edge import CommandLog, ReadsViews
from libs.runtime.kafka import LogUnavailable, LogWriter
from libs.runtime.mongo import Database, DatabaseError
from libs.runtime.observability import BANK_CALLS, BANK_REQUEST_AGE_SECONDS, BANK_REQUESTS_OPEN
from libs.runtime.settings import Settings
from libs.runtime.views import ViewMissing, Views
from libs.runtime.waiting import until_set
from services.bidding.bank_answers import call_of, order_of
from services.bidding.bank_files import keep_reconciling
from services.bidding.custodian import (
    BankAnswer,
    BankOrder,
    BankRefused,
    BankUnavailable,
    Custodian,
    HttpCustodian,
    Kind,
)
from services.bidding.side_by_side import SideBySide

log = structlog.get_logger()

VIEW: Final = "bidding.bank-requests"
_PAGE: Final = 500
#: Calls to the bank at a time: enough for a busy day, few enough for a bank that limps.
_AT_ONCE: Final = 16
#: What a round does at most, so that the age is told and `stop` is heard between two.
_ROUND_MAX: Final = 512
_PAUSE_MAX_S: Final = 10.0
#: How long an answer that was heard, and has not ended its request, is left alone at most before it is asked for again.
_HEARD_PAUSE_MAX_S: Final = 3600.0

Hear = Callable[[Kind, str, str, BankAnswer], Awaitable[None]]
"""Put the bank's answer to (kind, account, request id) on the log."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One document of the view: what the bank is told, and since when the customer waits."""

    kind: Kind
    order: BankOrder
    asked_at: datetime

    @staticmethod
    def of(document: dict[str, Any]) -> "OpenRequest":
        """From a document of the view."""
        order = BankOrder(
            request_id=document["request_id"],
            account=document["account_id"],
            holder=document["owner"],
            card_ref=document["card_ref"],
            amount_fen=document["amount_fen"],
            business_date=document["business_date"],
        )
        return OpenRequest(document["kind"], order, datetime.fromisoformat(document["asked_at"]))

    @property
    def name(self) -> tuple[str, str]:
        """What it is known by."""
        return self.order.account, self.order.request_id


class Courier:
    """One look after the other at what is open. `answer_s` is how long an order may go unanswered before the bank is asked."""

    def __init__(
        self,
        views: ReadsViews,
        bank: Custodian,
        hear: Hear,
        *,
        answer_s: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._views = views
        self._bank = bank
        self._hear = hear
        self._answer_s = answer_s
        self._clock = clock
        self._now = now
        self._told: dict[tuple[str, str], float] = {}
        self._failed: dict[tuple[str, str], int] = {}
        self._heard: dict[tuple[str, str], int] = {}

    async def once(self) -> None:
        """Tell how old the oldest request is; hand over what is new, ask about what is overdue, the oldest first.

        A call that fails ends the round, and its request comes last from then on, so that one that always fails holds up no other.
        Raises BankUnavailable, LogUnavailable, DatabaseError, ViewMissing where nothing was achieved.
        """
        requests = sorted(await self._open(), key=lambda request: (request.asked_at, request.name))
        BANK_REQUESTS_OPEN.set(len(requests))
        oldest_s = (self._now() - requests[0].asked_at).total_seconds() if requests else 0.0
        BANK_REQUEST_AGE_SECONDS.set(max(oldest_s, 0.0))
        names = {request.name for request in requests}
        self._told = {name: at for name, at in self._told.items() if name in names}
        self._failed = {name: times for name, times in self._failed.items() if name in names}
        self._heard = {name: times for name, times in self._heard.items() if name in names}
        due = [request for request in requests if self._is_due(request)]
        due.sort(key=lambda request: self._failed.get(request.name, 0))
        await self._round(due[:_ROUND_MAX])

    async def _round(self, due: list[OpenRequest]) -> None:
        for start in range(0, len(due), _AT_ONCE):
            calls = [self._advance(request) for request in due[start : start + _AT_ONCE]]
            results = await asyncio.gather(*calls, return_exceptions=True)
            failures = [failure for failure in results if failure is not None]
            if start == 0 and len(failures) == len(calls):
                raise failures[0]
            if failures:
                return

    async def _open(self) -> list[OpenRequest]:
        found: list[OpenRequest] = []
        after: str | None = None
        while True:
            page, after = await self._views.page(VIEW, where={}, after=after, limit=_PAGE)
            found += [OpenRequest.of(document) for document in page]
            if after is None:
                return found

    def _is_due(self, request: OpenRequest) -> bool:
        """Whether it was never told, or so long ago. What the log does not take of an answer it will not take at once: ever longer."""
        told_at = self._told.get(request.name)
        if told_at is None:
            return True
        heard = min(self._heard.get(request.name, 0), 12)
        pause_s = min(self._answer_s * (1 << heard), max(_HEARD_PAUSE_MAX_S, self._answer_s))
        return self._clock() - told_at >= pause_s

    async def _advance(self, request: OpenRequest) -> None:
        self._failed[request.name] = self._failed.get(request.name, 0) + 1
        if request.name in self._told:
            await self._ask(request)
        else:
            await self._hand_over(request)
        del self._failed[request.name]
        self._told[request.name] = self._clock()

    async def _hand_over(self, request: OpenRequest) -> None:
        call = self._bank.collect if request.kind == "collect" else self._bank.pay_out
        try:
            await call(request.order)
        except BankUnavailable:
            BANK_CALLS.labels(request.kind, "unavailable").inc()
            raise
        except BankRefused as refused:
            # Nothing of ours is wrong with it that a retry would mend: it stays open, ages and alarms.
            BANK_CALLS.labels(request.kind, "refused").inc()
            log.error("bank_takes_no_order", code=refused.code, request=request.order.request_id)
            return
        BANK_CALLS.labels(request.kind, "accepted").inc()

    async def _ask(self, request: OpenRequest) -> None:
        try:
            standing = await self._bank.query(request.order.request_id)
        except (BankUnavailable, BankRefused) as error:
            outcome = "refused" if isinstance(error, BankRefused) else "unavailable"
            BANK_CALLS.labels("query", outcome).inc()
            if isinstance(error, BankUnavailable):
                raise
            log.error("bank_takes_no_query", code=error.code, request=request.order.request_id)
            return
        BANK_CALLS.labels("query", "answered" if isinstance(standing, BankAnswer) else standing).inc()
        if isinstance(standing, BankAnswer):
            await self._hear(request.kind, request.order.account, request.order.request_id, standing)
            self._heard[request.name] = self._heard.get(request.name, 0) + 1
        elif standing == "unknown":
            await self._hand_over(request)


class CourierRole:
    """The courier of one process, and beside it the reconciler, who fetches the bank's daily files. Without a bank in the settings
    they do nothing until they are stopped. Neither ends the other: which of them fails, `ready` says.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._two = SideBySide()

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop`. A bank, a log or a database that is away is waited for, ever longer."""
        settings = self._settings
        if settings.bank is None:
            await stop.wait()
            return
        secret = settings.fingerprint_secret()
        database = Database.connect(settings)
        commands = CommandLog(
            "bidding",
            partitions=settings.partitions,
            topic_prefix=settings.topic_prefix,
            connect=lambda: LogWriter(settings.require_kafka(), client_id="loanstream-courier"),
        )

        async def hear(kind: Kind, account: str, request_id: str, answer: BankAnswer) -> None:
            order = order_of(kind, account, request_id, answer)
            command = sealed(secret, call_of(kind, account, request_id), order)
            await commands.append(order.stream_id, command.value)

        try:
            async with HttpCustodian.client(settings.bank) as client:
                bank = HttpCustodian(client, settings.bank_key())
                courier = Courier(Views(database), bank, hear, answer_s=settings.bank_answer_s)
                await self._two.run(
                    stop,
                    courier=partial(self._look, courier, stop),
                    reconciler=partial(keep_reconciling, settings, settings.bank, stop),
                )
        finally:
            await commands.close()
            await database.close()

    async def _look(self, courier: Courier, stop: asyncio.Event, moves: Callable[[], None]) -> None:
        pause_s = self._settings.bank_look_s
        while not stop.is_set():
            try:
                await courier.once()
                pause_s = self._settings.bank_look_s
            except (BankUnavailable, LogUnavailable, DatabaseError, ViewMissing) as error:
                if pause_s == self._settings.bank_look_s:  # once per outage
                    log.warning("courier_waits", error=type(error).__name__, why=str(error))
                pause_s = min(2 * pause_s, max(_PAUSE_MAX_S, self._settings.bank_look_s))
            moves()
            await until_set(stop, pause_s)

    def ready(self) -> tuple[bool, str]:
        """Unless one of the two fails: a bank that is away is an alarm about ages, and no reason to start this process again."""
        return self._two.ready()
