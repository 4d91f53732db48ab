"""What repeated measurements say: a median, how sure of it one may be, and whether the baseline held still meanwhile."""

import random
from collections.abc import Sequence
from statistics import median

#: A baseline that moves by more than this between its repeats says more about the machine than about us.
DRIFT_MAX = 0.10
_RESAMPLES = 2_000


def interval(values: Sequence[float], share: float = 0.95, seed: int = 7) -> tuple[float, float]:
    """The bootstrap interval of the median: where it lies in `share` of resamples. Seeded, so that it can be repeated.

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("no values, no interval")
    chance = random.Random(seed)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    cut = round((1 - share) / 2 * _RESAMPLES)
    return medians[cut], medians[-1 - cut]


def drift(values: Sequence[float]) -> float:
    """How far the farthest value is from the median, as a share of it. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values, no drift")
    middle = median(values)
    return max(abs(value - middle) for value in values) / middle if middle else 0.0


def turns(repeats: int) -> list[tuple[str, str]]:
    """Who goes first in each repeat: ours-bare, bare-ours, ours-bare, ... so that what drifts (A-B-B-A) meets both alike."""
    return [("ours", "bare") if number % 2 == 0 else ("bare", "ours") for number in range(repeats)]
