"""The decider's kernel: what it refuses, what it recognises again, what it forgets and what it never takes for a refusal."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import to_json

from libs.events.chain import Reading
from libs.events.records import RawRecord, Source, parse_decision
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import AT, JARS, TODAY, Bench, CoinsPut, PutCoins, Shake, content, jars_are_known

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

NOTE = "2024-01-31 usr_1"


def source(position: int, partition: int = 0) -> Source:
    """Where a policy's command came from."""
    return Source(group="toys-reads-toys", topic="toys.events", partition=partition, position=position)


def refused(code: str, *, command: str = "toy.PutCoins", stream: str = "jar_0", **about: str) -> list[Any]:
    """The one event of a refusal."""
    return [CommandRefused(command_type=command, code=code, stream_id=stream, about=about)]


# --- deciding ------------------------------------------------------------------------------------------------------


def test_a_command_becomes_one_record_and_the_state_follows() -> None:
    """The next decision sees the state before the log has answered."""
    bench = Bench()
    bench.send(PutCoins(coins=3))
    bench.send(PutCoins(coins=4))
    ahead = bench.decide_ahead()
    assert [outgoing.position for outgoing in ahead] == [1, 2]
    assert bench.coins() == 7
    assert bench.decider.unconfirmed == 2
    assert bench.decider.unconfirmed_bytes == sum(len(outgoing.value) for outgoing in ahead)


def test_no_effect_is_said() -> None:
    """A decision without events is still a record."""
    bench = Bench()
    assert bench.tell(Shake(how="gently")) == [
        CommandHadNoEffect(command_type="toy.Shake", stream_id="jar_0")
    ]


def test_a_named_refusal_keeps_its_code_and_what_the_saga_asked_for() -> None:
    """`about` of a policy's command comes back in the refusal."""
    bench = Bench()
    told = bench.tell(Shake(how="refuse"), source=source(0), below=0)
    assert told == refused("jar_is_closed", command="toy.Shake", jar="jar_0")


def test_without_a_business_date_only_dateless_streams_decide() -> None:
    """Nothing is decided on a date that the partition does not have, but for commands that need none."""
    bench = Bench(dated=False)
    assert bench.tell(PutCoins(coins=1)) == refused("no_business_date")
    bench = Bench(dated=False, jars=replace(JARS, dateless_commands=(PutCoins,)))
    assert bench.tell(PutCoins(coins=1)) == [CoinsPut(coins=1, note=NOTE)]
    assert bench.tell(Shake(how="gently")) == refused("no_business_date", command="toy.Shake")


def test_a_step_of_a_saga_is_not_refused_for_being_early() -> None:
    """A policy's command reaches a partition before the opened calendar does: it is decided on its cause's date."""
    bench = Bench(dated=False)
    told = bench.tell(PutCoins(coins=1), source=source(0), below=0, business_date=TODAY)
    assert told == [CoinsPut(coins=1, note=NOTE)]
    bench.decider = bench.caught_up(MemoryStore())
    assert bench.tell(PutCoins(coins=1)) == refused("no_business_date")


@pytest.mark.parametrize("message", [PutCoins(coins=1), Shake(how="refuse")], ids=["decided", "refused"])
def test_the_date_of_a_cause_goes_on_through_the_saga(message: Any) -> None:
    """What was decided, or refused, on its cause's date says so: the next command of the saga, which carries the date of
    this record, finds one on a partition that has none either."""
    bench = Bench(dated=False)
    bench.tell(message, source=source(0), below=0, business_date=TODAY)
    recorded = parse_decision(bench.events[-1].value).business_date
    assert recorded == TODAY
    told = bench.tell(PutCoins(coins=2), source=source(1), below=0, business_date=recorded)
    assert told == [CoinsPut(coins=2, note=NOTE)]
    bench.tell(PutCoins(coins=3))
    assert parse_decision(bench.events[-1].value).business_date is None


def test_a_partitions_own_date_counts_before_that_of_a_cause() -> None:
    """A cause may be of yesterday; what it leads to is decided today."""
    bench = Bench()
    yesterday = TODAY - timedelta(days=1)
    told = bench.tell(PutCoins(coins=1), source=source(0), below=0, business_date=yesterday)
    assert told == [CoinsPut(coins=1, note=NOTE)]


def test_only_the_next_command_is_decided() -> None:
    """A gap in the commands is never jumped over."""
    bench = Bench()
    bench.send(PutCoins(coins=1))
    with pytest.raises(ValueError, match="expected the command at offset 1, got 2"):
        bench.decider.decide(bench.send(PutCoins(coins=1)))


# --- the boundary --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'{"command_id": 7}',
        b"0" * (COMMAND_BYTES_MAX + 1),
        b"[" * 100_000,
        b'{"command_id":"\\ud800","type":"toy.PutCoins"}',
    ],
    ids=["empty", "cut", "bytes", "null", "list", "fields", "too_large", "deep", "surrogate"],
)
def test_bytes_that_are_no_command_are_refused_and_the_next_is_decided(value: bytes) -> None:
    """Undecodable bytes are a parked refusal without an id; the partition goes on."""
    bench = Bench()
    bench.send_bytes(value)
    bench.send(PutCoins(coins=2))
    assert bench.run() == [refused("malformed", command="", stream=""), [CoinsPut(coins=2, note=NOTE)]]


