"""The view `collections.stages`: how many cases, and how much overdue money, stand in the queue: all of them, per stage, and
per stage and region."""

from collections.abc import Sequence

from libs.events.collections import CaseClosed, CaseRanked, QueueEntry
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, SetOnce, View
from services.collections.projections.queue import lane

#: The document that sums up all stages.
ALL = "all"


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of sums that all debtors add to; amounts in fen. Only what differs is moved."""
    match event.data:
        case CaseRanked(before=before, entry=entry):
            if before is not None and _counted(before) == _counted(entry):
                return []
            return [*(_added(before, -1) if before else []), *_added(entry, 1)]
        case CaseClosed(entry=entry):
            return _added(entry, -1)
        case _:
            return []


def _counted(entry: QueueEntry) -> tuple[object, ...]:
    return (entry.stage, entry.region, entry.overdue_fen, entry.broken_promises, entry.due)


def _added(entry: QueueEntry, sign: int) -> Sequence[Op]:
    of_stage, of_lane = f"stage:{entry.stage}", f"lane:{lane(entry.stage, entry.region)}"
    ops: list[Op] = [
        SetOnce(ALL, "kind", "all"),
        SetOnce(of_stage, "kind", "stage"),
        SetOnce(of_stage, "stage", entry.stage),
        SetOnce(of_lane, "kind", "lane"),
        SetOnce(of_lane, "region", entry.region),
        SetOnce(of_lane, "lane", lane(entry.stage, entry.region)),
        SetOnce(of_lane, "stage", entry.stage),
    ]
    for doc in (ALL, of_stage, of_lane):
        ops += [
            Add(doc, "cases", sign),
            Add(doc, "due", sign if entry.due else 0),
            Add(doc, "overdue_fen", sign * entry.overdue_fen),
            Add(doc, "broken_promises", sign * entry.broken_promises),
        ]
    return ops


VIEW = View(
    name="collections.stages",
    version=2,
    reads=(CaseRanked, CaseClosed),
    project=project,
    indexes=("kind", "stage"),
)
