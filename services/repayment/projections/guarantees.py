"""The views of guarantors and of compensations: who stands in for what, and what each guarantor is asked for and how far it is.

Both are written by one stream each: the guarantor's own, the loan's. `state` of a compensation is `proposed`, `approved`, `executed`
while the guarantor's account is asked, at last `paid` or `declined`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationApproved,
    CompensationDeclined,
    CompensationExecuted,
    CompensationProposed,
)
from libs.events.guarantees import (
    GuaranteeReduced,
    GuaranteeReserved,
    GuarantorAdmitted,
    GuarantorProposed,
    GuarantorRefused,
    GuarantorSuspended,
)
from libs.events.records import RecordedEvent
from libs.events.reopening import GuaranteeRestored
from libs.events.views import Op, Set, View


def _guarantors(event: RecordedEvent) -> Sequence[Op]:
    """A guarantor's document; amounts in fen. `proposal` are terms that nobody else agreed to yet; before the first are agreed to there is no state."""
    data, name = event.data, event.data.guarantor
    changed = [Set(name, field, value) for field, value in _register(data).items()]
    return [*changed, Set(name, f"src.{event.stream}", event.address)]


def _register(data: object) -> Mapping[str, Any]:
    match data:
        case GuarantorProposed():
            return {
                "guarantor": data.guarantor,
                "proposal": {
                    "limit_fen": data.limit_fen,
                    "valid_to": data.valid_to.isoformat(),
                    "proposed_by": data.proposed_by,
                    "file": data.file,
                    "proposed_on": data.proposed_on.isoformat(),
                    "liability": data.liability,
                    "net_assets_fen": data.net_assets_fen,
                    "elsewhere_fen": data.elsewhere_fen,
                    "sign_until": data.sign_until.isoformat() if data.sign_until else None,
                },
            }
        case GuarantorAdmitted():
            return {
                "state": "admitted",
                "limit_fen": data.limit_fen,
                "valid_to": data.valid_to.isoformat(),
                "guaranteed_fen": data.guaranteed_fen,
                "admitted_by": data.admitted_by,
                "liability": data.liability,
                "proposal": None,
            }
        case GuarantorRefused():
            return {"proposal": None, "refused": data.code}
        case GuarantorSuspended():
            return {"state": "suspended", "code": data.code, "proposal": None}
        case GuaranteeReserved() | GuaranteeReduced() | GuaranteeRestored():
            return {"guaranteed_fen": data.guaranteed_fen}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _compensations(event: RecordedEvent) -> Sequence[Op]:
    """A compensation's document; amounts in fen."""
    name = event.data.compensation_id
    changed = [Set(name, field, value) for field, value in _fields(event.data).items()]
    return [*changed, Set(name, f"src.{event.stream}", event.address)]


def _fields(data: object) -> Mapping[str, Any]:
    match data:
        case CompensationProposed():
            return {
                "compensation_id": data.compensation_id,
                "loan_id": data.loan_id,
                "guarantor": data.guarantor,
                "covers": data.covers,
                "dpd": data.dpd,
                "amount_fen": data.amount_fen,
                "proposed_by": data.proposed_by,
                "proposed_on": data.proposed_on.isoformat(),
                "sign_until": data.sign_until.isoformat() if data.sign_until else None,
                "approved_by": None,
                "executed_by": None,
                "claim_id": None,
                "code": None,
                "state": "proposed",
            }
        case CompensationApproved():
            return {"state": "approved", "approved_by": data.approved_by}
        case CompensationExecuted():
            return {"state": "executed", "executed_by": data.executed_by, "amount_fen": data.amount_fen}
        case CompensationDeclined():
            return {"state": "declined", "code": data.code}
        case ClaimsSubrogated():
            return {"state": "paid", "amount_fen": data.amount_fen, "claim_id": data.claim.claim_id}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


GUARANTORS = View(
    name="repayment.guarantors",
    version=4,
    reads=(
        GuarantorProposed,
        GuarantorAdmitted,
        GuarantorRefused,
        GuarantorSuspended,
        GuaranteeReserved,
        GuaranteeReduced,
        GuaranteeRestored,
    ),
    project=_guarantors,
    indexes=("state",),
)
COMPENSATIONS = View(
    name="repayment.compensations",
    version=2,
    reads=(
        CompensationProposed,
        CompensationApproved,
        CompensationExecuted,
        CompensationDeclined,
        ClaimsSubrogated,
    ),
    project=_compensations,
    indexes=("state", "loan_id"),
)
