"""The decider of one partition as a plain object: commands in, decision records out, the log's answer folded back.

No I/O but its store, no clock, no loop: the Kafka shell (`decider.py`) and the simulation drive the same code. The chain
makes it safe: what it decides ahead is speculation until the log accepts it, and what the log holds is adopted.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import structlog

from libs.events.chain import ChainReader, Checkpoint, Reading, seal
from libs.events.codec import COMMAND_TYPES, Undecodable, decode, decode_object, encode, name_of, parse_json
from libs.events.deciding import Aggregate, Context, Refused, Wake
from libs.events.money import money_context
from libs.events.records import (
    CommandEnvelope,
    Decision,
    RawRecord,
    decode_event,
    encode_decision,
    encode_event,
    parse_decision,
)
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated, TickProgressed, WakeFailed
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX, aggregate_of, partition_of, system_stream
from libs.runtime import day
from libs.runtime.memory import DeciderMemory, Known, SourceKey, StreamChange

log = structlog.get_logger()

#: Failures of the machine, not of the command: they end the process and are never told as a refusal.
NEVER_A_REFUSAL = (MemoryError, RecursionError, OSError)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A decision record ready to be appended to `S.events`."""

    position: int
    key: bytes
    headers: dict[str, bytes]
    value: bytes


@dataclass(frozen=True, slots=True)
class _Pending:
    """A decision that the log has not accepted yet, with what it changes."""

    position: int
    hash: bytes
    bytes: int
    changes: tuple[StreamChange, ...]
    known: Known | None
    source: tuple[SourceKey, int, str, int] | None


@dataclass(slots=True)
class _Command:
    """A command record as far as it could be read."""

    raw: RawRecord
    digest: bytes
    envelope: CommandEnvelope | None = None
    message: Any = None


@dataclass(slots=True)
class _Effect:
    """What a decision holds: encoded events, and the states they lead to."""

    events: list[bytes] = field(default_factory=list)
    changes: dict[str, StreamChange] = field(default_factory=dict)
    bytes: int = 0

    def add(self, stream: str | None, sequence: int | None, data: Any) -> None:
        encoded = encode_event(stream, sequence, data)
        self.events.append(encoded)
        self.bytes += len(encoded)


