"""Is `S.commands` still what was decided? Asked before a partition decides again (design.md 2.4).

Positions are offsets of commands, so a commands topic that lost its tail, or holds other records, must stop its partition:
deciding on would give old positions to new commands.
"""

import asyncio
from hashlib import sha256

from libs.events.chain import Checkpoint
from libs.runtime.kafka import LogReader, LogUnavailable, Place

#: Decisions whose `command` hash is compared with the commands topic.
COMPARED = 1_000


async def lost_commands(bootstrap: str, commands: Place, events: Place, head: Checkpoint) -> str | None:
    """None when the last decisions match their commands, else a sentence about what is missing. Raises LogUnavailable."""
    reader = LogReader(bootstrap, client_id="loanstream-recount")
    await reader.start()
    try:
        end = (await reader.ends([commands]))[commands]
        if end < head.position + 1:
            return (
                f"{commands.topic}/{commands.partition} ends at offset {end}, but decisions exist up to position "
                f"{head.position}: commands were lost. Restore the topic before this partition decides again."
            )
        if head.position < 0:
            return None
        first = max(0, head.position + 1 - COMPARED)
        decided = await _decided(reader, events, max(0, head.offset + 1 - COMPARED), head.offset + 1)
        async with asyncio.timeout(60):
            for offset, digest in await _commands(reader, commands, first, head.position + 1):
                if decided.get(offset, digest) != digest:
                    return (
                        f"{commands.topic}/{commands.partition} holds another command at offset {offset} than the one that was "
                        "decided there. Restore the topic before this partition decides again."
                    )
        return None
    except TimeoutError as error:
        raise LogUnavailable(
            "the last decisions could not be compared with their commands in 60 s"
        ) from error
    finally:
        await reader.stop()


async def _decided(reader: LogReader, events: Place, start: int, end: int) -> dict[int, bytes]:
    """Position -> hash of the decided command, of the records between two offsets."""
    reader.assign({events: start})
    found: dict[int, bytes] = {}
    offset = start
    while offset < end:
        for raw in (await reader.poll(0.5)).get(events, []):
            offset = raw.offset + 1
            if raw.offset < end and raw.headers.get("position", b"").isdigit() and "command" in raw.headers:
                found.setdefault(int(raw.headers["position"]), raw.headers["command"])
    return found


async def _commands(reader: LogReader, commands: Place, start: int, end: int) -> list[tuple[int, bytes]]:
    reader.assign({commands: start})
    found: list[tuple[int, bytes]] = []
    offset = start
    while offset < end:
        for raw in (await reader.poll(0.5)).get(commands, []):
            offset = raw.offset + 1
            if raw.offset < end:
                found.append((raw.offset, sha256(raw.value).digest()))
    return found
