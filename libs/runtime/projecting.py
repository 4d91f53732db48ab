"""From accepted records to folded changes of documents: the kernel of every projection. Pure.

The live projector, a rebuild and the simulation drive this same code. A view that raises stops alone: the records before
the one it raised on count, that one and all later ones do not, until somebody mends it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from libs.events.chain import ChainReader, Checkpoint, Reading, genesis
from libs.events.codec import Undecodable, name_of
from libs.events.records import Decision, RawRecord, RecordedEvent, parse_decision, recorded_event
from libs.events.topics import events_topic
from libs.events.upcast import STEPS
from libs.events.views import Op, Set, View
from libs.runtime.folding import Document, DocumentChange, apply_op, field_name
from libs.runtime.unexpected import is_from_policy

#: Failures of the machine, not of a view: they end the process.
NEVER_A_VIEWS_FAULT = (MemoryError, RecursionError, OSError)


class Partition(NamedTuple):
    """One partition of one service's events."""

    service: str
    partition: int


class AcceptedRecord:
    """One record that the reader rule accepted. It is parsed, and each event decoded, at most once and only if read."""

    __slots__ = ("_decision", "_events", "checkpoint", "partition", "raw")

    def __init__(self, raw: RawRecord, partition: Partition, checkpoint: Checkpoint) -> None:
        self.raw = raw
        self.partition = partition
        self.checkpoint = checkpoint
        self._decision: Decision | None = None
        self._events: dict[int, RecordedEvent] = {}

    @property
    def address(self) -> str:
        """Where the record stands: `service/partition/position`."""
        return f"{self.partition.service}/{self.partition.partition}/{self.checkpoint.position}"

    @property
    def decision(self) -> Decision:
        """Its value. Raises Undecodable."""
        if self._decision is None:
            self._decision = parse_decision(self.raw.value)
        return self._decision

    @property
    def command_id(self) -> str:
        """The command that was decided; empty where it could not be read."""
        return self.raw.headers.get("command-id", b"").decode()

    @property
    def command_type(self) -> str:
        """That command's wire name; empty where it could not be read."""
        return self.raw.headers.get("type", b"").decode()

    @property
    def from_policy(self) -> bool:
        """Whether a policy wanted the command, and not a person."""
        return is_from_policy(self.raw.headers)

    def event_count(self) -> int:
        """How many events it carries; 1 where it cannot be read."""
        try:
            return len(self.decision.events)
        except Undecodable:
            return 1

    def event(self, index: int) -> RecordedEvent:
        """One of its events, decoded. Raises Undecodable."""
        event = self._events.get(index)
        if event is None:
            service, partition = self.partition
            event = self._events[index] = recorded_event(
                self.decision,
                index,
                service=service,
                partition=partition,
                position=self.checkpoint.position,
                command_id=self.command_id,
                command_type=self.command_type,
            )
        return event


@dataclass(frozen=True, slots=True)
class RecordView:
    """A view of whole records, headers and all, where events alone do not say enough (which command was answered how).

    `sources` are the services whose records it reads. Everything else is as in libs.events.views.View.
    """

    name: str
    version: int
    sources: tuple[str, ...]
    project: Callable[[AcceptedRecord], Sequence[Op]]
    owner_field: str | None = None
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventsView:
    """A view of events with the services it reads named, because events of `system` are written by all of them."""

    view: View
    sources: tuple[str, ...]


AnyView = View | EventsView | RecordView


class Projection:
    """One view, prepared: which services and wire names it reads, and the ops of a record."""

    def __init__(self, view: AnyView) -> None:
        declared = view.view if isinstance(view, EventsView) else view
        self.name = declared.name
        self.version = declared.version
        self.indexes = _index_fields(declared)
        self.keeps_before = isinstance(declared, View) and declared.keeps_before
        self._view = declared
        self._names = _wire_names(declared) if isinstance(declared, View) else frozenset[str]()
        self.sources = view.sources if isinstance(view, EventsView | RecordView) else _sources(view)

    def ops(self, record: AcceptedRecord) -> tuple[list[Op], int]:
        """The changes that a record makes, and how many events the view read for them.

        Raises whatever the view raises, and Undecodable.
        """
        if isinstance(self._view, RecordView):
            return list(self._view.project(record)), len(record.decision.events)
        ops: list[Op] = []
        read = 0
        names, project = self._names, self._view.project
        for index, stored in enumerate(record.decision.events):
            if stored.type in names:
                event = record.event(index)
                changes = project(event)
                ops += changes
                ops += _provenance(changes, event)
                read += 1
        return ops, read


