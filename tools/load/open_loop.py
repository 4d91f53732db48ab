"""Open loop: every request has its moment before the run begins, and its latency counts from that moment.

A client that waits for a slow server asks less often and so leaves out the bad samples ("coordinated omission"). Here a
stall of the server becomes the latency of everybody who was due in it, as it would be for real callers.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

#: Requests under way at the same time, beyond which the system under test has failed and more would only measure the client.
IN_FLIGHT_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was due, when it was sent and when it ended (seconds of the monotonic clock), and how."""

    due_s: float
    sent_s: float
    ended_s: float
    outcome: str

    @property
    def latency_s(self) -> float:
        """From the moment it was due."""
        return self.ended_s - self.due_s


class Overrun(Exception):
    """More requests were under way than the client will hold: the rate is far beyond what is sustained."""


async def open_loop(
    send: Callable[[int], Awaitable[str]], *, rate_per_s: float, seconds: float
) -> list[Sample]:
    """Call `send(0)`, `send(1)`, ... at a fixed rate for some seconds; gives a sample each, in order of their due times.

    `send` returns the outcome's name and must bound its own duration. Raises Overrun, and what `send` raises.
    """
    began_s = time.monotonic()
    samples: list[Sample] = []
    running: set[asyncio.Task[None]] = set()

    async def one(number: int, due_s: float) -> None:
        sent_s = time.monotonic()
        outcome = await send(number)
        samples.append(Sample(due_s, sent_s, time.monotonic(), outcome))

    async with asyncio.TaskGroup() as group:
        for number in range(math.ceil(rate_per_s * seconds)):
            due_s = began_s + number / rate_per_s
            wait_s = due_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if len(running) >= IN_FLIGHT_MAX:
                raise Overrun(f"{len(running)} requests are under way at {rate_per_s:.0f} a second")
            task = group.create_task(one(number, due_s))
            running.add(task)
            task.add_done_callback(running.discard)
    return sorted(samples, key=lambda sample: sample.due_s)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0..1) of all do not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values, no quantile")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
