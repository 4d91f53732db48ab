"""A list that an old generation of a view cannot answer is no empty list."""

from typing import Any, cast

import pytest

from libs.events.searches import BY_NAME, Sorting, Span
from libs.runtime.generations import Pointer
from libs.runtime.mongo import Database
from libs.runtime.views import ViewMissing, Views


class OneView:
    """A database whose one view is read in version 1."""

    async def pointer(self, view: str) -> Pointer:
        """See Database."""
        return Pointer(view=view, collection="one", generation=1, version=1)

    async def find_page(self, *_asked: Any) -> list[dict[str, Any]]:
        """See Database: nothing of what is asked for has the field."""
        return []


async def test_a_list_in_an_order_waits_for_the_version_that_knows_it() -> None:
    """While an older version is read, a list in an order or by a span is to be asked for again; other lists are answered, and all are
    where the version is the reader's."""
    database = cast("Database", OneView())
    old, same = (Views(database, {"v": version}) for version in (2, 1))
    asked: list[tuple[dict[str, Any], Sorting]] = [
        ({}, Sorting("waits_since")),
        ({"rate_units": Span(low=1)}, BY_NAME),
    ]
    for where, order in asked:
        with pytest.raises(ViewMissing):
            await old.page("v", where=where, after=None, limit=1, order=order)
        assert await same.page("v", where=where, after=None, limit=1, order=order) == ([], None)
    assert await old.page("v", where={"state": "open"}, after=None, limit=1) == ([], None)
