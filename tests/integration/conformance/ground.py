"""What a scenario may do to a log and to those who decide on it, whatever the log is made of; and what it may compare.

There is one partition of bidding, its commands are bytes that never change, and nothing is left to chance: what a decider
sends can be taken out of its hands, and the scenario then says of each record what becomes of it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Literal, Protocol

from pydantic_core import to_json

from libs.events.chain import HASHED_HEADERS, ChainReader, Checkpoint, Reading, genesis
from libs.events.codec import name_of
from libs.events.records import CommandEnvelope, RawRecord
from libs.events.topics import events_topic
from libs.runtime.day import day_aggregate
from libs.runtime.deciding import PartitionDecider
from libs.runtime.memory import DeciderMemory
from libs.runtime.service import Service
from libs.runtime.store import MemoryStore
from services.bidding.app import build
from services.bidding.commands import OpenAccount, RequestTopUp

LOG_ID = "c" * 32
SERVICE: Service = build("demo")
RULES = SERVICE.rules
AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)
#: Nobody gives up on a decision before the scenario says so.
PATIENT_S = 60.0
#: A decider that does give up, soon.
IMPATIENT_S = 2.0

Topic = Literal["commands", "events"]


class Verdict(Enum):
    """What becomes of a record that was taken out of a decider's hands, and what the decider is told."""

    STORED = "stored, and told so"
    UNHEARD = "stored, and never told"
    TOLD_FAILED = "stored, and told that it is not"
    FAILED = "not stored, and told so"
    VANISHED = "not stored, and never told"
    TOO_LARGE = "refused for its size"

    @property
    def stores(self) -> bool:
        """Whether it reaches the log."""
        return self in (Verdict.STORED, Verdict.UNHEARD, Verdict.TOLD_FAILED)


@dataclass(slots=True, eq=False)
class Held:
    """A decision on its way from a replica to the log, and how the replica is told what became of it."""

    replica: str
    position: int
    sent: Any


@dataclass(slots=True)
class Gate:
    """Stands between the deciders and the log. Who is `held` has what he sends from then on taken out of his hands."""

    held: set[str] = field(default_factory=set)
    in_hand: list[Held] = field(default_factory=list)

    def of(self, replica: str) -> list[int]:
        """The positions in hand of a replica, in the order of sending."""
        return [held.position for held in self.in_hand if held.replica == replica]

    def take(self, replica: str, position: int) -> Held:
        """The first record in hand of a replica for a position."""
        held = next(h for h in self.in_hand if (h.replica, h.position) == (replica, position))
        self.in_hand.remove(held)
        return held


class Ground(Protocol):
    """A log, its deciders by replica, its policies: everything a scenario is made of. What waits raises TimeoutError."""

    gate: Gate
    restarts: int
    """Lives that ended by themselves, because the log no longer held what they wanted to read, and were begun again."""

    @property
    def prefix(self) -> str:
        """What stands before the names of the topics: genesis is a hash over them."""

    async def append(self, topic: Topic, record: "RawRecord | bytes") -> bool:
        """Store one record, or a command of these bytes; False where it is refused for its size."""

    async def read(self, topic: Topic) -> list[RawRecord]:
        """Everything that a topic holds."""

    async def record_at(self, topic: Topic, offset: int) -> RawRecord | None:
        """The record at an offset, if there is one."""

    async def fetch(self, topic: Topic, offset: int) -> list[RawRecord] | None:
        """What a reader gets that starts at an offset; None where it is told that the log does not reach there."""

    async def cut(self, *, commands: int = 0, events: int = 0) -> None:
        """The power goes and takes the last records of the topics along. Who lives, lives on."""

    async def start(
        self,
        replica: str = "r0",
        *,
        rules: int = RULES,
        standby: bool = False,
        rules_allowed: int | None = None,
        patience_s: float = PATIENT_S,
    ) -> None:
        """Begin a life of a replica: as the partition's only one, or with `standby` as one of the pair r0 and r1."""

    async def kill(self, replica: str = "r0") -> None:
        """End it without a word. What it sent and the gate holds may still arrive."""

    async def freeze(self, replica: str) -> None:
        """Let it live and do nothing."""

    async def thaw(self, replica: str) -> None:
        """Let it go on where it stood."""

    async def become(self, replica: str, position: int, verdict: Verdict) -> None:
        """Say what becomes of the first record in hand of a replica for a position; return when it has."""

    async def until(self, met: Callable[[], bool]) -> None:
        """Let everybody move until a condition holds."""

    def head(self, replica: str = "r0") -> int:
        """The position up to which a living replica has folded the log; -1 before the first."""

    def complaint(self, replica: str = "r0") -> str | None:
        """Why a living replica stands still on purpose; None where it does not."""

    def doubts(self, replica: str = "r0") -> int:
        """How often the present life of a replica has started over with a new producer."""

    def store(self, replica: str = "r0") -> Any:
        """A copy of the store that a dead replica has left behind."""

    def put_back(self, store: Any, replica: str = "r0") -> None:
        """Give a dead replica this store instead of its own; None: no store."""

    async def start_policy(self, committed: Checkpoint | None) -> None:
        """Begin a life of bidding's policies on its own events, whose group has committed this and commits nothing more."""

    async def kill_policy(self) -> None:
        """End it."""

    def policy_waits(self) -> bool:
        """Whether the policy waits for its source to decide again what it has committed."""

    async def close(self) -> None:
        """End every life."""


