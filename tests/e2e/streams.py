"""A client of the server-sent events: it reads what has come, and gives up after a while instead of waiting for ever."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.town import PATIENCE_S, Person


@dataclass
class Stream:
    """An open stream. `last_id` is what to send to go on from here."""

    answer: httpx.Response
    last_id: str = ""
    pings: int = 0
    _lines: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.answer.iter_lines()

    def next(self, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next CloudEvent."""
        deadline, data = time.monotonic() + within_s, ""
        for line in self._lines:
            assert time.monotonic() < deadline, "the stream told nothing in time"
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "data":
                data = value
            elif not name and value == "ping":
                self.pings += 1
            elif not line and data:
                event: dict[str, Any] = json.loads(data)
                return event
        raise AssertionError("the stream has ended")

    def next_ping(self) -> None:
        """Wait until the server says that it is still there; it does so when it has had nothing to tell for 15 seconds."""
        before = self.pings
        for line in self._lines:
            if line == ": ping":
                self.pings += 1
                break
            assert not line.startswith("data"), f"something was told: {line}"
        assert self.pings > before, "the stream has ended"


@contextmanager
def watching(person: Person, path: str, *, after: str = "") -> Iterator[Stream]:
    """Follow a view; after an event that is known already, or from now on, which begins with `reset`."""
    headers = {"Authorization": f"Bearer {person.token}"} | ({"Last-Event-ID": after} if after else {})
    with person.http.stream("GET", path, headers=headers, timeout=httpx.Timeout(PATIENCE_S)) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer)
        if not after:
            assert stream.next()["type"].endswith(".reset.v1")
        yield stream
