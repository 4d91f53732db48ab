"""A live view is fed without a gap: what does not follow ends the process, which then reads on from MongoDB's positions."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from libs.events.bidding import AccountOpened
from libs.events.chain import Checkpoint
from libs.events.records import RawRecord, RecordedEvent
from libs.events.views import Op, Set, View
from libs.runtime.fed import DeliveryGap, Fed
from libs.runtime.feeding import LiveViews
from libs.runtime.generations import Generation, GenerationWrite, Pointer
from libs.runtime.kafka import Place
from libs.runtime.mongo import Database
from libs.runtime.projecting import EventsView, Partition, Projection
from libs.runtime.settings import load_settings
from tests.unit.runtime.chains import LOG_ID, Chain, opened

WHERE = Partition("bidding", 0)
PLACE = Place("bidding.events", 0)


def _project(event: RecordedEvent) -> Sequence[Op]:
    return [Set(event.data.account_id, "owner", event.data.owner)]


OWNERS = Projection(
    EventsView(View(name="bidding.owners", version=1, reads=(AccountOpened,), project=_project), ("bidding",))
)


class MemoryDatabase:
    """Database's calls of a projector, for one view that is read and stands at the beginning."""

    def __init__(self, start: Checkpoint) -> None:
        self.name = "memory"
        self.written: list[str] = []
        self._start = start
        self._generation = Generation("bidding.owners", 1, 1, "view.bidding.owners.1", "joined")

    async def pointers(self) -> dict[str, Pointer]:
        """See Database."""
        return {"bidding.owners": Pointer("bidding.owners", self._generation.collection, 1, 1)}

    async def generations(self, _views: Sequence[str]) -> list[Generation]:
        """See Database."""
        return [self._generation]

    async def positions(self, _keys: Sequence[str]) -> dict[str, dict[Partition, Checkpoint]]:
        """See Database."""
        return {self._generation.key: {WHERE: self._start}}

    async def commit(self, writes: Sequence[GenerationWrite]) -> None:
        """See Database."""
        self.written += [doc for write in writes for doc in write.changes]


async def _live(tmp_path: Path, chain: Chain) -> tuple[LiveViews, MemoryDatabase]:
    """A projector that has just been given the partition, with nothing read."""
    database = MemoryDatabase(chain.head)
    settings = load_settings(tmp_path, log_id=LOG_ID, kafka="127.0.0.1:1")
    live = LiveViews(settings, cast("Database", database), [OWNERS])
    assert await live.starts(frozenset({PLACE}), 1) == {PLACE: 0}
    return live, database


async def test_a_batch_that_skips_an_offset_is_a_gap(tmp_path: Path) -> None:
    """An offset too far ends the process before anything of it is applied; what came in order before it counts."""
    chain = Chain()
    live, database = await _live(tmp_path, chain)
    records = [chain.decided(opened(f"acc_{number}")) for number in range(3)]
    await live.handle([(PLACE, records[0])])
    with pytest.raises(DeliveryGap, match=r"bidding\.events/0: offset 2 came after 0"):
        await live.handle([(PLACE, records[2])])
    assert database.written == ["acc_0"]
    assert live.next_offsets() == {PLACE: 1}


async def test_what_is_delivered_again_is_no_gap(tmp_path: Path) -> None:
    """After a rebalance old records come once more: they are skipped, and so are those of a partition not ours."""
    chain = Chain()
    live, database = await _live(tmp_path, chain)
    records: list[RawRecord] = [chain.decided(opened(f"acc_{number}")) for number in range(2)]
    await live.handle([(PLACE, records[0])])
    await live.handle([(PLACE, records[0]), (PLACE, records[1]), (Place("bidding.events", 1), records[1])])
    assert database.written == ["acc_0", "acc_1"]


def _fed(chain: Chain, *, read: bool = True) -> Fed:
    generation = Generation("bidding.owners", 1, 1, "view.bidding.owners.1", "joined")
    return Fed(OWNERS, generation, read, {WHERE: chain.head}, {WHERE: chain.head})


def test_a_view_that_is_read_refuses_a_position_that_does_not_follow() -> None:
    """Its documents would miss what lies between, for ever; the sentence names the view and both places."""
    chain = Chain()
    fed = _fed(chain)
    first, second, third = (chain.accepted(opened(f"acc_{number}")) for number in range(3))
    assert fed.next_records([first, second]) == [first, second]
    with pytest.raises(DeliveryGap, match=r"bidding\.owners is at 0, but bidding/0/2 came next"):
        fed.next_records([first, third])


def test_a_view_that_is_not_read_yet_may_be_behind() -> None:
    """Its builder still brings it here: what does not follow is left to him, what is applied is skipped."""
    chain = Chain()
    fed = _fed(chain, read=False)
    first, second, third = (chain.accepted(opened(f"acc_{number}")) for number in range(3))
    assert fed.next_records([second, third]) == []
    fed.applied = {WHERE: first.checkpoint}
    assert fed.next_records([first, second, third]) == [second, third]
