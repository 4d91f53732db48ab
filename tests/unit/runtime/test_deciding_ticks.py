"""Ticks: who is woken, how many at a time, and what becomes of a stream that cannot be woken."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from libs.events.deciding import Wake
from libs.events.records import Source
from libs.events.system import (
    BusinessDateSet,
    CommandHadNoEffect,
    DayMarkerReceived,
    PhaseDone,
    TickProgressed,
    WakeFailed,
)
from libs.events.topics import system_stream
from libs.runtime import day
from libs.runtime.day import DayMarker, SetBusinessDate, Tick
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import (
    JARS,
    TODAY,
    AlarmRang,
    AlarmSet,
    Bench,
    CoinsPut,
    PutCoins,
    SetAlarm,
    content,
    jars_are_known,
)

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

TOMORROW = TODAY + timedelta(days=1)


def alarm(on: date = TODAY, phase: int = 1, mode: str = "ring") -> SetAlarm:
    """Have a jar woken."""
    return SetAlarm(business_date=on, phase=phase, mode=mode)


def marker(on: date = TODAY, phase: int = 1, *, of: int = 0, expected: int = 1) -> DayMarker:
    """An upstream partition has delivered everything."""
    return DayMarker(business_date=on, phase=phase, from_partitions=(of,), expected=expected)


def received(phase: int = 1, *, of: int = 0, missing: int = 0) -> DayMarkerReceived:
    """A marker's event."""
    return DayMarkerReceived(business_date=TODAY, phase=phase, from_partition=of, missing=missing)


def done(phase: int = 1, *, woken: int) -> PhaseDone:
    """A phase's end on the only partition."""
    return PhaseDone(business_date=TODAY, phase=phase, partition=0, partitions=1, woken=woken)


def on_the_day(bench: Bench, message: Any) -> list[Any]:
    """Tell the partition's system stream something."""
    return bench.tell(message, stream=system_stream(bench.partition))


def test_the_last_marker_wakes_what_is_due_in_the_same_decision() -> None:
    """Streams due at or before (date, phase) ring in the index's order; later ones sleep on; then the phase is done."""
    bench = Bench()
    bench.tell(alarm(TODAY, 2), stream=bench.jar(0))
    bench.tell(alarm(TODAY, 1), stream=bench.jar(1))
    bench.tell(alarm(TODAY - timedelta(days=3), 4), stream=bench.jar(2))
    assert on_the_day(bench, marker(of=0, expected=2)) == [received(of=0, missing=1)]
    told = on_the_day(bench, marker(of=1, expected=2))
    assert told == [
        received(of=1),
        AlarmRang(clears=True),
        AlarmRang(clears=True),
        BusinessDateSet(business_date=TOMORROW),
        done(woken=2),
    ]
    assert bench.tell(PutCoins(coins=1)) == [CoinsPut(coins=1, note=f"{TOMORROW} usr_1")]


def test_a_phase_that_sets_no_date_leaves_it() -> None:
    """Only the phases that the table says move a partition to the next date."""
    bench = Bench()
    assert on_the_day(bench, marker(phase=3)) == [received(phase=3), done(3, woken=0)]
    assert bench.tell(PutCoins(coins=1)) == [CoinsPut(coins=1, note=f"{TODAY} usr_1")]


def test_a_tick_waits_until_nothing_is_unconfirmed() -> None:
    """The wake index knows confirmed states only, so a marker that completes a set is not decided ahead of the log."""
    bench = Bench()
    bench.send(alarm())
    bench.send(marker(expected=2), stream="~p0")
    bench.send(marker(of=1, expected=2), stream="~p0")
    ahead = bench.decide_ahead()
    assert len(ahead) == 2, "the first marker waits for nothing"
    assert bench.decider.decide(bench.commands[3]) is None
    assert bench.decider.unconfirmed == 2
    for outgoing in ahead:
        bench.decider.accept(bench.append(outgoing))
    [last] = bench.decide_ahead()
    assert AlarmRang(clears=True) in bench.decided(bench.append(last))


