"""What a view's documents are after some events: the smallest possible projector, for specs and properties.

It also holds views to their promise (libs.events.views): a field is assigned by one stream only, is a sum, or is set once
to a value that is the same whoever comes first.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from libs.events.codec import decode, encode, name_of
from libs.events.records import RecordedEvent
from libs.events.views import Add, Delete, Op, Set, SetOnce, Unset, View
from tests.unit.given import AT, TODAY


def recorded(data: Any, stream: str | None = None, sequence: int = 1, service: str = "") -> RecordedEvent:
    """An event as a policy or a view gets it; its address follows from its stream and sequence."""
    name = name_of(type(data))
    return RecordedEvent(
        data=decode(type(data), encode(type(data), data)),
        type=name,
        stream=stream,
        sequence=sequence if stream else None,
        service=service or name.split(".", 1)[0],
        partition=0,
        position=sequence,
        index=0,
        at=AT,
        business_date=TODAY,
        principal="",
        correlation_id="",
        causation_id=None,
        command_id="",
        command_type="",
    )


def history(stream: str, *events: Any) -> list[RecordedEvent]:
    """The events of one stream, numbered."""
    return [recorded(event, stream, sequence) for sequence, event in enumerate(events, 1)]


def documents(view: View, events: Iterable[RecordedEvent]) -> dict[str, dict[str, Any]]:
    """The view's documents after the events that it reads, their fields by dotted name."""
    found: dict[str, dict[str, Any]] = {}
    writers: dict[tuple[str, str], set[tuple[str, str | None]]] = {}
    for event in events:
        if type(event.data) in view.reads:
            for op in view.project(event):
                _keep_promise(op, event.stream, writers)
                _apply(op, found)
    return found


def nested(doc: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A document as MongoDB gives it: dotted fields are paths."""
    found: dict[str, Any] = {"_id": doc}
    for name, value in fields.items():
        *path, last = name.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found


def _keep_promise(
    op: Op, stream: str | None, writers: dict[tuple[str, str], set[tuple[str, str | None]]]
) -> None:
    """A sum that one stream alone adds to, it may assign anew, as a correction does."""
    if isinstance(op, Delete | Unset):
        return
    how = f"once as {op.value!r}" if isinstance(op, SetOnce) else type(op).__name__
    known = writers.setdefault((op.doc, op.field), set())
    known.add((how, None if isinstance(op, SetOnce) else stream))
    ways, streams = {how for how, _ in known}, {stream for _, stream in known}
    is_kept = ways == {"Add"} or (len(streams) == 1 and (len(ways) == 1 or ways == {"Add", "Set"}))
    assert is_kept, f"{op.field} of {op.doc} is written by {sorted(known, key=str)}"


def _apply(op: Op, found: dict[str, dict[str, Any]]) -> None:
    if isinstance(op, Delete):
        found.pop(op.doc, None)
        return
    document = found.setdefault(op.doc, {})
    match op:
        case Set():
            document[op.field] = op.value
        case SetOnce():
            document.setdefault(op.field, op.value)
        case Add():
            document[op.field] = document.get(op.field, 0) + op.amount
        case Unset():
            for name in [name for name in document if f"{name}.".startswith(f"{op.field}.")]:
                del document[name]


def turn_about(*streams: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """The events of several streams, one of each in turn, the last stream first: another order that the log may have."""
    longest = max(len(stream) for stream in streams)
    return [stream[turn] for turn in range(longest) for stream in reversed(streams) if turn < len(stream)]
