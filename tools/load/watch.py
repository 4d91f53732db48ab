"""Who decided what and when, seen from outside: the accepted decisions of bidding, for whoever kills deciders and counts."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.topics import events_topic
from libs.runtime.kafka import LogReader, Place
from libs.runtime.settings import Settings


@dataclass(slots=True)
class Watch:
    """Every accepted decision of bidding: when the broker stored it (ms since 1970), who made it, in which partition."""

    decided: list[tuple[int, str, int]] = field(default_factory=list)
    readings: Counter[Reading] = field(default_factory=Counter)
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    def owners(self, since_ms: int) -> dict[int, str]:
        """Partition -> who made its last decision, of those since a moment."""
        return {partition: by for at, by, partition in self.decided if at >= since_ms}

    def first_by(self, replica: str, since_ms: int) -> dict[int, int]:
        """Partition -> the first decision of a replica there since a moment."""
        found: dict[int, int] = {}
        for at, by, partition in self.decided:
            if by == replica and at >= since_ms:
                found.setdefault(partition, at)
        return found

    def longest_gap_ms(self, partition: int, since_ms: int) -> int:
        """The longest time without a decision in a partition."""
        times = [at for at, _, number in self.decided if number == partition and at >= since_ms]
        return max((later - earlier for earlier, later in pairwise(times)), default=0)


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Watch]:
    """Read the decisions of bidding beside everything, by the reader rule."""
    topic, log_id = events_topic("bidding", settings.topic_prefix), settings.require_log_id()
    places = [Place(topic, number) for number in range(settings.partitions)]
    chains = {place: ChainReader(genesis(log_id, topic, place.partition)) for place in places}
    reader, watch = LogReader(settings.require_kafka(), client_id="watch"), Watch()
    await reader.start()
    reader.assign(dict.fromkeys(places, 0))

    async def follow() -> None:
        while True:
            for place, records in (await reader.poll(0.2)).items():
                for raw in records:
                    reading = chains[place].read(raw)
                    watch.readings[reading] += 1
                    if reading is Reading.ACCEPTED:
                        watch.decided.append((raw.timestamp_ms, raw.headers["by"].decode(), place.partition))
                watch.grew.set()

    following = asyncio.create_task(follow())
    try:
        yield watch
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await reader.stop()


def now_ms() -> int:
    """The clock of this machine, which is the broker's."""
    return int(time.time() * 1000)
