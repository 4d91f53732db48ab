"""No reader of the simulated log starts without a checked head either: the twins of `libs.runtime.checkpoint` and `recovery`.

Most simulated logs are never cut; in those a head that the log does not hold is a bug, and whoever meets it fails.
"""

from hashlib import sha256

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.runtime.memory import DeciderMemory
from libs.runtime.store import MemoryStore
from tools.simulator.log import Log, Place

#: Decisions whose `command` hash is compared with the commands: see libs.runtime.recount.
COMPARED = 1_000


class LostTimeline(AssertionError):
    """The log does not hold the record that a checkpoint was taken at."""


def resume(log: Log, log_id: str, place: Place, checkpoint: Checkpoint | None) -> ChainReader:
    """A reader whose head is the checkpoint's record, or the genesis head. Raises LostTimeline."""
    if checkpoint is None or checkpoint.offset < 0:
        return ChainReader(genesis(log_id, place.topic, place.partition))
    found = log.record_at(place, checkpoint.offset)
    if found is None:
        raise LostTimeline(f"the checkpoint {checkpoint} stands past the end of {place}")
    if found.headers.get("hash") != checkpoint.hash:
        raise LostTimeline(f"{place} holds another record at {checkpoint}")
    return ChainReader(checkpoint)


def open_memory(
    log: Log, log_id: str, place: Place, store: MemoryStore
) -> tuple[MemoryStore, DeciderMemory, ChainReader]:
    """What a decider remembers; nothing where a cut log does not hold its head. Raises LostTimeline where nobody has cut."""
    memory = DeciderMemory(store)
    try:
        return store, memory, resume(log, log_id, place, memory.checkpoint())
    except LostTimeline:
        if not log.was_cut:
            raise
    store = MemoryStore()
    return store, DeciderMemory(store), resume(log, log_id, place, None)


def lost_commands(log: Log, commands: Place, events: Place, head: Checkpoint) -> str | None:
    """None when the last decisions match their commands, else what is wrong; asked of a cut log only."""
    if not log.was_cut:
        return None
    if log.end(commands) < head.position + 1:
        return f"commands end at {log.end(commands)}, decisions at {head.position}: commands were lost"
    decided: dict[int, bytes] = {}
    first = max(0, head.offset + 1 - COMPARED)
    for raw in log.records(events, first, head.offset + 1 - first):
        if raw.headers.get("position", b"").isdigit() and "command" in raw.headers:
            decided.setdefault(int(raw.headers["position"]), raw.headers["command"])
    for raw in log.records(commands, max(0, head.position + 1 - COMPARED), COMPARED):
        if decided.get(raw.offset, digest := sha256(raw.value).digest()) != digest:
            return f"another command at offset {raw.offset} than the one that was decided there"
    return None
