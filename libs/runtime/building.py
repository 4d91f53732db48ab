"""Building a generation of a view from offset 0, beside the live one, until whoever feeds the views feeds it too.

The log is read as fast as the broker gives it and folded in memory; nothing is written to MongoDB per event. A generation
is joined at the end offsets of the start; the rest of the way it goes like a live one, by compare-and-set.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from libs.events.chain import ChainReader, genesis
from libs.events.records import RawRecord
from libs.events.topics import events_topic
from libs.runtime.errors import OperatorError
from libs.runtime.fed import Fed, judge, transactions
from libs.runtime.generations import Generation, Overtaken
from libs.runtime.kafka import LogReader, Place
from libs.runtime.mongo import Database
from libs.runtime.projecting import AcceptedRecord, Failure, Fold, Partition, Projection, fold_records
from libs.runtime.settings import Settings

#: Called with (records read, records in all, what is being done), first when the first records have come.
Progress = Callable[[int, int, str], None]

#: So many changed documents are held in memory before they are written.
DOCUMENTS_MAX: Final = 50_000
#: A projector that has not announced itself for so long is not running.
LIVE_WITHIN_S: Final = 5.0
#: A live projector that does not take up a joined generation within this time needs a person.
TAKEN_UP_WITHIN_S: Final = 60.0
_TOUCH_EVERY_S: Final = 2.0


class NotTakenUp(OperatorError):
    """The live projector runs, but does not feed the new generation."""


@dataclass(slots=True)
class Build:
    """One view's new generation while it is filled."""

    projection: Projection
    generation: Generation
    fold: Fold = field(default_factory=lambda: Fold(known=True))
    events: int = 0
    failure: Failure | None = None
    """Set when the view raised: the generation is of no use."""


@dataclass(slots=True)
class Pass:
    """One pass over the log: what was built, and how much was read in how many seconds."""

    builds: list[Build]
    records: int = 0
    seconds: float = 0.0


