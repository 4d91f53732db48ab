"""The runs of the default seeds, once per test session: several tests look at them."""

from collections import Counter
from functools import cache

from tools.simulator.run import Report, simulate

SEEDS = range(28)


@cache
def report(seed: int) -> Report:
    """The run of a seed."""
    return simulate(seed)


def faults() -> Counter[str]:
    """How often the seeds together have injected each fault."""
    return sum((report(seed).faults for seed in SEEDS), Counter[str]())
