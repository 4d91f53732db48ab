"""The process's shared tail: who reads slowly, leaves or joins further back costs the others no record and no standstill."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from libs.events.records import RawRecord
from libs.runtime import tail as module
from libs.runtime.kafka import OffsetMissing, Place
from libs.runtime.tail import UNREAD_MAX, Tail, TailReader
from tests.unit.runtime.edge_world import until

ONE, TWO = Place("bidding.events", 0), Place("bidding.events", 1)
MANY = UNREAD_MAX * 2 + 500


class Consumer:
    """The process's consumer on topics in memory: it honours pauses and seeks as a broker's client does."""

    def __init__(self) -> None:
        self.logs: dict[Place, list[RawRecord]] = {ONE: [], TWO: []}
        self.paused: set[Place] = set()
        self.is_cut = False
        self._next: dict[Place, int] = {}

    def write(self, place: Place, count: int) -> None:
        """Append records."""
        log = self.logs[place]
        log += [RawRecord(len(log) + number, None, b"", {}) for number in range(count)]

    async def start(self) -> None:
        """See LogReader."""

    async def stop(self) -> None:
        """See LogReader."""

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """See LogReader."""
        return {place: len(self.logs[place]) for place in places}

    def assign(self, starts: Mapping[Place, int]) -> None:
        """See LogReader."""
        self._next = dict(starts)

    def seek(self, place: Place, offset: int) -> None:
        """See LogReader."""
        self._next[place] = offset

    def pause(self, place: Place) -> None:
        """See LogReader."""
        assert place not in self.paused, "paused twice"
        self.paused.add(place)

    def resume(self, place: Place) -> None:
        """See LogReader."""
        self.paused.remove(place)

    async def poll(self, timeout_s: float, records_max: int = 1000) -> dict[Place, list[RawRecord]]:
        """See LogReader."""
        await asyncio.sleep(min(timeout_s, 0.001))
        if self.is_cut:
            raise OffsetMissing("the log was cut")
        found: dict[Place, list[RawRecord]] = {}
        for place, start in self._next.items():
            records = self.logs[place][start : start + records_max]
            if records and place not in self.paused:
                found[place] = records
                self._next[place] += len(records)
        return found


class Bench:
    """A running tail and the consumer below it."""

    def __init__(self, tail: Tail, consumer: Consumer) -> None:
        self.tail = tail
        self.consumer = consumer

    def reader(self, **starts: int) -> TailReader:
        """A reader that has joined at these offsets of `one` and `two`."""
        reader = self.tail.reader()
        reader.assign({{"one": ONE, "two": TWO}[name]: start for name, start in starts.items()})
        return reader


@asynccontextmanager
async def tailing(monkeypatch: pytest.MonkeyPatch, *, one: int = 0, two: int = 0) -> AsyncIterator[Bench]:
    """A tail that runs over two partitions which hold so many records."""
    consumer = Consumer()
    consumer.write(ONE, one)
    consumer.write(TWO, two)
    monkeypatch.setattr(module, "LogReader", lambda *_arguments, **_named: consumer)
    tail, stop = Tail("nowhere", [ONE, TWO], client_id="t"), asyncio.Event()
    running = asyncio.create_task(tail.run(stop))
    await tail.started()
    try:
        yield Bench(tail, consumer)
    finally:
        stop.set()
        await asyncio.wait_for(running, 5)


async def read(reader: TailReader, place: Place, count: int) -> list[int]:
    """The offsets of the next `count` records of a partition, which come within five seconds."""
    offsets: list[int] = []
    async with asyncio.timeout(5):
        while len(offsets) < count:
            offsets += [raw.offset for raw in (await reader.poll(0.05)).get(place, ())]
    return offsets


async def test_a_slow_reader_pauses_its_partition_and_loses_nobody_a_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the limit nothing more is fetched; once it has read, both readers get every record, each once, in order."""
    async with tailing(monkeypatch, one=MANY) as bench:
        quick, slow = bench.reader(one=0), bench.reader(one=0)
        await until(lambda: ONE in bench.consumer.paused)
        assert UNREAD_MAX < slow.unread(ONE) <= UNREAD_MAX + 2_000
        offsets = await read(quick, ONE, slow.unread(ONE))
        assert (await quick.poll(0.05), bench.consumer.paused) == ({}, {ONE})
        offsets_of_slow, rest = await asyncio.gather(
            read(slow, ONE, MANY), read(quick, ONE, MANY - len(offsets))
        )
        assert offsets_of_slow == offsets + rest == list(range(MANY))
        assert bench.consumer.paused == set()


async def test_a_pause_holds_one_partition_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is behind in one partition still gets the other."""
    async with tailing(monkeypatch, one=MANY) as bench:
        behind = bench.reader(one=0, two=0)
        await until(lambda: ONE in bench.consumer.paused)
        bench.consumer.write(TWO, 3)
        await until(lambda: behind.unread(TWO) == 3)


async def test_who_leaves_takes_his_pause_with_him(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy group that leaves with thousands unread and comes back holds nobody up: both read to the end."""
    async with tailing(monkeypatch, one=MANY) as bench:
        decider, policy = bench.reader(one=0), bench.reader(one=0)
        await until(lambda: ONE in bench.consumer.paused)
        had = await read(decider, ONE, decider.unread(ONE))
        await policy.stop()
        policy = bench.reader(one=0)
        offsets, rest = await asyncio.gather(read(policy, ONE, MANY), read(decider, ONE, MANY - len(had)))
        assert offsets == had + rest == list(range(MANY))


