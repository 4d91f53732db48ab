"""What the decider's kernel recognises again: a person's repeat gets the first answer, a policy's is dropped."""

import pytest

from libs.events.system import CommandRepeated
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import NOTE, Bench, CoinsPut, PutCoins, Shake, jars_are_known, refused, source

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

# --- duplicates: people --------------------------------------------------------------------------------------------


def test_a_persons_repeat_gets_the_first_answer() -> None:
    """The same id again, confirmed or still speculative, has no second effect and tells the first."""
    bench = Bench()
    for _ in range(3):
        bench.send(PutCoins(coins=5), command_id="mine")
    first, *again = bench.run()
    assert first == [CoinsPut(coins=5, note=NOTE)]
    data = {"coins": 5, "note": NOTE}
    told = {"type": "toy.CoinsPut.v1", "stream": "jar_0", "sequence": 1, "data": data}
    assert again == [[CommandRepeated(first_position=1, first=[told])]] * 2
    bench.decider = bench.caught_up(MemoryStore())
    assert bench.tell(PutCoins(coins=5), command_id="mine") == again[0]
    assert bench.coins() == 5


def test_the_same_id_with_another_body_is_refused_and_does_not_replace_the_answer() -> None:
    """Whoever reuses a key is told so; the first answer stays."""
    bench = Bench()
    bench.tell(PutCoins(coins=5), command_id="mine", fingerprint="f0")
    other = {"command_id": "mine", "fingerprint": "f1"}
    assert bench.tell(PutCoins(coins=6), **other) == refused("key_reused")
    assert bench.tell(PutCoins(coins=6), **other) == refused("key_reused")
    bench.decider = bench.caught_up(MemoryStore())
    assert bench.tell(PutCoins(coins=6), **other) == refused("key_reused")
    assert isinstance(bench.tell(PutCoins(coins=5), command_id="mine", fingerprint="f0")[0], CommandRepeated)


def test_a_refusal_is_an_answer_too() -> None:
    """What was refused once stays refused under that id, whatever the state has become."""
    bench = Bench()
    first = bench.tell(Shake(how="refuse"), command_id="mine")
    repeated = bench.tell(Shake(how="refuse"), command_id="mine")[0]
    assert first == refused("jar_is_closed", command="toy.Shake")
    assert repeated.first[0]["data"]["code"] == "jar_is_closed"


def test_what_is_known_is_the_same_bytes_whoever_folded_it() -> None:
    """The kept answer equals the decision's value byte for byte, after confirming and after adopting."""
    bench = Bench()
    bench.tell(PutCoins(coins=5), command_id="mine")
    adopted = MemoryStore()
    bench.caught_up(adopted).flush()
    expected = b"1|f0|" + bench.events[1].value
    assert bench.store.get(b"i/mine") == adopted.get(b"i/mine") == expected


# --- duplicates: policies ------------------------------------------------------------------------------------------


def outcomes(bench: Bench) -> list[str]:
    """`new` or `repeated` for each decision of a run."""
    return ["repeated" if isinstance(told[0], CommandRepeated) else "new" for told in bench.run()]


def test_a_resent_command_of_a_policy_is_dropped() -> None:
    """The same id from the same source position is decided once, speculative or confirmed."""
    bench = Bench()
    for _ in range(2):
        bench.send(PutCoins(coins=1), command_id="a", source=source(3), below=3)
    assert outcomes(bench) == ["new", "repeated"]
    bench.send(PutCoins(coins=1), command_id="a", source=source(3), below=3)
    assert outcomes(bench) == ["repeated"]
    assert bench.coins() == 1


def test_reordered_commands_of_a_policy_are_all_decided() -> None:
    """A later position first does not hide an earlier one: only `stored_below` does."""
    bench = Bench()
    bench.send(PutCoins(coins=1), command_id="later", source=source(9), below=4)
    bench.send(PutCoins(coins=1), command_id="earlier", source=source(5), below=4)
    bench.send(PutCoins(coins=1), command_id="same-event", source=source(5), below=4)
    assert outcomes(bench) == ["new", "new", "new"]


def test_a_zombies_command_below_the_line_is_dropped() -> None:
    """Who is slow and sends with an old, low line sends nothing new: everything below the highest line was stored."""
    bench = Bench()
    bench.send(PutCoins(coins=1), command_id="a", source=source(2), below=2)
    bench.send(PutCoins(coins=1), command_id="b", source=source(8), below=8)
    bench.send(PutCoins(coins=1), command_id="a", source=source(2), below=2)
    bench.send(PutCoins(coins=1), command_id="never-seen", source=source(7), below=1)
    bench.send(PutCoins(coins=1), command_id="at-the-line", source=source(8), below=1)
    assert outcomes(bench) == ["new", "new", "repeated", "repeated", "new"]


def test_sources_do_not_mix() -> None:
    """Each partition that a group reads has a line of its own."""
    bench = Bench()
    bench.send(PutCoins(coins=1), command_id="a", source=source(8, partition=0), below=8)
    bench.send(PutCoins(coins=1), command_id="b", source=source(1, partition=1), below=0)
    assert outcomes(bench) == ["new", "new"]


def test_the_line_and_the_ids_above_it_survive_a_restart() -> None:
    """After recovery, from the store or from nothing, the same commands are dropped and the same are new."""
    for from_zero in (False, True):
        bench = Bench()
        bench.send(PutCoins(coins=1), command_id="old", source=source(2), below=2)
        bench.send(PutCoins(coins=1), command_id="line", source=source(5), below=5)
        bench.send(PutCoins(coins=1), command_id="above", source=source(6), below=5)
        bench.run()
        bench.decider = bench.caught_up(MemoryStore() if from_zero else bench.store)
        for name, position in (("old", 2), ("line", 5), ("above", 6), ("new", 6)):
            bench.send(PutCoins(coins=1), command_id=name, source=source(position), below=2)
        assert outcomes(bench) == ["repeated", "repeated", "repeated", "new"]
