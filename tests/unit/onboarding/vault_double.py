"""MongoDB's collections as the vault uses them, in memory. What only a server can show stands in tests/integration."""

import copy
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from pymongo.errors import ConnectionFailure, DuplicateKeyError

from libs.runtime.vault import Vault


class MemoryCollection:
    """Documents by name, with the errors of the real thing."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.is_down = False
        self.dies_before: str | None = None

    def _check(self, call: str) -> None:
        if self.is_down or self.dies_before == call:
            raise ConnectionFailure("no primary")

    async def insert_one(self, document: dict[str, Any]) -> None:
        """See Collection."""
        self._check("insert_one")
        if document["_id"] in self.documents:
            raise DuplicateKeyError("exists", 11000)
        self.documents[document["_id"]] = copy.deepcopy(document)

    async def find_one(self, where: dict[str, Any]) -> dict[str, Any] | None:
        """See Collection."""
        self._check("find_one")
        return next((copy.deepcopy(each) for each in self._matching(where)), None)

    async def replace_one(self, where: dict[str, Any], document: dict[str, Any]) -> SimpleNamespace:
        """See Collection."""
        self._check("replace_one")
        matching = self._matching(where)
        if matching:
            self.documents[document["_id"]] = copy.deepcopy(document)
        return SimpleNamespace(matched_count=len(matching))

    async def delete_many(self, where: dict[str, Any]) -> None:
        """See Collection."""
        self._check("delete_many")
        for each in self._matching(where):
            del self.documents[each["_id"]]

    async def find(self, where: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """See Collection."""
        self._check("find")
        for each in self._matching(where):
            yield copy.deepcopy(each)

    def _matching(self, where: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            each
            for each in self.documents.values()
            if all(_fits(each[field], wanted) for field, wanted in where.items())
        ]


def _fits(value: Any, wanted: Any) -> bool:
    match wanted:
        case {"$in": names}:
            return value in names
        case {"$gt": least}:
            return bool(value > least)
        case _:
            return bool(value == wanted)


def memory_vault() -> Vault:
    """An empty vault."""
    return Vault(MemoryCollection(), MemoryCollection(), MemoryCollection(), b"s" * 32)


def memory(collection: Any) -> MemoryCollection:
    """A vault's collection as what it is here."""
    assert isinstance(collection, MemoryCollection)
    return collection
