"""One generation under feed: what of a batch follows what it has, the write that brings MongoDB there, and its size.

The live projector feeds many of these, a builder one; both cut, judge and write by the rules here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from libs.events.chain import ChainReader, Checkpoint, Reading
from libs.events.records import RawRecord
from libs.runtime import observability as metrics
from libs.runtime.generations import Generation, GenerationWrite, Move
from libs.runtime.projecting import AcceptedRecord, Failure, Fold, Partition, Projection

log = structlog.get_logger()

#: One transaction holds at most so much.
EVENTS_MAX: Final = 1000
BYTES_MAX: Final = 1024 * 1024
#: A view whose documents did not change stores its triple after this long, or with its next change. Storing all triples
#: with every transaction would cost more than the documents; a reader who waits for his own write waits at most so long.
STORE_AFTER_S: Final = 0.2


class DeliveryGap(Exception):
    """A batch does not follow the one before: the process ends, and reads on from MongoDB's positions."""


@dataclass(slots=True)
class Fed:
    """One generation under feed. `stored` is what MongoDB has; `applied` may be ahead by records that changed nothing."""

    projection: Projection
    generation: Generation
    read: bool
    """Whether `views/<name>` points to it: then nobody else may move its triples."""
    stored: dict[Partition, Checkpoint]
    applied: dict[Partition, Checkpoint]
    ahead_since: float | None = None
    """Since when `applied` is ahead of `stored` (seconds, monotonic)."""
    stopped: Failure | None = None
    stopped_at_ms: int = 0

    def next_records(self, records: Sequence[AcceptedRecord]) -> list[AcceptedRecord]:
        """The records of a batch that follow what is applied; those at or below it are skipped.

        A generation that is not read yet may be behind: its builder still has to bring it here. Raises DeliveryGap for
        one that is read.
        """
        heads = dict(self.applied)
        found: list[AcceptedRecord] = []
        for record in records:
            head = heads.get(record.partition)
            if head is None or record.checkpoint.position <= head.position:
                continue
            if record.checkpoint.position == head.position + 1:
                heads[record.partition] = record.checkpoint
                found.append(record)
            elif self.read:
                raise DeliveryGap(
                    f"{self.projection.name} is at {head.position}, but {record.address} came next"
                )
        return found

    def write(self, fold: Fold) -> GenerationWrite:
        """The write that brings MongoDB from `stored` to what a fold leads to."""
        heads = self.applied | fold.heads
        moves = [
            Move(where, before, heads[where])
            for where, before in self.stored.items()
            if heads[where] != before
        ]
        kept = None if moves else self.generation.failure
        return GenerationWrite(self.generation, moves, fold.changes, fold.failure or kept)

    def is_due(self, now: float) -> bool:
        """Whether its triples have waited long enough."""
        return self.ahead_since is not None and now - self.ahead_since >= STORE_AFTER_S

    def went_on(self, fold: Fold, now: float) -> None:
        """Take over records that changed nothing; their triples are stored later."""
        if fold.heads:
            self.applied |= fold.heads
            self.ahead_since = self.ahead_since or now

    def committed(self, fold: Fold, write: GenerationWrite) -> None:
        """Take over what a transaction stored."""
        self.ahead_since = None
        self.applied |= fold.heads
        self.stored |= {move.partition: move.after for move in write.moves}
        self.generation = replace(self.generation, failure=write.failure)
        metrics.PROJECTION_EVENTS.labels(self.projection.name).inc(fold.events)


def transactions(records: Sequence[AcceptedRecord]) -> list[list[AcceptedRecord]]:
    """Cut a batch into transactions of at most EVENTS_MAX events or BYTES_MAX bytes; a larger record stands alone."""
    cut: list[list[AcceptedRecord]] = []
    events = size = 0
    for record in records:
        more_events, more_bytes = record.event_count(), len(record.raw.value)
        if not cut or events + more_events > EVENTS_MAX or size + more_bytes > BYTES_MAX:
            cut.append([])
            events = size = 0
        cut[-1].append(record)
        events, size = events + more_events, size + more_bytes
    return cut


def judge(raw: RawRecord, chain: ChainReader, where: Partition, reader: str) -> AcceptedRecord | None:
    """The record if the reader rule accepts it; all others are counted under the reader's name."""
    reading = chain.read(raw)
    if reading is Reading.ACCEPTED:
        return AcceptedRecord(raw, where, chain.head)
    if reading is Reading.REPEAT:
        metrics.RECORDS_REPEATED.labels(reader, where.service).inc()
    else:
        metrics.RECORDS_FOREIGN.labels(reader, where.service).inc()
        log.error(
            "foreign_record",
            reader=reader,
            service=where.service,
            partition=where.partition,
            offset=raw.offset,
        )
    return None
