"""The only module that names motor: views with their positions, anchors, the log id, and who feeds the views.

MongoDB must be a replica set, because every batch is one transaction: each triple is compared and set first, documents
are written second. All is written with `w: majority` and read from the majority. Motor is the driver that was asked for.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from bson.errors import InvalidDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from libs.events.chain import Checkpoint
from libs.events.searches import Sorting
from libs.runtime.folding import DocumentChange
from libs.runtime.generations import (
    ChangeRefused,
    DatabaseUnavailable,
    Generation,
    GenerationWrite,
    HistoryLost,
    Overtaken,
    Pointer,
    anchor_id,
    failure_document,
    generation_document,
    plain,
    pointer_document,
    position_document,
    read_generation,
    read_partition,
    read_pointer,
    read_triple,
    triple_document,
)
from libs.runtime.kafka import Place
from libs.runtime.mongo_reading import ChangeStream, Snapshot
from libs.runtime.mongo_statements import Write, moves_of, searched, sort_keys, wanted, write_of
from libs.runtime.projecting import Partition, Projection
from libs.runtime.settings import Settings

#: A batch is tried again for this long while MongoDB is away; below Faust's rebalance timeout of 60 s.
COMMIT_LIMIT_S: Final = 30.0

#: What a method raises when the server does not answer or refuses: for those who must not name the driver.
DatabaseError = PyMongoError

_RETRIED = ("TransientTransactionError", "UnknownTransactionCommitResult")
#: NoSuchTransaction, without a label where the session is forgotten (half an hour's stand-still): a commit may have come through.
_FORGOTTEN = 251
_WATCH_MS: Final = 2000


class Database:
    """One MongoDB database of the platform. Methods raise DatabaseError unless they say else."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], name: str) -> None:
        self._client = client
        self.name = name
        self._db = client.get_database(
            name, read_concern=ReadConcern("majority"), write_concern=WriteConcern("majority")
        )
        self._views, self._generations = self._db["views"], self._db["generations"]
        self._positions, self._projectors = self._db["positions"], self._db["projectors"]
        self._anchors = self._db["anchors"]

    @classmethod
    def connect(cls, settings: Settings) -> "Database":
        """A client on the running loop; it connects with the first call. Raises OperatorError when no address is set."""
        uri, wait_ms = settings.require_mongo(), settings.mongo_wait_ms
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            uri, appname="loanstream", serverSelectionTimeoutMS=wait_ms, maxPoolSize=32
        )
        return cls(client, settings.mongo_database)

    async def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def collection(self, name: str) -> Any:
        """A collection of plain documents, for the vault: the one store that no log can rebuild."""
        return self._db[name]

    # --- the log's id, and anchors of readers -------------------------------------------------------------------

    async def log_id(self) -> str | None:
        """The log that this database belongs to."""
        found = await self._db["log"].find_one({"_id": "log"})
        return None if found is None else str(found["log_id"])

    async def keep_log_id(self, log_id: str) -> str:
        """Keep the log's id unless there is one; returns the one that is kept."""
        await self._db["log"].update_one({"_id": "log"}, {"$setOnInsert": {"log_id": log_id}}, upsert=True)
        return await self.log_id() or log_id

    async def load_anchor(self, name: str, place: Place) -> Checkpoint | None:
        """The triple last kept under a reader's name."""
        found = await self._anchors.find_one({"_id": anchor_id(name, place)})
        return None if found is None else read_triple(found)

    async def save_anchors(self, name: str, checkpoints: Mapping[Place, Checkpoint]) -> None:
        """Keep triples under a reader's name."""
        writes = [
            UpdateOne({"_id": anchor_id(name, place)}, {"$set": triple_document(checkpoint)}, upsert=True)
            for place, checkpoint in checkpoints.items()
        ]
        if writes:
            await self._anchors.bulk_write(writes, ordered=False)

    # --- reading views ------------------------------------------------------------------------------------------

    async def pointer(self, view: str) -> Pointer | None:
        """Which generation of a view is read; None before its first one is built."""
        found = await self._views.find_one({"_id": view})
        return None if found is None else read_pointer(found)

    async def pointers(self) -> dict[str, Pointer]:
        """All views' pointers."""
        return {found["_id"]: read_pointer(found) async for found in self._views.find({})}

    async def find(self, collection: str, doc: str) -> dict[str, Any] | None:
        """One document, with its name as `_id`."""
        found = await self._db[collection].find_one({"_id": doc})
        return None if found is None else plain(found)

    async def find_page(
        self, collection: str, where: Mapping[str, Any], after: str | None, limit: int, order: Sorting
    ) -> list[dict[str, Any]]:
        """At most `limit` documents in an order, after a place in it; `where` compares fields with values."""
        found = self._db[collection].find(wanted(where, after, order)).sort(sort_keys(order)).limit(limit)
        return [plain(each) async for each in found]

    async def count(self, collection: str, field: str, where: Mapping[str, Any]) -> int:
        """How many documents have a field, and fields as in `where`."""
        return int(await self._db[collection].count_documents({field: {"$ne": None}} | searched(where)))

    @asynccontextmanager
    async def watch(
        self, collection: str, where: Mapping[str, Any], token: str | None
    ) -> AsyncIterator[ChangeStream]:
        """The changes of a collection's documents whose fields equal `where`, from now on or after a token.

        Where the collection keeps what documents were, also of those whose fields did so before the change. Raises
        HistoryLost when the server cannot go on from there.
        """
        told: dict[str, Any] = {"operationType": {"$in": ["insert", "update", "replace", "delete"]}}
        if where:
            moments = ("fullDocument", "fullDocumentBeforeChange")
            told["$or"] = [
                {f"{moment}.{name}": {"$eq": value} for name, value in where.items()} for moment in moments
            ]
        try:
            async with self._db[collection].watch(
                [{"$match": told}],
                full_document="updateLookup",
                full_document_before_change="whenAvailable",
                resume_after=None if token is None else {"_data": token},
                max_await_time_ms=_WATCH_MS,
            ) as stream:
                yield ChangeStream(stream)
        except OperationFailure as error:
            if token is None or isinstance(error, ConnectionFailure):
                raise
            raise HistoryLost from error

    async def positions(self, keys: Sequence[str]) -> dict[str, dict[Partition, Checkpoint]]:
        """The triples of several generations, by key."""
        positions: dict[str, dict[Partition, Checkpoint]] = {}
        async for found in self._positions.find({"of": {"$in": list(keys)}}):
            positions.setdefault(found["of"], {})[read_partition(found)] = read_triple(found)
        return positions

    # --- the life of a generation -------------------------------------------------------------------------------

    async def generations(self, views: Sequence[str]) -> list[Generation]:
        """All generations of some views that are not dropped yet, oldest first."""
        found = self._generations.find({"view": {"$in": list(views)}}).sort("generation", 1)
        return [read_generation(document) async for document in found]

    async def begin_generation(self, projection: Projection) -> Generation:
        """A new, empty collection with the view's indexes, under a number that was never used."""
        name = projection.name
        counted = await self._db["counters"].find_one_and_update(
            {"_id": name}, {"$inc": {"generations": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        assert counted is not None, "it was just counted"
        number = int(counted["generations"])
        generation = Generation(name, number, projection.version, f"view.{name}.{number}", "building")
        await self._generations.insert_one(generation_document(generation))
        await self.touch(generation)
        await self._positions.create_index("of")
        await self._db.create_collection(
            generation.collection, changeStreamPreAndPostImages={"enabled": projection.keeps_before}
        )
        for field in projection.indexes:
            await self._db[generation.collection].create_index([(field, 1), ("_id", 1)])
        return generation

    async def touch(self, generation: Generation) -> None:
        """Say that the generation's builder is alive."""
        await self._generations.update_one({"_id": generation.key}, [_TOUCH])

    async def fill(self, generation: Generation, changes: Mapping[str, DocumentChange]) -> None:
        """Write folded changes into a generation that nobody else touches: no transaction, several at once."""
        writes = [write_of(doc, change) for doc, change in changes.items()]
        chunks = [writes[start : start + 1000] for start in range(0, len(writes), 1000)]
        slots = asyncio.Semaphore(4)

        async def write(chunk: Sequence[Write]) -> None:
            async with slots:
                await self._db[generation.collection].bulk_write(chunk, ordered=False)

        try:
            await asyncio.gather(*(write(chunk) for chunk in chunks))
        except (BulkWriteError, DocumentTooLarge, InvalidDocument) as error:
            raise ChangeRefused(generation, None, _reason(error)) from error

    async def join(self, generation: Generation, triples: Mapping[Partition, Checkpoint]) -> None:
        """Open a built generation to whoever feeds it, from these triples on."""
        await self._positions.insert_many(
            [position_document(generation.key, where, triple) for where, triple in triples.items()]
        )
        await self._generations.update_one({"_id": generation.key}, {"$set": {"state": "joined"}})

    async def flip(self, generation: Generation, before: Pointer | None) -> None:
        """Let the view be read from this generation; all others of the view retire. Raises Overtaken if it moved since."""
        pointer = pointer_document(generation)
        expected = {"_id": generation.view, "generation": before.generation if before else {"$exists": False}}
        others = {"view": generation.view, "_id": {"$ne": generation.key}, "state": {"$ne": "retired"}}

        async def work(session: AsyncIOMotorClientSession) -> None:
            new = before is None
            try:
                done = await self._views.replace_one(expected, pointer, upsert=new, session=session)
            except DuplicateKeyError:
                raise Overtaken([generation.key]) from None
            if not done.matched_count and done.upserted_id is None:
                raise Overtaken([generation.key])
            await self._generations.update_many(others, [_RETIRE], session=session)

        async def flipped() -> bool:
            return await self.pointer(generation.view) == read_pointer(pointer)

        await self._transaction(work, flipped)

    async def retire(self, generation: Generation) -> None:
        """End a generation that was never read."""
        await self._generations.update_one({"_id": generation.key}, [_RETIRE])

    async def retire_abandoned(self, views: Sequence[str], silent_s: float) -> None:
        """End generations that are not read and whose builder has been silent for so long."""
        read = [pointer.key for pointer in (await self.pointers()).values()]
        silent = {"$lt": ["$touched_at", {"$subtract": ["$$NOW", int(silent_s * 1000)]}]}
        unread = {"view": {"$in": list(views)}, "state": {"$ne": "retired"}, "_id": {"$nin": read}}
        await self._generations.update_many({**unread, "$expr": silent}, [_RETIRE])

    async def retired(self, views: Sequence[str], since_s: float) -> list[Generation]:
        """Generations of some views that retired so long ago."""
        due = {"$lte": ["$retired_at", {"$subtract": ["$$NOW", int(since_s * 1000)]}]}
        found = self._generations.find({"view": {"$in": list(views)}, "state": "retired", "$expr": due})
        return [read_generation(document) async for document in found]

    async def drop(self, generation: Generation) -> None:
        """Drop a retired generation. Without its triples nobody can commit to it; only then may its collection go."""
        await self._positions.delete_many({"of": generation.key})
        await self._db.drop_collection(generation.collection)
        await self._generations.delete_one({"_id": generation.key})

    # --- the projector's transaction ----------------------------------------------------------------------------

    async def commit(self, writes: Sequence[GenerationWrite]) -> None:
        """One transaction: every triple is compared and set first, then each document is written once.

        Tried again while MongoDB is away. Raises Overtaken when a triple is not what it must be, ChangeRefused for a
        document that cannot be, DatabaseUnavailable after the limit: the outcome is unknown then.
        """

        async def work(session: AsyncIOMotorClientSession) -> None:
            if moves := moves_of(writes):
                moved = await self._positions.bulk_write(moves, ordered=False, session=session)
                if moved.matched_count != sum(len(write.moves) for write in writes):
                    await session.abort_transaction()
                    raise Overtaken(await self._elsewhere(writes, after=False))
            for write in writes:
                if write.changes:
                    await self._write_documents(write, session)
                if write.failure != write.generation.failure:
                    failed = {"$set": {"failure": failure_document(write.failure)}}
                    await self._generations.update_one({"_id": write.generation.key}, failed, session=session)

        async def carried_out() -> bool:
            return not await self._elsewhere(writes, after=True)

        await self._transaction(work, carried_out)

    async def _transaction(
        self,
        work: Callable[[AsyncIOMotorClientSession], Awaitable[None]],
        is_done: Callable[[], Awaitable[bool]],
    ) -> None:
        """Motor's `with_transaction` does not repeat a commit that met a conflict; this does, and knows its limit."""
        gives_up_at = time.monotonic() + COMMIT_LIMIT_S
        pause_s, unsure = 0.05, False
        while True:
            try:
                async with await self._client.start_session() as session:
                    session.start_transaction(write_concern=WriteConcern("majority"))
                    await work(session)
                    return await session.commit_transaction()
            except Overtaken:
                if unsure and await is_done():
                    return None
                raise
            except (ConnectionFailure, OperationFailure) as error:
                forgotten = isinstance(error, OperationFailure) and error.code == _FORGOTTEN
                again = forgotten or any(map(error.has_error_label, _RETRIED))
                if not again and not isinstance(error, ConnectionFailure):
                    raise
                if time.monotonic() + pause_s > gives_up_at:
                    raise DatabaseUnavailable(str(error)) from error
                unsure = unsure or forgotten or error.has_error_label("UnknownTransactionCommitResult")
            await asyncio.sleep(pause_s)
            pause_s = min(2.0, pause_s * 2)

    async def _write_documents(self, write: GenerationWrite, session: AsyncIOMotorClientSession) -> None:
        docs = list(write.changes)
        try:
            changes = [write_of(doc, write.changes[doc]) for doc in docs]
            await self._db[write.generation.collection].bulk_write(changes, ordered=False, session=session)
        except BulkWriteError as error:
            if any(map(error.has_error_label, _RETRIED)):
                raise
            index = error.details["writeErrors"][0]["index"] if error.details.get("writeErrors") else None
            raise ChangeRefused(
                write.generation, None if index is None else docs[index], _reason(error)
            ) from error
        except (DocumentTooLarge, InvalidDocument) as error:
            raise ChangeRefused(write.generation, None, _reason(error)) from error

    async def _elsewhere(self, writes: Sequence[GenerationWrite], *, after: bool) -> list[str]:
        """The generations whose triples are not what these writes want them to be before, or make them after."""
        found = await self.positions([write.generation.key for write in writes])
        return [
            write.generation.key
            for write in writes
            for move in write.moves
            if found.get(write.generation.key, {}).get(move.partition)
            != (move.after if after else move.before)
        ]

    # --- who feeds the views ------------------------------------------------------------------------------------

    async def announce(self, projector: str, views: Sequence[str], in_step: Sequence[str]) -> None:
        """Say that a live projector feeds these views now, and which generations that are not read yet follow it."""
        fields = {"views": list(views), "in_step": list(in_step), "seen_at": "$$NOW"}
        await self._projectors.update_one({"_id": projector}, [{"$set": fields}], upsert=True)

    async def withdraw(self, projector: str) -> None:
        """Say that it has stopped."""
        await self._projectors.delete_one({"_id": projector})

    async def feeders(self, view: str, within_s: float) -> list[frozenset[str]]:
        """For each projector that announced this view within the last seconds: the generations that follow it."""
        fresh = {"$gt": ["$seen_at", {"$subtract": ["$$NOW", int(within_s * 1000)]}]}
        found = self._projectors.find({"views": view, "$expr": fresh})
        return [frozenset(document["in_step"]) async for document in found]

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """A view of the database at one moment, for at most five minutes."""
        async with await self._client.start_session(snapshot=True) as session:
            yield Snapshot(self._client[self.name], session)


#: Sets a time on the server's clock, so that hosts never compare theirs.
_TOUCH: Final = {"$set": {"touched_at": "$$NOW"}}
_RETIRE: Final = {"$set": {"state": "retired", "retired_at": "$$NOW"}}


def _reason(error: PyMongoError | InvalidDocument) -> str:
    """The class and code of a refusal, without the values that its text may quote."""
    if isinstance(error, BulkWriteError) and error.details.get("writeErrors"):
        return f"MongoDB code {error.details['writeErrors'][0].get('code')}"
    return type(error).__name__
