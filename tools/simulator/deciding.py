"""The decider's shell in the simulation: what `libs.runtime.decider` does on Kafka, cut into steps that chance may stop.

Between any two steps it may die; it then starts from its store as of the last flush, from an older copy, or from nothing.
"""

from collections import deque
from enum import Enum
from random import Random

from libs.runtime.day import day_aggregate
from libs.runtime.deciding import PartitionDecider
from libs.runtime.memory import DeciderMemory
from libs.runtime.service import Service
from libs.runtime.store import MemoryStore
from tools.simulator.log import Fate, Log, Place, Sent, Tail
from tools.simulator.resuming import resume

#: Own steps without any news while decisions are unconfirmed: then the producer is not trusted any more.
PATIENCE_STEPS = 30
#: Decisions that may be unconfirmed.
UNCONFIRMED_MAX = 40
#: Decisions in one step.
DECIDED_PER_STEP_MAX = 6


class Disk(Enum):
    """What a crash leaves of a decider's store."""

    LAST_FLUSH = "last_flush"
    OLDER_COPY = "older_copy"
    EMPTY = "empty"


class DeciderActor:
    """One life of the decider of one partition of one service."""

    def __init__(
        self,
        log: Log,
        service: Service,
        partition: int,
        partitions: int,
        *,
        log_id: str,
        replica: str,
        store: MemoryStore,
        slot: int,
    ) -> None:
        self.name = f"{service.name}-decider-{partition}-{replica}"
        self.service = service
        self.partition = partition
        self.commands = Place(f"{service.name}.commands", partition)
        self.events = Place(f"{service.name}.events", partition)
        self._log = log
        self._store = store
        self._older = MemoryStore()
        self._slot = slot
        self._sender = log.sender(slot)
        memory = DeciderMemory(store)
        self.decider = PartitionDecider(
            service=service.name,
            aggregates=(*service.aggregates, day_aggregate()),
            rules=service.rules,
            partition=partition,
            partitions=partitions,
            memory=memory,
            reader=resume(log, log_id, self.events, memory.checkpoint()),
            replica=replica,
        )
        self._tail = Tail(log, self.events, self.decider.head.offset + 1)
        self._begin_deciding_at = log.end(self.events)
        self._sent: deque[Sent] = deque()
        self._dirty = False
        self._waited = 0

    def left_on(self, disk: Disk) -> MemoryStore:
        """What a successor finds when this life ends now."""
        match disk:
            case Disk.LAST_FLUSH:
                return self._store.copy()
            case Disk.OLDER_COPY:
                return self._older.copy()
            case Disk.EMPTY:
                return MemoryStore()

    def stop(self) -> None:
        """Die."""
        self._sender.die()

    @property
    def is_quiet(self) -> bool:
        """Everything stored is folded and decided, and everything decided is confirmed and flushed."""
        return (
            self._tail.at_end
            and not self.decider.unconfirmed
            and not self._dirty
            and self.decider.next_position >= self._log.end(self.commands)
        )

    def step(self, rng: Random) -> bool:
        """Fold a batch, flush, or decide a few commands; False when nothing can be done before something arrives."""
        if self._failed():
            self._start_over()
            return True
        if self._dirty and rng.random() < 0.5:
            self._flush(rng)
            return True
        if rng.random() < 0.5 and self._fold(rng):
            return True
        if self._decide(rng) or self._fold(rng):
            return True
        if self._dirty:
            self._flush(rng)
            return True
        self._waited += 1
        if self.decider.unconfirmed and self._waited > PATIENCE_STEPS:
            self._start_over()
            return True
        return False

    def _failed(self) -> bool:
        while self._sent and self._sent[0].fate is Fate.STORED:
            self._sent.popleft()
        return any(sent.fate is Fate.FAILED for sent in self._sent)

    def _start_over(self) -> None:
        """As the shell does after any doubt: a new producer, no speculation, first the log's end, then deciding on."""
        self._sender.die()
        self._sender = self._log.sender(self._slot)
        self._sent.clear()
        self._waited = 0
        self.decider.drop_speculation()
        self._begin_deciding_at = self._log.end(self.events)

    def _fold(self, rng: Random) -> bool:
        records = self._tail.fetch(rng)
        for raw in records:
            self.decider.accept(raw)
            self._dirty = True
            self._waited = 0
        return bool(records)

    def _flush(self, rng: Random) -> None:
        self.decider.flush()
        self._dirty = False
        if rng.random() < 0.03:
            self._older = self._store.copy()

    def _decide(self, rng: Random) -> bool:
        if self._tail.offset < self._begin_deciding_at:
            return False
        decided = False
        for _ in range(rng.randint(1, DECIDED_PER_STEP_MAX)):
            if self.decider.unconfirmed >= UNCONFIRMED_MAX:
                break
            raw = self._log.record_at(self.commands, self.decider.next_position)
            outgoing = None if raw is None else self.decider.decide(raw)
            if outgoing is None:
                break
            sent = self._sender.post(
                self.events, key=outgoing.key, value=outgoing.value, headers=outgoing.headers
            )
            self._sent.append(sent)
            decided = True
        return decided
