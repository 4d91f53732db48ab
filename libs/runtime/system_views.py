"""Views that every deciding service has, whatever its business: its commands, what is parked, its open sagas.

They are projections like any other: rebuilt, compared and read in the same way.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from libs.events.codec import name_of
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga
from libs.events.system import CommandHadNoEffect, CommandRefused, CommandRepeated
from libs.events.topics import DECIDING_SERVICES
from libs.events.views import Op, Set, View
from libs.runtime.folding import stored_json
from libs.runtime.projecting import AcceptedRecord, AnyView, EventsView, RecordView
from libs.runtime.service import Service
from libs.runtime.unexpected import Kind, expected_refusals, unexpected

_REFUSED = name_of(CommandRefused)
_REPEATED = name_of(CommandRepeated)
_NO_EFFECT = name_of(CommandHadNoEffect)

#: The same id with another body: the first answer stays.
_KEY_REUSED = "key_reused"


def all_views(service: Service) -> tuple[AnyView, ...]:
    """The service's own views and, where it decides, the generic ones."""
    if service.name not in DECIDING_SERVICES:
        return service.views
    return (*service.views, commands_view(service.name), parked_view(service), sagas_view(service))


def commands_view(service: str) -> RecordView:
    """`<service>.commands`: one document per command of a person, with its first answer.

    `outcome` is decided, refused (then `code` says why) or no_effect; `events` are the first answer's events as stored.
    """

    def project(record: AcceptedRecord) -> Sequence[Op]:
        if record.from_policy or not record.command_id:
            return ()
        first = record.decision.events[0]
        if first.type == _REPEATED or (first.type == _REFUSED and first.data["code"] == _KEY_REUSED):
            return ()
        outcome = {_REFUSED: "refused", _NO_EFFECT: "no_effect"}.get(first.type, "decided")
        decision = record.decision
        fields: dict[str, Any] = {
            "owner": decision.principal,
            "type": record.command_type,
            "outcome": outcome,
            "code": first.data["code"] if outcome == "refused" else None,
            "position": record.address,
            "at": decision.at.isoformat() if decision.at else None,
            "events": [
                {
                    "type": stored.type,
                    "stream": stored.stream,
                    "sequence": stored.sequence,
                    "data": stored_json(stored.data),
                }
                for stored in decision.events
            ],
        }
        return [Set(record.command_id, name, value) for name, value in fields.items()]

    return RecordView(
        name=f"{service}.commands", version=2, sources=(service,), project=project, owner_field="owner"
    )


def parked_view(service: Service) -> RecordView:
    """`<service>.parked`: refusals that nobody expected, by address. A refusal told to a person is final and not here.

    The bytes are those of `S.commands` at the same position (`loanstream parked show`).
    """
    expected = expected_refusals(service)

    def project(record: AcceptedRecord) -> Sequence[Op]:
        return [
            op
            for index, stored in enumerate(record.decision.events)
            if (kind := unexpected(stored, from_policy=record.from_policy, expected=expected))
            for op in _parked(record, index, stored.data, kind)
        ]

    return RecordView(
        name=f"{service.name}.parked", version=2, sources=(service.name,), project=project, indexes=("code",)
    )


def _parked(record: AcceptedRecord, index: int, data: Any, kind: Kind) -> Iterable[Op]:
    address = f"{record.address}/{index}"
    decision = record.decision
    fields: dict[str, Any] = {
        "position": record.address,
        "at": decision.at.isoformat() if decision.at else None,
        "from_policy": record.from_policy,
    }
    if kind == "policy_failed":
        fields |= {
            "kind": kind,
            "code": data["error"],
            "group": data["group"],
            "event": data["event_address"],
        }
    else:
        fields |= {"kind": kind, "code": data["code"], "command_type": data["command_type"]}
        fields |= {
            "stream": data["stream_id"],
            "about": stored_json(data["about"]),
        }
    return [Set(address, name, value) for name, value in fields.items()]


def sagas_view(service: Service) -> EventsView:
    """`<service>.sagas`: one document per saga and key, with the times of the events that opened and that closed it.

    It is open while it has `opened_at` and no `closed_at`. Both are kept by event name, because they may come from
    different streams and services in any order; a saga that was closed without having been opened is no concern.
    """
    opened = _by_type(service.sagas, opened=True)
    closed = _by_type(service.sagas, opened=False)

    def project(event: RecordedEvent) -> Sequence[Op]:
        kind = type(event.data)
        ops: list[Op] = []
        for field, table in (("opened_at", opened), ("closed_at", closed)):
            for saga, key_of in table.get(kind, ()):
                keys = key_of(event.data)
                for key in (keys,) if isinstance(keys, str) else keys:
                    doc = f"{saga.name}/{key}"
                    ops.append(Set(doc, "saga", saga.name))
                    ops.append(Set(doc, "key", key))
                    ops.append(Set(doc, f"{field}.{kind.__name__}", _time(event)))
        return ops

    reads = tuple(sorted({*opened, *closed}, key=name_of))
    view = View(name=f"{service.name}.sagas", version=1, reads=reads, project=project, indexes=("saga",))
    writers = {name_of(kind).split(".", 1)[0] for kind in reads} - {"system"}
    return EventsView(view, tuple(sorted({service.name, *writers, *service.policies})))


def _by_type(sagas: Sequence[Saga], *, opened: bool) -> dict[type, list[tuple[Saga, Any]]]:
    table: dict[type, list[tuple[Saga, Any]]] = {}
    for saga in sagas:
        for kind, key_of in (saga.opened_by if opened else saga.closed_by).items():
            table.setdefault(kind, []).append((saga, key_of))
    return table


def _time(event: RecordedEvent) -> str:
    """When it happened, as far as the event knows."""
    moment = event.at or event.business_date
    return moment.isoformat() if moment else ""
