"""The business day of one partition: dates, markers, ticks and phases, each specified as given / when / then."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from libs.events.deciding import Context
from libs.events.records import RecordedEvent
from libs.events.repayment import BusinessDayCloseStarted, CalendarOpened
from libs.events.sagas import Send
from libs.events.system import (
    BusinessDateSet,
    DayMarkerReceived,
    PhaseDone,
    PolicyFailed,
    TickProgressed,
    WakeFailed,
)
from libs.runtime import day
from libs.runtime.day import DayMarker, NotePolicyFailure, Running, SetBusinessDate, Tick
from tests.unit.given import given

TODAY = date(2024, 1, 31)
TOMORROW = TODAY + timedelta(days=1)
AT = datetime(2024, 1, 31, 20, tzinfo=UTC)
CONTEXT = Context(at=AT, business_date=TODAY, principal="")
DAY = day.day_aggregate()

DATED = BusinessDateSet(business_date=TODAY)


def marker(of: int, phase: int = 2, on: date = TODAY, expected: int = 3) -> DayMarker:
    """The marker of one upstream partition."""
    return DayMarker(business_date=on, phase=phase, from_partitions=(of,), expected=expected)


def received(of: int, missing: int, phase: int = 2, on: date = TODAY) -> DayMarkerReceived:
    """Its event."""
    return DayMarkerReceived(business_date=on, phase=phase, from_partition=of, missing=missing)


def done(phase: int = 2, on: date = TODAY) -> PhaseDone:
    """A phase's end on partition 0 of 3."""
    return PhaseDone(business_date=on, phase=phase, partition=0, partitions=3, woken=0)


COMPLETE = (received(0, 2), received(2, 1), received(1, 0))


def test_a_date_is_set_once() -> None:
    """The opened calendar gives the first date; the same again, or another, has no effect."""
    given(DAY).when(SetBusinessDate(business_date=TODAY)).then(DATED)
    given(DAY, DATED).when(SetBusinessDate(business_date=TODAY)).then_nothing()
    given(DAY, DATED).when(SetBusinessDate(business_date=TOMORROW)).then_nothing()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_markers_complete_a_set_in_any_order(order: tuple[int, ...]) -> None:
    """Each partition counts once; the last one makes the phase run."""
    story = given(DAY, DATED)
    for missing, of in zip((2, 1, 0), order, strict=True):
        outcome = story.when(marker(of))
        outcome.then(received(of, missing))
        story = given(DAY, DATED, *_so_far(order, 3 - missing))
    running = Running(business_date=TODAY, phase=2, ticks=0, woken=0)
    assert story.state.running == running
    assert day.due_tick(marker(order[-1]), story.state) == running
    assert story.state.markers == {}


def test_a_marker_of_several_partitions_counts_each_once() -> None:
    """Who was counted before is not counted again, alone or among others; a repetition has no effect."""
    two = DayMarker(business_date=TODAY, phase=2, from_partitions=(0, 1), expected=3)
    given(DAY, DATED).when(two).then(received(0, 2), received(1, 1))
    given(DAY, DATED, received(1, 2)).when(two).then(received(0, 1))
    given(DAY, DATED, received(0, 2), received(1, 1)).when(two).then_nothing()
    all_of_them = DayMarker(business_date=TODAY, phase=2, from_partitions=(2, 1, 0, 1), expected=3)
    given(DAY, DATED, received(1, 2)).when(all_of_them).then(received(2, 1), received(0, 0))
    given(DAY, DATED, *COMPLETE, done()).when(two).then_nothing()


def test_markers_are_joined_only_for_the_same_phase_and_partition() -> None:
    """Anything else stays on its own."""

    def sent(of: int, to: str = "~p0", phase: int = 2) -> Send:
        return Send(f"marker:{phase}:{to[2:]}", to, marker(of, phase))

    together = DayMarker(business_date=TODAY, phase=2, from_partitions=(0, 2), expected=3)
    assert day.joined(sent(0), sent(2)) == Send("marker:2:~p0:0+2", "~p0", together)
    assert day.joined(sent(0), sent(2, to="~p1")) is None
    assert day.joined(sent(0), sent(2, phase=4)) is None
    assert day.joined(sent(0), replace(sent(2), command=marker(2, on=TOMORROW))) is None
    assert day.joined(sent(0), Send("tick", "~p0", Tick(business_date=TODAY, phase=2, tick=1))) is None


