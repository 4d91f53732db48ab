"""What measures made of a loan, beside its rows: whether its interest is income, whether it was rescheduled or written off, and by
which measures. A part of the loan's own document: its stream writes both.
"""

from collections.abc import Sequence

from libs.events.measures import (
    LoanMoved,
    LoanRescheduled,
    LoanWrittenOff,
    NonAccrualEnded,
    NonAccrualStarted,
    PenaltyWaived,
    RecoveryReceived,
)
from libs.events.views import Add, Op, Set
from libs.events.voidance import LoanVoided

_Changed = (
    LoanRescheduled
    | LoanWrittenOff
    | RecoveryReceived
    | PenaltyWaived
    | NonAccrualStarted
    | NonAccrualEnded
    | LoanMoved
    | LoanVoided
)


def opened(doc: str, region: str) -> Sequence[Op]:
    """A new loan's interest is income, no measure was taken, and the branch of its region looks after it."""
    return [
        Set(doc, "accrual", "accruing"),
        Set(doc, "non_accrual_since", None),
        Set(doc, "written_off_on", None),
        Set(doc, "voided_on", None),
        Set(doc, "branch", region),
        Add(doc, "recovered_fen", 0),
        Add(doc, "waived_fen", 0),
    ]


def changed(event: _Changed) -> Sequence[Op]:
    """Changes of the loan's document; amounts in fen."""
    doc = event.loan_id
    match event:
        case LoanRescheduled():
            return [
                Set(doc, f"measures.{event.measure_id}", event.kind),
                Set(doc, "matures_on", event.matures_on.isoformat()),
            ]
        case LoanWrittenOff():
            return [
                Set(doc, f"measures.{event.measure_id}", "write_off"),
                Set(doc, "written_off_on", event.written_off_on.isoformat()),
                Set(doc, "bucket", "written_off"),
                Set(doc, "penalty_rate", "0"),
                Set(doc, "overdue_fen", event.overdue_after_fen),
            ]
        case LoanMoved():
            return [
                Set(doc, f"measures.{event.measure_id}", "branch_move"),
                Set(doc, "branch", event.to_branch),
            ]
        case LoanVoided():
            return [
                Set(doc, f"measures.{event.measure_id}", "voidance"),
                Set(doc, "voided_on", event.voided_on.isoformat()),
                Set(doc, "penalty_rate", "0"),
                Set(doc, "guarantor", ""),
            ]
        case RecoveryReceived():
            return [Add(doc, "recovered_fen", event.amount_fen)]
        case PenaltyWaived():
            return [
                Set(doc, f"measures.{event.measure_id}", "waiver"),
                Add(doc, "penalty_fen", -event.waived_fen),
                Add(doc, "waived_fen", event.waived_fen),
                Set(doc, "overdue_fen", event.overdue_after_fen),
                *(Add(doc, f"rows.{line.number}.penalty_fen", -line.waived_fen) for line in event.lines),
            ]
        case NonAccrualStarted():
            ops: list[Op] = [
                Set(doc, "accrual", "non_accrual"),
                Set(doc, "non_accrual_since", event.started_on.isoformat()),
            ]
            if event.cause == "by_hand":
                ops.append(Set(doc, f"measures.{event.measure_id}", "non_accrual"))
            return ops
        case NonAccrualEnded():
            return [Set(doc, "accrual", "accruing"), Set(doc, "non_accrual_since", None)]
