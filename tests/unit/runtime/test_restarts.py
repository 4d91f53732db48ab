"""Starting again: an outage is waited out however long, a broker that takes nothing ends the process with a sentence."""

import asyncio

import pytest

from libs.runtime.errors import OperatorError
from libs.runtime.restarts import Restarts, unless, wait


class Loop:
    """A loop's life on a clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.restarts = Restarts(lambda: self.now)

    def fail(self, *, after_s: float | None) -> float:
        """Fail to connect, or fail so many seconds after having begun; then wait as told. Gives the wait."""
        if after_s is not None:
            self.restarts.began()
            self.now += after_s
        pause = self.restarts.after_failure("Kafka does not take the commands of this test.")
        self.now += pause
        return pause


def test_the_wait_doubles_to_five_seconds() -> None:
    """A broker that is away is not asked a hundred times a second, and is met soon after it is back."""
    loop = Loop()
    assert [loop.fail(after_s=None) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_broker_that_is_away_is_waited_for_without_a_limit() -> None:
    """An hour without a connection ends nothing."""
    loop = Loop()
    while loop.now < 1_000.0 + 3_600:
        loop.fail(after_s=None)


@pytest.mark.parametrize("connects", [False, True])
def test_an_outage_of_a_minute_ends_nothing(connects: bool) -> None:
    """Whether connecting fails or only the work after it, a minute of failures is survived."""
    loop = Loop()
    while loop.now < 1_060.0:
        loop.fail(after_s=0.01 if connects else None)


def test_a_broker_that_takes_nothing_for_two_minutes_is_told_to_a_person() -> None:
    """The sentence says what is wrong, how often, and what to do; the process ends with exit code 2."""
    loop = Loop()

    def go_on() -> None:
        while loop.now < 1_200.0:
            loop.fail(after_s=5.0)

    with pytest.raises(
        OperatorError,
        match=r"^Kafka does not take the commands of this test\. It started over \d+ times in 12\d s while Kafka could be "
        r"reached\. Look at the broker's log, then start the service again\.$",
    ) as raised:
        go_on()
    assert raised.value.exit_code == 2


def test_failures_on_both_sides_of_an_outage_do_not_add_up() -> None:
    """What failed before the broker went away says nothing about the broker that came back."""
    loop = Loop()
    for _ in range(20):
        loop.fail(after_s=1.0)
        loop.fail(after_s=1.0)
        loop.fail(after_s=None)


def test_a_minute_of_work_makes_up_for_earlier_failures() -> None:
    """One failure an hour is no reason to end, and the wait is short again."""
    loop = Loop()
    assert [loop.fail(after_s=3_600.0) for _ in range(20)] == [0.5] * 20


async def test_a_wait_ends_with_stop() -> None:
    """SIGTERM is not kept waiting."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(5):
        await wait(stop, 60)
    await wait(asyncio.Event(), 0.01)


async def test_work_is_left_when_stop_comes_first() -> None:
    """A broker that accepts a question and never answers holds up no SIGTERM; an answer in time is given."""
    stop = asyncio.Event()

    async def answer() -> int:
        return 7

    async def fail() -> int:
        raise OSError("refused")

    assert await unless(stop, answer()) == 7
    with pytest.raises(OSError, match="refused"):
        await unless(stop, fail())
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(5):
        assert await unless(stop, asyncio.sleep(60, "late")) is None
