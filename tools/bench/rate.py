"""The highest rate that a system sustains under a cap of latency, found by open-loop trials.

A rate counts if *every* request of its trial was answered well and the 99th percentile stays under the cap: a refused
command is cheap, and must never count as throughput.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from tools.load.open_loop import Sample, quantile

#: Of one search; a search that needs more does not find a rate on this machine.
TRIALS_MAX = 24


@dataclass(frozen=True, slots=True)
class Trial:
    """One open-loop run at a rate. `cpu_s` are CPU seconds: of the system under test, and of the generator."""

    rate_per_s: float
    count: int
    p50_s: float
    p99_s: float
    outcomes: dict[str, int]
    seconds: float
    cpu_s: float = 0.0
    generator_cpu_s: float = 0.0

    def sustains(self, cap_s: float, outcome: str) -> bool:
        """Whether all ended with this outcome, and 99 of 100 within the cap."""
        return set(self.outcomes) == {outcome} and self.p99_s <= cap_s

    @property
    def cpu_s_per_1000(self) -> float:
        """CPU seconds of the system under test for a thousand requests: what survives a noisy neighbour."""
        return 1000 * self.cpu_s / self.count if self.count else 0.0


def trial_of(
    rate_per_s: float,
    samples: Sequence[Sample],
    *,
    seconds: float,
    cpu_s: float = 0.0,
    generator_cpu_s: float = 0.0,
) -> Trial:
    """What an open-loop run says. Without samples nothing was sustained."""
    latencies = [sample.latency_s for sample in samples] or [float("inf")]
    return Trial(
        rate_per_s=rate_per_s,
        count=len(samples),
        p50_s=quantile(latencies, 0.5),
        p99_s=quantile(latencies, 0.99),
        outcomes=dict(Counter(sample.outcome for sample in samples)),
        seconds=seconds,
        cpu_s=cpu_s,
        generator_cpu_s=generator_cpu_s,
    )


class NothingSustained(Exception):
    """Not even a request a second was answered under the cap."""


async def sustained(
    run: Callable[[float], Awaitable[Trial]],
    *,
    start_per_s: float,
    cap_s: float,
    outcome: str,
    step: float = 1.3,
    precision: float = 0.05,
    tries: int = 2,
) -> Trial:
    """The trial of the highest rate that `run` sustained, found to within `precision`.

    From the start up or down by `step`, then by halving. A rate has failed when it failed `tries` times: one hiccup of the
    machine is no limit of the system. Raises NothingSustained.
    """
    left = TRIALS_MAX

    async def good(rate_per_s: float) -> Trial | None:
        nonlocal left
        for _ in range(tries):
            if left <= 0:
                return None
            left -= 1
            trial = await run(rate_per_s)
            if trial.sustains(cap_s, outcome):
                return trial
        return None

    best, too_high = await good(start_per_s), start_per_s
    if best is None:
        while best is None:
            rate = too_high / step
            if rate < 1 or left <= 0:
                raise NothingSustained(f"not even {too_high:.1f} a second is sustained")
            best = await good(rate)
            too_high = too_high if best else rate
    else:
        while left > 0:
            too_high = best.rate_per_s * step
            better = await good(too_high)
            if better is None:
                break
            best = better
    while left > 0 and too_high / best.rate_per_s > 1 + precision:
        middle = sqrt(too_high * best.rate_per_s)
        better = await good(middle)
        if better is None:
            too_high = middle
        else:
            best = better
    return best
