"""One partition of the decider's shell: its queue of commands, its store, its producer, and how it starts over.

Recovery is always the same path: take the head that is kept, fold the log to its end, decide on.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable

import structlog

from libs.events.chain import Reading
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime import failpoints
from libs.runtime import observability as metrics
from libs.runtime.attempts import Attempts, HangWatch
from libs.runtime.checkpoint import is_held
from libs.runtime.command_queue import CommandQueue
from libs.runtime.day import day_aggregate
from libs.runtime.decider_links import Tails, Writers
from libs.runtime.deciding import PartitionDecider
from libs.runtime.decision import Outgoing
from libs.runtime.decision_counts import DecisionCounts, gauge_partition
from libs.runtime.kafka import LogUnavailable, LogWriter, Place, RecordTooLarge
from libs.runtime.recount import lost_commands
from libs.runtime.recovery import open_memory
from libs.runtime.replica_role import Assignment, ReplicaRole
from libs.runtime.restarts import Restarts, unless, wait
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.store import RocksStore, drop_outdated, store_path

log = structlog.get_logger()

#: Commands decided in one go before other tasks of the process may run.
DECIDED_IN_ONE_GO = 20


class PartitionStalled(Exception):
    """A decision was neither accepted nor beaten in time, or a producer failed: the partition starts over."""


class PartitionLoop:
    """One partition: its decider, its queue of commands, its producer."""

    def __init__(
        self,
        settings: Settings,
        service: Service,
        partition: int,
        assignment: Assignment,
        hang_watch: HangWatch | None = None,
    ) -> None:
        self._settings = settings
        self._service = service
        self.partition = partition
        self.commands = Place(commands_topic(service.name, settings.topic_prefix), partition)
        self.events = Place(events_topic(service.name, settings.topic_prefix), partition)
        self._decide_seconds = metrics.DECIDE_SECONDS.labels(service.name)
        self._counts = DecisionCounts(service, partition, settings.replica)
        self._aggregates = (*service.aggregates, day_aggregate())
        self._path = store_path(
            settings.data_dir, self.events.topic, settings.replica, partition, self._aggregates
        )
        self._store: RocksStore | None = None
        self._queue = CommandQueue()
        self._signal = asyncio.Event()
        self._restarts = Restarts()
        self._moved_at = time.monotonic()
        self._reads_anew = False
        self._decided = False
        self.role = ReplicaRole(settings.replica, service.rules, assignment, patience_s=settings.take_over_s)
        self._hang_watch = hang_watch or HangWatch()
        self._attempts: Attempts | None = None
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

    # --- active or passive --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Everything is folded: decide or follow, as the table and the head say; refuse what killed three times."""
        self._attempts = Attempts(self._path.with_name(f"{self.partition}.attempts"))
        self.decider.doomed = self._attempts.doomed
        if self._attempts.died_at > self.decider.head.position:
            log.error(
                "process_died_deciding",
                service=self._service.name,
                partition=self.partition,
                position=self._attempts.died_at,
                deaths=self._attempts.deaths,
                refused=self._attempts.doomed is not None,
            )
        self.role.start(self.decider.head_by, self.decider.head_rules)
        self._note_role()

    def assign(self, assignment: Assignment) -> None:
        """Take over what the table's next version says of this partition."""
        self.role.assign(assignment)
        self._note_role()
        self._signal.set()

    def _note_role(self) -> None:
        """Tell the role after anything that may change it. Who stops deciding reads his commands again, later."""
        name, number = self._service.name, str(self.partition)
        decides = self.role.decides
        if decides != self._decided:
            log.info(
                "partition_active" if decides else "partition_passive",
                service=name,
                partition=self.partition,
                by=self.role.replica,
                head_by=self.decider.head_by,
            )
        self._reads_anew = self._reads_anew or (self._decided and not decides)
        self._decided = decides
        metrics.PARTITION_ACTIVE.labels(name, number).set(int(decides))
        metrics.PARTITION_HELD_BACK.labels(name, number).set(int(self.role.held_back))

    async def _follow(self, tails: Tails, stop: asyncio.Event) -> None:
        """Keep the commands that nobody has decided yet, and take over when nobody does."""
        left_s = self._patience_left_s(tails)
        if left_s != 0.0:
            await self._sleep(left_s)
            return
        # A process that slept has not read the last decisions yet: without this it would contend with who is well.
        await self._fold_to_end(tails, stop)
        if self._patience_left_s(tails) == 0.0 and not stop.is_set():
            self._take_over()

    def _patience_left_s(self, tails: Tails) -> float | None:
        position = self.decider.next_position
        if self._reads_anew or (self._queue and self._queue.first.offset > position):
            self._read_commands_anew(tails)
            position = self.decider.next_position
        self._queue.drop_below(position)
        return self.role.patience_left_s(time.monotonic(), position, waits=bool(self._queue))

    def _take_over(self) -> None:
        labels = (self._service.name, str(self.partition))
        was_held_back = self.role.held_back
        if self.role.take_over():
            metrics.TAKE_OVERS.labels(*labels).inc()
        elif not was_held_back:
            log.error(
                "partition_held_back",
                service=self._service.name,
                partition=self.partition,
                rules=self._service.rules,
                head_rules=self.role.head_rules,
                mend="deploy the newer rules, or allow these with `loanstream rules --allow`",
            )
        self._note_role()

    def close(self) -> None:
        """Flush and close the store."""
        if self._attempts is not None:
            self._attempts.close()
            self._attempts = None
        if self._store is not None:
            self.decider.flush()
            self._store.close()
            self._store = None

    # --- what the two consumers bring ---------------------------------------------------------------------------

    def take_commands(self, records: Iterable[RawRecord]) -> bool:
        """Queue commands to decide; True when the queue is full and fetching should pause."""
        self._queue.add(records)
        self._signal.set()
        return self._queue.is_full

    @property
    def wants_commands(self) -> bool:
        """Whether the queue has room again."""
        return self._queue.has_room

    @property
    def waiting_since_ms(self) -> int | None:
        """Log time of the oldest command not yet decided; None when none waits."""
        return self._queue.waiting_since_ms

    @property
    def stands_still_s(self) -> float:
        """For how long commands have waited here and nothing moved, by a clock that nobody sets; 0 when none waits."""
        return time.monotonic() - max(self._moved_at, self._queue.waits_since) if self._queue else 0.0

    def take_events(self, records: Iterable[RawRecord]) -> None:
        """Fold records of the own events topic; the log's word is final."""
        name, own = self._service.name, False
        for raw in records:
            reading = self.decider.accept(raw)
            self.read_to = raw.offset + 1
            if reading is Reading.ACCEPTED:
                self.role.accepted(self.decider.head_by, self.decider.head_rules)
                own |= self.decider.head_by == self.role.replica
                self._counts.accepted(raw, self.decider.head)
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
        recovers = self.is_in_doubt or self._attempts is None
        if own and self.role.decides and not recovers:
            failpoints.reach("decision-accepted")
        self.decider.flush()
        self._queue.drop_below(self.decider.next_position)  # another replica may have decided it
        self._note_role()
        gauge_partition(name, self.partition, self.decider, self.waiting_since_ms)
        self._moved_at = time.monotonic()
        self._signal.set()

    # --- deciding -----------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event, tails: Tails, writers: Writers) -> None:
        """Decide until stopped; after any doubt start over with a new producer.

        Raises OperatorError when Kafka can be reached and takes no decisions for two minutes; while it is away the
        partition waits (the rule: libs.runtime.restarts).
        """
        while not stop.is_set():
            writer, pause_s = None, 0.0
            try:
                if self.is_in_doubt and not await self._start_over(tails, stop):
                    return
                writer = await writers.current()
                self.is_in_doubt = False
                self._restarts.began()
                await self._decide_on(writer, tails, stop)
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

    async def _start_over(self, tails: Tails, stop: asyncio.Event) -> bool:
        """Forget speculation, wait until the log's present end is folded, read commands again from the next position.

        A head that the log no longer holds is a lost timeline, as at a start: then it is folded from offset 0. False where
        that finds that the partition must stand still.
        """
        self.decider.drop_speculation()
        head = self.decider.head
        if head.offset >= 0 and not await is_held(self._settings.require_kafka(), self.events, head):
            tails.events.drop(
                self.events
            )  # or what is on its way would be folded into a store that is closed
            self.close()
            await self.recover()
            tails.events.seek(self.events, self.read_to)
        await self._fold_to_end(tails, stop)
        if self._attempts is None and not stop.is_set():
            await self.check_commands()
            if self.halted is not None:
                tails.commands.pause(self.commands)
                return False
            self.begin()
        self._read_commands_anew(tails)
        return True

    async def _fold_to_end(self, tails: Tails, stop: asyncio.Event) -> None:
        ends = await unless(stop, tails.asking.ends([self.events])) or {}
        while self.read_to < ends.get(self.events, 0) and not stop.is_set():
            await self._sleep()

    def _read_commands_anew(self, tails: Tails) -> None:
        """What was decided ahead, and left the queue for it, counts no more."""
        self._reads_anew = False
        self.decider.drop_speculation()
        self._queue.clear()
        tails.commands.seek(self.commands, self.decider.next_position)

    async def _decide_on(self, writer: LogWriter, tails: Tails, stop: asyncio.Event) -> None:
        futures: deque[asyncio.Future[object]] = deque()
        turned_at = time.monotonic()
        while not stop.is_set():
            slept_s, turned_at = time.monotonic() - turned_at, time.monotonic()
            if slept_s > self._settings.take_over_s and self.role.assignment.standby is not None:
                await self._fold_to_end(tails, stop)  # it may have been replaced meanwhile
            self._signal.clear()
            if not self.role.decides:
                await self._follow(tails, stop)
            elif await self._decide_some(writer, futures):
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
            if not self._queue or self._is_full() or not self.role.decides:
                break
            raw = self._queue.first
            if raw.offset != self.decider.next_position:
                if raw.offset > self.decider.next_position:
                    raise PartitionStalled(f"commands jump from {self.decider.next_position} to {raw.offset}")
                self._queue.drop_first()
                continue
            if not self.decider.unconfirmed:
                self._moved_at = time.monotonic()
            outgoing = self._decide(raw)
            if outgoing is None:
                break
            self._queue.drop_first()
            decided = True
            futures.append(
                await writer.post(
                    self.events, key=outgoing.key, value=outgoing.value, headers=outgoing.headers
                )
            )
        return decided

    def _decide(self, raw: RawRecord) -> Outgoing | None:
        """Decide one command, marked as the one at which the process died if it dies. What raises leaves the mark."""
        assert self._attempts is not None, "a partition that has begun"
        self._attempts.begin(raw.offset)
        self._hang_watch.begin()
        try:
            with self._decide_seconds.time():
                outgoing = self.decider.decide(raw)
        except OSError:
            self._attempts.end()  # a disk that is full says nothing about the command
            raise
        finally:
            self._hang_watch.end()
        self._attempts.end()
        return outgoing

    def _is_full(self) -> bool:
        return (
            self.decider.unconfirmed >= self._settings.max_unconfirmed
            or self.decider.unconfirmed_bytes >= self._settings.max_unconfirmed_bytes
        )

    async def _sleep(self, at_most_s: float | None = None) -> None:
        """Until something arrives; at most a quarter of a second, so that limits are looked at."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.25 if at_most_s is None else min(0.25, at_most_s)):
                await self._signal.wait()
        self._signal.clear()


def _raise_failed(futures: "deque[asyncio.Future[object]]") -> None:
    """Drop what the broker has acknowledged. Raises PartitionStalled for the first record that it did not take."""
    while futures and futures[0].done():
        error = futures.popleft().exception()
        if error is not None:
            raise PartitionStalled(f"the broker did not take a decision: {error!r}")
        failpoints.reach("decision-stored")
