"""A batch that rotted on the broker's disk: `verify` names its offset, and does not take it for a broker that is away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.parts import LocalParts, Parts
from libs.events.topics import DECIDING_SERVICES, commands_topic, events_topic
from libs.runtime.kafka import LogCorrupt, LogWriter, Place, create_topics, read_range
from libs.runtime.verify import verify
from tests.conftest import MakeSettings
from tools.faults.tamper import rot

_ROTTEN = 3


@pytest.fixture
def own(tmp_path: Path, parts: Parts) -> Iterator[LocalParts]:
    """A broker whose files this test may change, beside the database of all."""
    with LocalParts(tmp_path / "own", mongo=parts.mongo) as broker:
        yield broker


async def test_verify_names_the_offset_of_a_rotten_batch(
    own: LocalParts, make_settings: MakeSettings
) -> None:
    """Everything before it is read; the report's fault is the topic, the partition and the offset."""
    settings = make_settings(kafka=own.kafka, partitions=1, log_id="0" * 32)
    topics = [
        name(service, settings.topic_prefix)
        for service in DECIDING_SERVICES
        for name in (commands_topic, events_topic)
    ]
    await create_topics(own.kafka, topics, partitions=1, replication=1, configs={name: {} for name in topics})
    place = Place(commands_topic("bidding", settings.topic_prefix), 0)
    writer = LogWriter(own.kafka, client_id="test-rot")
    await writer.start()
    for number in range(6):
        await writer.send(place, key=b"acc_a", value=f"command {number}".encode())
    await writer.stop()
    await asyncio.to_thread(own.stop)
    [segment] = (own.data_dir / "kafka" / "log" / f"{place.topic}-0").glob("*.log")
    assert rot(segment, _ROTTEN) == _ROTTEN
    await asyncio.to_thread(own.start)

    report = await verify(settings, "bidding")
    assert not report.ok
    assert report.partitions[0].commands == _ROTTEN
    assert f"{place.topic}/0, offset {_ROTTEN}:" in report.partitions[0].faults[0]
    with pytest.raises(LogCorrupt):
        async for _ in read_range(own.kafka, place, _ROTTEN):
            pass
