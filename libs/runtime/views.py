"""Reading views: every read asks `views/<name>` which generation counts, so a rebuild is seen by the next request."""

import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from libs.events.searches import BY_NAME, Sorting, Span, key_of, place_of
from libs.runtime.generations import DocumentChanged, HistoryLost, Pointer
from libs.runtime.mongo import Database

_TOKEN = re.compile(r"[0-9A-F]{2,1000}")


class ViewMissing(Exception):
    """The view has no generation that answers: the projector is building it, or never ran."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A document of a view has changed; None when it is gone or no longer what was asked for. `id` is where a reader may
    go on, `before` what the document was, where the view keeps that (View.keeps_before)."""

    id: str
    doc: str
    document: dict[str, Any] | None
    at: datetime
    before: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reset:
    """What follows does not go on from what the reader knows: he reads the view again."""

    id: str


class Views:
    """Documents of views by name, for the routes of a service. Documents carry their name as `_id`."""

    def __init__(self, database: Database, versions: Mapping[str, int] = MappingProxyType({})) -> None:
        """`versions` are those of the code that reads: see `page`."""
        self._database = database
        self._versions = versions

    async def get(self, view: str, doc: str) -> dict[str, Any] | None:
        """One document. Raises ViewMissing."""
        pointer = await self._pointer(view)
        return await self._database.find(pointer.collection, doc)

    async def page(
        self,
        view: str,
        *,
        where: Mapping[str, Any],
        after: str | None,
        limit: int,
        order: Sorting = BY_NAME,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """At most `limit` documents whose fields equal `where`, in an order, those after a place in it (by name: a name),
        and the place after which there are more.

        A field that is None in `where` also matches documents without it; OtherThan(value) matches all but that value; for
        more see libs.events.searches. Raises ViewMissing; also for an order or a span while a generation of an older version than
        the reader's is read, whose documents may lack the field: the list would be empty, and nothing would say why.
        """
        pointer = await self._pointer(view)
        if pointer.version < self._versions.get(view, 0) and (order != BY_NAME or _has_span(where)):
            raise ViewMissing(f"the view {view} is built anew, for version {self._versions[view]}")
        found = await self._database.find_page(pointer.collection, where, after, limit + 1, order)
        more = len(found) > limit
        return found[:limit], place_of(order, key_of(found[limit - 1], order)) if more else None

    async def count(self, view: str, field: str, where: Mapping[str, Any] = MappingProxyType({})) -> int:
        """How many documents have a field, and fields as in `where`. Raises ViewMissing."""
        return await self._database.count((await self._pointer(view)).collection, field, where)

    async def positions(self, view: str) -> dict[tuple[str, int], int]:
        """(service, partition) -> the last position that the view has applied; -1 before the first. Raises ViewMissing."""
        pointer = await self._pointer(view)
        triples = (await self._database.positions([pointer.key])).get(pointer.key, {})
        return {(where.service, where.partition): triple.position for where, triple in triples.items()}

    async def changes(
        self, view: str, *, where: Mapping[str, Any], after: str | None
    ) -> AsyncGenerator[Changed | Reset]:
        """The changes of documents whose fields equal `where`, for ever, from now on, which begins with Reset, or after the
        change of that id. A rebuilt view begins with Reset again. Where `where` names a field, a document that is gone, or
        that fits no more, is told of by a view that keeps what documents were, and by no other. Raises ViewMissing.
        """
        generation, _, token = (after or "").partition(".")
        while True:
            pointer = await self._pointer(view)
            if generation != str(pointer.generation) or not _TOKEN.fullmatch(token):
                token = ""
            try:
                async with self._database.watch(pointer.collection, where, token or None) as stream:
                    if not token:
                        yield Reset(f"{pointer.generation}.")
                    while (change := await stream.next()) or await self._pointer(view) == pointer:
                        if change is not None:
                            yield _fitting(change, where, f"{pointer.generation}.{change.token}")
                generation = ""
            except HistoryLost:
                token = ""

    async def _pointer(self, view: str) -> Pointer:
        pointer = await self._database.pointer(view)
        if pointer is None:
            raise ViewMissing(f"the view {view} is not built yet")
        return pointer


def _has_span(where: Mapping[str, Any]) -> bool:
    return any(isinstance(asked, Span) for asked in where.values())


def _fitting(change: DocumentChanged, where: Mapping[str, Any], name: str) -> Changed:
    """A change as who asked by `where` may see it: nothing of a document in a moment in which it did not fit."""

    def seen(document: dict[str, Any] | None) -> dict[str, Any] | None:
        fits = document is not None and all(document.get(field) == value for field, value in where.items())
        return document if fits else None

    return Changed(name, change.doc, seen(change.document), change.at, seen(change.before))
