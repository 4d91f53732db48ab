"""Reading a view through HTTP: his own writes if the caller brings a token, pages by cursor, nothing returned raw."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request

from libs.events.searches import BY_NAME, Sorting, read_place
from libs.runtime.http.cursors import cursor, malformed_cursor, read_cursor
from libs.runtime.http.edge import Edge, edge_of
from libs.runtime.http.positions import (
    POSITION_HEADER,
    STALE_HEADER,
    Positions,
    format_positions,
    has_reached,
    parse_positions,
)
from libs.runtime.http.problems import not_found, try_again
from libs.runtime.http.requests import answer_headers
from libs.runtime.mongo import DatabaseError
from libs.runtime.views import ViewMissing

PAGE_MAX: Final = 200
_LOOK_FIRST_S: Final = 0.005
_LOOK_LAST_S: Final = 0.08


@dataclass(frozen=True, slots=True)
class ViewReader:
    """One view, as far as the caller's token asks for it or as far as it has come."""

    edge: Edge
    view: str

    async def find(self, doc: str) -> dict[str, Any] | None:
        """One document, or None."""
        with or_try_again():
            return await self.edge.views.get(self.view, doc)

    async def get(self, doc: str, *, missing: str) -> dict[str, Any]:
        """One document. Raises Problem 404 with the code `missing`."""
        found = await self.find(doc)
        if found is None:
            raise not_found(missing)
        return found

    async def page(
        self, page: "Page", where: Mapping[str, Any] | None = None, order: Sorting = BY_NAME
    ) -> tuple[list[dict[str, Any]], str | None]:
        """The documents of one page that match `where`, and the cursor of the next one.

        A list is its view, its `where` and its order. Raises Problem 422 `malformed_cursor` for a cursor that this list never gave.
        """
        where = where or {}
        of = f"{self.view} {sorted(where.items())}"
        if order != BY_NAME:
            of += f" {order}"
        after = None if page.cursor is None else _place(of, page.cursor, order)
        with or_try_again():
            found, last = await self.edge.views.page(
                self.view, where=where, after=after, limit=page.limit, order=order
            )
        return found, None if last is None else cursor(of, last)

    async def all(self, where: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """All documents that match `where`, read in pages: for answers that are sums of them."""
        after = None
        while True:
            with or_try_again():
                found, after = await self.edge.views.page(self.view, where=where, after=after, limit=PAGE_MAX)
            for document in found:
                yield document
            if after is None:
                return

    async def count(self, field: str, where: Mapping[str, Any] = MappingProxyType({})) -> int:
        """How many documents have a field, and fields as in `where`."""
        with or_try_again():
            return await self.edge.views.count(self.view, field, where)


def _place(of: str, text: str, order: Sorting) -> str:
    """The place in a cursor. Raises Problem 422: its checksum is no secret, so what it holds is looked at too."""
    after = read_cursor(of, text)
    try:
        read_place(order, after)
    except ValueError:
        raise malformed_cursor() from None
    return after


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    cursor: str | None
    limit: int


async def _page(
    after: Annotated[
        str | None, Query(alias="cursor", description="`next` of the page before; none for the first page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Most documents on a page.")] = 50,
) -> Page:
    return Page(after, limit)


ThisPage = Annotated[Page, Depends(_page)]
"""The page that a list route is asked for."""


def view_reader(view: str) -> Callable[[Request], Coroutine[Any, Any, ViewReader]]:
    """A dependency that gives a reader of one view which has waited for the request's token."""

    async def reader(request: Request) -> ViewReader:
        edge = edge_of(request)
        wanted = parse_positions(request.headers.get(POSITION_HEADER))
        if wanted:
            headers = answer_headers(request.scope)
            headers[POSITION_HEADER] = format_positions(wanted)
            if not await _reached(edge, view, wanted):
                headers[STALE_HEADER] = "true"
        return ViewReader(edge, view)

    return reader


async def _reached(edge: Edge, view: str, wanted: Positions) -> bool:
    """Wait until the view has applied the wanted positions, at most `read_wait_s` seconds; look ever less often."""
    limit, pause_s = time.monotonic() + edge.settings.read_wait_s, _LOOK_FIRST_S
    with or_try_again():
        while not has_reached(await edge.views.positions(view), wanted):
            if time.monotonic() >= limit:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LOOK_LAST_S)
    return True


@contextmanager
def or_try_again() -> Iterator[None]:
    """Views are disposable: one that is not built yet, or a database that is away, is worth a later try and no alarm."""
    try:
        yield
    except (ViewMissing, DatabaseError):
        raise try_again("view_unavailable", "What you ask for cannot be read at the moment.") from None
