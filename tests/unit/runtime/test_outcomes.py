"""The API's tail: every decision reaches who waits for it, whoever repeats, forges, cuts or restarts around it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from libs.events.chain import ChainReader, Checkpoint
from libs.events.codec import Undecodable
from libs.events.records import StoredEvent, encode_decision, encode_event
from libs.events.system import CommandRepeated
from libs.events.topics import events_topic
from libs.runtime.checkpoint import LostTimeline
from libs.runtime.errors import PassingTrouble
from libs.runtime.kafka import LogUnavailable, OffsetMissing, Place
from libs.runtime.outcomes import Outcome, Outcomes, first_answer
from services.bidding.app import build
from tests.unit.runtime.edge_world import MemoryReader, World, running, until


@pytest.fixture
async def world(keys: Path) -> AsyncIterator[World]:
    """Bidding with an open day."""
    async with running(build("demo"), keys) as running_world:
        running_world.open_day(date(2024, 3, 15))
        yield running_world


async def open_account(world: World, subject: str) -> int:
    """A customer opens his account; the status of the answer."""
    headers = world.token(subject, "account:own") | {"Idempotency-Key": "k"}
    return (await world.http.post("/bidding/accounts", headers=headers)).status_code


async def until_kept(world: World, offset: int) -> None:
    """Return when the anchors of both partitions have reached an offset."""
    await until(lambda: [head.offset >= offset for head in world.anchors.kept.values()] == [True, True])


async def test_the_tail_keeps_its_place_as_triples(world: World) -> None:
    """About every second the head of each partition is kept, so that the next process need not read everything."""
    await until_kept(world, 0)
    for place, head in world.anchors.kept.items():
        record = world.log.records[place][head.offset]
        assert head == Checkpoint(0, 0, record.headers["hash"])


async def test_a_new_process_goes_on_from_the_kept_triple(world: World) -> None:
    """The next tail resumes from the anchor, reads on from there, and answers."""
    await until_kept(world, 0)
    resumed: list[Checkpoint | None] = []
    outcomes = world.outcomes()
    resume = outcomes._resume

    async def recording(place: Place, anchor: Checkpoint | None) -> ChainReader:
        resumed.append(anchor)
        return await resume(place, anchor)

    outcomes._resume = recording
    stop = asyncio.Event()
    task = asyncio.create_task(outcomes.run(stop))
    await until(lambda: outcomes.caught_up()[0])
    stop.set()
    await asyncio.wait_for(task, 5)
    assert [anchor and anchor.position for anchor in resumed] == [0, 0]


async def test_stop_ends_the_tail(world: World) -> None:
    """Asked to stop, a tail returns without an error, also before the log has ever answered."""
    world.log.is_down = True
    outcomes = world.outcomes()
    assert outcomes.caught_up() == (False, "the log has not answered yet")
    stop = asyncio.Event()
    task = asyncio.create_task(outcomes.run(stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_a_repeated_record_is_harmless(world: World) -> None:
    """A record below the head is counted and answers nothing twice; the next decision is read."""
    for place, records in list(world.log.records.items()):
        if place.topic.endswith(".events"):
            world.log.append(place, b"", records[0].value, records[0].headers)
    # the offsets of commands and decisions differ from here on; positions do not
    assert await open_account(world, "usr_ada") == 201
    assert await open_account(world, "usr_bob") == 201


async def test_a_foreign_record_alarms_and_answers_nobody(world: World) -> None:
    """A forged decision with a waiting command's id is not believed; the real one is."""
    with capture_logs() as logged:
        world.decider_is_held = True
        asked = asyncio.create_task(open_account(world, "usr_ada"))
        await until(lambda: bool(world.commands()))
        command = world.commands()[0]
        partition = world.app.state.edge.commands.partition("acc_ada")
        place = Place(events_topic("bidding"), partition)
        genuine = world.log.records[place][0]
        forged = {
            **genuine.headers,
            "position": b"1",
            "command-id": command["command_id"].encode(),
            "fingerprint": command["fingerprint"].encode(),
        }
        world.log.append(place, b"", genuine.value, forged)
        await until(lambda: bool(logged))
        world.decider_is_held = False
        world.decide()
        assert await asked == 201
    assert {line["event"] for line in logged} == {"foreign_record"}


async def test_a_cut_log_ends_the_process_to_be_started_again(world: World) -> None:
    """A tail whose place is gone does not guess: its supervisor starts it again, and its anchors are looked at anew."""

    class CutReader(MemoryReader):
        async def poll(self, timeout_s: float, records_max: int = 1000) -> dict[Place, list[Any]]:
            raise OffsetMissing(f"no {records_max} records within {timeout_s} s")

    outcomes = world.outcomes()
    outcomes._follow = lambda: CutReader(world.log)
    with pytest.raises(LostTimeline, match=r"was cut while the API read it .*Start again") as told:
        await asyncio.wait_for(outcomes.run(asyncio.Event()), 5)
    assert told.value.exit_code == PassingTrouble.exit_code


