"""The proxy does to each direction exactly what it was told, and to connections that were open before, too."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tools.faults.proxy import HOLD, PASS, RESET, Mode, Proxy


class Server:
    """Answers every byte with itself and keeps what it read."""

    def __init__(self) -> None:
        self.read = bytearray()
        self.ended = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while chunk := await reader.read(1 << 16):
                self.read += chunk
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Server, Proxy]]:
    """A server and the proxy before it."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with Proxy(server.port) as proxy:
        yield server, proxy
    listening.close()


async def until(met: Callable[[], bool]) -> None:
    """Wait until something in another task is so."""
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110 - bytes on their way tell no event
            await asyncio.sleep(0.01)


async def ask(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection through the proxy that has proven to work."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    return reader, writer


async def test_everything_passes_in_both_directions() -> None:
    """Four megabytes come back as they were sent."""
    async with line() as (server, proxy):
        reader, writer = await ask(proxy)
        sent = bytes(range(256)) * 16_384
        writer.write(sent)
        assert await asyncio.wait_for(reader.readexactly(len(sent)), 20) == sent
        assert len(server.read) == len(sent) + 5
        writer.close()


async def test_a_delay_holds_every_chunk_back_so_long() -> None:
    """An answer takes the delay of both directions longer, and order is kept."""
    async with line() as (_, proxy):
        reader, writer = await ask(proxy)
        proxy.switch(up=Mode("delay", delay_s=0.2), down=Mode("delay", delay_s=0.1))
        began = time.monotonic()
        for number in range(20):
            writer.write(bytes([number]))
        assert await reader.readexactly(20) == bytes(range(20))
        assert 0.29 < time.monotonic() - began < 2.0
        writer.close()


async def test_what_is_held_arrives_when_it_is_let_go_also_after_its_sender_left() -> None:
    """A black hole loses nothing that was sent into it: it arrives late, which is worse than never."""
    async with line() as (server, proxy):
        _, writer = await ask(proxy)
        proxy.switch(up=HOLD)
        writer.write(b"late")
        await until(lambda: proxy.figures("up")[1] == 4)
        writer.close()
        await writer.wait_closed()
        assert server.read == b"hello"
        assert not server.ended.is_set()
        proxy.switch(up=PASS)
        await asyncio.wait_for(server.ended.wait(), 5)
        assert server.read == b"hellolate"


async def test_only_the_held_direction_is_held() -> None:
    """The server gets the question; its answer waits."""
    async with line() as (server, proxy):
        reader, writer = await ask(proxy)
        proxy.switch(down=HOLD)
        writer.write(b"question")
        await until(lambda: server.read == b"helloquestion")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        proxy.switch(down=PASS)
        assert await reader.readexactly(8) == b"question"
        writer.close()


async def test_a_reset_is_met_at_the_next_byte_and_a_new_connection_works_again() -> None:
    """Whoever sends into it gets a reset connection, not a clean end."""
    async with line() as (server, proxy):
        reader, writer = await ask(proxy)
        proxy.switch(up=RESET)
        writer.write(b"never")
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        assert server.read == b"hello"
        proxy.switch(up=PASS)
        _, again = await ask(proxy)
        again.close()
        writer.close()
        assert proxy.figures("up")[2] == 1


async def test_a_cut_lets_exactly_so_many_bytes_pass() -> None:
    """The server gets the first seven bytes after the switch, then the connection is gone."""
    async with line() as (server, proxy):
        reader, writer = await ask(proxy)
        proxy.switch(up=Mode("cut", after_bytes=7))
        writer.write(b"0123456789")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(100)
        await asyncio.wait_for(server.ended.wait(), 5)
        assert server.read == b"hello0123456"
        writer.close()


async def test_nobody_behind_it_is_a_connection_that_ends() -> None:
    """A proxy before a closed port takes the connection and ends it."""
    async with line() as (server, _):
        port = server.port
    async with Proxy(port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read(1) == b""
        writer.close()


async def test_only_the_marked_connections_are_meant() -> None:
    """Who did not begin with the mark passes while the others are held."""
    async with line() as (server, proxy):
        proxy.only = b"hello"
        _, held = await ask(proxy)
        proxy.switch(up=HOLD)
        held.write(b"held")
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"other")
        assert await reader.readexactly(5) == b"other"
        assert server.read == b"helloother"
        proxy.switch(up=PASS)
        await until(lambda: server.read == b"hellootherheld")
        held.close()
        writer.close()
