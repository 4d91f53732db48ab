"""A toy service for tests of the runtime: jars that count coins, ring alarms and, when shaken, fail in every known way.

Its wire names are known only inside a test that asks for the fixture `jars_are_known`, so no catalogue ever shows them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import COMMAND_TYPES, EVENT_TYPES, command, encode, event, name_of, record
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.money import Count, PositiveFen
from libs.events.records import CommandEnvelope, RawRecord, Source, StoredBelow, decode_event, parse_decision
from libs.events.system import CommandRefused
from libs.events.topics import partition_of, system_stream
from libs.runtime.day import SetBusinessDate, day_aggregate
from libs.runtime.deciding import PartitionDecider
from libs.runtime.decision import Outgoing
from libs.runtime.memory import DeciderMemory
from libs.runtime.store import MemoryStore

TODAY = date(2024, 1, 31)
AT = datetime(2024, 1, 31, 9, tzinfo=UTC)
LOG_ID = "00ff"


@command("toy.PutCoins")
class PutCoins:
    """Put coins into a jar."""

    coins: PositiveFen


@command("toy.SetAlarm")
class SetAlarm:
    """Have the jar woken; `mode` says how it will behave then."""

    business_date: date
    phase: int
    mode: str


@command("toy.Shake")
class Shake:
    """Make the jar fail in the way `how`."""

    how: str


@event("toy.CoinsPut.v1")
class CoinsPut:
    """Coins were put into a jar; folded by adding, so that folding twice is seen."""

    coins: Count
    note: str


@event("toy.AlarmSet.v1")
class AlarmSet:
    """The jar wants to be woken."""

    business_date: date
    phase: int
    mode: str


@event("toy.AlarmRang.v1")
class AlarmRang:
    """The jar was woken."""

    clears: bool


@record
class Jar:
    """Coins in it, and the alarm that is set."""

    kind: Literal["jar"] = "jar"
    coins: Count = 0
    alarm: AlarmSet | None = None


def decide(message: Any, jar: Jar, context: Context) -> Sequence[Any]:
    """Do as told, or fail as told."""
    match message:
        case PutCoins():
            meanwhile = f" in phase {context.phase}" if context.phase else ""
            note = f"{context.business_date} {context.principal}{meanwhile}"
            return [CoinsPut(coins=message.coins, note=note)]
        case SetAlarm():
            return [
                AlarmSet(business_date=message.business_date, phase=message.phase, mode=message.mode),
            ]
        case Wake():
            assert jar.alarm is not None, "only a jar with an alarm is woken"
            return _woken(jar.alarm)
        case _:
            return _shaken(message.how)


def _woken(alarm: AlarmSet) -> Sequence[Any]:
    match alarm.mode:
        case "ring":
            return [AlarmRang(clears=True)]
        case "stay_due":
            return [AlarmRang(clears=False)]
        case "nothing":
            return []
        case "refuse":
            raise Refused("jar_is_asleep")
        case "memory":
            raise MemoryError
        case "large":
            return [CoinsPut(coins=1, note="x" * 200_000), AlarmRang(clears=True)]
        case _:
            raise RuntimeError("the jar broke when woken")


def _shaken(how: str) -> Sequence[Any]:
    match how:
        case "refuse":
            raise Refused("jar_is_closed")
        case "break":
            raise RuntimeError("the jar broke")
        case "memory":
            raise MemoryError
        case "recursion":
            raise RecursionError
        case "disk":
            raise OSError(28, "no space left on device")
        case "oversize":
            return [CoinsPut(coins=1, note="x" * (4 * 1024 * 1024))]
        case "wrong_type":
            return [CoinsPut(coins="one", note="")]  # type: ignore[arg-type]
        case "too_many_coins":
            return [CoinsPut(coins=10**15 + 1, note="")]
        case _:
            return []


def evolve(jar: Jar, data: Any) -> Jar:
    """The jar after an event."""
    match data:
        case CoinsPut():
            return replace(jar, coins=jar.coins + data.coins)
        case AlarmSet():
            return replace(jar, alarm=data)
        case _:
            return replace(jar, alarm=None) if data.clears else jar


def wake_on(jar: Jar) -> WakeOn:
    """When the alarm is set to."""
    return (jar.alarm.business_date, jar.alarm.phase) if jar.alarm else None


JARS = Aggregate(
    name="jar",
    prefix="jar",
    commands=(PutCoins, SetAlarm, Shake),
    events=(CoinsPut, AlarmSet, AlarmRang),
    state=Jar,
    initial=Jar(),
    decide=decide,
    evolve=evolve,
    wake_on=wake_on,
)

_COMMANDS = {name_of(kind): COMMAND_TYPES.pop(name_of(kind)) for kind in JARS.commands}
_EVENTS = {name_of(kind): EVENT_TYPES.pop(name_of(kind)) for kind in JARS.events}


@pytest.fixture
def jars_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the jars' wire names into the books for one test."""
    for name, kind in _COMMANDS.items():
        monkeypatch.setitem(COMMAND_TYPES, name, kind)
    for name, kind in _EVENTS.items():
        monkeypatch.setitem(EVENT_TYPES, name, kind)


