"""A policy group's reading of one source partition as a plain object: records in, command records out.

Command ids derive from (group, event address, slot) and the time is the event's, so sending again after a crash sends the
same commands, and the decider drops what it has by the source rule (design.md 2.4).
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

import structlog
from pydantic_core import to_json

from libs.events.chain import ChainReader, Checkpoint, Reading
from libs.events.codec import Undecodable, encode, name_of
from libs.events.records import (
    CommandEnvelope,
    RawRecord,
    RecordedEvent,
    Source,
    StoredBelow,
    recorded_events,
)
from libs.events.sagas import Send
from libs.events.topics import COMMAND_BYTES_MAX, partition_of, system_stream
from libs.runtime import day
from libs.runtime.service import Policy, Service

log = structlog.get_logger()

_COMMAND_IDS = UUID("6b1f1d0e-6f0b-5f0c-9d52-2f5d8c1d7a11")
_BEFORE_TIME = datetime(1970, 1, 1, tzinfo=UTC)


#: A wave reads at most so many records of each partition: their commands leave before the next ones are worked out.
_RECORDS_PER_WAVE = 64


@dataclass(frozen=True, slots=True)
class OutgoingCommand:
    """A command record ready for `S.commands`."""

    partition: int
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Wave:
    """What a group sends next.

    `commands` may leave at once. `markers` leave when all commands of this and of earlier waves are stored, and the next
    wave is asked for when the markers are stored too.
    """

    commands: Sequence[OutgoingCommand]
    markers: Sequence[OutgoingCommand]


def group_name(service: str, source: str) -> str:
    """The one policy group of a reading service and a source service."""
    return f"{service}-reads-{source}"


class PolicyPartition:
    """Turns the events of one source partition into commands of the reading service."""

    def __init__(
        self,
        service: Service,
        source: str,
        *,
        topic: str,
        partition: int,
        partitions: int,
        reader: ChainReader,
    ) -> None:
        self.group = group_name(service.name, source)
        self._service = service
        self._source = source
        self._topic = topic
        self._partition = partition
        self._partitions = partitions
        self._policy = service.policies[source]
        self._reader = reader
        self.is_in_doubt = False
        """Whether foreign records were read behind the head: it may be gone. One that is accepted shows that it is not."""

    @property
    def head(self) -> Checkpoint:
        """The last record read: everything up to it may be committed once its commands are stored."""
        return self._reader.head

    def read(self, raw: RawRecord) -> Reading:
        """Judge a record by the reader rule; only an accepted one may be asked for its commands."""
        reading = self._reader.read(raw)
        if reading is not Reading.REPEAT:
            self.is_in_doubt = reading is Reading.FOREIGN
        return reading

    def commands(self, raw: RawRecord, below: Checkpoint) -> "tuple[list[OutgoingCommand], list[Marking]]":
        """The commands of the record just accepted, and the markers that wait until all before them is stored.

        `below` is the lowest record whose commands are not all stored.
        """
        events, undecodable = recorded_events(
            raw, service=self._source, partition=self._partition, position=self._reader.head.position
        )
        stored_below = _stored_below(below)
        outgoing: list[OutgoingCommand] = []
        markings: list[Marking] = []
        for event in events:
            of_day = day.day_commands(self._service.name, event, self._partitions)
            # What is of a later release, say, may need a command: it is noted, not skipped.
            outgoing += self._of_event(event, of_day, undecodable.get(event.index), stored_below)
            if of_day:
                markings += [Marking(self, event, send) for send in of_day if day.is_barrier(send)]
        return outgoing, markings

    def marker(self, event: RecordedEvent, send: Send) -> OutgoingCommand:
        """The marker that the event of the record read last makes. Everything before that record is stored."""
        return self._command(event, send, _stored_below(self.head))

    def _of_event(
        self,
        event: RecordedEvent,
        of_day: Sequence[Send],
        undecodable: Undecodable | None,
        stored_below: StoredBelow,
    ) -> list[OutgoingCommand]:
        """The commands of one event: the policy's, or the note that it failed; and the day's in either case."""
        try:
            if undecodable is not None:
                raise undecodable
            sends = sends_of(self._policy, event, of_day)
            commands = [self._command(event, send, stored_below) for send in sends]
        except (MemoryError, RecursionError, OSError):
            raise
        except Exception as error:
            log.error("policy_failed", group=self.group, event_address=event.address, exc_info=True)
            note = day.NotePolicyFailure(
                group=self.group, event_address=event.address, error=type(error).__name__
            )
            failed = Send("policy-failed", system_stream(self._partition), note)
            commands = [self._command(event, failed, stored_below)]
        if not of_day:
            return commands
        at_once = [send for send in of_day if not day.is_barrier(send)]
        return [*commands, *(self._command(event, send, stored_below) for send in at_once)]

    def _command(self, event: RecordedEvent, send: Send, stored_below: StoredBelow) -> OutgoingCommand:
        source = Source(
            group=self.group, topic=self._topic, partition=self._partition, position=event.position
        )
        envelope = envelope_of(self.group, event, send, source, stored_below)
        return OutgoingCommand(
            partition=partition_of(send.stream_id, self._partitions),
            key=send.stream_id.encode(),
            value=to_json(envelope),
        )


@dataclass(frozen=True, slots=True)
class Marking:
    """A marker that a partition has to send for an event of its last record."""

    by: PolicyPartition
    event: RecordedEvent
    send: Send

    def joined(self, other: "Marking") -> "Marking | None":
        """Both as one, sent by the first; None where they are of different phases or partitions."""
        send = day.joined(self.send, other.send)
        return None if send is None else Marking(self.by, self.event, send)


def waves(
    partitions: Mapping[int, PolicyPartition],
    batch: Mapping[int, Sequence[RawRecord]],
    passed_over: Callable[[RawRecord, Reading], None],
) -> Iterator[Wave]:
    """Read a batch, partition by partition, and cut what follows from it into waves at the ends of phases.

    `passed_over` hears of records that the reader rule does not accept.
    """
    unread = {number: deque(records) for number, records in batch.items()}
    below: dict[int, Checkpoint] = {}
    while any(unread.values()):
        commands: list[OutgoingCommand] = []
        markings: list[Marking] = []
        for number, records in unread.items():
            partition = partitions[number]
            marks: list[Marking] = []
            for _ in range(min(len(records), _RECORDS_PER_WAVE)):
                raw = records.popleft()
                reading = partition.read(raw)
                if reading is not Reading.ACCEPTED:
                    passed_over(raw, reading)
                    continue
                outgoing, marks = partition.commands(raw, below.setdefault(number, partition.head))
                commands += outgoing
                if marks:
                    break
            markings += marks
        yield Wave(
            commands, [marking.by.marker(marking.event, marking.send) for marking in _joined(markings)]
        )
        if markings:
            below.clear()


def _joined(markings: Sequence[Marking]) -> list[Marking]:
    """As few markers as say the same."""
    fewer: list[Marking] = []
    for marking in markings:
        for index, earlier in enumerate(fewer):
            together = earlier.joined(marking)
            if together is not None:
                fewer[index] = together
                break
        else:
            fewer.append(marking)
    return fewer


def sends_of(policy: Policy, event: RecordedEvent, of_day: Sequence[Send] = ()) -> list[Send]:
    """What a policy makes of an event, checked. Raises whatever the policy raises, ValueError, Undecodable."""
    sends = list(policy(event))
    slots = [send.slot for send in (*sends, *of_day)]
    if len({*slots}) != len(slots):
        raise ValueError("two commands of one event share a slot")
    return [_checked(send) for send in sends]


def envelope_of(
    group: str,
    event: RecordedEvent,
    send: Send,
    source: Source | None = None,
    stored_below: StoredBelow | None = None,
) -> CommandEnvelope:
    """The command of a group for an event, whoever sends it; `source` and `stored_below` are the group's that sends it now."""
    return CommandEnvelope(
        command_id=str(uuid5(_COMMAND_IDS, f"{group}|{event.address}|{send.slot}")),
        type=name_of(type(send.command)),
        stream_id=send.stream_id,
        data=send.command,
        at=event.at or _BEFORE_TIME,
        principal=group,
        correlation_id=event.correlation_id,
        causation_id=event.address,
        source=source,
        stored_below=stored_below,
        business_date=event.business_date,
        about=dict(send.about),
    )


def _stored_below(head: Checkpoint) -> StoredBelow:
    return StoredBelow(position=head.position, hash=head.hash.hex())


def _checked(send: Send) -> Send:
    """The send, if its command is valid and fits into a record. Raises Undecodable."""
    if len(encode(type(send.command), send.command)) > COMMAND_BYTES_MAX - 4096:
        raise Undecodable("a command is larger than a record may be")
    return send
