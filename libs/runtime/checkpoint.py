"""No reader starts without a head: the one way to go on from a kept checkpoint.

A checkpoint has three homes (the decider's store, MongoDB, Kafka commit metadata). Whatever its home, the record at its
offset must still have its hash; otherwise the log's timeline was lost and what was built on it must be thrown away.
"""

from libs.events.chain import ChainReader, Checkpoint, genesis
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place, record_at


class LostTimeline(OperatorError):
    """The log no longer holds the record that a checkpoint was taken at. The sentence names the store to delete."""


async def resume(
    bootstrap: str, log_id: str, place: Place, checkpoint: Checkpoint | None, *, home: str
) -> ChainReader:
    """A reader whose head is the checkpoint's record, or the genesis head when there is none.

    `home` says in words where the checkpoint is kept and how to delete it, for the error. Raises LostTimeline, LogUnavailable.
    """
    if checkpoint is None or checkpoint.offset < 0:
        return ChainReader(genesis(log_id, place.topic, place.partition))
    found = await record_at(bootstrap, place, checkpoint.offset)
    if found is None or found.headers.get("hash") != checkpoint.hash:
        raise LostTimeline(
            f"Delete {home} and start again; it is rebuilt from the log. It was built on a record at offset "
            f"{checkpoint.offset} of {place.topic}/{place.partition} that the log does not hold: the log was cut or replaced."
        )
    return ChainReader(checkpoint)