class Builder:
    """Fills new generations and brings them up to date. Never touches the generation that is read."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    # --- filling ------------------------------------------------------------------------------------------------

    async def build(self, projections: Sequence[Projection], progress: Progress) -> Pass:
        """New generations of some views, filled in one pass up to the end offsets of now, and joined.

        Views that raise carry a `failure` and are retired. Raises LogUnavailable, ChangeRefused.
        """
        # One after the other: MongoDB lets collections that are created at the same time conflict.
        done = Pass([Build(each, await self._database.begin_generation(each)) for each in projections])
        started = time.monotonic()
        chains = await self._fill(done, progress)
        for build in done.builds:
            if build.failure is None:
                await self._write(build)
                triples = {
                    where: chain.head
                    for where, chain in chains.items()
                    if where.service in build.projection.sources
                }
                await self._database.join(build.generation, triples)
            else:
                await self._database.retire(build.generation)
        done.seconds = time.monotonic() - started
        return done

    async def begin_anew(self, projection: Projection) -> Generation:
        """Let a view be read from an empty generation, before the first record: whoever feeds it brings it as far as it goes."""
        generation = await self._database.begin_generation(projection)
        log_id = self._settings.require_log_id()
        before = {
            where: genesis(log_id, place.topic, place.partition)
            for place, where in self._places(set(projection.sources)).items()
        }
        await self._database.join(generation, before)
        await self._database.flip(generation, await self._database.pointer(projection.name))
        return generation

    async def _fill(self, done: Pass, progress: Progress) -> Mapping[Partition, ChainReader]:
        places = self._places({source for build in done.builds for source in build.projection.sources})
        log_id = self._settings.require_log_id()
        chains = {
            where: ChainReader(genesis(log_id, place.topic, place.partition), alone=True)
            for place, where in places.items()
        }
        touched = 0.0
        async with _reading(self._settings) as reader:
            ends = await reader.ends(list(places))
            total = sum(ends.values())
            offsets = dict.fromkeys(places, 0)
            if total:
                reader.assign({place: 0 for place, end in ends.items() if end})
            while any(offsets[place] < end for place, end in ends.items()):
                batches = await reader.poll(0.5, 500)
                if batches and not done.records:
                    progress(0, total, "reading the log")  # a rebuild is clocked from its first records
                for place, batch in batches.items():
                    where = places[place]
                    records = [raw for raw in batch if raw.offset < ends[place]]
                    self._fold(done.builds, where, _judged(records, chains[where], where))
                    done.records += len(records)
                    offsets[place] = batch[-1].offset + 1
                    if offsets[place] >= ends[place]:
                        reader.pause(place)  # or every fetch would wait for its next record
                if time.monotonic() - touched >= _TOUCH_EVERY_S:
                    touched = time.monotonic()
                    for build in done.builds:
                        await self._database.touch(build.generation)
                await self._make_room(done.builds)
                progress(done.records, total, "reading the log")
        return chains

    @staticmethod
    def _fold(builds: Sequence[Build], where: Partition, records: Iterable[AcceptedRecord]) -> None:
        """Fold what was read of one partition into every view that reads its service, each up to where it raises.

        Record by record: what was made of one is gone before the next is read, so the garbage collector has nothing to do.
        """
        readers = [build for build in builds if where.service in build.projection.sources]
        for record in records:
            for build in readers:
                if build.failure is None:
                    build.fold.add(build.projection, record)
                    build.failure = build.fold.failure

    async def _make_room(self, builds: Sequence[Build]) -> None:
        if sum(len(build.fold.changes) for build in builds) > DOCUMENTS_MAX:
            for build in builds:
                await self._write(build)

    async def _write(self, build: Build) -> None:
        """Write what is folded; from then on the documents are no longer known in memory."""
        await self._database.fill(build.generation, build.fold.changes)
        build.events += build.fold.events
        build.fold = Fold()

    def _places(self, services: set[str]) -> dict[Place, Partition]:
        return {
            Place(events_topic(service, self._settings.topic_prefix), partition): Partition(
                service, partition
            )
            for service in sorted(services)
            for partition in range(self._settings.partitions)
        }

    # --- catching up --------------------------------------------------------------------------------------------

    async def follow(self, projection: Projection, generation: Generation) -> None:
        """Bring a joined generation to where the live projector feeds it, or to the log's end where none runs.

        Raises NotTakenUp when a live projector leaves it behind for too long.
        """
        gives_up_at = time.monotonic() + TAKEN_UP_WITHIN_S
        while True:
            await self._database.touch(generation)
            await self.catch_up(projection, generation)
            feeders = await self._database.feeders(projection.name, LIVE_WITHIN_S)
            if all(generation.key in in_step for in_step in feeders):
                return
            if time.monotonic() > gives_up_at:
                raise NotTakenUp(
                    f"The running projector does not take up the new generation of {projection.name}. Look at its log and "
                    "its /readyz; it may stand still or run other code. Stop it and rebuild again, or start it anew."
                )
            await asyncio.sleep(0.2)

    async def catch_up(self, projection: Projection, generation: Generation) -> None:
        """Feed one generation from its triples to the log's end by compare-and-set; whoever is faster wins."""
        stored = (await self._database.positions([generation.key])).get(generation.key, {})
        places = {
            place: where for place, where in self._places(set(projection.sources)).items() if where in stored
        }
        fed = Fed(projection, generation, False, dict(stored), dict(stored))
        async with _reading(self._settings) as reader:
            ends = await reader.ends(list(places))
            offsets = {place: stored[where].offset + 1 for place, where in places.items()}
            chains = {where: ChainReader(stored[where]) for where in places.values()}
            behind = {place: offset for place, offset in offsets.items() if offset < ends[place]}
            if behind:
                reader.assign(behind)
            while any(offsets[place] < end for place, end in ends.items()):
                for place, batch in (await reader.poll(0.5, 1000)).items():
                    records = list(_judged(batch, chains[places[place]], places[place]))
                    if not await self._feed(fed, records):
                        return
                    offsets[place] = batch[-1].offset + 1
                    if offsets[place] >= ends[place]:
                        reader.pause(place)

    async def _feed(self, fed: Fed, records: Sequence[AcceptedRecord]) -> bool:
        """Commit records to one generation; False if somebody else moved it meanwhile. Raises OperatorError if it raises."""
        for batch in transactions(records):
            fold = fold_records(fed.projection, fed.next_records(batch))
            if fold.failure is not None:
                raise view_raised(fed.projection, fold.failure)
            write = fed.write(fold)
            try:
                if write.moves:
                    await self._database.commit([write])
            except Overtaken:
                return False
            fed.committed(fold, write)
        return True


def view_raised(projection: Projection, failure: Failure) -> OperatorError:
    """What to tell when a view cannot be built."""
    return OperatorError(
        f"The view {projection.name} raises {failure.error} on the record {failure.address}. Mend its projection, raise its "
        "version, and start the projector again; the generation that is read was left as it is."
    )


def _judged(batch: Iterable[RawRecord], chain: ChainReader, where: Partition) -> Iterator[AcceptedRecord]:
    return (record for raw in batch if (record := judge(raw, chain, where, "builder")) is not None)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[LogReader]:
    reader = LogReader(settings.require_kafka(), client_id="loanstream-builder")
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()
