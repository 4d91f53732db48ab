"""The policy kernel: which commands an event becomes, the same again after a crash, and that no policy stops the stream."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import COMMAND_TYPES, EVENT_TYPES, decode, decode_object
from libs.events.records import CommandEnvelope, RecordedEvent, Source, StoredBelow, parse_decision
from libs.events.repayment import CalendarOpened
from libs.events.sagas import Send
from libs.events.system import CommandRepeated, DayMarkerReceived, PhaseDone
from libs.events.topics import COMMAND_BYTES_MAX, partition_of, system_stream
from libs.runtime.day import DayMarker, NotePolicyFailure, SetBusinessDate, Tick, day_commands
from libs.runtime.policing import OutgoingCommand, PolicyPartition, Wave, group_name, waves
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
    """All commands of all records but markers, each with the line at its own record."""
    commands: list[OutgoingCommand] = []
    for raw in bench.events:
        if policy.read(raw) is Reading.ACCEPTED:
            commands += policy.commands(raw, policy.head)[0]
    return commands


def in_waves(*read: tuple[Bench, PolicyPartition]) -> list[Wave]:
    """One batch of everything that these partitions hold."""
    partitions = {bench.partition: policy for bench, policy in read}
    batch = {bench.partition: bench.events for bench, _ in read}
    return list(waves(partitions, batch, lambda _raw, _reading: None))


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


def sent_by(commands: Sequence[OutgoingCommand]) -> list[tuple[int, Any]]:
    """(partition, message) of each command."""
    return [(command.partition, read_back(command)[1]) for command in commands]


def run_phase_two(bench: Bench) -> None:
    """Let the bench's partition finish repayment's phase 2 of today."""
    bench.service = "repayment"
    bench.decider = bench.caught_up(bench.store)
    marker = DayMarker(business_date=TODAY, phase=2, from_partitions=(0,), expected=1)
    bench.tell(marker, stream=system_stream(bench.partition))


def follower(bench: Bench, policy: Policy = lambda _event: []) -> PolicyPartition:
    """Bidding's policy on one partition of the repayment that the bench plays."""
    return PolicyPartition(
        Service(name="bidding", policies={"repayment": policy}),
        "repayment",
        topic="toy.events",
        partition=bench.partition,
        partitions=bench.partitions,
        reader=ChainReader(genesis(LOG_ID, "toy.events", bench.partition)),
    )


def marker_from(*partitions: int) -> DayMarker:
    """What bidding's partitions are told when these partitions of repayment have finished phase 2."""
    return DayMarker(business_date=TODAY, phase=3, from_partitions=partitions, expected=2)


def test_a_phases_end_becomes_a_marker_to_every_partition_after_all_before_it() -> None:
    """The next phase's service hears of it on each of its partitions; what comes later waits for the next wave."""
    bench = Bench(partition=1, partitions=2)
    bench.service = "repayment"
    bench.decider = bench.caught_up(bench.store)
    jar = next(name for number in range(9) if partition_of(name := f"jar_{number}", 2) == 1)
    bench.tell(PutCoins(coins=1), stream=jar)
    bench.tell(
        DayMarker(business_date=TODAY, phase=2, from_partitions=(0,), expected=1), stream=system_stream(1)
    )
    bench.tell(PutCoins(coins=2), stream=jar)
    policy = follower(bench, give_back)
    first, second = in_waves((bench, policy))
    assert [message for _, message in sent_by(first.commands)] == [PutCoins(coins=1)]
    assert sent_by(first.markers) == [(0, marker_from(1)), (1, marker_from(1))]
    assert [message for _, message in sent_by(second.commands)] == [PutCoins(coins=2)]
    assert second.markers == []
    lines = [read_back(command)[0].stored_below for command in (*first.commands, *first.markers)]
    assert [line and line.position for line in lines] == [0, 2, 2]
    [later] = second.commands
    line = read_back(later)[0].stored_below
    assert line == StoredBelow(position=3, hash=policy.head.hash.hex())


