"""What a failure's sentence is about: the last events of the streams that it names, and of the record that broke the rule."""

import re
from typing import Any, Final

from pydantic_core import from_json, to_json

from tools.simulator.log import Log

#: Events that are told of a failure.
EVENTS_MAX: Final = 20
#: An event's fields are told up to this length: schedules and lists of bids are long.
_TEXT_MAX: Final = 300
#: Ids and addresses as they stand in a sentence of the auditor.
_NAME = re.compile(r"~?\w+(?:[-/:~]\w+)*")
#: An id has a prefix and a suffix; plain words say nothing about where to look.
_ID = re.compile(r"~p\d+|[a-z]+_\w+")


def last_events(log: Log, sentence: str) -> list[str]:
    """The last events of the streams concerned, oldest first, one line each; of all streams where none can be told."""
    decisions = [
        (f"{place.topic.removesuffix('.events')}/{place.partition}/{_position(raw.headers)}", raw)
        for place, raw in log.order
        if place.topic.endswith(".events")
    ]
    names = {*_NAME.findall(sentence)}
    wanted = {name for name in names if _ID.fullmatch(name)}
    for where, raw in decisions:
        if where in names or (decisions and raw is decisions[-1][1]):
            wanted |= {event["stream"] for event in _events(raw.value) if event["stream"]}
    found: list[str] = []
    for where, raw in reversed(decisions):
        told = [
            event for event in _events(raw.value) if not wanted or where in names or _names(event) & wanted
        ]
        found += [_line(where, event) for event in reversed(told)]
        if len(found) >= EVENTS_MAX:
            break
    return found[:EVENTS_MAX][::-1]


def _position(headers: Any) -> str:
    return str(headers["position"].decode())


def _events(value: bytes) -> list[Any]:
    events: list[Any] = from_json(value)["events"]
    return events


def _names(event: Any) -> set[str]:
    """The event's stream, and the ids that stand in its fields."""
    return {event["stream"], *(value for value in event["data"].values() if isinstance(value, str))}


def _line(where: str, event: Any) -> str:
    data = to_json(event["data"]).decode()
    shown = data if len(data) <= _TEXT_MAX else f"{data[:_TEXT_MAX]}…"
    return f"{where} {event['stream'] or '-'} {event['type']} {shown}"
