"""No reader starts without a head: the one way to go on from a kept checkpoint.

A checkpoint has three homes (the decider's store, MongoDB, Kafka commit metadata). Whatever its home, the record at its
offset must still have its hash; otherwise the log's timeline was lost and what was built on it is thrown away: the decider
its store (recovery), a view its generation (projector), the API its anchor. A policy has sent commands for it: it waits.
"""

from contextlib import aclosing

import structlog

from libs.events.chain import ChainReader, Checkpoint, Reading, genesis
from libs.events.records import RawRecord
from libs.runtime.errors import PassingTrouble
from libs.runtime.kafka import OffsetMissing, Place, offsets, read_range, record_at

log = structlog.get_logger()


class LostTimeline(PassingTrouble):
    """The log no longer holds the record that a checkpoint was taken at. Whoever starts anew meets it in a way he can mend."""


async def resume(
    bootstrap: str, log_id: str, place: Place, checkpoint: Checkpoint | None, *, home: str
) -> ChainReader:
    """A reader whose head is the checkpoint's record, or the genesis head when there is none.

    `home` says in words where the checkpoint is kept, for the error. Raises LostTimeline, LogUnavailable.
    """
    if checkpoint is None or checkpoint.offset < 0:
        return ChainReader(genesis(log_id, place.topic, place.partition))
    if not await is_held(bootstrap, place, checkpoint):
        raise LostTimeline(
            f"The log was cut or replaced: {home} was built on a record at offset {checkpoint.offset} of "
            f"{place.topic}/{place.partition} that it does not hold. Start again: it is rebuilt from the log."
        )
    return ChainReader(checkpoint)


async def is_held(bootstrap: str, place: Place, checkpoint: Checkpoint) -> bool:
    """Whether the log holds the record that a checkpoint was taken at. Raises LogUnavailable."""
    return stands(await record_at(bootstrap, place, checkpoint.offset), checkpoint)


def stands(found: RawRecord | None, checkpoint: Checkpoint) -> bool:
    """Whether what is found at a checkpoint's offset is the record that it was taken at: the offset alone proves nothing."""
    return found is not None and found.headers.get("hash") == checkpoint.hash


async def is_last(bootstrap: str, place: Place, head: Checkpoint, read_to: int) -> bool:
    """Whether the log still holds a head and everything read behind it, and nothing of that fits. Raises LogUnavailable.

    A reader that finds only foreign records asks: the log may have been cut and have grown again since it read the head, or
    since it read the repeats behind it. Then what it waits for stands where it has already been.
    """
    if head.offset >= 0 and not await is_held(bootstrap, place, head):
        return False
    _, end = (await offsets(bootstrap, [place]))[place]
    if end < read_to:
        return False
    chain = ChainReader(head)
    try:
        async with aclosing(read_range(bootstrap, place, head.offset + 1, read_to)) as batches:
            async for records in batches:
                if any(chain.read(raw) is Reading.ACCEPTED for raw in records):
                    return False
    except OffsetMissing:  # cut this moment
        return False
    return True


async def resume_or_begin(
    bootstrap: str, log_id: str, place: Place, checkpoint: Checkpoint | None, *, home: str
) -> ChainReader:
    """Like `resume`, for a checkpoint that only spares reading: where it is lost, from the beginning. Raises LogUnavailable."""
    try:
        return await resume(bootstrap, log_id, place, checkpoint, home=home)
    except LostTimeline as lost:
        log.warning("timeline_lost", home=home, cause=str(lost))
        return ChainReader(genesis(log_id, place.topic, place.partition))