def test_partitions_that_end_a_phase_together_share_their_markers() -> None:
    """One marker per partition that follows, not one per pair of partitions."""
    benches = [Bench(partition=number, partitions=2) for number in range(2)]
    for bench in benches:
        run_phase_two(bench)
    [wave] = in_waves(*((bench, follower(bench)) for bench in benches))
    assert wave.commands == []
    assert sent_by(wave.markers) == [(0, marker_from(0, 1)), (1, marker_from(0, 1))]


def test_a_marker_counts_for_every_partition_in_it_even_if_one_was_heard_before() -> None:
    """After a restart two partitions may share a marker that one of them had sent alone, long since out of its line."""
    sources = [Bench(partition=number, partitions=2) for number in range(2)]
    for bench in sources:
        run_phase_two(bench)
    jar = next(name for number in range(9) if partition_of(name := f"jar_{number}", 2) == 0)
    home = partition_of("jar_9", 2)
    target = Bench(partition=home, partitions=2)
    target.service = "bidding"
    target.decider = target.caught_up(target.store)

    def send(commands: Sequence[OutgoingCommand]) -> list[list[Any]]:
        for command in commands:
            if command.partition == home:
                target.send_bytes(command.value, command.key.decode())
        return target.run()

    alone = follower(sources[0], give_back)
    [first] = in_waves((sources[0], alone))
    send(first.markers)
    sources[0].tell(PutCoins(coins=1), stream=jar)
    [raw] = sources[0].events[-1:]
    assert alone.read(raw) is Reading.ACCEPTED
    send(alone.commands(raw, alone.head)[0])  # from here on all before it counts as stored

    [again] = in_waves(*((bench, follower(bench)) for bench in sources))[:1]
    [told] = send(again.markers)[-1:]
    assert told[0] == DayMarkerReceived(business_date=TODAY, phase=3, from_partition=1, missing=0)
    assert isinstance(told[-1], PhaseDone)


def test_a_batch_is_cut_into_waves_whose_line_stays_until_something_is_known_to_be_stored() -> None:
    """Long batches leave bit by bit; without a marker nobody waits, so nothing is promised to be stored."""
    bench = Bench()
    for _ in range(150):
        bench.tell(PutCoins(coins=1))
    cut = in_waves((bench, policy_of(bench)))
    assert [len(wave.commands) for wave in cut] == [63, 64, 23]  # the first record opens the calendar
    lines = {read_back(command)[0].stored_below for wave in cut for command in wave.commands}
    assert {line and line.position for line in lines} == {0}


def test_what_the_reader_rule_does_not_accept_is_told_and_sends_nothing() -> None:
    """A repeat and a foreign record make no commands."""
    bench = Bench()
    bench.tell(PutCoins(coins=1))
    strange = replace(bench.events[-1], headers={})
    told: list[Reading] = []
    policy = policy_of(bench)
    batch = {0: [*bench.events, bench.events[0], strange]}
    [wave] = waves({0: policy}, batch, lambda _raw, reading: told.append(reading))
    assert [message for _, message in sent_by(wave.commands)] == [PutCoins(coins=1)]
    assert told == [Reading.REPEAT, Reading.FOREIGN]


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
    assert sent_by(commands)[-1] == (0, note)
    assert len(commands) == len(bench.events)


def test_a_policy_that_fails_does_not_stop_the_day() -> None:
    """Markers, ticks and dates are the runtime's: they are sent whatever the service's policy does with the event."""
    bench = Bench()
    run_phase_two(bench)
    [wave] = in_waves((bench, follower(bench, broken)))
    marker = DayMarker(business_date=TODAY, phase=3, from_partitions=(0,), expected=1)
    assert sent_by(wave.markers) == [(0, marker)]


def test_an_event_of_a_later_release_is_noted_and_the_stream_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this release cannot read may need a command: it is recorded, to be run again by a release that can."""
    bench = Bench()
    bench.tell(PutCoins(coins=1))
    bench.tell(SetAlarm(business_date=TODAY, phase=1, mode="ring"))
    monkeypatch.delitem(EVENT_TYPES, "toy.CoinsPut.v1")
    parse_decision.cache_clear()  # an older release is another process: it has not read it yet
    note = NotePolicyFailure(
        group="bidding-reads-bidding", event_address="bidding/0/1/0", error="Undecodable"
    )
    assert sent_by(read_all(bench, policy_of(bench))) == [(0, note)]


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
