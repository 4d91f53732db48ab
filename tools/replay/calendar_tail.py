"""When did a day end? Read where it is decided: the calendar's partition of the log.

Asking over HTTP would measure the view and the question as well; the log says it the moment it is so.
"""

import asyncio
import contextlib
from datetime import date
from typing import Final, Self

from libs.events.codec import name_of
from libs.events.records import RawRecord, parse_decision
from libs.events.repayment import BusinessDayClosed, CalendarOpened
from libs.events.topics import events_topic, partition_of
from libs.runtime.kafka import LogReader, LogUnavailable, Place
from libs.runtime.settings import Settings
from tools.replay.gateway import ReplayFailed

_CALENDAR: Final = "calendar"
_OPENS: Final = {name_of(CalendarOpened): "business_date", name_of(BusinessDayClosed): "next_date"}
_MARKS: Final = tuple(name.encode() for name in _OPENS)
_POLL_S: Final = 0.5
_DAY_LIMIT_S: Final = 300.0


class CalendarTail:
    """Follows the calendar. An async context manager: on entry it has read everything that was there."""

    def __init__(self, settings: Settings) -> None:
        self._place = Place(
            events_topic("repayment", settings.topic_prefix), partition_of(_CALENDAR, settings.partitions)
        )
        self._reader = LogReader(settings.require_kafka(), client_id="loanstream-replay")
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._next = 0
        self.business_date: date | None = None
        """The open business date; None before the calendar opens."""

    async def __aenter__(self) -> Self:
        await self._reader.start()
        end = (await self._reader.ends([self._place]))[self._place]
        self._reader.assign({self._place: 0})
        while self._next < end:
            await self._read()
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._reader.stop()

    async def closed(self, business_date: date) -> None:
        """Return as soon as a date is closed. Raises ReplayFailed when that takes too long."""

        def is_over() -> bool:
            return self.business_date is not None and self.business_date > business_date

        try:
            async with asyncio.timeout(_DAY_LIMIT_S), self._changed:
                await self._changed.wait_for(is_over)
        except TimeoutError:
            raise ReplayFailed(
                f"{business_date} was not closed in {_DAY_LIMIT_S:.0f} seconds: look at the services' logs."
            ) from None

    async def _follow(self) -> None:
        while True:
            try:
                await self._read()
            except LogUnavailable:
                await asyncio.sleep(_POLL_S)

    async def _read(self) -> None:
        for raw in (await self._reader.poll(_POLL_S, 5000)).get(self._place, []):
            self._next = raw.offset + 1
            opened = opened_date(raw)
            if opened is not None:
                async with self._changed:
                    self.business_date = opened
                    self._changed.notify_all()


def opened_date(raw: RawRecord) -> date | None:
    """The date that a record opens. Most records are loans': they are told by their bytes and not parsed."""
    if not any(mark in raw.value for mark in _MARKS):
        return None
    for event in parse_decision(raw.value).events:
        if event.type in _OPENS and event.stream == _CALENDAR:
            return date.fromisoformat(event.data[_OPENS[event.type]])
    return None
