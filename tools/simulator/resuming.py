"""No reader of the simulated log starts without a checked head either: the twins of `libs.runtime.checkpoint`.

Most simulated logs are never cut; in those a head that the log does not hold is a bug, and whoever meets it fails.
"""

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.runtime import checkpoint as rule
from tools.simulator.log import Log, Place


class LostTimeline(Exception):
    """The log was cut and does not hold the record that a checkpoint was taken at."""


def resume(log: Log, log_id: str, place: Place, checkpoint: Checkpoint | None) -> ChainReader:
    """A reader whose head is the checkpoint's record, or the genesis head. Raises LostTimeline."""
    if checkpoint is None or checkpoint.offset < 0:
        return ChainReader(genesis(log_id, place.topic, place.partition))
    if not is_held(log, place, checkpoint):
        assert place in log.was_cut, f"{place} was never cut and does not hold {checkpoint}"
        raise LostTimeline(f"{place} does not hold {checkpoint}")
    return ChainReader(checkpoint)


def is_held(log: Log, place: Place, checkpoint: Checkpoint) -> bool:
    """Whether the log holds the record that a checkpoint was taken at."""
    return rule.stands(log.record_at(place, checkpoint.offset), checkpoint)
