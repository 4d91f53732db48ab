"""The local parts for real: a broker and a database that start, keep their data, explain their death and leave no trace."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from deploy.local.gateway import LocalGateway
from deploy.local.parts import LocalParts, Parts
from deploy.local.ports import choose
from deploy.local.processes import PartDied
from deploy.local.stack import answers
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import create_topics, describe_topics
from libs.runtime.mongo import COMMIT_LIMIT_S

_MEBIBYTE = 1024 * 1024


def _wait(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.05)


def _processes_in(directory: Path) -> list[str]:
    """Which of Kafka and MongoDB run with their files below the directory."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(directory) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found += [part for part in ("kafka.Kafka", "mongod") if part in line]
    return found


async def _append(bootstrap: str, topic: str, value: bytes) -> tuple[int, int]:
    """Append a record to partition 0; its offset and timestamp type (1 = the broker's clock)."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=9 * _MEBIBYTE
    )
    await producer.start()
    try:
        stored = await producer.send_and_wait(topic, value, partition=0)
        return stored.offset, stored.timestamp_type
    finally:
        await producer.stop()


async def _create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(topic, 4, 1, topic_configs={"max.message.bytes": str(8 * _MEBIBYTE)})]
        )
    finally:
        await admin.close()


async def test_the_broker_keeps_large_records_under_its_own_clock(parts: Parts) -> None:
    """A record just under 8 MiB is stored, stamped by the broker."""
    await _create_topic(parts.kafka, "local-parts-large")
    offset, timestamp_type = await _append(parts.kafka, "local-parts-large", b"x" * (8 * _MEBIBYTE - 2048))
    assert (offset, timestamp_type) == (0, 1)


async def test_a_topic_is_shown_when_it_is_said_to_be_made(parts: Parts) -> None:
    """Every time, though the broker answers before it shows: whoever describes it next finds it whole."""
    for number in range(10):
        names = [f"local-parts-made-{number}-{each}" for each in range(4)]
        configs: dict[str, dict[str, str]] = {name: {} for name in names}
        await create_topics(parts.kafka, names, partitions=3, replication=1, configs=configs)
        found = await describe_topics(parts.kafka, names)
        assert {name: topic.partitions for name, topic in found.items()} == dict.fromkeys(names, 3)
        await create_topics(parts.kafka, names, partitions=3, replication=1, configs=configs)


async def test_a_topic_that_the_broker_refuses_is_a_sentence(parts: Parts) -> None:
    """Three replicas on one broker: its own words, and not that somebody should make the topic."""
    with pytest.raises(OperatorError, match=r"does not make the topic .*eplication"):
        await create_topics(parts.kafka, ["too-safe"], partitions=1, replication=3, configs={"too-safe": {}})


async def test_topics_are_never_created_by_accident(parts: Parts) -> None:
    """Asking for a topic that nobody created does not create it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=parts.kafka)
    await consumer.start()
    try:
        consumer.assign([TopicPartition("never-created", 0)])
        assert "never-created" not in await consumer.topics()
    finally:
        await consumer.stop()


def test_a_dead_projectors_transaction_ends_before_its_successor_gives_up(parts: Parts) -> None:
    """The server looks for abandoned transactions at half of their limit; by then the successor must still be trying."""
    client: MongoClient[dict[str, int]] = MongoClient(parts.mongo)
    with client:
        shown = client["admin"].command({"getParameter": 1, "transactionLifetimeLimitSeconds": 1})
    assert 1.5 * shown["transactionLifetimeLimitSeconds"] < COMMIT_LIMIT_S


def test_the_database_has_transactions(parts: Parts) -> None:
    """MongoDB runs as a replica set: two writes commit together or not at all."""
    client: MongoClient[dict[str, int]] = MongoClient(parts.mongo)
    with client:
        views = client["local_parts"]["views"]
        views.insert_one({"before": 1})
        with client.start_session() as session, session.start_transaction():
            views.insert_one({"in": 1}, session=session)
            session.abort_transaction()
        assert views.count_documents({}) == 1


@pytest.mark.slow
async def test_a_stopped_stack_leaves_no_process_and_keeps_its_data(tmp_path: Path) -> None:
    """After stop() nothing runs; a second start on other ports finds the log and the documents of the first."""
    # a directory with a space and a comma, which Kafka's own file format would split at
    data_dir = tmp_path / "my data, kept"
    with LocalParts(data_dir) as first:
        await _create_topic(first.kafka, "kept")
        await _append(first.kafka, "kept", b"one")
        with MongoClient[dict[str, int]](first.mongo) as client:
            client["kept"]["documents"].insert_one({"one": 1})
        addresses = (first.kafka, first.mongo)
    assert _processes_in(tmp_path) == []
    with socket.socket() as taken_kafka, socket.socket() as taken_mongo:
        taken_kafka.bind(("127.0.0.1", int(addresses[0].split(":")[1])))
        taken_mongo.bind(("127.0.0.1", int(addresses[1].split(":")[2].split("/")[0])))
        with LocalParts(data_dir) as second:
            assert second.kafka != addresses[0]
            assert second.mongo != addresses[1]
            assert (await _append(second.kafka, "kept", b"two"))[0] == 1
            with MongoClient[dict[str, int]](second.mongo) as client:
                assert client["kept"]["documents"].count_documents({}) == 1
    assert _processes_in(tmp_path) == []


