"""`loanstream repair`: a partition whose decided commands were lost can take commands again.

The decisions stand in `S.events` and hold everything that counts; only the bytes of the commands are gone. Two things must
not happen: a new command at an old position, which nobody would ever decide, and a command lost that came after the cut and was
acknowledged there. So the missing positions are filled with marked placeholders, and what came to stand at a decided position
is appended once more behind them. What stays is said by `verify`: so many positions repaired.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID, uuid5

from libs.events.codec import Undecodable, decode, encode
from libs.events.records import CommandEnvelope, RawRecord
from libs.events.topics import commands_topic
from libs.runtime.errors import OperatorError
from libs.runtime.export import chosen_services
from libs.runtime.following import Follower
from libs.runtime.heads import signing_key
from libs.runtime.kafka import LogWriter, Place, offsets, read_range
from libs.runtime.repair_marks import Marks, hash_of, mark, placeholder
from libs.runtime.settings import Settings
from libs.runtime.unexpected import RETRY_FINGERPRINT

_MOVED_IDS: Final = UUID("51a2f6a3-8f3a-5b0b-9d6a-7a9b1f0c2e64")

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Displaced:
    """A record that stands at a decided position without being its command. `again` is the value to append for it."""

    position: int
    found: bytes
    key: bytes | None
    again: bytes


@dataclass(slots=True)
class Damage:
    """What is wrong with one partition: positions `missing_from` to before `next_position` hold nothing."""

    service: str
    commands: Place
    next_position: int
    end: int
    decided: list[bytes] = field(default_factory=list)
    displaced: list[Displaced] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many decided commands have nothing at their offset."""
        return max(0, self.next_position - self.end)

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to repair."""
        return not self.missing and not self.displaced


async def repair(
    settings: Settings, service: str | None, *, yes: bool, progress: Progress = lambda *_: None
) -> list[Damage]:
    """Look at every partition of one service, or of all; with `yes` repair what is damaged. Gives what was found damaged.

    No process of the service may run meanwhile. Raises OperatorError for damage that is no cut tail, LogUnavailable.
    """
    found: list[Damage] = []
    places = [
        (name, partition) for name in chosen_services(service) for partition in range(settings.partitions)
    ]
    for number, (name, partition) in enumerate(places):
        progress(number, len(places), f"{name}/{partition}")
        damage = await look(settings, name, partition)
        if not damage.is_whole:
            found.append(damage)
    if yes and found:
        writer = LogWriter(settings.require_kafka(), client_id="loanstream-repair")
        await writer.start()
        try:
            for number, damage in enumerate(found):
                progress(number, len(found), f"repairing {damage.service}/{damage.commands.partition}")
                await _mend(settings, writer, damage)
        finally:
            await writer.stop()
    return found


async def look(settings: Settings, service: str, partition: int) -> Damage:
    """Compare every decision of a partition with its command. Raises OperatorError for damage that is no cut tail."""
    bootstrap = settings.require_kafka()
    follower = Follower(settings, service, partition)
    decided: list[bytes] = []
    ids: set[bytes] = set()
    async for raw in follower.accepted():
        decided.append(raw.headers.get("command", b""))
        ids.add(raw.headers.get("command-id", b""))
    place = Place(commands_topic(service, settings.topic_prefix), partition)
    end = (await offsets(bootstrap, [place]))[place][1]
    damage = Damage(service, place, follower.chain.next_position, end, decided)
    marks = Marks(signing_key(settings).public_key(), settings.require_log_id(), place)
    wrong: dict[int, RawRecord] = {}
    below: dict[tuple[str, str, int], int] = {}
    async for records in read_range(bootstrap, place, 0, end):
        for raw in records:
            marks.add(raw)
            if raw.offset >= damage.next_position:
                _note_line(below, raw)
            elif hash_of(raw) != decided[raw.offset]:
                wrong[raw.offset] = raw
    excused = {
        position
        for position, raw in wrong.items()
        if marks.excuse(position, decided=decided[position], found=hash_of(raw))
    }
    open_ones = [raw for position, raw in wrong.items() if position not in excused]
    _require_tail(damage, {raw.offset for raw in open_ones}, excused)
    damage.displaced = [
        Displaced(raw.offset, hash_of(raw), raw.key, _again(raw, ids, below)) for raw in open_ones
    ]
    return damage


def _require_tail(damage: Damage, wrong: set[int], excused: set[int]) -> None:
    """A tail that was cut and grew again is wrong up to its end; anything else is damage of another kind."""
    last = min(damage.end, damage.next_position)
    if wrong and any(position not in wrong | excused for position in range(min(wrong), last)):
        raise OperatorError(
            f"{damage.commands.topic}/{damage.commands.partition} holds another command at offset {min(wrong)} than the one that "
            "was decided, and right ones behind it: that is no cut tail, and nothing was changed. Restore the log from a copy."
        )


def _note_line(below: dict[tuple[str, str, int], int], raw: RawRecord) -> None:
    """Remember the highest `stored_below` of the commands that wait behind the damage."""
    envelope = _envelope(raw)
    if envelope is not None and envelope.source is not None and envelope.stored_below is not None:
        key = (envelope.source.group, envelope.source.topic, envelope.source.partition)
        below[key] = max(below.get(key, -1), envelope.stored_below.position)


def _again(raw: RawRecord, ids: set[bytes], below: Mapping[tuple[str, str, int], int]) -> bytes:
    """The value to append for a displaced record. What is no command is refused there, as it would have been.

    A policy's command is appended as it is, unless one that waits already says that everything up to it was stored: the
    decider would drop it by that word, which was true when it was given. Then it goes without its source, under an id that
    derives from its own, like a retry.
    """
    envelope = _envelope(raw)
    source = envelope.source if envelope is not None else None
    if envelope is None or source is None or envelope.command_id.encode() in ids:
        return raw.value
    if source.position >= below.get((source.group, source.topic, source.partition), -1):
        return raw.value
    moved = replace(
        envelope,
        command_id=str(uuid5(_MOVED_IDS, envelope.command_id)),
        fingerprint=RETRY_FINGERPRINT,
        source=None,
        stored_below=None,
    )
    return encode(CommandEnvelope, moved)


def _envelope(raw: RawRecord) -> CommandEnvelope | None:
    try:
        found: CommandEnvelope = decode(CommandEnvelope, raw.value)
    except Undecodable:
        return None
    return found


async def _mend(settings: Settings, writer: LogWriter, damage: Damage) -> None:
    """Fill what is missing, one acknowledged record after the other, then append what was displaced."""
    key, log_id, place = signing_key(settings), settings.require_log_id(), damage.commands
    for position in range(damage.end, damage.next_position):
        decided = damage.decided[position]
        value = placeholder(decided)
        headers = mark(
            key, log_id, place, position, decided=decided, found=hash_of(RawRecord(position, None, value, {}))
        )
        _require_place(place, position, await writer.send(place, key=b"", value=value, headers=headers))
    expected = max(damage.end, damage.next_position)
    for displaced in damage.displaced:
        position, decided = displaced.position, damage.decided[displaced.position]
        headers = mark(key, log_id, place, position, decided=decided, found=displaced.found)
        stored = await writer.send(place, key=displaced.key or b"", value=displaced.again, headers=headers)
        _require_place(place, expected, stored)
        expected += 1


def _require_place(place: Place, expected: int, stored: int) -> None:
    if stored != expected:
        raise OperatorError(
            f"A record for offset {expected} of {place.topic}/{place.partition} came to stand at {stored}: somebody else writes "
            "there. Stop every process of the service and run `loanstream repair` again: what is repaired stays so."
        )