async def test_who_joins_anew_has_nothing_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that assigns again drops what it had; the partition that it held is fetched again from its new place."""
    async with tailing(monkeypatch, one=MANY) as bench:
        reader = bench.reader(one=0)
        await until(lambda: ONE in bench.consumer.paused)
        reader.assign({ONE: 7})
        assert await read(reader, ONE, MANY - 7) == list(range(7, MANY))


async def test_who_leaves_does_not_end_the_pause_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as one is far behind, nothing more is fetched, whoever else comes or goes."""
    async with tailing(monkeypatch, one=MANY) as bench:
        slow, other = bench.reader(one=0), bench.reader(one=0)
        await until(lambda: ONE in bench.consumer.paused)
        await other.stop()
        bench.reader(one=100)
        assert bench.consumer.paused == {ONE}
        unread = slow.unread(ONE)
        await asyncio.sleep(0.05)
        assert slow.unread(ONE) == unread


async def test_who_joins_further_back_costs_the_others_no_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer goes back for one reader; the others get neither a second copy nor a gap."""
    async with tailing(monkeypatch, one=50) as bench:
        first = bench.reader(one=40)
        assert await read(first, ONE, 10) == list(range(40, 50))
        second = bench.reader(one=5)
        assert await read(second, ONE, 45) == list(range(5, 50))
        bench.consumer.write(ONE, 4)
        assert await read(first, ONE, 4) == await read(second, ONE, 4) == [50, 51, 52, 53]


async def test_who_has_left_is_given_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that stopped collects no records for nobody."""
    async with tailing(monkeypatch) as bench:
        gone, here = bench.reader(one=0), bench.reader(one=0)
        await gone.stop()
        bench.consumer.write(ONE, 3)
        assert await read(here, ONE, 3) == [0, 1, 2]
        assert gone.unread(ONE) == 0


async def test_gathering_ends_when_every_partition_has_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that gathers returns with the last partition's first record, long before its patience ends."""
    async with tailing(monkeypatch) as bench:
        reader = bench.reader(one=0, two=0)
        bench.consumer.write(ONE, 1)
        asyncio.get_running_loop().call_later(0.05, bench.consumer.write, TWO, 1)
        async with asyncio.timeout(5):
            batch = await reader.poll(1, gather_s=60)
        assert {place: len(records) for place, records in batch.items()} == {ONE: 1, TWO: 1}


async def test_gathering_waits_no_longer_than_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one partition stays quiet, the other's records come after `gather_s`, not after `timeout_s`."""
    async with tailing(monkeypatch) as bench:
        reader = bench.reader(one=0, two=0)
        bench.consumer.write(ONE, 2)
        before = time.monotonic()
        async with asyncio.timeout(5):
            batch = await reader.poll(60, gather_s=0.05)
        assert time.monotonic() - before >= 0.05
        assert {place: len(records) for place, records in batch.items()} == {ONE: 2}


async def test_a_partition_that_is_not_tailed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role that asks for another topic is told so; it does not wait for ever."""
    async with tailing(monkeypatch) as bench:
        with pytest.raises(ValueError, match=r"^repayment.events/0 is not tailed by this process$"):
            bench.tail.reader().assign({Place("repayment.events", 0): 0})


async def test_a_cut_log_is_told_to_every_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits and who asks later both hear that the log no longer holds their place."""
    async with tailing(monkeypatch) as bench:
        early, late = bench.reader(one=0), bench.reader(one=0)
        waiting = asyncio.create_task(early.poll(5))
        bench.consumer.is_cut = True
        with pytest.raises(OffsetMissing):
            await waiting
        with pytest.raises(OffsetMissing):
            await late.poll(0.01)


async def test_a_reader_takes_up_one_partition_and_drops_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it reads besides goes on as it is; what it takes up begins where it says, and what it drops comes no more."""
    async with tailing(monkeypatch, one=3, two=5) as bench:
        reader = bench.reader(one=0)
        assert await read(reader, ONE, 3) == [0, 1, 2]
        reader.seek(TWO, 2)
        assert await read(reader, TWO, 3) == [2, 3, 4]
        reader.seek(TWO, 4)
        reader.drop(ONE)
        bench.consumer.write(ONE, 2)
        bench.consumer.write(TWO, 1)
        assert await read(reader, TWO, 2) == [4, 5]
        assert reader.unread(ONE) == 0


async def test_what_is_dropped_unread_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that was no longer fetched because of one slow reader is fetched again when he leaves it to others."""
    async with tailing(monkeypatch, one=MANY) as bench:
        slow = bench.reader(one=0)
        await until(lambda: bench.consumer.paused == {ONE})
        slow.drop(ONE)
        assert bench.consumer.paused == set()
        other = bench.reader(one=MANY)
        bench.consumer.write(ONE, 1)
        assert await read(other, ONE, 1) == [MANY]
