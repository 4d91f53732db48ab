"""`parked retry`: what a policy wanted is done once, however often somebody asks, and what a person was told stays told."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from libs.events.chain import genesis
from libs.events.records import RawRecord, RecordedEvent, Source, parse_decision
from libs.events.sagas import Saga, Send
from libs.runtime import following, retrying
from libs.runtime.day import NotePolicyFailure
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place
from libs.runtime.retrying import Retried, event_of, retry
from libs.runtime.service import Policy, Service
from libs.runtime.settings import Settings
from tests.conftest import MakeSettings
from tests.unit.runtime.jars import LOG_ID, Bench, PutCoins, Shake, jars_are_known
from tests.unit.runtime.test_policing import give_back

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

GROUP = "bidding-reads-bidding"


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """One partition, and a broker that nobody asks."""
    return make_settings(kafka="127.0.0.1:1", log_id="0" * 32, partitions=1, topic_prefix="")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A toy partition in place of the broker; what is sent to it is decided at once."""
    bench = Bench()
    held = {Place("bidding.commands", 0): bench.commands, Place("bidding.events", 0): bench.events}

    async def offsets(_bootstrap: str, places: Sequence[Place]) -> dict[Place, tuple[int, int]]:
        return {place: (0, len(held[place])) for place in places}

    async def read_range(
        _bootstrap: str, place: Place, start: int, end: int
    ) -> AsyncIterator[list[RawRecord]]:
        yield held[place][start:end]

    async def record_at(_bootstrap: str, place: Place, offset: int) -> RawRecord | None:
        return held[place][offset] if offset < len(held[place]) else None

    class Pen:
        async def send(self, _place: Place, *, key: bytes, value: bytes) -> int:
            offset = bench.send_bytes(value, key.decode()).offset
            bench.run()
            return offset

    @asynccontextmanager
    async def writing(_settings: Settings) -> AsyncIterator[Pen]:
        yield Pen()

    # the bench's chain begins under its own names
    head = genesis(LOG_ID, "toy.events", 0)
    monkeypatch.setattr(following, "genesis", lambda *_names: head)
    for module in (following, retrying):
        monkeypatch.setattr(module, "offsets", offsets)
    monkeypatch.setattr(following, "read_range", read_range)
    monkeypatch.setattr(retrying, "record_at", record_at)
    monkeypatch.setattr(retrying, "_writing", writing)
    monkeypatch.setattr(retrying, "_ANSWER_WITHIN_S", 0.0)
    monkeypatch.setattr(retrying, "_LOOK_EVERY_S", 0.0)
    return bench


def service(policy: Policy = lambda _event: []) -> Service:
    """Bidding, whose own events a policy reads."""
    return Service(name="bidding", policies={"bidding": policy})


def of_policy(position: int = 0) -> Mapping[str, Any]:
    """A command that a policy sends."""
    source = Source(group=GROUP, topic="bidding.events", partition=0, position=position)
    return {"source": source, "below": position, "principal": GROUP}


async def again(
    settings: Settings, bench: Bench, of: Service | None = None, offset: int = -1
) -> list[Retried]:
    """Retry what is parked at the last position, or at another one."""
    position = (len(bench.commands) + offset) if offset < 0 else offset
    return await retry(settings, [of or service()], f"bidding/0/{position}")


