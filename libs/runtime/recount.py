"""Is `S.commands` still what was decided? Asked before a partition decides again (design.md 2.4).

Positions are offsets of commands, so a commands topic that lost its tail, or holds other records, must stop its partition:
deciding on would give old positions to new commands.
"""

from libs.events.chain import Checkpoint
from libs.runtime.heads import key_if_any
from libs.runtime.kafka import Place, offsets, read_range
from libs.runtime.repair_marks import Marks, hash_of
from libs.runtime.settings import Settings

#: Decisions whose `command` hash is compared with the commands topic.
COMPARED = 1_000
_WHAT_TO_DO = "Stop the service and run `loanstream repair`, or restore the log from a copy: until then nothing is decided here."


async def lost_commands(settings: Settings, commands: Place, events: Place, head: Checkpoint) -> str | None:
    """None when the last decisions match their commands, else a sentence about what is missing. Raises LogUnavailable."""
    name = f"{commands.topic}/{commands.partition}"
    bootstrap = settings.require_kafka()
    _, end = (await offsets(bootstrap, [commands]))[commands]
    if end < head.position + 1:
        return (
            f"{name} ends at offset {end}, but decisions exist up to position {head.position}: commands were lost. "
            f"{_WHAT_TO_DO}"
        )
    decided: dict[int, bytes] = {}
    async for records in read_range(bootstrap, events, max(0, head.offset + 1 - COMPARED), head.offset + 1):
        for raw in records:
            if raw.headers.get("position", b"").isdigit() and "command" in raw.headers:
                decided.setdefault(int(raw.headers["position"]), raw.headers["command"])
    first = max(0, head.position + 1 - COMPARED)
    wrong: dict[int, bytes] = {}
    async for records in read_range(bootstrap, commands, first, head.position + 1):
        for raw in records:
            if decided.get(raw.offset, digest := hash_of(raw)) != digest:
                wrong[raw.offset] = digest
    if wrong:
        # a repair marks a position that holds something else behind it, at the latest at the topic's end
        marks = Marks(key_if_any(settings), settings.require_log_id(), commands)
        async for records in read_range(bootstrap, commands, min(wrong), end):
            for raw in records:
                marks.add(raw)
        for position, digest in sorted(wrong.items()):
            if not marks.excuse(position, decided=decided[position], found=digest):
                return f"{name} holds another command at offset {position} than the one that was decided there. {_WHAT_TO_DO}"
    return None
