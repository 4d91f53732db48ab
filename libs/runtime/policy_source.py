"""One source partition of a policy group: who sends for it, where this replica stands in it, and what may keep it standing.

Every source partition goes its own way: one that waits for a lost position, or that was decided otherwise than before, keeps
no other one from being read. A log may also be cut and grow again under a group that runs: what then comes is foreign, and is
not done before the log was asked whether the head is still in it.
"""

import asyncio
import time
from contextlib import suppress

import structlog

from libs.events.chain import ChainReader, Checkpoint
from libs.events.topics import events_topic
from libs.runtime import observability as metrics
from libs.runtime.backlog import Backlog
from libs.runtime.checkpoint import LostTimeline, is_last, resume
from libs.runtime.commits import Commit
from libs.runtime.following import Follower
from libs.runtime.forks import SourceForked, decided_again
from libs.runtime.kafka import LogUnavailable, Place
from libs.runtime.pair_role import Assignment
from libs.runtime.policing import PolicyPartition, group_name
from libs.runtime.restarts import wait
from libs.runtime.sender_role import SenderRole
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tail import TailReader

log = structlog.get_logger()

#: Seconds between attempts to read a source that has lost its tail, while the broker is away.
_AGAIN_S = 0.5
#: Seconds from one question whether the head is still in the log to the next: junk that keeps coming asks no more often.
CHECK_EVERY_S = 1.0


