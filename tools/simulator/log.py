"""The log in memory, as unkind as a real one: what is sent may arrive late, twice, after its sender's death, or never.

What it promises is what Kafka promises: a partition has one order, a record that was acknowledged stays (unless the machine
loses its power: `cut`), and the records of one living sender reach a partition in the order of sending or not at all. All
chance comes from one seeded generator.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from random import Random
from typing import NamedTuple

from libs.events.records import RawRecord
from tools.simulator import fault_names as names

#: Of a record's key, value and headers: more is refused, as a topic's `max.message.bytes` does.
RECORD_BYTES_MAX = 8 * 1024 * 1024
#: Records that one step of the broker may store for one sender and partition.
STORED_PER_STEP_MAX = 8
#: Records that one fetch may bring.
FETCHED_MAX = 12


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class LogFaults:
    """How often (0..1) the broker misbehaves, per record unless said otherwise."""

    fails: float = 0.0
    """Told to the sender as failed, and not stored; a later one of the same sender may still be stored."""
    vanishes: float = 0.0
    """Neither stored nor ever answered."""
    stored_unanswered: float = 0.0
    """Stored, but the sender never hears of it."""
    stored_told_failed: float = 0.0
    """Stored, but the sender is told that it is not: a time-out."""
    acknowledged_late: float = 0.0
    duplicated: float = 0.0
    """Stored a second time, some time later."""
    survives_its_sender: float = 0.0
    """Of a dead sender's records in flight: stored some time later, else lost."""
    blind: float = 0.0
    """Per fetch: the reader gets nothing new for a while."""


NO_FAULTS = LogFaults()


class OffsetMissing(Exception):
    """A reader asked for an offset behind the end: the log was cut. The twin of `libs.runtime.kafka.OffsetMissing`."""


class Fate(Enum):
    """What a sender knows of a record."""

    IN_FLIGHT = "in_flight"
    STORED = "stored"
    FAILED = "failed"


@dataclass(slots=True)
class Sent:
    """A record on its way."""

    place: Place
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]
    owner: int
    fate: Fate = Fate.IN_FLIGHT

    @property
    def bytes(self) -> int:
        """What counts against the limit of a record's size."""
        headers = sum(len(name) + len(content) for name, content in self.headers.items())
        return len(self.key) + len(self.value) + headers


@dataclass(slots=True)
class Sender:
    """One producer's session. `owner` is who wants to know when a record's fate changes."""

    log: "Log"
    owner: int
    queues: dict[Place, deque[Sent]] = field(default_factory=dict)

    def post(self, place: Place, *, key: bytes, value: bytes, headers: Mapping[str, bytes]) -> Sent:
        """Send without waiting; the record's fate changes by steps of the log."""
        sent = Sent(place, key, value, headers, self.owner)
        queue = self.queues.setdefault(place, deque())
        if not queue:
            self.log.note_busy(queue)
        queue.append(sent)
        return sent

    def die(self) -> None:
        """What is in flight is lost or arrives late; nothing is told any more."""
        for queue in self.queues.values():
            self.log.orphan(queue)
        self.queues.clear()


