"""The decider's memory on disk: the only module that names rocksdict.

A store is a shortcut, never a truth: everything in it can be folded again from `S.events`, so deleting it is always allowed.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

from pydantic_core import to_json
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBatch
from sortedcontainers import SortedDict

from libs.events.codec import adapter
from libs.events.deciding import Aggregate
from libs.runtime.errors import OperatorError


class Store(Protocol):
    """Ordered bytes to bytes with an atomic batch write."""

    def get(self, key: bytes) -> bytes | None:
        """The value under a key."""

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All entries whose key starts with the prefix, in the order of their keys."""

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Put, or delete where the value is None: all or nothing."""

    def close(self) -> None:
        """Release it."""


class MemoryStore:
    """A store for the simulation; `copy` is what a crash leaves behind."""

    def __init__(self, entries: Mapping[bytes, bytes] | None = None) -> None:
        self._entries: SortedDict[bytes, bytes] = SortedDict(entries or {})

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        return self._entries.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        for key in self._entries.irange(minimum=prefix):
            if not key.startswith(prefix):
                return
            yield key, self._entries[key]

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """See Store."""
        for key, value in changes.items():
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value

    def close(self) -> None:
        """See Store."""

    def copy(self) -> "MemoryStore":
        """The same entries in a new store."""
        return MemoryStore(self._entries)


class RocksStore:
    """RocksDB through rocksdict: bytes in and out, a small block cache, Bloom filters for ids that are mostly new."""

    def __init__(self, path: Path) -> None:
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        table = BlockBasedOptions()
        table.set_block_cache(Cache(32 * 1024 * 1024))
        table.set_bloom_filter(10, False)
        options.set_block_based_table_factory(table)
        options.set_write_buffer_size(16 * 1024 * 1024)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = Rdict(str(path), options)
        except Exception as error:  # rocksdict raises bare Exception for every failure to open
            raise OperatorError(
                f"The store {path} cannot be opened ({error}). If another process uses it, stop that one; "
                "otherwise delete the directory: it is rebuilt from the log."
            ) from error

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        found = self._db.get(key)
        return None if found is None else bytes(found)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """See Store."""
        for key, value in cast(
            Iterator[tuple[bytes, bytes]], self._db.items(from_key=prefix)
        ):  # raw mode: bytes only
            if not key.startswith(prefix):
                return
            yield key, value

    def write(self, changes: Mapping[bytes, bytes | None]) -> None:
        """See Store."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._db.write(batch)

    def close(self) -> None:
        """See Store."""
        self._db.close()


def schema_name(aggregates: tuple[Aggregate, ...]) -> str:
    """A short hash of the states' JSON Schemas: a store made for other states is simply not found."""
    schemas = {aggregate.name: adapter(aggregate.state).json_schema() for aggregate in aggregates}
    return hashlib.sha256(to_json(schemas)).hexdigest()[:12]


def store_path(
    data_dir: Path, topic: str, replica: str, partition: int, aggregates: tuple[Aggregate, ...]
) -> Path:
    """Where one partition's store lives; stores of other schemas beside it are removed by `drop_outdated`.

    Two replicas may share a data directory, never a store.
    """
    return data_dir / "stores" / topic / replica / f"{partition}-{schema_name(aggregates)}"


def drop_outdated(path: Path) -> None:
    """Delete stores of the same partition that were made for other states' schemas."""
    partition = path.name.split("-", 1)[0]
    for other in path.parent.glob(f"{partition}-*"):
        if other != path:
            shutil.rmtree(other)