class PartitionDecider:
    """Decides the commands of one partition of one service, in the order of their offsets."""

    def __init__(
        self,
        *,
        service: str,
        aggregates: tuple[Aggregate, ...],
        rules: int,
        partition: int,
        partitions: int,
        memory: DeciderMemory,
        reader: ChainReader,
        replica: str,
    ) -> None:
        self.service = service
        self.partition = partition
        self._partitions = partitions
        self._rules = str(rules).encode()
        self._replica = replica.encode()
        self._memory = memory
        self._reader = reader
        self._aggregates = {aggregate.prefix: aggregate for aggregate in aggregates}
        self._by_command = {kind: aggregate for aggregate in aggregates for kind in aggregate.commands}
        self._day_stream = system_stream(partition)
        self._cache: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0
        self._overlay: dict[str, tuple[Any, int, int]] = {}
        self._pending_known: dict[str, Known] = {}
        self._pending_sources: dict[SourceKey, dict[str, int]] = {}
        self._pending_below: dict[SourceKey, int] = {}
        self._head = reader.head.hash

    # --- what the shell asks ------------------------------------------------------------------------------------

    @property
    def head(self) -> Checkpoint:
        """The last record of the log that was folded."""
        return self._reader.head

    @property
    def next_position(self) -> int:
        """The offset of the next command to decide, speculation included."""
        return self._reader.next_position + len(self._pending)

    @property
    def unconfirmed(self) -> int:
        """How many decisions the log has not accepted yet."""
        return len(self._pending)

    @property
    def unconfirmed_bytes(self) -> int:
        """Their size."""
        return self._pending_bytes

    def state_of(self, stream: str) -> Any:
        """The state of a stream, speculation included."""
        return self._load(stream)[0]

    # --- deciding -----------------------------------------------------------------------------------------------

    def decide(self, raw: RawRecord) -> Outgoing | None:
        """Decide the command at `next_position`.

        Returns None when the command runs a tick and decisions are unconfirmed: confirm them and ask again.
        Raises what says nothing about the command (memory, recursion, the operating system).
        """
        if raw.offset != self.next_position:
            raise ValueError(f"expected the command at offset {self.next_position}, got {raw.offset}")
        with money_context():
            item = self._read(raw)
            if self._pending and self._runs_a_tick(item):
                return None
            effect, answered = self._answer(item)
        return self._seal(item, effect, answered)

    def _read(self, raw: RawRecord) -> _Command:
        item = _Command(raw, sha256(raw.value).digest())
        if len(raw.value) > COMMAND_BYTES_MAX:
            return item
        try:
            item.envelope = decode(CommandEnvelope, raw.value)
            kind = COMMAND_TYPES.get(item.envelope.type)
            aggregate = self._by_command.get(kind) if kind else None
            stream = item.envelope.stream_id
            if aggregate is None or aggregate_prefix(stream) != aggregate.prefix:
                return item
            if partition_of(stream, self._partitions) == self.partition:
                item.message = decode_object(kind, item.envelope.data)
        except (Undecodable, ValueError):
            pass
        return item

    def _runs_a_tick(self, item: _Command) -> bool:
        if not isinstance(item.message, day.DayMarker | day.Tick):
            return False
        state = self.state_of(self._day_stream)
        for event in day.decide(item.message, state, self._context(item, dateless=True)):
            state = day.evolve(state, event)
        return day.due_tick(item.message, state) is not None

    def _answer(self, item: _Command) -> tuple[_Effect, bool]:
        """The decision's events, and whether they are the first answer to this command id."""
        envelope = item.envelope
        if envelope is None:
            return self._refusal("", "malformed", ""), False
        repeated = self._repeated(envelope)
        if repeated is not None:
            return repeated, False
        if item.message is None:
            return self._refusal(envelope.type, "malformed", envelope.stream_id, envelope.about), True
        try:
            effect = self._decide_message(item)
            if not effect.events:
                effect.add(None, None, CommandHadNoEffect(command_type=envelope.type, stream_id=envelope.stream_id))
            if effect.bytes > DECISION_BYTES_MAX - 64 * 1024:
                raise Undecodable("the decision is larger than a record may be")
            return effect, True
        except Refused as refused:
            return self._refusal(envelope.type, refused.code, envelope.stream_id, envelope.about), True
        except NEVER_A_REFUSAL:
            raise
        except Exception as error:
            log.error(
                "decision_failed",
                service=self.service,
                partition=self.partition,
                position=item.raw.offset,
                command_type=envelope.type,
                error=type(error).__name__,
                exc_info=True,
            )
            return self._refusal(envelope.type, "internal", envelope.stream_id, envelope.about), True

    def _decide_message(self, item: _Command) -> _Effect:
        assert item.envelope is not None
        stream = item.envelope.stream_id
        aggregate = self._aggregates[aggregate_prefix(stream)]
        context = self._context(item, dateless=aggregate.dateless)
        state, sequence = self._load(stream)
        effect = _Effect()
        events = aggregate.decide(item.message, state, context)
        state, sequence = self._append(effect, aggregate, stream, state, sequence, events)
        if stream == self._day_stream:
            running = day.due_tick(item.message, state)
            if running is not None:
                self._tick(effect, aggregate, state, sequence, running, context)
        return effect

    def _append(
        self, effect: _Effect, aggregate: Aggregate, stream: str, state: Any, sequence: int, events: Sequence[Any]
    ) -> tuple[Any, int]:
        if not events:
            return state, sequence
        encoded = _Effect()
        for event in events:
            sequence += 1
            encoded.add(stream, sequence, event)
            state = aggregate.evolve(state, event)
        change = stream_change(aggregate, stream, state, sequence)
        effect.events += encoded.events
        effect.bytes += encoded.bytes
        effect.changes[stream] = change
        return state, sequence

    def _tick(
        self, effect: _Effect, aggregate: Aggregate, state: day.DayState, sequence: int, running: day.Running, context: Context
    ) -> None:
        """Wake the streams that are due at the running phase, then say that the phase goes on or is done."""
        self._memory.flush()
        woken, more = 0, False
        for stream in self._memory.due(running.business_date, running.phase):
            if woken >= day.WOKEN_PER_TICK_MAX or effect.bytes >= day.WOKEN_BYTES_PER_TICK_MAX:
                more = True
                break
            failed = self._wake(effect, stream, running, context)
            if failed is not None:
                state, sequence = self._append(effect, aggregate, self._day_stream, state, sequence, [failed])
            woken += 1
        end: Sequence[day.DayEvent]
        if more:
            progressed = TickProgressed(
                business_date=running.business_date, phase=running.phase, tick=running.ticks, woken=woken
            )
            end = [progressed]
        else:
            end = day.phase_end(
                self.service, running, partition=self.partition, partitions=self._partitions, woken=woken
            )
        self._append(effect, aggregate, self._day_stream, state, sequence, end)

    def _wake(self, effect: _Effect, stream: str, running: day.Running, context: Context) -> WakeFailed | None:
        aggregate = self._aggregates[aggregate_prefix(stream)]
        state, sequence = self._load(stream)
        at_phase = Context(at=context.at, business_date=running.business_date, principal="")
        events_before, bytes_before = len(effect.events), effect.bytes
        try:
            wake = Wake(business_date=running.business_date, phase=running.phase)
            self._append(effect, aggregate, stream, state, sequence, aggregate.decide(wake, state, at_phase))
            change = effect.changes.get(stream)
            if change is not None and (change.wake is None or change.wake > (running.business_date, running.phase)):
                return None
            code = "still_due"
        except NEVER_A_REFUSAL:
            raise
        except Exception as error:
            log.error("wake_failed", service=self.service, stream_kind=aggregate.name, exc_info=True)
            code = error.code if isinstance(error, Refused) else "internal"
        del effect.events[events_before:]
        effect.bytes = bytes_before
        effect.changes[stream] = stuck_change(aggregate, stream, state, sequence)
        return WakeFailed(stream_id=stream, business_date=running.business_date, phase=running.phase, code=code)

    def _context(self, item: _Command, *, dateless: bool) -> Context:
        assert item.envelope is not None
        business_date = self.state_of(self._day_stream).business_date
        if business_date is None and not dateless:
            raise Refused("no_business_date")
        return Context(
            at=item.envelope.at,
            business_date=business_date or item.envelope.at.date(),
            principal=item.envelope.principal,
        )

    # --- duplicates ---------------------------------------------------------------------------------------------

    def _repeated(self, envelope: CommandEnvelope) -> _Effect | None:
        if envelope.source is not None:
            return self._repeated_by_policy(envelope)
        known = self._pending_known.get(envelope.command_id) or self._memory.known(envelope.command_id)
        if known is None:
            return None
        if known.fingerprint != (envelope.fingerprint or ""):
            return self._refusal(envelope.type, "key_reused", envelope.stream_id)
        effect = _Effect()
        effect.add(None, None, CommandRepeated(first_position=known.position, first=parse_json(known.value)["events"]))
        return effect

    def _repeated_by_policy(self, envelope: CommandEnvelope) -> _Effect | None:
        source = envelope.source
        assert source is not None
        key = SourceKey(source.group, source.topic, source.partition)
        below = max(self._memory.stored_below(key), self._pending_below.get(key, 0))
        seen = envelope.command_id in self._pending_sources.get(key, {}) or self._memory.seen(key, envelope.command_id)
        if source.position >= below and not seen:
            return None
        effect = _Effect()
        effect.add(None, None, CommandRepeated(first_position=None, first=None))
        return effect

    def _refusal(self, command_type: str, code: str, stream: str, about: dict[str, str] | None = None) -> _Effect:
        effect = _Effect()
        effect.add(None, None, CommandRefused(command_type=command_type, code=code, stream_id=stream, about=about or {}))
        return effect

    # --- sealing and confirming ---------------------------------------------------------------------------------

    def _seal(self, item: _Command, effect: _Effect, answered: bool) -> Outgoing:
        envelope = item.envelope
        value = encode_decision(
            at=envelope.at if envelope else None,
            business_date=self.state_of(self._day_stream).business_date,
            principal=envelope.principal if envelope else "",
            correlation_id=envelope.correlation_id if envelope else "",
            causation_id=envelope.causation_id if envelope else None,
            events=effect.events,
        )
        headers = {"position": str(item.raw.offset).encode(), "command": item.digest, "rules": self._rules}
        if envelope is not None:
            headers["command-id"] = envelope.command_id.encode()
            headers["type"] = envelope.type.encode()
            if envelope.fingerprint is not None:
                headers["fingerprint"] = envelope.fingerprint.encode()
            if envelope.source is not None:
                source = envelope.source
                headers["source"] = f"{source.group}|{source.topic}|{source.partition}|{source.position}".encode()
            if envelope.stored_below is not None:
                headers["stored-below"] = f"{envelope.stored_below.position}:{envelope.stored_below.hash}".encode()
        digest = seal(self._head, headers, value)
        self._speculate(item, effect, headers, value, digest, answered)
        headers |= {"prev": self._head, "hash": digest, "by": self._replica}
        self._head = digest
        key = envelope.stream_id.encode() if envelope else (item.raw.key or b"")
        return Outgoing(item.raw.offset, key, headers, value)

    def _speculate(
        self, item: _Command, effect: _Effect, headers: dict[str, bytes], value: bytes, digest: bytes, answered: bool
    ) -> None:
        position = item.raw.offset
        known = known_from(headers, position, value) if answered else None
        source = source_from(headers)
        self._pending.append(
            _Pending(position, digest, len(value), tuple(effect.changes.values()), known, source)
        )
        self._pending_bytes += len(value)
        for change in effect.changes.values():
            self._overlay[change.stream] = (change.state, change.sequence, position)
        if known is not None:
            self._pending_known[known.command_id] = known
        if source is not None:
            key, at, command_id, below = source
            self._pending_sources.setdefault(key, {})[command_id] = at
            self._pending_below[key] = max(below, self._pending_below.get(key, 0))

    def accept(self, raw: RawRecord) -> Reading:
        """Fold one record of the log, whoever wrote it. Speculation that the log did not take is dropped.

        Call `flush` after a batch; until then the store lags behind, never ahead.
        """
        reading = self._reader.read(raw)
        if reading is not Reading.ACCEPTED:
            return reading
        if self._pending and self._pending[0].hash == self._reader.head.hash:
            self._confirm(self._pending.popleft())
        else:
            self.drop_speculation()
            self._adopt(raw)
        self._memory.keep_head(self._reader.head)
        if not self._pending:
            self._head = self._reader.head.hash
        return reading

    def _confirm(self, pending: _Pending) -> None:
        self._pending_bytes -= pending.bytes
        for change in pending.changes:
            self._remember(change)
            latest = self._overlay.get(change.stream)
            if latest is not None and latest[2] == pending.position:
                del self._overlay[change.stream]
        if pending.known is not None:
            self._memory.keep_known(pending.known)
            self._pending_known.pop(pending.known.command_id, None)
        if pending.source is not None:
            key, at, command_id, below = pending.source
            self._memory.keep_source(key, at, command_id, below)
            self._pending_sources[key].pop(command_id, None)

    def _adopt(self, raw: RawRecord) -> None:
        """Fold a record that this object did not decide: recovery, or another replica's decision."""
        position = self._reader.head.position
        decision = parse_decision(raw.value)
        for change in self._fold(decision):
            self._remember(change)
        first = decision.events[0].type if decision.events else ""
        code = decision.events[0].data.get("code") if first == name_of(CommandRefused) else None
        if first != name_of(CommandRepeated) and code != "key_reused":
            known = known_from(raw.headers, position, raw.value)
            if known is not None:
                self._memory.keep_known(known)
        source = source_from(raw.headers)
        if source is not None:
            self._memory.keep_source(*source)

    def _fold(self, decision: Decision) -> Iterable[StreamChange]:
        folded: dict[str, tuple[Any, int]] = {}
        stuck: set[str] = set()
        with money_context():
            for stored in decision.events:
                if stored.stream is None or stored.sequence is None:
                    continue
                aggregate = self._aggregates[aggregate_prefix(stored.stream)]
                state, _ = folded.get(stored.stream) or self._load(stored.stream)
                event = decode_event(stored)
                folded[stored.stream] = (aggregate.evolve(state, event), stored.sequence)
                if isinstance(event, WakeFailed):
                    stuck.add(event.stream_id)
        for stream, (state, sequence) in folded.items():
            yield stream_change(self._aggregates[aggregate_prefix(stream)], stream, state, sequence)
        for stream in sorted(stuck):
            state, sequence = folded.get(stream) or self._load(stream)
            yield stuck_change(self._aggregates[aggregate_prefix(stream)], stream, state, sequence)

    def drop_speculation(self) -> None:
        """Forget every decision that the log has not accepted; deciding goes on from the log's head."""
        self._pending.clear()
        self._pending_bytes = 0
        self._overlay.clear()
        self._pending_known.clear()
        self._pending_sources.clear()
        self._pending_below.clear()
        self._head = self._reader.head.hash

    def flush(self) -> None:
        """Write what was folded to the store in one atomic batch."""
        self._memory.flush()

    # --- states -------------------------------------------------------------------------------------------------

    def _load(self, stream: str) -> tuple[Any, int]:
        speculative = self._overlay.get(stream)
        if speculative is not None:
            return speculative[0], speculative[1]
        cached = self._cache.get(stream)
        if cached is not None:
            self._cache.move_to_end(stream)
            return cached
        aggregate = self._aggregates[aggregate_prefix(stream)]
        stored = self._memory.state(stream)
        loaded = (aggregate.initial, 0) if stored is None else (decode(aggregate.state, stored[1]), stored[0])
        self._cache_put(stream, loaded)
        return loaded

    def _remember(self, change: StreamChange) -> None:
        self._memory.keep_state(change)
        self._cache_put(change.stream, (change.state, change.sequence))

    def _cache_put(self, stream: str, entry: tuple[Any, int]) -> None:
        self._cache[stream] = entry
        self._cache.move_to_end(stream)
        if len(self._cache) > STATES_IN_CACHE_MAX:
            self._cache.popitem(last=False)


