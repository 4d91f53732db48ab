"""The policies' shell on Kafka: one group per (service, source), commands stored first, then the commit.

A crash between the two sends the same commands again; the decider drops them by the source rule. Nothing is ever skipped.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog

from libs.events.chain import ChainReader, Checkpoint, Reading
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime import failpoints
from libs.runtime import observability as metrics
from libs.runtime.backlog import Backlog
from libs.runtime.checkpoint import LostTimeline, resume
from libs.runtime.following import Follower
from libs.runtime.forks import decided_again
from libs.runtime.kafka import LogReader, LogUnavailable, LogWriter, Place, RecordTooLarge, stored_offset
from libs.runtime.policing import OutgoingCommand, PolicyPartition, group_name, waves
from libs.runtime.restarts import Restarts, wait
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tail import Tail, TailReader

log = structlog.get_logger()

#: Seconds between commits of a group's checkpoints; a crash sends at most this much again.
COMMIT_EVERY_S = 1.0
#: Seconds between looks at how far the sources reach.
WATCH_EVERY_S = 1.0
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
        self._backlog: Backlog | None = None
        self._in_hand_since: float | None = None
        self._waits_for: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Read, send, commit until stopped; after any doubt start again from the last commit. Raises OperatorError.

        Where the log has lost what was committed, it waits until that is decided again.

        A broker that is away is waited for. A group that reaches its broker and fails all the same, again and again for
        two minutes, ends: Kafka refuses its commands for good, and a person must look (the rule: libs.runtime.restarts).
        """
        restarts = Restarts()
        while not stop.is_set():
            reader = self._tail.reader()
            commits = LogReader(
                self._settings.require_kafka(),
                client_id=self.name,
                group=self._settings.topic_prefix + self.name,
            )
            writer = LogWriter(self._settings.require_kafka(), client_id=f"{self.name}-writer")
            pause_s = 0.0
            try:
                await reader.start()
                await commits.start()
                await writer.start()
                backlog = await self._resume(reader, commits, stop)
                if backlog is None:
                    continue
                restarts.began()
                await self._work(reader, commits, writer, backlog, stop)
            except (LogUnavailable, RecordTooLarge) as error:
                self._backlog = None
                log.warning("policy_starts_over", policy=self.name, cause=str(error))
                metrics.POLICY_RESTARTS.labels(self.name).inc()
                pause_s = restarts.after_failure(
                    f"Kafka does not take the commands of the policy group {self.name} ({error})."
                )
            finally:
                await writer.stop()
                await commits.stop()
                await reader.stop()
            if pause_s:
                await wait(stop, pause_s)

    def unready(self) -> str | None:
        """Why this group is not of use now: not come up with its sources since it started, or events wait too long."""
        limit_s = self._settings.stall_s + self._settings.confirm_timeout_s
        if self._waits_for is not None:
            return f"{self.name} waits for {self._waits_for}"
        if self._backlog is None:
            return f"{self.name} is resuming"
        if not self._backlog.caught_up:
            return f"{self.name} has not read everything that was there when it started"
        if self._backlog.unheard_s > limit_s:
            return f"{self.name} does not hear from the log"
        if self.oldest_waiting_s > limit_s:
            return f"{self.name} has events waiting for {self.oldest_waiting_s:.0f} s"
        return None

    @property
    def oldest_waiting_s(self) -> float:
        """Age of the oldest event that is not handled, delivered or not; 0 when none waits."""
        in_hand_s = time.time() - self._in_hand_since if self._in_hand_since is not None else 0.0
        return max(0.0, in_hand_s, self._backlog.waiting_s if self._backlog is not None else 0.0)

    async def _resume(self, reader: TailReader, commits: LogReader, stop: asyncio.Event) -> Backlog | None:
        """Go on from the commits; None when it was stopped before it could. Raises SourceForked, LogUnavailable."""
        committed = await commits.committed(self._places)
        for place in self._places:
            chain = await self._chain(place, committed.get(place), stop)
            if chain is None:
                return None
            self._partitions[place.partition] = PolicyPartition(
                self._service,
                self._source,
                topic=self._topic,
                partition=place.partition,
                partitions=self._settings.partitions,
                reader=chain,
            )
        commits.assign_for_commits(self._places)
        starts = {place: self._partitions[place.partition].head.offset + 1 for place in self._places}
        reader.assign(starts)
        backlog = Backlog(starts)
        backlog.sample(await commits.ends(self._places))
        return backlog

    async def _chain(
        self, place: Place, committed: Checkpoint | None, stop: asyncio.Event
    ) -> ChainReader | None:
        settings, home = self._settings, f"the consumer group {self._settings.topic_prefix + self.name}"
        try:
            return await resume(
                settings.require_kafka(),
                settings.require_log_id(),
                place,
                committed,
                home=f"the commit of {home}",
            )
        except LostTimeline:
            assert committed is not None, "only what is kept can be lost"
            self._waits_for = (
                f"{self._source}/{place.partition} to decide position {committed.position} again"
            )
            log.warning("policy_waits", policy=self.name, waits_for=self._waits_for)
            follower = Follower(settings, self._source, place.partition)
            try:
                return await decided_again(follower, committed, home, stop)
            finally:
                self._waits_for = None

    async def _work(
        self,
        reader: TailReader,
        commits: LogReader,
        writer: LogWriter,
        backlog: Backlog,
        stop: asyncio.Event,
    ) -> None:
        """Follow the events, and watch beside it how many wait."""
        self._backlog = backlog
        watching = asyncio.create_task(self._watch(commits, backlog))
        try:
            await self._follow(reader, commits, writer, backlog, stop)
        finally:
            self._in_hand_since = None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, commits: LogReader, backlog: Backlog) -> None:
        """Compare with the log's ends, also while a batch is stuck; on the commits' connection, which no fetch holds up."""
        while True:
            metrics.POLICY_AGE_SECONDS.labels(self.name).set(self.oldest_waiting_s)
            since_commit = time.monotonic() - self._committed_at if self._dirty else 0.0
            metrics.COMMIT_AGE_SECONDS.labels(self.name).set(since_commit)
            await asyncio.sleep(WATCH_EVERY_S)
            try:
                backlog.sample(await commits.ends(self._places))
            except (
                LogUnavailable
            ) as error:  # who follows meets it too, or has nothing to do; readiness tells it
                log.warning("broker_unavailable", reader=self.name, cause=str(error))

    async def _follow(
        self,
        reader: TailReader,
        commits: LogReader,
        writer: LogWriter,
        backlog: Backlog,
        stop: asyncio.Event,
    ) -> None:
        while not stop.is_set():
            batch = await reader.poll(0.25, 500, gather_s=GATHER_S)
            if batch:
                self._in_hand_since = min(records[0].timestamp_ms for records in batch.values()) / 1000
                await self._handle(batch, writer)
                failpoints.reach("policy-stored")
                self._in_hand_since = None
                self._dirty = True
                for place, records in batch.items():
                    backlog.handled(place, records[-1].offset + 1)
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
        """Every group has come up with its sources, and none has events waiting longer than the stall limit."""
        for group in self._groups:
            reason = group.unready()
            if reason is not None:
                return False, reason
        return True, ""
