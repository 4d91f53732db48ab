"""What has come of it? Read where it is decided: in the log, behind everybody's back.

Most of the story is told by sagas: a verified user gets an account, met precedents open a listing, the last bid funds a loan.
Asking views for it over HTTP would measure the views and the questions as well; the log says it the moment it is so.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final, Self, TypeVar

from libs.events.application import ApplicantRecorded, ApplicationApproved
from libs.events.bidding import (
    AccountOpened,
    BidPlaced,
    ListingFilled,
    ListingOpened,
    LoanFunded,
    LoanProceedsCredited,
    SuitabilityRecorded,
)
from libs.events.codec import name_of
from libs.events.collections import CaseOpened, CaseStageChanged, MissAdded
from libs.events.records import RawRecord, StoredEvent, parse_decision
from libs.events.repayment import BusinessDayClosed, CalendarOpened
from libs.events.system import BusinessDateSet
from libs.events.topics import events_topic, partition_of
from libs.runtime.kafka import LogReader, LogUnavailable, Place
from libs.runtime.settings import Settings
from tools.replay.gateway import ReplayFailed

_CALENDAR: Final = "calendar"
_OPENS: Final = {name_of(CalendarOpened): "business_date", name_of(BusinessDayClosed): "next_date"}

#: Event -> what it is said of. A listing that waits for reviewers is said to be filled for review only.
_TELLS: Final[Mapping[type, Callable[[Mapping[str, Any]], str]]] = {
    AccountOpened: lambda data: data["account_id"],
    SuitabilityRecorded: lambda data: f"{data['account_id']}/{data['valid_to']}",
    ApplicantRecorded: lambda data: data["application_id"],
    ApplicationApproved: lambda data: data["application_id"],
    ListingOpened: lambda data: data["listing_id"],
    BidPlaced: lambda data: f"{data['listing_id']}/{data['remaining_after_fen']}",
    ListingFilled: lambda data: f"{data['listing_id']}/{'review' if data['reviews_needed'] else ''}",
    LoanFunded: lambda data: data["listing_id"],
    LoanProceedsCredited: lambda data: data["loan_id"],
    CaseOpened: lambda data: f"{data['loan_id']}/{data['number']}",
    MissAdded: lambda data: f"{data['loan_id']}/{data['number']}",
    CaseStageChanged: lambda data: f"{data['loan_id']}/{data['to_stage']}",
}
_KEYS: Final = {name_of(event): (event, key) for event, key in _TELLS.items()}
_DATED: Final = name_of(BusinessDateSet)
_MARKS: Final = tuple(name.encode() for name in (*_OPENS, *_KEYS, _DATED))
_READS: Final = ("onboarding", "bidding", "collections")

_POLL_S: Final = 0.5
_LIMIT_S: Final = 300.0

_Seen = TypeVar("_Seen")

Fact = tuple[type, str]
"""An event and what it is said of: `(LoanFunded, "lst_7f")`."""


class Heard:
    """What the log has said so far; `places` are the partitions that are listened to, with their services."""

    def __init__(self, places: Mapping[Place, str]) -> None:
        self._places = places
        self._facts: set[Fact] = set()
        self._dates: dict[Place, date] = {}
        self.business_date: date | None = None

    def take(self, place: Place, events: Iterable[StoredEvent]) -> None:
        """Remember what these events of a partition say."""
        for event in events:
            if event.type in _OPENS:
                self.business_date = date.fromisoformat(event.data[_OPENS[event.type]])
            elif event.type == _DATED:
                self._dates[place] = date.fromisoformat(event.data["business_date"])
            else:
                kind, key = _KEYS[event.type]
                self._facts.add((kind, key(event.data)))

    def first_of(self, facts: Iterable[Fact]) -> Fact | None:
        """The first of these facts that was told, if any."""
        return next((fact for fact in facts if fact in self._facts), None)

    def has_date(self, service: str, business_date: date) -> bool:
        """Whether all partitions of a service act on this date or a later one."""
        places = [place for place, name in self._places.items() if name == service]
        return all(self._dates.get(place, date.min) >= business_date for place in places)

    def is_closed(self, business_date: date) -> bool:
        """Whether the calendar is past a date."""
        return self.business_date is not None and self.business_date > business_date


class LogTail:
    """Follows the log. An async context manager: on entry it knows the calendar, and what is told from then on."""

    def __init__(self, settings: Settings) -> None:
        prefix, partitions = settings.topic_prefix, settings.partitions
        self._calendar = Place(events_topic("repayment", prefix), partition_of(_CALENDAR, partitions))
        services = {
            Place(events_topic(service, prefix), partition): service
            for service in _READS
            for partition in range(partitions)
        }
        self._places = (self._calendar, *services)
        self._heard = Heard(services)
        self._reader = LogReader(settings.require_kafka(), client_id="loanstream-replay")
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._next = 0

    @property
    def business_date(self) -> date | None:
        """The open business date; None before the calendar opens."""
        return self._heard.business_date

    async def __aenter__(self) -> Self:
        await self._reader.start()
        ends = await self._reader.ends(self._places)
        self._reader.assign(ends | {self._calendar: 0})
        while self._next < ends[self._calendar]:
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
        await self._until(
            lambda: self._heard.is_closed(business_date) or None, f"{business_date} was not closed"
        )

    async def dated(self, service: str, business_date: date) -> None:
        """Return as soon as all partitions of a service act on this date or a later one: onboarding and collections follow
        the calendar while nobody waits for them. Raises ReplayFailed."""
        await self._until(
            lambda: self._heard.has_date(service, business_date) or None,
            f"{service} did not come to {business_date}",
        )

    async def told(self, *facts: Fact) -> Fact:
        """Return the first of these facts that the log tells. Raises ReplayFailed when it tells none of them."""
        names = " or ".join(f"{event.__name__} of {key}" for event, key in facts)
        return await self._until(lambda: self._heard.first_of(facts), f"the log did not tell {names}")

    async def _until(self, look: Callable[[], _Seen | None], complaint: str) -> _Seen:
        seen = look()
        try:
            async with asyncio.timeout(_LIMIT_S), self._changed:
                while seen is None:
                    await self._changed.wait()
                    seen = look()
        except TimeoutError:
            raise ReplayFailed(
                f"{complaint} in {_LIMIT_S:.0f} seconds: look at the services' logs."
            ) from None
        return seen

    async def _follow(self) -> None:
        while True:
            try:
                await self._read()
            except LogUnavailable:
                await asyncio.sleep(_POLL_S)

    async def _read(self) -> None:
        for place, records in (await self._reader.poll(_POLL_S, 5000)).items():
            found = [event for raw in records for event in told_in(raw)]
            if place == self._calendar:
                self._next = records[-1].offset + 1
            if found:
                async with self._changed:
                    self._heard.take(place, found)
                    self._changed.notify_all()


def told_in(raw: RawRecord) -> tuple[StoredEvent, ...]:
    """The events of a record that say something here. Most say nothing: they are known by their bytes and not parsed."""
    if not any(mark in raw.value for mark in _MARKS):
        return ()
    events = parse_decision(raw.value).events
    return tuple(event for event in events if event.type in _KEYS or event.type in (*_OPENS, _DATED))
