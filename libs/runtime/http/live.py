"""A view, live: server-sent events that say how its documents change, in the form of CloudEvents.

A stream begins now, or after the event that the client names in `Last-Event-ID`. Where it cannot go on from there (the view
was rebuilt, or the event is older than the database remembers) it says `reset` first: the client then reads the page
again, which is always the truth; a stream only tells when to look and at what. It ends after a while and the client connects
again, so that whoever lost his scope, his desk or his token is told of nothing for longer than that.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel

from libs.runtime.cloud_events import CloudEvent
from libs.runtime.http.edge import edge_of
from libs.runtime.http.problems import try_again
from libs.runtime.http.reading import or_try_again
from libs.runtime.views import Changed, Reset

#: What a client waits before it connects again, in milliseconds.
RECONNECT_MS: Final = 2000
#: How long a stream lasts at most, in seconds.
STREAM_LIMIT_S: Final = 300.0
LAST_EVENT_HEADER: Final = "Last-Event-ID"

Shown = Callable[[Mapping[str, Any]], BaseModel]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller may see of a view: documents whose fields equal `where` and that `sees` lets pass (None: all of them)."""

    where: Mapping[str, Any]
    sees: Callable[[Mapping[str, Any]], bool] | None = None

    def shows(self, document: Mapping[str, Any] | None) -> bool:
        """Whether the caller may see this state of a document."""
        return document is not None and (self.sees is None or self.sees(document))

    def misses(self, change: Changed) -> bool:
        """Whether the caller is told that a document is gone: only of one that he might have seen."""
        if change.before is not None:
            return self.shows(change.before)
        return change.document is None and self.sees is None


@dataclass(frozen=True, slots=True)
class LiveView:
    """One view as a stream, and how its documents are shown."""

    view: str
    shown: Shown

    async def require_ready(self, request: Request) -> None:
        """Raises Problem 503 before a stream begins that could not."""
        edge = edge_of(request)
        if edge.streams.are_full:
            raise try_again("too_many_streams", "This process serves as many streams as it can.")
        with or_try_again():
            await edge.views.positions(self.view)

    async def events(self, request: Request, sight: Sight) -> AsyncIterator[ServerSentEvent]:
        """The changes from now on, or from the event that the client had last, until the stream has lasted long enough."""
        edge, ends_at = edge_of(request), asyncio.get_running_loop().time() + STREAM_LIMIT_S
        after = request.headers.get(LAST_EVENT_HEADER)
        with edge.streams:
            async with aclosing(edge.views.changes(self.view, where=sight.where, after=after)) as changes:
                while True:
                    try:
                        async with asyncio.timeout_at(ends_at):
                            change = await anext(changes)
                    except (StopAsyncIteration, TimeoutError):
                        return
                    event = self._told(change, sight)
                    if event is not None:
                        yield ServerSentEvent(data=event, event=event.type, id=change.id, retry=RECONNECT_MS)

    def _told(self, change: Changed | Reset, sight: Sight) -> CloudEvent | None:
        """A change as the caller is told of it; None when it is none of his business."""
        source = f"/loanstream/views/{self.view}"
        if isinstance(change, Reset):
            return CloudEvent(id=change.id, source=source, type=f"loanstream.{self.view}.reset.v1")
        data: BaseModel | None = None
        if change.document is not None and sight.shows(change.document):
            data = self.shown(change.document)
        elif not sight.misses(change):
            return None
        return CloudEvent(
            id=change.id,
            source=source,
            type=f"loanstream.{self.view}.changed.v1",
            subject=change.doc,
            time=change.at.isoformat(),
            data=data,
        )