def _so_far(order: tuple[int, ...], count: int) -> list[DayMarkerReceived]:
    return [received(of, 2 - index) for index, of in enumerate(order[:count])]


def test_a_marker_again_says_nothing() -> None:
    """Before its set is complete, while the phase runs, and after it is done."""
    given(DAY, DATED, COMPLETE[0]).when(marker(0)).then_nothing()
    given(DAY, DATED, *COMPLETE).when(marker(0)).then_nothing()
    given(DAY, DATED, *COMPLETE, done()).when(marker(1)).then_nothing()


def test_a_marker_of_a_day_that_is_done_says_nothing() -> None:
    """Late copies of earlier phases and dates start nothing."""
    story = given(DAY, DATED, *COMPLETE, done())
    story.when(marker(0, phase=1)).then_nothing()
    story.when(marker(0, phase=4, on=TODAY - timedelta(days=1))).then_nothing()
    story.when(marker(0, phase=4)).then(received(0, 2, phase=4))


def test_a_tick_is_for_the_running_phase_and_its_next_number() -> None:
    """Others, early, late or again, run nothing."""
    progressed = TickProgressed(business_date=TODAY, phase=2, tick=0, woken=500)
    state = given(DAY, DATED, *COMPLETE, progressed).state
    running = Running(business_date=TODAY, phase=2, ticks=1, woken=500)
    assert day.due_tick(Tick(business_date=TODAY, phase=2, tick=1), state) == running
    for tick in ((TODAY, 2, 0), (TODAY, 2, 2), (TODAY, 4, 1), (TOMORROW, 2, 1)):
        business_date, phase, number = tick
        assert day.due_tick(Tick(business_date=business_date, phase=phase, tick=number), state) is None
    assert day.due_tick(marker(0), state) is None, "a marker again does not tick a second time"
    given(DAY, DATED, *COMPLETE, progressed).when(Tick(business_date=TODAY, phase=2, tick=1)).then_nothing()


def test_without_a_running_phase_nothing_ticks() -> None:
    """Neither before the set is complete nor after the phase is done."""
    tick = Tick(business_date=TODAY, phase=2, tick=0)
    assert day.due_tick(tick, given(DAY, DATED, COMPLETE[0]).state) is None
    assert day.due_tick(tick, given(DAY, DATED, *COMPLETE, done()).state) is None


def test_a_policys_failure_is_recorded() -> None:
    """Each time it is told: the address says which event is meant."""
    failure = {"group": "bidding-reads-bidding", "event_address": "bidding/0/7/0", "error": "ValueError"}
    given(DAY).when(NotePolicyFailure(**failure)).then(PolicyFailed(**failure))
    given(DAY, PolicyFailed(**failure)).when(NotePolicyFailure(**failure)).then(PolicyFailed(**failure))


def test_a_failed_wake_changes_nothing_in_the_day() -> None:
    """What is stuck is the stream, not the phase."""
    failed = WakeFailed(stream_id="loan_1", business_date=TODAY, phase=2, code="internal")
    assert given(DAY, DATED, *COMPLETE, failed).state == given(DAY, DATED, *COMPLETE).state


@pytest.mark.parametrize(
    ("service", "phase", "dates"),
    [
        ("bidding", 1, True),
        ("repayment", 2, False),
        ("bidding", 3, False),
        ("repayment", 4, True),
        ("collections", 5, True),
        ("onboarding", 5, True),
    ],
)
def test_each_service_gets_its_next_date_from_one_phase(service: str, phase: int, dates: bool) -> None:
    """bidding from 1, repayment from 4, the others from 5."""
    running = Running(business_date=TODAY, phase=phase, ticks=1, woken=500)
    state = day.DayState(markers={}, running=running)
    end = day.phase_end(service, state, partition=1, partitions=3, woken=7)
    expected = PhaseDone(business_date=TODAY, phase=phase, partition=1, partitions=3, woken=507)
    assert end == ([BusinessDateSet(business_date=TOMORROW)] if dates else []) + [expected]


def event(data: Any, service: str = "repayment", partition: int = 1) -> RecordedEvent:
    """An event as a policy sees it."""
    return RecordedEvent(
        data=data,
        type="",
        stream="~p1",
        sequence=1,
        service=service,
        partition=partition,
        position=0,
        index=0,
        at=AT,
        business_date=TODAY,
        principal="",
        correlation_id="",
        causation_id=None,
        command_id="",
        command_type="",
    )


