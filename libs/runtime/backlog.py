"""Has a reader come up with its sources, and how long has the oldest event waited that it has not handled?

Answered from samples of the log's ends and not from what was delivered: events that never reach a reader wait, too.
"""

import time
from collections.abc import Callable, Mapping

from libs.runtime.kafka import Place


class Backlog:
    """What lies before one reader, from its start on. `starts` are the offsets that it reads from."""

    def __init__(self, starts: Mapping[Place, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read_to = dict(starts)
        self._at_start: dict[Place, int] | None = None
        self._waiting: dict[Place, tuple[int, float]] = {}
        self._sampled_at = clock()

    def sample(self, ends: Mapping[Place, int]) -> None:
        """The ends of the sources as the broker just told them; the first sample is what was there at the start."""
        self._sampled_at = now = self._clock()
        if self._at_start is None:
            self._at_start = dict(ends)
        for place, end in ends.items():
            if place not in self._waiting and end > self._read_to[place]:
                self._waiting[place] = (end, now)

    def handled(self, place: Place, to: int) -> None:
        """Everything below this offset is done."""
        self._read_to[place] = to
        if place in self._waiting and to >= self._waiting[place][0]:
            del self._waiting[place]

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at the start is done."""
        return self._at_start is not None and all(
            self._read_to[place] >= end for place, end in self._at_start.items()
        )

    @property
    def waiting_s(self) -> float:
        """How long the oldest event that is not done has been known to wait; 0 when none waits."""
        return max((self._clock() - since for _, since in self._waiting.values()), default=0.0)

    @property
    def unheard_s(self) -> float:
        """How long ago the log was last heard."""
        return self._clock() - self._sampled_at