class SourcePartition:
    """What a group knows of one source partition. `policy` is there exactly while it is read here."""

    def __init__(
        self, settings: Settings, service: Service, source: str, partition: int, assignment: Assignment
    ) -> None:
        self._settings = settings
        self._service = service
        self._source = source
        self._group = group_name(service.name, source)
        self.place = Place(events_topic(source, settings.topic_prefix), partition)
        self.role = SenderRole(settings.replica, assignment, patience_s=settings.policy_take_over_s)
        self.policy: PolicyPartition | None = None
        self.backlog: Backlog | None = None
        self.is_dirty = False
        self.waits_for: str | None = None
        self.forked: str | None = None
        self._read_to = 0
        self._delivered_to = 0
        self._end = 0
        self._has_gap = False
        self._checked_at = -CHECK_EVERY_S
        self._waiting: asyncio.Task[ChainReader | None] | None = None
        for gauge in (metrics.POLICY_SENDS, metrics.POLICY_FORKED):
            gauge.labels(*self._labels).set(0)

    # --- news ---------------------------------------------------------------------------------------------------

    def looked(self, commit: Commit | None, end: int) -> None:
        """What the group's commit and the source's end are now."""
        self.role.looked(commit, end)
        self._end = end
        if self.backlog is not None:
            self.backlog.sample({self.place: end})

    def handled(self, read_to: int) -> None:
        """The commands of everything below this offset are stored. Foreign records at its end are not done yet."""
        assert self.policy is not None, "only what is read is handled"
        self._delivered_to = read_to
        self._done(self.policy.head.offset + 1 if self.policy.is_in_doubt else read_to)

    def _done(self, read_to: int) -> None:
        self._read_to = max(self._read_to, read_to)
        self.is_dirty = True
        if self.backlog is not None:
            self.backlog.handled(self.place, self._read_to)

    def missed(self) -> None:
        """Records that it was given were dropped, because it was passive at that moment. What follows them is of no use."""
        self._has_gap = True

    def to_commit(self) -> Commit | None:
        """What may be kept now; None while another one keeps it, or before the first record."""
        if self.policy is None or not self.role.sends or self.policy.head.offset < 0:
            return None
        return Commit(self.policy.head, self._read_to, self.role.signature)

    def committed(self, commit: Commit) -> None:
        """It is kept."""
        self.role.committed(commit)

    def take_over(self) -> None:
        """Nobody moves the commit, and events wait."""
        self.role.take_over()
        metrics.POLICY_TAKE_OVERS.labels(*self._labels).inc()

    # --- as the role says ---------------------------------------------------------------------------------------

    async def turn(self, reader: TailReader, stop: asyncio.Event) -> None:
        """Begin to read, go on waiting, or leave it to another, as the role says. Raises LogUnavailable."""
        if not self.role.sends or self._has_gap:
            if self.policy is not None or self._waiting is not None:
                log.info("policy_passive", **self._names, by=self.role.commit and self.role.commit.by)
                reader.drop(self.place)
            await self.rest()
        if not self.role.sends:
            return
        if self._waiting is not None:
            if self._waiting.done():
                self._waited(reader)
        elif self.policy is not None:
            if self.policy.is_in_doubt and time.monotonic() - self._checked_at >= CHECK_EVERY_S:
                await self._check(self.policy, reader, stop)
        elif self.forked is None:
            commit = self.role.commit
            await self._resume(None if commit is None else commit.head, reader, stop)

    async def _check(self, policy: PolicyPartition, reader: TailReader, stop: asyncio.Event) -> None:
        """Ask the log whether the foreign records are only that, or whether it was cut and has grown again.

        In that case it goes on from its head, as from a commit: the commands of all up to there are stored.
        """
        if await is_last(self._settings.require_kafka(), self.place, policy.head, self._delivered_to):
            self._checked_at = time.monotonic()
            policy.is_in_doubt = False
            self._done(self._delivered_to)
            return
        log.warning("policy_source_regrown", **self._names, position=policy.head.position)
        reader.drop(self.place)
        await self.rest()
        self._end = (await reader.ends([self.place]))[self.place]
        await self._resume(policy.head, reader, stop)

    async def rest(self) -> None:
        """Read no more. What was read and is not committed is read again by whoever sends next."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)
        self._waiting = self.waits_for = self.policy = self.backlog = None
        self.is_dirty = self._has_gap = False
        metrics.POLICY_SENDS.labels(*self._labels).set(0)

    async def _resume(self, head: Checkpoint | None, reader: TailReader, stop: asyncio.Event) -> None:
        settings = self._settings
        home = f"the consumer group {settings.topic_prefix + self._group}"
        try:
            chain = await resume(
                settings.require_kafka(),
                settings.require_log_id(),
                self.place,
                head,
                home=f"the commit of {home}",
            )
        except LostTimeline:
            assert head is not None, "only what is kept can be lost"
            self.waits_for = f"{self._source}/{self.place.partition} to decide position {head.position} again"
            log.warning("policy_waits", policy=self._group, waits_for=self.waits_for)
            self._waiting = asyncio.create_task(self._decided_again(head, home, stop))
        else:
            self._read_from(chain, reader)

    async def _decided_again(self, head: Checkpoint, home: str, stop: asyncio.Event) -> ChainReader | None:
        follower = Follower(self._settings, self._source, self.place.partition)
        while not stop.is_set():
            with suppress(LogUnavailable):  # the group's own reading tells of a broker that is away
                return await decided_again(follower, head, home, stop)
            await wait(stop, _AGAIN_S)
        return None

    def _waited(self, reader: TailReader) -> None:
        assert self._waiting is not None, "asked before"
        waiting, self._waiting, self.waits_for = self._waiting, None, None
        try:
            chain = waiting.result()
        except SourceForked as forked:  # told where it was found; the others go on
            self.forked = str(forked)
            metrics.POLICY_FORKED.labels(*self._labels).set(1)
            return
        if chain is not None:
            self._read_from(chain, reader)

    def _read_from(self, chain: ChainReader, reader: TailReader) -> None:
        self._read_to = self._delivered_to = chain.head.offset + 1
        self.policy = PolicyPartition(
            self._service,
            self._source,
            topic=self.place.topic,
            partition=self.place.partition,
            partitions=self._settings.partitions,
            reader=chain,
        )
        self.backlog = Backlog({self.place: self._read_to})
        self.backlog.sample({self.place: self._end})
        reader.seek(self.place, self._read_to)
        metrics.POLICY_SENDS.labels(*self._labels).set(1)
        log.info("policy_active", **self._names, position=chain.head.position)

    @property
    def _labels(self) -> tuple[str, str]:
        return self._group, str(self.place.partition)

    @property
    def _names(self) -> dict[str, str | int]:
        return {"policy": self._group, "source": self._source, "partition": self.place.partition}
