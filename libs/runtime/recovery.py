"""Opening what a decider remembers: its store, the triple in it, and a reader that goes on from there."""

from pathlib import Path

from libs.events.chain import ChainReader
from libs.runtime.checkpoint import resume
from libs.runtime.kafka import Place
from libs.runtime.memory import DeciderMemory
from libs.runtime.settings import Settings
from libs.runtime.store import RocksStore


async def open_memory(
    settings: Settings, path: Path, events: Place
) -> tuple[RocksStore, DeciderMemory, ChainReader]:
    """The store of one partition, checked against its log. Raises LostTimeline, OperatorError, LogUnavailable."""
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
