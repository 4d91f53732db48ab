"""The business day of one partition: an ordinary aggregate on the system stream `~pN`, and who follows whom.

A day is closed in phases (design.md 2.7). A phase starts on a partition when every upstream partition has sent its
marker, and a policy sends a marker only after everything before it is stored, so all earlier facts have arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal, assert_never

from libs.events.codec import command, record
from libs.events.deciding import Aggregate, Context
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
from libs.events.topics import system_stream

#: A tick wakes at most this many streams, or as many as fit into this many bytes of events.
WOKEN_PER_TICK_MAX = 500
WOKEN_BYTES_PER_TICK_MAX = 512 * 1024


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a day: the service that runs it and the (service, phase) that must be done before; None = the calendar."""

    number: int
    service: str
    after: tuple[str, int] | None
    dates: bool = False
    """Whether its end sets the service's partitions to the next date."""


PHASES = (
    Phase(1, "bidding", None, dates=True),
    Phase(2, "repayment", ("bidding", 1)),
    Phase(3, "bidding", ("repayment", 2)),
    Phase(4, "repayment", ("bidding", 3), dates=True),
    Phase(5, "collections", ("repayment", 4), dates=True),
    Phase(5, "onboarding", ("bidding", 3), dates=True),
)


@command("system.SetBusinessDate")
class SetBusinessDate:
    """Start the partition's calendar on a date. No effect once it has one."""

    business_date: date


@command("system.DayMarker")
class DayMarker:
    """These upstream partitions have delivered everything of (date, phase); `expected` of them complete the set.

    It may come again, alone or with others: a partition counts once.
    """

    business_date: date
    phase: int
    from_partitions: tuple[int, ...]
    expected: int


@command("system.Tick")
class Tick:
    """Wake the next streams of a phase that is running; `tick` is how many ticks it has had."""

    business_date: date
    phase: int
    tick: int


@command("system.NotePolicyFailure")
class NotePolicyFailure:
    """Record that a policy raised on an event."""

    group: str
    event_address: str
    error: str


@record
class Running:
    """A phase whose markers are complete and whose streams are being woken."""

    business_date: date
    phase: int
    ticks: int
    woken: int


@record
class DayState:
    """The partition's business date (None before the calendar opens), markers by `date/phase`, and the running phase.

    `waiting` are phases whose markers are complete while another one runs: nobody waits for phase 5, so tomorrow's may.
    """

    kind: Literal["day"] = "day"
    business_date: date | None = None
    markers: dict[str, tuple[int, ...]]
    running: Running | None = None
    waiting: tuple[Running, ...] = ()
    done: tuple[date, int] | None = None


INITIAL = DayState(markers={})
DayCommand = SetBusinessDate | DayMarker | Tick | NotePolicyFailure
DayEvent = BusinessDateSet | DayMarkerReceived | TickProgressed | PhaseDone | WakeFailed | PolicyFailed


def decide(message: DayCommand, state: DayState, _context: Context) -> Sequence[DayEvent]:
    """The day's decision on one command, without the streams that a tick wakes: the runtime adds those."""
    match message:
        case SetBusinessDate():
            return [] if state.business_date else [BusinessDateSet(business_date=message.business_date)]
        case DayMarker():
            return _marker(message, state)
        case Tick():
            return []
        case NotePolicyFailure():
            return [
                PolicyFailed(group=message.group, event_address=message.event_address, error=message.error),
            ]
        case _:
            assert_never(message)


def _marker(message: DayMarker, state: DayState) -> Sequence[DayEvent]:
    of_phase = (message.business_date, message.phase)
    seen = state.markers.get(_key(*of_phase), ())
    complete = (state.running, *state.waiting) if state.running else ()
    if of_phase in [(running.business_date, running.phase) for running in complete] or (
        state.done is not None and of_phase <= state.done
    ):
        return []
    fresh = [partition for partition in dict.fromkeys(message.from_partitions) if partition not in seen]
    return [
        DayMarkerReceived(
            business_date=message.business_date,
            phase=message.phase,
            from_partition=partition,
            missing=message.expected - len(seen) - count,
        )
        for count, partition in enumerate(fresh, 1)
    ]


def due_tick(message: Any, state: DayState) -> Running | None:
    """The phase that this command lets run on: after its last marker, or by its next Tick."""
    if state.running is None:
        return None
    of_phase = (state.running.business_date, state.running.phase)
    if (
        isinstance(message, DayMarker)
        and (message.business_date, message.phase) == of_phase
        and not state.running.ticks
    ):
        return state.running
    if isinstance(message, Tick) and (message.business_date, message.phase, message.tick) == (
        *of_phase,
        state.running.ticks,
    ):
        return state.running
    return None


