"""The poison is poisonous: no record of it can be read as a command of its place, and none makes reading fail."""

from collections import Counter

from libs.events.records import RawRecord
from libs.events.topics import partition_of
from libs.runtime.decision import read_command
from services.bidding.app import build
from tools.faults.poison import foreign, poisoned

STREAM = "acc_poison7"


def test_every_poisoned_command_is_malformed() -> None:
    """Whatever it is, the decider gets no message out of it, and no error."""
    by_command = {kind: aggregate for aggregate in build("demo").aggregates for kind in aggregate.commands}
    home = partition_of(STREAM, 4)
    for what, value in poisoned(STREAM, 3):
        at = (partition_of(STREAM + "-elsewhere", 4) + 1) % 4 if "another partition" in what else home
        item = read_command(RawRecord(0, b"k", value, {}), by_command, at, 4)
        assert item.message is None, what


def test_every_poisoned_command_has_an_id_of_its_own() -> None:
    """Else the second of them would be told what became of the first."""
    ids = Counter(
        value.split(b'"command_id":"')[1][:36]
        for number in range(8)
        for _, value in poisoned(STREAM, number)
        if b'"command_id":"' in value
    )
    assert max(ids.values()) == 1


def test_forged_decisions_have_names_of_their_own() -> None:
    """One of each kind."""
    names = [name for name, _, _ in foreign(3)]
    assert len(names) == len(set(names)) == 5
