"""`loanstream rebuild VIEW`: prove that a view is what its events say, and read it from the rebuilt documents from then on.

The new generation grows beside the live one. At equal triples both are read in one snapshot and compared document by
document; only then does `views/<name>` flip. The log is the truth: a difference is told, and the rebuilt one counts.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from libs.runtime.building import LIVE_WITHIN_S, Build, Builder, NotTakenUp, Pass, Progress, view_raised
from libs.runtime.errors import OperatorError
from libs.runtime.generations import Comparison, Generation, Pointer
from libs.runtime.lost_views import lost_views
from libs.runtime.mongo import Database
from libs.runtime.mongo_reading import Snapshot
from libs.runtime.projecting import Projection
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.system_views import all_views

_EXAMPLES_MAX: Final = 5
#: Both generations must meet at equal triples within this time.
_MEET_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """One view rebuilt. `records`, `events` and `seconds` are those of the pass over the log that built it."""

    view: str
    version: int
    generation: int
    records: int
    events: int
    seconds: float
    comparison: Comparison | None
    not_compared: str | None
    """Why there was nothing to compare with."""
    flipped: bool

    @property
    def equal(self) -> bool | None:
        """Whether the live view was what its events say; None where it could not be compared."""
        return None if self.comparison is None else self.comparison.differences == 0

    @property
    def events_per_second(self) -> float:
        """How fast the log was folded into this view and written."""
        return self.events / self.seconds if self.seconds else 0.0


async def rebuild(
    settings: Settings, services: Sequence[Service], view_name: str, verify: bool, progress: Progress
) -> RebuildReport:
    """Build a view anew, compare it with the live one, and read it from now on (with `verify`: drop it again).

    Works beside a running projector and without one. Raises OperatorError: unknown view, a view that raises, a live
    projector that does not take the new generation up.
    """
    return (await rebuild_views(settings, services, [view_name], verify, progress))[0]


async def rebuild_views(
    settings: Settings, services: Sequence[Service], names: Sequence[str], verify: bool, progress: Progress
) -> list[RebuildReport]:
    """The same for several views in one pass over the log; all of them when `names` is empty."""
    projections = _chosen(services, names)
    database = Database.connect(settings)
    try:
        builder = Builder(settings, database)
        done = await builder.build(projections, progress)
        progress(0, len(done.builds), "comparing")
        ends = (_Rebuild(settings, database, builder, done, build).finish(verify) for build in done.builds)
        reports = await asyncio.gather(*ends, return_exceptions=True)
        progress(len(done.builds), len(done.builds), "comparing")
        for report in reports:
            if isinstance(report, BaseException):
                raise report
        return [report for report in reports if isinstance(report, RebuildReport)]
    finally:
        await database.close()


def _chosen(services: Sequence[Service], names: Sequence[str]) -> list[Projection]:
    known = {
        view.name: view for view in (Projection(each) for service in services for each in all_views(service))
    }
    for name in names:
        if name not in known:
            raise OperatorError(f"There is no view {name}. The views are: {', '.join(sorted(known))}.")
    return [known[name] for name in names or sorted(known)]


class _Rebuild:
    """One built generation on its way to be read."""

    def __init__(
        self, settings: Settings, database: Database, builder: Builder, done: Pass, build: Build
    ) -> None:
        self._settings = settings
        self._database = database
        self._builder = builder
        self._pass = done
        self._build = build
        self._projection = build.projection
        self._new = build.generation

    async def finish(self, verify: bool) -> RebuildReport:
        """Bring it up to date, compare, flip or drop. Raises OperatorError; what was begun is retired then."""
        try:
            if self._build.failure is not None:
                raise view_raised(self._projection, self._build.failure)
            await self._builder.follow(self._projection, self._new)
            pointer = await self._database.pointer(self._projection.name)
            old, not_compared = await self._comparable(pointer)
            comparison = None if old is None else await self._compare(old)
            if not verify:
                await self._database.flip(self._new, pointer)
        except BaseException:
            await self._database.retire(self._new)
            raise
        if verify:
            await self._database.retire(self._new)
            await self._database.drop(self._new)
        return RebuildReport(
            view=self._projection.name,
            version=self._projection.version,
            generation=self._new.number,
            records=self._pass.records,
            events=self._build.events,
            seconds=self._pass.seconds,
            comparison=comparison,
            not_compared=not_compared,
            flipped=not verify,
        )

    async def _comparable(self, pointer: Pointer | None) -> tuple[Generation | None, str | None]:
        """The generation that is read, or why there is no sense in comparing with it."""
        if pointer is None:
            return None, "the view had not been built before"
        if pointer.version != self._projection.version:
            return (
                None,
                f"the live view is version {pointer.version}, this code is version {self._projection.version}",
            )
        for generation in await self._database.generations([self._projection.name]):
            if generation.key == pointer.key:
                if generation.failure is not None:
                    failure = generation.failure
                    return None, f"the live view stands still at {failure.address} ({failure.error})"
                if await lost_views(self._settings, self._database, [pointer]):
                    return None, "the live view stands on a timeline that the log has lost"
                return generation, None
        return None, "the live view has lost its positions"

    async def _compare(self, old: Generation) -> Comparison:
        """Wait until both generations are at the same triples, then compare them in one snapshot."""
        gives_up_at = time.monotonic() + _MEET_WITHIN_S
        while True:
            if not await self._database.feeders(self._projection.name, LIVE_WITHIN_S):
                await self._builder.catch_up(self._projection, old)
                await self._builder.catch_up(self._projection, self._new)
            async with self._database.snapshot() as snapshot:
                before, after = await snapshot.positions(old.key), await snapshot.positions(self._new.key)
                if before and before == after:
                    return await compare(snapshot, old, self._new)
            if time.monotonic() > gives_up_at:
                raise NotTakenUp(
                    f"The live view {self._projection.name} and the rebuilt one did not come to equal positions within "
                    f"{_MEET_WITHIN_S:.0f} s. Look at the projector's log and /readyz, then rebuild again."
                )
            await self._database.touch(self._new)
            await asyncio.sleep(0.1)


async def compare(snapshot: Snapshot, old: Generation, new: Generation) -> Comparison:
    """Compare all documents of two generations, whatever the order of their fields."""
    documents, different = 0, []
    hashes = sha256(), sha256()
    async for doc, before, after in _side_by_side(snapshot.documents(old), snapshot.documents(new)):
        for digest, document in zip(hashes, (before, after), strict=True):
            if document is not None:
                digest.update(_canonical(doc, document))
        documents += after is not None
        if before != after:
            different.append(doc)
    return Comparison(
        documents=documents,
        differences=len(different),
        examples=tuple(different[:_EXAMPLES_MAX]),
        hash_before=hashes[0].hexdigest(),
        hash_after=hashes[1].hexdigest(),
    )


Document = dict[str, Any]


async def _side_by_side(
    old: AsyncIterator[tuple[str, Document]], new: AsyncIterator[tuple[str, Document]]
) -> AsyncIterator[tuple[str, Document | None, Document | None]]:
    """Join two streams in the order of names; a document that only one has stands beside None."""
    left, right = await anext(old, None), await anext(new, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            yield left[0], left[1], None
            left = await anext(old, None)
        elif left is None or right[0] < left[0]:
            yield right[0], None, right[1]
            right = await anext(new, None)
        else:
            yield left[0], left[1], right[1]
            left, right = await anext(old, None), await anext(new, None)


def _canonical(doc: str, document: Document) -> bytes:
    """One line of JSON that does not depend on the order in which fields were written."""
    return (
        json.dumps([doc, document], sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n"
    )
