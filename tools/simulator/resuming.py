"""No reader of the simulated log starts without a checked head either: the twin of `libs.runtime.checkpoint.resume`."""

from libs.events.chain import ChainReader, Checkpoint, genesis
from tools.simulator.log import Log, Place


def resume(log: Log, log_id: str, place: Place, checkpoint: Checkpoint | None) -> ChainReader:
    """A reader whose head is the checkpoint's record, or the genesis head. AssertionError when the log does not hold it."""
    if checkpoint is None or checkpoint.offset < 0:
        return ChainReader(genesis(log_id, place.topic, place.partition))
    found = log.record_at(place, checkpoint.offset)
    assert found is not None, f"the checkpoint {checkpoint} stands past the end of {place}"
    assert found.headers.get("hash") == checkpoint.hash, f"{place} holds another record at {checkpoint}"
    return ChainReader(checkpoint)
