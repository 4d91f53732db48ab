"""Feeding live views: accepted records are folded and committed, and every generation keeps its own place.

One object per projector process, driven by Faust's batches and by a timer. Positions live in MongoDB next to the
documents; what is kept here is only what was read from there or committed there, so dying at any await loses nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.events.records import RawRecord
from libs.runtime import failpoints
from libs.runtime import observability as metrics
from libs.runtime.checkpoint import resume
from libs.runtime.errors import OperatorError
from libs.runtime.fed import DeliveryGap, Fed, judge, transactions
from libs.runtime.generations import ChangeRefused, Overtaken
from libs.runtime.kafka import Place
from libs.runtime.mongo import Database
from libs.runtime.projecting import AcceptedRecord, Failure, Fold, Partition, Projection, fold_records
from libs.runtime.settings import Settings

log = structlog.get_logger()

#: How often the projector looks for generations that builders have opened or ended.
REFRESH_EVERY_S: Final = 0.5
#: So much is kept of what was read since a generation was seen behind, so that its builder need not hit a moving end.
KEPT_BYTES_MAX: Final = 16 * 1024 * 1024


class AnotherOwner(OperatorError):
    """Somebody else moved a position that this projector owns."""


@dataclass(slots=True)
class _Read:
    """How far one assigned partition was read."""

    chain: ChainReader
    offset: int


class _Kept:
    """The last records that were accepted while some generation was behind; the oldest go when they are too many."""

    def __init__(self) -> None:
        self._records: deque[AcceptedRecord] = deque()
        self._size = 0

    def add(self, records: Iterable[AcceptedRecord]) -> None:
        for record in records:
            self._records.append(record)
            self._size += len(record.raw.value)
            while self._size > KEPT_BYTES_MAX:
                self._size -= len(self._records.popleft().raw.value)

    def all(self) -> list[AcceptedRecord]:
        return list(self._records)


class LiveViews:
    """All generations that one projector feeds. Calls are serialized: batches, the timer and assignments never overlap."""

    def __init__(self, settings: Settings, database: Database, projections: Iterable[Projection]) -> None:
        self._settings = settings
        self._database = database
        self._projections = {projection.name: projection for projection in projections}
        self._lock = asyncio.Lock()
        self._assignment: int | None = None
        self._reads: dict[Place, _Read] = {}
        self._fed: list[Fed] = []
        self._refreshed_at = 0.0
        self._kept: _Kept | None = None
        """Kept while a generation that is not read yet is behind what was read here."""
        self.oldest_ms: int | None = None
        """Time of the oldest record in work (milliseconds since 1970); None between batches."""

    # --- what the roles ask -------------------------------------------------------------------------------------

    def next_offsets(self) -> dict[Place, int]:
        """The offset that each assigned partition is read from next."""
        return {place: read.offset + 1 for place, read in self._reads.items()}

    def stopped(self) -> dict[str, tuple[Failure, int]]:
        """Views that stand still because they raised: where, and the time of that record (milliseconds since 1970)."""
        return {
            fed.projection.name: (fed.stopped, fed.stopped_at_ms)
            for fed in self._fed
            if fed.read and fed.stopped is not None
        }

    def missing(self) -> list[str]:
        """Views that nobody can read or that stand in another version, because they are still being built."""
        read = {fed.projection.name for fed in self._fed if fed.read}
        return sorted(set(self._projections) - read)

    # --- assignment ---------------------------------------------------------------------------------------------

    async def starts(self, places: frozenset[Place], assignment: int) -> Mapping[Place, int]:
        """Where to read each assigned partition from: after the lowest triple of the views that read it.

        Every triple is checked against the log first. Raises LostTimeline: the next start builds anew.
        """
        async with self._lock:
            if assignment != self._assignment or places != frozenset(self._reads):
                self._reads = {}
                await self._load()
                await self._resume(places)
                self._assignment = assignment
            return self.next_offsets()

    async def revoked(self) -> None:
        """Nothing is ours until the next `starts`."""
        async with self._lock:
            self._reads = {}
            self._assignment = None

    async def _load(self) -> None:
        self._fed, self._kept = [], None
        await self._refresh()

    async def _resume(self, places: frozenset[Place]) -> None:
        wanted: dict[tuple[Place, Checkpoint], Fed] = {}
        lowest: dict[Place, Checkpoint] = {}
        for place in places:
            where = self._partition(place)
            for fed in self._fed:
                triple = fed.stored.get(where)
                if fed.read and triple is not None:
                    wanted.setdefault((place, triple), fed)
                    lowest[place] = min(lowest.get(place, triple), triple, key=lambda each: each.position)
        chains = await asyncio.gather(*(self._chain(*key, fed) for key, fed in wanted.items()))
        found = dict(zip(wanted, chains, strict=True))
        for place in places:
            if place in lowest:
                self._reads[place] = _Read(found[place, lowest[place]], lowest[place].offset)
            else:
                head = genesis(self._settings.require_log_id(), place.topic, place.partition)
                self._reads[place] = _Read(ChainReader(head), head.offset)

    async def _chain(self, place: Place, triple: Checkpoint, fed: Fed) -> ChainReader:
        home = (
            f"the document {fed.projection.name!r} of the collection {self._database.name}.views in MongoDB"
        )
        settings = self._settings
        return await resume(settings.require_kafka(), settings.require_log_id(), place, triple, home=home)

    def _partition(self, place: Place) -> Partition:
        service = place.topic.removeprefix(self._settings.topic_prefix).removesuffix(".events")
        return Partition(service, place.partition)

    # --- batches ------------------------------------------------------------------------------------------------

    async def handle(self, batch: Sequence[tuple[Place, RawRecord]]) -> None:
        """Apply a batch as Faust delivers it. Raises AnotherOwner, DeliveryGap, DatabaseUnavailable."""
        async with self._lock:
            self.oldest_ms = min((raw.timestamp_ms for _, raw in batch), default=None)
            try:
                accepted = self._accept(batch)
                if self._kept is not None:
                    self._kept.add(accepted)
                for records in transactions(accepted):
                    await self._apply(records)
            finally:
                self.oldest_ms = None

    def _accept(self, batch: Sequence[tuple[Place, RawRecord]]) -> list[AcceptedRecord]:
        accepted: list[AcceptedRecord] = []
        for place, raw in batch:
            read = self._reads.get(place)
            if read is None or raw.offset <= read.offset:
                continue  # not ours any more, or delivered again after a rebalance
            if raw.offset != read.offset + 1:
                raise DeliveryGap(
                    f"{place.topic}/{place.partition}: offset {raw.offset} came after {read.offset}"
                )
            read.offset = raw.offset
            record = judge(raw, read.chain, self._partition(place), "projector")
            if record is not None:
                accepted.append(record)
        return accepted

    async def _apply(self, records: Sequence[AcceptedRecord]) -> None:
        """One transaction; again without what another builder moved or MongoDB refuses, until it is carried out."""
        refused: dict[str, str | None] = {}
        while True:
            folds = [(fed, self._fold(fed, records, refused)) for fed in self._fed if fed.stopped is None]
            try:
                return await self._commit(folds)
            except Overtaken as error:
                await self._reload(error)
            except ChangeRefused as error:
                log.error("change_refused", view=error.generation.view, reason=str(error))
                refused[error.generation.key] = error.doc

    def _fold(self, fed: Fed, records: Sequence[AcceptedRecord], refused: Mapping[str, str | None]) -> Fold:
        following = fed.next_records(records)
        if fed.generation.key not in refused:
            return fold_records(fed.projection, following)
        doc, probe = refused[fed.generation.key], Fold()
        for done, record in enumerate(following):
            if not probe.add(fed.projection, record) or doc is None or doc in probe.changes:
                fold = fold_records(fed.projection, following[:done])
                fold.failure = probe.failure or Failure(record.address, "RefusedByMongoDB")
                return fold
        return probe

    async def _commit(self, folds: Sequence[tuple[Fed, Fold]], *, at_once: bool = False) -> None:
        """Store what changed documents, and triples that are due, in one transaction. The rest is remembered.

        All generations of a view are stored together, so that they can be compared at equal triples.
        """
        now = time.monotonic()
        stored_now = {
            fed.projection.name
            for fed, fold in folds
            if fold.changes or fold.failure or fed.is_due(now) or (at_once and fed.ahead_since is not None)
        }
        writes = [(fed, fold, fed.write(fold)) for fed, fold in folds if fed.projection.name in stored_now]
        if writes:
            with metrics.PROJECTION_BATCH_SECONDS.time():
                await self._database.commit([write for _, _, write in writes])
            failpoints.reach("view-stored")
        for fed, fold in folds:
            fed.went_on(fold, now)
        for fed, fold, write in writes:
            fed.committed(fold, write)
            if fold.failure is not None:
                fed.stopped, fed.stopped_at_ms = fold.failure, int(time.time() * 1000)
                log.error(
                    "view_stopped",
                    view=fed.projection.name,
                    address=fold.failure.address,
                    error=fold.failure.error,
                )

    async def _reload(self, error: Overtaken) -> None:
        """Forget what we believed of generations that a builder moved on. Raises AnotherOwner for one that is ours."""
        for fed in self._fed:
            if fed.generation.key in error.keys and fed.read:
                raise AnotherOwner(
                    f"Somebody else moved the position of the view {fed.projection.name} while this projector fed it: two "
                    "projectors run on the same views. Stop one of them, then start this one again."
                ) from error
        self._fed = [fed for fed in self._fed if fed.generation.key not in error.keys]
        await self._refresh()

    # --- the timer ----------------------------------------------------------------------------------------------

    async def tick(self, *, at_once: bool = False) -> None:
        """Store triples that waited long enough, and take up generations that a builder has opened or ended."""
        async with self._lock:
            try:
                folds = [(fed, Fold()) for fed in self._fed if fed.stopped is None]
                await self._commit(folds, at_once=at_once)
            except Overtaken as error:
                await self._reload(error)
            if self._assignment is not None and time.monotonic() - self._refreshed_at >= REFRESH_EVERY_S:
                # between batches only: in the middle of one, everybody is behind what was read
                behind = {fed.generation.key for fed in self._behind()}
                self._fed = [fed for fed in self._fed if fed.generation.key not in behind]  # looked at anew
                await self._refresh()
                await self._meet_builders()

    def in_step(self) -> list[str]:
        """Generations not read yet that have applied at least what was read here: they cannot fall behind again."""
        return [fed.generation.key for fed in self._fed if not fed.read and not self._is_behind(fed)]

    def _is_behind(self, fed: Fed) -> bool:
        heads = {self._partition(place): read.chain.head.position for place, read in self._reads.items()}
        return any(triple.position < heads.get(where, -1) for where, triple in fed.applied.items())

    async def _refresh(self) -> None:
        """Feed exactly the joined generations of this code's version; keep what is known of those fed already."""
        self._refreshed_at = time.monotonic()
        pointers = await self._database.pointers()
        generations = [
            generation
            for generation in await self._database.generations(list(self._projections))
            if generation.state == "joined"
            and generation.version == self._projections[generation.view].version
        ]
        known = {fed.generation.key: fed for fed in self._fed}
        fresh = [generation.key for generation in generations if generation.key not in known]
        positions = await self._database.positions(fresh) if fresh else {}
        fed_now: list[Fed] = []
        for generation in generations:
            pointer = pointers.get(generation.view)
            read = pointer is not None and pointer.key == generation.key
            fed = known.get(generation.key)
            if fed is None:
                stored = positions.get(generation.key, {})
                fed = Fed(self._projections[generation.view], generation, read, stored, dict(stored))
            fed.read = read
            fed_now.append(fed)
        self._fed = fed_now

    async def _meet_builders(self) -> None:
        """Bring every generation whose builder came near enough to where the others are, from what is kept.

        Without this a builder must hit the end of a log that moves on between his last write and our next look.
        """
        for fed in self._behind():
            for records in transactions(self._kept.all() if self._kept else []):
                fold = self._fold(fed, records, {})
                try:
                    await self._commit([(fed, fold)])
                except (Overtaken, ChangeRefused):
                    break  # by the builder, who also tells what MongoDB refuses; looked at again with the next refresh
        if not self._behind():
            self._kept = None
        elif self._kept is None:
            self._kept = _Kept()

    def _behind(self) -> list[Fed]:
        return [fed for fed in self._fed if not fed.read and fed.stopped is None and self._is_behind(fed)]
