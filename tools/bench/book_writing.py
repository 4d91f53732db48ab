"""A book written straight into the log: commands and their decisions in one chain a partition, as if they had been decided.

Who starts on it finds a log like any other: the decider folds it, `verify` walks it, and the policies go on behind it, because
their groups' commits say that everything in it is done.
"""

import asyncio
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from confluent_kafka import Producer

from libs.events.chain import Checkpoint, genesis, seal
from libs.events.topics import TOPIC_MESSAGE_BYTES_MAX, commands_topic, events_topic, partition_of
from libs.runtime.commits import Commit
from libs.runtime.kafka import LogReader, Place
from libs.runtime.policing import group_name
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from tools.bench.book import Entry

_BY: Final = b"book"
_QUEUED_MAX: Final = 100_000
_POLLED_EVERY: Final = 1_000


class _Writing:
    """librdkafka's producer for millions of records: aiokafka's takes ten times the CPU for each."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "message.max.bytes": TOPIC_MESSAGE_BYTES_MAX,
                "queue.buffering.max.messages": _QUEUED_MAX,
                "linger.ms": 50,
            }
        )
        self._posted = 0
        self._failed: list[str] = []

    def post(self, place: Place, key: bytes, value: bytes, headers: dict[str, bytes]) -> None:
        """Queue a record; waits while the queue is full."""
        self._posted += 1
        if self._posted % _POLLED_EVERY == 0:
            while len(self._producer) > _QUEUED_MAX // 2:
                self._producer.poll(0.1)
            self._producer.poll(0)
        self._producer.produce(
            place.topic,
            partition=place.partition,
            key=key,
            value=value,
            headers=list(headers.items()),
            on_delivery=self._told,
        )

    def end(self) -> None:
        """Wait until all are stored. Raises RuntimeError for one that is not."""
        left = self._producer.flush(60.0)
        if left or self._failed:
            raise RuntimeError(f"the book was not stored: {left} left, {self._failed[:1]}")

    def _told(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(str(error))


async def write(settings: Settings, service: Service, entries: Iterable[Entry]) -> dict[int, Checkpoint]:
    """Write a service's entries into its two empty topics and return each partition's head. Raises RuntimeError."""
    return await asyncio.to_thread(_write, settings, service, entries)


def _write(settings: Settings, service: Service, entries: Iterable[Entry]) -> dict[int, Checkpoint]:
    commands, events = (
        [Place(topic(service.name, settings.topic_prefix), number) for number in range(settings.partitions)]
        for topic in (commands_topic, events_topic)
    )
    heads = [genesis(settings.require_log_id(), place.topic, place.partition) for place in events]
    writing = _Writing(settings.require_kafka())
    rules = str(service.rules).encode()
    for entry in entries:
        number = partition_of(entry.stream, settings.partitions)
        position, prev = heads[number].position + 1, heads[number].hash
        key = entry.stream.encode()
        headers = {
            "position": b"%d" % position,
            "command": sha256(entry.command).digest(),
            "rules": rules,
            "command-id": entry.command_id,
            "type": entry.type,
        }
        digest = seal(prev, headers, entry.decision)
        headers |= {"prev": prev, "hash": digest, "by": _BY}
        writing.post(commands[number], key, entry.command, {})
        writing.post(events[number], key, entry.decision, headers)
        heads[number] = Checkpoint(position, position, digest)
    writing.end()
    return dict(enumerate(heads))


async def pass_over(
    settings: Settings, services: Iterable[Service], source: str, heads: dict[int, Checkpoint]
) -> None:
    """Let every group that reads a source go on behind the book: nothing of it is left to be sent."""
    places = {
        Place(events_topic(source, settings.topic_prefix), number): head for number, head in heads.items()
    }
    commits = {place: Commit(head, head.offset + 1) for place, head in places.items() if head.offset >= 0}
    for service in services:
        if source not in service.policies:
            continue
        group = settings.topic_prefix + group_name(service.name, source)
        reader = LogReader(settings.require_kafka(), client_id="bench-book", group=group)
        await reader.start()
        try:
            reader.assign_for_commits(list(commits))
            await reader.commit(commits)
        finally:
            await reader.stop()
