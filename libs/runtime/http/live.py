"""A view, live: server-sent events that say how its documents change, in the form of CloudEvents.

A stream begins now, or after the event that the client names in `Last-Event-ID`. Where it cannot go on from there (the view
was rebuilt, or the event is older than the database remembers) it says `reset` first: the client then reads the page
again, which is always the truth; a stream only tells when to look and at what.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel, Field

from libs.runtime.auth import Principal
from libs.runtime.http.edge import edge_of
from libs.runtime.http.problems import try_again
from libs.runtime.http.reading import or_try_again
from libs.runtime.views import Reset

#: What a client waits before it connects again, in milliseconds.
RECONNECT_MS: Final = 2000
LAST_EVENT_HEADER: Final = "Last-Event-ID"

Shown = Callable[[Mapping[str, Any]], BaseModel]
Where = Callable[[Principal], Mapping[str, Any]]


class CloudEvent(BaseModel):
    """A change of one document, as CloudEvents 1.0 in JSON. `data` is what a GET shows, null when it is gone."""

    specversion: str = "1.0"
    id: str = Field(description="Send it as Last-Event-ID to go on from here.")
    source: str
    type: str
    subject: str | None = Field(default=None, description="The document's name; none for `reset`.")
    time: str | None = None
    datacontenttype: str = "application/json"
    data: Any = None


@dataclass(frozen=True, slots=True)
class LiveView:
    """One view as a stream: which of its documents a caller may see, and how they are shown."""

    view: str
    shown: Shown
    where: Where

    async def require_ready(self, request: Request) -> None:
        """Raises Problem 503 before a stream begins that could not."""
        edge = edge_of(request)
        if edge.streams.are_full:
            raise try_again("too_many_streams", "This process serves as many streams as it can.")
        with or_try_again():
            await edge.views.positions(self.view)

    async def events(self, request: Request) -> AsyncIterator[ServerSentEvent]:
        """The changes from now on, or from the event that the client had last."""
        edge = edge_of(request)
        after = request.headers.get(LAST_EVENT_HEADER)
        where = self.where(request.state.principal)
        with edge.streams:
            async with aclosing(edge.views.changes(self.view, where=where, after=after)) as changes:
                async for change in changes:
                    event = CloudEvent(
                        id=change.id, source=f"/loanstream/views/{self.view}", type=self._type("reset")
                    )
                    if not isinstance(change, Reset):
                        event = event.model_copy(
                            update={
                                "type": self._type("changed"),
                                "subject": change.doc,
                                "time": change.at.isoformat(),
                                "data": None if change.document is None else self.shown(change.document),
                            }
                        )
                    yield ServerSentEvent(data=event, event=event.type, id=change.id, retry=RECONNECT_MS)

    def _type(self, what: str) -> str:
        return f"loanstream.{self.view}.{what}.v1"