@pytest.mark.parametrize(
    ("reader", "data", "writer", "phase", "expected"),
    [
        ("bidding", BusinessDayCloseStarted(business_date=TODAY), "repayment", 1, 1),
        ("repayment", done(1), "bidding", 2, 2),
        ("bidding", done(2), "repayment", 3, 2),
        ("repayment", done(3), "bidding", 4, 2),
        ("collections", done(4), "repayment", 5, 2),
        ("onboarding", done(3), "bidding", 5, 2),
    ],
)
def test_each_phase_is_started_by_the_one_before_it(
    reader: str, data: Any, writer: str, phase: int, expected: int
) -> None:
    """The table of design.md 2.7: markers to every partition, from the partition that finished, behind a barrier."""
    sends = day.day_commands(reader, event(data, writer), 2)
    of = 0
    message = DayMarker(business_date=TODAY, phase=phase, from_partitions=(of,), expected=expected)
    assert sends == [Send(f"marker:{phase}:{number}", f"~p{number}", message) for number in range(2)]
    assert all(day.is_barrier(send) for send in sends)


@pytest.mark.parametrize(
    ("reader", "data", "writer"),
    [
        ("repayment", BusinessDayCloseStarted(business_date=TODAY), "repayment"),
        ("collections", BusinessDayCloseStarted(business_date=TODAY), "repayment"),
        ("bidding", done(1), "bidding"),
        ("bidding", done(4), "repayment"),
        ("repayment", done(5), "collections"),
        ("bidding", DATED, "bidding"),
    ],
)
def test_nobody_else_is_started(reader: str, data: Any, writer: str) -> None:
    """A phase starts its followers only."""
    assert day.day_commands(reader, event(data, writer), 2) == []


def test_a_tick_is_sent_by_the_services_own_policy() -> None:
    """To the partition that progressed, with the next number; other services do not touch it."""
    progressed = event(TickProgressed(business_date=TODAY, phase=2, tick=4, woken=500))
    [send] = day.day_commands("repayment", progressed, 3)
    assert send == Send("tick", "~p1", Tick(business_date=TODAY, phase=2, tick=5))
    assert not day.is_barrier(send)
    assert day.day_commands("bidding", progressed, 3) == []


def test_an_opened_calendar_dates_every_partition_of_every_reader() -> None:
    """Its own service's partitions too."""
    for reader in ("bidding", "repayment", "collections"):
        sends = day.day_commands(reader, event(CalendarOpened(business_date=TODAY)), 2)
        message = SetBusinessDate(business_date=TODAY)
        assert sends == [Send("date:0", "~p0", message), Send("date:1", "~p1", message)]


def test_a_phase_that_is_not_waited_for_may_be_overtaken_by_the_next_day() -> None:
    """Nobody waits for phase 5: tomorrow's may be complete while today's still wakes. Both run, one after the other."""
    progressed = TickProgressed(business_date=TODAY, phase=5, tick=0, woken=500)
    of_tomorrow = received(0, 0, phase=5, on=TOMORROW)
    story = given(DAY, DATED, received(0, 0, phase=5), progressed)
    tomorrow = marker(0, phase=5, on=TOMORROW, expected=1)
    story.when(tomorrow).then(of_tomorrow)
    story = given(DAY, DATED, received(0, 0, phase=5), progressed, of_tomorrow)
    story.when(tomorrow).then_nothing()
    of_today = Running(business_date=TODAY, phase=5, ticks=1, woken=500)
    assert day.due_tick(tomorrow, story.state) is None
    assert day.due_tick(Tick(business_date=TODAY, phase=5, tick=1), story.state) == of_today

    end = day.phase_end("collections", story.state, partition=0, partitions=3, woken=0)
    assert end == [
        BusinessDateSet(business_date=TOMORROW),
        PhaseDone(business_date=TODAY, phase=5, partition=0, partitions=3, woken=500),
        TickProgressed(business_date=TOMORROW, phase=5, tick=0, woken=0),
    ]
    state = given(DAY, DATED, received(0, 0, phase=5), progressed, of_tomorrow, *end).state
    assert (state.running, state.waiting) == (
        Running(business_date=TOMORROW, phase=5, ticks=1, woken=0),
        (),
    )
