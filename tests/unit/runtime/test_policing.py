"""The policy kernel: which commands an event becomes, the same again after a crash, and that no policy stops the stream."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import COMMAND_TYPES, EVENT_TYPES, decode, decode_object
from libs.events.records import CommandEnvelope, RecordedEvent, Source, StoredBelow
from libs.events.repayment import CalendarOpened
from libs.events.sagas import Send
from libs.events.system import CommandRepeated
from libs.events.topics import COMMAND_BYTES_MAX, system_stream
from libs.runtime.day import DayMarker, NotePolicyFailure, SetBusinessDate, Tick, day_commands
from libs.runtime.policing import OutgoingCommand, PolicyPartition, group_name
from libs.runtime.service import Service
from tests.unit.runtime.jars import AT, LOG_ID, TODAY, Bench, CoinsPut, PutCoins, SetAlarm, jars_are_known

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

Policy = Callable[[RecordedEvent], Sequence[Send]]


def give_back(event: RecordedEvent) -> list[Send]:
    """Every coin put into a jar is put into jar_9 once more."""
    match event.data:
        case CoinsPut() as put if event.stream != "jar_9":
            return [Send("copy", "jar_9", PutCoins(coins=put.coins), {"from": str(event.stream)})]
        case _:
            return []


def policy_of(bench: Bench, policy: Policy = give_back, *, service: str = "bidding") -> PolicyPartition:
    """The toy policy on the bench's events, from their beginning."""
    return PolicyPartition(
        Service(name=service, policies={"bidding": policy}),
        "bidding",
        topic="toy.events",
        partition=bench.partition,
        partitions=bench.partitions,
        reader=ChainReader(genesis(LOG_ID, "toy.events", bench.partition)),
    )


def read_all(bench: Bench, policy: PolicyPartition) -> list[OutgoingCommand]:
    """All commands of all records, each with the line at its own record."""
    commands: list[OutgoingCommand] = []
    for raw in bench.events:
        if policy.read(raw) is Reading.ACCEPTED:
            commands += policy.commands(raw, policy.head)
    return commands


def read_back(command: OutgoingCommand) -> tuple[CommandEnvelope, Any]:
    """The envelope of a command as a decider reads it, and its message."""
    envelope = decode(CommandEnvelope, command.value)
    return envelope, decode_object(COMMAND_TYPES[envelope.type], envelope.data)


def test_a_command_names_its_cause_and_what_the_saga_wants_back() -> None:
    """Source, line, about, the event's time and address all stand in the envelope; the id derives from the event."""
    bench = Bench()
    bench.tell(PutCoins(coins=3))
    policy = policy_of(bench)
    [command] = read_all(bench, policy)
    envelope, message = read_back(command)
    assert message == PutCoins(coins=3)
    assert UUID(envelope.command_id).version == 5
    assert envelope == CommandEnvelope(
        command_id=envelope.command_id,
        type="toy.PutCoins",
        stream_id="jar_9",
        data={"coins": 3},
        at=AT,
        principal="bidding-reads-bidding",
        correlation_id="cor-1",
        causation_id="bidding/0/1/0",
        source=Source(group=group_name("bidding", "bidding"), topic="toy.events", partition=0, position=1),
        stored_below=StoredBelow(position=1, hash=policy.head.hash.hex()),
        business_date=TODAY,
        about={"from": "jar_0"},
    )


def test_the_same_event_gives_the_same_bytes_to_whoever_reads_it() -> None:
    """Sending again after a crash sends the same command, whatever the line has become only the line differs."""
    bench = Bench()
    bench.tell(PutCoins(coins=3))
    assert read_all(bench, policy_of(bench)) == read_all(bench, policy_of(bench))


def test_commands_of_an_event_are_decided_once_however_often_they_are_sent() -> None:
    """Kernel to kernel: a policy that sends all again is recognised by the decider's source rule."""
    bench = Bench()
    bench.tell(PutCoins(coins=3))
    bench.tell(PutCoins(coins=4))
    sent = read_all(bench, policy_of(bench))
    for command in (*sent, *reversed(sent)):
        bench.send_bytes(command.value, command.key.decode())
    told = bench.run()
    assert [isinstance(events[0], CommandRepeated) for events in told] == [False, False, True, True]
    assert bench.decider.state_of("jar_9").coins == 7


def test_refusals_and_repeats_are_events_too() -> None:
    """A policy sees every event of an accepted record, those outside any stream as well."""
    seen: list[str] = []
    bench = Bench()
    bench.tell(PutCoins(coins=3), command_id="mine")
    bench.tell(PutCoins(coins=3), command_id="mine")
    bench.send_bytes(b"{")
    bench.run()

    def note(event: RecordedEvent) -> list[Send]:
        seen.append(event.type)
        return []

    read_all(bench, policy_of(bench, note))
    assert seen == [
        "system.BusinessDateSet.v1",
        "toy.CoinsPut.v1",
        "system.CommandRepeated.v1",
        "system.CommandRefused.v1",
    ]


# --- the day -------------------------------------------------------------------------------------------------------


def sent_by(commands: list[OutgoingCommand]) -> list[tuple[int, Any, bool]]:
    """(partition, message, barrier) of each command."""
    return [(command.partition, read_back(command)[1], command.barrier) for command in commands]