@pytest.mark.slow
def test_no_part_survives_the_kill_of_its_parent_and_the_next_start_works(tmp_path: Path) -> None:
    """kill -9 of whoever started the parts leaves no orphan and no lock behind."""
    code = (
        "import sys, time; from pathlib import Path; from deploy.local.parts import LocalParts\n"
        "parts = LocalParts(Path(sys.argv[1])); parts.start(); print('up', flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        with parent.stdout:
            assert parent.stdout.readline() == b"up\n"
        assert sorted(_processes_in(tmp_path)) == ["kafka.Kafka", "mongod"]
        with pytest.raises(OperatorError, match=rf"already runs on .* \(process {parent.pid}\)"):
            LocalParts(tmp_path).start()
    finally:
        parent.kill()
        parent.wait()
    _wait(lambda: _processes_in(tmp_path) == [])
    with LocalParts(tmp_path) as parts:
        parts.check()


@pytest.mark.slow
def test_a_killed_part_is_named(tmp_path: Path) -> None:
    """check() names the part that died and how; the rest still stops cleanly."""
    with LocalParts(tmp_path) as parts:
        victim = next(child for child in parts.children if child.name == "MongoDB")
        os.kill(victim.pid, signal.SIGKILL)
        _wait(lambda: not victim.alive)
        with pytest.raises(PartDied, match=r"MongoDB ended unexpectedly \(killed by SIGKILL\)"):
            parts.check()
    assert _processes_in(tmp_path) == []


@pytest.mark.slow
def test_a_disk_that_fills_up_stops_everything_while_it_still_can(tmp_path: Path) -> None:
    """When space runs out under a running stack, check() says so before Kafka or MongoDB die of it."""
    free = [100_000 * _MEBIBYTE]
    with LocalParts(tmp_path, free=lambda _directory: free[0]) as parts:
        parts.check()
        free[0] = 5 * _MEBIBYTE
        with pytest.raises(OperatorError, match=r"is full \(5 MiB left\).*Free some space"):
            parts.check()
        assert all(child.alive for child in parts.children)
    assert _processes_in(tmp_path) == []


class _Upstream(BaseHTTPRequestHandler):
    """A service that reads what it is sent and says which path it saw."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the test's output stays clean."""


def _post(port: int, path: str, body: bytes = b"") -> tuple[int, bytes, Message]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body=body)
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[int]:
    """Port of a gateway with one service behind it, `bidding`."""
    upstream = HTTPServer(("127.0.0.1", 0), _Upstream)
    serving = Thread(target=upstream.serve_forever)
    serving.start()
    port = choose(["gateway"], tmp_path / "ports.json")["gateway"]
    caddy = LocalGateway(tmp_path, tmp_path / "logs", port, {"bidding": upstream.server_port})
    try:
        caddy.start()
        yield port
    finally:
        caddy.child.stop()
        upstream.shutdown()
        serving.join()
        upstream.server_close()


def test_the_gateway_strips_nothing(gateway: int) -> None:
    """A service sees the path that the caller sent, under its own name, and hides what server it is."""
    assert answers(gateway, "/healthz")
    status, body, headers = _post(gateway, "/bidding/accounts?x=1", b"{}")
    assert (status, body, headers["Server"]) == (200, b"/bidding/accounts?x=1", None)


@pytest.mark.parametrize(
    ("path", "size", "status", "code"),
    [
        ("/nothing", 0, 404, "not_found"),
        ("/bidding", 0, 404, "not_found"),
        ("/reporting/figures", 0, 503, "service_unavailable"),
        ("/bidding/accounts", 256 * 1024 + 1, 413, "too_large"),
    ],
)
def test_the_gateway_refuses_in_the_shape_of_the_services(
    gateway: int, path: str, size: int, status: int, code: str
) -> None:
    """An unknown address, a service that does not run and a body too large are problem+json like everything else."""
    answered, body, headers = _post(gateway, path, b"x" * size)
    problem = json.loads(body)
    assert (answered, problem["status"], problem["type"]) == (
        status,
        status,
        f"urn:loanstream:problem:{code}",
    )
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Server"] is None
