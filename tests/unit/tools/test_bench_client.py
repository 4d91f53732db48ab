"""The generator's HTTP client, on a server of its own: answers in pieces, kept connections, servers that go away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tools.bench.http_client import HttpClient, post


@asynccontextmanager
async def serving(*pieces: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that gives every request the same answer in these pieces, and closes where there are none."""
    met: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(b"connection")
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            met.append(head + await reader.readexactly(2))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if not pieces:
                writer.close()
                return

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], met
    finally:
        server.close()


async def test_an_answer_in_pieces_is_one_answer_and_the_connection_is_kept() -> None:
    """Status, headers in any case, and the whole body; the next request goes over the same connection."""
    pieces = (b"HTTP/1.1 201 Created\r\nContent-", b"length: 4\r\nX-Place: b/2=1\r\n\r\nwe", b"ll")
    async with serving(*pieces) as (port, met), HttpClient(port) as client:
        for _ in range(2):
            answer = await client.ask(post("/a", {"K": "v"}, b"{}"))
            assert (answer.status, answer.body, answer.header("x-place")) == (201, b"well", "b/2=1")
        assert met.count(b"connection") == 1
        assert b"POST /a HTTP/1.1\r\n" in met[1]
        assert b"K: v\r\n" in met[1]


async def test_a_connection_that_is_closed_is_told_and_not_sent_again() -> None:
    """Whether it was carried out is unknown: the load counts it and asks for nothing twice."""
    async with serving() as (port, met), HttpClient(port) as client:
        with pytest.raises(ConnectionError):
            await client.ask(post("/a", {}, b"{}"))
        assert len(met) == 2
