"""What measures made of a loan, beside its rows: whether its interest is income, whether it was rescheduled or written off, and by
which measures; the days that it is paused, and its flags. A part of the loan's own document: its stream writes both.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.flags import LoanFlagged, LoanUnflagged
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import LoanMoved, LoanRescheduled, LoanWrittenOff, PenaltyWaived, RecoveryReceived
from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded
from libs.events.recovery_costs import RecoveryCostBooked, RecoveryCostPaid
from libs.events.views import Add, Op, Set
from libs.events.voidance import LoanVoided
from services.repayment.projections import payments

_Changed = (
    LoanRescheduled
    | LoanWrittenOff
    | RecoveryReceived
    | RecoveryCostBooked
    | RecoveryCostPaid
    | PenaltyWaived
    | NonAccrualStarted
    | NonAccrualEnded
    | LoanMoved
    | DelinquencyPaused
    | DelinquencyPauseEnded
    | LoanFlagged
    | LoanUnflagged
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
        Add(doc, "cost_fen", 0),
        Add(doc, "paid_cost_fen", 0),
    ]


def changed(event: _Changed) -> Sequence[Op]:
    """Changes of the loan's document; amounts in fen."""
    doc = event.loan_id
    match event:
        case LoanRescheduled():
            return [
                Set(doc, f"measures.{event.measure_id}", event.kind),
                taken(event, event.kind, event.rescheduled_on, until=event.matures_on),
                Set(doc, "matures_on", event.matures_on.isoformat()),
                *(_left(event) if event.kind == "restructuring" else []),
            ]
        case LoanWrittenOff():
            return [
                Set(doc, f"measures.{event.measure_id}", "write_off"),
                taken(event, "write_off", event.written_off_on),
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
                taken(event, "voidance", event.voided_on, until=event.due_on),
                Set(doc, "voided_on", event.voided_on.isoformat()),
                Set(doc, "penalty_rate", "0"),
                Set(doc, "guarantor", ""),
                *_until_void(event),
            ]
        case RecoveryReceived() | RecoveryCostBooked() | RecoveryCostPaid():
            return _recovered(event)
        case PenaltyWaived():
            return [
                Set(doc, f"measures.{event.measure_id}", "waiver"),
                taken(event, "waiver", event.waived_on),
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
            if event.cause == "by_hand" and event.measure_id:
                ops.append(Set(doc, f"measures.{event.measure_id}", "non_accrual"))
            return ops
        case NonAccrualEnded():
            by_hand = [Set(doc, f"measures.{event.measure_id}", "non_accrual")] if event.measure_id else []
            return [Set(doc, "accrual", "accruing"), Set(doc, "non_accrual_since", None), *by_hand]
        case DelinquencyPaused() | DelinquencyPauseEnded():
            return _paused(event)
        case LoanFlagged():
            return [
                Set(doc, f"measures.{event.measure_id}", "flag"),
                Set(doc, f"flags.{event.flag}", event.flagged_on.isoformat()),
            ]
        case LoanUnflagged():
            return [
                Set(doc, f"measures.{event.measure_id}", "unflag"),
                Set(doc, f"flags.{event.flag}", None),
            ]


def _left(event: LoanRescheduled) -> Sequence[Op]:
    """What was in arrears when the loan was restructured, and the instalment that asks for it."""
    doc = event.loan_id
    return [
        Set(doc, "arrears_in", event.from_number),
        Set(doc, "arrears.since", event.rescheduled_on.isoformat()),
        Set(doc, "arrears.interest_fen", event.interest_fen),
        Set(doc, "arrears.fee_fen", event.fee_fen),
        Set(doc, "arrears.accrued_fen", event.accrued_fen),
    ]


def taken(
    event: LoanRescheduled
    | LoanWrittenOff
    | LoanVoided
    | PenaltyWaived
    | DelinquencyPaused
    | DebtSettledInKind,
    kind: str,
    on: date,
    until: date | None = None,
) -> Op:
    """A measure that changes what holders get, or when, for their own page: what it was and of which day, and when the loan ends by it. What is
    the borrower's own, a flag or another branch, is not among them."""
    matures_on = None if until is None else until.isoformat()
    line = {"kind": kind, "on": on.isoformat(), "matures_on": matures_on}
    return Set(event.loan_id, f"taken.{event.measure_id}", line)


def _until_void(event: LoanVoided) -> Sequence[Op]:
    """The schedule that held stays to be seen, for what was paid on it; another day is the last, unless nothing is owed."""
    rows = [
        {
            "due_on": row.due_on.isoformat(),
            "principal_fen": row.principal_fen,
            "interest_fen": row.interest_fen,
            "paid_principal_fen": row.paid_principal_fen,
            "paid_interest_fen": row.paid_interest_fen,
        }
        for row in event.rows
    ]
    ops = [Set(event.loan_id, "until_void", {"rows": rows, "was_repaid": event.was_repaid})]
    if event.due_on is not None:
        ops.append(Set(event.loan_id, "matures_on", event.due_on.isoformat()))
    return ops


def _paused(event: DelinquencyPaused | DelinquencyPauseEnded) -> Sequence[Op]:
    """A pause by the measure that brought it; without a last day it never began."""
    doc = event.loan_id
    if isinstance(event, DelinquencyPaused):
        at = f"pauses.{event.measure_id}"
        return [
            Set(doc, f"measures.{event.measure_id}", "pause"),
            taken(event, "pause", event.paused_on),
            Set(doc, f"{at}.cause", event.cause),
            Set(doc, f"{at}.from_on", event.from_on.isoformat()),
            Set(doc, f"{at}.to_on", event.to_on.isoformat()),
        ]
    to_on = event.to_on.isoformat() if event.to_on else None
    ops: list[Op] = [Set(doc, f"pauses.{event.pause_id}.to_on", to_on)]
    if event.cause == "by_hand":
        ops.append(Set(doc, f"measures.{event.measure_id}", "pause_end"))
    return ops


def _recovered(event: RecoveryReceived | RecoveryCostBooked | RecoveryCostPaid) -> Sequence[Op]:
    doc = event.loan_id
    match event:
        case RecoveryReceived():
            return [Add(doc, "recovered_fen", event.amount_fen)]
        case RecoveryCostBooked():
            name = f"measures.{event.measure_id}"
            return [Set(doc, name, "write_off"), Add(doc, "cost_fen", event.cost_fen)]
        case RecoveryCostPaid():
            return [Add(doc, "cost_fen", -event.amount_fen), *payments.cost(event)]
