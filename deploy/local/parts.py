"""Kafka and MongoDB for whoever needs them: given by address, started from wheels, or started in containers.

Nothing skips for want of a broker. `make_parts` picks the way that the settings ask for; tests, demo and `up` all come
through here.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from deploy.local.kafka import LocalKafka
from deploy.local.lock import DirectoryLock
from deploy.local.mongo import LocalMongo
from deploy.local.ports import choose
from deploy.local.processes import Child
from libs.runtime.errors import OperatorError
from libs.runtime.settings import PREFIX, Settings

_MIB = 1024 * 1024
_STOP_BELOW_MIB = 64

FreeBytes = Callable[[Path], int]
_Part = TypeVar("_Part", LocalKafka, LocalMongo)


class Parts(Protocol):
    """Where Kafka and MongoDB are, from start() to stop()."""

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""

    @property
    def mongo(self) -> str:
        """URI of a replica set."""

    def start(self) -> None:
        """Return when both can be used. Raises OperatorError with nothing left running."""

    def stop(self) -> None:
        """Stop what start() started; harmless when nothing runs."""

    def check(self) -> None:
        """Raises PartDied if one of them has ended."""


def make_parts(settings: Settings) -> Parts:
    """The parts that the settings ask for, not yet started."""
    if settings.parts == "containers" and not (settings.kafka and settings.mongo):
        from deploy.local.containers import ContainerParts

        return ContainerParts(kafka=settings.kafka, mongo=settings.mongo)
    return LocalParts(
        settings.data_dir, kafka=settings.kafka, mongo=settings.mongo, min_free_mib=settings.min_free_mib
    )


def free_bytes(directory: Path) -> int:
    """Free space on the disk of a directory, in bytes."""
    return shutil.disk_usage(directory).free


class LocalParts:
    """Kafka and MongoDB as child processes with their data under `data_dir`. A context manager.

    An address given as `kafka` or `mongo` is used instead of starting that part. The data directory is locked from
    start() to stop(), so that two stacks never share it. Blocking calls: from a coroutine use asyncio.to_thread. `broker`:
    further properties of the broker (deploy.local.kafka.LocalKafka).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        kafka: str | None = None,
        mongo: str | None = None,
        min_free_mib: int = 1024,
        free: FreeBytes = free_bytes,
        broker: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.logs_dir = self.data_dir / "logs"
        self._given = (kafka, mongo)
        self._min_free_mib = min_free_mib
        self._free = free
        self.broker = broker or {}
        self._lock = DirectoryLock(self.data_dir, "parts.lock")
        self._kafka: LocalKafka | None = None
        self._mongo: LocalMongo | None = None

    @property
    def kafka(self) -> str:
        """Bootstrap servers, host:port. Raises RuntimeError before start()."""
        return self._given[0] or _started(self._kafka).bootstrap

    @property
    def mongo(self) -> str:
        """URI with directConnection=true and the replica set's name. Raises RuntimeError before start()."""
        return self._given[1] or _started(self._mongo).uri

    @property
    def children(self) -> list[Child]:
        """The processes that run, in the order in which they are to be stopped: Kafka, then MongoDB."""
        parts = (self._kafka, self._mongo)
        return [part.child for part in parts if part is not None and part.child is not None]

    def start(self) -> None:
        """Return when both can be used: about 6 s the first time, 4 s afterwards.

        Raises OperatorError (a full disk, a missing permission, an occupied data directory, wrong jars) or PartDied,
        with nothing left running.
        """
        try:
            self._lock.take()
            self._require_space()
            ports = choose(["kafka", "kafka_controller", "mongo"], self.data_dir / "ports.json")
            if self._given[1] is None:  # MongoDB first: it comes up while the JVM still formats
                self._mongo = LocalMongo(self.data_dir, self.logs_dir, ports["mongo"])
                self._mongo.start()
            if self._given[0] is None:
                self._kafka = LocalKafka(
                    self.data_dir, self.logs_dir, ports["kafka"], ports["kafka_controller"], self.broker
                )
                self._kafka.start()
            for part in (self._mongo, self._kafka):
                if part is not None:
                    part.wait()
        except PermissionError as error:
            self.stop()
            raise OperatorError(
                f"{error.filename} cannot be written: give yourself the right to, or set {PREFIX}DATA_DIR to another directory."
            ) from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop Kafka, then MongoDB, and give the data directory free; harmless when nothing runs."""
        for child in self.children:
            child.stop()
        self._kafka = self._mongo = None
        self._lock.release()

    def check(self) -> None:
        """Raises PartDied, with the part's name, exit code and the end of its log, if one has ended.

        A disk that is about to be full is an OperatorError before anything dies of it: stopped now, all stop cleanly.
        """
        for child in self.children:
            child.check()
        free_mib = self._free(self.data_dir) // _MIB
        if self.children and free_mib < min(_STOP_BELOW_MIB, self._min_free_mib):
            raise OperatorError(
                f"The disk of {self.data_dir} is full ({free_mib} MiB left): everything was stopped while it still could "
                "be. Free some space and start again; nothing acknowledged is lost."
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _require_space(self) -> None:
        free_mib = self._free(self.data_dir) // _MIB
        if free_mib < self._min_free_mib:
            raise OperatorError(
                f"Only {free_mib} MiB are free on the disk of {self.data_dir}, and Kafka and MongoDB need {self._min_free_mib}: "
                f"free some space, or set {PREFIX}DATA_DIR to a directory on another disk."
            )


def _started(part: _Part | None) -> _Part:
    if part is None:
        raise RuntimeError("the parts are not started")
    return part