def test_more_than_500_streams_take_several_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision wakes at most the limit and says so; the next Tick goes on, a repeated one does nothing. What is decided between two ticks
    knows which phase runs."""
    monkeypatch.setattr(day, "WOKEN_PER_TICK_MAX", 5)
    bench = Bench()
    jars = [bench.jar(number) for number in range(12)]
    for jar in jars:
        bench.send(alarm(), stream=jar)
    bench.run()
    rang = [AlarmRang(clears=True)]
    first = TickProgressed(business_date=TODAY, phase=1, tick=0, woken=5)
    second = TickProgressed(business_date=TODAY, phase=1, tick=1, woken=5)
    tick_one = Tick(business_date=TODAY, phase=1, tick=1)
    nothing = [CommandHadNoEffect(command_type="system.Tick", stream_id="~p0")]
    assert on_the_day(bench, marker()) == [received(), *rang * 5, first]
    meanwhile = [CoinsPut(coins=1, note=f"{TODAY} usr_1 in phase 1")]
    assert bench.tell(PutCoins(coins=1), stream=jars[11]) == meanwhile
    assert on_the_day(bench, Tick(business_date=TODAY, phase=1, tick=2)) == nothing
    assert on_the_day(bench, tick_one) == [*rang * 5, second]
    assert on_the_day(bench, tick_one) == nothing
    end = [BusinessDateSet(business_date=TOMORROW), done(woken=12)]
    assert on_the_day(bench, Tick(business_date=TODAY, phase=1, tick=2)) == [*rang * 2, *end]


def test_the_stated_limit_is_500_streams() -> None:
    """501 due streams are one too many for one decision."""
    bench = Bench()
    for number in range(501):
        bench.send(alarm(), stream=f"jar_{number}")
    bench.run()
    told = on_the_day(bench, marker())
    assert told[-1] == TickProgressed(business_date=TODAY, phase=1, tick=0, woken=500)
    told = on_the_day(bench, Tick(business_date=TODAY, phase=1, tick=1))
    assert told == [AlarmRang(clears=True), BusinessDateSet(business_date=TOMORROW), done(woken=501)]


def test_a_tick_is_limited_in_bytes_too() -> None:
    """Streams with much to say fill a decision before 500 of them are woken."""
    bench = Bench()
    for number in range(5):
        bench.send(alarm(mode="large"), stream=bench.jar(number))
    bench.run()
    told = on_the_day(bench, marker())
    assert told[-1] == TickProgressed(business_date=TODAY, phase=1, tick=0, woken=3)


def test_a_day_that_is_complete_early_waits_for_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phase that nobody waits for may be a day behind: each day's phase is done once, and each stream rings once."""
    monkeypatch.setattr(day, "WOKEN_PER_TICK_MAX", 2)
    bench = Bench()
    for number in range(3):
        bench.send(alarm(phase=5), stream=bench.jar(number))
    bench.tell(alarm(TOMORROW, phase=5), stream=bench.jar(3))
    rang = AlarmRang(clears=True)
    assert on_the_day(bench, marker(phase=5))[-1].woken == 2
    early = DayMarkerReceived(business_date=TOMORROW, phase=5, from_partition=0, missing=0)
    assert on_the_day(bench, marker(TOMORROW, phase=5)) == [early]
    told = on_the_day(bench, Tick(business_date=TODAY, phase=5, tick=1))
    begun = TickProgressed(business_date=TOMORROW, phase=5, tick=0, woken=0)
    assert told == [rang, done(5, woken=3), begun]
    end = PhaseDone(business_date=TOMORROW, phase=5, partition=0, partitions=1, woken=1)
    assert on_the_day(bench, Tick(business_date=TOMORROW, phase=5, tick=1)) == [rang, end]


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("refuse", "jar_is_asleep"),
        ("break", "internal"),
        ("stay_due", "still_due"),
        ("nothing", "still_due"),
    ],
)
def test_a_stream_that_cannot_be_woken_is_stuck_until_its_next_event(mode: str, code: str) -> None:
    """It says so, keeps its state, stands in no tick's way, and comes back with its next event."""
    bench = Bench()
    bad, good = bench.jar(0), bench.jar(1)
    bench.tell(alarm(mode=mode), stream=bad)
    bench.tell(alarm(), stream=good)
    told = on_the_day(bench, marker(phase=3))
    failed = WakeFailed(stream_id=bad, business_date=TODAY, phase=3, code=code)
    assert told == [received(phase=3), failed, AlarmRang(clears=True), done(3, woken=2)]
    assert on_the_day(bench, marker(TOMORROW, phase=3))[-1].woken == 0, "it is out of the index"
    bench.tell(alarm(TODAY, 1), stream=bad)
    again = on_the_day(bench, marker(TOMORROW + timedelta(days=1), phase=3))
    assert AlarmRang(clears=True) in again, "its next event put it back"


