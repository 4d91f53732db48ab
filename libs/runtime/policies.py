"""The policies' shell on Kafka: one group per (service, source), commands stored first, then the commit.

A crash between the two sends the same commands again; the decider drops them by the source rule. Nothing is ever skipped.
Of two replicas one sends for each source partition and the other watches its commits (`sender_role.py`).
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog

from libs.events.chain import Reading
from libs.events.records import RawRecord
from libs.events.topics import commands_topic
from libs.runtime import failpoints
from libs.runtime import observability as metrics
from libs.runtime.kafka import LogReader, LogUnavailable, LogWriter, Place, RecordTooLarge, stored_offset
from libs.runtime.policing import OutgoingCommand, group_name, waves
from libs.runtime.policy_source import SourcePartition
from libs.runtime.replicas import ReplicaTable, load_table, watch_table
from libs.runtime.restarts import Restarts, unless, wait
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tail import Tail

log = structlog.get_logger()

#: Seconds between commits of a group's checkpoints; a crash sends at most this much again.
COMMIT_EVERY_S = 1.0
#: Seconds between looks at how far the sources reach; a pair looks at its commits so many times in a standby's patience.
WATCH_EVERY_S = 1.0
LOOKS_IN_PATIENCE = 8
#: The partitions of a source end a phase within a moment of each other; their markers then share one flush to disk,
#: which is the dearest step of an empty day (decisions/0003).
GATHER_S = 0.003


class Links:
    """A group's links to Kafka, made anew after any doubt: the tail's events, the commits, and the producer."""

    def __init__(self, settings: Settings, name: str, tail: Tail) -> None:
        bootstrap = settings.require_kafka()
        self.events = tail.reader()
        self.commits = LogReader(bootstrap, client_id=name, group=settings.topic_prefix + name)
        self.writer = LogWriter(bootstrap, client_id=f"{name}-writer")

    async def start(self) -> None:
        """Connect. Raises LogUnavailable."""
        await self.events.start()
        await self.commits.start()
        await self.writer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self.writer.stop()
        await self.commits.stop()
        await self.events.stop()


class PolicyGroup:
    """One policy group: all partitions of one source."""

    def __init__(
        self, settings: Settings, service: Service, source: str, tail: Tail, table: ReplicaTable
    ) -> None:
        self._settings = settings
        self._tail = tail
        self._service = service
        self._source = source
        self.name = group_name(service.name, source)
        self._commands = commands_topic(service.name, settings.topic_prefix)
        self._sources = [
            SourcePartition(settings, service, source, number, table.assignment(service.name, number))
            for number in range(settings.partitions)
        ]
        self._by_place = {each.place: each for each in self._sources}
        self._asking = asyncio.Lock()
        self._committed_at = self._looked_at = time.monotonic()
        self._has_begun = False
        self._is_up = False
        self._in_hand_since: float | None = None
        self._in_hand_stamp_ms: int | None = None

    def assign(self, table: ReplicaTable) -> None:
        """Take over what the table's next version says. A source partition is its own service's of the same number."""
        for each in self._sources:
            each.role.assign(table.assignment(self._service.name, each.place.partition))

    async def run(self, stop: asyncio.Event) -> None:
        """Read, send, commit until stopped; after any doubt start again from the last commit. Raises OperatorError.

        A broker that is away is waited for. A group that reaches its broker and fails all the same, again and again for
        two minutes, ends: Kafka refuses its commands for good, and a person must look (the rule: libs.runtime.restarts).
        """
        restarts = Restarts()
        while not stop.is_set():
            links, pause_s = Links(self._settings, self.name, self._tail), 0.0
            try:
                await links.start()
                await self._resume(links, stop)
                restarts.began()
                await self._work(links, stop)
            except (LogUnavailable, RecordTooLarge) as error:
                log.warning("policy_starts_over", policy=self.name, cause=str(error))
                metrics.POLICY_RESTARTS.labels(self.name).inc()
                pause_s = restarts.after_failure(
                    f"Kafka does not take the commands of the policy group {self.name} ({error})."
                )
            finally:
                self._is_up = False
                for each in self._sources:
                    await each.rest()
                await links.stop()
            if pause_s:
                await wait(stop, pause_s)

    # --- what others ask ----------------------------------------------------------------------------------------

    def unready(self) -> str | None:
        """Why this group is not of use now: not come up with its sources since it started, or events wait too long.

        One that watches another replica, and hears from the log, is of use: it can take over.
        """
        limit_s = self._settings.stall_s + self._settings.confirm_timeout_s
        for each in self._sources:
            if each.forked is not None:
                return f"{self.name} stands still: {each.forked}"
        for each in self._sources:
            if each.waits_for is not None:
                return f"{self.name} waits for {each.waits_for}"
        if not self._is_up:
            return f"{self.name} is resuming"
        if not all(each.backlog.caught_up for each in self._sources if each.backlog is not None):
            return f"{self.name} has not read everything that was there when it started"
        if time.monotonic() - self._looked_at > limit_s:
            return f"{self.name} does not hear from the log"
        if self.oldest_waiting_s > limit_s:
            return f"{self.name} has events waiting for {self.oldest_waiting_s:.0f} s"
        return None

    @property
    def oldest_waiting_s(self) -> float:
        """How long the oldest event that is not handled has waited here, delivered or not; 0 when none does, or another sends.

        By a clock that nobody sets: readiness must not hang on how this machine's and the broker's clocks agree.
        """
        in_hand_s = time.monotonic() - self._in_hand_since if self._in_hand_since is not None else 0.0
        waiting = [each.backlog.waiting_s for each in self._sources if each.backlog is not None]
        return max(0.0, in_hand_s, *waiting)

    @property
    def _age_s(self) -> float:
        """Age of the oldest event that is not handled, for people: in hand, it counts from the moment that the log took it."""
        stamp_ms = self._in_hand_stamp_ms
        return max(self.oldest_waiting_s, 0.0 if stamp_ms is None else time.time() - stamp_ms / 1000)

    # --- its life -----------------------------------------------------------------------------------------------

    async def _resume(self, links: Links, stop: asyncio.Event) -> None:
        """Go on from the commits, where this replica sends. Raises LogUnavailable."""
        places = [each.place for each in self._sources]
        links.commits.assign_for_commits(places)
        if not self._has_begun:
            committed = await links.commits.committed(places)
            for each in self._sources:
                each.role.start(committed.get(each.place))
            self._has_begun = True
        await self._look(links)
        links.events.assign({})
        for each in self._sources:
            await each.turn(links.events, stop)
        self._is_up = True

    async def _work(self, links: Links, stop: asyncio.Event) -> None:
        """Follow the events, and watch beside it how many wait and who commits."""
        watching = asyncio.create_task(self._watch(links))
        try:
            await self._follow(links, stop)
        finally:
            self._in_hand_since = self._in_hand_stamp_ms = None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, links: Links) -> None:
        """Look, also while a batch is stuck; on the commits' connection, which no fetch holds up."""
        while True:
            metrics.POLICY_AGE_SECONDS.labels(self.name).set(self._age_s)
            is_dirty = any(each.is_dirty for each in self._sources)
            metrics.COMMIT_AGE_SECONDS.labels(self.name).set(
                time.monotonic() - self._committed_at if is_dirty else 0.0
            )
            often_s = self._settings.policy_take_over_s / LOOKS_IN_PATIENCE
            await asyncio.sleep(min(WATCH_EVERY_S, often_s) if self._is_paired else WATCH_EVERY_S)
            try:
                await self._look(links)
            except (
                LogUnavailable
            ) as error:  # who follows meets it too, or has nothing to do; readiness tells it
                log.warning("broker_unavailable", reader=self.name, cause=str(error))

    @property
    def _is_paired(self) -> bool:
        return any(each.role.is_paired for each in self._sources)

    async def _look(self, links: Links) -> None:
        """Ask for the ends and the commits. Never between a commit of our own and its being known here."""
        async with self._asking:
            places = [each.place for each in self._sources]
            ends = await links.commits.ends(places)
            committed = await links.commits.committed(places)
            for each in self._sources:
                each.looked(committed.get(each.place), ends[each.place])
            self._looked_at = time.monotonic()

    async def _follow(self, links: Links, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._take_turns(links, stop)
            batch = await links.events.poll(0.25, 500, gather_s=GATHER_S)
            await self._look_if_late(links, stop)
            for place in [place for place in batch if not self._by_place[place].role.sends]:
                del batch[place]
                self._by_place[place].missed()
            if batch:
                self._in_hand_since = time.monotonic()
                self._in_hand_stamp_ms = min(records[0].timestamp_ms for records in batch.values())
                await self._handle(batch, links.writer)
                self._in_hand_since = self._in_hand_stamp_ms = None
                for place, records in batch.items():
                    self._by_place[place].handled(records[-1].offset + 1)
            await self._commit(links, stop)
        await self._commit(links, stop, at_once=True)

    async def _take_turns(self, links: Links, stop: asyncio.Event) -> None:
        """Take over where nobody sends, and let every source partition do as its role says."""
        if any(each.role.patience_left_s(time.monotonic()) == 0.0 for each in self._sources):
            await unless(stop, self._look(links))  # who slept has not heard yet that somebody is well
            for each in self._sources:
                if each.role.patience_left_s(time.monotonic()) == 0.0:
                    each.take_over()
        for each in self._sources:
            await each.turn(links.events, stop)

    async def _look_if_late(self, links: Links, stop: asyncio.Event) -> None:
        """One of a pair that slept may have been replaced: it looks before it sends or commits."""
        if self._is_paired and time.monotonic() - self._looked_at > self._settings.policy_take_over_s:
            await unless(stop, self._look(links))

    async def _handle(self, batch: Mapping[Place, Sequence[RawRecord]], writer: LogWriter) -> None:
        """Send the waves of a batch; what follows the end of a phase waits until everything before it is stored."""
        waiting: list[asyncio.Future[object]] = []
        records = {place.partition: records for place, records in batch.items()}
        reading = {each.place.partition: each.policy for each in self._sources if each.policy is not None}
        for wave in waves(reading, records, self._count):
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
        if waiting:  # a batch that asks for nothing stores nothing
            failpoints.reach("policy-stored")
        waiting.clear()

    def _count(self, raw: RawRecord, reading: Reading) -> None:
        counter = metrics.RECORDS_REPEATED if reading is Reading.REPEAT else metrics.RECORDS_FOREIGN
        counter.labels("policy", self._source).inc()
        if reading is Reading.FOREIGN:
            log.error("foreign_record", reader=self.name, offset=raw.offset)

    async def _commit(self, links: Links, stop: asyncio.Event, *, at_once: bool = False) -> None:
        is_early = not at_once and time.monotonic() - self._committed_at < COMMIT_EVERY_S
        if is_early or not any(each.is_dirty for each in self._sources):
            return
        await self._look_if_late(links, stop)
        async with self._asking:
            # all that are read, not only those that have moved: Kafka forgets what is not repeated
            kept = {each.place: commit for each in self._sources if (commit := each.to_commit()) is not None}
            if kept:
                await links.commits.commit(kept)
            for place, commit in kept.items():
                self._by_place[place].committed(commit)
            for each in self._sources:
                each.is_dirty = False
        self._committed_at = time.monotonic()


class PolicyRole:
    """All policy groups of one service in this process."""

    def __init__(self, settings: Settings, service: Service, tail: Tail) -> None:
        self._settings = settings
        self._table = load_table(settings)
        self._groups = [
            PolicyGroup(settings, service, source, tail, self._table) for source in service.policies
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Run every group until stopped. Raises OperatorError."""
        async with asyncio.TaskGroup() as group:
            group.create_task(watch_table(self._settings, self._table, stop, self._take_table))
            for policy in self._groups:
                group.create_task(policy.run(stop))

    def _take_table(self, table: ReplicaTable) -> None:
        for policy in self._groups:
            policy.assign(table)

    def ready(self) -> tuple[bool, str]:
        """Every group has come up with its sources, and none has events waiting longer than the stall limit."""
        for group in self._groups:
            reason = group.unready()
            if reason is not None:
                return False, reason
        return True, ""
