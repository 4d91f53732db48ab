"""A policy on a source that has lost its tail: it waits, because it has sent commands for what was there.

The source's decider decides the lost tail again from its commands, which gives the same decisions. If it does not, the
commands that this policy has sent are the consequence of something that never was, and a person must look.
"""

import asyncio
from contextlib import aclosing
from typing import Final

import structlog

from libs.events.chain import ChainReader, Checkpoint
from libs.runtime.errors import OperatorError
from libs.runtime.following import Follower
from libs.runtime.restarts import wait

log = structlog.get_logger()

_LOOK_EVERY_S: Final = 0.5


class SourceForked(OperatorError):
    """At a committed position the source has decided something else than before."""


async def decided_again(
    follower: Follower, committed: Checkpoint, home: str, stop: asyncio.Event
) -> ChainReader | None:
    """A reader at a committed position, once the source has decided it again as it was; None when stopped before.

    The record may stand at another offset than before. Raises SourceForked, LogUnavailable.
    """
    while not stop.is_set():
        async with aclosing(follower.accepted()) as records:
            async for _ in records:
                head = follower.chain.head
                if head.position == committed.position:
                    return ChainReader(_same(follower, head, committed, home))
        await wait(stop, _LOOK_EVERY_S)
    return None


def _same(follower: Follower, head: Checkpoint, committed: Checkpoint, home: str) -> Checkpoint:
    if head.hash == committed.hash:
        return head
    address = f"{follower.service}/{follower.place.partition}/{head.position}"
    log.error("source-forked", home=home, position=address)
    raise SourceForked(
        f"source-forked: {address} holds another decision than the one that {home} has sent commands for. Look with `loanstream "
        f"explain {address}` at what is decided now, settle what was sent before, then delete the commits of {home} and start again."
    )
