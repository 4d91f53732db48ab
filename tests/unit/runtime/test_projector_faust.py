"""Faust on its short lead: the settings that keep it from losing or owning anything, and the one agent."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mode.supervisors import CrashingSupervisor

from libs.runtime import faust_worker
from libs.runtime.faust_worker import Delivered, FaustFeed
from libs.runtime.kafka import Place


class Sink:
    """What a feed hands out, and whether it raises."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.batches: list[list[int]] = []
        self._fails_at = fails_at

    async def handle(self, batch: Sequence[Delivered]) -> None:
        """Keep the offsets of a batch."""
        if len(self.batches) == self._fails_at:
            raise ValueError("broken")
        self.batches.append([raw.offset for _, raw in batch])

    async def starts(self, places: frozenset[Place], assignment: int) -> Mapping[Place, int]:
        """Never asked here."""
        raise AssertionError(places, assignment)

    async def revoked(self) -> None:
        """Never asked here."""


def feed(sink: Sink, path: Path) -> FaustFeed:
    """A feed that is not connected to anything."""
    return FaustFeed(
        group="g",
        bootstrap="127.0.0.1:1,127.0.0.1:2",
        topics=["a.events", "b.events"],
        data_dir=path,
        hold_ms=25,
        starts=sink.starts,
        handle=sink.handle,
        revoked=sink.revoked,
    )


class Stream:
    """A stream of messages as Faust gives it to an agent; it remembers what was acknowledged."""

    def __init__(self, offsets: Sequence[int], assignment: int = 1, size: int = 1) -> None:
        self.app = SimpleNamespace(consumer_generation_id=1)
        self.channel = SimpleNamespace(queue=asyncio.Queue[Any]())
        self.acknowledged: list[int] = []
        for offset in offsets:
            message = SimpleNamespace(
                topic="a.events",
                partition=0,
                offset=offset,
                key=None,
                value=b"v" * size,
                headers=[("h", b"1")],
                timestamp=1.5,
                generation_id=assignment,
            )
            self.channel.queue.put_nowait(SimpleNamespace(message=message))

    def noack(self) -> "Stream":
        """Nothing is acknowledged by itself."""
        return self

    async def events(self) -> AsyncIterator[Any]:
        """What waits, then nothing."""
        while not self.channel.queue.empty():
            yield self.channel.queue.get_nowait()

    async def ack(self, event: Any) -> None:
        """Remember."""
        self.acknowledged.append(event.message.offset)


async def test_faust_owns_no_position_declares_no_topic_and_serves_nothing(tmp_path: Path) -> None:
    """The rules of stack.md that are settings."""
    app = feed(Sink(), tmp_path)._app()
    conf: Any = app.conf
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.consumer_auto_offset_reset == "none"
    assert (conf.topic_allow_declare, conf.topic_disable_leader, conf.web_enabled) == (False, True, False)
    assert (conf.broker_session_timeout, conf.broker_heartbeat_interval) == (10.0, 3.0)
    assert [str(broker) for broker in conf.broker] == ["kafka://127.0.0.1:1", "kafka://127.0.0.1:2"]
    assert not app.tables


async def test_there_is_one_agent_and_its_death_is_the_apps(tmp_path: Path) -> None:
    """Over all topics, one at a time, and never restarted behind our back."""
    [agent] = feed(Sink(), tmp_path)._app().agents.values()
    assert agent.concurrency == 1
    assert agent.supervisor_strategy is CrashingSupervisor
    assert tuple(agent.channel.topics) == ("a.events", "b.events")


async def test_batches_are_acknowledged_after_they_were_handled(tmp_path: Path) -> None:
    """What waits is handled together, each record whole, and acknowledged last."""
    sink, stream = Sink(), Stream(range(5))
    await feed(sink, tmp_path)._agent(stream)
    assert sink.batches == [[0, 1, 2, 3, 4]]
    assert stream.acknowledged == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("size", "expected"), [(1, [3, 3, 1]), (40, [3, 3, 1]), (60, [2, 2, 2, 1]), (500, [1] * 7)]
)
async def test_a_batch_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, expected: list[int]
) -> None:
    """By records and by bytes; a record that is larger than the bound is handled alone."""
    monkeypatch.setattr(faust_worker, "BATCH_RECORDS_MAX", 3)
    monkeypatch.setattr(faust_worker, "BATCH_BYTES_MAX", 120)
    sink = Sink()
    await feed(sink, tmp_path)._agent(Stream(range(7), size=size))
    assert [len(batch) for batch in sink.batches] == expected


async def test_nothing_is_acknowledged_when_the_handler_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch that failed, and all after it, will be delivered again."""
    monkeypatch.setattr(faust_worker, "BATCH_RECORDS_MAX", 2)
    sink, stream = Sink(fails_at=1), Stream(range(6))
    fed = feed(sink, tmp_path)
    with pytest.raises(ValueError, match="broken"):
        await fed._agent(stream)
    assert stream.acknowledged == [0, 1]
    with pytest.raises(ValueError, match="broken"):
        await fed._failure


async def test_messages_of_an_older_assignment_are_left_to_their_new_owner(tmp_path: Path) -> None:
    """What was fetched before the partitions were taken away is neither handled nor acknowledged."""
    sink, stream = Sink(), Stream(range(3), assignment=0)
    await feed(sink, tmp_path)._agent(stream)
    assert stream.acknowledged == []
    assert [offset for batch in sink.batches for offset in batch] == []


async def test_a_failing_start_ends_the_feed(tmp_path: Path) -> None:
    """Whoever runs the feed is told why there was no place to start from."""
    fed = feed(Sink(), tmp_path)
    with pytest.raises(AssertionError):
        await fed.starts(frozenset(), 1)
    with pytest.raises(AssertionError):
        await fed._failure