async def test_a_lost_timeline_is_told_at_start(world: World) -> None:
    """When the anchor's record is gone or another one, the tail does not start."""

    async def lost(place: Place, _anchor: Checkpoint | None) -> ChainReader:
        raise LostTimeline(f"{place.topic} was cut")

    outcomes = world.outcomes()
    outcomes._resume = lost
    with pytest.raises(LostTimeline):
        await outcomes.run(asyncio.Event())


async def test_the_start_waits_for_the_log(world: World) -> None:
    """A log that cannot be read yet is waited for, not failed on."""
    calls = 0
    outcomes = world.outcomes()
    resume = outcomes._resume

    async def late(place: Place, anchor: Checkpoint | None) -> ChainReader:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise LogUnavailable("no broker yet")
        return await resume(place, anchor)

    outcomes._resume = late
    stop = asyncio.Event()
    task = asyncio.create_task(outcomes.run(stop))
    await until(lambda: outcomes.caught_up()[0])
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_anchors_that_cannot_be_kept_stop_nobody(world: World) -> None:
    """A database that is away costs the next start a longer read; answers go on, and anchors too when it is back."""
    world.anchors.is_down = True
    with capture_logs() as logged:
        await until(lambda: any(line["event"] == "anchors_not_kept" for line in logged))
    assert await open_account(world, "usr_ada") == 201
    world.anchors.is_down = False
    await until_kept(world, 0)


async def test_progress_is_no_stall(world: World) -> None:
    """Commands may wait for long as long as decisions come: only silence counts."""
    clock = [100.0]
    outcomes: Outcomes = world.outcomes()
    outcomes._clock = lambda: clock[0]
    pulse = outcomes._pulses[0]
    outcomes._sampled_at = 100.0
    for second, position in enumerate((5, 6, 7, 8)):
        clock[0] = outcomes._sampled_at = 100.0 + second
        pulse.sample(clock[0], position, 50)
        assert outcomes.stalled(0) is None
    clock[0] = outcomes._sampled_at = 105.0
    pulse.sample(clock[0], 8, 50)
    assert outcomes.stalled(0) == "commands_waiting"
    pulse.sample(clock[0], 50, 50)
    assert outcomes.stalled(0) is None


async def test_a_decision_between_two_questions_is_no_loss(world: World) -> None:
    """A command that is stored and decided while the ends are on their way is not taken for one that is missing."""

    class LateReader(MemoryReader):
        async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
            ends = await super().ends(places)
            if not world.commands():
                await open_account(world, "usr_ada")
                await asyncio.sleep(0.05)
            return ends

    partition = world.app.state.edge.commands.partition("acc_ada")
    outcomes = world.outcomes()
    outcomes._watch = lambda: LateReader(world.log)
    stop, told = asyncio.Event(), set()
    task = asyncio.create_task(outcomes.run(stop))
    async with asyncio.timeout(5):
        while not world.commands() or outcomes.caught_up() != (True, ""):
            told.add(outcomes.stalled(partition))
            await asyncio.sleep(0.001)
        told.add(outcomes.stalled(partition))
    stop.set()
    await asyncio.wait_for(task, 5)
    assert told <= {"log_unavailable", None}


async def test_waiting_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of waiting requests a new one is told to come again, and not sent."""
    monkeypatch.setattr("libs.runtime.outcomes.WAITING_MAX", 0)
    with world.app.state.edge.outcomes.expect("id", "fp"):
        assert await open_account(world, "usr_ada") == 503
    assert world.commands() == []
    assert await open_account(world, "usr_ada") == 201


def test_the_first_answer_is_the_one_that_counts() -> None:
    """A repeat gives the events that it repeats; any other decision gives its own."""
    stored = StoredEvent("bidding.AccountOpened.v1", "acc_a", 1, {"account_id": "acc_a", "owner": "usr_a"})
    first = {"type": stored.type, "stream": stored.stream, "sequence": stored.sequence, "data": stored.data}
    repeat = encode_event(None, None, CommandRepeated(first_position=4, first=[first]))
    assert first_answer(_decision(repeat)) == Outcome((stored,))
    policys = encode_event(None, None, CommandRepeated(first_position=None, first=None))
    with pytest.raises(Undecodable):
        first_answer(_decision(policys))


def _decision(*events: bytes) -> bytes:
    return encode_decision(
        at=None, business_date=None, principal="", correlation_id="", causation_id=None, events=events
    )


async def test_a_decision_that_cannot_be_read_fails_one_request_only(world: World) -> None:
    """Undecodable bytes in a waited-for decision are that request's 500; the tail goes on."""
    outcomes = world.app.state.edge.outcomes
    with outcomes.expect("id", "fp") as expected:
        record = next(iter(world.log.records.values()))[0]
        outcomes._settle((b"id", b"fp"), replace(record, value=b"not a decision"))
        with pytest.raises(Undecodable):
            await expected.within(1)
    assert await open_account(world, "usr_ada") == 201
