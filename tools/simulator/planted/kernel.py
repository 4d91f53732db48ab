"""Bugs of the decider, the chain, the memory and the day: what makes appending a compare-and-set, and time an event."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from libs.events.chain import ChainReader, Checkpoint, Reading, seal
from libs.events.codec import name_of
from libs.events.records import CommandEnvelope, Decision, RawRecord
from libs.events.system import BusinessDateSet, CommandRepeated, DayMarkerReceived, TickProgressed
from libs.runtime import day, deciding
from libs.runtime.deciding import PartitionDecider
from libs.runtime.decision import Effect
from libs.runtime.memory import DeciderMemory, SourceKey, StreamChange
from libs.runtime.states import States
from tools.simulator.planted.plant import DUES, PAIRED_DUES, ROUGH_DUES, TWINS, Plant, instead, together


def _sources_only(self: PartitionDecider, envelope: CommandEnvelope) -> Any:
    return self._repeated_by_policy(envelope) if envelope.source is not None else None


def _whatever_the_body(self: PartitionDecider, envelope: CommandEnvelope) -> CommandEnvelope:
    known = self._pending_known.get(envelope.command_id) or self._memory.known(envelope.command_id)
    return envelope if known is None else replace(envelope, fingerprint=known.fingerprint)


def _by_memory_of_ids_only(self: PartitionDecider, envelope: CommandEnvelope) -> Effect | None:
    source = envelope.source
    assert source is not None
    key = SourceKey(source.group, source.topic, source.partition)
    seen = self._memory.seen(key, envelope.command_id)
    return _repeat() if seen or envelope.command_id in self._pending_sources.get(key, {}) else None


def _by_watermark(self: PartitionDecider, envelope: CommandEnvelope) -> Effect | None:
    """The highest position seen is taken for what is done: commands that were overtaken are lost."""
    source = envelope.source
    assert source is not None
    key = SourceKey(source.group, source.topic, source.partition)
    marks: dict[SourceKey, int] = self.__dict__.setdefault("watermarks", {})
    if source.position < marks.get(key, -1) and envelope.type != name_of(day.DayMarker):
        return _repeat()
    marks[key] = max(source.position, marks.get(key, -1))
    return _sources_rule(self, envelope)


_sources_rule = PartitionDecider._repeated_by_policy


def _repeat() -> Effect:
    effect = Effect()
    effect.add(None, None, CommandRepeated(first_position=None, first=None))
    return effect


def _any_prev(self: ChainReader, raw: RawRecord) -> Reading:
    position = int(raw.headers["position"])
    if 0 <= position <= self.head.position:
        return Reading.REPEAT
    if position != self.next_position:
        return Reading.FOREIGN
    return _take(self, raw, position)


def _any_later_position(self: ChainReader, raw: RawRecord) -> Reading:
    position = int(raw.headers["position"])
    return _take(self, raw, position) if position > self.head.position else Reading.REPEAT


def _take(self: ChainReader, raw: RawRecord, position: int) -> Reading:
    if seal(raw.headers["prev"], raw.headers, raw.value) != raw.headers["hash"]:
        return Reading.FOREIGN
    self.head = Checkpoint(raw.offset, position, raw.headers["hash"])
    return Reading.ACCEPTED


def _head_ahead_of_its_states(self: DeciderMemory, head: Checkpoint) -> None:
    self._store.write({b"t": head.as_text().encode()})


def _backwards(real: Any) -> Any:
    def fold(self: States, decision: Decision) -> Iterator[StreamChange]:
        said = {name: getattr(decision, name) for name in decision.__struct_fields__}
        yield from real(self, Decision(**said | {"events": decision.events[::-1]}))

    return fold


def _never_awake(real: Any) -> Any:
    """Streams whose wake entry moved are never found again."""

    def keep_state(self: DeciderMemory, change: StreamChange, wake_before: bytes | None = None) -> bytes:
        known = self._get(b"s/" + change.stream.encode()) is not None
        wake: bytes = real(self, change, wake_before)
        if known:
            for key in [key for key in self._changes if key.startswith(b"w/")]:
                self._changes[key] = None
        return wake

    return keep_state


def _counting_again(real: Any) -> Any:
    """A partition that reports twice counts twice."""

    def marker(message: day.DayMarker, state: day.DayState) -> Any:
        events = real(message, state)
        key = f"{message.business_date}/{message.phase}"
        seen = state.markers.get(key, ())
        if events or not seen or (state.done and (message.business_date, message.phase) <= state.done):
            return events
        return [
            DayMarkerReceived(
                business_date=message.business_date,
                phase=message.phase,
                from_partition=message.from_partitions[0],
                missing=message.expected - len(seen) - 1,
            )
        ]

    return marker


def _without_ticks(real: Any) -> Any:
    def day_commands(service: str, event: Any, partitions: int) -> Any:
        return [] if isinstance(event.data, TickProgressed) else real(service, event, partitions)

    return day_commands


def _no_date_after(real: Any) -> Any:
    """The last phase of the misses forgets to set tomorrow's date."""

    def phase_end(service: str, state: day.DayState, **fields: Any) -> Any:
        events = real(service, state, **fields)
        return [event for event in events if not isinstance(event, BusinessDateSet)]

    return phase_end


