"""What lives is walked by the clock and not by what is made; the young are looked through as ever; nothing that holds itself stays."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from libs.runtime import garbage

_ENOUGH = 2_000_000
_LIMIT_S = 10.0


class Held:
    """Something that can be made to hold itself."""

    def __init__(self) -> None:
        self.itself: Held | None = None


@pytest.fixture
def taken_over() -> Iterator[None]:
    """The process's collector as services have it, until the test ends."""
    before = gc.get_threshold()
    garbage.take_over()
    yield
    gc.set_threshold(*before)


def _old_cycle() -> "weakref.ref[Held]":
    """Garbage that holds itself, and has outlived two looks at the young."""
    held = Held()
    held.itself = held
    gc.collect(1)
    return weakref.ref(held)


@pytest.mark.usefixtures("taken_over")
def test_however_much_is_made_nobody_walks_what_lives() -> None:
    """Two million lists are kept: Python would have walked all of them a dozen times."""
    walks = gc.get_stats()[2]["collections"]
    looks = gc.get_stats()[1]["collections"]
    kept = [[number] for number in range(_ENOUGH)]

    assert gc.get_stats()[2]["collections"] == walks
    assert gc.get_stats()[1]["collections"] > looks + 100, "the young are looked through as ever"
    assert len(kept) == _ENOUGH


@pytest.mark.usefixtures("taken_over")
async def test_what_holds_itself_and_has_grown_old_is_found_by_the_clock() -> None:
    """A broker's client that was closed stays no longer than until the next walk."""
    held = _old_cycle()
    assert held() is not None
    stop = asyncio.Event()

    walking = asyncio.create_task(garbage.walk(stop, lambda: True))
    await asyncio.sleep(0)
    assert held() is None, "the first walk is made at once"
    stop.set()
    async with asyncio.timeout(_LIMIT_S):
        await walking


async def test_until_the_process_has_come_up_python_keeps_its_pace() -> None:
    """A log that is folded makes more garbage than rare walks would find."""
    before, stop, asked = gc.get_threshold(), asyncio.Event(), 0

    def has_come_up() -> bool:
        nonlocal asked
        asked += 1
        assert gc.get_threshold() == before
        stop.set()
        return False

    try:
        async with asyncio.timeout(_LIMIT_S):
            await garbage.walk(stop, has_come_up)
        assert asked == 1
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.0, 10.0), (0.02, 10.0), (0.1, 10.0), (0.5, 50.0)])
def test_walks_take_a_hundredth_of_the_time_at_most(took_s: float, pause_s: float) -> None:
    """Half a second over a million loans: once in fifty seconds."""
    assert garbage.pause_s(took_s) == pytest.approx(pause_s)
