"""The only module that names faust: one agent over topics of raw bytes, which starts where we say and never further.

Faust is kept on a short lead (stack.md, rules 1 to 6). It delivers at least once and owns no position: after every
assignment it seeks to ours, and what it commits is a hint for people who watch the group. The one agent runs with
concurrency 1, acknowledges last and takes the process down when it raises. Topics are never declared here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import faust
import structlog
from faust.transport.drivers import aiokafka as driver
from mode.supervisors import CrashingSupervisor

from libs.events.records import RawRecord
from libs.events.topics import TOPIC_MESSAGE_BYTES_MAX
from libs.runtime.kafka import Place

log = structlog.get_logger()

#: One batch is at most this many records or bytes.
BATCH_RECORDS_MAX: Final = 1000
BATCH_BYTES_MAX: Final = 1024 * 1024
#: The broker holds an answer back until it has so many bytes for us or the feed's time has passed: the steps of a saga then
#: share a fetch and a transaction.
FETCH_BYTES_MIN: Final = 256 * 1024
#: An incomplete batch waits once for the rest of its fetch, which is on its way from Faust's thread.
LINGER_S: Final = 0.001
_STOP_LIMIT_S: Final = 15.0

Delivered = tuple[Place, RawRecord]
Starts = Callable[[frozenset[Place], int], Awaitable[Mapping[Place, int]]]
Handle = Callable[[Sequence[Delivered]], Awaitable[None]]


class FeedDied(Exception):
    """Faust stopped by itself: the process ends and is started again."""


class FaustFeed:
    """Delivers the records of some topics in batches, each partition in order, to one handler at a time.

    The broker holds what it has back for `hold_ms` milliseconds, so that fewer and fuller fetches come.
    `starts(places, assignment)` is asked after every assignment for the offset of each partition; `handle(batch)` is
    awaited before the next batch; `revoked()` when the partitions are taken away, before anybody else gets them. If one
    of them raises, `run` ends with that error.
    """

    def __init__(
        self,
        *,
        group: str,
        bootstrap: str,
        topics: Sequence[str],
        data_dir: Path,
        hold_ms: int,
        starts: Starts,
        handle: Handle,
        revoked: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings: dict[str, Any] = {
            "id": group,
            "broker": ";".join(f"kafka://{server}" for server in bootstrap.split(",")),
            "datadir": data_dir / "faust",
            "store": "memory://",
            "processing_guarantee": "at_least_once",
            "consumer_auto_offset_reset": "none",
            "consumer_max_fetch_size": TOPIC_MESSAGE_BYTES_MAX + 64 * 1024,
            "broker_session_timeout": 10.0,
            "broker_heartbeat_interval": 3.0,
            "broker_client_id": group,
            "topic_allow_declare": False,
            "topic_disable_leader": True,
            "table_standby_replicas": 0,
            "stream_recovery_delay": 0.0,
            "stream_wait_empty": False,
            "web_enabled": False,
        }
        self.hold_ms = hold_ms
        self._topics = tuple(topics)
        self._starts = starts
        self._handle = handle
        self._revoked = revoked
        self._handling = asyncio.Lock()
        self._closing = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue: Any = None
        self.assigned: frozenset[Place] = frozenset()
        """The partitions that are read now."""

    async def run(self, stop: asyncio.Event) -> None:
        """Feed until `stop`; the batch in work is finished first. Raises what the handler raised, or FeedDied."""
        app = self._app()
        waiters: list[asyncio.Future[Any]] = [self._failure, asyncio.ensure_future(stop.wait())]
        try:
            await app.start()
            waiters.append(asyncio.ensure_future(app.wait_until_stopped()))
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._closing = True
            async with self._handling:
                pass
            await self._stop(app)
            for waiter in waiters[1:]:
                waiter.cancel()
        if self._failure.done():
            self._failure.result()
        if not stop.is_set():
            raise FeedDied(f"Faust ended: {app.crash_reason!r}") from app.crash_reason

    async def _stop(self, app: "_App") -> None:
        try:
            async with asyncio.timeout(_STOP_LIMIT_S):
                await app.stop()
        except TimeoutError:
            log.warning("faust_stop_timed_out")

    def _app(self) -> "_App":
        app = _App(**self._settings)
        app.feed = self
        app.loop = asyncio.get_running_loop()
        topic = app.topic(
            *self._topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        app.agent(topic, name="feed", concurrency=1, supervisor_strategy=CrashingSupervisor)(self._agent)
        app.finalize()
        return app

    async def _agent(self, stream: Any) -> None:
        """Collect a batch, have it handled, acknowledge it last; whatever is raised ends the process."""
        self._queue = stream.channel.queue
        batch: list[Any] = []
        size, lingered = 0, False
        async for event in stream.noack().events():
            batch.append(event)
            size += len(event.message.value or b"")
            if len(batch) < BATCH_RECORDS_MAX and size < BATCH_BYTES_MAX:
                if self._queue.empty() and not lingered:
                    lingered = True
                    await asyncio.sleep(LINGER_S)
                if not self._queue.empty():
                    continue
            assignment = stream.app.consumer_generation_id
            batch = [each for each in batch if each.message.generation_id == assignment]
            await self._deliver(batch)
            for handled in batch:
                await stream.ack(handled)
            batch, size, lingered = [], 0, False

    async def _deliver(self, batch: Sequence[Any]) -> None:
        async with self._handling:
            if self._closing:
                await (
                    asyncio.get_running_loop().create_future()
                )  # until the app is stopped: nothing more is acknowledged
            try:
                await self._handle([_delivered(event.message) for event in batch])
            except Exception as error:
                self.fail(error)
                raise

    async def starts(self, places: frozenset[Place], assignment: int) -> Mapping[Place, int]:
        """Where to read from now. A failure is told to `run`."""
        try:
            starts = await self._starts(places, assignment)
        except Exception as error:
            self.fail(error)
            raise
        self.assigned = places
        return starts

    async def revoked(self) -> None:
        """The partitions are taken away: the batch in work is finished before anybody else gets them."""
        self.assigned = frozenset()
        async with self._handling:
            await self._revoked()

    def fail(self, error: Exception) -> None:
        """End `run` with this error; the first one counts."""
        if not self._failure.done():
            self._failure.set_exception(error)

    def has_room(self) -> bool:
        """Whether the stream takes a message without waiting."""
        return self._queue is not None and not self._queue.full()


def _delivered(message: Any) -> Delivered:
    record = RawRecord(
        offset=message.offset,
        key=message.key,
        value=message.value or b"",
        headers=dict(message.headers or ()),
        timestamp_ms=int(message.timestamp * 1000),
    )
    return Place(message.topic, message.partition), record


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread; fetches fewer and fuller answers. Faust has no setting for it."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes = FETCH_BYTES_MIN
        consumer._fetch_max_wait_ms = transport.app.feed.hold_ms
        return consumer


class _Consumer(driver.Consumer):
    """Faust's consumer with our positions."""

    app: "_App"

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Seek every assigned partition to where we say, whatever the group has committed.

        The same offsets are committed as a hint: at the next assignment aiokafka looks for one before we are asked, and
        a fetch that is still under way would fail for a partition that has none.
        """
        partitions = {Place(tp.topic, tp.partition): tp for tp in self.assignment()}
        starts = await self.app.feed.starts(frozenset(partitions), self.app.consumer_generation_id)
        for place, offset in starts.items():
            await self.seek(partitions[place], offset)
        await self._commit({partitions[place]: offset for place, offset in starts.items()})

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Let Faust empty its buffers, then wait for the batch in work."""
        await super().on_partitions_revoked(revoked)
        await self.app.feed.revoked()

    async def wait_first(self, *coros: Any, **limits: Any) -> Any:
        """Deliver a message without waiting for a rebalance at the same time where delivering cannot wait anyway.

        Faust makes four tasks per message of it, which halves what the agent can take (measured: 214 -> 111 us).
        """
        if len(coros) == 2 and not limits and self.app.feed.has_room() and self.app.flow_control.is_active():
            deliver, suspended = coros
            suspended.close()
            await deliver
            return None
        return await super().wait_first(*coros, **limits)


class _Transport(driver.Transport):
    Consumer = _Consumer


class _App(faust.App):
    feed: FaustFeed

    def _new_transport(self) -> Any:
        return _Transport(self.conf.broker_consumer, self)
