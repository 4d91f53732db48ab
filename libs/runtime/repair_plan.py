"""What a repair of a partition does, worked out from what stands there: no I/O, so the simulation repairs by the same rule.

A decided position holds its command, or is excused by a mark, or is damage. Damage may only be a tail that was cut, and perhaps
grew again: anything else is left for a person.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.events.codec import Undecodable, decode, encode
from libs.events.records import CommandEnvelope, RawRecord
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place
from libs.runtime.repair_marks import Marks, hash_of, mark, placeholder
from libs.runtime.unexpected import RETRY_FINGERPRINT

_MOVED_IDS: Final = UUID("51a2f6a3-8f3a-5b0b-9d6a-7a9b1f0c2e64")


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
    decided_ms: list[int] = field(default_factory=list)
    """When each decision was stored."""
    displaced: list[Displaced] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many decided commands have nothing at their offset."""
        return max(0, self.next_position - self.end)

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to repair."""
        return not self.missing and not self.displaced


class Inspection:
    """Compares the commands of one partition, in the order of their offsets, with what was decided there."""

    def __init__(self, damage: Damage, ids: set[bytes], marks: Marks) -> None:
        self._damage = damage
        self._ids = ids
        self._marks = marks
        self._wrong: dict[int, RawRecord] = {}
        self._sent_again: set[int] = set()
        """Decided positions that hold their command, which was stored after it was decided: it was lost and came again."""
        self._below: dict[tuple[str, str, int], int] = {}

    def add(self, raw: RawRecord) -> None:
        """Look at one command."""
        self._marks.add(raw)
        if raw.offset >= self._damage.next_position:
            _note_line(self._below, raw)
        elif hash_of(raw) != self._damage.decided[raw.offset]:
            self._wrong[raw.offset] = raw
        elif raw.timestamp_ms > self._damage.decided_ms[raw.offset]:
            self._sent_again.add(raw.offset)

    def found(self) -> Damage:
        """What is wrong, once all commands were looked at. Raises OperatorError for damage that is no cut tail."""
        damage = self._damage
        excused = {
            position
            for position, raw in self._wrong.items()
            if self._marks.excuse(position, decided=damage.decided[position], found=hash_of(raw))
        }
        open_ones = [raw for position, raw in self._wrong.items() if position not in excused]
        _require_tail(damage, {raw.offset for raw in open_ones}, excused | self._sent_again)
        damage.displaced = [
            Displaced(raw.offset, hash_of(raw), raw.key, _again(raw, self._ids, self._below))
            for raw in open_ones
        ]
        return damage


class Mend(NamedTuple):
    """A record that a repair appends, and the offset at which it has to come to stand."""

    offset: int
    key: bytes
    value: bytes
    headers: dict[str, bytes]


def mending(damage: Damage, key: Ed25519PrivateKey, log_id: str) -> Iterator[Mend]:
    """Fill what is missing, then append what was displaced: in this order, each when the one before is stored."""
    place = damage.commands
    for position in range(damage.end, damage.next_position):
        decided = damage.decided[position]
        value = placeholder(decided)
        found = hash_of(RawRecord(position, None, value, {}))
        yield Mend(position, b"", value, mark(key, log_id, place, position, decided=decided, found=found))
    behind = max(damage.end, damage.next_position)
    for offset, displaced in enumerate(damage.displaced, behind):
        position = displaced.position
        headers = mark(key, log_id, place, position, decided=damage.decided[position], found=displaced.found)
        yield Mend(offset, displaced.key or b"", displaced.again, headers)


def _require_tail(damage: Damage, wrong: set[int], fine: set[int]) -> None:
    """A tail that was cut and grew again is wrong up to its end, or right because the same was sent again and fell there.

    Anything else is damage of another kind.
    """
    last = min(damage.end, damage.next_position)
    if wrong and any(position not in wrong | fine for position in range(min(wrong), last)):
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
