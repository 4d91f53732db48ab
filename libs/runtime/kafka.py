"""The only module that names aiokafka: readers, writers and topic administration over one small set of calls.

Positions are ours, so no consumer commits by itself, none resets, and every assignment is manual. Anything that goes
wrong in a writer leaves its outcome unknown: the caller closes it and recovers by reading (stack.md rule 7).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    MessageSizeTooLargeError,
    NoError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.structs import OffsetAndMetadata
from cramjam import DecompressionError

from libs.events.records import RawRecord
from libs.events.topics import TOPIC_MESSAGE_BYTES_MAX
from libs.runtime.commits import Commit
from libs.runtime.errors import OperatorError
from libs.runtime.waiting import ended

#: A broker that does not answer is given up after so long; the client's own limit for one that is silent is 40 s.
CONNECT_LIMIT_S = 10.0
_SILENT = "it takes the connection and says nothing"


class LogUnavailable(Exception):
    """The broker did not answer, or answered with an error that says nothing about our data: the outcome is unknown."""


class LogCorrupt(LogUnavailable):
    """What is stored does not fit its checksum or cannot be unpacked: nobody can read it, and asking again will not help."""


class RecordTooLarge(Exception):
    """The client or the broker refuses a record for its size: it was not stored."""


class OffsetMissing(Exception):
    """A reader was asked to start where the log holds nothing: the log was cut, or the place belongs to another log."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One partition of one topic."""

    topic: str
    partition: int


def _tp(place: Place) -> TopicPartition:
    return TopicPartition(place.topic, place.partition)


def _raw(record: object) -> RawRecord:
    return RawRecord(
        offset=record.offset,  # type: ignore[attr-defined]  # aiokafka ships no types
        key=record.key,  # type: ignore[attr-defined]
        value=record.value or b"",  # type: ignore[attr-defined]
        headers=dict(record.headers),  # type: ignore[attr-defined]
        timestamp_ms=record.timestamp,  # type: ignore[attr-defined]
    )


class LogReader:
    """A consumer with manual assignment. With a `group` it can also keep checkpoints as commit metadata."""

    def __init__(self, bootstrap: str, *, client_id: str, group: str | None = None) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=TOPIC_MESSAGE_BYTES_MAX + 64 * 1024,
            fetch_max_wait_ms=500,
        )

    async def start(self) -> None:
        """Connect. Raises LogUnavailable."""
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._consumer.start()
            # lets its inner task begin: one cancelled before that makes `stop` raise CancelledError
            await asyncio.sleep(0)
        except (KafkaError, OSError) as error:
            await self.stop()
            raise LogUnavailable(str(error) or _SILENT) from error

    async def stop(self) -> None:
        """Disconnect; never raises for a broker that is gone."""
        with contextlib.suppress(KafkaError, OSError):
            # aiokafka cancels its fetches here, and one that waits to try again raises that from `stop`, half done
            if not await ended(self._consumer.stop()):
                await self._consumer._client.close()

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Read exactly these partitions, each from the given offset on."""
        self._consumer.assign([_tp(place) for place in starts])
        for place, offset in starts.items():
            self._consumer.seek(_tp(place), offset)

    def seek(self, place: Place, offset: int) -> None:
        """Continue an assigned partition at another offset."""
        self._consumer.seek(_tp(place), offset)

    def pause(self, place: Place) -> None:
        """Stop fetching one assigned partition until `resume`."""
        self._consumer.pause(_tp(place))

    def resume(self, place: Place) -> None:
        """Fetch a paused partition again."""
        self._consumer.resume(_tp(place))

    async def poll(self, timeout_s: float, records_max: int = 1000) -> dict[Place, list[RawRecord]]:
        """The next records, at most `records_max`; empty after `timeout_s`. Raises OffsetMissing, LogUnavailable."""
        try:
            batch = await self._consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=records_max)
        except OffsetOutOfRangeError as error:
            raise OffsetMissing(str(error)) from error
        except (KafkaError, OSError, DecompressionError) as error:
            corrupt = isinstance(error, CorruptRecordException | DecompressionError)
            kind = LogCorrupt if corrupt else LogUnavailable
            raise kind(str(error)) from error
        return {
            Place(tp.topic, tp.partition): [_raw(record) for record in records]
            for tp, records in batch.items()
        }

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """The offset after the last record of each partition. Raises LogUnavailable."""
        return await self._offsets(places, "end_offsets")

    async def beginnings(self, places: Sequence[Place]) -> dict[Place, int]:
        """The first offset that each partition still holds. Raises LogUnavailable."""
        return await self._offsets(places, "beginning_offsets")

    async def offset_at(self, place: Place, at_ms: int) -> int | None:
        """The first record stored at or after a time. Raises LogUnavailable."""
        try:
            found = await self._consumer.offsets_for_times({_tp(place): at_ms})
        except (KafkaError, OSError) as error:
            raise LogUnavailable(str(error)) from error
        entry = found.get(_tp(place))
        return None if entry is None else int(entry.offset)

    async def _offsets(self, places: Sequence[Place], which: str) -> dict[Place, int]:
        try:
            found = await getattr(self._consumer, which)([_tp(place) for place in places])
        except (KafkaError, OSError) as error:
            raise LogUnavailable(str(error)) from error
        return {Place(tp.topic, tp.partition): offset for tp, offset in found.items()}

    def assign_for_commits(self, places: Sequence[Place]) -> None:
        """Allow `commit` for these partitions without ever fetching them: another reader does that."""
        self.assign(dict.fromkeys(places, 0))
        for place in places:
            self.pause(place)

    async def commit(self, commits: Mapping[Place, Commit]) -> None:
        """Keep the group's commits. Raises LogUnavailable."""
        offsets = {
            _tp(place): OffsetAndMetadata(commit.read_to, commit.as_metadata())
            for place, commit in commits.items()
        }
        try:
            await self._consumer.commit(offsets)
        except (KafkaError, OSError) as error:
            raise LogUnavailable(str(error)) from error

    async def committed(self, places: Sequence[Place]) -> dict[Place, Commit]:
        """What `commit` kept, for the partitions that have one. Raises LogUnavailable."""
        kept: dict[Place, Commit] = {}
        try:
            # the public `committed` drops the metadata, which is where our triple is
            found = await self._consumer._coordinator.fetch_committed_offsets(
                [_tp(place) for place in places]
            )
        except (KafkaError, OSError) as error:
            raise LogUnavailable(str(error)) from error
        for tp, entry in found.items():
            if entry.offset >= 0 and entry.metadata:
                kept[Place(tp.topic, tp.partition)] = Commit.from_kafka(entry.offset, entry.metadata)
        return kept


