"""A rebuilt generation is taken up by the live projector, however the builder and the writing of events race with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from libs.events.chain import Checkpoint
from libs.events.records import RawRecord
from libs.runtime import fed, feeding
from libs.runtime.feeding import LiveViews
from libs.runtime.generations import Generation, GenerationWrite, Overtaken, Pointer
from libs.runtime.mongo import Database
from libs.runtime.projecting import Partition
from libs.runtime.settings import load_settings
from tests.unit.runtime.chains import LOG_ID, Chain, opened
from tests.unit.runtime.test_feeding import OWNERS, PLACE, WHERE

READ, BUILT, SECOND = "bidding.owners#1", "bidding.owners#2", "bidding.owners#3"


class Generations:
    """Database's calls of a projector: one generation is read, two more can be joined and moved by builders."""

    def __init__(self, start: Checkpoint) -> None:
        self.name = "memory"
        self.triples = {READ: start}
        self.documents: dict[str, list[str]] = {READ: [], BUILT: [], SECOND: []}

    async def pointers(self) -> dict[str, Pointer]:
        """See Database."""
        return {"bidding.owners": Pointer("bidding.owners", "view.bidding.owners.1", 1, 1)}

    async def generations(self, _views: Sequence[str]) -> list[Generation]:
        """See Database."""
        return [
            Generation("bidding.owners", number, 1, f"view.bidding.owners.{number}", "joined")
            for number, key in ((1, READ), (2, BUILT), (3, SECOND))
            if key in self.triples
        ]

    async def positions(self, keys: Sequence[str]) -> dict[str, dict[Partition, Checkpoint]]:
        """See Database."""
        return {key: {WHERE: self.triples[key]} for key in keys}

    async def commit(self, writes: Sequence[GenerationWrite]) -> None:
        """See Database: all triples are compared first, then everything is written."""
        overtaken = [
            write.generation.key
            for write in writes
            for move in write.moves
            if self.triples[write.generation.key] != move.before
        ]
        if overtaken:
            raise Overtaken(overtaken)
        for write in writes:
            self.documents[write.generation.key] += write.changes
            for move in write.moves:
                self.triples[write.generation.key] = move.after


class Race:
    """A live projector, the log it reads, and a builder that has got as far as he is told."""

    def __init__(self, tmp_path: Path) -> None:
        self.chain = Chain()
        self.heads = [self.chain.head]
        self.database = Generations(self.chain.head)
        settings = load_settings(tmp_path, log_id=LOG_ID, kafka="127.0.0.1:1")
        self.live = LiveViews(settings, cast("Database", self.database), [OWNERS])
        self.written: list[RawRecord] = []
        self.opens: list[list[str]] = []
        """The accounts that each decision opens: the documents that it changes."""

    async def start(self) -> None:
        """The partition is assigned."""
        await self.live.starts(frozenset({PLACE}), 1)

    def write(self, records: int) -> list[RawRecord]:
        """So many more decisions stand in the log, each of which opens an account."""
        return [self._decided([f"acc_{len(self.written)}"]) for _ in range(records)]

    def _decided(self, accounts: list[str]) -> RawRecord:
        self.written.append(self.chain.decided(*map(opened, accounts)))
        self.heads.append(self.chain.head)
        self.opens.append(accounts)
        return self.written[-1]

    async def read(self, records: int) -> None:
        """So many decisions are written, and the projector reads them."""
        await self.live.handle([(PLACE, raw) for raw in self.write(records)])

    async def read_what_changes_nothing(self) -> None:
        """A decision without a document is written and read: the triples are stored with the next change."""
        await self.live.handle([(PLACE, self._decided([]))])

    def build_to(self, count: int, generation: str = BUILT) -> None:
        """The builder has folded the first `count` decisions."""
        self.database.documents[generation] = [name for names in self.opens[:count] for name in names]
        self.database.triples[generation] = self.heads[count]


