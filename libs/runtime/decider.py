"""The decider's shell on Kafka: reads commands, appends decisions, tails its own events, starts over after any doubt.

Per process one consumer of commands, one of events and one producer; per partition a loop (`partition_loop.py`).
"""

import asyncio
import time

import structlog

from libs.events.chain import Checkpoint
from libs.events.records import RawRecord
from libs.runtime.attempts import HangWatch
from libs.runtime.decider_links import Tails, Writers
from libs.runtime.kafka import LogReader, LogUnavailable, Place
from libs.runtime.partition_loop import PartitionLoop
from libs.runtime.replicas import ReplicaTable, load_table, watch_table
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tail import Tail, TailReader

log = structlog.get_logger()


class DeciderRole:
    """Decides all partitions of one service in this process."""

    def __init__(self, settings: Settings, service: Service, tail: Tail) -> None:
        self._settings = settings
        self._service = service
        self._tail = tail
        self._table = load_table(settings)
        self._hang_watch = HangWatch()
        self._loops = [
            PartitionLoop(
                settings,
                service,
                partition,
                self._table.assignment(service.name, partition),
                self._hang_watch,
            )
            for partition in range(settings.partitions)
        ]
        self._by_place = {place: loop for loop in self._loops for place in (loop.commands, loop.events)}
        self._caught_up = False

    async def run(self, stop: asyncio.Event) -> None:
        """Recover, then decide until stopped. Raises OperatorError and LogUnavailable."""
        tails = Tails(self._settings, self._service, self._tail)
        writers = Writers(self._settings, self._service)
        await tails.start()
        try:
            await self._recover(tails, stop)
            self._caught_up = not stop.is_set()
            self._hang_watch.start()  # not before: a store that takes long to open is no decision
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tail_events(tails.events, stop))
                group.create_task(self._tail_commands(tails.commands, stop))
                group.create_task(watch_table(self._settings, self._table, stop, self._take_table))
                for loop in self._loops:
                    if loop.halted is None:
                        group.create_task(loop.run(stop, tails, writers))
        finally:
            self._hang_watch.stop()
            await writers.close()
            await tails.stop()
            for loop in self._loops:
                loop.close()

    def ready(self) -> tuple[bool, str]:
        """Caught up, and no partition halted, held back, starting over or waiting longer than the stall limit.

        A standby is ready when it is caught up: then it can take over.
        """
        if not self._caught_up:
            return False, "recovering"
        halted = [loop for loop in self._loops if loop.halted]
        if halted:
            return False, f"partition {halted[0].partition} is halted: {halted[0].halted}"
        held_back = [loop for loop in self._loops if loop.role.held_back]
        if held_back:
            return False, (
                f"nobody decides partition {held_back[0].partition}: rules {self._service.rules} are older than the "
                f"log's {held_back[0].role.head_rules}"
            )
        in_doubt = [loop for loop in self._loops if loop.is_in_doubt]
        if in_doubt:
            return False, f"partition {in_doubt[0].partition} starts over"
        oldest = min(
            (since for loop in self._loops if (since := loop.waiting_since_ms) is not None), default=None
        )
        if (
            oldest is not None
            and time.time() - oldest / 1000 > self._settings.stall_s + self._settings.confirm_timeout_s
        ):
            return False, "commands wait without progress"
        return True, ""

    def heads(self) -> dict[int, Checkpoint]:
        """The last accepted decision of each partition that has recovered."""
        return {loop.partition: loop.decider.head for loop in self._loops if hasattr(loop, "decider")}

    async def _recover(self, tails: Tails, stop: asyncio.Event) -> None:
        """Fold the log to its end. After `stop` it is left as it is: the tail that delivers has ended, too."""
        for loop in self._loops:
            await loop.recover()
        tails.events.assign({loop.events: loop.read_to for loop in self._loops})
        ends = await tails.events.ends([loop.events for loop in self._loops])
        while any(loop.read_to < ends[loop.events] for loop in self._loops):
            if stop.is_set():
                return
            for place, records in (await tails.events.poll(0.5)).items():
                self._by_place[place].take_events(records)
        for loop in self._loops:
            await loop.check_commands()
            if loop.halted is None:
                loop.begin()
        tails.commands.assign(
            {loop.commands: loop.decider.next_position for loop in self._loops if loop.halted is None}
        )

    async def _tail_events(self, reader: TailReader, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for place, records in (await reader.poll(0.25)).items():
                self._by_place[place].take_events(records)

    def _take_table(self, table: ReplicaTable) -> None:
        self._table = table
        for loop in [loop for loop in self._loops if loop.halted is None]:
            loop.assign(table.assignment(self._service.name, loop.partition))

    async def _tail_commands(self, reader: LogReader, stop: asyncio.Event) -> None:
        paused: set[Place] = set()
        while not stop.is_set():
            for place, records in (await _poll(reader)).items():
                if self._by_place[place].take_commands(records):
                    reader.pause(place)
                    paused.add(place)
            for place in [place for place in paused if self._by_place[place].wants_commands]:
                reader.resume(place)
                paused.discard(place)


async def _poll(reader: LogReader) -> dict[Place, list[RawRecord]]:
    try:
        return await reader.poll(0.25, 500)
    except LogUnavailable as error:  # the client reconnects by itself; nothing is lost by asking again
        log.warning("broker_unavailable", cause=str(error))
        await asyncio.sleep(0.5)
        return {}
