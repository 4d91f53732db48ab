"""`loanstream explain`: what came of a command, found in the log; how a figure comes about, found in its view.

The log has no index by correlation, and needs none: what a command causes follows it closely, so every partition is read
from the command's time on until nothing more of it comes.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from libs.events.codec import Undecodable
from libs.events.records import RawRecord, StoredEvent, parse_decision
from libs.events.topics import DECIDING_SERVICES, events_topic
from libs.events.views import Figure, events_of, figure_named
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import LogReader, Place, offsets, read_range
from libs.runtime.mongo import Database
from libs.runtime.service import Service
from libs.runtime.settings import Settings
from libs.runtime.tracing import DecisionNode, Trace, Traced
from libs.runtime.views import ViewMissing, Views

_ADDRESS = re.compile(
    r"(?P<service>[a-z]+)/(?P<partition>[0-9]{1,4})/(?P<position>[0-9]{1,15})(/[0-9]{1,4})?"
)
#: A partition is read this much further (seconds of the log's time) than the last decision that belonged to the command.
QUIET_S = 30.0
#: Rows of a figure that are shown.
ROWS = 10
#: Events of a row that are read from the log: a user's bids stand in as many streams as he has bid on listings.
EVENTS = 10

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """A row behind a figure, and some of the events that it names, as the log tells them: address and event."""

    row: dict[str, Any]
    events: tuple[tuple[str, StoredEvent], ...]


@dataclass(frozen=True, slots=True)
class ExplainedFigure:
    """A figure's value, and some of the rows behind it."""

    figure: Figure
    value: int
    rows: tuple[ExplainedRow, ...]
    more: bool


async def explain_command(settings: Settings, what: str, progress: Progress) -> DecisionNode:
    """The tree of a command, named by its id or by its decision's address. Raises OperatorError, LogUnavailable."""
    address = what if _ADDRESS.fullmatch(what) else await _address_of(settings, what)
    root = await _decision_at(settings, address)
    trace = Trace(root.decision.correlation_id)
    places = [
        Place(events_topic(service, settings.topic_prefix), partition)
        for service in DECIDING_SERVICES
        for partition in range(settings.partitions)
    ]
    for done, place in enumerate(places):
        progress(done, len(places), f"reading {place.topic}/{place.partition}")
        await _gather(settings, place, root.at_ms, trace)
    return trace.tree(root)


def is_figure(services: Sequence[Service], name: str) -> bool:
    """Whether the registry of figures has one of this name; of many parts also where they are missing."""
    return any(figure.name == name.split(":")[0] for figure in figures_of(services))


def figures_of(services: Sequence[Service]) -> list[Figure]:
    """The registry."""
    return [figure for service in services for figure in service.figures]


async def explain_figure(settings: Settings, services: Sequence[Service], name: str) -> ExplainedFigure:
    """A figure of the registry with its value, rows and their events.

    Raises OperatorError for a view that is not built and for a figure without its parts or of unknown ones, LogUnavailable.
    """
    figure = figure_named(figures_of(services), name)
    if figure is None:
        usages = [figure.usage for figure in figures_of(services) if figure.name == name.split(":")[0]]
        raise OperatorError(f"{name} is asked for as {' or '.join(usages)}.")
    database = Database.connect(settings)
    try:
        views = Views(database)
        value = await _value(views, figure)
        rows, after = await views.page(figure.rows_view, where=figure.rows_where, after=None, limit=ROWS)
    except ViewMissing as error:
        raise OperatorError(
            f"{error}: start the projector (`loanstream run all --roles projector`)."
        ) from None
    finally:
        await database.close()
    found = [
        ExplainedRow(
            row, tuple([(each, await _event_at(settings, each)) for each in events_of(row)[:EVENTS]])
        )
        for row in rows
    ]
    return ExplainedFigure(figure, value, tuple(found), after is not None)


async def _value(views: Views, figure: Figure) -> int:
    if figure.doc is None:
        return await views.count(figure.view, figure.field)
    value = figure.value_in(await views.get(figure.view, figure.doc))
    if value is None:
        raise OperatorError(
            f"There is no {figure.name}: {figure.view} knows nothing of it ({figure.missing})."
        )
    return value


async def _event_at(settings: Settings, address: str) -> StoredEvent:
    """The event of an address `service/partition/position/index` that a view names."""
    traced = await _decision_at(settings, address)
    return traced.decision.events[int(address.rsplit("/", 1)[1])]


async def _address_of(settings: Settings, command_id: str) -> str:
    database = Database.connect(settings)
    try:
        views = Views(database)
        for service in DECIDING_SERVICES:
            try:
                found = await views.get(f"{service}.commands", command_id)
            except ViewMissing:
                continue
            if found is not None:
                return str(found["position"])
    finally:
        await database.close()
    raise OperatorError(
        f"No view knows a command {command_id}. Give the id that an answer's Location carries, or an address "
        "service/partition/position."
    )


async def _decision_at(settings: Settings, address: str) -> Traced:
    """The accepted decision at a position: its record stands at that offset or later, after repeats that nobody counted."""
    found = _ADDRESS.fullmatch(address)
    assert found is not None, "an address was matched before"
    service, partition, position = found["service"], int(found["partition"]), int(found["position"])
    if service not in DECIDING_SERVICES or partition >= settings.partitions:
        raise OperatorError(f"{address} is no address of this log: write service/partition/position.")
    place = Place(events_topic(service, settings.topic_prefix), partition)
    async for records in read_range(settings.require_kafka(), place, position):
        for raw in records:
            if raw.headers.get("position") == str(position).encode():
                traced = _traced(place, raw)
                if traced is not None:
                    return traced
    raise OperatorError(f"{place.topic}/{partition} holds no decision at position {position}.")


async def _gather(settings: Settings, place: Place, from_ms: int, trace: Trace) -> None:
    bootstrap = settings.require_kafka()
    start = await _offset_at(bootstrap, place, from_ms)
    _, end = (await offsets(bootstrap, [place]))[place]
    last_ms = from_ms
    async for records in read_range(bootstrap, place, end if start is None else start, end):
        for raw in records:
            traced = _traced(place, raw)
            if traced is not None and trace.add(traced):
                last_ms = raw.timestamp_ms
        if records[-1].timestamp_ms > last_ms + QUIET_S * 1000:
            return
        await asyncio.sleep(0)


def _traced(place: Place, raw: RawRecord) -> Traced | None:
    """A record as a decision; None for bytes that are none."""
    service = place.topic.rsplit(".", 2)[-2]
    try:
        return Traced(
            address=f"{service}/{place.partition}/{int(raw.headers['position'])}",
            command_id=raw.headers.get("command-id", b"").decode(),
            command_type=raw.headers.get("type", b"").decode(),
            decision=parse_decision(raw.value),
            at_ms=raw.timestamp_ms,
        )
    except (Undecodable, KeyError, ValueError):
        return None


async def _offset_at(bootstrap: str, place: Place, at_ms: int) -> int | None:
    """The offset of the first record stored at or after a time (ms since 1970); None after the last. Raises LogUnavailable."""
    reader = LogReader(bootstrap, client_id="loanstream-explain")
    await reader.start()
    try:
        return await reader.offset_at(place, at_ms)
    finally:
        await reader.stop()
