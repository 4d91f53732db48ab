"""When a loop that lives on Kafka starts again after a failure, how long it waits before, and when it gives up.

A broker that is away comes back: whoever cannot connect waits, however long, because ending would need a person to start
the service again (exit code 2 is never restarted). A broker that is there and takes nothing needs that person.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from libs.runtime.errors import OperatorError

T = TypeVar("T")

#: The first wait, and the longest: each is twice the one before.
WAIT_FIRST_S: Final = 0.5
WAIT_MAX_S: Final = 5.0
#: A loop that ran so long without a failure has got over the earlier ones.
FORGIVEN_AFTER_S: Final = 60.0
#: A restart of the broker and the election after it are over in this time; failures that go on longer are no outage.
REFUSED_FOR_S: Final = 120.0
REFUSALS_MIN: Final = 3


class Restarts:
    """The failures of one loop. `began` when it is connected and works, `after_failure` when it failed.

    The rule: a failure to connect counts for nothing and makes the earlier ones forgotten; a failure of a loop that had
    begun counts, unless it had run for a minute, which makes the earlier ones forgotten. Three that count, the last of
    them two minutes after the first, end the process. An outage of a minute is survived whatever it looks like.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at: float | None = None
        self._refused_at: list[float] = []
        self._failures = 0

    def began(self) -> None:
        """It is connected: a failure from here on is one of working."""
        self._began_at = self._clock()

    def after_failure(self, complaint: str) -> float:
        """Seconds to wait before the next start. Raises OperatorError, which opens with `complaint`, to give up."""
        now, began_at, self._began_at = self._clock(), self._began_at, None
        if began_at is not None and now - began_at >= FORGIVEN_AFTER_S:
            self._failures = 0
        if began_at is None or now - began_at >= FORGIVEN_AFTER_S:
            self._refused_at.clear()
        if began_at is not None:
            self._refused_at.append(now)
        if len(self._refused_at) >= REFUSALS_MIN and now - self._refused_at[0] >= REFUSED_FOR_S:
            raise OperatorError(
                f"{complaint} It started over {len(self._refused_at)} times in {now - self._refused_at[0]:.0f} s while "
                "Kafka could be reached. Look at the broker's log, then start the service again."
            )
        self._failures += 1
        return min(WAIT_MAX_S, WAIT_FIRST_S * 2.0 ** (min(self._failures, 10) - 1))


async def wait(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until `stop`."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What some work gives, or None when `stop` comes first: the work is then left. Raises what the work raises."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        doing.cancel()
        stopping.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)
