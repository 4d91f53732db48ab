"""The decider's shell on Kafka: reads commands, appends decisions, tails its own events, starts over after any doubt.

Per process one consumer of commands, one of events and one producer; per partition a loop. Recovery is always the same
path: take the head that is kept, fold the log to its end, decide on.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable
from datetime import date

import structlog

from libs.events.chain import Checkpoint, Reading
from libs.events.records import RawRecord, parse_decision
from libs.events.topics import commands_topic, events_topic
from libs.runtime import observability as metrics
from libs.runtime.day import day_aggregate
from libs.runtime.decider_links import Tails, Writers
from libs.runtime.deciding import PartitionDecider
from libs.runtime.kafka import LogReader, LogUnavailable, LogWriter, Place, RecordTooLarge
from libs.runtime.recount import lost_commands
from libs.runtime.recovery import open_memory
from libs.runtime.restarts import Restarts, unless, wait
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.store import RocksStore, drop_outdated, store_path
from libs.runtime.tail import Tail, TailReader
from libs.runtime.unexpected import expected_refusals, unexpected

log = structlog.get_logger()

_DAY_ZERO = date(1970, 1, 1)
#: Commands read ahead per partition; fetching pauses above it.
QUEUED_MAX = 2_000
#: Commands decided in one go before other tasks of the process may run.
DECIDED_IN_ONE_GO = 20


class PartitionStalled(Exception):
    """A decision was neither accepted nor beaten in time, or a producer failed: the partition starts over."""


class PartitionLoop:
    """One partition: its decider, its queue of commands, its producer."""

    def __init__(self, settings: Settings, service: Service, partition: int) -> None:
        self._settings = settings
        self._service = service
        self.partition = partition
        self.commands = Place(commands_topic(service.name, settings.topic_prefix), partition)
        self.events = Place(events_topic(service.name, settings.topic_prefix), partition)
        self._expected = expected_refusals(service)
        self._aggregates = (*service.aggregates, day_aggregate())
        self._path = store_path(settings.data_dir, self.events.topic, partition, self._aggregates)
        self._store: RocksStore | None = None
        self._queue: deque[RawRecord] = deque()
        self._signal = asyncio.Event()
        self._restarts = Restarts()
        self._moved_at = time.monotonic()
        self.decider: PartitionDecider
        self.read_to = 0
        self.halted: str | None = None
        self.is_in_doubt = False

    # --- recovery -----------------------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Open the store, check its head against the log and make the decider. Raises OperatorError."""
        drop_outdated(self._path)
        self._store, memory, reader = await open_memory(self._settings, self._path, self.events)
        self.decider = PartitionDecider(
            service=self._service.name,
            aggregates=self._aggregates,
            rules=self._service.rules,
            partition=self.partition,
            partitions=self._settings.partitions,
            memory=memory,
            reader=reader,
            replica=self._settings.replica,
        )
        self.read_to = self.decider.head.offset + 1

    async def check_commands(self) -> None:
        """Halt this partition when `S.commands` is not what was decided: its API answers 503 until somebody repairs it."""
        self.halted = await lost_commands(self._settings, self.commands, self.events, self.decider.head)
        halted = metrics.PARTITION_HALTED.labels(self._service.name, str(self.partition))
        halted.set(int(self.halted is not None))
        if self.halted is not None:
            log.error(
                "partition_halted", service=self._service.name, partition=self.partition, cause=self.halted
            )

    def close(self) -> None:
        """Flush and close the store."""
        if self._store is not None:
            self.decider.flush()
            self._store.close()
            self._store = None

    # --- what the two consumers bring ---------------------------------------------------------------------------

    def take_commands(self, records: Iterable[RawRecord]) -> bool:
        """Queue commands to decide; True when the queue is full and fetching should pause."""
        self._queue.extend(records)
        self._signal.set()
        return len(self._queue) >= QUEUED_MAX

    @property
    def wants_commands(self) -> bool:
        """Whether the queue has room again."""
        return len(self._queue) < QUEUED_MAX // 2

    @property
    def waiting_since_ms(self) -> int | None:
        """Log time of the oldest command not yet decided; None when none waits."""
        return self._queue[0].timestamp_ms if self._queue else None

    def take_events(self, records: Iterable[RawRecord]) -> None:
        """Fold records of the own events topic; the log's word is final."""
        name = self._service.name
        for raw in records:
            reading = self.decider.accept(raw)
            self.read_to = raw.offset + 1
            if reading is Reading.ACCEPTED:
                _count(name, self.partition, raw, self._expected)
            elif reading is Reading.REPEAT:
                metrics.RECORDS_REPEATED.labels("decider", name).inc()
            else:
                metrics.RECORDS_FOREIGN.labels("decider", name).inc()
                log.error(
                    "foreign_record",
                    reader="decider",
                    service=name,
                    partition=self.partition,
                    offset=raw.offset,
                )
        self.decider.flush()
        self._gauge()
        self._moved_at = time.monotonic()
        self._signal.set()

    def _gauge(self) -> None:
        labels = (self._service.name, str(self.partition))
        metrics.UNCONFIRMED.labels(*labels).set(self.decider.unconfirmed)
        waiting = self.waiting_since_ms
        metrics.COMMAND_AGE_SECONDS.labels(*labels).set(
            max(0.0, time.time() - waiting / 1000) if waiting else 0.0
        )
        business_date = self.decider.business_date
        if business_date is not None:
            metrics.BUSINESS_DAY.labels(*labels).set((business_date - _DAY_ZERO).days)

    # --- deciding -----------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event, tails: Tails, writers: Writers) -> None:
        """Decide until stopped; after any doubt start over with a new producer.

        Raises OperatorError when Kafka can be reached and takes no decisions for two minutes; while it is away the
        partition waits (the rule: libs.runtime.restarts).
        """
        while not stop.is_set():
            writer, pause_s = None, 0.0
            try:
                if self.is_in_doubt:
                    await self._start_over(tails, stop)
                writer = await writers.current()
                self.is_in_doubt = False
                self._restarts.began()
                await self._decide_on(writer, stop)
            except (LogUnavailable, RecordTooLarge, PartitionStalled) as error:
                self.is_in_doubt = True
                log.warning("partition_starts_over", partition=self.partition, cause=str(error))
                metrics.PARTITION_RESTARTS.labels(self._service.name, str(self.partition)).inc()
                await writers.discard(writer)
                pause_s = self._restarts.after_failure(
                    f"Kafka does not take the decisions of {self._service.name} partition {self.partition} ({error})."
                )
            if pause_s:
                await wait(stop, pause_s)

    async def _start_over(self, tails: Tails, stop: asyncio.Event) -> None:
        """Forget speculation, wait until the log's present end is folded, read commands again from the next position."""
        self.decider.drop_speculation()
        ends = await unless(stop, tails.events.ends([self.events])) or {}
        while self.read_to < ends.get(self.events, 0) and not stop.is_set():
            await self._sleep()
        self._queue.clear()
        tails.commands.seek(self.commands, self.decider.next_position)

    async def _decide_on(self, writer: LogWriter, stop: asyncio.Event) -> None:
        futures: deque[asyncio.Future[object]] = deque()
        while not stop.is_set():
            self._signal.clear()
            if await self._decide_some(writer, futures):
                await asyncio.sleep(0)
            else:
                await self._sleep()
            _raise_failed(futures)
            waited = time.monotonic() - self._moved_at
            if self.decider.unconfirmed and waited > self._settings.confirm_timeout_s:
                raise PartitionStalled(f"a decision was neither accepted nor beaten in {waited:.1f} s")

    async def _decide_some(self, writer: LogWriter, futures: "deque[asyncio.Future[object]]") -> bool:
        """Decide and send a few commands; False when there is nothing to do before something arrives."""
        decided = False
        for _ in range(DECIDED_IN_ONE_GO):
            if not self._queue or self._is_full():
                break
            raw = self._queue[0]
            if raw.offset != self.decider.next_position:
                if raw.offset > self.decider.next_position:
                    raise PartitionStalled(f"commands jump from {self.decider.next_position} to {raw.offset}")
                self._queue.popleft()
                continue
            if not self.decider.unconfirmed:
                self._moved_at = time.monotonic()
            with metrics.DECIDE_SECONDS.labels(self._service.name).time():
                outgoing = self.decider.decide(raw)
            if outgoing is None:
                break
            self._queue.popleft()
            decided = True
            futures.append(
                await writer.post(
                    self.events, key=outgoing.key, value=outgoing.value, headers=outgoing.headers
                )
            )
        return decided

    def _is_full(self) -> bool:
        return (
            self.decider.unconfirmed >= self._settings.max_unconfirmed
            or self.decider.unconfirmed_bytes >= self._settings.max_unconfirmed_bytes
        )

    async def _sleep(self) -> None:
        """Until something arrives; at most a quarter of a second, so that limits are looked at."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.25):
                await self._signal.wait()
        self._signal.clear()


class DeciderRole:
    """Decides all partitions of one service in this process."""

    def __init__(self, settings: Settings, service: Service, tail: Tail) -> None:
        self._settings = settings
        self._service = service
        self._tail = tail
        self._loops = [
            PartitionLoop(settings, service, partition) for partition in range(settings.partitions)
        ]
        self._by_place = {place: loop for loop in self._loops for place in (loop.commands, loop.events)}
        self._caught_up = False

    async def run(self, stop: asyncio.Event) -> None:
        """Recover, then decide until stopped. Raises OperatorError and LogUnavailable."""
        tails = Tails(self._settings, self._service, self._tail)
        writers = Writers(self._settings, self._service)
        await tails.commands.start()
        await tails.events.start()
        try:
            await self._recover(tails, stop)
            self._caught_up = not stop.is_set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tail_events(tails.events, stop))
                group.create_task(self._tail_commands(tails.commands, stop))
                for loop in self._loops:
                    if loop.halted is None:
                        group.create_task(loop.run(stop, tails, writers))
        finally:
            await writers.close()
            await tails.commands.stop()
            await tails.events.stop()
            for loop in self._loops:
                loop.close()

    def ready(self) -> tuple[bool, str]:
        """Caught up, and no partition halted, starting over or waiting longer than the stall limit."""
        if not self._caught_up:
            return False, "recovering"
        halted = [loop for loop in self._loops if loop.halted]
        if halted:
            return False, f"partition {halted[0].partition} is halted: {halted[0].halted}"
        in_doubt = [loop for loop in self._loops if loop.is_in_doubt]
        if in_doubt:
            return False, f"partition {in_doubt[0].partition} starts over"
        oldest = min(
            (since for loop in self._loops if (since := loop.waiting_since_ms) is not None), default=None
        )
        if (
            oldest is not None
            and time.time() - oldest / 1000 > self._settings.stall_s + self._settings.confirm_timeout_s
        ):
            return False, "commands wait without progress"
        return True, ""

    def heads(self) -> dict[int, Checkpoint]:
        """The last accepted decision of each partition that has recovered."""
        return {loop.partition: loop.decider.head for loop in self._loops if hasattr(loop, "decider")}

    async def _recover(self, tails: Tails, stop: asyncio.Event) -> None:
        """Fold the log to its end. After `stop` it is left as it is: the tail that delivers has ended, too."""
        for loop in self._loops:
            await loop.recover()
        tails.events.assign({loop.events: loop.read_to for loop in self._loops})
        ends = await tails.events.ends([loop.events for loop in self._loops])
        while any(loop.read_to < ends[loop.events] for loop in self._loops):
            if stop.is_set():
                return
            for place, records in (await tails.events.poll(0.5)).items():
                self._by_place[place].take_events(records)
        for loop in self._loops:
            await loop.check_commands()
        tails.commands.assign(
            {loop.commands: loop.decider.next_position for loop in self._loops if loop.halted is None}
        )

    async def _tail_events(self, reader: TailReader, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for place, records in (await reader.poll(0.25)).items():
                self._by_place[place].take_events(records)

    async def _tail_commands(self, reader: LogReader, stop: asyncio.Event) -> None:
        paused: set[Place] = set()
        while not stop.is_set():
            for place, records in (await _poll(reader)).items():
                if self._by_place[place].take_commands(records):
                    reader.pause(place)
                    paused.add(place)
            for place in [place for place in paused if self._by_place[place].wants_commands]:
                reader.resume(place)
                paused.discard(place)


async def _poll(reader: LogReader) -> dict[Place, list[RawRecord]]:
    try:
        return await reader.poll(0.25, 500)
    except LogUnavailable as error:  # the client reconnects by itself; nothing is lost by asking again
        log.warning("broker_unavailable", cause=str(error))
        await asyncio.sleep(0.5)
        return {}


def _raise_failed(futures: "deque[asyncio.Future[object]]") -> None:
    """Drop what the broker has acknowledged. Raises PartitionStalled for the first record that it did not take."""
    while futures and futures[0].done():
        error = futures.popleft().exception()
        if error is not None:
            raise PartitionStalled(f"the broker did not take a decision: {error!r}")


def _count(service: str, partition: int, raw: RawRecord, expected: frozenset[str]) -> None:
    """Count a decision by outcome, and alarm for what a person must look at. Most is known from the first bytes."""
    events = raw.value[raw.value.find(b'"events":[') :]
    first = events[:80]
    outcome = "no_effect" if b"system.CommandHadNoEffect" in first else "events"
    if b"system.CommandRefused" in first:
        outcome = "refused"
        _alarm(service, partition, raw, expected)
    elif b"system.CommandRepeated" in first:
        outcome = "repeated"
    elif b"system.PolicyFailed" in first:
        _alarm(service, partition, raw, expected)
    else:
        failures = events.count(b'"type":"system.WakeFailed.')
        if failures:
            metrics.WAKE_FAILURES.labels(service).inc(failures)
    metrics.DECISIONS.labels(service, outcome).inc()


def _alarm(service: str, partition: int, raw: RawRecord, expected: frozenset[str]) -> None:
    """Count and tell what the view of parked commands will show of a decision."""
    for stored in parse_decision(raw.value).events:
        kind = unexpected(stored, from_policy="source" in raw.headers, expected=expected)
        if kind is not None:
            code = stored.data["code"] if kind == "refused" else kind
            metrics.PARKED.labels(service, code).inc()
            log.error(
                "decision_parked",
                service=service,
                partition=partition,
                position=int(raw.headers["position"]),
                code=code,
                command_type=raw.headers.get("type", b"").decode(),
            )
