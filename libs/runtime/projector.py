"""The projector role: all views of some services, fed live by Faust, in one process of its own.

Start-up checks the topics, builds what is missing, of another version or of a lost timeline, and lets Faust start at the views' own
positions. A timer stores positions, announces this projector, reports ages and drops old generations.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Final

import structlog

from libs.events.topics import events_topic
from libs.runtime import observability as metrics
from libs.runtime.building import Build, Builder, view_raised
from libs.runtime.errors import OperatorError, the_one_to_tell
from libs.runtime.faust_worker import FaustFeed
from libs.runtime.feeding import LiveViews
from libs.runtime.generations import Overtaken
from libs.runtime.kafka import LogReader, LogUnavailable, Place, describe_topics
from libs.runtime.lost_views import lost_views
from libs.runtime.mongo import Database, DatabaseError
from libs.runtime.projecting import Projection
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.system_views import all_views
from libs.runtime.waiting import until_set

log = structlog.get_logger()

#: Views whose oldest unapplied record is older than this are not "caught up".
BEHIND_S: Final = 5.0
#: A generation that is no longer read is dropped after this long, so that requests in flight may end.
DROP_AFTER_S: Final = 600.0
_TICK_S: Final = 0.1
_ANNOUNCE_EVERY_S: Final = 1.0
_SWEEP_EVERY_S: Final = 60.0


class Lag:
    """How old the oldest record is that was not read: the age of the first look that saw an end beyond what is read."""

    def __init__(self) -> None:
        self._seen: dict[Place, deque[tuple[float, int]]] = {}

    def saw_end(self, place: Place, end: int, now: float) -> None:
        """A partition ended at this offset at this moment (seconds)."""
        seen = self._seen.setdefault(place, deque())
        if not seen or end > seen[-1][1]:
            seen.append((now, end))

    def age(self, place: Place, next_offset: int, now: float) -> float:
        """Seconds since a record at or after `next_offset` was first seen; 0 when none was."""
        seen = self._seen.get(place, deque())
        while seen and seen[0][1] <= next_offset:
            seen.popleft()
        return now - seen[0][0] if seen else 0.0

    def knows(self, place: Place) -> bool:
        """Whether the partition's end was ever looked at."""
        return place in self._seen


