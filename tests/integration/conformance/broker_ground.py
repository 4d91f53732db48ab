"""A real broker and the shells of libs.runtime as a ground for scenarios: each life in a thread with a loop of its own.

A thread can be frozen as a process can, and costs no start. What the gate takes out of a decider's hands never reached the
broker; where the scenario has it stored, the ground's own producer stores it: a log does not tell who wrote a record last.
"""

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.local.parts import LocalParts
from libs.events.chain import Checkpoint
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime import decider, decider_links, policies
from libs.runtime.commits import Commit
from libs.runtime.decider import DeciderRole
from libs.runtime.kafka import (
    LogReader,
    LogUnavailable,
    LogWriter,
    OffsetMissing,
    Place,
    RecordTooLarge,
    create_topics,
    read_range,
    record_at,
)
from libs.runtime.policies import PolicyRole
from libs.runtime.policing import group_name
from libs.runtime.replicas import Pair, ReplicaTable, save_table
from libs.runtime.settings import load_settings
from libs.runtime.tail import Tail
from libs.runtime.topics_admin import topic_configs
from tests.integration.conformance.ground import (
    LOG_ID,
    PATIENT_S,
    RULES,
    SERVICE,
    Gate,
    Topic,
    Verdict,
)
from tests.integration.conformance.lives import LIMIT_S, GatedWriter, Life, Sent, Unwatched, answer
from tests.integration.test_cut_tail import cut_all


