"""`loanstream export`: the events of the log as CloudEvents, one JSON object a line, in order within a partition.

Only what the chain accepts is exported, each event once. An event's id is its address, so who reads two exports can tell
what he has already.
"""

from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from pydantic_core import to_json

from libs.events.chain import ChainReader, Reading, genesis
from libs.events.codec import Undecodable
from libs.events.records import RawRecord, parse_decision
from libs.events.topics import DECIDING_SERVICES, events_topic
from libs.runtime.cloud_events import CloudEvent
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place, offsets, read_range
from libs.runtime.settings import Settings

Progress = Callable[[int, int, str], None]
Write = Callable[[bytes], object]


@dataclass(slots=True)
class ExportReport:
    """What was handed out, and how many records the chain does not accept were passed over."""

    events: int = 0
    decisions: int = 0
    passed_over: int = 0


async def export(
    settings: Settings,
    service: str | None,
    write: Write,
    *,
    first: int = 0,
    last: int | None = None,
    progress: Progress = lambda *_: None,
) -> ExportReport:
    """Write the events of one service, or of all, from position `first` to position `last` of each partition, both included.

    Every partition is read from its beginning, because nobody reads a chain without its head. Raises OperatorError,
    LogUnavailable.
    """
    services = chosen_services(service)
    if first < 0 or (last is not None and last < first):
        raise OperatorError(f"No position lies from {first} to {last}: give --from and --to in order.")
    where = {
        Place(events_topic(name, settings.topic_prefix), partition): name
        for name in services
        for partition in range(settings.partitions)
    }
    ends = {place: end for place, (_, end) in (await offsets(settings.require_kafka(), list(where))).items()}
    report, before, total = ExportReport(), 0, sum(ends.values())
    for place, name in where.items():
        head = genesis(settings.require_log_id(), place.topic, place.partition)
        chain = ChainReader(head)
        async with aclosing(read_range(settings.require_kafka(), place, 0, ends[place])) as batches:
            async for records in batches:
                for raw in records:
                    _export(report, write, chain, (name, place.partition), raw, (first, last))
                progress(before + records[-1].offset + 1, total, f"{name}/{place.partition}")
                if last is not None and chain.head.position >= last:
                    break
        before += ends[place]
    return report


def chosen_services(service: str | None) -> tuple[str, ...]:
    """One deciding service by name, or all. Raises OperatorError for any other name."""
    if service is not None and service not in DECIDING_SERVICES:
        raise OperatorError(f"{service} owns no topics: choose from {', '.join(DECIDING_SERVICES)}.")
    return (service,) if service else DECIDING_SERVICES


def _export(
    report: ExportReport,
    write: Write,
    chain: ChainReader,
    where: tuple[str, int],
    raw: RawRecord,
    wanted: tuple[int, int | None],
) -> None:
    if chain.read(raw) is not Reading.ACCEPTED:
        report.passed_over += 1
        return
    first, last = wanted
    position = chain.head.position
    if position < first or (last is not None and position > last):
        return
    report.decisions += 1
    for line in cloud_events(*where, position, raw):
        write(line)
        report.events += 1


def cloud_events(service: str, partition: int, position: int, raw: RawRecord) -> Iterator[bytes]:
    """The events of one accepted decision, each as a line. What is of Loanstream only stands in extension attributes.

    Raises OperatorError for a record that cannot be read.
    """
    try:
        decision = parse_decision(raw.value)
    except Undecodable as error:
        raise OperatorError(
            f"{service}/{partition} at position {position} cannot be read ({error}): run `loanstream verify {service}`."
        ) from None
    for index, stored in enumerate(decision.events):
        event = CloudEvent(
            id=f"{service}/{partition}/{position}/{index}",
            source=f"/loanstream/{service}",
            type=stored.type,
            subject=stored.stream,
            time=decision.at.isoformat() if decision.at else None,
            data=stored.data,
        )
        own = {
            "sequence": None if stored.sequence is None else str(stored.sequence),
            "businessdate": decision.business_date.isoformat() if decision.business_date else None,
            "principal": decision.principal,
            "correlationid": decision.correlation_id,
            "causationid": decision.causation_id,
            "commandid": raw.headers.get("command-id", b"").decode(),
            "commandtype": raw.headers.get("type", b"").decode(),
        }
        told = event.model_dump(exclude={"data"}) | own
        line = {name: value for name, value in told.items() if value not in (None, "")} | {"data": event.data}
        yield to_json(line) + b"\n"
