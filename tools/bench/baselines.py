"""What each figure is divided by: the least that a sound Python service could do in our place, on the same parts.

api PORT TOPIC          bare FastAPI on uvicorn: one POST, one record stored with acks=all, the answer
view PORT TOPIC         bare consumer: one record, one upsert of one document in MongoDB, w: majority
aiokafka|librdkafka TOPIC    read a topic from its beginning to its end and decode every value
"""

import asyncio
import json
import sys
import time
from contextlib import nullcontext
from typing import Any

import msgspec
import uvicorn
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as LibrdkafkaPartition
from fastapi import FastAPI
from pydantic import BaseModel

from libs.events.topics import TOPIC_MESSAGE_BYTES_MAX, partition_of
from libs.runtime.kafka import LogReader, LogWriter, Place
from libs.runtime.mongo import Database
from libs.runtime.process import listen
from libs.runtime.settings import Settings, load_settings

#: The collection of the bare view.
BARE_COLLECTION = "bare_view"


class AmountIn(BaseModel):
    """The body of a request."""

    amount_fen: int


class Stored(BaseModel):
    """The answer to it."""

    id: str


def bare_app(writer: LogWriter, topic: str, partitions: int) -> FastAPI:
    """The least that stores a request: no token, no key, no decision."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/accounts/{account}/top-ups", status_code=201)
    async def top_up(account: str, body: AmountIn) -> Stored:
        place = Place(topic, partition_of(account, partitions))
        offset = await writer.send(place, key=account.encode(), value=body.model_dump_json().encode())
        return Stored(id=f"{place.partition}/{offset}")

    _add_ready(app)
    return app


def _add_ready(app: FastAPI) -> None:
    @app.get("/readyz")
    async def ready() -> str:
        return "ready"


async def _serve(app: FastAPI, port: int) -> None:
    """As libs.runtime.process serves: the same server, the same socket."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    await server.serve(sockets=[listen(port)])


async def _api(settings: Settings, port: int, topic: str) -> None:
    writer = LogWriter(settings.require_kafka(), client_id="bare-api")
    await writer.start()
    await _serve(bare_app(writer, topic, settings.partitions), port)


async def _view(settings: Settings, port: int, topic: str) -> None:
    database = Database.connect(settings)
    documents = database.collection(BARE_COLLECTION)
    reader = LogReader(settings.require_kafka(), client_id="bare-view")
    await reader.start()
    reader.assign(await reader.ends([Place(topic, number) for number in range(settings.partitions)]))
    app = FastAPI(openapi_url=None)
    _add_ready(app)
    serving = asyncio.ensure_future(_serve(app, port))
    while not serving.done():
        for records in (await reader.poll(0.25)).values():
            for raw in records:
                value = json.loads(raw.value)
                await documents.update_one({"_id": value["id"]}, {"$set": value}, upsert=True)


class FirstRecord:
    """A clock that starts when the first records have come: a bare client's connecting and first fetch are not its speed."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None
        self._ended = (0.0, 0.0)

    def came(self) -> None:
        """Records have come and are not decoded yet."""
        if self._began is None:
            self._began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """All is decoded; closing the client is not counted either."""
        self._ended = time.perf_counter(), time.process_time()

    def told(self) -> tuple[float, float]:
        """Seconds and CPU seconds in between. Raises ValueError when nothing came."""
        if self._began is None:
            raise ValueError("no record came")
        return self._ended[0] - self._began[0], self._ended[1] - self._began[1]


async def _read_with_aiokafka(bootstrap: str, topic: str, partitions: int, clock: FirstRecord) -> int:
    """Records read and decoded by aiokafka's batches."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_partition_fetch_bytes=TOPIC_MESSAGE_BYTES_MAX,
    )
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(partitions)]
    ends = await consumer.end_offsets(places)
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    decode, left, read = msgspec.json.Decoder().decode, sum(ends.values()), 0
    while read < left:
        for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
            clock.came()
            for record in records:
                decode(record.value)
            read += len(records)
    clock.stop()
    await consumer.stop()
    return read


def _read_with_librdkafka(bootstrap: str, topic: str, partitions: int, clock: FirstRecord) -> int:
    """Records read and decoded by librdkafka's batches."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bare", "enable.auto.commit": False})
    places = [LibrdkafkaPartition(topic, number, 0) for number in range(partitions)]
    left = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
    consumer.assign(places)
    decode, read = msgspec.json.Decoder().decode, 0
    while read < left:
        messages = consumer.consume(5000, timeout=0.5)
        if messages:
            clock.came()
        for message in messages:
            decode(message.value() or b"")
            read += 1
    clock.stop()
    consumer.close()
    return read


def _timed(role: str, settings: Settings, topic: str) -> dict[str, Any]:
    bootstrap = settings.require_kafka()
    clock = FirstRecord()
    if role == "aiokafka":
        read = asyncio.run(_read_with_aiokafka(bootstrap, topic, settings.partitions, clock))
    else:
        read = _read_with_librdkafka(bootstrap, topic, settings.partitions, clock)
    seconds, cpu_s = clock.told()
    return {"records": read, "seconds": seconds, "cpu_s": cpu_s}


def main(argv: list[str]) -> None:
    """Be one baseline."""
    settings = load_settings()
    match argv:
        case ["api", port, topic]:
            asyncio.run(_api(settings, int(port), topic))
        case ["view", port, topic]:
            asyncio.run(_view(settings, int(port), topic))
        case [("aiokafka" | "librdkafka") as role, topic]:
            sys.stdout.write(json.dumps(_timed(role, settings, topic)) + "\n")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
