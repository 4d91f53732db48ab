"""The view `collections.collectors`: who may work what, and what came of it (processes.md 1.I, collector figures).

Named by the staff id. The desk is written by the collector's stream, the figures are sums that all debtors add to.
"""

from collections.abc import Sequence

from libs.events.collections import (
    CollectorEnrolled,
    CollectorRetired,
    ContactLogged,
    DeskChanged,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseMended,
    PromiseReopened,
)
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of a collector's document; amounts in fen."""
    match event.data:
        case CollectorEnrolled() | DeskChanged() as desk:
            return _desk(desk.staff_id, desk, "enrolled", event)
        case CollectorRetired() as retired:
            return _desk(retired.staff_id, None, "retired", event)
        case ContactLogged() as contact:
            return [
                Add(contact.collector, "contacts", 1),
                Add(contact.collector, "effective_contacts", int(contact.effective)),
            ]
        case PromiseMade() as made:
            return _counted(made.collector, "made", made.amount_fen)
        case PromiseKept() as kept:
            return _counted(kept.collector, "kept", kept.amount_fen)
        case PromiseReopened() as again:
            return _counted(again.collector, "kept", again.amount_fen, times=-1)
        case PromiseBroken() as broken:
            return _counted(broken.collector, "broken", broken.amount_fen)
        case PromiseMended() as mended:
            less = _counted(mended.collector, "broken", mended.amount_fen, times=-1)
            return [*less, *_counted(mended.collector, "kept", mended.amount_fen)]
        case _:
            return []


def _desk(
    doc: str, desk: CollectorEnrolled | DeskChanged | None, state: str, event: RecordedEvent
) -> Sequence[Op]:
    """Who has left may work no stage; that is what his claims are held against."""
    return [
        Set(doc, "staff_id", doc),
        Set(doc, "state", state),
        Set(doc, "stages", [] if desk is None else [*desk.stages]),
        Set(doc, "regions", [] if desk is None else [*desk.regions]),
        Set(doc, "skills", [] if desk is None else [*desk.skills]),
        Set(doc, f"src.{event.stream}", event.address),
    ]


def _counted(doc: str, what: str, amount_fen: int, times: int = 1) -> Sequence[Op]:
    return [Add(doc, f"promises_{what}", times), Add(doc, f"promises_{what}_fen", times * amount_fen)]


VIEW = View(
    name="collections.collectors",
    version=3,
    reads=(
        CollectorEnrolled,
        DeskChanged,
        CollectorRetired,
        ContactLogged,
        PromiseMade,
        PromiseKept,
        PromiseBroken,
        PromiseReopened,
        PromiseMended,
    ),
    project=project,
    indexes=("state",),
)