@pytest.fixture
async def race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Race:
    """Every tick looks for what builders have done."""
    monkeypatch.setattr(feeding, "REFRESH_EVERY_S", 0.0)
    made = Race(tmp_path)
    await made.start()
    return made


async def test_a_builder_who_comes_from_behind_and_goes_past_is_believed(race: Race) -> None:
    """What was known of a generation while it was behind is forgotten: it is in step as soon as its builder was here."""
    await race.read(5)
    race.build_to(2)
    await race.live.tick()
    assert race.live.in_step() == []
    await race.read(1)
    race.build_to(6)
    await race.live.tick()
    assert race.live.in_step() == [BUILT]
    await race.read(2)
    assert race.database.documents[BUILT] == race.database.documents[READ]


async def test_a_builder_who_is_always_a_step_behind_is_met_half_way(race: Race) -> None:
    """While events keep coming he never reaches the live position by himself: the records since he was seen are kept."""
    await race.read(5)
    race.build_to(3)
    await race.live.tick()
    for _ in range(3):
        await race.read(4)
        race.build_to(len(race.written) - 2)
        await race.read(1)
        await race.live.tick()
        if race.live.in_step():
            break
    assert race.live.in_step() == [BUILT]
    await race.read(1)
    assert race.database.documents[BUILT] == race.database.documents[READ]
    assert race.database.triples[BUILT] == race.database.triples[READ] == race.heads[-1]


async def test_what_is_kept_for_a_builder_is_bounded(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """A builder who is further behind than what is kept is not fed with a gap; he is when he has come near."""
    monkeypatch.setattr(feeding, "KEPT_BYTES_MAX", 3 * len(race.write(1)[0].value))
    await race.live.handle([(PLACE, race.written[0])])
    race.build_to(0)
    await race.live.tick()
    await race.read(6)
    race.build_to(2)
    await race.live.tick()
    assert race.live.in_step() == []
    assert race.database.documents[BUILT] == ["acc_0", "acc_1"]
    race.build_to(5)
    await race.live.tick()
    assert race.live.in_step() == [BUILT]
    assert race.database.documents[BUILT] == race.database.documents[READ]


async def test_the_builder_may_be_faster_once_more(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody moves the generation between the look and the write: nothing is written twice, the next look goes on."""
    await race.read(5)
    race.build_to(3)
    await race.live.tick()
    await race.read(2)
    commit = race.database.commit

    async def beaten(writes: Sequence[GenerationWrite]) -> None:
        if any(write.generation.key == BUILT for write in writes):
            monkeypatch.setattr(race.database, "commit", commit)
            race.build_to(6)
        await commit(writes)

    race.build_to(5)
    monkeypatch.setattr(race.database, "commit", beaten)
    await race.live.tick()
    assert race.live.in_step() == []
    await race.live.tick()
    assert race.live.in_step() == [BUILT]
    assert race.database.documents[BUILT] == race.database.documents[READ]


async def test_a_generation_in_step_keeps_what_it_has_while_another_is_overtaken(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a batch everybody is behind what was read. Whose triple is not stored yet, because nothing changed,
    would be looked at anew there, forget the records in between and miss the batch."""
    monkeypatch.setattr(fed, "STORE_AFTER_S", 3600.0)
    await race.read(3)
    for generation in (BUILT, SECOND):
        race.build_to(3, generation)
    await race.live.tick()
    await race.read_what_changes_nothing()
    assert race.database.triples[BUILT] == race.heads[3], "else there is nothing to lose"
    batch = race.write(1)
    race.build_to(5, SECOND)
    await race.live.handle([(PLACE, raw) for raw in batch])
    accounts = ["acc_0", "acc_1", "acc_2", "acc_4"]
    assert race.database.documents == dict.fromkeys((READ, BUILT, SECOND), accounts)
    assert race.database.triples == dict.fromkeys((READ, BUILT, SECOND), race.heads[5])
    assert race.live.in_step() == [BUILT, SECOND]