@pytest.mark.parametrize(
    ("changes", "command", "stream"),
    [
        ({"type_name": "toy.Unheard"}, "toy.Unheard", "jar_0"),
        ({"stream": "box_1"}, "toy.PutCoins", "box_1"),
        ({"stream": "~p7"}, "toy.PutCoins", "~p7"),
        ({"stream": "~pole"}, "toy.PutCoins", "~pole"),
        ({"data": {"coins": 0}}, "toy.PutCoins", "jar_0"),
        ({"data": {"coins": -5}}, "toy.PutCoins", "jar_0"),
        ({"data": {"coins": 1.5}}, "toy.PutCoins", "jar_0"),
        ({"data": {"coins": "5"}}, "toy.PutCoins", "jar_0"),
        ({"data": {"coins": 10**15 + 1}}, "toy.PutCoins", "jar_0"),
        ({"data": {"coins": 10**400}}, "toy.PutCoins", "jar_0"),
        ({"data": {"coins": 1, "more": 1}}, "toy.PutCoins", "jar_0"),
        ({"data": {}}, "toy.PutCoins", "jar_0"),
        ({"data": [1]}, "toy.PutCoins", "jar_0"),
    ],
)
def test_a_readable_envelope_with_a_wrong_command_is_refused_by_its_id(
    changes: dict[str, Any], command: str, stream: str
) -> None:
    """Unknown type, other aggregate's stream, no such partition, wrong fields: malformed, told to the asker, and kept."""
    bench = Bench()
    asked = {"command_id": "mine", **changes}
    assert bench.tell(PutCoins(coins=1), **asked) == refused("malformed", command=command, stream=stream)
    assert isinstance(bench.tell(PutCoins(coins=1), **asked)[0], CommandRepeated)
    assert bench.tell(PutCoins(coins=2)) == [CoinsPut(coins=2, note=NOTE)]


def test_a_command_in_another_streams_partition_is_refused() -> None:
    """A stream is decided in its own partition only."""
    bench = Bench(partition=0, partitions=2)
    foreign = Bench(partition=1, partitions=2).jar()
    assert bench.tell(PutCoins(coins=1), stream=foreign) == refused("malformed", stream=foreign)


@pytest.mark.parametrize("how", ["break", "oversize", "wrong_type", "too_many_coins"])
def test_a_failure_inside_the_boundary_is_internal_and_leaves_the_state(how: str) -> None:
    """decide that raises, an event that breaks its type or limit, a decision over the size limit."""
    bench = Bench()
    bench.tell(PutCoins(coins=5))
    assert bench.tell(Shake(how=how)) == refused("internal", command="toy.Shake")
    assert bench.coins() == 5
    assert bench.tell(PutCoins(coins=1)) == [CoinsPut(coins=1, note=NOTE)]
    assert all(len(raw.value) < DECISION_BYTES_MAX for raw in bench.events)


@pytest.mark.parametrize(
    ("how", "error"), [("memory", MemoryError), ("recursion", RecursionError), ("disk", OSError)]
)
def test_failures_of_the_machine_are_never_a_refusal(how: str, error: type[BaseException]) -> None:
    """They say nothing about the command: nothing is decided, and the command can be decided again."""
    bench = Bench()
    raw = bench.send(Shake(how=how))
    with pytest.raises(error):
        bench.decider.decide(raw)
    assert bench.decider.unconfirmed == 0
    assert bench.decider.next_position == raw.offset


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


# --- the log's word ------------------------------------------------------------------------------------------------


def test_a_beaten_decision_is_dropped_and_the_winner_adopted() -> None:
    """Two replicas that decide differently: the first in the log counts, the other goes on from it."""
    bench = Bench()
    twin = bench.caught_up(MemoryStore(), rules=2, replica="b")
    bench.send(PutCoins(coins=3), command_id="mine")
    bench.send(PutCoins(coins=4))
    mine, theirs = bench.decide_ahead(), bench.decide_ahead(twin)
    winner = bench.append(theirs[0])
    assert bench.decider.accept(winner) is twin.accept(winner) is Reading.ACCEPTED
    assert bench.decider.unconfirmed == 0
    assert twin.unconfirmed == 1
    assert bench.decider.accept(bench.append(mine[0])) is Reading.REPEAT
    assert bench.decider.accept(bench.append(mine[1])) is Reading.FOREIGN
    assert (bench.coins(), bench.decider.next_position) == (3, 2)
    assert isinstance(bench.tell(PutCoins(coins=3), command_id="mine")[0], CommandRepeated)
    assert bench.coins() == 7


