"""A client that is never the bottleneck: HTTP/1.1 on kept connections, no more of it than the bench's own answers need.

httpx takes ten times the CPU of the service under test's baseline; a generator like that would measure itself.
"""

import asyncio
from collections import deque
from contextlib import suppress

#: More connections at a time only wait in the same process.
CONNECTIONS_MAX = 256
ANSWER_LIMIT_S = 10.0


class Answer:
    """Status, header lines and body of one response."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body

    def header(self, name: str) -> str | None:
        """One header, whatever its case."""
        wanted = name.lower().encode() + b":"
        for line in self.head.split(b"\r\n")[1:]:
            if line.lower().startswith(wanted):
                return line.partition(b":")[2].strip().decode()
        return None


def post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[Answer]":
        assert self.transport is not None, "a connection that was made"
        self._waiting = asyncio.get_running_loop().create_future()
        self._received = b""
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._waiting is None or self._waiting.done():
            return
        length = Answer(0, head, b"").header("content-length")
        if length is None:
            self._waiting.set_exception(ConnectionError("an answer without a length"))
        elif len(body) >= int(length):
            self._waiting.set_result(Answer(int(head[9:12]), head, body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(f"closed before the answer ({error})"))

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()


class HttpClient:
    """Requests to one port of this machine, from many tasks. An async context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[_Connection] = deque()
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)

    async def __aenter__(self) -> "HttpClient":
        return self

    async def __aexit__(self, *_error: object) -> None:
        for connection in self._free:
            if connection.transport is not None:
                connection.transport.close()

    async def ask(self, request: bytes) -> Answer:
        """The answer. Raises OSError (ConnectionError, TimeoutError) for none; it never sends twice."""
        async with self._slots:
            connection = await self._connection()
            timer = None
            try:
                answer = connection.ask(request)
                timer = asyncio.get_running_loop().call_later(ANSWER_LIMIT_S, _give_up, answer)
                found = await answer
            except BaseException:
                if connection.transport is not None:
                    connection.transport.abort()
                raise
            finally:
                if timer is not None:
                    timer.cancel()
            self._free.append(connection)
            return found

    async def _connection(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        _, made = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", self._port)
        return made


def _give_up(answer: "asyncio.Future[Answer]") -> None:
    with suppress(asyncio.InvalidStateError):
        answer.set_exception(TimeoutError("no answer in time"))
