"""Opening what a decider remembers: its store, the triple in it, and a reader that goes on from there.

A store of a lost timeline is thrown away: the partition is folded from offset 0, and what the log has lost is decided again
from the commands, which gives the same decisions.
"""

import shutil
from pathlib import Path

import structlog

from libs.events.chain import ChainReader
from libs.runtime.checkpoint import LostTimeline, resume
from libs.runtime.kafka import Place
from libs.runtime.memory import DeciderMemory
from libs.runtime.settings import Settings
from libs.runtime.store import RocksStore

log = structlog.get_logger()


async def open_memory(
    settings: Settings, path: Path, events: Place
) -> tuple[RocksStore, DeciderMemory, ChainReader]:
    """The store of one partition, or a new one where the log does not hold its head. Raises OperatorError, LogUnavailable."""
    try:
        return await _open(settings, path, events)
    except LostTimeline as lost:
        log.warning("store_thrown_away", store=str(path), cause=str(lost))
        shutil.rmtree(path)
        return await _open(settings, path, events)


async def _open(
    settings: Settings, path: Path, events: Place
) -> tuple[RocksStore, DeciderMemory, ChainReader]:
    store = RocksStore(path)
    memory = DeciderMemory(store)
    try:
        reader = await resume(
            settings.require_kafka(),
            settings.require_log_id(),
            events,
            memory.checkpoint(),
            home=f"the store {path}",
        )
    except BaseException:
        store.close()
        raise
    return store, memory, reader