#: States kept decoded per partition: the hot ones; the rest are read from the store when needed.
STATES_IN_CACHE_MAX = 20_000


def aggregate_prefix(stream: str) -> str:
    """The aggregate prefix of a stream id; every system stream has `~p`."""
    return "~p" if stream.startswith("~p") else aggregate_of(stream)


def stream_change(aggregate: Aggregate, stream: str, state: Any, sequence: int) -> StreamChange:
    """A stream's new state as the store keeps it, with the time it next wants to be woken."""
    return StreamChange(stream, state, sequence, aggregate.wake_on(state), encode(aggregate.state, state))


def stuck_change(aggregate: Aggregate, stream: str, state: Any, sequence: int) -> StreamChange:
    """A stream that could not be woken: as it was, out of the wake index until its next event."""
    return StreamChange(stream, state, sequence, None, encode(aggregate.state, state))


def known_from(headers: Any, position: int, value: bytes) -> Known | None:
    """The answer to keep for a person's command (those with a fingerprint); None for others."""
    fingerprint, command_id = headers.get("fingerprint"), headers.get("command-id")
    if fingerprint is None or command_id is None:
        return None
    return Known(command_id.decode(), position, fingerprint.decode(), value)


def source_from(headers: Any) -> tuple[SourceKey, int, str, int] | None:
    """(source partition, position, command id, stored below) of a policy's command, from its decision's headers."""
    source, command_id = headers.get("source"), headers.get("command-id")
    if source is None or command_id is None:
        return None
    group, topic, partition, position = source.decode().rsplit("|", 3)
    below = headers.get("stored-below")
    lowest = int(below.split(b":", 1)[0]) if below is not None else 0
    return SourceKey(group, topic, int(partition)), int(position), command_id.decode(), lowest
