"""The table of replicas: what it says of a partition, what it refuses, and how its next version is written."""

from pathlib import Path

import pytest

from libs.runtime.errors import OperatorError
from libs.runtime.replica_role import Assignment
from libs.runtime.replicas import Pair, ReplicaTable, load_table, save_table
from libs.runtime.settings import load_settings

TABLE = ReplicaTable(
    version=3,
    default=Pair(active="r0", standby="r1"),
    partitions={"bidding/1": Pair(active="r1")},
    rules_allowed={"bidding": 2},
)


def test_without_a_file_this_replica_decides_everything(tmp_path: Path) -> None:
    """A local stack needs no table."""
    table = load_table(load_settings(tmp_path, replica="solo"))
    assert table.version == 0
    assert table.assignment("bidding", 3) == Assignment("solo")


def test_a_partition_may_have_a_pair_of_its_own(tmp_path: Path) -> None:
    """What is written is read again: the default pair, the pair of one partition, the rules allowed per service."""
    settings = load_settings(tmp_path)
    save_table(settings.replicas_path, TABLE)
    table = load_table(settings)
    assert table == TABLE
    assert table.assignment("bidding", 0) == Assignment("r0", "r1", 2)
    assert table.assignment("bidding", 1) == Assignment("r1", None, 2)
    assert table.assignment("repayment", 1) == Assignment("r0", "r1", None)


def test_allowing_is_the_next_version() -> None:
    """A roll-back is one more version and touches the rules of the services it names, nothing else."""
    one = TABLE.allowing("repayment", 5)
    assert one.version == 4
    assert one.rules_allowed == {"bidding": 2, "repayment": 5}
    assert (one.default, one.partitions) == (TABLE.default, TABLE.partitions)
    every = TABLE.allowing(None, 1)
    assert every.rules_allowed == {"onboarding": 1, "bidding": 1, "repayment": 1, "collections": 1}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "does not fit: the file"),
        ('{"version": 1}', "default: Field required"),
        ('{"version": 1, "default": {"active": "R 0"}}', "default.active: String should match"),
        ('{"version": 1, "default": {"active": "r0"}, "partitons": {}}', "partitons: Extra inputs"),
        (
            '{"version": 1, "default": {"active": "r0"}, "rules_allowed": {"biding": 1}}',
            "biding decides nothing",
        ),
        (
            '{"version": 1, "default": {"active": "r0"}, "partitions": {"bidding": {"active": "r0"}}}',
            "bidding is no service/partition",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    """A slip in the file is told by its place before anything decides by it."""
    settings = load_settings(tmp_path, replicas=tmp_path / "other.json")
    settings.replicas_path.write_text(content)
    with pytest.raises(OperatorError, match=r"^The table of replicas .*other\.json") as told:
        load_table(settings)
    assert sentence in str(told.value)


def test_a_table_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """A directory in its place says so."""
    settings = load_settings(tmp_path)
    settings.replicas_path.mkdir()
    with pytest.raises(OperatorError, match=r"replicas\.json cannot be read"):
        load_table(settings)