class Log:
    """All partitions of all topics. `stored_in` and `told` say what changed, for whoever lets the actors move."""

    def __init__(self, rng: Random, faults: LogFaults) -> None:
        self.faults = faults
        self.order: list[tuple[Place, RawRecord]] = []
        self.appended = 0
        self.stored_in: list[Place] = []
        self.told: list[int] = []
        self.judge: Callable[[Place, RawRecord], None] | None = None
        """Asked about every record as it is stored; what it raises ends the run at this step."""
        self.judge_cut: Callable[[Place, int], None] | None = None
        """Told that a partition now ends at an offset."""
        self.happened: Counter[str] = Counter()
        """How often each fault was injected, by its name in `fault_names`; the log's own and those of whoever uses it."""
        self.was_cut: set[Place] = set()
        """Partitions that have lost a tail: whoever starts on them has reason to look at what is left."""
        self._rng = rng
        self._partitions: dict[Place, list[RawRecord]] = {}
        self._busy: list[deque[Sent]] = []
        self._late: list[Sent] = []
        self._unacknowledged: list[Sent] = []

    def create(self, place: Place) -> None:
        """Make an empty partition."""
        self._partitions[place] = []

    @property
    def places(self) -> list[Place]:
        """All partitions, in the order of their making."""
        return list(self._partitions)

    def end(self, place: Place) -> int:
        """The offset of the next record."""
        return len(self._partitions[place])

    def record_at(self, place: Place, offset: int) -> RawRecord | None:
        """The record at an offset; None before the beginning and past the end."""
        records = self._partitions[place]
        return records[offset] if 0 <= offset < len(records) else None

    def records(self, place: Place, start: int, count: int) -> list[RawRecord]:
        """At most `count` records from an offset on. Raises OffsetMissing before the beginning and behind the end."""
        records = self._partitions[place]
        if not 0 <= start <= len(records):
            raise OffsetMissing(f"{place.topic}/{place.partition} holds no offset {start}")
        return records[start : start + count]

    def digest(self) -> str:
        """A hash over everything stored, in the order of storing."""
        total = sha256()
        for place, raw in self.order:
            head = f"{place.topic}|{place.partition}|{raw.offset}|{raw.timestamp_ms}|{sorted(raw.headers.items())}|"
            total.update(head.encode() + raw.value)
        return total.hexdigest()

    def sender(self, owner: int) -> "Sender":
        """A new producer's session."""
        return Sender(self, owner)

    # --- what senders do ----------------------------------------------------------------------------------------

    def note_busy(self, queue: deque[Sent]) -> None:
        """A sender's queue has records again."""
        self._busy.append(queue)

    def orphan(self, queue: deque[Sent]) -> None:
        """The sender of these records died."""
        survivors = [sent for sent in queue if self._rng.random() < self.faults.survives_its_sender]
        self.happened[names.LOST_WITH_SENDER] += len(queue) - len(survivors)
        self.happened[names.STORED_AFTER_DEATH] += len(survivors)
        self._late += survivors
        queue.clear()

    # --- power cuts ---------------------------------------------------------------------------------------------

    def cut(self, place: Place, end: int) -> int:
        """The machine lost its power: what was stored from `end` on is gone, and what was on its way there. Gives how many."""
        records = self._partitions[place]
        lost = len(records) - end
        self.was_cut.add(place)
        del records[end:]
        self.order = [(where, raw) for where, raw in self.order if where != place or raw.offset < end]
        for queue in self._busy:
            for sent in [sent for sent in queue if sent.place == place]:
                queue.remove(sent)
                self._tell(sent, Fate.FAILED)
        self._busy = [queue for queue in self._busy if queue]
        self._late = [sent for sent in self._late if sent.place != place]
        self._unacknowledged = [sent for sent in self._unacknowledged if sent.place != place]
        if self.judge_cut is not None:
            self.judge_cut(place, end)
        return lost

    def append(self, place: Place, *, key: bytes, value: bytes, headers: Mapping[str, bytes]) -> int:
        """Store at once and without fault, as an administrator who waits for each answer. Gives the offset."""
        self._append(Sent(place, key, value, headers, owner=-1))
        return self.end(place) - 1

    # --- what the broker does -----------------------------------------------------------------------------------

    @property
    def is_quiet(self) -> bool:
        """Nothing is on its way."""
        return not (self._late or self._unacknowledged or any(self._busy))

    def step(self) -> bool:
        """Move a little of what is on its way; False when nothing is."""
        choices = [work for work in (self._busy, self._late, self._unacknowledged) if work]
        if not choices:
            return False
        work = self._rng.choice(choices)
        if work is self._busy:
            self._store_some()
        elif work is self._late:
            self._append(_taken(self._late, self._rng))
        else:
            self._tell(_taken(self._unacknowledged, self._rng), Fate.STORED)
        return True

    def _store_some(self) -> None:
        index = self._rng.randrange(len(self._busy))
        queue = self._busy[index]
        for _ in range(self._rng.randint(1, STORED_PER_STEP_MAX)):
            if not queue:
                break
            self._arrive(queue.popleft())
        if not queue:
            self._busy[index] = self._busy[-1]
            self._busy.pop()

    def _arrive(self, sent: Sent) -> None:
        faults, chance = self.faults, self._rng.random()
        if chance < faults.fails or sent.bytes > RECORD_BYTES_MAX:
            self.happened[names.FAILED] += 1
            self._tell(sent, Fate.FAILED)
            return
        chance -= faults.fails
        if chance < faults.vanishes:
            self.happened[names.VANISHED] += 1
            return
        chance -= faults.vanishes
        self._append(sent)
        if chance < faults.stored_unanswered:
            self.happened[names.NEVER_ANSWERED] += 1
            return
        chance -= faults.stored_unanswered
        if chance < faults.stored_told_failed:
            self.happened[names.STORED_TOLD_FAILED] += 1
            self._tell(sent, Fate.FAILED)
            return
        chance -= faults.stored_told_failed
        if chance < faults.acknowledged_late:
            self.happened[names.ANSWERED_LATE] += 1
            self._unacknowledged.append(sent)
            return
        self._tell(sent, Fate.STORED)
        if chance - faults.acknowledged_late < faults.duplicated:
            self.happened[names.DUPLICATED] += 1
            self._late.append(Sent(sent.place, sent.key, sent.value, sent.headers, sent.owner))

    def _tell(self, sent: Sent, fate: Fate) -> None:
        sent.fate = fate
        self.told.append(sent.owner)

    def _append(self, sent: Sent) -> None:
        records = self._partitions[sent.place]
        self.appended += 1
        raw = RawRecord(len(records), sent.key, sent.value, sent.headers, self.appended)
        records.append(raw)
        self.order.append((sent.place, raw))
        self.stored_in.append(sent.place)
        if self.judge is not None:
            self.judge(sent.place, raw)


def _taken(work: list[Sent], rng: Random) -> Sent:
    index = rng.randrange(len(work))
    work[index], work[-1] = work[-1], work[index]
    return work.pop()


class Tail:
    """One reader's way through a partition: it may see only a prefix of what is stored, for a while."""

    #: Fetches for which a blind reader gets nothing.
    BLIND_FETCHES = 4

    def __init__(self, log: Log, place: Place, offset: int) -> None:
        self.offset = offset
        self.place = place
        self._log = log
        self._blind = 0

    @property
    def at_end(self) -> bool:
        """Nothing stored is unread."""
        return self.offset == self._log.end(self.place)

    def fetch(self, rng: Random) -> list[RawRecord]:
        """The next few records, in order; sometimes none although there are some. Raises OffsetMissing after a cut."""
        if self.at_end:
            return []
        if self._log.faults.blind:
            if self._blind:
                self._blind -= 1
                return []
            if rng.random() < self._log.faults.blind:
                self._blind = rng.randint(1, self.BLIND_FETCHES)
                self._log.happened[names.BLIND] += 1
                return []
        records = self._log.records(self.place, self.offset, rng.randint(1, FETCHED_MAX))
        self.offset = records[-1].offset + 1
        return records