class ProjectorRole:
    """Feeds every view of some services. One such role runs per process."""

    def __init__(self, settings: Settings, services: Sequence[Service]) -> None:
        self._settings = settings
        self._projections = [Projection(view) for service in services for view in all_views(service)]
        names = "-".join(sorted(service.name for service in services))
        self._group = f"{settings.topic_prefix}projector-{names}"
        self._name = f"{self._group}@{socket.gethostname()}:{os.getpid()}"
        self._topics = {
            events_topic(source, settings.topic_prefix): source
            for projection in self._projections
            for source in projection.sources
        }
        self._lag = Lag()
        self._live: LiveViews | None = None
        self._feed: FaustFeed | None = None
        self._unbuildable: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Feed until `stop`. Raises OperatorError for what a person must mend, anything else to be started again."""
        await self._check_topics()
        database = Database.connect(self._settings)
        live = self._live = LiveViews(self._settings, database, self._projections)
        feed = self._feed = FaustFeed(
            group=self._group,
            bootstrap=self._settings.require_kafka(),
            topics=sorted(self._topics),
            data_dir=self._settings.data_dir,
            hold_ms=self._settings.view_hold_ms,
            starts=live.starts,
            handle=live.handle,
            revoked=live.revoked,
        )
        try:
            later = await self._build_first(database)
            ended = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._run_feed(feed, stop, ended))
                group.create_task(self._tick(live, database, ended))
                group.create_task(self._report(live, ended))
                group.create_task(self._watch(live, ended))
                if later:
                    group.create_task(self._build_beside(database, later, ended))
            await live.tick(at_once=True)
        except ExceptionGroup as errors:  # what `except*` raises may come in a group again
            raise the_one_to_tell(errors) from errors
        finally:
            with suppress(DatabaseError):
                await database.withdraw(self._name)
            await database.close()

    def assigned(self) -> frozenset[Place]:
        """The partitions that this process reads now."""
        return self._feed.assigned if self._feed else frozenset()

    def ready(self) -> tuple[bool, str]:
        """Whether all views are built, read and at most a few seconds behind. A view that raised is named, not waited for."""
        live = self._live
        if live is None or not self.assigned():
            return False, "Faust has not been assigned its partitions"
        unbuilt = [name for name in live.missing() if name not in self._unbuildable]
        if unbuilt:
            return False, f"building {', '.join(unbuilt)}"
        offsets = live.next_offsets()
        if not all(self._lag.knows(place) for place in offsets):
            return False, "the ends of the log are not known yet"
        age = max(
            (self._lag.age(place, offset, time.monotonic()) for place, offset in offsets.items()), default=0
        )
        if age > BEHIND_S:
            return False, f"the oldest unapplied record is {age:.0f} s old"
        stopped = [
            f"{name} stands still at {failure.address} ({failure.error})"
            for name, (failure, _) in live.stopped().items()
        ]
        return True, "; ".join([*stopped, *self._unbuildable.values()])

    # --- start-up -----------------------------------------------------------------------------------------------

    async def _check_topics(self) -> None:
        found = await describe_topics(self._settings.require_kafka(), sorted(self._topics))
        for topic in sorted(self._topics):
            if topic not in found:
                raise OperatorError(f"The topic {topic} does not exist: run `loanstream topics` first.")
            count = found[topic].partitions
            if count != self._settings.partitions:
                raise OperatorError(
                    f"{topic} has {count} partitions, the settings say {self._settings.partitions}. Set "
                    "LOANSTREAM_PARTITIONS to the topic's count."
                )

    async def _build_first(self, database: Database) -> list[Projection]:
        """Build what Faust would have no position for; returns the views that can be built while others are live."""
        pointers = await database.pointers()
        generations = await database.generations([projection.name for projection in self._projections])
        joined = {generation.key for generation in generations if generation.state == "joined"}
        names = {projection.name for projection in self._projections}
        read = [each for each in pointers.values() if each.key in joined and each.view in names]
        lost = await lost_views(self._settings, database, read)
        healthy: list[Projection] = []
        missing: list[Projection] = []
        for projection in self._projections:
            pointer = pointers.get(projection.name)
            fits = pointer is not None and pointer.version == projection.version and pointer.key in joined
            (healthy if fits and projection.name not in lost else missing).append(projection)
        covered = {source for projection in healthy for source in projection.sources}
        can_wait = set(self._topics.values()) <= covered
        later = [projection for projection in missing if can_wait and projection.name not in lost]
        if first := [projection for projection in missing if projection not in later]:
            await self._build(database, first, lost)
        return later

    async def _build_beside(
        self, database: Database, projections: Sequence[Projection], ended: asyncio.Event
    ) -> None:
        """Build while others are live; what is not done at the end is begun anew at the next start."""
        tasks = {
            asyncio.ensure_future(self._build(database, projections)),
            asyncio.ensure_future(until_set(ended, None)),
        }
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await asyncio.gather(*done)

    async def _build(
        self, database: Database, projections: Sequence[Projection], lost: frozenset[str] = frozenset()
    ) -> None:
        """Build new generations and let them be read. A view that raises is left as it is, and told.

        Unless its timeline is lost: what is read of it never was. It begins anew, and stops where it raises, as a live one.
        """
        builder = Builder(self._settings, database)
        done = await builder.build(projections, lambda *_: None)
        await asyncio.gather(*(self._take_up(database, builder, build, lost) for build in done.builds))

    async def _take_up(
        self, database: Database, builder: Builder, build: Build, lost: frozenset[str]
    ) -> None:
        name = build.projection.name
        if build.failure is not None and name in lost:
            generation = await builder.begin_anew(build.projection)
            log.error("view_begins_anew", view=name, generation=generation.number, **asdict(build.failure))
            return
        if build.failure is not None:
            self._unbuildable[name] = str(view_raised(build.projection, build.failure))
            log.error("view_not_built", view=name, reason=self._unbuildable[name])
            return
        try:
            await builder.follow(build.projection, build.generation)
            await database.flip(build.generation, await database.pointer(name))
        except Overtaken:
            await database.retire(build.generation)  # another projector has built the same
        log.info("view_built", view=name, generation=build.generation.number, events=build.events)

    # --- while it runs ------------------------------------------------------------------------------------------

    @staticmethod
    async def _run_feed(feed: FaustFeed, stop: asyncio.Event, ended: asyncio.Event) -> None:
        try:
            await feed.run(stop)
        finally:
            ended.set()

    async def _tick(self, live: LiveViews, database: Database, ended: asyncio.Event) -> None:
        names = [projection.name for projection in self._projections]
        announced: tuple[float, list[str]] = (0.0, [])
        swept = time.monotonic()
        while not ended.is_set():
            try:
                await live.tick()
                now, in_step = time.monotonic(), live.in_step()
                if now - announced[0] >= _ANNOUNCE_EVERY_S or in_step != announced[1]:
                    await database.announce(self._name, names, in_step)
                    announced = now, in_step
                if now - swept >= _SWEEP_EVERY_S:
                    await self._sweep(database, names)
                    swept = now
            except DatabaseError as error:
                log.warning("mongodb_away", reason=type(error).__name__)
            await until_set(ended, _TICK_S)

    async def _report(self, live: LiveViews, ended: asyncio.Event) -> None:
        """Beside the tick: a MongoDB that takes connections and says nothing holds that up, and then ages matter most."""
        while not ended.is_set():
            self._report_ages(live)
            await until_set(ended, _TICK_S)

    @staticmethod
    async def _sweep(database: Database, names: Sequence[str]) -> None:
        """Drop what nobody reads any more."""
        await database.retire_abandoned(names, DROP_AFTER_S)
        for generation in await database.retired(names, DROP_AFTER_S):
            await database.drop(generation)

    async def _watch(self, live: LiveViews, ended: asyncio.Event) -> None:
        """Look at the ends of the log by ourselves, so that a Faust that stands still is seen."""
        while not ended.is_set():
            reader = LogReader(self._settings.require_kafka(), client_id=f"{self._group}-watch")
            try:
                await reader.start()
                while not ended.is_set():
                    places = list(live.next_offsets())
                    now = time.monotonic()
                    for place, end in (await reader.ends(places)).items() if places else ():
                        self._lag.saw_end(place, end, now)
                    await until_set(ended, _ANNOUNCE_EVERY_S)
            except LogUnavailable as error:
                log.warning("ends_unknown", reason=str(error))
                await until_set(ended, _ANNOUNCE_EVERY_S)
            finally:
                await reader.stop()

    def _report_ages(self, live: LiveViews) -> None:
        """Per view, the age in seconds of its oldest unapplied record; a view that raised counts from then."""
        now, now_ms = time.monotonic(), time.time() * 1000
        ages: dict[str, float] = {}
        for place, offset in live.next_offsets().items():
            source = self._topics[place.topic]
            ages[source] = max(ages.get(source, 0.0), self._lag.age(place, offset, now))
        in_work = 0.0 if live.oldest_ms is None else max(0.0, (now_ms - live.oldest_ms) / 1000)
        stopped = live.stopped()
        for projection in self._projections:
            age = max([in_work, *(ages.get(source, 0.0) for source in projection.sources)])
            if projection.name in stopped:
                age = max(age, (now_ms - stopped[projection.name][1]) / 1000)
            metrics.PROJECTION_AGE_SECONDS.labels(projection.name).set(age)
            broken = projection.name in stopped or projection.name in self._unbuildable
            metrics.VIEWS_BROKEN.labels(projection.name).set(int(broken))
