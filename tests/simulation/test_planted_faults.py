"""The auditor has teeth: known mistakes, planted one at a time, are found within a few seeds (`make sim-mutants`: all of them)."""

import pytest

from tools.simulator.config import Config
from tools.simulator.planted import PLANTS, judge
from tools.simulator.planted.plant import DUES, ROUGH
from tools.simulator.run import services, simulate
from tools.simulator.search import hunt

#: One of each kind, quick to be found; `make sim-mutants` plants them all.
QUICK = (
    "policies-decided-twice",
    "stored-below-ignored",
    "prev-not-checked",
    "speculation-kept",
    "head-before-states",
    "wakes-forgotten",
    "marker-overtakes",
    "expired-hold-kept",
    "fen-made-at-payout",
    "penalty-on-paid",
    "view-applied-twice",
    "memory-told-as-refusal",
    "related-may-bid",
    "old-hand-is-a-newcomer",
    "called-at-night",
    "one-clerk-signs-all",
    "claim-for-sale-twice",
    "stale-store-accepted",
    "displaced-commands-forgotten",
    "store-of-other-states",
    "unknown-commit-repeated",
)


@pytest.mark.parametrize("config", [ROUGH, DUES], ids=["rough", "dues"])
def test_nothing_is_found_where_nothing_is_planted(config: Config) -> None:
    """The runs that find the planted bugs break no rule without them."""
    simulate(0, services(thread_only=True), config)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    """One of its seeds fails, in words that speak of it."""
    verdict = judge(PLANTS[name])
    assert verdict.killed, verdict


def test_enough_is_planted_and_each_bug_is_another() -> None:
    """At least twenty bugs are planted, each with a name, a sentence and words of its own, none of them empty."""
    assert len(PLANTS) >= 20
    assert len({plant.what for plant in PLANTS.values()}) == len(PLANTS)
    for plant in PLANTS.values():
        assert all(len(words) > 3 for words in plant.killed_by), plant.name


def test_a_hunt_says_what_was_killed() -> None:
    """The figures count a bug as killed only when its own words were said."""
    moves: list[tuple[int, int, str]] = []
    name = "people-decided-twice"
    figures = hunt(lambda *move: moves.append(move), [name], jobs=1).as_json()
    assert (figures["planted"], figures["killed"]) == (1, 1)
    assert figures["mutants"][0]["seed"] == 0
    assert moves[-1] == (1, 1, name)
