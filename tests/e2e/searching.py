"""A search of everything that a stack keeps or shows: every byte of its topics, database, logs, stores and metrics.

Each place is one text of bytes with a name that says where it is; a needle is looked for as it is, as JSON would escape it,
and as plain hashes of it, because whoever knows all phone numbers reads a hash of one.
"""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from deploy.local.parts import LocalParts, Parts
from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings
from libs.runtime.store import RocksStore

_INTERNAL = "__consumer_offsets"
_COPIES_MAX = 5


@dataclass
class Found:
    """What a search came to: how many texts of each kind were looked at, and where which needle stood."""

    looked_at: dict[str, int] = field(default_factory=dict)
    bytes_read: int = 0
    hits: list[tuple[str, str, str]] = field(default_factory=list)

    def kinds_with(self, needle: str) -> set[str]:
        """In which kinds of places a needle stood."""
        return {kind for kind, _, found in self.hits if found == needle}


@dataclass(frozen=True)
class Haystack:
    """Where to look. `topic_prefix` limits the topics; the broker's own topic of commits is always among them."""

    kafka: str
    topic_prefix: str
    mongo: str
    databases: tuple[str, ...]
    logs: tuple[Path, ...]
    stores: Path
    metrics: Mapping[str, str]
    """Addresses by the process's name."""


def everything(settings: Settings, parts: Parts, *more_logs: Path) -> Haystack:
    """Everything of a running stack, and the logs of the parts that it runs on."""
    logs = [settings.logs_dir, *([parts.logs_dir] if isinstance(parts, LocalParts) else []), *more_logs]
    return Haystack(
        kafka=settings.require_kafka(),
        topic_prefix=settings.topic_prefix,
        mongo=settings.require_mongo(),
        databases=(settings.mongo_database,),
        logs=tuple(logs),
        stores=settings.data_dir / "stores",
        metrics={name: f"http://127.0.0.1:{port}/metrics" for name, port in settings.api_ports.items()},
    )


def forms(needle: str) -> list[bytes]:
    """How a word may stand in bytes."""
    plain = needle.encode()
    escaped = json.dumps(needle)[1:-1].encode()
    hashes = [hashlib.new(name, plain).hexdigest().encode() for name in ("md5", "sha1", "sha256")]
    return [*dict.fromkeys([plain, escaped]), *hashes]


async def search(where: Haystack, needles: Iterable[str], scratch: Path) -> Found:
    """Look for every needle in every place. `scratch` is an empty directory for copies."""
    found, wanted = Found(), {needle: forms(needle) for needle in needles}

    def look(kind: str, place: str, content: bytes) -> None:
        found.looked_at[kind] = found.looked_at.get(kind, 0) + 1
        found.bytes_read += len(content)
        for needle, written in wanted.items():
            if any(form in content for form in written):
                found.hits.append((kind, place, needle))

    async for place, content in _records(where):
        look("topics", place, content)
    for place, content in await asyncio.to_thread(lambda: list(_documents(where))):
        look("mongo", place, content)
    for directory in where.logs:
        for file in sorted(path for path in directory.rglob("*") if path.is_file()):
            look("logs", str(file), file.read_bytes())
    for place, content in _entries(where.stores, scratch):
        look("stores", place, content)
    for name, address in where.metrics.items():
        content = await asyncio.to_thread(lambda address=address: urlopen(address, timeout=10).read())  # type: ignore[misc]  # noqa: S310
        look("metrics", name, content)
    return found


async def _records(where: Haystack) -> AsyncIterator[tuple[str, bytes]]:
    """Every record of every partition: key, value and headers."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=where.kafka,
        enable_auto_commit=False,
        auto_offset_reset="none",
        exclude_internal_topics=False,
    )
    await consumer.start()
    try:
        partitions = await _partitions(where)
        consumer.assign(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition, offset in beginnings.items():
            consumer.seek(partition, offset)
        left = {partition for partition in partitions if ends[partition] > beginnings[partition]}
        async with asyncio.timeout(120):
            while left:
                batch = await consumer.getmany(timeout_ms=500)
                for partition, records in batch.items():
                    for record in records:
                        headers = b"".join(
                            name.encode() + b"=" + (value or b"") for name, value in record.headers
                        )
                        content = b"\n".join((record.key or b"", record.value or b"", headers))
                        yield f"{partition.topic}/{partition.partition}@{record.offset}", content
                # compacted or transactional records leave gaps: how far the reader has come says more than what it got
                left = {each for each in left if await consumer.position(each) < ends[each]}
    finally:
        await consumer.stop()


async def _partitions(where: Haystack) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=where.kafka)
    await admin.start()
    try:
        described = await admin.describe_topics()
    finally:
        await admin.close()
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        if topic["topic"] == _INTERNAL or topic["topic"].startswith(where.topic_prefix)
        for partition in topic["partitions"]
    )


def _documents(where: Haystack) -> Iterator[tuple[str, bytes]]:
    """Every document of every collection as the server sends it, and the replication log, which remembers what was deleted."""
    with MongoClient[RawBSONDocument](where.mongo, document_class=RawBSONDocument) as client:
        for database in (*where.databases, "local"):
            names = ["oplog.rs"] if database == "local" else client[database].list_collection_names()
            for name in sorted(names):
                for document in client[database][name].find({}):
                    if database != "local" or any(ours.encode() in document.raw for ours in where.databases):
                        yield f"{database}.{name}", bytes(document.raw)


def _entries(stores: Path, scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Every entry of every decider's store, read from a copy: a store in use is locked."""
    for store in sorted(path.parent for path in stores.rglob("CURRENT")):
        copy = scratch / "store"
        opened = _opened_copy(store, copy)
        try:
            for key, value in opened.scan(b""):
                yield str(store), key + b"\n" + value
        finally:
            opened.close()
            shutil.rmtree(copy)


def _opened_copy(store: Path, copy: Path, attempts: int = _COPIES_MAX) -> RocksStore:
    """A store that may be written to while it is copied: then it is copied again."""
    try:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(store, copy)
        (copy / "LOCK").unlink(missing_ok=True)
        return RocksStore(copy)
    except (OSError, shutil.Error, OperatorError):
        if attempts == 1:
            raise
        return _opened_copy(store, copy, attempts - 1)
