"""The view `collections.case-files`: everything that was done about a loan's arrears, kept after the case is closed.

Append-only by what it reads (processes.md 1.I: the file is collected and kept). Written by the debtor's stream alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime

from libs.events.collections import (
    AgreedHours,
    CaseClosed,
    CaseOpened,
    CasePaymentCorrected,
    CasePaymentRecorded,
    CaseRanked,
    ContactLogged,
    ContactStarted,
    MissAdded,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseMended,
    PromiseReleased,
    PromiseReopened,
)
from libs.events.plans import PlanAnswered, PlanProposed
from libs.events.records import RecordedEvent
from libs.events.views import Add, Op, Set, View
from services.collections.projections.queue import entry_fields

_Promised = PromiseMade | PromiseKept | PromiseBroken | PromiseMended | PromiseReleased | PromiseReopened
_Planned = PlanProposed | PlanAnswered

#: What a decided promise is called.
_DECIDED: Mapping[type, str] = {
    PromiseMade: "open",
    PromiseKept: "kept",
    PromiseBroken: "broken",
    PromiseMended: "kept",
    PromiseReleased: "released",
    PromiseReopened: "open",
}

#: Fields of the event that the document has anyway, as a whole or in the name of the field; and who a collector is as a customer, which is
#: nobody's to read here.
_NAMED = ("debtor_id", "case_id", "loan_id", "contact_id", "promise_id", "plan_id", "himself")


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of a case's file; amounts in fen, dates and times as ISO text."""
    changes = _changes(event.data)
    return [*changes, Set(changes[0].doc, f"src.{event.stream}", event.address)] if changes else []


def _changes(data: object) -> Sequence[Op]:
    match data:
        case CaseOpened() as opened:
            return _opened(opened)
        case MissAdded() as added:
            return [Add(added.case_id, "misses", 1)]
        case CasePaymentRecorded() as payment:
            return [Add(payment.case_id, "paid_fen", payment.amount_fen)]
        case CasePaymentCorrected() as payment:
            return [Add(payment.case_id, "paid_fen", payment.amount_fen - payment.before_fen)]
        case CaseRanked() as ranked:
            return [Set(ranked.case_id, name, value) for name, value in entry_fields(ranked.entry).items()]
        case CaseClosed() as closed:
            return [
                Set(closed.case_id, "state", "closed"),
                Set(closed.case_id, "closed_on", closed.closed_on.isoformat()),
                Set(closed.case_id, "closed_because", closed.reason),
            ]
        case ContactStarted() | ContactLogged() as contact:
            return _told(contact.case_id, f"contacts.{contact.contact_id}", contact)
        case (
            PromiseMade()
            | PromiseKept()
            | PromiseBroken()
            | PromiseMended()
            | PromiseReleased()
            | PromiseReopened()
        ) as promise:
            at = f"promises.{promise.promise_id}"
            return [
                *_told(promise.case_id, at, promise),
                *(
                    [Set(promise.case_id, f"{at}.kept_on", None)]
                    if isinstance(promise, PromiseReopened)
                    else []
                ),
                Set(promise.case_id, f"{at}.status", _DECIDED[type(promise)]),
            ]
        case PlanProposed() | PlanAnswered() as plan:
            return _told(plan.case_id, f"plans.{plan.plan_id}", plan)
        case _:
            return []


def _opened(opened: CaseOpened) -> Sequence[Op]:
    doc = opened.case_id
    values = {
        "case_id": doc,
        "debtor_id": opened.debtor_id,
        "borrower": opened.borrower,
        "loan_id": opened.loan_id,
        "state": "open",
        "opening": opened.opening,
        "opened_on": opened.opened_on.isoformat(),
        "closed_on": None,
        "closed_because": None,
    }
    return [
        *(Set(doc, name, value) for name, value in values.items()),
        Add(doc, "misses", 1),
        Add(doc, "paid_fen", 0),
    ]


def _told(doc: str, at: str, event: ContactStarted | ContactLogged | _Promised | _Planned) -> Sequence[Op]:
    """What an event says about one contact, promise or plan, field by field."""
    return [
        Set(doc, f"{at}.{known.name}", _json(getattr(event, known.name)))
        for known in fields(event)
        if known.name not in _NAMED
    ]


def _json(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, AgreedHours):
        return {"from_minute": value.from_minute, "to_minute": value.to_minute}
    return value


VIEW = View(
    name="collections.case-files",
    version=3,
    reads=(
        CaseOpened,
        MissAdded,
        CasePaymentRecorded,
        CasePaymentCorrected,
        CaseRanked,
        CaseClosed,
        ContactStarted,
        ContactLogged,
        PromiseMade,
        PromiseKept,
        PromiseBroken,
        PromiseMended,
        PromiseReleased,
        PromiseReopened,
        PlanProposed,
        PlanAnswered,
    ),
    project=project,
    indexes=("debtor_id", "state"),
)
