"""The simulator's log and shells as a ground for scenarios: its faults are the log's own, only chance has no say in them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from libs.events.chain import Checkpoint
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime.commits import Commit
from libs.runtime.replica_role import Assignment
from libs.runtime.store import MemoryStore
from tests.integration.conformance.ground import (
    LOG_ID,
    PATIENT_S,
    RULES,
    SERVICE,
    Gate,
    Held,
    Topic,
    Verdict,
)
from tools.simulator import deciding
from tools.simulator.deciding import DeciderActor, Disk
from tools.simulator.log import NO_FAULTS, Fate, Log, LogFaults, OffsetMissing, Place, Sent, Tail
from tools.simulator.policing import Kept, PolicyActor

#: Steps of everybody after which a condition is never met.
STEPS_MAX = 20_000
_CERTAIN = {
    Verdict.STORED: NO_FAULTS,
    Verdict.UNHEARD: LogFaults(stored_unanswered=1.0),
    Verdict.TOLD_FAILED: LogFaults(stored_told_failed=1.0),
    Verdict.FAILED: LogFaults(fails=1.0),
    Verdict.VANISHED: LogFaults(vanishes=1.0),
}


class GatedLog(Log):
    """The log in memory with a gate before it: what the gate lets through meets the log's faults as always."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(Random(0), NO_FAULTS)
        self._gate = gate

    def _arrive(self, sent: Sent) -> None:
        replica = sent.headers.get("by", b"").decode()
        if replica in self._gate.held:
            self._gate.in_hand.append(Held(replica, int(sent.headers["position"]), sent))
        else:
            super()._arrive(sent)

    def become(self, sent: Sent, verdict: Verdict) -> None:
        """Let a record meet a fault for certain. What is too large for this log is refused by the log itself."""
        if verdict is Verdict.TOO_LARGE:
            self._tell(sent, Fate.FAILED)
            return
        self.faults = _CERTAIN[verdict]
        super()._arrive(sent)
        self.faults = NO_FAULTS


