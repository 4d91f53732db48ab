"""The decider's shell in the simulation: what `libs.runtime.decider` does on Kafka, cut into steps that chance may stop.

Between any two steps it may die; it then starts from its store as of the last flush, from an older copy, or from nothing.
"""

from collections import deque
from enum import Enum
from random import Random

from libs.events.chain import ChainReader, Reading
from libs.events.topics import commands_topic, events_topic
from libs.runtime.day import day_aggregate
from libs.runtime.deciding import PartitionDecider
from libs.runtime.memory import DeciderMemory
from libs.runtime.replica_role import Assignment, ReplicaRole
from libs.runtime.service import Service
from libs.runtime.store import MemoryStore
from tools.simulator import fault_names as names
from tools.simulator.log import Fate, Log, Place, Sent, Tail
from tools.simulator.repairs import lost_commands
from tools.simulator.resuming import LostTimeline, resume

#: Own steps without any news while decisions are unconfirmed: then the producer is not trusted any more.
PATIENCE_STEPS = 30
#: A standby's patience, in its own steps.
TAKE_OVER_STEPS = 12
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
        table: Assignment | None = None,
        chance: Random | None = None,
        topic_prefix: str = "",
    ) -> None:
        self.name = f"{service.name}-decider-{partition}-{replica}"
        self.service = service
        self.partition = partition
        self.commands = Place(commands_topic(service.name, topic_prefix), partition)
        self.events = Place(events_topic(service.name, topic_prefix), partition)
        self._log = log
        self._log_id = log_id
        self._older = MemoryStore()
        self._slot = slot
        self._sender = log.sender(slot)
        self._store, memory, reader = self._open(store)
        self.decider = PartitionDecider(
            service=service.name,
            aggregates=(*service.aggregates, day_aggregate()),
            rules=service.rules,
            partition=partition,
            partitions=partitions,
            memory=memory,
            reader=reader,
            replica=replica,
        )
        self._tail = Tail(log, self.events, self.decider.head.offset + 1)
        self._begin_deciding_at = log.end(self.events)
        self._sent: deque[Sent] = deque()
        self._dirty = False
        self._waited = 0
        self._frozen_steps = 0
        self._steps = 0
        self._began = False
        self.halted: str | None = None
        """Decided commands are lost, and which: nothing is decided until somebody has repaired them and it starts again."""
        self.took_over = False
        """Since whoever lets it move has looked."""
        self.role = ReplicaRole(
            replica,
            service.rules,
            table or Assignment(replica),
            patience_s=TAKE_OVER_STEPS,
            draw=(chance or Random(0)).random,
        )

    def _open(self, store: MemoryStore) -> tuple[MemoryStore, DeciderMemory, ChainReader]:
        """What `libs.runtime.recovery` does: a store of a lost timeline is thrown away, and all is folded from the beginning."""
        memory = DeciderMemory(store)
        try:
            return store, memory, resume(self._log, self._log_id, self.events, memory.checkpoint())
        except LostTimeline:
            self._log.happened[names.STORE_OF_LOST_TIMELINE] += 1
            return self._open(MemoryStore())

    def freeze(self, steps: int) -> None:
        """Do nothing for so many steps: a process that is slow to start, or that the machine has stopped."""
        self._frozen_steps = steps

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
            not self._frozen_steps
            and self._tail.at_end
            and not self.decider.unconfirmed
            and not self._dirty
            and self.decider.next_position >= self._log.end(self.commands)
        )

    def step(self, rng: Random) -> bool:
        """Fold a batch, flush, or decide a few commands; False when nothing can be done before something arrives."""
        self._steps += 1
        if self._frozen_steps:
            self._frozen_steps -= 1
            return True
        if self._failed():
            self._start_over()
            return True
        if self._dirty and rng.random() < 0.5:
            self._flush(rng)
            return True
        if rng.random() < 0.5 and self._fold(rng):
            return True
        if (self._decides() and self._decide(rng)) or self._fold(rng):
            return True
        if self._dirty:
            self._flush(rng)
            return True
        self._waited += 1
        if not self.role.decides and self._stands_by():
            return True
        if self.decider.unconfirmed and self._waited > PATIENCE_STEPS:
            self._start_over()
            return True
        return False

    def _decides(self) -> bool:
        """Whether it decides; asked for the first time when everything is folded that was there when it started."""
        if not self._began and self._tail.offset >= self._begin_deciding_at:
            self._began = True
            self.halted = lost_commands(self._log, self._log_id, self.commands, self.events)
            self.role.start(self.decider.head_by, self.decider.head_rules)
        return self.role.decides and self.halted is None

    def _stands_by(self) -> bool:
        """Whether a command waits for which patience runs; at its end, and with the log folded, take over."""
        position = self.decider.next_position
        waits = self._began and not self.halted and position < self._log.end(self.commands)
        left = self.role.patience_left_s(self._steps, position, waits=waits)
        if left == 0.0 and self._tail.at_end and self.role.take_over():
            self._log.happened[names.STANDBY_TOOK_OVER] += 1
            self.took_over = True
        return left is not None and not self.role.is_outdated

    def _failed(self) -> bool:
        while self._sent and self._sent[0].fate is Fate.STORED:
            self._sent.popleft()
        # Asked at every step: any() of a generator takes twice as long.
        return Fate.FAILED in [sent.fate for sent in self._sent]

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
        decided = self.role.decides
        for raw in records:
            if self.decider.accept(raw) is Reading.ACCEPTED:
                self.role.accepted(self.decider.head_by, self.decider.head_rules)
            self._dirty = True
            self._waited = 0
        if decided and not self.role.decides:
            self.decider.drop_speculation()
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
