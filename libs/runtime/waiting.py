"""Waiting with an end: what every loop that also wants to stop does between two rounds."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_set(event: asyncio.Event, limit_s: float | None) -> None:
    """Wait for an event, no longer than so many seconds (None: as long as it takes)."""
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        pass


async def ended(work: Coroutine[Any, Any, None]) -> bool:
    """Wait for others' work to end; False where it ended as cancelled although nobody cancels us. Raises what it raises.

    A CancelledError that a library lets out of a task of its own would end its caller, too, and a task group takes that for
    an ordinary end: a part of the process would be gone, and nobody told.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.cancelled():
        return False
    task.result()
    return True
