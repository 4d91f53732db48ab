"""Is `S.commands` still what was decided? Asked before a partition decides again (design.md 2.4).

Positions are offsets of commands, so a commands topic that lost its tail, or holds other records, must stop its partition:
deciding on would give old positions to new commands.
"""

from hashlib import sha256

from libs.events.chain import Checkpoint
from libs.runtime.kafka import Place, offsets, read_range

#: Decisions whose `command` hash is compared with the commands topic.
COMPARED = 1_000


async def lost_commands(bootstrap: str, commands: Place, events: Place, head: Checkpoint) -> str | None:
    """None when the last decisions match their commands, else a sentence about what is missing. Raises LogUnavailable."""
    name = f"{commands.topic}/{commands.partition}"
    _, end = (await offsets(bootstrap, [commands]))[commands]
    if end < head.position + 1:
        return (
            f"{name} ends at offset {end}, but decisions exist up to position {head.position}: commands were lost. "
            "Restore the topic before this partition decides again."
        )
    decided: dict[int, bytes] = {}
    async for records in read_range(bootstrap, events, max(0, head.offset + 1 - COMPARED), head.offset + 1):
        for raw in records:
            if raw.headers.get("position", b"").isdigit() and "command" in raw.headers:
                decided.setdefault(int(raw.headers["position"]), raw.headers["command"])
    first = max(0, head.position + 1 - COMPARED)
    async for records in read_range(bootstrap, commands, first, head.position + 1):
        for raw in records:
            if decided.get(raw.offset, digest := sha256(raw.value).digest()) != digest:
                return (
                    f"{name} holds another command at offset {raw.offset} than the one that was decided there. Restore the "
                    "topic before this partition decides again."
                )
    return None
