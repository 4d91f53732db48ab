"""Following one partition's chain from its beginning, for whoever has no head to start from and must not guess one."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.records import RawRecord
from libs.events.topics import events_topic
from libs.runtime.kafka import Place, offsets, read_range
from libs.runtime.settings import Settings


class Follower:
    """Reads the accepted decisions of one partition, as far as the log goes each time it is asked."""

    def __init__(self, settings: Settings, service: str, partition: int) -> None:
        self._bootstrap = settings.require_kafka()
        self.service = service
        self.place = Place(events_topic(service, settings.topic_prefix), partition)
        self.chain = ChainReader(genesis(settings.require_log_id(), self.place.topic, partition))
        self._read_to = 0

    async def accepted(self) -> AsyncGenerator[RawRecord]:
        """What was accepted since the last time, up to the log's present end. Raises LogUnavailable."""
        end = (await offsets(self._bootstrap, [self.place]))[self.place][1]
        async with aclosing(read_range(self._bootstrap, self.place, self._read_to, end)) as batches:
            async for records in batches:
                for raw in records:
                    self._read_to = raw.offset + 1
                    if self.chain.read(raw) is Reading.ACCEPTED:
                        yield raw

    async def decision(self, position: int) -> RawRecord | None:
        """The decision at a position that was not read yet; None where the chain does not reach it now. Raises LogUnavailable."""
        found = None
        async for raw in self.accepted():
            if self.chain.head.position == position:
                found = raw
        return found
