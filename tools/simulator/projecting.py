"""The projector in the simulation: one transaction per view and batch, triples and documents together, as live.

Documents are folded without being read, exactly as the live projector folds them; at rest they must equal the fold of
the whole log in one go (`MemoryViews`).
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from libs.events.chain import ChainReader, Checkpoint, Reading, genesis
from libs.events.views import Add, Op, Set, SetOnce, Unset
from libs.runtime.folding import Document, DocumentChange, apply_op
from libs.runtime.projecting import AcceptedRecord, AnyView, Fold, Partition, Projection, fold_records
from libs.runtime.service import Service
from libs.runtime.system_views import all_views
from tools.simulator import fault_names as names
from tools.simulator.log import Log, Place, Tail
from tools.simulator.resuming import is_held, resume

#: Accepted records in one batch.
BATCH_MAX = 60


@dataclass(slots=True)
class StoredView:
    """What the database holds of one view: written in one transaction, so always together."""

    documents: dict[str, Document] = field(default_factory=dict)
    heads: dict[Partition, Checkpoint] = field(default_factory=dict)


Database = dict[str, StoredView]


def copied(database: Database) -> Database:
    """A backup: what the database held at one moment."""
    return {name: StoredView(deepcopy(view.documents), dict(view.heads)) for name, view in database.items()}


class Folded(NamedTuple):
    """A batch folded for one view, and the heads that the view had then: it is committed only where it still has them."""

    projection: Projection
    fold: Fold
    before: Mapping[Partition, Checkpoint]


class ProjectorActor:
    """One life of the projector of all views."""

    name = "projector"

    def __init__(
        self,
        log: Log,
        services: Mapping[str, Service],
        partitions: int,
        *,
        log_id: str,
        database: Database,
        unknown_commits: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.database = database
        self.in_doubt = False
        """A transaction was refused, or nobody knows what became of it: the next life asks the database."""
        self._log = log
        self._unknown_commits = unknown_commits
        self._projections = [Projection(view) for view in views_of(services)]
        self._readers: dict[Partition, ChainReader] = {}
        self._tails: dict[Partition, Tail] = {}
        self._batch: list[AcceptedRecord] = []
        self._folds: list[Folded] = []
        for projection in self._projections:
            database.setdefault(projection.name, StoredView())
            self._forget_if_lost(projection.name)
        self._heads = {name: dict(view.heads) for name, view in database.items()}
        """What this life knows of each view's heads: it never looks again, so whoever moved them is noticed."""
        for service in services:
            for number in range(partitions):
                self._open(log, log_id, Partition(service, number))

    def _open(self, log: Log, log_id: str, partition: Partition) -> None:
        """Read on from the lowest head of the views that read this partition."""
        place = Place(f"{partition.service}.events", partition.partition)
        heads = [
            self._heads[projection.name].get(partition)
            for projection in self._projections
            if partition.service in projection.sources
        ]
        if heads:
            start = genesis(log_id, *place)
            lowest = min((head or start for head in heads), key=lambda head: head.position)
            self._readers[partition] = resume(log, log_id, place, lowest)
            self._tails[partition] = Tail(log, place, lowest.offset + 1)

    def _forget_if_lost(self, view: str) -> None:
        """What `libs.runtime.lost_views` does: a view with a head that the log does not hold is built anew."""
        for where, head in self.database[view].heads.items():
            if not is_held(self._log, Place(f"{where.service}.events", where.partition), head):
                self._log.happened[names.VIEW_OF_LOST_TIMELINE] += 1
                self.database[view] = StoredView()
                return

    def stop(self) -> None:
        """Die."""

    @property
    def is_in_batch(self) -> bool:
        """Whether some views of a batch are committed and others not."""
        return bool(self._folds)

    @property
    def is_quiet(self) -> bool:
        """Everything read and committed."""
        return not self._batch and not self._folds and all(tail.at_end for tail in self._tails.values())

    def step(self, rng: Random) -> bool:
        """Commit the next view of a folded batch, or fold the batch, or read on; False when there is nothing to do."""
        if self._folds:
            self._try_to_commit(self._folds.pop(), rng)
            return True
        behind = [partition for partition, tail in self._tails.items() if not tail.at_end]
        if self._batch and (not behind or len(self._batch) >= BATCH_MAX or rng.random() < 0.2):
            self._folds = [
                Folded(
                    projection,
                    fold_records(projection, self._unseen(projection)),
                    dict(self._heads[projection.name]),
                )
                for projection in self._projections
            ]
            self._batch = []
            return True
        if not behind:
            return False
        partition = rng.choice(behind)
        for raw in self._tails[partition].fetch(rng):
            reader = self._readers[partition]
            if reader.read(raw) is Reading.ACCEPTED:
                self._batch.append(AcceptedRecord(raw, partition, reader.head))
        return bool(self._batch)

    def _unseen(self, projection: Projection) -> list[AcceptedRecord]:
        """The batch's records of the view's sources above its own heads: views may have come differently far."""
        heads = self._heads[projection.name]
        return [
            record
            for record in self._batch
            if record.partition.service in projection.sources
            and (
                record.partition not in heads or record.checkpoint.position > heads[record.partition].position
            )
        ]

    def _try_to_commit(self, folded: Folded, rng: Random) -> None:
        """The transaction begins by comparing the triples; of its end the projector may never hear."""
        if not self._is_unmoved(folded):
            self._log.happened[names.PROJECTOR_OVERTAKEN] += 1
            self.in_doubt = True
            return
        unknown = rng.random() < self._unknown_commits()
        carried_out = not unknown or rng.random() < 0.5
        if carried_out:
            self._commit(folded.projection, folded.fold)
            self._heads[folded.projection.name] |= folded.fold.heads
        if unknown:
            name = names.COMMITTED_UNKNOWN if carried_out else names.ABORTED_UNKNOWN
            self._log.happened[name] += 1
            self.in_doubt = True

    def _is_unmoved(self, folded: Folded) -> bool:
        heads = self.database[folded.projection.name].heads
        return all(heads.get(where) == folded.before.get(where) for where in folded.fold.heads)

    def _commit(self, projection: Projection, fold: Fold) -> None:
        assert fold.failure is None, f"{projection.name} broke: {fold.failure}"
        stored = self.database[projection.name]
        stored.heads |= fold.heads
        for name, change in fold.changes.items():
            after = carried_out(stored.documents.get(name), name, change)
            if after is None:
                stored.documents.pop(name, None)
            else:
                stored.documents[name] = after


def views_of(services: Mapping[str, Service]) -> list[AnyView]:
    """Every view of every service, the generic ones included."""
    return [view for service in services.values() for view in all_views(service)]


def carried_out(document: Document | None, name: str, change: DocumentChange) -> Document | None:
    """What the database makes of a folded change: its stages one after the other, or the known document."""
    if change.known:
        return change.document
    for stage in change.stages:
        ops: list[Op] = [
            *(Unset(name, path) for path in stage.unsets),
            *(SetOnce(name, path, value) for path, value in stage.onces.items()),
            *(Add(name, path, amount) for path, amount in stage.adds.items()),
            *(Set(name, path, value) for path, value in stage.sets.items()),
        ]
        for op in ops:
            document = apply_op(document, op)
    return document