def evolve(state: DayState, event: DayEvent) -> DayState:
    """Fold one event of the system stream."""
    match event:
        case BusinessDateSet():
            return replace(state, business_date=event.business_date)
        case DayMarkerReceived():
            return _evolve_marker(state, event)
        case TickProgressed():
            running = state.running
            assert running is not None, "a tick progresses only while its phase runs"
            return replace(
                state, running=replace(running, ticks=event.tick + 1, woken=running.woken + event.woken)
            )
        case PhaseDone():
            following = state.waiting[0] if state.waiting else None
            done = (event.business_date, event.phase)
            return replace(state, running=following, waiting=state.waiting[1:], done=done)
        case WakeFailed() | PolicyFailed():
            return state
        case _:
            assert_never(event)


def _evolve_marker(state: DayState, event: DayMarkerReceived) -> DayState:
    key = _key(event.business_date, event.phase)
    others = {name: seen for name, seen in state.markers.items() if name != key}
    if event.missing == 0:
        complete = Running(business_date=event.business_date, phase=event.phase, ticks=0, woken=0)
        if state.running is not None:
            return replace(state, markers=others, waiting=(*state.waiting, complete))
        return replace(state, markers=others, running=complete)
    return replace(state, markers=others | {key: (*state.markers.get(key, ()), event.from_partition)})


def _key(business_date: date, phase: int) -> str:
    return f"{business_date}/{phase}"


def phase_end(
    service: str, state: DayState, *, partition: int, partitions: int, woken: int
) -> Sequence[DayEvent]:
    """The events that end the running phase on a partition, after `woken` streams in this tick.

    They set the next date where the phase does so; a phase that waits begins with a first, empty tick.
    """
    running = state.running
    assert running is not None, "only a running phase ends"
    events: list[DayEvent] = []
    if any(phase.dates for phase in PHASES if (phase.service, phase.number) == (service, running.phase)):
        events.append(BusinessDateSet(business_date=running.business_date + timedelta(days=1)))
    events.append(
        PhaseDone(
            business_date=running.business_date,
            phase=running.phase,
            partition=partition,
            partitions=partitions,
            woken=running.woken + woken,
        )
    )
    if state.waiting:
        following = state.waiting[0]
        events.append(
            TickProgressed(
                business_date=following.business_date, phase=following.phase, tick=following.ticks, woken=0
            )
        )
    return events


def day_aggregate() -> Aggregate:
    """The aggregate of the system streams."""
    return Aggregate(
        name="day",
        prefix="~p",
        commands=(SetBusinessDate, DayMarker, Tick, NotePolicyFailure),
        events=(BusinessDateSet, DayMarkerReceived, TickProgressed, PhaseDone, WakeFailed, PolicyFailed),
        state=DayState,
        initial=INITIAL,
        decide=decide,
        evolve=evolve,
        wake_on=lambda _state: None,
        dateless=True,
    )


def day_commands(service: str, event: RecordedEvent, partitions: int) -> list[Send]:
    """What the day makes every policy group of `service` send on one event of a source: dates, markers, the next tick."""
    match event.data:
        case CalendarOpened():
            return [
                Send(
                    f"date:{partition}",
                    system_stream(partition),
                    SetBusinessDate(business_date=event.data.business_date),
                )
                for partition in range(partitions)
            ]
        case BusinessDayCloseStarted():
            return _markers(service, None, event.data.business_date, 0, 1, partitions)
        case PhaseDone():
            done = event.data
            upstream = (event.service, done.phase)
            return _markers(service, upstream, done.business_date, done.partition, partitions, partitions)
        case TickProgressed() if event.service == service:
            progressed = event.data
            tick = Tick(
                business_date=progressed.business_date, phase=progressed.phase, tick=progressed.tick + 1
            )
            return [Send("tick", system_stream(event.partition), tick)]
        case _:
            return []


def _markers(
    service: str,
    upstream: tuple[str, int] | None,
    day: date,
    from_partition: int,
    expected: int,
    partitions: int,
) -> list[Send]:
    return [
        Send(
            f"marker:{phase.number}:{partition}",
            system_stream(partition),
            DayMarker(
                business_date=day, phase=phase.number, from_partitions=(from_partition,), expected=expected
            ),
        )
        for phase in PHASES
        if phase.service == service and phase.after == upstream
        for partition in range(partitions)
    ]


def is_barrier(send: Send) -> bool:
    """Whether a command may be sent only when everything before it is stored: the markers."""
    return isinstance(send.command, DayMarker)


def joined(one: Send, other: Send) -> Send | None:
    """Two markers of one phase to the same partition as one, in the first one's name; None for any other pair.

    So a day costs its markers per partition, not per pair of partitions. Whether they are sent together depends on who
    reads when; that is harmless because a partition counts once.
    """
    mine, other_one = one.command, other.command
    if one.stream_id != other.stream_id or not (
        isinstance(mine, DayMarker) and isinstance(other_one, DayMarker)
    ):
        return None
    together = replace(mine, from_partitions=(*mine.from_partitions, *other_one.from_partitions))
    if together != replace(other_one, from_partitions=together.from_partitions):
        return None
    partitions = "+".join(map(str, together.from_partitions))
    return replace(one, slot=f"marker:{mine.phase}:{one.stream_id}:{partitions}", command=together)
