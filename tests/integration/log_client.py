"""Writes commands straight to the log and reads decisions back: how the integration tests act as an API that never dies."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from pydantic_core import to_json

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import name_of
from libs.events.records import CommandEnvelope, RecordedEvent, recorded_events
from libs.events.topics import commands_topic, events_topic, partition_of
from libs.runtime.kafka import LogReader, LogUnavailable, LogWriter, Place
from libs.runtime.settings import Settings


class LogClient:
    """Sends people's commands and keeps every accepted event of the services it follows, in the order of arrival."""

    def __init__(self, settings: Settings, services: tuple[str, ...]) -> None:
        self._settings = settings
        self._services = services
        self._writer = LogWriter(settings.require_kafka(), client_id="test-writer")
        self._reader = LogReader(settings.require_kafka(), client_id="test-reader")
        self._chains: dict[Place, tuple[str, ChainReader]] = {}
        self.events: list[RecordedEvent] = []
        self.readings: dict[Reading, int] = dict.fromkeys(Reading, 0)

    async def __aenter__(self) -> Self:
        await self._writer.start()
        await self._reader.start()
        log_id = self._settings.require_log_id()
        for service in self._services:
            for partition in range(self._settings.partitions):
                place = Place(events_topic(service, self._settings.topic_prefix), partition)
                self._chains[place] = (service, ChainReader(genesis(log_id, place.topic, partition)))
        self._reader.assign(dict.fromkeys(self._chains, 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.stop()
        await self._reader.stop()

    def place(self, service: str, stream: str) -> Place:
        """Where a stream's commands go."""
        partition = partition_of(stream, self._settings.partitions)
        return Place(commands_topic(service, self._settings.topic_prefix), partition)

    async def send(
        self, service: str, stream: str, message: Any, command_id: str, principal: str = "usr_a"
    ) -> int:
        """Store one command of a person; the same id and body twice is a double click."""
        envelope = CommandEnvelope(
            command_id=command_id,
            type=name_of(type(message)),
            stream_id=stream,
            data=message,
            at=datetime.now(UTC),
            principal=principal,
            correlation_id=command_id,
            fingerprint="f-" + command_id,
        )
        return await self.send_bytes(service, stream, to_json(envelope))

    async def send_bytes(self, service: str, stream: str, value: bytes) -> int:
        """Store raw bytes as a command."""
        for attempt in range(20):
            try:
                return await self._writer.send(self.place(service, stream), key=stream.encode(), value=value)
            except LogUnavailable:
                if attempt == 19:
                    raise
                await asyncio.sleep(0.25)
        raise AssertionError("unreachable")

    async def read_until(self, met: Callable[[], bool], limit_s: float = 120.0) -> None:
        """Read events until the condition holds. Raises TimeoutError after the limit, which is what a loaded machine may take."""
        async with asyncio.timeout(limit_s):
            while not met():
                for place, records in (await self._reader.poll(0.2)).items():
                    service, chain = self._chains[place]
                    for raw in records:
                        reading = chain.read(raw)
                        self.readings[reading] += 1
                        if reading is not Reading.ACCEPTED:
                            continue
                        events, undecodable = recorded_events(
                            raw, service=service, partition=place.partition, position=chain.head.position
                        )
                        assert not undecodable
                        self.events += events

    def of(self, kind: type) -> list[Any]:
        """The data of all events of one type, in the order of arrival."""
        return [event.data for event in self.events if isinstance(event.data, kind)]
