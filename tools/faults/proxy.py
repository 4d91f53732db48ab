"""A TCP proxy that delays, swallows, resets or cuts what passes, each direction for itself, switched while it runs.

Own, because nothing that is kept fits: toxiproxy is a Go program without a wheel, and `faulty` (0.2, alpha) knows delay and
dropped chunks only: no reset, no cut after n bytes, no switch of connections that are open. Both directions of every
connection follow the mode of the moment, also the connections that were made before it was switched.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

Kind = Literal["pass", "delay", "hold", "reset", "cut"]
Direction = Literal["up", "down"]

_CHUNK = 64 * 1024
#: What a direction buffers while it delays: beyond it the sender is held back, as a long fat line would.
_QUEUED_MAX = 4_096
#: Zero seconds of lingering: closing such a socket sends RST and throws away what was not sent yet.
_RST = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Mode:
    """What becomes of the bytes of one direction.

    `delay`: each chunk arrives `delay_s` later, in order. `hold`: nothing passes and nothing is lost; what came while holding
    goes on when the mode changes: a black hole for who waits, a late delivery afterwards. `reset`: the connection is torn
    down with RST at its next byte. `cut`: the same after `after_bytes` more bytes of a connection, of which the last chunk
    passes in part.
    """

    kind: Kind = "pass"
    delay_s: float = 0.0
    after_bytes: int = 0


PASS = Mode()
HOLD = Mode("hold")
RESET = Mode("reset")


@dataclass(slots=True)
class _Line:
    """One direction: its mode, who waits for a change of it, and what was counted."""

    mode: Mode = PASS
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    passed: int = 0
    held: int = 0
    torn: int = 0


@dataclass(slots=True)
class _Connection:
    first: bytes | None = None
    """The first chunk that its client sent."""


class Proxy:
    """Listens on 127.0.0.1 and forwards to a port there. A context manager; use it on one running loop.

    `up` is client to server, `down` is server to client. `only`: bytes that the first chunk of a connection must contain for
    the modes to mean it; Kafka's clients say their name there, so that a producer can be told from a consumer.
    """

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target_port = target_port
        self._wanted_port = port
        self.only = b""
        self._lines: dict[Direction, _Line] = {"up": _Line(), "down": _Line()}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.accepted = 0

    @property
    def port(self) -> int:
        """Where it listens. Raises RuntimeError before it does."""
        if self._server is None:
            raise RuntimeError("the proxy is not started")
        return int(self._server.sockets[0].getsockname()[1])

    def switch(self, up: Mode | None = None, down: Mode | None = None) -> None:
        """Change the mode of one or both directions, for open connections too; None leaves it."""
        for line, mode in ((self._lines["up"], up), (self._lines["down"], down)):
            if mode is not None:
                line.mode = mode
                line.changed.set()
                line.changed = asyncio.Event()

    def figures(self, direction: Direction) -> tuple[int, int, int]:
        """Of one direction: bytes that passed, bytes that arrived while it held, and connections torn down by it."""
        line = self._lines[direction]
        return line.passed, line.held, line.torn

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self._wanted_port, limit=_CHUNK
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a callback of the server runs in a task"
        self._connections.add(task)
        self.accepted += 1
        sides = [writer]
        try:
            there, out = await asyncio.open_connection("127.0.0.1", self._target_port, limit=_CHUNK)
            sides.append(out)
            # The first direction that ends, ends both: neither Kafka's nor MongoDB's protocol half-closes.
            connection = _Connection()
            pipes = {
                asyncio.ensure_future(self._pipe("up", connection, reader, out)),
                asyncio.ensure_future(self._pipe("down", connection, there, writer)),
            }
            try:
                done, _ = await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
                if any(pipe.result() for pipe in done):
                    _reset(sides)
            finally:
                for pipe in pipes:
                    pipe.cancel()
                await asyncio.gather(*pipes, return_exceptions=True)
        except OSError:
            pass  # one of the two went away, which is what the other is shown
        finally:
            self._connections.discard(task)
            for side in sides:
                side.close()

    async def _pipe(
        self,
        direction: Direction,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Forward until the end; True if the connection is to be reset."""
        line = self._lines[direction]
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUED_MAX)
        filling = asyncio.create_task(self._fill(line, connection, queue, reader))
        try:
            return await self._send(line, connection, queue, writer)
        except OSError:
            return False  # the receiver is gone
        finally:
            filling.cancel()

    async def _fill(
        self,
        line: _Line,
        connection: _Connection,
        queue: "asyncio.Queue[tuple[float, bytes]]",
        reader: asyncio.StreamReader,
    ) -> None:
        chunk = b"begin"
        while chunk:
            try:
                chunk = await reader.read(_CHUNK)
            except OSError:
                chunk = (
                    b""  # whoever sent has torn the connection down; what he sent before is still on its way
                )
            if connection.first is None and line is self._lines["up"]:
                connection.first = chunk
            if self._mode(line, connection).kind == "hold":
                line.held += len(chunk)
            await queue.put((asyncio.get_running_loop().time(), chunk))

    def _mode(self, line: _Line, connection: _Connection) -> Mode:
        return line.mode if self.only in (connection.first or b"") else PASS

    async def _send(
        self,
        line: _Line,
        connection: _Connection,
        queue: "asyncio.Queue[tuple[float, bytes]]",
        writer: asyncio.StreamWriter,
    ) -> bool:
        counted_in, left = line.mode, line.mode.after_bytes
        while True:
            came_at, chunk = await queue.get()
            while self._mode(line, connection).kind == "hold":
                await line.changed.wait()
            if not chunk:
                return False
            mode = self._mode(line, connection)
            if mode is not counted_in:
                counted_in, left = mode, mode.after_bytes
            if mode.kind == "delay":
                await asyncio.sleep(max(0.0, came_at + mode.delay_s - asyncio.get_running_loop().time()))
            tears = mode.kind == "reset" or (mode.kind == "cut" and len(chunk) > left)
            if mode.kind in ("reset", "cut"):
                chunk, left = chunk[:left], max(0, left - len(chunk))
            writer.write(chunk)
            line.passed += len(chunk)
            await writer.drain()
            if tears:
                line.torn += 1
                return True


def _reset(sides: list[asyncio.StreamWriter]) -> None:
    """Have both ends meet RST instead of a clean end. Who cut in part lets the server see that part first."""
    for side in sides:
        connection: socket.socket = side.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        side.transport.abort()
