"""What became of a command: the API's own tail of its service's decisions, and whether the decider still moves.

Every API process reads `S.events` by the reader rule and hands a decision to the request that waits for it, matched by
command id *and* fingerprint, so a key that was used for another body never gets that body's answer (design.md 2.9).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from libs.events.chain import ChainReader, Checkpoint, Reading
from libs.events.codec import Undecodable, name_of
from libs.events.records import RawRecord, StoredEvent, parse_decision
from libs.events.system import CommandRepeated
from libs.events.topics import commands_topic, events_topic
from libs.runtime.checkpoint import LostTimeline
from libs.runtime.kafka import LogUnavailable, OffsetMissing, Place
from libs.runtime.observability import COMMANDS_LOST, RECORDS_FOREIGN, RECORDS_REPEATED
from libs.runtime.waiting import until_set

log = structlog.get_logger()

SAMPLE_S: Final = 0.25
ANCHOR_S: Final = 1.0
#: Requests that may wait for their decisions at a time; more would only wait longer and fill the memory.
WAITING_MAX: Final = 4_000
_POLL_S: Final = 0.25
_RECONNECT_S: Final = 0.5


class Reads(Protocol):
    """The calls of LogReader that a tail needs."""

    async def start(self) -> None:
        """See LogReader."""

    async def stop(self) -> None:
        """See LogReader."""

    def assign(self, starts: Mapping[Place, int]) -> None:
        """See LogReader."""

    async def poll(self, timeout_s: float, records_max: int = 1000) -> dict[Place, list[RawRecord]]:
        """See LogReader."""

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """See LogReader."""


class AnchorsUnavailable(Exception):
    """The anchors' home does not answer."""


class Anchors(Protocol):
    """Where the tail keeps its triples. Both calls raise AnchorsUnavailable."""

    async def load(self, place: Place) -> Checkpoint | None:
        """The triple last kept for a partition."""

    async def save(self, checkpoints: Mapping[Place, Checkpoint]) -> None:
        """Keep triples."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The *first* answer to a command, whichever record told it: its events, still as stored."""

    events: tuple[StoredEvent, ...]