def _sources(view: View) -> tuple[str, ...]:
    """The services that write what a view reads; events of `system` are those of the view's own service."""
    own = view.name.split(".", 1)[0]
    writers = {name_of(kind).split(".", 1)[0] for kind in view.reads}
    return tuple(sorted({own if writer == "system" else writer for writer in writers}))


def _wire_names(view: View) -> frozenset[str]:
    """The names that what a view reads may have in the log: the newest, and every older one that is upcast to it."""
    names = {name_of(kind) for kind in view.reads}
    while older := {name for name, (newer, _) in STEPS.items() if newer in names} - names:
        names |= older
    return frozenset(names)


def _index_fields(view: View | RecordView) -> tuple[str, ...]:
    owner = (view.owner_field,) if view.owner_field else ()
    return tuple(dict.fromkeys((*owner, *view.indexes)))


def _provenance(changes: Iterable[Op], event: RecordedEvent) -> list[Op]:
    """`src.<stream>` = the last event of each stream that assigned something: any number can be followed down to it."""
    if event.stream is None:
        return []
    documents = {op.doc: None for op in changes if isinstance(op, Set)}
    if not documents:
        return []
    field, address = _source_field(event.stream), event.address
    return [Set(doc, field, address) for doc in documents]


@lru_cache(maxsize=16_384)
def _source_field(stream: str) -> str:
    return f"src.{field_name(stream)}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a view stands still, and the class of what it raised (its text may hold personal data)."""

    address: str
    error: str


@dataclass(slots=True)
class Fold:
    """What some records do to one view: changes by document, and the head they lead to per partition."""

    known: bool = False
    """Whether a document that is not in `changes` is known not to exist (a rebuild into an empty collection)."""
    changes: dict[str, DocumentChange] = field(default_factory=dict)
    heads: dict[Partition, Checkpoint] = field(default_factory=dict)
    failure: Failure | None = None
    events: int = 0

    def add(self, projection: Projection, record: AcceptedRecord) -> bool:
        """Fold one more record; False if the view raised on it. A failed fold may hold half of that record: throw it away.

        Raises only what is no view's fault.
        """
        try:
            ops, events = projection.ops(record)
            changes = self.changes
            for op in ops:
                change = changes.get(op.doc)
                if change is None:
                    change = changes[op.doc] = DocumentChange(self.known)
                change.fold(op)
        except NEVER_A_VIEWS_FAULT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a view raises, it stops alone
            self.failure = Failure(record.address, type(error).__name__)
            return False
        self.heads[record.partition] = record.checkpoint
        self.events += events
        return True


def fold_records(projection: Projection, records: Sequence[AcceptedRecord]) -> Fold:
    """The changes of a batch; where the view raises, those of the records before, with the failure."""
    fold = Fold()
    for done, record in enumerate(records):
        if not fold.add(projection, record):
            whole = fold_records(projection, records[:done])
            whole.failure = fold.failure
            return whole
    return fold


class MemoryViews:
    """Views as plain dicts, fed record by record: what the simulation looks at. `documents[view][doc]` is a document."""

    def __init__(self, views: Iterable[AnyView], *, log_id: str, topic_prefix: str = "") -> None:
        self._projections = [Projection(view) for view in views]
        self._log_id = log_id
        self._prefix = topic_prefix
        self._readers: dict[Partition, ChainReader] = {}
        self.documents: dict[str, dict[str, Document]] = {
            projection.name: {} for projection in self._projections
        }
        self.broken: dict[str, Failure] = {}

    def feed(self, service: str, partition: int, raw: RawRecord) -> Reading:
        """Judge one record of `S.events` by the reader rule and, if accepted, apply it to every view that reads S."""
        where = Partition(service, partition)
        if where not in self._readers:
            topic = events_topic(service, self._prefix)
            self._readers[where] = ChainReader(genesis(self._log_id, topic, partition))
        reader = self._readers[where]
        reading = reader.read(raw)
        if reading is Reading.ACCEPTED:
            record = AcceptedRecord(raw, where, reader.head)
            for projection in self._projections:
                if service in projection.sources and projection.name not in self.broken:
                    self._apply(projection, record)
        return reading

    def position(self, service: str, partition: int) -> int:
        """The last applied position of a partition; -1 before the first."""
        reader = self._readers.get(Partition(service, partition))
        return reader.head.position if reader else -1

    def _apply(self, projection: Projection, record: AcceptedRecord) -> None:
        documents = self.documents[projection.name]
        try:
            for op in projection.ops(record)[0]:
                after = apply_op(documents.get(op.doc), op)
                if after is None:
                    documents.pop(op.doc, None)
                else:
                    documents[op.doc] = after
        except NEVER_A_VIEWS_FAULT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a view raises, it stops alone
            self.broken[projection.name] = Failure(record.address, type(error).__name__)