class MemoryGround:
    """See Ground."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.gate = Gate()
        self.restarts = 0
        self._log = GatedLog(self.gate)
        self._places: Mapping[Topic, Place] = {
            "commands": Place(commands_topic("bidding", prefix), 0),
            "events": Place(events_topic("bidding", prefix), 0),
        }
        for place in self._places.values():
            self._log.create(place)
        self._stores: dict[str, MemoryStore] = {}
        self._lives: dict[str, Callable[[], DeciderActor]] = {}
        self._actors: dict[str, DeciderActor] = {}
        self._frozen: set[str] = set()
        self._starts_over: dict[str, int] = {}
        self._policy: PolicyActor | None = None
        self._rng = Random(0)

    async def append(self, topic: Topic, record: RawRecord | bytes) -> bool:
        """See Ground."""
        key, value, headers = b"acc_1", record, {}
        if isinstance(record, RawRecord):
            key, value, headers = record.key or b"", record.value, dict(record.headers)
        assert isinstance(value, bytes)
        sent = self._log.sender(-1).post(self._places[topic], key=key, value=value, headers=headers)
        self._log.become(self._log._busy.pop().pop(), Verdict.STORED)
        return sent.fate is Fate.STORED

    async def read(self, topic: Topic) -> list[RawRecord]:
        """See Ground."""
        place = self._places[topic]
        return self._log.records(place, 0, self._log.end(place))

    async def record_at(self, topic: Topic, offset: int) -> RawRecord | None:
        """See Ground."""
        return self._log.record_at(self._places[topic], offset)

    async def fetch(self, topic: Topic, offset: int) -> list[RawRecord] | None:
        """See Ground."""
        try:
            return Tail(self._log, self._places[topic], offset).fetch(self._rng)
        except OffsetMissing:
            return None

    async def cut(self, *, commands: int = 0, events: int = 0) -> None:
        """See Ground."""
        for topic, count in (("commands", commands), ("events", events)):
            if count:
                place = self._places[topic]  # type: ignore[index]  # both are topics
                self._log.cut(place, self._log.end(place) - count)

    async def start(
        self,
        replica: str = "r0",
        *,
        rules: int = RULES,
        standby: bool = False,
        rules_allowed: int | None = None,
        patience_s: float = PATIENT_S,
    ) -> None:
        """See Ground."""
        table = (
            Assignment("r0", "r1", rules_allowed)
            if standby
            else Assignment(replica, rules_allowed=rules_allowed)
        )
        self._starts_over[replica] = 0

        def begin() -> DeciderActor:
            actor = _Patient if patience_s == PATIENT_S else _Counted
            return actor(
                self._log,
                replace(SERVICE, rules=rules),
                0,
                1,
                log_id=LOG_ID,
                replica=replica,
                store=self._stores.setdefault(replica, MemoryStore()),
                slot=0,
                table=table,
                topic_prefix=self.prefix,
            )

        self._lives[replica] = begin
        self._actors[replica] = begin()

    async def kill(self, replica: str = "r0") -> None:
        """See Ground."""
        actor = self._actors.pop(replica)
        self._stores[replica] = actor.left_on(Disk.LAST_FLUSH)
        self._frozen.discard(replica)
        actor.stop()

    async def freeze(self, replica: str) -> None:
        """See Ground."""
        self._frozen.add(replica)

    async def thaw(self, replica: str) -> None:
        """See Ground."""
        self._frozen.discard(replica)

    async def become(self, replica: str, position: int, verdict: Verdict) -> None:
        """See Ground."""
        self._log.become(self.gate.take(replica, position).sent, verdict)

    async def until(self, met: Callable[[], bool]) -> None:
        """See Ground."""
        for _ in range(STEPS_MAX):
            if met():
                return
            self._log.step()
            for replica in list(self._actors):
                if replica not in self._frozen:
                    self._step(replica)
            self._step_policy()
        raise TimeoutError

    def _step(self, replica: str) -> None:
        actor = self._actors[replica]
        try:
            actor.step(self._rng)
        except OffsetMissing:
            self._stores[replica] = actor.left_on(Disk.LAST_FLUSH)
            actor.stop()
            self.restarts += 1
            self._actors[replica] = self._lives[replica]()

    def head(self, replica: str = "r0") -> int:
        """See Ground."""
        return self._actors[replica].decider.head.position

    def complaint(self, replica: str = "r0") -> str | None:
        """See Ground."""
        actor = self._actors[replica]
        return actor.halted or ("held back" if actor.role.held_back else None)

    def doubts(self, replica: str = "r0") -> int:
        """See Ground."""
        actor = self._actors[replica]
        assert isinstance(actor, _Counted)
        return actor.doubts

    def store(self, replica: str = "r0") -> MemoryStore:
        """See Ground."""
        return self._stores[replica].copy()

    def put_back(self, store: Any, replica: str = "r0") -> None:
        """See Ground."""
        self._stores[replica] = MemoryStore() if store is None else store.copy()

    # --- policies -----------------------------------------------------------------------------------------------

    async def start_policy(self, committed: Checkpoint | None) -> None:
        """See Ground."""
        kept = Kept()
        if committed is not None:
            kept.keep(0, Commit(committed, committed.offset + 1))
        self._policy = PolicyActor(
            self._log,
            SERVICE,
            "bidding",
            1,
            log_id=LOG_ID,
            kept=kept,
            slot=0,
            topic_prefix=self.prefix,
        )

    def _step_policy(self) -> None:
        if self._policy is not None:
            self._policy.step(self._rng)

    async def kill_policy(self) -> None:
        """See Ground."""
        if self._policy is not None:
            self._policy.stop()
        self._policy = None

    def policy_waits(self) -> bool:
        """See Ground."""
        return self._policy is not None and self._policy.is_regaining

    async def close(self) -> None:
        """See Ground."""


class _Counted(DeciderActor):
    """A decider that remembers how often it started over."""

    doubts = 0

    def _start_over(self) -> None:
        self.doubts += 1
        super()._start_over()


class _Patient(_Counted):
    """A decider that never gives up on a record while nobody tells it that it failed."""

    def step(self, rng: Random) -> bool:
        """See DeciderActor."""
        self._waited = min(self._waited, deciding.PATIENCE_STEPS - 1)
        return super().step(rng)