class Bench:
    """One partition of the toy service: its two topics as lists, and the decider that is alive."""

    def __init__(
        self, *, partition: int = 0, partitions: int = 1, dated: bool = True, jars: Aggregate = JARS
    ) -> None:
        self._jars = jars
        self.partition = partition
        self.partitions = partitions
        self.service = "bidding"
        self.commands: list[RawRecord] = []
        self.events: list[RawRecord] = []
        self.store = MemoryStore()
        self._numbers = iter(range(1_000_000))
        self.decider = self.new_decider(self.store)
        if dated:
            self.send(SetBusinessDate(business_date=TODAY), stream=system_stream(partition))
            self.run()

    def jar(self, number: int = 0) -> str:
        """The id of the nth jar that lives in this partition."""
        names = (f"jar_{n}" for n in range(1_000_000))
        mine = (name for name in names if partition_of(name, self.partitions) == self.partition)
        return next(name for index, name in enumerate(mine) if index == number)

    def new_decider(self, store: MemoryStore, *, rules: int = 1, replica: str = "a") -> PartitionDecider:
        """A decider as it starts on a store: not caught up yet."""
        memory = DeciderMemory(store)
        head = memory.checkpoint() or genesis(LOG_ID, "toy.events", self.partition)
        return PartitionDecider(
            service=self.service,
            aggregates=(self._jars, day_aggregate()),
            rules=rules,
            partition=self.partition,
            partitions=self.partitions,
            memory=memory,
            reader=ChainReader(head),
            replica=replica,
        )

    def caught_up(self, store: MemoryStore, *, rules: int = 1, replica: str = "a") -> PartitionDecider:
        """A decider that has folded the log to its end."""
        decider = self.new_decider(store, rules=rules, replica=replica)
        for raw in self.events[decider.head.offset + 1 :]:
            decider.accept(raw)
        return decider

    # --- commands -----------------------------------------------------------------------------------------------

    def send(
        self,
        message: Any,
        *,
        stream: str | None = None,
        command_id: str | None = None,
        fingerprint: str | None = None,
        source: Source | None = None,
        below: int | None = None,
        principal: str = "usr_1",
        data: Any = None,
        business_date: date | None = None,
        type_name: str | None = None,
    ) -> RawRecord:
        """Append a command; by default a new one of a person."""
        number = next(self._numbers)
        stream = stream or self.jar()
        envelope = CommandEnvelope(
            command_id=command_id or f"cmd-{number}",
            type=type_name or name_of(type(message)),
            stream_id=stream,
            data=message if data is None else data,
            at=AT,
            principal=principal,
            correlation_id=f"cor-{number}",
            fingerprint=fingerprint if source else fingerprint or "f0",
            source=source,
            stored_below=None if below is None else StoredBelow(position=below, hash="00"),
            business_date=business_date,
            about={"jar": stream} if source else {},
        )
        return self.send_bytes(encode(CommandEnvelope, envelope), stream)

    def send_bytes(self, value: bytes, stream: str = "") -> RawRecord:
        """Append any bytes to the commands topic."""
        raw = RawRecord(len(self.commands), stream.encode(), value, {})
        self.commands.append(raw)
        return raw

    # --- deciding -----------------------------------------------------------------------------------------------

    def undecided(self, decider: PartitionDecider | None = None) -> Iterator[RawRecord]:
        """Commands from the decider's next position on."""
        decider = decider or self.decider
        while decider.next_position < len(self.commands):
            yield self.commands[decider.next_position]

    def decide_ahead(self, decider: PartitionDecider | None = None) -> list[Outgoing]:
        """Decide everything without letting the log answer; stops where quiet is needed."""
        decider = decider or self.decider
        outgoing: list[Outgoing] = []
        for raw in self.undecided(decider):
            decided = decider.decide(raw)
            if decided is None:
                break
            outgoing.append(decided)
        return outgoing

    def append(self, outgoing: Outgoing) -> RawRecord:
        """Store a decision record."""
        raw = RawRecord(len(self.events), outgoing.key, outgoing.value, outgoing.headers)
        self.events.append(raw)
        return raw

    def run(self) -> list[list[Any]]:
        """Decide and confirm everything; gives the events of each decision."""
        start = len(self.events)
        while self.decider.next_position < len(self.commands):
            for outgoing in self.decide_ahead():
                assert self.decider.accept(self.append(outgoing)) is Reading.ACCEPTED
            self.decider.flush()
        return [self.decided(raw) for raw in self.events[start:]]

    def tell(self, message: Any, **how: Any) -> list[Any]:
        """Send one command, run, and give its decision's events."""
        self.send(message, **how)
        return self.run()[-1]

    @staticmethod
    def decided(raw: RawRecord) -> list[Any]:
        """The events of a decision record."""
        return [decode_event(stored) for stored in parse_decision(raw.value).events]

    def coins(self, jar: int = 0) -> int:
        """What the nth jar holds, speculation included."""
        state = self.decider.state_of(self.jar(jar))
        assert isinstance(state, Jar)
        return state.coins


def content(store: MemoryStore) -> dict[bytes, bytes]:
    """Everything that a store holds."""
    return dict(store.scan(b""))


NOTE = "2024-01-31 usr_1"


def source(position: int, partition: int = 0) -> Source:
    """Where a policy's command came from."""
    return Source(group="toys-reads-toys", topic="toys.events", partition=partition, position=position)


def refused(code: str, *, command: str = "toy.PutCoins", stream: str = "jar_0", **about: str) -> list[Any]:
    """The one event of a refusal."""
    return [CommandRefused(command_type=command, code=code, stream_id=stream, about=about)]