class Expectation:
    """One request's wait for one decision."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Outcome | None] = self._loop.create_future()

    def settle(self, outcome: Outcome) -> None:
        """Give the answer; a second one says the same and is ignored."""
        if not self._future.done():
            self._future.set_result(outcome)

    def fail(self, error: Exception) -> None:
        """Let the waiting request fail instead of the tail."""
        if not self._future.done():
            self._future.set_exception(error)

    async def within(self, limit_s: float) -> Outcome | None:
        """The outcome, or None when nothing was decided in time."""
        timer = self._loop.call_later(limit_s, self._give_up)
        try:
            return await self._future
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        if not self._future.done():
            self._future.set_result(None)


class Outcomes:
    """Tails the decisions of one service and watches how far the decider is behind its commands.

    `follow` gives a reader of decisions, which may be the process's shared one; `watch` gives one that only asks for end
    offsets: on a connection of its own, because a broker answers a connection's requests in turn and a fetch waits long.
    `home` says in words where the anchors are kept.
    """

    def __init__(
        self,
        service: str,
        *,
        partitions: int,
        topic_prefix: str,
        stall_s: float,
        follow: Callable[[], Reads],
        watch: Callable[[], Reads],
        resume: Callable[[Place, Checkpoint | None], Awaitable[ChainReader]],
        anchors: Anchors,
        home: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._events = [Place(events_topic(service, topic_prefix), number) for number in range(partitions)]
        self._commands = [
            Place(commands_topic(service, topic_prefix), number) for number in range(partitions)
        ]
        self._stall_s = stall_s
        self._follow = follow
        self._watch = watch
        self._resume = resume
        self._anchors = anchors
        self._home = home
        self._clock = clock
        self._chains: dict[Place, ChainReader] = {}
        self._read_to: dict[Place, int] = {}
        self._expected: dict[tuple[bytes, bytes], list[Expectation]] = {}
        self._pulses = [_Pulse() for _ in range(partitions)]
        self._sampled_at: float | None = None
        self._start_ends: dict[Place, int] | None = None
        self._commands_ends: dict[int, int] | None = None

    # --- what a request asks --------------------------------------------------------------------------------------

    @contextmanager
    def expect(self, command_id: str, fingerprint: str) -> Iterator[Expectation]:
        """Watch for a decision from here on. Enter before sending, so that no decision is missed."""
        key = (command_id.encode(), fingerprint.encode())
        expectation = Expectation()
        self._expected.setdefault(key, []).append(expectation)
        try:
            yield expectation
        finally:
            waiting = self._expected[key]
            waiting.remove(expectation)
            if not waiting:
                del self._expected[key]

    def stalled(self, partition: int) -> str | None:
        """Why a command sent to this partition now would not be answered, as a problem code; None if it would."""
        now = self._clock()
        if len(self._expected) > WAITING_MAX:
            return "too_many_waiting"
        if self._sampled_at is None or now - self._sampled_at > self._stall_s + SAMPLE_S:
            return "log_unavailable"
        pulse = self._pulses[partition]
        if pulse.is_lost:
            return "commands_lost"
        return "commands_waiting" if pulse.silent_s(now) >= self._stall_s else None

    def caught_up(self) -> tuple[bool, str]:
        """Whether the tail has read everything that was in the log when it started, and still hears from the broker."""
        if self._start_ends is None:
            return False, "the log has not answered yet"
        behind = sum(1 for place, end in self._start_ends.items() if self._read_to.get(place, 0) < end)
        if behind:
            return False, f"{behind} partitions of {self._service}.events are not read up to their end"
        if self.stalled(0) == "log_unavailable":
            return False, "the log does not answer"
        return True, ""

    def commands_ends(self) -> dict[int, int] | None:
        """The end of each partition's commands as last heard; None before the first time."""
        return self._commands_ends

    # --- running ----------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Tail, sample and keep anchors until `stop`. Raises LostTimeline."""
        await self._resume_all(stop)
        if stop.is_set():
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._while_connected(stop, self._follow, self._tail))
                tasks.create_task(self._while_connected(stop, self._watch, self._sample))
                tasks.create_task(self._keep_anchors(stop))
        except ExceptionGroup as group:  # the first failure is the reason; the others were cancelled for it
            raise group.exceptions[0] from None

    async def _resume_all(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                for place in self._events:
                    anchor = await self._anchors.load(place)
                    chain = await self._resume(place, anchor)
                    self._chains[place] = chain
                    self._read_to[place] = chain.head.offset + 1
                return
            except (LogUnavailable, AnchorsUnavailable) as error:
                log.warning("tail_waits_to_start", service=self._service, error=str(error))
                await until_set(stop, _RECONNECT_S)

    async def _while_connected(
        self,
        stop: asyncio.Event,
        connect: Callable[[], Reads],
        work: Callable[[asyncio.Event, Reads], Awaitable[None]],
    ) -> None:
        """Do the work on a fresh reader, again and again, because a broker may come and go."""
        while not stop.is_set():
            reader = connect()
            try:
                await reader.start()
                await work(stop, reader)
            except LogUnavailable as error:
                log.warning("tail_reconnects", service=self._service, error=str(error))
                await until_set(stop, _RECONNECT_S)
            except OffsetMissing as error:
                raise LostTimeline(
                    f"{self._service}.events was cut while the API read it ({error}). Start again: what {self._home} say is "
                    "looked at anew."
                ) from error
            finally:
                await reader.stop()

    async def _tail(self, stop: asyncio.Event, reader: Reads) -> None:
        reader.assign(dict(self._read_to))
        if self._start_ends is None:
            self._start_ends = await reader.ends(self._events)
        while not stop.is_set():
            for place, records in (await reader.poll(_POLL_S)).items():
                for raw in records:
                    self._read(place, raw)
                self._read_to[place] = records[-1].offset + 1

    def _read(self, place: Place, raw: RawRecord) -> None:
        match self._chains[place].read(raw):
            case Reading.ACCEPTED:
                key = (raw.headers.get("command-id", b""), raw.headers.get("fingerprint", b""))
                if key in self._expected:
                    self._settle(key, raw)
            case Reading.REPEAT:
                RECORDS_REPEATED.labels("api", self._service).inc()
            case Reading.FOREIGN:
                RECORDS_FOREIGN.labels("api", self._service).inc()
                log.error(
                    "foreign_record", service=self._service, partition=place.partition, offset=raw.offset
                )

    def _settle(self, key: tuple[bytes, bytes], raw: RawRecord) -> None:
        for expectation in self._expected[key]:
            try:
                expectation.settle(first_answer(raw.value))
            except Undecodable as error:
                expectation.fail(error)

    async def _sample(self, stop: asyncio.Event, reader: Reads) -> None:
        while not stop.is_set():
            # taken before the ends are asked for: what is decided already, was a command already
            decided = [self._chains[events].next_position for events in self._events]
            try:
                async with asyncio.timeout(self._stall_s):
                    ends = await reader.ends(self._commands)
            except TimeoutError as error:
                raise LogUnavailable("no end offsets in time") from error
            now = self._clock()
            for pulse, commands, position in zip(self._pulses, self._commands, decided, strict=True):
                was_lost = pulse.is_lost
                pulse.sample(now, position, ends[commands])
                if pulse.is_lost != was_lost:
                    self._tell_lost(commands, position, ends[commands], pulse.is_lost)
            self._sampled_at = now
            self._commands_ends = {place.partition: end for place, end in ends.items()}
            await until_set(stop, SAMPLE_S)

    def _tell_lost(self, commands: Place, next_position: int, end: int, is_lost: bool) -> None:
        COMMANDS_LOST.labels(self._service, str(commands.partition)).set(int(is_lost))
        (log.error if is_lost else log.warning)(
            "commands_lost" if is_lost else "commands_restored",
            service=self._service,
            partition=commands.partition,
            commands_end=end,
            next_position=next_position,
        )

    async def _keep_anchors(self, stop: asyncio.Event) -> None:
        kept: dict[Place, Checkpoint] = {}
        while not stop.is_set():
            await until_set(stop, ANCHOR_S)
            moved = {
                place: chain.head
                for place, chain in self._chains.items()
                if chain.head.offset >= 0 and kept.get(place) != chain.head
            }
            if moved:
                try:
                    await self._anchors.save(moved)
                    kept |= moved
                except (
                    AnchorsUnavailable
                ) as error:  # an older anchor costs the next start a longer read, no more
                    log.warning("anchors_not_kept", service=self._service, error=str(error))


@dataclass(slots=True)
class _Pulse:
    """Since when commands of one partition wait without any being decided, and whether decided ones are gone."""

    next_position: int = -1
    silent_since: float | None = None
    is_lost: bool = False

    def sample(self, now: float, next_position: int, commands_end: int) -> None:
        moved = next_position != self.next_position
        self.next_position = next_position
        self.is_lost = (
            commands_end < next_position
        )  # more was decided than there is: nothing new may take those offsets
        if commands_end <= next_position:
            self.silent_since = None
        elif moved or self.silent_since is None:
            self.silent_since = now

    def silent_s(self, now: float) -> float:
        return 0.0 if self.silent_since is None else now - self.silent_since


def first_answer(value: bytes) -> Outcome:
    """The first answer that a decision record holds: its own events, or those it repeats. Raises Undecodable."""
    events = parse_decision(value).events
    if len(events) == 1 and events[0].type == name_of(CommandRepeated):
        try:
            return Outcome(
                tuple(
                    StoredEvent(item["type"], item["stream"], item["sequence"], item["data"])
                    for item in events[0].data["first"]
                )
            )
        except (KeyError, TypeError) as error:
            raise Undecodable("a repeat without its first answer") from error
    return Outcome(events)