async def test_a_refused_command_of_a_policy_is_decided_after_what_stood_in_its_way_is_gone(
    settings: Settings, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps stream, data, cause and `about`, and has a new id and no source."""
    with monkeypatch.context() as broken:
        broken.setattr("tests.unit.runtime.jars._shaken", _breaks)
        [refused] = bench.tell(Shake(how="nothing"), **of_policy())
    assert refused.code == "internal"
    [done] = await again(settings, bench)
    assert (done.sent, done.outcome, done.address) == (
        True,
        "no_effect",
        f"bidding/0/{len(bench.commands) - 1}",
    )
    headers = bench.events[-1].headers
    assert "source" not in headers
    assert headers["command-id"] == done.command_id.encode() != bench.events[-2].headers["command-id"]


def _breaks(_how: str) -> Sequence[Any]:
    raise KeyError("no such thing")


async def test_a_retry_made_twice_is_decided_once(settings: Settings, bench: Bench) -> None:
    """The second tells what came of the first, and sends nothing; a policy's own resend in between changes nothing."""
    message, of = PutCoins(coins=3), of_policy(5)
    bench.send(message, stream="jar_0", command_id="x", type_name="bidding.Gone", **of)
    bench.run()
    parked = len(bench.commands) - 1
    bench.send(message, stream="jar_0", command_id="x", type_name="bidding.Gone", **of)
    bench.run()
    first = await again(settings, bench, offset=parked)
    count = len(bench.commands)
    second = await again(settings, bench, offset=parked)
    assert [each.sent for each in (*first, *second)] == [True, False]
    assert [(each.address, each.outcome, each.code) for each in first] == [
        (each.address, each.outcome, each.code) for each in second
    ]
    assert first[0].code == "malformed"
    assert len(bench.commands) == count


async def test_a_retry_that_is_refused_can_be_retried(settings: Settings, bench: Bench) -> None:
    """It is parked under its own address, as what it is: a policy's."""
    bench.send(PutCoins(coins=3), type_name="bidding.Gone", **of_policy())
    bench.run()
    [first] = await again(settings, bench)
    [second] = await again(settings, bench)
    assert (first.code, second.code, second.sent) == ("malformed", "malformed", True)
    assert first.command_id != second.command_id


async def test_the_command_of_a_person_is_refused_with_the_reason(settings: Settings, bench: Bench) -> None:
    """He was told that it is refused, and may have acted on it."""
    bench.send(PutCoins(coins=3), type_name="bidding.Gone")
    bench.run()
    count = len(bench.commands)
    with pytest.raises(OperatorError, match="the command of a person, who was told"):
        await again(settings, bench)
    assert len(bench.commands) == count


async def test_a_step_that_its_saga_has_undone_is_not_done_again(
    settings: Settings, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal `internal` is parked even where a saga expects it; by then what it was for is given back, so a retry is refused."""
    with monkeypatch.context() as broken:
        broken.setattr("tests.unit.runtime.jars._shaken", _breaks)
        bench.tell(Shake(how="nothing"), **of_policy())
    count = len(bench.commands)
    undoing = Saga(name="shake", why="", opened_by={}, closed_by={}, steps=(), expected_refusals=(Shake,))
    with pytest.raises(OperatorError, match="a step that its saga has undone"):
        await again(settings, bench, replace(service(), sagas=(undoing,)))
    assert len(bench.commands) == count


async def test_what_went_well_is_not_retried(settings: Settings, bench: Bench) -> None:
    """An address where nothing is parked is a mistake, and so is one that is not decided."""
    bench.tell(PutCoins(coins=3), **of_policy())
    with pytest.raises(OperatorError, match="Nothing is parked at"):
        await again(settings, bench)
    with pytest.raises(OperatorError, match="is not decided"):
        await again(settings, bench, offset=99)


async def test_bytes_that_are_no_command_cannot_be_sent_again(settings: Settings, bench: Bench) -> None:
    """A record of a policy that cannot be read is told as that."""
    with pytest.raises(OperatorError, match=r"are no command.*parked show"):
        retrying.order_of(RawRecord(0, b"", b"\xff", {}), "bidding/0/1")


def fails(_event: RecordedEvent) -> list[Send]:
    """A policy with a bug."""
    raise KeyError("no such thing")


async def failed_policy(bench: Bench) -> int:
    """Somebody puts five coins in a jar, the policy raises, and that is noted; returns the note's position."""
    bench.tell(PutCoins(coins=5))
    event = f"bidding/0/{len(bench.commands) - 1}/0"
    note = NotePolicyFailure(group=GROUP, event_address=event, error="KeyError")
    return bench.send(note, stream="~p0", **of_policy()).offset


async def test_a_policy_that_failed_is_run_again_on_its_event(settings: Settings, bench: Bench) -> None:
    """With the bug mended its commands are decided, once however often it is asked for."""
    parked = await failed_policy(bench)
    bench.run()
    [first] = await again(settings, bench, service(give_back), parked)
    [second] = await again(settings, bench, service(give_back), parked)
    assert (first.outcome, first.stream, first.sent, second.sent) == ("decided", "jar_9", True, False)
    assert bench.decider.state_of("jar_9").coins == 5


async def test_a_policys_own_command_for_that_event_counts(settings: Settings, bench: Bench) -> None:
    """Where the group itself read the event again with the mended policy, its command is not sent a second time."""
    parked = await failed_policy(bench)
    bench.run()
    [order] = retrying.orders_of_policy(
        service(give_back), _failed(bench), await retrying._event_at(settings, f"bidding/0/{parked - 1}/0")
    )
    bench.tell(PutCoins(coins=5), stream="jar_9", command_id=order.replaces, **of_policy(parked))
    [done] = await again(settings, bench, service(give_back), parked)
    assert (done.sent, done.outcome, bench.decider.state_of("jar_9").coins) == (False, "decided", 5)


def _failed(bench: Bench) -> Any:
    return parse_decision(bench.events[-1].value).events[0]


async def test_a_policy_that_fails_again_sends_nothing(settings: Settings, bench: Bench) -> None:
    """The sentence names the policy, the error and the event."""
    parked = await failed_policy(bench)
    bench.run()
    count = len(bench.commands)
    with pytest.raises(
        OperatorError, match=rf"The policy {GROUP} raises KeyError again on bidding/0/{parked - 1}/0"
    ):
        await again(settings, bench, service(fails), parked)
    assert len(bench.commands) == count


@pytest.mark.parametrize("value", [b'{"format":2,"events":[]}', b"not a decision"])
def test_a_record_of_another_release_is_a_sentence(value: bytes) -> None:
    """An envelope that this release does not know is told like an event that it does not know."""
    raw = RawRecord(offset=0, key=b"", value=value, headers={}, timestamp_ms=0)
    with pytest.raises(OperatorError, match=r"cannot read the event bidding/0/7/0 .* use a newer one"):
        event_of(raw, "bidding/0/7/0")


async def test_nothing_is_sent_where_commands_are_lost(settings: Settings, bench: Bench) -> None:
    """A command below the next position would never be decided."""
    bench.send(PutCoins(coins=3), type_name="bidding.Gone", **of_policy())
    bench.run()
    bench.tell(PutCoins(coins=1))
    parked = len(bench.commands) - 2
    del bench.commands[-1:]
    with pytest.raises(OperatorError, match=r"has lost commands.*loanstream repair"):
        await again(settings, bench, offset=parked)
