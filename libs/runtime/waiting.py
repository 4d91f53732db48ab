"""Waiting with an end: what every loop that also wants to stop does between two rounds."""

import asyncio


async def until_set(event: asyncio.Event, limit_s: float | None) -> None:
    """Wait for an event, no longer than so many seconds (None: as long as it takes)."""
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        pass
