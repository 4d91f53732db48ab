"""Which rules decided each partition's head, which rules this code has, and who decides: `loanstream rules`.

A replica whose rules are below the head's stays passive, so that an old process cannot decide by what was replaced. Going
back on purpose is a person's decision and stands in the table of replicas (design.md 2.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.events.chain import ChainReader, Checkpoint, Reading
from libs.events.records import RawRecord
from libs.events.topics import DECIDING_SERVICES, events_topic
from libs.runtime.decision import decided_by
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place, offsets, read_range
from libs.runtime.replica_role import Assignment
from libs.runtime.replicas import ReplicaTable, load_table, save_table
from libs.runtime.service import Service
from libs.runtime.settings import Settings

#: Records looked at from the end of a partition, and how many of them may be ones that the chain did not accept.
_LOOKED_AT = 200
_UNLINKED_MAX = 50


@dataclass(frozen=True, slots=True)
class RulesRow:
    """One partition. `head_by` and `head_rules` are None where nothing was decided yet."""

    service: str
    partition: int
    head_by: str | None
    head_rules: int | None
    rules: int
    assignment: Assignment

    @property
    def verdict(self) -> str:
        """What it means for a replica that runs this code."""
        if self.head_rules is None or self.rules >= self.head_rules:
            return "decides"
        allowed = self.assignment.rules_allowed
        return "decides: allowed" if allowed is not None and self.rules >= allowed else "held back"


async def show_rules(
    settings: Settings, services: Sequence[Service], only: str | None = None
) -> list[RulesRow]:
    """A row per partition of the services that decide. Raises OperatorError for an unknown service, LogUnavailable."""
    _require_deciding(only)
    table = load_table(settings)
    rows: list[RulesRow] = []
    for service in services:
        if service.name not in DECIDING_SERVICES or only not in (None, service.name):
            continue
        topic = events_topic(service.name, settings.topic_prefix)
        places = [Place(topic, partition) for partition in range(settings.partitions)]
        ends = await offsets(settings.require_kafka(), places)
        for place in places:
            first, end = ends[place]
            records: list[RawRecord] = []
            async for batch in read_range(settings.require_kafka(), place, max(first, end - _LOOKED_AT), end):
                records += batch
            head = head_of(records)
            by, rules = (None, None) if head is None else decided_by(head.headers)
            assignment = table.assignment(service.name, place.partition)
            rows.append(RulesRow(service.name, place.partition, by, rules, service.rules, assignment))
    return rows


def allow_rules(settings: Settings, service: str | None, rules: int) -> ReplicaTable:
    """Write the next version of the table, which lets these rules decide after higher ones. Raises OperatorError."""
    _require_deciding(service)
    table = load_table(settings).allowing(service, rules)
    save_table(settings.replicas_path, table)
    return table


def head_of(records: Sequence[RawRecord]) -> RawRecord | None:
    """The last record that readers accepted, seen from the end of a log only: the end of the longest chain there.

    Repeats and foreign records may stand anywhere, also first; a chain that begins at one of them ends soon.
    """
    best: tuple[int, RawRecord] | None = None
    for start, first in enumerate(records[:_UNLINKED_MAX]):
        if not first.headers.get("position", b"").isdigit() or "hash" not in first.headers:
            continue
        position = int(first.headers["position"])
        reader, head, length = (
            ChainReader(Checkpoint(first.offset, position, first.headers["hash"])),
            first,
            1,
        )
        for raw in records[start + 1 :]:
            if reader.read(raw) is Reading.ACCEPTED:
                head, length = raw, length + 1
        if best is None or length > best[0]:
            best = length, head
    return None if best is None else best[1]


def _require_deciding(service: str | None) -> None:
    if service is not None and service not in DECIDING_SERVICES:
        raise OperatorError(f"{service} decides nothing: choose from {', '.join(DECIDING_SERVICES)}.")