@dataclass(slots=True)
class BrokerGround:
    """See Ground."""

    own: LocalParts
    prefix: str
    data_dir: Path
    gate: Gate = field(default_factory=Gate)
    restarts: int = 0
    _lives: dict[str, Life] = field(default_factory=dict)
    _build: dict[str, Callable[[], tuple[DeciderRole, Tail]]] = field(default_factory=dict)
    _policy: Life | None = None
    _writer: LogWriter | None = None

    async def open(self, patch: pytest.MonkeyPatch) -> None:
        """Make the topics, and put the gate before every decider's producer."""
        gate = self.gate

        def gated(bootstrap: str, *, client_id: str) -> GatedWriter:
            return GatedWriter(gate, bootstrap, client_id=client_id)

        patch.setattr(decider_links, "LogWriter", gated)
        patch.setattr(decider, "HangWatch", Unwatched)
        patch.setattr(policies, "COMMIT_EVERY_S", 3_600.0)
        names = [self._place("commands").topic, self._place("events").topic]
        await create_topics(
            self.own.kafka, names, partitions=1, replication=1, configs=topic_configs(self._settings("r0"))
        )

    def _settings(self, replica: str, **overrides: Any) -> Any:
        return load_settings(
            self.data_dir,
            kafka=self.own.kafka,
            mongo="mongodb://127.0.0.1:1/?replicaSet=none",
            topic_prefix=self.prefix,
            log_id=LOG_ID,
            partitions=1,
            replica=replica,
            **overrides,
        )

    def _place(self, topic: Topic) -> Place:
        name = commands_topic if topic == "commands" else events_topic
        return Place(name("bidding", self.prefix), 0)

    # --- the log ------------------------------------------------------------------------------------------------

    async def _store(self, place: Place, key: bytes | None, value: bytes, headers: Any = None) -> int:
        """Store one record with a producer that starts anew after any error."""
        give_up_at = time.monotonic() + LIMIT_S
        while True:
            if self._writer is None:
                self._writer = LogWriter(self.own.kafka, client_id="scenario")
                await self._writer.start()
            try:
                return await self._writer.send(place, key=key or b"", value=value, headers=headers)
            except LogUnavailable:
                await self._close_writer()
                if time.monotonic() > give_up_at:
                    raise

    async def _close_writer(self) -> None:
        if self._writer is not None:
            await self._writer.stop()
            self._writer = None

    async def append(self, topic: Topic, record: RawRecord | bytes) -> bool:
        """See Ground."""
        try:
            if isinstance(record, RawRecord):
                await self._store(self._place(topic), record.key, record.value, dict(record.headers))
            else:
                await self._store(self._place(topic), b"acc_1", record)
        except RecordTooLarge:
            return False
        return True

    async def read(self, topic: Topic) -> list[RawRecord]:
        """See Ground."""
        return [raw async for records in read_range(self.own.kafka, self._place(topic), 0) for raw in records]

    async def record_at(self, topic: Topic, offset: int) -> RawRecord | None:
        """See Ground."""
        return await record_at(self.own.kafka, self._place(topic), offset)

    async def fetch(self, topic: Topic, offset: int) -> list[RawRecord] | None:
        """See Ground."""
        reader = LogReader(self.own.kafka, client_id="scenario")
        await reader.start()
        try:
            reader.assign({self._place(topic): offset})
            return (await reader.poll(0.5)).get(self._place(topic), [])
        except OffsetMissing:
            return None
        finally:
            await reader.stop()

    async def cut(self, *, commands: int = 0, events: int = 0) -> None:
        """See Ground. Decisions were made one at a time where they are cut: batches are lost whole."""
        await self._close_writer()
        wanted = {self._place("commands").topic: commands, self._place("events").topic: events}
        wanted = {topic: count for topic, count in wanted.items() if count}
        assert await asyncio.to_thread(cut_all, self.own, wanted) == wanted

    # --- deciders -----------------------------------------------------------------------------------------------

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
        table = self.data_dir / f"replicas-{replica}.json"
        pair = Pair(active="r0", standby="r1") if standby else Pair(active=replica)
        allowed = {} if rules_allowed is None else {"bidding": rules_allowed}
        save_table(table, ReplicaTable(version=1, default=pair, rules_allowed=allowed))
        settings = self._settings(replica, replicas=table, confirm_timeout_s=patience_s)

        def build() -> tuple[DeciderRole, Tail]:
            tail = Tail(settings.require_kafka(), [self._place("events")], client_id=f"tail-{replica}")
            return DeciderRole(settings, replace(SERVICE, rules=rules), tail), tail

        self._build[replica] = build
        self._lives[replica] = Life(build)

    async def kill(self, replica: str = "r0") -> None:
        """See Ground."""
        await asyncio.to_thread(self._lives.pop(replica).kill)

    async def freeze(self, replica: str) -> None:
        """See Ground."""
        await asyncio.to_thread(self._lives[replica].freeze)

    async def thaw(self, replica: str) -> None:
        """See Ground."""
        self._lives[replica].thaw()

    async def become(self, replica: str, position: int, verdict: Verdict) -> None:
        """See Ground."""
        sent: Sent = self.gate.take(replica, position).sent
        if verdict.stores:
            await self._store(self._place("events"), sent.key, sent.value, sent.headers)
        if verdict in (Verdict.UNHEARD, Verdict.VANISHED):
            return
        if not sent.loop.is_closed():
            sent.loop.call_soon_threadsafe(answer, sent.future, verdict)

    async def until(self, met: Callable[[], bool]) -> None:
        """See Ground."""
        async with asyncio.timeout(LIMIT_S):
            while not met():
                self._begin_again()
                await asyncio.sleep(0.01)

    def _begin_again(self) -> None:
        """What an orchestrator does: a life that ended because the log was cut is begun again; any other end is a fault."""
        for replica, life in list(self._lives.items()):
            if life.has_ended:
                _, rest = (
                    life.error.split(OffsetMissing)
                    if isinstance(life.error, BaseExceptionGroup)
                    else (None, life.error)
                )
                if rest is not None or life.error is None:
                    raise AssertionError(f"{replica} has ended") from life.error
                self.restarts += 1
                self._lives[replica] = Life(self._build[replica])

    def _loop_of(self, replica: str) -> Any:
        return self._lives[replica].role._loops[0]

    def head(self, replica: str = "r0") -> int:
        """See Ground."""
        role = self._lives[replica].role
        heads = role.heads() if role is not None else {}
        return int(heads[0].position) if heads else -1

    def complaint(self, replica: str = "r0") -> str | None:
        """See Ground."""
        if self._lives[replica].role is None:
            return None
        loop = self._loop_of(replica)
        return loop.halted or ("held back" if loop.role.held_back else None)

    def doubts(self, replica: str = "r0") -> int:
        """See Ground."""
        return int(self._loop_of(replica)._restarts._failures)

    def _store_path(self, replica: str) -> Path:
        return self.data_dir / "stores" / self._place("events").topic / replica

    def store(self, replica: str = "r0") -> Path:
        """See Ground."""
        kept = self.data_dir / f"kept-{time.monotonic_ns()}"
        shutil.copytree(self._store_path(replica), kept)
        return kept

    def put_back(self, store: Any, replica: str = "r0") -> None:
        """See Ground."""
        shutil.rmtree(self._store_path(replica), ignore_errors=True)
        if store is not None:
            shutil.copytree(store, self._store_path(replica))

    # --- policies -----------------------------------------------------------------------------------------------

    async def start_policy(self, committed: Checkpoint | None) -> None:
        """See Ground."""
        settings, place = self._settings("r0"), self._place("events")
        if committed is not None:
            group = self.prefix + group_name("bidding", "bidding")
            commits = LogReader(settings.require_kafka(), client_id="scenario", group=group)
            await commits.start()
            commits.assign_for_commits([place])
            await commits.commit({place: Commit(committed, committed.offset + 1)})
            await commits.stop()
        service = replace(SERVICE, policies={"bidding": SERVICE.policies["bidding"]})

        def build() -> tuple[PolicyRole, Tail]:
            tail = Tail(settings.require_kafka(), [place], client_id="tail-policy")
            return PolicyRole(settings, service, tail), tail

        self._policy = Life(build)

    async def kill_policy(self) -> None:
        """See Ground."""
        if self._policy is not None:
            await asyncio.to_thread(self._policy.kill)
            self._policy = None

    def policy_waits(self) -> bool:
        """See Ground."""
        assert self._policy is not None
        return self._policy.role is not None and "to decide position" in self._policy.role.ready()[1]

    async def close(self) -> None:
        """See Ground."""
        for life in self._lives.values():
            await asyncio.to_thread(life.kill)
        await self.kill_policy()
        await self._close_writer()
