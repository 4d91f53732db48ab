"""The decider's kernel: what it refuses, what it recognises again, what it forgets and what it never takes for a refusal."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import to_json

from libs.events.chain import Reading
from libs.events.records import RawRecord, parse_decision
from libs.events.system import CommandHadNoEffect, CommandRepeated
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from libs.runtime.store import MemoryStore
from tests.unit.runtime.jars import (
    AT,
    JARS,
    NOTE,
    TODAY,
    Bench,
    CoinsPut,
    PutCoins,
    Shake,
    content,
    jars_are_known,
    refused,
    source,
)

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

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
