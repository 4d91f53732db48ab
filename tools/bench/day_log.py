"""What a day's close leaves in the log, read beside it: when its phases ended, how much was stored, what was said of how many loans."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from libs.events.records import RawRecord, parse_decision
from libs.events.topics import commands_topic, events_topic
from libs.runtime.kafka import LogReader, Place
from libs.runtime.settings import Settings

SERVICES: Final = ("bidding", "repayment")
#: At rest: nothing came for so long, so many times.
_QUIET_S: Final = 0.4
_QUIET_POLLS: Final = 3
_TOLD: Final = {
    "repayment.InstallmentDue.v1": "dues",
    "repayment.DebitRequested.v1": "retries",
    "repayment.PaymentMissed.v1": "misses",
    "repayment.OverdueBucketChanged.v1": "moves",
    "repayment.LoanClassified.v1": "classes",
    "repayment.PenaltyCharged.v1": "charges",
}


@dataclass(frozen=True, slots=True)
class DayStored:
    """One close: seconds of the log's clock from its command to its end and to the ends of its phases; what was stored till then
    (records and bytes of commands and decisions); how many loans changed, and what was said of them."""

    seconds: float
    phases_s: dict[str, float]
    records: int
    bytes: int
    changed: int
    told: dict[str, int]


class DayLog:
    """Follows commands and decisions of both services from the present end on, one day after the other."""

    def __init__(self, settings: Settings) -> None:
        self._events, self._commands = (
            {topic(service, settings.topic_prefix) for service in SERVICES}
            for topic in (events_topic, commands_topic)
        )
        self._places = [
            Place(topic, number)
            for topic in sorted(self._events | self._commands)
            for number in range(settings.partitions)
        ]
        self._of_loans = events_topic("repayment", settings.topic_prefix)
        self._calendars = commands_topic("repayment", settings.topic_prefix)
        self._reader = LogReader(settings.require_kafka(), client_id="bench-day")
        self._undecided = 0
        self._begin()

    def _begin(self) -> None:
        self._stored: list[tuple[int, int]] = []
        self._decisions: list[RawRecord] = []
        self._phases: list[RawRecord] = []
        self._began_ms = self._ended_ms = 0

    async def start(self) -> None:
        """Read from the end on."""
        await self._reader.start()
        self._reader.assign(await self._reader.ends(self._places))

    async def stop(self) -> None:
        """Read no more."""
        await self._reader.stop()

    async def at_rest(self, limit_s: float, *, closed: bool) -> None:
        """Until the day is closed (where one was asked for), every command has its decision and no policy says more. Raises
        TimeoutError."""
        quiet = 0
        async with asyncio.timeout(limit_s):
            while quiet < _QUIET_POLLS or self._undecided or (closed and not self._ended_ms):
                batch = await self._reader.poll(_QUIET_S)
                quiet = 0 if batch else quiet + 1
                for place, records in batch.items():
                    for raw in records:
                        self._take(place, raw)

    def _take(self, place: Place, raw: RawRecord) -> None:
        size = (
            len(raw.value)
            + len(raw.key or b"")
            + sum(len(name) + len(raw.headers[name]) for name in raw.headers)
        )
        self._stored.append((raw.timestamp_ms, size))
        if place.topic in self._commands:
            self._undecided += 1
            if place.topic == self._calendars and raw.key == b"calendar" and b"CloseBusinessDay" in raw.value:
                self._began_ms = raw.timestamp_ms
            return
        self._undecided -= 1
        if b".PhaseDone." in raw.value:
            self._phases.append(raw)
        if place.topic != self._of_loans:
            return
        self._decisions.append(raw)
        if raw.key == b"calendar" and b".BusinessDayClosed." in raw.value:
            self._ended_ms = raw.timestamp_ms

    def taken(self) -> DayStored:
        """The day that has just been read, and begin the next one."""
        told: Counter[str] = Counter(dict.fromkeys((*_TOLD.values(), "penalty_fen"), 0))
        changed: set[str] = set()
        for raw in self._decisions:
            for event in parse_decision(raw.value).events:
                if event.stream is None or not event.stream.startswith("loan_"):
                    continue
                changed.add(event.stream)
                if event.type in _TOLD:
                    told[_TOLD[event.type]] += 1
                if event.type == "repayment.PenaltyCharged.v1":
                    told["penalty_fen"] += event.data["penalty_fen"]
        within = [size for at_ms, size in self._stored if at_ms <= self._ended_ms]
        ends: dict[int, int] = {}
        for raw in self._phases:
            for event in parse_decision(raw.value).events:
                if event.type == "system.PhaseDone.v1":
                    phase = event.data["phase"]
                    ends[phase] = max(ends.get(phase, 0), raw.timestamp_ms)
        day = DayStored(
            seconds=(self._ended_ms - self._began_ms) / 1000,
            phases_s={f"phase_{phase}": (ends[phase] - self._began_ms) / 1000 for phase in sorted(ends)},
            records=len(within),
            bytes=sum(within),
            changed=len(changed),
            told=dict(told),
        )
        self._begin()
        return day
