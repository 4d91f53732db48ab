"""The view `repayment.measures`: each measure, what it waits for, who has signed it, how its lenders voted and how it ended.

A measure's document is written by its own stream, `owed_fen` of what it moves between accounts by the settlement's in bidding, `waits_for`
(a code, while what all have agreed to waits) by its loan's. `stage` is `loan` while the loan is asked, then the post whose step is next,
`vote` while its lenders vote, `execution` once all have agreed, at last `executed`, `refused` or `failed`. `voters` are the
lenders who are asked: each finds what waits for his word by them. `until` is the last day of its signatures, then of its vote.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.events.adjustments import CorrectionCollected, CorrectionSettled
from libs.events.codec import encode, parse_json
from libs.events.deferrals import MeasureDeferred, MeasureResumed
from libs.events.mandate import MandateAsked, MandateVoted
from libs.events.measures import (
    MeasureAdmitted,
    MeasureApproved,
    MeasureExecuted,
    MeasureFailed,
    MeasureProposed,
    MeasureRefused,
    MeasureSigned,
)
from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View


def project(event: RecordedEvent) -> Sequence[Op]:
    """A measure's document after one of its events. Amounts in fen."""
    if isinstance(event.data, CorrectionCollected | CorrectionSettled):
        return _moved(event, event.data)
    name = event.data.measure_id
    changed = [Set(name, field, value) for field, value in _fields(event.data).items()]
    return [*changed, Set(name, f"src.{event.stream}", event.address)]


def _moved(event: RecordedEvent, data: CorrectionCollected | CorrectionSettled) -> Sequence[Op]:
    """What is still to be collected of a measure's settlement; a correction's stands with it."""
    name = data.correction_id
    if not name.startswith("msr_"):
        return []
    owed_fen = data.open_fen if isinstance(data, CorrectionCollected) else 0
    return [Set(name, "owed_fen", owed_fen), Set(name, f"src.{event.stream}", event.address)]


def _fields(data: object) -> Mapping[str, Any]:
    match data:
        case MeasureProposed():
            return _proposed(data)
        case MeasureAdmitted():
            return {
                "stage": data.steps[0],
                "steps": [*data.steps],
                "flags": [*data.flags],
                "mandate": data.mandate,
                "until": data.sign_until.isoformat() if data.sign_until else None,
            }
        case MeasureSigned(next_step=str() as following):
            return {"stage": following, f"signers.{data.step}": data.signer}
        case MeasureSigned():
            return {f"signers.{data.step}": data.signer}
        case MeasureRefused():
            return {"stage": "refused", "code": data.code, f"signers.{data.step}": data.signer}
        case MandateAsked():
            return {
                "stage": "vote",
                "until": data.until.isoformat(),
                "voters": [voter.investor for voter in data.voters],
                "of_fen": sum(voter.principal_fen for voter in data.voters),
            }
        case MandateVoted():
            return {
                "for_fen": data.for_fen,
                "against_fen": data.against_fen,
                f"votes.{data.investor}": data.agrees,
            }
        case MeasureApproved():
            return {"stage": "execution", "mandate": data.mandate}
        case MeasureDeferred():
            return {"waits_for": data.code}
        case MeasureResumed():
            return {"waits_for": None}
        case MeasureExecuted():
            return {"stage": "executed", "ended_on": data.executed_on.isoformat()}
        case MeasureFailed():
            return {"stage": "failed", "code": data.code, "ended_on": data.failed_on.isoformat()}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


def _proposed(data: MeasureProposed) -> Mapping[str, Any]:
    return {
        "measure_id": data.measure_id,
        "loan_id": data.loan_id,
        "kind": data.terms.kind,
        "terms": parse_json(encode(type(data.terms), data.terms)),
        "reason": data.reason,
        "evidence": [*data.evidence],
        "proposed_by": data.proposed_by,
        "proposed_on": data.proposed_on.isoformat(),
        "stage": "loan",
        "mandate": None,
        "until": None,
        "of_fen": 0,
        "for_fen": 0,
        "against_fen": 0,
        "flags": [],
        "code": None,
        "ended_on": None,
    }


VIEW = View(
    name="repayment.measures",
    version=4,
    reads=(
        MeasureProposed,
        MeasureAdmitted,
        MeasureSigned,
        MeasureRefused,
        MandateAsked,
        MandateVoted,
        MeasureApproved,
        MeasureDeferred,
        MeasureResumed,
        MeasureExecuted,
        MeasureFailed,
        CorrectionCollected,
        CorrectionSettled,
    ),
    project=project,
    indexes=("stage", "loan_id", "voters", "proposed_by"),
)
