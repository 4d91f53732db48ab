"""The decider's links to Kafka: what it reads from, and the producer it writes with, made anew after any doubt."""

import asyncio

from libs.runtime.kafka import LogReader, LogWriter
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tail import Tail


class Tails:
    """The two consumers, of commands to decide and of the service's own events; and one that only asks how far a log reaches.

    A consumer that waits for records holds up its own questions by as much as half a second, and a standby asks just then.
    """

    def __init__(self, settings: Settings, service: Service, tail: Tail) -> None:
        self.commands = LogReader(settings.require_kafka(), client_id=f"{service.name}-decider-commands")
        self.events = tail.reader()
        self.asking = LogReader(settings.require_kafka(), client_id=f"{service.name}-decider-asking")

    async def start(self) -> None:
        """Connect. Raises LogUnavailable."""
        await self.commands.start()
        await self.asking.start()
        await self.events.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self.commands.stop()
        await self.asking.stop()
        await self.events.stop()


class Writers:
    """The process's producer, made anew after any error. One for all partitions: its requests carry them together.

    A partition that fails takes the others' producer away too; they start over by the same path (decisions/0003).
    """

    def __init__(self, settings: Settings, service: Service) -> None:
        self._bootstrap = settings.require_kafka()
        self._client_id = f"{service.name}-decider"
        self._lock = asyncio.Lock()
        self._writer: LogWriter | None = None

    async def current(self) -> LogWriter:
        """The producer in use. Raises LogUnavailable."""
        async with self._lock:
            if self._writer is None:
                writer = LogWriter(self._bootstrap, client_id=self._client_id)
                await writer.start()
                self._writer = writer
            return self._writer

    async def discard(self, writer: LogWriter | None) -> None:
        """Close a producer whose last records are in doubt; harmless when that was done already."""
        async with self._lock:
            if writer is not None and self._writer is writer:
                self._writer = None
                await writer.stop()

    async def close(self) -> None:
        """Close the producer in use."""
        await self.discard(self._writer)