async def read_range(
    bootstrap: str, place: Place, start: int, end: int | None = None, *, stall_s: float = 30, step: int = 5000
) -> AsyncGenerator[list[RawRecord]]:
    """The records of one partition from offset `start` to before `end` (the present end if None), in batches.

    A reader of its own per range: assigning a running aiokafka consumer anew can leave it waiting for ever. Raises
    LogUnavailable when nothing comes for `stall_s`, OffsetMissing where the log does not reach back to `start`.
    """
    reader = LogReader(bootstrap, client_id="loanstream-range")
    await reader.start()
    try:
        stop = (await reader.ends([place]))[place] if end is None else end
        if start >= stop:
            return
        reader.assign({place: start})
        offset, heard_at = start, time.monotonic()
        while offset < stop:
            records = (await reader.poll(0.5, step)).get(place, [])
            if records:
                heard_at = time.monotonic()
                offset = records[-1].offset + 1
                yield [record for record in records if record.offset < stop]
            elif time.monotonic() - heard_at > stall_s:
                raise LogUnavailable(
                    f"{place.topic}/{place.partition} gave nothing at offset {offset} for {stall_s:.0f} s"
                )
    finally:
        await reader.stop()


async def offsets(bootstrap: str, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
    """(first offset still held, offset after the last record) of each partition. Raises LogUnavailable."""
    reader = LogReader(bootstrap, client_id="loanstream-offsets")
    await reader.start()
    try:
        beginnings, ends = await reader.beginnings(places), await reader.ends(places)
    finally:
        await reader.stop()
    return {place: (beginnings[place], ends[place]) for place in places}


async def record_at(bootstrap: str, place: Place, offset: int) -> RawRecord | None:
    """The record at one offset, or None where the partition holds none. Raises LogUnavailable."""
    beginning, end = (await offsets(bootstrap, [place]))[place]
    if not beginning <= offset < end:
        return None
    async for records in read_range(bootstrap, place, offset, offset + 1):
        return records[0]
    return None


class LogWriter:
    """One idempotent producer, all acknowledgements. After any error close it: what it sent last is unknown."""

    def __init__(self, bootstrap: str, *, client_id: str, linger_ms: int = 0) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            max_request_size=TOPIC_MESSAGE_BYTES_MAX,
            max_batch_size=256 * 1024,
            linger_ms=linger_ms,
            request_timeout_ms=10_000,
        )

    async def start(self) -> None:
        """Connect. Raises LogUnavailable."""
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._producer.start()
        except (KafkaError, OSError) as error:
            raise LogUnavailable(str(error) or _SILENT) from error

    async def post(
        self, place: Place, *, key: bytes | None, value: bytes, headers: Mapping[str, bytes] | None = None
    ) -> "asyncio.Future[object]":
        """Queue a record in order; the future ends when the broker has stored it. Raises RecordTooLarge, LogUnavailable."""
        try:
            stored: asyncio.Future[object] = await self._producer.send(
                place.topic,
                value=value,
                key=key,
                partition=place.partition,
                headers=list(headers.items()) if headers else None,
            )
            return stored
        except MessageSizeTooLargeError as error:
            raise RecordTooLarge(str(error)) from error
        except (KafkaError, OSError) as error:
            raise LogUnavailable(str(error)) from error

    async def send(
        self,
        place: Place,
        *,
        key: bytes,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        timeout_s: float = 5.0,
    ) -> int:
        """Store one record and return its offset. Raises RecordTooLarge, or LogUnavailable when the outcome is unknown."""
        future = await self.post(place, key=key, value=value, headers=headers)
        return await stored_offset(future, timeout_s)

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Close; gives up on unacknowledged records after the limit (an idempotent producer would wait for ever)."""
        with contextlib.suppress(KafkaError, OSError):  # a TimeoutError is one
            async with asyncio.timeout(timeout_s):
                if not await ended(self._producer.stop()):
                    await self._producer.client.close()


async def stored_offset(future: "asyncio.Future[object]", timeout_s: float = 5.0) -> int:
    """Wait for a posted record's offset. Raises RecordTooLarge, or LogUnavailable when the outcome is unknown."""
    try:
        # of a batch most have ended once the first has
        limited = future if future.done() else asyncio.wait_for(asyncio.shield(future), timeout_s)
        metadata = await limited
    except MessageSizeTooLargeError as error:
        raise RecordTooLarge(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise LogUnavailable(str(error) or "no acknowledgement in time") from error
    return int(metadata.offset)  # type: ignore[attr-defined]  # aiokafka ships no types


async def create_topics(
    bootstrap: str,
    names: Sequence[str],
    *,
    partitions: int,
    replication: int,
    configs: Mapping[str, Mapping[str, str]],
) -> None:
    """Create the topics that do not exist yet and return when the broker shows them all.

    It answers before it shows: half a second later on a busy machine. Raises OperatorError for a topic that the broker refuses
    (aiokafka brings refusals back and raises none), LogUnavailable.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="loanstream-topics")
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await admin.start()
        existing = set(await admin.list_topics())
        missing = [name for name in names if name not in existing]
        if missing:
            new = [
                NewTopic(name, partitions, replication, topic_configs=dict(configs[name])) for name in missing
            ]
            for name, code, *told in (await admin.create_topics(new)).topic_errors:
                if code not in (NoError.errno, TopicAlreadyExistsError.errno):
                    why = next(filter(None, told), for_code(code).description)
                    raise OperatorError(f"The broker does not make the topic {name}: {why}")
    except (KafkaError, OSError) as error:
        raise LogUnavailable(str(error) or _SILENT) from error
    finally:
        await admin.close()
    limit, shown = time.monotonic() + CONNECT_LIMIT_S, 0
    while shown < len(missing) * partitions:
        if time.monotonic() > limit:
            raise LogUnavailable(f"it has made {', '.join(missing)} and does not show them")
        await asyncio.sleep(0.05)
        shown = sum(topic.partitions for topic in (await describe_topics(bootstrap, missing)).values())


@dataclass(frozen=True, slots=True)
class TopicFound:
    """What a topic is. `replication` is that of the partition with the fewest replicas."""

    partitions: int
    replication: int
    configs: Mapping[str, str]


async def describe_topics(bootstrap: str, names: Sequence[str]) -> dict[str, TopicFound]:
    """Each topic that exists. Raises LogUnavailable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="loanstream-topics")
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await admin.start()
        existing = set(await admin.list_topics())
        wanted = [name for name in names if name in existing]
        if not wanted:
            return {}
        replicas = {
            entry["topic"]: [len(each["replicas"]) for each in entry["partitions"]]
            for entry in await admin.describe_topics(wanted)
        }
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
        configs: dict[str, dict[str, str]] = {}
        for response in await admin.describe_configs(resources):
            for resource in response.resources:
                configs[resource[3]] = {entry[0]: entry[1] for entry in resource[4]}
    except (KafkaError, OSError) as error:
        raise LogUnavailable(str(error) or _SILENT) from error
    finally:
        await admin.close()
    return {
        name: TopicFound(len(replicas[name]), min(replicas[name], default=0), configs.get(name, {}))
        for name in wanted
    }
