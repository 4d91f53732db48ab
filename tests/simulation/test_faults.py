"""Every fault that the simulated world knows is injected, and seeds that once found something are lived again."""

import pytest

from tests.simulation.reports import SEEDS, faults, report
from tools.simulator import fault_names

#: Seeds of the default search that found a bug, and which.
FOUND = {
    3: "a marker below its line was a repeat or not, by what was unconfirmed: a lost tail was decided otherwise",
    4: "a listing was left without its second review when the plan ended",
    5: "people read on behind a lost tail and never heard of what came to stand before: the run did not come to rest",
    6: "a lost command that was sent again and fell at its old offset made a repair refuse the partition",
    18: "as 3, on the only partition",
    19: "as 3, with policy groups that would have stopped as source-forked",
    86: "an asset that was taken on the evening of its last day was woken before the phase of terms and stayed due",
    101: "a correction that left only an instalment's penalty open could not say that it is missed",
    111: "an offer opened when its window was over, and stood until the next day was closed",
    183: "where principal is paid first, nobody was told that he may expect the interest that was left",
    214: "a correction made a loan owed again whose lender had left: the auditor took its next instalment for a mistake",
}


def test_every_fault_is_injected() -> None:
    """A fault that no seed injects proves nothing about the code that should stand it."""
    injected = faults()
    assert not [name for name in fault_names.ALL if not injected[name]]
    assert not set(injected) - set(fault_names.ALL), "a fault without a name in the list"


@pytest.mark.parametrize("seed", FOUND)
def test_a_seed_that_found_something_finds_nothing(seed: int) -> None:
    """Its reason stands in the table above."""
    assert seed in SEEDS, "run with the others"
    report(seed)


def test_what_was_lost_was_decided_again() -> None:
    """The seeds together have lost decisions, and each came back byte for byte (the auditor compares their hashes)."""
    assert sum(report(seed).auditor.decided_again for seed in SEEDS) > 20
