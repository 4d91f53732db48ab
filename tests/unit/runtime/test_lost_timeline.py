"""A log whose tail was cut and grew again: each home of a triple finds out, and does what it may without a person."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.chain import ChainReader, Checkpoint
from libs.runtime import checkpoint as checkpoints
from libs.runtime import following, forks, lost_views
from libs.runtime.checkpoint import LostTimeline, resume, resume_or_begin
from libs.runtime.errors import PassingTrouble
from libs.runtime.following import Follower
from libs.runtime.forks import SourceForked, decided_again
from libs.runtime.generations import Pointer
from libs.runtime.memory import DeciderMemory
from libs.runtime.projecting import Partition
from libs.runtime.recovery import open_memory
from libs.runtime.settings import Settings
from libs.runtime.store import RocksStore
from tests.conftest import MakeSettings
from tests.unit.runtime.sealed import LOG_ID, SealedLog


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """One partition, and an address that nobody asks."""
    return make_settings(kafka="127.0.0.1:1", log_id=LOG_ID, partitions=1)


@pytest.fixture
def held(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SealedLog:
    """A log of five decided commands, in place of the broker's."""
    log = SealedLog(settings)
    for number in range(5):
        log.decide(f"c{number}".encode())
    log.serve(monkeypatch, following, checkpoints)
    return log


async def resumed(settings: Settings, held: SealedLog, at: Checkpoint) -> ChainReader:
    """Go on from a triple."""
    return await resume(settings.require_kafka(), LOG_ID, held.events, at, home="the toy")


@pytest.mark.parametrize("grown", ["not", "otherwise"])
async def test_a_triple_of_a_lost_timeline_is_found_out(
    settings: Settings, held: SealedLog, grown: str
) -> None:
    """Where its record is gone, and where another one stands there. Its process is started again, not given up."""
    last = held.heads[4]
    assert (await resumed(settings, held, last)).head == last
    held.cut_events(3)
    if grown == "otherwise":
        held.seal_again(3, b"another")
        held.seal_again(4, b"answer")
    with pytest.raises(LostTimeline, match=r"The log was cut or replaced: the toy .*offset 4") as told:
        await resumed(settings, held, last)
    assert told.value.exit_code == PassingTrouble.exit_code


async def test_a_tail_that_was_decided_again_as_it_was_is_no_loss(
    settings: Settings, held: SealedLog
) -> None:
    """The same decision has the same hash: who comes back late notices nothing."""
    last = held.heads[4]
    held.cut_events(3)
    held.seal_again(3, b"nothing")
    held.seal_again(4, b"nothing")
    assert (await resumed(settings, held, last)).head == last


# --- the decider's store ------------------------------------------------------------------------------------------


async def test_the_decider_throws_its_store_away(settings: Settings, held: SealedLog) -> None:
    """It begins before the first record with an empty store; a store whose head is held is kept."""
    path = settings.data_dir / "stores" / "x" / "0-abc"
    store = RocksStore(path)
    memory = DeciderMemory(store)
    memory.keep_head(held.heads[4])
    memory.flush()
    store.close()
    store, memory, reader = await open_memory(settings, path, held.events)
    assert reader.head == held.heads[4]
    store.close()
    held.cut_events(3)
    store, memory, reader = await open_memory(settings, path, held.events)
    assert (reader.head.position, memory.checkpoint(), list(store.scan(b""))) == (-1, None, [])
    store.close()


# --- the API's anchor ---------------------------------------------------------------------------------------------


async def test_an_anchor_that_is_lost_costs_a_longer_read(settings: Settings, held: SealedLog) -> None:
    """An anchor only spares reading: the tail begins at the beginning."""
    held.cut_events(3)
    reader = await resume_or_begin(
        settings.require_kafka(), LOG_ID, held.events, held.heads[4], home="anchors"
    )
    assert reader.head.position == -1
    held.cut_events(3)
    reader = await resume_or_begin(
        settings.require_kafka(), LOG_ID, held.events, held.heads[2], home="anchors"
    )
    assert reader.head == held.heads[2]


# --- a policy's commit --------------------------------------------------------------------------------------------


class Waits:
    """Waiting that takes no time: each wait does the next thing, and the last one stops."""

    def __init__(self, *things: Any) -> None:
        self.things = list(things)

    async def __call__(self, stop: asyncio.Event, _seconds: float) -> None:
        if not self.things:
            stop.set()
            return
        self.things.pop(0)()


async def again(settings: Settings, committed: Checkpoint) -> ChainReader | None:
    """What a policy goes on from."""
    return await decided_again(Follower(settings, "bidding", 0), committed, "the group g", asyncio.Event())


async def test_a_policy_waits_until_its_position_is_decided_again(
    settings: Settings, held: SealedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on when the same decision stands there; a repeat that stands between moves the record, not the decision."""
    committed = held.heads[4]
    records = held.records[held.events]
    lost = records[3:]
    held.cut_events(3)

    def comes(number: int) -> None:
        records.append(replace(lost[number], offset=len(records)))

    def repeated() -> None:
        records.append(replace(records[1], offset=len(records)))

    monkeypatch.setattr(forks, "wait", Waits(repeated, lambda: comes(0), lambda: comes(1)))
    reader = await again(settings, committed)
    assert reader is not None
    assert reader.head == Checkpoint(5, 4, committed.hash)


async def test_a_policy_stops_where_the_source_decided_otherwise(settings: Settings, held: SealedLog) -> None:
    """It has sent commands for what is no more: the sentence names the position and what to look at."""
    committed = held.heads[3]
    held.cut_events(3)
    held.seal_again(3, b"another answer")
    with pytest.raises(
        SourceForked, match=r"^source-forked: bidding/0/3 holds another decision .*loanstream explain"
    ):
        await again(settings, committed)


async def test_stop_ends_the_wait(
    settings: Settings, held: SealedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy whose position never comes back does not hold its process up."""
    committed = held.heads[4]
    held.cut_events(3)
    monkeypatch.setattr(forks, "wait", Waits())
    assert await again(settings, committed) is None


# --- the views' triples -------------------------------------------------------------------------------------------


class Positions:
    """The triples of generations in a database."""

    def __init__(self, triples: Mapping[str, Mapping[Partition, Checkpoint]]) -> None:
        self._triples = triples

    async def positions(self, keys: Sequence[str]) -> dict[str, Mapping[Partition, Checkpoint]]:
        """See Database."""
        return {key: self._triples[key] for key in keys}


async def test_views_of_a_lost_timeline_are_named(settings: Settings, held: SealedLog) -> None:
    """Those with a triple that the log does not hold, and no other; a view before its first record has lost nothing."""
    where = Partition("bidding", 0)
    triples = {
        "ahead#1": {where: held.heads[4]},
        "behind#1": {where: held.heads[1]},
        "new#1": {where: Checkpoint(-1, -1, b"")},
    }
    pointers = [Pointer(key.split("#")[0], "c", 1, 1) for key in triples]
    database: Any = Positions(triples)
    assert await lost_views.lost_views(settings, database, pointers) == frozenset()
    held.cut_events(3)
    assert await lost_views.lost_views(settings, database, pointers) == {"ahead"}
