"""The view `collections.queue`: one document per open case, sorted by priority because that is how it is named.

Pages of a view go by document name, and a view never reads its documents. So a case's document is named by how far its
priority is below the highest, and moves to another name when the priority changes; the event says both places.
"""

from collections.abc import Sequence
from datetime import date, datetime

from libs.events.collections import PRIORITY_MAX, CaseClosed, CaseRanked, QueueEntry
from libs.events.records import RecordedEvent
from libs.events.views import Delete, Op, Set, View

#: Fields of an entry that stand in the document as they stand in the event.
_PLAIN = (
    "loan_id",
    "stage",
    "bucket",
    "region",
    "product",
    "overdue_fen",
    "dpd",
    "broken_promises",
    "priority",
    "due",
    "call_back_minute",
    "assigned_to",
    "claimed_by",
)


def project(event: RecordedEvent) -> Sequence[Op]:
    """Moves of a case's document; amounts in fen, dates and times as ISO text."""
    match event.data:
        case CaseRanked() as ranked:
            return [*_moved(ranked), *_shown(ranked, event)]
        case CaseClosed() as closed:
            return [Delete(place(closed.case_id, closed.entry))]
        case _:
            return []


def place(case_id: str, entry: QueueEntry) -> str:
    """The name of a case's document: the highest priority first, then by case."""
    return f"{PRIORITY_MAX - entry.priority:07d}:{case_id}"


def lane(stage: str, region: str) -> str:
    """Stage and region in one field, so that an index serves pages of both."""
    return f"{stage}:{region}"


def entry_fields(entry: QueueEntry) -> dict[str, object]:
    """An entry as documents show it."""
    return {name: getattr(entry, name) for name in _PLAIN} | {
        "next_on": _text(entry.next_on),
        "claimed_until": _text(entry.claimed_until),
        "lane": lane(entry.stage, entry.region),
        "flags": [*entry.flags],
    }


def _moved(ranked: CaseRanked) -> Sequence[Op]:
    before = ranked.before
    if before is None or before.priority == ranked.entry.priority:
        return []
    return [Delete(place(ranked.case_id, before))]


def _shown(ranked: CaseRanked, event: RecordedEvent) -> Sequence[Op]:
    doc = place(ranked.case_id, ranked.entry)
    fields = {"case_id": ranked.case_id, "debtor_id": ranked.debtor_id} | entry_fields(ranked.entry)
    return [
        *(Set(doc, name, value) for name, value in fields.items()),
        Set(doc, f"src.{event.stream}", event.address),
    ]


def _text(moment: date | datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


VIEW = View(
    name="collections.queue",
    # 2: a collector who follows the queue live must be told of a case that is closed, or moved to another desk
    version=2,
    reads=(CaseRanked, CaseClosed),
    project=project,
    indexes=("lane", "stage", "region", "assigned_to", "claimed_by"),
    keeps_before=True,
)
