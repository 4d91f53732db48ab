"""Recovery: the store is a shortcut, never a truth. From any flush, any older copy and from nothing one comes to the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.events.records import Source
from libs.runtime import states
from libs.runtime.day import DayMarker
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import (
    JARS,
    TODAY,
    AlarmRang,
    Bench,
    PutCoins,
    SetAlarm,
    Shake,
    content,
    jars_are_known,
)

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

JAR_IDS = ("jar_0", "jar_1", "jar_2")
SHAKES = ("refuse", "break", "nothing")
MODES = ("ring", "stay_due", "nothing", "refuse", "break")


def people() -> st.SearchStrategy[dict[str, Any]]:
    """Commands of people, some of them twice and some with a reused id."""
    messages = st.one_of(
        st.builds(PutCoins, coins=st.integers(1, 9)),
        st.builds(Shake, how=st.sampled_from(SHAKES)),
        st.builds(
            SetAlarm, business_date=st.just(TODAY), phase=st.integers(1, 4), mode=st.sampled_from(MODES)
        ),
    )
    return st.fixed_dictionaries(
        {
            "message": messages,
            "stream": st.sampled_from(JAR_IDS),
            "command_id": st.sampled_from([f"id-{number}" for number in range(8)]),
            "fingerprint": st.sampled_from(("f0", "f0", "f1")),
        }
    )


def policies() -> st.SearchStrategy[dict[str, Any]]:
    """Commands of a policy, resent and reordered as they like."""
    return st.builds(
        lambda position, below, slot: {
            "message": PutCoins(coins=1),
            "command_id": f"p-{position}-{slot}",
            "source": Source(group="g", topic="t", partition=0, position=position),
            "below": min(below, position),
        },
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, 1),
    )


def days() -> st.SearchStrategy[dict[str, Any]]:
    """Markers that run a phase at once."""
    return st.builds(
        lambda phase: {
            "message": DayMarker(business_date=TODAY, phase=phase, from_partitions=(0,), expected=1),
            "stream": "~p0",
        },
        st.integers(1, 4),
    )


COMMANDS = st.lists(st.one_of(people(), people(), policies(), days()), max_size=20)


@given(COMMANDS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_recovered_equals_what_was_alive(commands: list[dict[str, Any]], chance: Any) -> None:
    """The living store, one recovered from a random flush and one folded from zero hold the same bytes."""
    bench = Bench()
    copies = [MemoryStore()]
    for command in commands:
        arguments = dict(command)
        bench.send(arguments.pop("message"), **arguments)
        if chance.random() < 0.5:
            bench.run()
            copies.append(bench.store.copy())
    bench.run()
    for store in (MemoryStore(), chance.choice(copies)):
        decider = bench.caught_up(store)
        decider.flush()
        assert content(store) == content(bench.store)


@given(COMMANDS, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_deciding_again_from_any_store_gives_the_same_records(
    commands: list[dict[str, Any]], chance: Any
) -> None:
    """A decider that dies and starts from an older store decides the rest to the same bytes, headers and all."""
    straight, broken = Bench(), Bench()
    copies = [MemoryStore()]
    for command in commands:
        for bench in (straight, broken):
            arguments = dict(command)
            bench.send(arguments.pop("message"), **arguments)
        straight.run()
        if chance.random() < 0.3:
            broken.decide_ahead()
            broken.store = chance.choice(copies).copy()
            broken.decider = broken.caught_up(broken.store)
        if chance.random() < 0.5:
            broken.run()
            copies.append(broken.store.copy())
    broken.run()
    assert [raw.headers for raw in broken.events] == [raw.headers for raw in straight.events]
    assert [raw.value for raw in broken.events] == [raw.value for raw in straight.events]
    assert content(broken.store) == content(straight.store)


def test_the_store_lags_behind_but_is_never_ahead() -> None:
    """Until a flush the store holds the last flushed head and exactly its state."""
    bench = Bench()
    before = content(bench.store)
    bench.send(PutCoins(coins=1))
    for outgoing in bench.decide_ahead():
        bench.decider.accept(bench.append(outgoing))
    assert content(bench.store) == before
    bench.decider.flush()
    assert content(bench.store) != before


def test_a_record_that_cannot_be_folded_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that fails in the middle of a record, closed as a process closes, leaves a store at some head of the log."""
    bench = Bench()
    for jar in ("jar_0", "jar_1"):
        bench.tell(SetAlarm(business_date=TODAY, phase=3, mode="ring"), stream=jar)
    before = bench.store.copy()
    bench.tell(DayMarker(business_date=TODAY, phase=3, from_partitions=(0,), expected=1), stream="~p0")
    assert bench.decided(bench.events[-1]).count(AlarmRang(clears=True)) == 2

    store = before.copy()
    late = bench.new_decider(store)
    changes = iter(range(100))

    def tired(*arguments: Any) -> Any:
        if next(changes) == 1:
            raise MemoryError
        return stream_change(*arguments)

    stream_change = states.stream_change
    with monkeypatch.context() as patched:
        patched.setattr(states, "stream_change", tired)
        with pytest.raises(MemoryError):
            late.accept(bench.events[-1])
    late.flush()
    assert content(store) == content(before)
    bench.caught_up(store).flush()
    assert content(store) == content(bench.store)


def test_the_same_state_is_reached_with_any_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """States that fell out of the cache are read from the store, flushed or not."""
    monkeypatch.setattr(states, "CACHED_MAX", 1)
    bench = Bench()
    for _ in range(3):
        for jar in JAR_IDS:
            bench.send(PutCoins(coins=1), stream=jar)
    for outgoing in bench.decide_ahead():
        bench.decider.accept(bench.append(outgoing))
    assert [bench.decider.state_of(jar) for jar in JAR_IDS] == [JARS.state(coins=3)] * 3
