"""Commands read ahead of deciding have a bound, in number and in bytes."""

import asyncio
from pathlib import Path

import pytest

from libs.events.records import RawRecord
from libs.runtime import command_queue as module
from libs.runtime.decider import DeciderRole
from libs.runtime.kafka import Place
from libs.runtime.service import Service
from libs.runtime.settings import load_settings
from tests.unit.runtime.broker import Broker, Follower, Shared
from tests.unit.runtime.edge_world import until
from tests.unit.runtime.jars import JARS, Bench, jars_are_known

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["jars_are_known"]

COMMANDS = Place("bidding.commands", 0)


class Flood(Follower):
    """A consumer of a partition that has commands without end; it brings none while the partition is paused."""

    def __init__(self, broker: Broker, size: int) -> None:
        super().__init__(broker)
        self._size = size
        self._paused: set[Place] = set()
        self._offset = 0
        self.pauses = 0

    def pause(self, place: Place) -> None:
        """See LogReader."""
        self._paused.add(place)
        self.pauses += 1

    def resume(self, place: Place) -> None:
        """See LogReader."""
        self._paused.discard(place)

    async def poll(
        self, _timeout_s: float, records_max: int = 1000, *, gather_s: float = 0.0
    ) -> dict[Place, list[RawRecord]]:
        """See LogReader."""
        await asyncio.sleep(gather_s)
        if self._paused:
            return {}
        start, self._offset = self._offset, self._offset + min(records_max, 2**20 // self._size + 1)
        return {COMMANDS: [RawRecord(n, b"", b"x" * self._size, {}) for n in range(start, self._offset)]}


@pytest.mark.parametrize("size", [100, 256 * 1024])
async def test_commands_read_ahead_have_a_bound(keys: Path, size: int) -> None:
    """However many and large they are, a partition that cannot decide holds no more than its bound and one fetch."""
    broker = Broker()
    settings = load_settings(keys, kafka="127.0.0.1:1", log_id="0" * 32, partitions=1)
    role = DeciderRole(settings, Service(name="bidding", aggregates=(JARS,)), Shared(broker))  # type: ignore[arg-type]
    [loop] = role._loops
    loop.decider = Bench().decider
    reader = Flood(broker, size)
    stop = asyncio.Event()
    reading = asyncio.create_task(role._tail_commands(reader, stop))  # type: ignore[arg-type]
    await until(lambda: reader.pauses == 1)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(loop._queue) <= module.QUEUED_MAX + 500
    assert loop._queue.bytes <= module.QUEUED_BYTES_MAX + 2**20 + size
    loop._queue.clear()
    await until(lambda: reader.pauses == 2)
    stop.set()
    await asyncio.wait_for(reading, 5)
