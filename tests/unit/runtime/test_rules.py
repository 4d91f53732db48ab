"""What `loanstream rules` shows and writes: the head's rules, whether this code may decide, and a roll-back."""

from pathlib import Path

import pytest

from libs.runtime.errors import OperatorError
from libs.runtime.replica_role import Assignment
from libs.runtime.replicas import load_table
from libs.runtime.rules import RulesRow, allow_rules, head_of
from libs.runtime.settings import load_settings
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import Bench, PutCoins, jars_are_known

__all__ = ["jars_are_known"]


@pytest.mark.usefixtures("jars_are_known")
@pytest.mark.parametrize("start", [0, 1, 2, 3, 5])
def test_the_head_is_found_from_the_end_of_the_log_alone(start: int) -> None:
    """Among repeats and foreign records, wherever one begins to read, the last accepted decision is the head."""
    bench = Bench()
    zombie = bench.caught_up(MemoryStore(), rules=7, replica="z")
    for coins in range(1, 7):
        bench.send(PutCoins(coins=coins))
    others = bench.decide_ahead(zombie)[:3]
    ours = bench.decide_ahead()
    for outgoing in (ours[0], *others, *ours[1:3], ours[0], *ours[3:], others[2]):
        bench.append(outgoing)
    found = head_of(bench.events[start:])
    assert found is not None
    assert found.headers["hash"] == ours[-1].headers["hash"]


def test_an_empty_partition_has_no_head() -> None:
    """Nothing decided is nobody's."""
    assert head_of([]) is None


@pytest.mark.parametrize(
    ("head", "allowed", "verdict"),
    [
        (None, None, "decides"),
        (2, None, "decides"),
        (1, None, "decides"),
        (3, None, "held back"),
        (3, 3, "held back"),
        (3, 2, "decides: allowed"),
    ],
)
def test_the_verdict_is_that_of_the_replica(head: int | None, allowed: int | None, verdict: str) -> None:
    """Rules 2 decide unless the log has higher ones that nobody allowed to follow."""
    assert RulesRow("bidding", 0, "r0", head, 2, Assignment("r0", None, allowed)).verdict == verdict


def test_allowing_writes_the_table_s_next_version(tmp_path: Path) -> None:
    """A roll-back stands in the file that running processes look at; a service that decides nothing is refused."""
    settings = load_settings(tmp_path, replica="r5")
    assert allow_rules(settings, "bidding", 2).version == 1
    table = allow_rules(settings, "repayment", 1)
    assert load_table(settings) == table
    assert (table.version, table.rules_allowed) == (2, {"bidding": 2, "repayment": 1})
    assert table.assignment("bidding", 0) == Assignment("r5", None, 2)
    with pytest.raises(OperatorError, match=r"^reporting decides nothing: choose from "):
        allow_rules(settings, "reporting", 1)