PLANTS = (
    Plant(
        "people-decided-twice",
        "A person's command that comes again is decided again.",
        instead(PartitionDecider, "_repeated", lambda _real: _sources_only),
        ("is a second effect of", " twice", "accepts another body for"),
    ),
    Plant(
        "policies-decided-twice",
        "A policy's command that comes again is decided again.",
        instead(PartitionDecider, "_repeated_by_policy", lambda _real: lambda _self, _envelope: None),
        ("is a second effect of", " twice"),
    ),
    Plant(
        "stored-below-ignored",
        "A policy's command is looked for among the remembered ids only, and those below `stored_below` are forgotten.",
        instead(PartitionDecider, "_repeated_by_policy", lambda _real: _by_memory_of_ids_only),
        ("is a second effect of", " twice"),
    ),
    Plant(
        "plain-watermark",
        "A policy's command is dropped when a later one of its source was seen.",
        instead(PartitionDecider, "_repeated_by_policy", lambda _real: _by_watermark),
        ("repeats what was never decided",),
    ),
    Plant(
        "unconfirmed-answers-forgotten",
        "A double click within the unconfirmed decisions is not recognised.",
        instead(
            PartitionDecider,
            "_speculate",
            lambda real: lambda self, pending: (real(self, pending), self._pending_known.clear())[0],
        ),
        ("is a second effect of", " twice", "accepts another body for"),
    ),
    Plant(
        "adopted-answers-forgotten",
        "What another life decided is folded without its answer.",
        instead(
            deciding,
            "known_from",
            lambda real: (
                lambda headers, position, value: None if "hash" in headers else real(headers, position, value)
            ),
        ),
        ("is a second effect of", " twice", "accepts another body for"),
    ),
    Plant(
        "body-not-compared",
        "The same key under another body gets the first one's answer.",
        instead(
            PartitionDecider,
            "_repeated",
            lambda real: lambda self, envelope: real(self, _whatever_the_body(self, envelope)),
        ),
        ("accepts another body for",),
    ),
    Plant(
        "prev-not-checked",
        "A reader takes the next position whatever it is linked to.",
        instead(ChainReader, "read", lambda _real: _any_prev),
        (
            "has undecided commands",
            "was answered differently",
            "not at rest",
            "bid without its hold",
            "done 0 times",
            "clearing:loan:",
        ),
        config=TWINS,
        seeds=range(3, 8),
    ),
    Plant(
        "position-not-strict",
        "A reader takes any later position with a true hash.",
        instead(ChainReader, "read", lambda _real: _any_later_position),
        (
            "has undecided commands",
            "is a second effect of",
            "was answered differently",
            "not at rest",
            "bid without its hold",
            "done 0 times",
            " jumps from ",
        ),
        config=TWINS,
        seeds=range(1, 8),
    ),
    Plant(
        "speculation-kept",
        "Decisions that the log did not take stay in the states.",
        instead(States, "drop_speculation", lambda _real: lambda _self: None),
        (" jumps from ", "says available", "says held", "decided on another date"),
    ),
    Plant(
        "head-before-states",
        "The head reaches the store before the states it stands for.",
        instead(DeciderMemory, "keep_head", lambda _real: _head_ahead_of_its_states),
        (
            " jumps from ",
            "repeats what was never decided",
            "is a second effect of",
            " twice",
            "listing_not_filled",
        ),
    ),
    Plant(
        "folded-backwards",
        "A record of another life is folded from its last event to its first.",
        instead(States, "fold", _backwards),
        (" jumps from ", "only an open listing takes a bid", "is a second effect of"),
        config=ROUGH_DUES,
    ),
    Plant(
        "wakes-forgotten",
        "A stream that changed is not in the wake index any more.",
        instead(DeciderMemory, "keep_state", _never_awake),
        ("was not asked for", "missed", "is in current"),
        config=DUES,
    ),
    Plant(
        "tick-not-resumed",
        "A phase that needs several ticks stops after its first.",
        together(
            instead(day, "WOKEN_PER_TICK_MAX", lambda _real: 1),
            instead(day, "day_commands", _without_ticks),
        ),
        ("not at rest",),
        config=DUES,
    ),
    Plant(
        "marker-counted-twice",
        "A partition that reports the end of a phase twice counts for two.",
        instead(day, "_marker", _counting_again),
        ("is judged", "in silence", "is done twice", "is a second effect of", " phase "),
        config=PAIRED_DUES,
        seeds=range(27, 28),
    ),
    Plant(
        "date-not-set",
        "The end of the day leaves the date where it was.",
        instead(day, "phase_end", _no_date_after),
        ("has not reached",),
        config=DUES,
    ),
)