def run_phase_two(bench: Bench) -> None:
    """Let the bench's partition finish repayment's phase 2 of today."""
    bench.service = "repayment"
    bench.decider = bench.caught_up(bench.store)
    marker = DayMarker(business_date=TODAY, phase=2, from_partition=0, expected=1)
    bench.tell(marker, stream=system_stream(bench.partition))


def test_a_phases_end_becomes_a_marker_to_every_partition_behind_a_barrier() -> None:
    """The next phase's service hears of it on each of its partitions, and only after all earlier facts."""
    bench = Bench(partition=1, partitions=2)
    run_phase_two(bench)
    service = Service(name="bidding", policies={"repayment": lambda _event: []})
    policy = PolicyPartition(
        service,
        "repayment",
        topic="toy.events",
        partition=1,
        partitions=2,
        reader=ChainReader(genesis(LOG_ID, "toy.events", 1)),
    )
    marker = DayMarker(business_date=TODAY, phase=3, from_partition=1, expected=2)
    assert sent_by(read_all(bench, policy)) == [(0, marker, True), (1, marker, True)]


def broken(_event: RecordedEvent) -> list[Send]:
    """A policy that raises whatever it sees."""
    raise RuntimeError("no idea what to do")


def two_in_one_slot(_event: RecordedEvent) -> list[Send]:
    """A policy whose commands could not be told apart."""
    return [Send("same", "jar_1", PutCoins(coins=1)), Send("same", "jar_2", PutCoins(coins=1))]


def far_too_large(_event: RecordedEvent) -> list[Send]:
    """A policy whose command no topic takes."""
    return [Send("large", "jar_1", SetAlarm(business_date=TODAY, phase=1, mode="x" * COMMAND_BYTES_MAX))]


def to_nowhere(_event: RecordedEvent) -> list[Send]:
    """A policy that sends to a partition that does not exist."""
    return [Send("nowhere", "~p99", Tick(business_date=TODAY, phase=1, tick=1))]


def invalid(_event: RecordedEvent) -> list[Send]:
    """A policy whose command breaks its own type."""
    return [Send("invalid", "jar_1", PutCoins(coins=-1))]


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (broken, "RuntimeError"),
        (two_in_one_slot, "ValueError"),
        (far_too_large, "Undecodable"),
        (to_nowhere, "ValueError"),
        (invalid, "Undecodable"),
    ],
)
def test_a_policy_that_fails_is_noted_and_the_stream_goes_on(policy: Policy, error: str) -> None:
    """The failure is recorded on the partition's system stream, with the event's address; nothing is skipped in silence."""
    bench = Bench()
    bench.tell(PutCoins(coins=1))
    commands = read_all(bench, policy_of(bench, policy))
    note = NotePolicyFailure(group="bidding-reads-bidding", event_address="bidding/0/1/0", error=error)
    assert sent_by(commands)[-1] == (0, note, False)
    assert len(commands) == len(bench.events)


def test_a_policy_that_fails_does_not_stop_the_day() -> None:
    """Markers, ticks and dates are the runtime's: they are sent whatever the service's policy does with the event."""
    bench = Bench()
    run_phase_two(bench)
    policy = PolicyPartition(
        Service(name="bidding", policies={"repayment": broken}),
        "repayment",
        topic="toy.events",
        partition=0,
        partitions=1,
        reader=ChainReader(genesis(LOG_ID, "toy.events", 0)),
    )
    marker = DayMarker(business_date=TODAY, phase=3, from_partition=0, expected=1)
    assert (0, marker, True) in sent_by(read_all(bench, policy))


def test_an_event_of_a_later_release_is_noted_and_the_stream_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this release cannot read may need a command: it is recorded, to be run again by a release that can."""
    bench = Bench()
    bench.tell(PutCoins(coins=1))
    bench.tell(SetAlarm(business_date=TODAY, phase=1, mode="ring"))
    monkeypatch.delitem(EVENT_TYPES, "toy.CoinsPut.v1")
    note = NotePolicyFailure(
        group="bidding-reads-bidding", event_address="bidding/0/1/0", error="Undecodable"
    )
    assert sent_by(read_all(bench, policy_of(bench))) == [(0, note, False)]


@pytest.mark.parametrize("error", [MemoryError, RecursionError, OSError])
def test_failures_of_the_machine_are_no_policys_fault(error: type[BaseException]) -> None:
    """They end the process; the event is read again by the next one."""

    def exhausted(_event: RecordedEvent) -> list[Send]:
        raise error

    bench = Bench()
    policy = policy_of(bench, exhausted)
    policy.read(bench.events[0])
    with pytest.raises(error):
        policy.commands(bench.events[0], policy.head)


def test_an_opened_calendar_dates_every_partition() -> None:
    """Each partition of each reading service gets the first date."""
    event = RecordedEvent(
        data=CalendarOpened(business_date=TODAY),
        type="repayment.CalendarOpened.v1",
        stream="calendar",
        sequence=1,
        service="repayment",
        partition=0,
        position=0,
        index=0,
        at=AT,
        business_date=None,
        principal="",
        correlation_id="",
        causation_id=None,
        command_id="",
        command_type="",
    )
    assert day_commands("bidding", event, 2) == [
        Send("date:0", "~p0", SetBusinessDate(business_date=TODAY)),
        Send("date:1", "~p1", SetBusinessDate(business_date=TODAY)),
    ]
