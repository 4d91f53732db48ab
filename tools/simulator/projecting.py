"""The projector in the simulation: one transaction per view and batch, triples and documents together, as live.

Documents are folded without being read, exactly as the live projector folds them; at rest they must equal the fold of
the whole log in one go (`MemoryViews`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from libs.events.chain import ChainReader, Checkpoint, Reading, genesis
from libs.events.views import Add, Op, Set, SetOnce
from libs.runtime.folding import Document, DocumentChange, apply_op
from libs.runtime.projecting import AcceptedRecord, AnyView, Fold, Partition, Projection, fold_records
from libs.runtime.service import Service
from libs.runtime.system_views import all_views
from tools.simulator.log import Log, Place, Tail
from tools.simulator.resuming import resume

#: Accepted records in one batch.
BATCH_MAX = 60


@dataclass(slots=True)
class StoredView:
    """What the database holds of one view: written in one transaction, so always together."""

    documents: dict[str, Document] = field(default_factory=dict)
    heads: dict[Partition, Checkpoint] = field(default_factory=dict)


Database = dict[str, StoredView]


class ProjectorActor:
    """One life of the projector of all views."""

    name = "projector"

    def __init__(
        self, log: Log, services: Mapping[str, Service], partitions: int, *, log_id: str, database: Database
    ) -> None:
        self.database = database
        self._projections = [Projection(view) for view in views_of(services)]
        self._readers: dict[Partition, ChainReader] = {}
        self._tails: dict[Partition, Tail] = {}
        self._batch: list[AcceptedRecord] = []
        self._folds: list[tuple[Projection, Fold]] = []
        for projection in self._projections:
            database.setdefault(projection.name, StoredView())
        for service in services:
            for number in range(partitions):
                self._open(log, log_id, Partition(service, number))

    def _open(self, log: Log, log_id: str, partition: Partition) -> None:
        """Read on from the lowest head of the views that read this partition."""
        place = Place(f"{partition.service}.events", partition.partition)
        heads = [
            self.database[projection.name].heads.get(partition)
            for projection in self._projections
            if partition.service in projection.sources
        ]
        if heads:
            start = genesis(log_id, *place)
            lowest = min((head or start for head in heads), key=lambda head: head.position)
            self._readers[partition] = resume(log, log_id, place, lowest)
            self._tails[partition] = Tail(log, place, lowest.offset + 1)

    @property
    def is_quiet(self) -> bool:
        """Everything read and committed."""
        return not self._batch and not self._folds and all(tail.at_end for tail in self._tails.values())

    def step(self, rng: Random) -> bool:
        """Commit the next view of a folded batch, or fold the batch, or read on; False when there is nothing to do."""
        if self._folds:
            self._commit(*self._folds.pop())
            return True
        behind = [partition for partition, tail in self._tails.items() if not tail.at_end]
        if self._batch and (not behind or len(self._batch) >= BATCH_MAX or rng.random() < 0.2):
            self._folds = [
                (projection, fold_records(projection, self._unseen(projection)))
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
        heads = self.database[projection.name].heads
        return [
            record
            for record in self._batch
            if record.partition.service in projection.sources
            and (
                record.partition not in heads or record.checkpoint.position > heads[record.partition].position
            )
        ]

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
            *(SetOnce(name, path, value) for path, value in stage.onces.items()),
            *(Add(name, path, amount) for path, amount in stage.adds.items()),
            *(Set(name, path, value) for path, value in stage.sets.items()),
        ]
        for op in ops:
            document = apply_op(document, op)
    return document
