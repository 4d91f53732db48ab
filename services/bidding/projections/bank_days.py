"""The views `bidding.bank-days` and `bidding.bank-breaks`: every reconciled date, and every difference with what became of it.

Both are written by the one stream of bank days alone. A difference that is over stays, with the day on which it ended; `is_gone` says
of it that its date's file shows it no more.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakExplained,
    BankBreakInFlight,
    BankBreakOpened,
    BankBreakResolved,
    BankBreaksListed,
    BankBreaksMatched,
    BankDayReconciled,
    LineBreak,
    Side,
)
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View

#: Who explains what was in flight at midnight: nobody has to.
MACHINE = "reconciler"


def project_day(event: RecordedEvent) -> Sequence[Op]:
    """A date after its last file that said something new. Amounts in fen."""
    data: BankDayReconciled = event.data
    doc = data.business_date.isoformat()
    fields = {
        "business_date": doc,
        "revision": data.revision,
        "lines_hash": data.lines_hash,
        **_side("bank", data.bank),
        **_side("ledger", data.ledger),
        "accounts_fen": data.accounts_fen,
        "claims_fen": data.claims.register_fen if data.claims else None,
        "lent_fen": data.claims.ledger_fen if data.claims else None,
        "claims_apart_fen": data.claims.apart_fen if data.claims else 0,
        "loans_apart": [*data.claims.loans] if data.claims else [],
        "opened": data.opened,
        "closed": data.closed,
        "open_after": data.open_after,
        "unlisted": data.unlisted,
        "unlisted_fen": data.unlisted_fen,
        "unclosed": data.unclosed,
        "waits": bool(data.unlisted or data.unclosed),
        "bit_by_bit": data.told is not None,
        f"src.{event.stream}": event.address,
    }
    return [Set(doc, field, value) for field, value in fields.items()]


def _side(name: str, side: Side) -> dict[str, int]:
    return {
        f"{name}_bookings": side.bookings,
        f"{name}_in_fen": side.in_fen,
        f"{name}_out_fen": side.out_fen,
        f"{name}_fen": side.closing_fen,
    }


def project_break(event: RecordedEvent) -> Sequence[Op]:
    """A difference after one of its events."""
    match event.data:
        case BankBreaksMatched() as data:
            docs = {data.here: data.there, data.there: data.here}
            return [
                op
                for doc, counterpart in docs.items()
                for op in _changed(
                    doc,
                    event,
                    {
                        "state": "resolved",
                        "code": "timing",
                        "counterpart": counterpart,
                        "explained_by": data.matched_by,
                        "resolved_by": data.matched_by,
                    },
                )
            ]
        case BankBreaksListed() | BankDayReconciled() as data:
            return [op for doc in data.gone for op in _changed(doc, event, {"is_gone": True})]
        case BankBreakInFlight() as data:
            halves = _changed(data.break_id, event, _flown(data.counterpart))
            if data.other is not None:
                other = _said(data.counterpart, data.other_date, data.other, event)
                halves += _changed(data.counterpart, event, other | _flown(data.break_id))
            return halves
        case data:
            return _changed(data.break_id, event, _fields(data, event))


def _flown(counterpart: str) -> dict[str, Any]:
    """What was in flight at midnight: nobody has to look at it."""
    return {
        "state": "resolved",
        "code": "timing",
        "counterpart": counterpart,
        "explained_by": MACHINE,
        "resolved_by": MACHINE,
    }


def _said(
    break_id: str, day: date, line: LineBreak | BankBreakOpened, event: RecordedEvent
) -> dict[str, Any]:
    """A difference that nobody has looked at."""
    return {
        "break_id": break_id,
        "business_date": day.isoformat(),
        "kind": line.kind,
        "reference": line.reference,
        "account_id": line.account_id,
        "bank_fen": line.bank_fen,
        "ledger_fen": line.ledger_fen,
        "difference_fen": line.bank_fen - line.ledger_fen,
        "state": "open",
        "code": None,
        "counterpart": None,
        "explained_by": None,
        "resolved_by": None,
        "opened_on": event.business_date.isoformat() if event.business_date else None,
        "ended_on": None,
        "is_gone": False,
    }


def _fields(data: Any, event: RecordedEvent) -> dict[str, Any]:
    match data:
        case BankBreakOpened():
            return _said(data.break_id, data.business_date, data, event)
        case BankBreakExplained():
            return {
                "state": "explained",
                "code": data.code,
                "counterpart": data.counterpart,
                "explained_by": data.explained_by,
            }
        case BankBreakResolved():
            return {"state": "resolved", "code": data.code, "resolved_by": data.resolved_by}
        case BankBreakClosed():
            return {"state": "closed", "code": data.code}
        case _:
            raise TypeError(f"{event.type} is not read by this view")


def _changed(doc: str, event: RecordedEvent, fields: dict[str, Any]) -> list[Op]:
    if fields.get("state") in ("resolved", "closed") and event.business_date:
        fields |= {"ended_on": event.business_date.isoformat()}
    fields |= {f"src.{event.stream}": event.address}
    return [Set(doc, field, value) for field, value in fields.items()]


DAYS = View(
    name="bidding.bank-days",
    version=4,
    reads=(BankDayReconciled,),
    project=project_day,
    indexes=("waits",),
)
BREAKS = View(
    name="bidding.bank-breaks",
    version=3,
    reads=(
        BankDayReconciled,
        BankBreaksListed,
        BankBreakOpened,
        BankBreakClosed,
        BankBreakExplained,
        BankBreakResolved,
        BankBreaksMatched,
        BankBreakInFlight,
    ),
    project=project_break,
    indexes=("state", "kind", "business_date"),
)
