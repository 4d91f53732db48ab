"""The states of one partition's streams: confirmed ones in store and cache, speculative ones in an overlay above them."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from libs.events.codec import decode, encode
from libs.events.deciding import Aggregate
from libs.events.money import money_context
from libs.events.records import Decision, decode_event
from libs.events.system import WakeFailed
from libs.runtime.decision import Effect, aggregate_prefix
from libs.runtime.memory import DeciderMemory, StreamChange

#: States kept decoded per partition: the hot ones, at most so many, and so many bytes of their encodings (decoded they take about
#: three times as much); the rest are read from the store when needed.
CACHED_MAX = 20_000
CACHED_BYTES_MAX = 16 * 1024 * 1024


class _Cached(NamedTuple):
    """A confirmed state and its sequence, decoded; the size of its encoding; its key in the wake index."""

    loaded: tuple[Any, int]
    size: int
    wake: bytes


class States:
    """Loads, folds and remembers stream states."""

    def __init__(self, aggregates: tuple[Aggregate, ...], memory: DeciderMemory) -> None:
        self._aggregates = {aggregate.prefix: aggregate for aggregate in aggregates}
        self._memory = memory
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._cached_bytes = 0
        self._overlay: dict[str, tuple[Any, int, int]] = {}

    def aggregate(self, stream: str) -> Aggregate:
        """The aggregate that a stream belongs to. Raises KeyError for none of this service."""
        return self._aggregates[aggregate_prefix(stream)]

    def load(self, stream: str) -> tuple[Any, int]:
        """(state, sequence) of a stream, speculation included."""
        speculative = self._overlay.get(stream)
        if speculative is not None:
            return speculative[0], speculative[1]
        cached = self._cache.get(stream)
        if cached is not None:
            self._cache.move_to_end(stream)
            return cached.loaded
        aggregate = self.aggregate(stream)
        stored = self._memory.state(stream)
        if stored is None:
            return aggregate.initial, 0
        loaded = decode(aggregate.state, stored.encoded), stored.sequence
        self._put(stream, _Cached(loaded, len(stored.encoded), stored.wake))
        return loaded

    def speculate(self, changes: Iterable[StreamChange], position: int) -> None:
        """Let later decisions see these changes before the log has accepted them."""
        for change in changes:
            self._overlay[change.stream] = (change.state, change.sequence, position)

    def confirm(self, changes: Iterable[StreamChange], position: int) -> None:
        """The log accepted the decision at this position."""
        for change in changes:
            self.remember(change)
            latest = self._overlay.get(change.stream)
            if latest is not None and latest[2] == position:
                del self._overlay[change.stream]

    def drop_speculation(self) -> None:
        """Only confirmed states count again."""
        self._overlay.clear()

    def remember(self, change: StreamChange) -> None:
        """Keep a confirmed state."""
        before = self._cache.get(change.stream)
        wake = self._memory.keep_state(change, None if before is None else before.wake)
        self._put(change.stream, _Cached((change.state, change.sequence), len(change.stored), wake))

    def fold(self, decision: Decision) -> Iterator[StreamChange]:
        """The changes that a record of the log makes to confirmed states."""
        folded: dict[str, tuple[Any, int]] = {}
        stuck: list[str] = []
        with money_context():
            for stored in decision.events:
                if stored.stream is None or stored.sequence is None:
                    continue
                state, _ = folded.get(stored.stream) or self.load(stored.stream)
                event = decode_event(stored)
                folded[stored.stream] = (self.aggregate(stored.stream).evolve(state, event), stored.sequence)
                if isinstance(event, WakeFailed):
                    stuck.append(event.stream_id)
        for stream, (state, sequence) in folded.items():
            yield stream_change(self.aggregate(stream), stream, state, sequence)
        for stream in stuck:
            yield stuck_change(self.aggregate(stream), stream, *(folded.get(stream) or self.load(stream)))

    def _put(self, stream: str, entry: _Cached) -> None:
        before = self._cache.pop(stream, None)
        self._cache[stream] = entry
        self._cached_bytes += entry.size - (before.size if before is not None else 0)
        while len(self._cache) > CACHED_MAX or (
            self._cached_bytes > CACHED_BYTES_MAX and len(self._cache) > 1
        ):
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= dropped.size


def stream_change(aggregate: Aggregate, stream: str, state: Any, sequence: int) -> StreamChange:
    """A stream's new state as the store keeps it, with the time it next wants to be woken."""
    return StreamChange(stream, state, sequence, aggregate.wake_on(state), encode(aggregate.state, state))


def stuck_change(aggregate: Aggregate, stream: str, state: Any, sequence: int) -> StreamChange:
    """A stream that could not be woken: as it was, out of the wake index until its next event."""
    return StreamChange(stream, state, sequence, None, encode(aggregate.state, state))


def append_events(
    effect: Effect, aggregate: Aggregate, stream: str, state: Any, sequence: int, events: Sequence[Any]
) -> tuple[Any, int]:
    """Encode a stream's new events and the state they lead to; the effect is untouched if any of that raises."""
    if not events:
        return state, sequence
    encoded = Effect()
    for event in events:
        sequence += 1
        encoded.add(stream, sequence, event)
        state = aggregate.evolve(state, event)
    effect.changes[stream] = stream_change(aggregate, stream, state, sequence)
    effect.events += encoded.events
    effect.bytes += encoded.bytes
    return state, sequence