def test_equal_decisions_of_two_replicas_confirm_each_other() -> None:
    """`by` stands outside the hash: who wrote a record does not matter, what it says does."""
    bench = Bench()
    twin = bench.caught_up(MemoryStore(), replica="b")
    bench.send(PutCoins(coins=3))
    [mine], [theirs] = bench.decide_ahead(), bench.decide_ahead(twin)
    assert mine.headers["by"] != theirs.headers["by"]
    assert mine.headers["hash"] == theirs.headers["hash"]
    record = bench.append(theirs)
    assert bench.decider.accept(record) is Reading.ACCEPTED
    assert (bench.decider.unconfirmed, bench.coins()) == (0, 3)


def test_dropped_speculation_is_decided_again_to_the_same_bytes() -> None:
    """Deciding is a pure function of state, command and context: a lost tail can be decided again."""
    bench = Bench()
    for coins in (1, 2, 3):
        bench.send(PutCoins(coins=coins), source=source(coins), below=1, command_id=f"c{coins}")
    first = bench.decide_ahead()
    bench.decider.drop_speculation()
    assert (bench.coins(), bench.decider.unconfirmed, bench.decider.next_position) == (0, 0, 1)
    assert bench.decide_ahead() == first


def test_a_late_record_of_a_dead_sender_confirms_what_is_decided_again() -> None:
    """The same decision sent twice is accepted once; the second is a repeat."""
    bench = Bench()
    bench.send(PutCoins(coins=1))
    [lost] = bench.decide_ahead()
    bench.decider.drop_speculation()
    [again] = bench.decide_ahead()
    assert bench.decider.accept(bench.append(lost)) is Reading.ACCEPTED
    assert bench.decider.unconfirmed == 0
    assert bench.decider.accept(bench.append(again)) is Reading.REPEAT
    assert bench.coins() == 1


def test_foreign_bytes_on_the_events_topic_change_nothing() -> None:
    """Records without headers, with a wrong link or a false hash are not accepted; the chain goes on."""
    bench = Bench()
    bench.send(PutCoins(coins=1))
    [outgoing] = bench.decide_ahead()
    before = content(bench.store)
    for headers in ({}, outgoing.headers | {"prev": b"0" * 32}, outgoing.headers | {"hash": b"0" * 32}):
        raw = RawRecord(len(bench.events), b"", outgoing.value, headers)
        bench.events.append(raw)
        assert bench.decider.accept(raw) is Reading.FOREIGN
    bench.decider.flush()
    assert content(bench.store) == before
    assert bench.decider.accept(bench.append(outgoing)) is Reading.ACCEPTED


def test_one_flipped_byte_is_seen() -> None:
    """A value that was changed in the log no longer fits its hash."""
    bench = Bench()
    bench.send(PutCoins(coins=1))
    [outgoing] = bench.decide_ahead()
    forged = RawRecord(1, b"", outgoing.value.replace(b'"coins":1', b'"coins":9'), outgoing.headers)
    assert bench.decider.accept(forged) is Reading.FOREIGN


# --- what must never break it --------------------------------------------------------------------------------------


def envelope(**changes: Any) -> bytes:
    """A command as somebody might write it who does not know our ids."""
    fields = {
        "command_id": "c",
        "type": "toy.PutCoins",
        "stream_id": "jar_0",
        "data": {"coins": 1},
        "at": AT.isoformat(),
        "principal": "",
        "correlation_id": "",
    }
    return to_json({**fields, **changes})


def policy(**changes: Any) -> dict[str, Any]:
    """A policy's source with something strange in it."""
    return {"group": "g", "topic": "t", "partition": 0, "position": 0, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"command_id": ""},
        {"command_id": "a/b"},
        {"command_id": "a|b"},
        {"command_id": "a\u0000b"},
        {"command_id": "x" * 300},
        {"fingerprint": "f|g"},
        {"fingerprint": ""},
        {"source": policy(group="g|h", topic="t|u")},
        {"source": policy(topic="t/u")},
        {"source": policy(partition=-1)},
        {"source": policy(position=10**30)},
        {"source": policy(), "stored_below": {"position": -4, "hash": "00"}},
        {"source": policy(), "stored_below": {"position": 1, "hash": "|"}},
        {"about": {"a.b": "1"}},
        {"about": {"": "1"}},
        {"about": {"$x": "1"}},
        {"about": {"_id": "1"}},
        {"about": {"a\u0000": "1"}},
        {"about": {"hold_id": 1}},
        {"about": {"hold_id": "x" * 300}},
    ],
)
def test_ids_that_would_break_headers_or_keys_are_malformed(changes: dict[str, Any]) -> None:
    """What could be taken apart wrongly again, in a header or in the store, is refused before it gets there."""
    bench = Bench()
    bench.send_bytes(envelope(**changes))
    assert bench.run() == [refused("malformed", command="", stream="")]
    bench.decider = bench.caught_up(bench.store)
    assert bench.tell(PutCoins(coins=2)) == [CoinsPut(coins=2, note=NOTE)]
