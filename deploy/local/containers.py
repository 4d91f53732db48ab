"""The same parts from images, through testcontainers: LOANSTREAM_PARTS=containers on a machine with a Docker engine.

Without an engine this refuses in one sentence; it never falls back to something else than was asked for.
"""

import time
from contextlib import ExitStack
from typing import Any

from deploy.local.mongo import REPLICA_SET, TRANSACTION_LIMIT_S, administration, make_primary
from libs.runtime.errors import OperatorError
from libs.runtime.settings import PREFIX

# Kafka 4.x and the MongoDB that the wheels carry. testcontainers' own default image is Kafka 3.6.
KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"
MONGO_IMAGE = "mongo:6.0.5"
READY_LIMIT_S = 120.0

_BROKER = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE": "LogAppendTime",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_LOG_RETENTION_MS": "-1",
    "KAFKA_OFFSETS_RETENTION_MINUTES": "2147483647",
    "KAFKA_MESSAGE_MAX_BYTES": str(8 * 1024 * 1024 + 64 * 1024),
    "KAFKA_REPLICA_FETCH_MAX_BYTES": str(8 * 1024 * 1024 + 64 * 1024),
}


class ContainerParts:
    """Kafka and MongoDB as containers, as far as their address is not given."""

    def __init__(self, *, kafka: str | None = None, mongo: str | None = None) -> None:
        self._kafka = kafka
        self._mongo = mongo
        self._running = ExitStack()
        self._containers: dict[str, Any] = {}

    @property
    def kafka(self) -> str:
        """Bootstrap servers. Raises RuntimeError before start()."""
        return _started(self._kafka)

    @property
    def mongo(self) -> str:
        """URI of the replica set. Raises RuntimeError before start()."""
        return _started(self._mongo)

    def start(self) -> None:
        """Return when both can be used. Raises OperatorError when no Docker engine answers."""
        require_engine()
        try:
            if self._kafka is None:
                self._kafka = self._start_kafka()
            if self._mongo is None:
                self._mongo = self._start_mongo()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop and remove the containers."""
        self._running.close()
        self._containers.clear()

    def check(self) -> None:
        """Raises OperatorError if a container has ended."""
        for name, container in self._containers.items():
            wrapped = container.get_wrapped_container()
            wrapped.reload()
            if wrapped.status != "running":
                log = wrapped.logs(tail=12).decode(errors="replace")
                raise OperatorError(
                    f"The container of {name} is {wrapped.status}. The end of its log:\n{log}"
                )

    def _start_kafka(self) -> str:
        from testcontainers.community.kafka import KafkaContainer

        container = KafkaContainer(KAFKA_IMAGE).with_kraft()
        for name, value in _BROKER.items():
            container = container.with_env(name, value)
        self._containers["Kafka"] = self._running.enter_context(container)
        return str(container.get_bootstrap_server())

    def _start_mongo(self) -> str:
        # Not MongoDbContainer: that is a standalone with a user, and views need transactions (stack.md section 5).
        from testcontainers.core.container import DockerContainer

        container = (
            DockerContainer(MONGO_IMAGE)
            .with_command(
                f"--replSet {REPLICA_SET} --bind_ip_all --wiredTigerCacheSizeGB 0.5 "
                f"--setParameter transactionLifetimeLimitSeconds={TRANSACTION_LIMIT_S}"
            )
            .with_exposed_ports(27017)
        )
        self._containers["MongoDB"] = self._running.enter_context(container)
        base = f"mongodb://{container.get_container_host_ip()}:{container.get_exposed_port(27017)}/?directConnection=true"
        deadline = time.monotonic() + READY_LIMIT_S
        with administration(base) as client:
            while not make_primary(client, "127.0.0.1:27017"):
                if time.monotonic() > deadline:
                    raise OperatorError(
                        f"MongoDB's container was not ready after {READY_LIMIT_S:.0f} seconds."
                    )
                time.sleep(0.1)
        return f"{base}&replicaSet={REPLICA_SET}"


def require_engine() -> None:
    """Raises OperatorError unless a Docker engine answers a ping."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=5)
        try:
            client.ping()
        finally:
            client.close()
    except DockerException as error:
        raise OperatorError(
            f"{PREFIX}PARTS=containers needs a Docker engine and none answers ({str(error)[:120]}). "
            f"Start Docker or set DOCKER_HOST; or unset {PREFIX}PARTS to run Kafka and MongoDB without Docker."
        ) from None


def _started(address: str | None) -> str:
    if address is None:
        raise RuntimeError("the parts are not started")
    return address
