"""Closing a client of Kafka: what the library lets out of its own tasks ends nobody else."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from libs.runtime.kafka import LogReader, LogWriter
from tests.unit.runtime.edge_world import until


class Client:
    """aiokafka's consumer or producer, as far as closing goes."""

    def __init__(self, stop: Callable[[], Awaitable[None]]) -> None:
        self.stop = stop
        self.client = self._client = self
        self.closed = False

    async def close(self) -> None:
        """Its connections."""
        self.closed = True


def closing(
    stop: Callable[[], Awaitable[None]], kind: type[LogReader | LogWriter]
) -> tuple[Client, LogReader | LogWriter]:
    """A reader or a writer whose client stops in this way."""
    client, made = Client(stop), kind("127.0.0.1:1", client_id="test")
    setattr(made, "_consumer" if kind is LogReader else "_producer", client)
    return client, made


@pytest.mark.parametrize("kind", [LogReader, LogWriter])
async def test_a_client_that_breaks_off_while_it_stops_ends_nobody_and_is_closed(
    kind: type[LogReader | LogWriter],
) -> None:
    """Of 37,000 readers stopped under a broker that was killed again and again, 162 raised CancelledError: each would have
    ended its partition or its policy group in silence."""

    async def breaks_off() -> None:
        fetch = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        fetch.cancel()
        await fetch

    client, made = closing(breaks_off, kind)
    await made.stop()
    assert client.closed


@pytest.mark.parametrize("kind", [LogReader, LogWriter])
async def test_whoever_is_cancelled_while_a_client_stops_is_cancelled(
    kind: type[LogReader | LogWriter],
) -> None:
    """Ours is another's wish, and the client's stopping ends with it."""
    began, broken_off = asyncio.Event(), asyncio.Event()

    async def never_ends() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            broken_off.set()

    _, made = closing(never_ends, kind)
    stopping = asyncio.create_task(made.stop())
    await began.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await until(broken_off.is_set)
