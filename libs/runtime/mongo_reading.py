"""Readers of a MongoDB that the database hands out: the changes of a collection, and everything at one moment."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

from pymongo.errors import OperationFailure

from libs.events.chain import Checkpoint
from libs.runtime.generations import DocumentChanged, Generation, plain, read_partition, read_triple
from libs.runtime.projecting import Partition

_SNAPSHOT_UNAVAILABLE = 246


class ChangeStream:
    """An open change stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def next(self) -> DocumentChanged | None:
        """The next change; None when there is none for two seconds."""
        found = await self._stream.try_next()
        if found is None:
            return None
        document, before = found.get("fullDocument"), found.get("fullDocumentBeforeChange")
        return DocumentChanged(
            token=found["_id"]["_data"],
            doc=found["documentKey"]["_id"],
            document=None if document is None else plain(document),
            at=found["wallTime"].replace(tzinfo=UTC),
            before=None if before is None else plain(before),
        )


class Snapshot:
    """Reads that all see the same moment."""

    def __init__(self, database: Any, session: Any) -> None:
        self._db = database
        self._session = session

    async def positions(self, key: str) -> dict[Partition, Checkpoint] | None:
        """The triples of a generation. None when the server has no snapshot yet: ask again in a new one."""
        try:
            found = [found async for found in self._db["positions"].find({"of": key}, session=self._session)]
        except OperationFailure as error:
            if error.code == _SNAPSHOT_UNAVAILABLE:
                return None
            raise
        return {read_partition(each): read_triple(each) for each in found}

    async def documents(self, generation: Generation) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """All documents of a generation in the order of their names."""
        cursor = (
            self._db[generation.collection].find({}, session=self._session, batch_size=2000).sort("_id", 1)
        )
        async for found in cursor:
            yield found.pop("_id"), found
