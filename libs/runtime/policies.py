"""The policies' shell on Kafka: one group per (service, source), commands stored first, then the commit.

A crash between the two sends the same commands again; the decider drops them by the source rule. Nothing is ever skipped.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence

import structlog

from libs.events.chain import Reading
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime import observability as metrics
from libs.runtime.checkpoint import resume
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import LogReader, LogUnavailable, LogWriter, Place, RecordTooLarge, stored_offset
from libs.runtime.policing import OutgoingCommand, PolicyPartition, group_name, waves
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tail import Tail, TailReader

log = structlog.get_logger()

#: Seconds between commits of a group's checkpoints; a crash sends at most this much again.
COMMIT_EVERY_S = 1.0
RESTARTS_PER_MINUTE_MAX = 3
#: The partitions of a source end a phase within a moment of each other; their markers then share one flush to disk,
#: which is the dearest step of an empty day (decisions/0003).
GATHER_S = 0.003


class PolicyGroup:
    """One policy group: all partitions of one source."""

    def __init__(self, settings: Settings, service: Service, source: str, tail: Tail) -> None:
        self._settings = settings
        self._tail = tail
        self._service = service
        self._source = source
        self.name = group_name(service.name, source)
        self._topic = events_topic(source, settings.topic_prefix)
        self._commands = commands_topic(service.name, settings.topic_prefix)
        self._places = [Place(self._topic, partition) for partition in range(settings.partitions)]
        self._partitions: dict[int, PolicyPartition] = {}
        self._dirty = False
        self._committed_at = time.monotonic()
        self._ends: dict[Place, int] = {}
        self.oldest_waiting_s = 0.0
        self.started = False

    async def run(self, stop: asyncio.Event) -> None:
        """Read, send, commit until stopped; after any doubt start again from the last commit. Raises OperatorError."""
        restarts: deque[float] = deque()
        while not stop.is_set():
            reader = self._tail.reader()
            commits = LogReader(
                self._settings.require_kafka(),
                client_id=self.name,
                group=self._settings.topic_prefix + self.name,
            )
            writer = LogWriter(self._settings.require_kafka(), client_id=f"{self.name}-writer")
            try:
                await reader.start()
                await commits.start()
                await writer.start()
                await self._resume(reader, commits)
                await self._follow(reader, commits, writer, stop)
            except (LogUnavailable, RecordTooLarge) as error:
                log.warning("policy_starts_over", policy=self.name, cause=str(error))
                restarts.append(time.monotonic())
                while restarts[-1] - restarts[0] > 60:
                    restarts.popleft()
                if len(restarts) >= RESTARTS_PER_MINUTE_MAX:
                    raise OperatorError(
                        f"The policy group {self.name} had to start over {len(restarts)} times in a minute: Kafka does not "
                        "take its commands. Look at the broker's log, then start the service again."
                    ) from error
            finally:
                await writer.stop()
                await commits.stop()
                await reader.stop()

    async def _resume(self, reader: TailReader, commits: LogReader) -> None:
        committed = await commits.committed(self._places)
        for place in self._places:
            chain = await resume(
                self._settings.require_kafka(),
                self._settings.require_log_id(),
                place,
                committed.get(place),
                home=f"the commits of the consumer group {self._settings.topic_prefix + self.name}",
            )
            self._partitions[place.partition] = PolicyPartition(
                self._service,
                self._source,
                topic=self._topic,
                partition=place.partition,
                partitions=self._settings.partitions,
                reader=chain,
            )
        commits.assign_for_commits(self._places)
        reader.assign({place: self._partitions[place.partition].head.offset + 1 for place in self._places})
        self.started = True

    async def _follow(
        self, reader: TailReader, commits: LogReader, writer: LogWriter, stop: asyncio.Event
    ) -> None:
        while not stop.is_set():
            batch = await reader.poll(0.25, 500, gather_s=GATHER_S)
            if batch:
                oldest = min(records[0].timestamp_ms for records in batch.values())
                self.oldest_waiting_s = max(0.0, time.time() - oldest / 1000)
                await self._handle(batch, writer)
                self._dirty = True
            else:
                self.oldest_waiting_s = 0.0
            metrics.POLICY_AGE_SECONDS.labels(self.name).set(self.oldest_waiting_s)
            since_commit = time.monotonic() - self._committed_at if self._dirty else 0.0
            metrics.COMMIT_AGE_SECONDS.labels(self.name).set(since_commit)
            await self._commit(commits)
        await self._commit(commits, at_once=True)

    async def _handle(self, batch: Mapping[Place, Sequence[RawRecord]], writer: LogWriter) -> None:
        """Send the waves of a batch; what follows the end of a phase waits until everything before it is stored."""
        waiting: list[asyncio.Future[object]] = []
        records = {place.partition: records for place, records in batch.items()}
        for wave in waves(self._partitions, records, self._count):
            waiting += [await self._post(writer, command) for command in wave.commands]
            if wave.markers:
                await self._stored(waiting)
                waiting = [await self._post(writer, command) for command in wave.markers]
                await self._stored(waiting)
            metrics.POLICY_COMMANDS.labels(self.name).inc(len(wave.commands) + len(wave.markers))
        await self._stored(waiting)

    async def _post(self, writer: LogWriter, command: OutgoingCommand) -> "asyncio.Future[object]":
        return await writer.post(
            Place(self._commands, command.partition), key=command.key, value=command.value
        )

    async def _stored(self, waiting: list["asyncio.Future[object]"]) -> None:
        for future in waiting:
            await stored_offset(future, self._settings.confirm_timeout_s)
        waiting.clear()

    def _count(self, raw: RawRecord, reading: Reading) -> None:
        counter = metrics.RECORDS_REPEATED if reading is Reading.REPEAT else metrics.RECORDS_FOREIGN
        counter.labels("policy", self._source).inc()
        if reading is Reading.FOREIGN:
            log.error("foreign_record", reader=self.name, offset=raw.offset)

    async def _commit(self, commits: LogReader, *, at_once: bool = False) -> None:
        if not self._dirty or (not at_once and time.monotonic() - self._committed_at < COMMIT_EVERY_S):
            return
        heads = {
            Place(self._topic, number): partition.head
            for number, partition in self._partitions.items()
            if partition.head.offset >= 0
        }
        if heads:
            await commits.commit(heads)
        self._committed_at = time.monotonic()
        self._dirty = False


class PolicyRole:
    """All policy groups of one service in this process."""

    def __init__(self, settings: Settings, service: Service, tail: Tail) -> None:
        self._settings = settings
        self._groups = [PolicyGroup(settings, service, source, tail) for source in service.policies]

    async def run(self, stop: asyncio.Event) -> None:
        """Run every group until stopped. Raises OperatorError."""
        async with asyncio.TaskGroup() as group:
            for policy in self._groups:
                group.create_task(policy.run(stop))

    def ready(self) -> tuple[bool, str]:
        """All groups have resumed and none has events waiting longer than the stall limit."""
        for group in self._groups:
            if not group.started:
                return False, f"{group.name} is resuming"
            if group.oldest_waiting_s > self._settings.stall_s + self._settings.confirm_timeout_s:
                return False, f"{group.name} has events waiting for {group.oldest_waiting_s:.0f} s"
        return True, ""
