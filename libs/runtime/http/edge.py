"""What the routes of one process share: the log to send to, the tail that answers, the views, the keys.

Built once per process; tests build the same thing on an in-memory log.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import Request

from libs.events.searches import BY_NAME, Sorting
from libs.events.topics import commands_topic, partition_of
from libs.runtime.http.access import Keys
from libs.runtime.http.positions import Positions
from libs.runtime.http.problems import try_again
from libs.runtime.kafka import LogUnavailable, Place
from libs.runtime.outcomes import Outcomes
from libs.runtime.settings import Settings
from libs.runtime.vault import Vault
from libs.runtime.views import Changed, Reset


class Writes(Protocol):
    """The calls of LogWriter that sending needs."""

    async def start(self) -> None:
        """See LogWriter."""

    async def send(self, place: Place, *, key: bytes, value: bytes) -> int:
        """See LogWriter."""

    async def stop(self) -> None:
        """See LogWriter."""


class ReadsViews(Protocol):
    """The calls of Views that routes need."""

    async def get(self, view: str, doc: str) -> dict[str, Any] | None:
        """See Views."""

    async def page(
        self,
        view: str,
        *,
        where: Mapping[str, Any],
        after: str | None,
        limit: int,
        order: Sorting = BY_NAME,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """See Views."""

    async def count(self, view: str, field: str, where: Mapping[str, Any] = ...) -> int:
        """See Views."""

    async def positions(self, view: str) -> Positions:
        """See Views."""

    def changes(
        self, view: str, *, where: Mapping[str, Any], after: str | None
    ) -> AsyncGenerator[Changed | Reset]:
        """See Views."""


class Streams:
    """How many streams a process serves at the same time; each holds a cursor at the database."""

    def __init__(self, at_most: int = 200) -> None:
        self._at_most = at_most
        self._open = 0

    @property
    def are_full(self) -> bool:
        """Whether the next one must wait."""
        return self._open >= self._at_most

    def __enter__(self) -> None:
        self._open += 1

    def __exit__(self, *_error: object) -> None:
        self._open -= 1


class CommandLog:
    """Appends commands to one service's topic. A writer that failed once is never used again (stack.md rule 7)."""

    def __init__(
        self,
        service: str,
        *,
        partitions: int,
        topic_prefix: str,
        connect: Callable[[], Writes],
        limit_s: float = 5.0,
    ) -> None:
        self._topic = commands_topic(service, topic_prefix)
        self._partitions = partitions
        self._connect = connect
        self._limit_s = limit_s
        self._writer: Writes | None = None
        self._connecting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    def partition(self, stream_id: str) -> int:
        """Where a stream's commands go."""
        return partition_of(stream_id, self._partitions)

    async def append(self, stream_id: str, value: bytes) -> int:
        """Store one command and return its position. Raises RecordTooLarge, or LogUnavailable when the outcome is unknown."""
        writer = None
        try:
            async with asyncio.timeout(self._limit_s):
                writer = await self._open()
                place = Place(self._topic, self.partition(stream_id))
                return await writer.send(place, key=stream_id.encode(), value=value)
        except TimeoutError as error:
            self._give_up(writer)
            raise LogUnavailable("no acknowledgement in time") from error
        except LogUnavailable:
            self._give_up(writer)
            raise

    async def close(self) -> None:
        """Close the writer; a later append opens another."""
        self._give_up(self._writer)
        await asyncio.gather(*self._closing)

    async def _open(self) -> Writes:
        if self._writer is not None:
            return self._writer
        async with self._connecting:
            if self._writer is None:
                writer = self._connect()
                try:
                    await writer.start()
                except BaseException:
                    self._stop(writer)
                    raise
                self._writer = writer
            return self._writer

    def _give_up(self, writer: Writes | None) -> None:
        """Whoever comes next opens a new writer; of those that fail together, the first closes the old one."""
        if writer is not None and writer is self._writer:
            self._writer = None
            self._stop(writer)

    def _stop(self, writer: Writes) -> None:
        """Close a writer beside the requests that still wait on it."""
        closing = asyncio.ensure_future(writer.stop())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


@dataclass(frozen=True, slots=True)
class Edge:
    """Everything a request may use."""

    service: str
    settings: Settings
    keys: Keys
    fingerprint_secret: bytes
    commands: CommandLog
    outcomes: Outcomes
    views: ReadsViews
    streams: Streams = field(default_factory=Streams)
    vault: Vault | None = None
    """Personal data, in the one service that keeps it."""


def edge_of(request: Request) -> Edge:
    """The edge of the process that serves this request. Raises Problem 503 until the process has one."""
    edge: Edge | None = request.app.state.edge
    if edge is None:
        raise try_again("starting", "The service is starting. Send the same request again.")
    return edge