# --- commands ------------------------------------------------------------------------------------------------------


def said(
    stream: str, message: Any, command_id: str, *, principal: str = "usr_1", fingerprint: str = ""
) -> bytes:
    """A person's command: the same bytes at every call."""
    return to_json(
        CommandEnvelope(
            command_id=command_id,
            type=name_of(type(message)),
            stream_id=stream,
            data=message,
            at=AT,
            principal=principal,
            correlation_id=command_id,
            fingerprint=fingerprint or f"f-{command_id}",
            business_date=date(2024, 3, 15),
        )
    )


def opening() -> bytes:
    """Open the account that all is about."""
    return said("acc_1", OpenAccount(owner="usr_1"), "open")


def asking(number: int, *, amount_fen: int = 0) -> bytes:
    """Ask for a top-up: each is another event of the same stream."""
    wish = RequestTopUp(top_up_id=f"top_{number}", amount_fen=amount_fen or 1_000 + number)
    return said("acc_1", wish, f"ask-{number}")


def commands(count: int) -> list[bytes]:
    """An account and wishes: each decision rests on the one before it."""
    return [opening(), *(asking(number) for number in range(1, count))][:count]


# --- what is compared ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """An accepted decision as the chain knows it: everything but who made it, and when it was stored."""

    hash: bytes
    prev: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a log holds: its accepted decisions, who made each, and how every record is read."""

    told: tuple[Told, ...]
    by: tuple[str, ...]
    readings: tuple[tuple[Reading, str, int], ...]
    """Of every record in its order: how it is read, who wrote it, for which position."""

    def count(self) -> dict[Reading, int]:
        """How many records are read how."""
        found = Counter(reading for reading, _, _ in self.readings)
        return {reading: found[reading] for reading in Reading}


def told(headers: Any, value: bytes) -> Told:
    """One decision, without what stands outside the hash."""
    hashed = tuple((name, headers[name]) for name in HASHED_HEADERS if name in headers)
    return Told(headers["hash"], headers["prev"], hashed, value)


def first_head(prefix: str) -> Checkpoint:
    """The head before the first decision."""
    return genesis(LOG_ID, events_topic("bidding", prefix), 0)


def outcome(prefix: str, records: Sequence[RawRecord]) -> Outcome:
    """How any reader reads a topic of events from its beginning."""
    reader = ChainReader(first_head(prefix))
    readings = [(reader.read(raw), raw.headers.get("by", b"").decode(), _position(raw)) for raw in records]
    accepted = [
        raw for raw, (reading, _, _) in zip(records, readings, strict=True) if reading is Reading.ACCEPTED
    ]
    return Outcome(
        tuple(told(raw.headers, raw.value) for raw in accepted),
        tuple(raw.headers["by"].decode() for raw in accepted),
        tuple(readings),
    )


def _position(raw: RawRecord) -> int:
    text = raw.headers.get("position", b"")
    return int(text) if text.isdigit() else -1


def undisturbed(prefix: str, values: Sequence[bytes], rules: Sequence[int] = ()) -> tuple[Told, ...]:
    """What is decided of these commands where nothing goes wrong; `rules`: by which rules, where not by this code's."""
    rules = rules or [RULES] * len(values)
    store, head, decided = MemoryStore(), first_head(prefix), []
    for offset, (value, number) in enumerate(zip(values, rules, strict=True)):
        decider = PartitionDecider(
            service="bidding",
            aggregates=(*SERVICE.aggregates, day_aggregate()),
            rules=number,
            partition=0,
            partitions=1,
            memory=DeciderMemory(store),
            reader=ChainReader(head),
            replica="oracle",
        )
        outgoing = decider.decide(RawRecord(offset, None, value, {}))
        assert outgoing is not None
        decided.append(told(outgoing.headers, outgoing.value))
        decider.accept(RawRecord(offset, outgoing.key, outgoing.value, outgoing.headers))
        decider.flush()
        head = decider.head
    return tuple(decided)