@pytest.mark.parametrize("from_zero", [False, True])
def test_a_stuck_stream_stays_stuck_for_whoever_folds_the_log(from_zero: bool) -> None:
    """Recovery gives the same wake index, from the store and from nothing."""
    bench = Bench()
    bench.tell(alarm(mode="break"))
    on_the_day(bench, marker(phase=3))
    store = MemoryStore() if from_zero else bench.store.copy()
    bench.decider = bench.caught_up(store)
    bench.decider.flush()
    assert content(store) == content(bench.store)
    assert on_the_day(bench, marker(TOMORROW, phase=3))[-1].woken == 0


def test_a_wake_that_runs_out_of_memory_is_not_a_stuck_stream() -> None:
    """The machine's failure ends the process; the tick is decided again by the next one."""
    bench = Bench()
    bench.tell(alarm(mode="memory"))
    raw = bench.send(marker(), stream="~p0")
    with pytest.raises(MemoryError):
        bench.decider.decide(raw)
    assert bench.decider.next_position == raw.offset


def test_a_marker_that_comes_again_does_nothing() -> None:
    """Before its set is complete, while nothing runs, and after the phase is done."""
    bench = Bench()
    nothing = [CommandHadNoEffect(command_type="system.DayMarker", stream_id="~p0")]
    on_the_day(bench, marker(of=0, expected=2))
    assert on_the_day(bench, marker(of=0, expected=2)) == nothing
    on_the_day(bench, marker(of=1, expected=2))
    assert on_the_day(bench, marker(of=1, expected=2)) == nothing
    assert on_the_day(bench, marker(of=0, expected=2)) == nothing


def test_a_marker_below_the_line_is_decided_alike_whatever_is_unconfirmed() -> None:
    """What is decided depends on the log only: a lost tail, or another replica, gives the same bytes (found by seeds 3, 18, 19)."""
    bench = Bench()

    def of(position: int) -> Source:
        return Source(group="g", topic="up.events", partition=0, position=position)

    def send_marker() -> None:
        bench.send(marker(expected=2), stream="~p0", command_id="m", source=of(3), below=3)

    send_marker()
    bench.send(PutCoins(coins=1), source=of(9), below=9)
    send_marker()
    ahead = [(outgoing.value, outgoing.headers) for outgoing in bench.decide_ahead()]
    bench.decider.drop_speculation()
    one_by_one = []
    for raw in bench.commands[1:]:
        outgoing = bench.decider.decide(raw)
        assert outgoing is not None
        one_by_one.append((outgoing.value, outgoing.headers))
        bench.decider.accept(bench.append(outgoing))
    assert ahead == one_by_one


def test_a_date_is_set_once() -> None:
    """Only the days' phases move it after that."""
    bench = Bench()
    told = on_the_day(bench, SetBusinessDate(business_date=TOMORROW))
    assert told == [CommandHadNoEffect(command_type="system.SetBusinessDate", stream_id="~p0")]


def test_a_wake_is_decided_on_the_phases_date_for_nobody() -> None:
    """The woken stream sees the running phase's date and no principal."""
    seen: list[Any] = []

    def spy(message: Any, jar: Any, context: Any) -> Any:
        if isinstance(message, Wake):
            seen.append((message, context.business_date, context.principal))
        return JARS.decide(message, jar, context)

    bench = Bench(jars=replace(JARS, decide=spy))
    bench.tell(alarm())
    on_the_day(bench, marker(phase=3))
    assert seen == [(Wake(business_date=TODAY, phase=3), TODAY, "")]


def test_alarms_are_kept_as_set() -> None:
    """A stream's own decision moves its entry in the index; the old entry is gone."""
    bench = Bench()
    bench.tell(alarm(TODAY, 1))
    assert bench.tell(alarm(TOMORROW, 2)) == [AlarmSet(business_date=TOMORROW, phase=2, mode="ring")]
    wakes = [key for key in content(bench.store) if key.startswith(b"w/")]
    assert wakes == [f"w/{TOMORROW}/2/jar_0".encode()]
