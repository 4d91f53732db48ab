"""A policy group's reading of one source partition as a plain object: records in, command records out.

Command ids derive from (group, event address, slot) and the time is the event's, so sending again after a crash sends the
same commands, and the decider drops what it has by the source rule (design.md 2.4).
"""

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
    decode_event,
    parse_decision,
)
from libs.events.sagas import Send
from libs.events.topics import COMMAND_BYTES_MAX, partition_of, system_stream
from libs.runtime import day
from libs.runtime.service import Service

log = structlog.get_logger()

_COMMAND_IDS = UUID("6b1f1d0e-6f0b-5f0c-9d52-2f5d8c1d7a11")
_BEFORE_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OutgoingCommand:
    """A command record ready for `S.commands`. A `barrier` may be sent only when all before it are stored."""

    partition: int
    key: bytes
    value: bytes
    barrier: bool


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

    @property
    def head(self) -> Checkpoint:
        """The last record read: everything up to it may be committed once its commands are stored."""
        return self._reader.head

    def read(self, raw: RawRecord) -> Reading:
        """Judge a record by the reader rule; only an accepted one may be asked for its commands."""
        return self._reader.read(raw)

    def commands(self, raw: RawRecord, below: Checkpoint) -> list[OutgoingCommand]:
        """The commands of the record just accepted; `below` is the lowest record whose commands are not all stored."""
        decision = parse_decision(raw.value)
        stored_below = StoredBelow(position=below.position, hash=below.hash.hex())
        outgoing: list[OutgoingCommand] = []
        for index, stored in enumerate(decision.events):
            data, undecodable = None, None
            try:
                data = decode_event(stored)
            except (
                Undecodable
            ) as error:  # of a later release, say: it may need a command, so it is noted, not skipped
                undecodable = error
            event = RecordedEvent(
                data=data,
                type=stored.type,
                stream=stored.stream,
                sequence=stored.sequence,
                service=self._source,
                partition=self._partition,
                position=self._reader.head.position,
                index=index,
                at=decision.at,
                business_date=decision.business_date,
                principal=decision.principal,
                correlation_id=decision.correlation_id,
                causation_id=decision.causation_id,
                command_id=raw.headers.get("command-id", b"").decode(),
                command_type=raw.headers.get("type", b"").decode(),
            )
            outgoing += self._of_event(event, undecodable, stored_below)
        return outgoing

    def _of_event(
        self, event: RecordedEvent, undecodable: Undecodable | None, stored_below: StoredBelow
    ) -> list[OutgoingCommand]:
        """The commands of one event: the policy's, or the note that it failed; and the day's in either case."""
        of_day = day.day_commands(self._service.name, event, self._partitions)
        try:
            if undecodable is not None:
                raise undecodable
            sends = self._policy(event)
            slots = [send.slot for send in (*sends, *of_day)]
            if len({*slots}) != len(slots):
                raise ValueError("two commands of one event share a slot")
            commands = [self._command(event, _checked(send), stored_below) for send in sends]
        except (MemoryError, RecursionError, OSError):
            raise
        except Exception as error:
            log.error("policy_failed", group=self.group, event_address=event.address, exc_info=True)
            note = day.NotePolicyFailure(
                group=self.group, event_address=event.address, error=type(error).__name__
            )
            failed = Send("policy-failed", system_stream(self._partition), note)
            commands = [self._command(event, failed, stored_below)]
        return [*commands, *(self._command(event, send, stored_below) for send in of_day)]

    def _command(self, event: RecordedEvent, send: Send, stored_below: StoredBelow) -> OutgoingCommand:
        envelope = CommandEnvelope(
            command_id=str(uuid5(_COMMAND_IDS, f"{self.group}|{event.address}|{send.slot}")),
            type=name_of(type(send.command)),
            stream_id=send.stream_id,
            data=send.command,
            at=event.at or _BEFORE_TIME,
            principal=self.group,
            correlation_id=event.correlation_id,
            causation_id=event.address,
            source=Source(
                group=self.group, topic=self._topic, partition=self._partition, position=event.position
            ),
            stored_below=stored_below,
            business_date=event.business_date,
            about=dict(send.about),
        )
        return OutgoingCommand(
            partition=partition_of(send.stream_id, self._partitions),
            key=send.stream_id.encode(),
            value=to_json(envelope),
            barrier=day.is_barrier(send),
        )


def _checked(send: Send) -> Send:
    """The send, if its command is valid and fits into a record. Raises Undecodable."""
    if len(encode(type(send.command), send.command)) > COMMAND_BYTES_MAX - 4096:
        raise Undecodable("a command is larger than a record may be")
    return send
