"""The decider of one partition as a plain object: commands in, decision records out, the log's answer folded back.

No I/O but its store, no clock, no loop: the Kafka shell (`decider.py`) and the simulation drive the same code. The chain
makes it safe: what it decides ahead is speculation until the log accepts it, and what the log holds is adopted.
"""

from collections import deque
from collections.abc import Sequence
from datetime import date
from typing import Any

import structlog

from libs.events.chain import ChainReader, Checkpoint, Reading, seal
from libs.events.codec import Undecodable, name_of, parse_json
from libs.events.deciding import Aggregate, Context, Refused, Wake
from libs.events.money import money_context
from libs.events.records import CommandEnvelope, RawRecord, encode_decision, parse_decision
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated, TickProgressed, WakeFailed
from libs.events.topics import DECISION_BYTES_MAX, system_stream
from libs.runtime import day
from libs.runtime.decision import (
    Effect,
    Outgoing,
    ReadCommand,
    Unconfirmed,
    command_headers,
    decided_by,
    known_from,
    read_command,
    refusal,
    source_from,
)
from libs.runtime.memory import DeciderMemory, Known, SourceKey
from libs.runtime.states import States, append_events, stuck_change

log = structlog.get_logger()

#: Failures of the machine, not of the command: they end the process and are never told as a refusal.
NEVER_A_REFUSAL = (MemoryError, RecursionError, OSError)
#: What a decision's headers and common fields may take of its size limit.
_HEAD_BYTES = 64 * 1024
_MARKER = name_of(day.DayMarker)


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
        self.replica = replica
        #: The position whose command is refused `internal` without looking at it: whoever looked died of it.
        self.doomed: int | None = None
        self.head_by, self.head_rules = memory.decided()
        self._memory = memory
        self._reader = reader
        self._states = States(aggregates, memory)
        self._by_command = {kind: aggregate for aggregate in aggregates for kind in aggregate.commands}
        self._day_stream = system_stream(partition)
        self._pending: deque[Unconfirmed] = deque()
        self._pending_bytes = 0
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

    @property
    def business_date(self) -> date | None:
        """The partition's business date, None before the calendar has reached it."""
        found: date | None = self.state_of(self._day_stream).business_date
        return found

    def state_of(self, stream: str) -> Any:
        """The state of a stream, speculation included."""
        return self._states.load(stream)[0]

    # --- deciding -----------------------------------------------------------------------------------------------

    def decide(self, raw: RawRecord) -> Outgoing | None:
        """Decide the command at `next_position`.

        Returns None when the command runs a tick while the wake index is unconfirmed: confirm and ask again.
        Raises what says nothing about the command (memory, recursion, the operating system).
        """
        if raw.offset != self.next_position:
            raise ValueError(f"expected the command at offset {self.next_position}, got {raw.offset}")
        with money_context():
            known = self._by_command if raw.offset != self.doomed else {}
            item = read_command(raw, known, self.partition, self._partitions)
            if self._runs_a_tick(item) and self._index_is_unconfirmed():
                return None
            effect, first_answer = self._answer(item)
        return self._seal(item, effect, first_answer)

    def _index_is_unconfirmed(self) -> bool:
        """Whether a decision that the log has not accepted may move the wake index.

        The day's own markers never do, so the last of four need not wait for the other three (decisions/0003).
        """
        return any(
            change.stream != self._day_stream for pending in self._pending for change in pending.changes
        )

    def _runs_a_tick(self, item: ReadCommand) -> bool:
        if not self._pending or not isinstance(item.message, day.DayMarker | day.Tick):
            return False
        assert item.envelope is not None
        state = self.state_of(self._day_stream)
        for event in day.decide(item.message, state, self._context(item.envelope, dateless=True)):
            state = day.evolve(state, event)
        return day.due_tick(item.message, state) is not None

    def _answer(self, item: ReadCommand) -> tuple[Effect, bool]:
        """The decision's events, and whether they are the first answer to this command id."""
        envelope = item.envelope
        unread = "malformed" if item.raw.offset != self.doomed else "internal"
        if envelope is None:
            return refusal("", unread, ""), False
        repeated = self._repeated(envelope)
        if repeated is not None:
            return repeated, False
        if item.message is None:
            return refusal(envelope.type, unread, envelope.stream_id, envelope.about), True
        try:
            effect = self._decide_message(envelope, item.message)
            if not effect.events:
                nothing = CommandHadNoEffect(command_type=envelope.type, stream_id=envelope.stream_id)
                effect.add(None, None, nothing)
            if effect.bytes > DECISION_BYTES_MAX - _HEAD_BYTES:
                raise Undecodable("the decision is larger than a record may be")
            return effect, True
        except Refused as refused:
            return refusal(envelope.type, refused.code, envelope.stream_id, envelope.about), True
        except NEVER_A_REFUSAL:
            raise
        except Exception as error:
            log.error(
                "decision_failed",
                deciding=self.service,
                partition=self.partition,
                position=item.raw.offset,
                command_type=envelope.type,
                error=type(error).__name__,
                exc_info=True,
            )
            return refusal(envelope.type, "internal", envelope.stream_id, envelope.about), True

    def _decide_message(self, envelope: CommandEnvelope, message: Any) -> Effect:
        stream = envelope.stream_id
        aggregate = self._states.aggregate(stream)
        dateless = aggregate.dateless or type(message) in aggregate.dateless_commands
        context = self._context(envelope, dateless=dateless)
        state, sequence = self._states.load(stream)
        effect = Effect()
        events = aggregate.decide(message, state, context)
        state, sequence = append_events(effect, aggregate, stream, state, sequence, events)
        if stream == self._day_stream and (running := day.due_tick(message, state)) is not None:
            self._tick(effect, (state, sequence), running, context)
        return effect

    def _context(self, envelope: CommandEnvelope, *, dateless: bool) -> Context:
        of_day = self.state_of(self._day_stream)
        business_date = of_day.business_date or envelope.business_date
        if business_date is None and not dateless:
            raise Refused("no_business_date")
        running = of_day.running
        return Context(
            at=envelope.at,
            business_date=business_date or envelope.at.date(),
            principal=envelope.principal,
            phase=running.phase if running and running.business_date == business_date else 0,
        )

    # --- ticks --------------------------------------------------------------------------------------------------

    def _tick(self, effect: Effect, of_day: tuple[Any, int], running: day.Running, context: Context) -> None:
        """Wake the streams that are due at the running phase, then say that the phase goes on or is done."""
        aggregate = self._states.aggregate(self._day_stream)
        self._memory.flush()
        woken, more = 0, False
        for stream in self._memory.due(running.business_date, running.phase):
            if woken >= day.WOKEN_PER_TICK_MAX or effect.bytes >= day.WOKEN_BYTES_PER_TICK_MAX:
                more = True
                break
            failed = self._wake(effect, stream, running, context)
            if failed is not None:
                of_day = append_events(effect, aggregate, self._day_stream, *of_day, [failed])
            woken += 1
        end: Sequence[day.DayEvent] = [
            TickProgressed(
                business_date=running.business_date, phase=running.phase, tick=running.ticks, woken=woken
            )
        ]
        if not more:
            end = day.phase_end(
                self.service, of_day[0], partition=self.partition, partitions=self._partitions, woken=woken
            )
        append_events(effect, aggregate, self._day_stream, *of_day, end)

    def _wake(self, effect: Effect, stream: str, running: day.Running, context: Context) -> WakeFailed | None:
        """Wake one stream; a stream that raises, or stays due, is stuck and nothing of its wake is kept."""
        aggregate = self._states.aggregate(stream)
        state, sequence = self._states.load(stream)
        at_phase = Context(context.at, running.business_date, principal="", phase=running.phase)
        woken = Effect()
        try:
            wake = Wake(business_date=running.business_date, phase=running.phase)
            append_events(woken, aggregate, stream, state, sequence, aggregate.decide(wake, state, at_phase))
            change = woken.changes.get(stream)
            phase = (running.business_date, running.phase)
            if change is not None and (change.wake is None or change.wake > phase):
                effect.events += woken.events
                effect.bytes += woken.bytes
                effect.changes[stream] = change
                return None
            code = "still_due"
        except NEVER_A_REFUSAL:
            raise
        except Exception as error:
            log.error("wake_failed", deciding=self.service, aggregate=aggregate.name, exc_info=True)
            code = error.code if isinstance(error, Refused) else "internal"
        effect.changes[stream] = stuck_change(aggregate, stream, state, sequence)
        return WakeFailed(
            stream_id=stream, business_date=running.business_date, phase=running.phase, code=code
        )

    # --- duplicates ---------------------------------------------------------------------------------------------

    def _repeated(self, envelope: CommandEnvelope) -> Effect | None:
        """The effect of a command that was decided before, by the rule for people or for policies; None for a new one."""
        if envelope.source is not None:
            return self._repeated_by_policy(envelope)
        known = self._pending_known.get(envelope.command_id) or self._memory.known(envelope.command_id)
        if known is None:
            return None
        if known.fingerprint != (envelope.fingerprint or ""):
            return refusal(envelope.type, "key_reused", envelope.stream_id)
        effect = Effect()
        first = parse_json(known.value)["events"]
        effect.add(None, None, CommandRepeated(first_position=known.position, first=first))
        return effect

    def _repeated_by_policy(self, envelope: CommandEnvelope) -> Effect | None:
        source = envelope.source
        assert source is not None
        key = SourceKey(source.group, source.topic, source.partition)
        pending = self._pending_sources.get(key, {})
        seen = envelope.command_id in pending or self._memory.seen(key, envelope.command_id)
        below = max(self._memory.stored_below(key), self._pending_below.get(key, 0))
        # A marker's age says nothing: it may speak for other partitions too, and the day counts every partition once. Below the
        # line its id counts as forgotten even while it is still remembered: that depends on what is unconfirmed, and what is
        # decided may depend on the log only, or a lost tail would be decided otherwise.
        if source.position < below:
            seen = envelope.type != _MARKER
        if not seen:
            return None
        effect = Effect()
        effect.add(None, None, CommandRepeated(first_position=None, first=None))
        return effect

    # --- sealing ------------------------------------------------------------------------------------------------

    def _seal(self, item: ReadCommand, effect: Effect, first_answer: bool) -> Outgoing:
        envelope = item.envelope
        value = encode_decision(
            at=envelope.at if envelope else None,
            business_date=self.business_date or (envelope.business_date if envelope else None),
            principal=envelope.principal if envelope else "",
            correlation_id=envelope.correlation_id if envelope else "",
            causation_id=envelope.causation_id if envelope else None,
            events=effect.events,
        )
        headers = command_headers(item, self._rules)
        digest = seal(self._head, headers, value)
        position = item.raw.offset
        self._speculate(
            Unconfirmed(
                position=position,
                hash=digest,
                bytes=len(value),
                changes=tuple(effect.changes.values()),
                known=known_from(headers, position, value) if first_answer else None,
                source=source_from(headers),
            )
        )
        headers |= {"prev": self._head, "hash": digest, "by": self.replica.encode()}
        self._head = digest
        key = envelope.stream_id.encode() if envelope else (item.raw.key or b"")
        return Outgoing(position, key, headers, value)

    def _speculate(self, pending: Unconfirmed) -> None:
        self._pending.append(pending)
        self._pending_bytes += pending.bytes
        self._states.speculate(pending.changes, pending.position)
        if pending.known is not None:
            self._pending_known[pending.known.command_id] = pending.known
        if pending.source is not None:
            mark = pending.source
            self._pending_sources.setdefault(mark.key, {})[mark.command_id] = mark.position
            self._pending_below[mark.key] = max(mark.below, self._pending_below.get(mark.key, 0))

    # --- the log's answer ---------------------------------------------------------------------------------------

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
        self.head_by, self.head_rules = decided_by(raw.headers)
        self._memory.keep_decided(self.head_by, self.head_rules)
        if not self._pending:
            self._head = self._reader.head.hash
        return reading

    def _confirm(self, pending: Unconfirmed) -> None:
        self._pending_bytes -= pending.bytes
        self._states.confirm(pending.changes, pending.position)
        if pending.known is not None:
            self._memory.keep_known(pending.known)
            self._pending_known.pop(pending.known.command_id, None)
        if pending.source is not None:
            self._memory.keep_source(pending.source)
            self._pending_sources[pending.source.key].pop(pending.source.command_id, None)

    def _adopt(self, raw: RawRecord) -> None:
        """Fold a record that this object did not decide: recovery, or another replica's decision."""
        decision = parse_decision(raw.value)
        changes = list(self._states.fold(decision))
        first = decision.events[0]
        reused = first.type == name_of(CommandRefused) and first.data["code"] == "key_reused"
        answers = first.type != name_of(CommandRepeated) and not reused
        known = known_from(raw.headers, self._reader.head.position, raw.value) if answers else None
        source = source_from(raw.headers)
        # All of the record is read before any of it is kept: whoever fails in between has still folded whole records.
        for change in changes:
            self._states.remember(change)
        if known is not None:
            self._memory.keep_known(known)
        if source is not None:
            self._memory.keep_source(source)

    def drop_speculation(self) -> None:
        """Forget every decision that the log has not accepted; deciding goes on from the log's head."""
        self._pending.clear()
        self._pending_bytes = 0
        self._states.drop_speculation()
        self._pending_known.clear()
        self._pending_sources.clear()
        self._pending_below.clear()
        self._head = self._reader.head.hash

    def flush(self) -> None:
        """Write what was folded to the store in one atomic batch."""
        self._memory.flush()
