"""One life of a decider or a policy in a thread with a loop of its own, and the gate before its producer."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from libs.runtime.kafka import LogUnavailable, LogWriter, Place, RecordTooLarge
from libs.runtime.tail import Tail
from tests.integration.conformance.ground import Gate, Held, Verdict

#: What anything may take on a busy machine.
LIMIT_S = 60.0


@dataclass(slots=True)
class Sent:
    """A decision that a life believes to be on its way."""

    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[object]"
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]


class GatedWriter(LogWriter):
    """The decider's producer with a gate before it."""

    def __init__(self, gate: Gate, bootstrap: str, *, client_id: str, linger_ms: int = 0) -> None:
        super().__init__(bootstrap, client_id=client_id, linger_ms=linger_ms)
        self._gate = gate

    async def post(
        self, place: Place, *, key: bytes | None, value: bytes, headers: Mapping[str, bytes] | None = None
    ) -> "asyncio.Future[object]":
        """See LogWriter."""
        assert headers is not None
        replica = headers["by"].decode()
        if replica not in self._gate.held:
            return await super().post(place, key=key, value=value, headers=headers)
        loop = asyncio.get_running_loop()
        sent = Sent(loop, loop.create_future(), key, value, dict(headers))
        self._gate.in_hand.append(Held(replica, int(headers["position"]), sent))
        return sent.future


class Unwatched:
    """No watch of decisions that hang: its timer belongs to a process, and here one process lives several lives."""

    def start(self) -> None:
        """See HangWatch."""

    stop = begin = end = start


class Life:
    """One life of a role in a thread of its own, from start() to kill()."""

    def __init__(self, build: Callable[[], tuple[Any, Tail]]) -> None:
        self.role: Any = None
        self.error: BaseException | None = None
        self._build = build
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._frozen: threading.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._live())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - the ground judges it
            self.error = error

    async def _live(self) -> None:
        self._task, stop = asyncio.current_task(), asyncio.Event()
        role, tail = self._build()  # here: the clients belong to the loop in which they are made
        self.role = role
        async with asyncio.TaskGroup() as group:
            group.create_task(tail.run(stop))
            group.create_task(role.run(stop))

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return not self._thread.is_alive()

    def freeze(self) -> None:
        """Return when nothing in it moves."""
        self._frozen, reached = threading.Event(), threading.Event()

        def stand() -> None:
            reached.set()
            assert self._frozen is not None
            self._frozen.wait()

        self._loop.call_soon_threadsafe(stand)
        assert reached.wait(LIMIT_S)

    def thaw(self) -> None:
        """Let it go on."""
        if self._frozen is not None:
            self._frozen.set()
            self._frozen = None

    def kill(self) -> None:
        """Return when it is over; harmless where it is."""
        self.thaw()
        give_up_at = time.monotonic() + LIMIT_S
        while self._thread.is_alive():
            assert time.monotonic() < give_up_at, "a life does not end"
            if self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(0.2)


def answer(future: "asyncio.Future[object]", verdict: Verdict) -> None:
    """Tell a life what became of a decision that it sent."""
    if future.done():
        return
    if verdict is Verdict.STORED:
        future.set_result(None)
    elif verdict is Verdict.TOO_LARGE:
        future.set_exception(RecordTooLarge("too large"))
    else:
        future.set_exception(LogUnavailable("it was told to fail"))
