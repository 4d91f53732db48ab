"""The view of corrections: what is asked, by whom, who has allowed it, and how much of its money has not moved yet: a work list.

The correction's own stream writes how far it is, the settlement's in bidding what is open of it. What wants one and nobody has proposed yet
stands beside them (`behind_charge`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.events.adjustments import CorrectionCollected, CorrectionSettled
from libs.events.corrections import (
    CorrectionAuthorised,
    CorrectionBooked,
    CorrectionClosed,
    CorrectionProposed,
    CorrectionRefused,
    CorrectionSigned,
    PaymentRedated,
    PaymentReversed,
)
from libs.events.records import RecordedEvent
from libs.events.repayment import PaymentReceived
from libs.events.views import Op, Set, View
from services.repayment.projections import behind_charge


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of the document of a correction, or of a payment that wants one; amounts in fen, dates as ISO text."""
    data = event.data
    if isinstance(data, PaymentReceived):
        return behind_charge.received(data, event.stream, event.address)
    if isinstance(data, PaymentRedated | PaymentReversed):
        return behind_charge.corrected(data)
    asked = data.correction if isinstance(data, CorrectionProposed | CorrectionAuthorised) else data
    doc = asked.correction_id
    if not doc.startswith("cor_"):
        return []  # what a measure moves stands with it
    changes = [Set(doc, name, value) for name, value in _fields(data).items()]
    return [*changes, Set(doc, f"src.{event.stream}", event.address)]


def _fields(data: object) -> Mapping[str, Any]:
    match data:
        case CorrectionProposed():
            return _proposed(data)
        case CorrectionSigned():
            # Said only where two are asked, which the turn of a year may have made it since the proposal.
            # Said again it takes back that it was allowed: the year had ended before the loan was put right.
            return {
                f"signed.{data.role}": data.signed_by,
                "signatures": 2,
                "state": "proposed",
                "booking": None,
            }
        case CorrectionAuthorised():
            return {
                "state": "authorised",
                "booking": data.booking,
                f"signed.{data.role}": data.authorised_by,
            }
        case CorrectionRefused():
            return {"state": "refused", "code": data.code, "ended_on": data.refused_on.isoformat()}
        case CorrectionBooked():
            return {"state": "booked", "moves_fen": data.open_fen}
        case CorrectionClosed():
            return {"state": "closed", "ended_on": data.closed_on.isoformat()}
        case CorrectionCollected():
            return {"owed_fen": data.open_fen}
        case CorrectionSettled():
            return {"owed_fen": 0}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _proposed(data: CorrectionProposed) -> Mapping[str, Any]:
    asked = data.correction
    return {
        "correction_id": asked.correction_id,
        "loan_id": asked.loan_id,
        "payment_id": asked.payment_id,
        "kind": asked.kind,
        "reason": asked.reason,
        "value_date": asked.value_date.isoformat(),
        "to_date": asked.to_date.isoformat() if asked.to_date else None,
        "proposed_by": data.proposed_by,
        "proposed_on": data.proposed_on.isoformat(),
        "signatures": data.signatures,
        "state": "proposed",
        "booking": None,
        "code": None,
        "ended_on": None,
        "moves_fen": 0,
    }


VIEW = View(
    name="repayment.corrections",
    version=4,
    reads=(
        CorrectionProposed,
        CorrectionSigned,
        CorrectionAuthorised,
        CorrectionRefused,
        CorrectionBooked,
        CorrectionClosed,
        CorrectionCollected,
        CorrectionSettled,
        PaymentReceived,
        PaymentRedated,
        PaymentReversed,
    ),
    project=project,
    indexes=("state", "loan_id"),
)
