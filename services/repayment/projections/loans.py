"""The view of a loan: terms, each instalment with what it received, penalty, payments, where it stands, what each claim is owed.
One stream writes it.

A borrower reads his own loan in it; what the early settlement of not yet due principal paid stands beside the rows.
"""

from collections.abc import Sequence
from datetime import date

from libs.events.claims import ClaimTransferred
from libs.events.compensation import ClaimsSubrogated
from libs.events.corrections import LoanRestated, PaymentRedated, PaymentReversed
from libs.events.flags import LoanFlagged, LoanUnflagged
from libs.events.in_kind import DebtSettledInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import LoanMoved, LoanRescheduled, LoanWrittenOff, PenaltyWaived, RecoveryReceived
from libs.events.non_accrual import NonAccrualEnded, NonAccrualStarted
from libs.events.pauses import DelinquencyPaused, DelinquencyPauseEnded
from libs.events.records import RecordedEvent
from libs.events.recovery_costs import RecoveryCostBooked, RecoveryCostPaid
from libs.events.repayment import (
    AllocationLine,
    LoanClassified,
    LoanOpened,
    LoanRepaid,
    OverdueBucketChanged,
    PaymentMissed,
    PaymentReceived,
    PenaltyCharged,
    RepaymentDistributed,
)
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.row import ScheduleRow
from libs.events.schedules.stored import stored
from libs.events.views import Add, Op, Set, View
from libs.events.voidance import LoanVoided
from services.repayment.projections import holders, payments, restated, standing

#: Allocation line of principal and interest that were not due (libs.events.repayment.AllocationLine).
_UNDUE = 0

#: Terms that stand in the document as they stand in the event.
_TERMS = (
    "loan_id",
    "listing_id",
    "borrower",
    "borrower_account",
    "principal_fen",
    "tenor_months",
    "grade",
    "interest_fee_permille",
    "installment_fen",
    "product",
    "region",
    "guarantor",
)


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of the loan's document; amounts in fen, dates as ISO text, the rate as decimal text.

    `src` names the last event behind the document, so each of its numbers can be followed down.
    """
    changes = [*_changes(event.data), *holders.owned(event)]
    return [*changes, Set(changes[0].doc, f"src.{event.stream}", event.address)] if changes else []


def _changes(data: object) -> Sequence[Op]:
    match data:
        case LoanOpened() as loan:
            return [*_opened(loan), *holders.opened(loan)]
        case RepaymentDistributed() as shared:
            return holders.distributed(shared)
        case ClaimTransferred() | ClaimsSubrogated() as passed:
            return holders.passed(passed)
        case PaymentReceived() | DebtSettledInKind() as payment:
            return _received(payment) if isinstance(payment, PaymentReceived) else _settled(payment)
        case ScheduleChanged() as change:
            return _changed(change)
        case PaymentMissed() as missed:
            return _missed(missed)
        case OverdueBucketChanged() as changed:
            return [
                Set(changed.loan_id, "bucket", changed.to_bucket),
                Set(changed.loan_id, "overdue_fen", changed.overdue_fen),
                *_late(changed.loan_id, changed.dpd, changed.changed_on),
            ]
        case LoanClassified() as classified:
            return [
                Set(classified.loan_id, "loan_class", classified.to_class),
                *_late(classified.loan_id, classified.dpd, classified.classified_on),
            ]
        case PenaltyCharged() | LatenessJudged() as charge:
            return _charged(charge) if isinstance(charge, PenaltyCharged) else _fined(charge)
        case (
            LoanRescheduled()
            | LoanWrittenOff()
            | RecoveryReceived()
            | RecoveryCostBooked()
            | RecoveryCostPaid()
            | PenaltyWaived()
            | NonAccrualStarted()
            | NonAccrualEnded()
            | LoanMoved()
            | DelinquencyPaused()
            | DelinquencyPauseEnded()
            | LoanFlagged()
            | LoanUnflagged()
            | LoanVoided()
        ) as measure:
            return standing.changed(measure)
        case PaymentReversed() | PaymentRedated() as corrected:
            return restated.payment(corrected)
        case LoanRestated() as corrected:
            return restated.loan(corrected)
        case LoanRepaid() as repaid:
            return [
                Set(repaid.loan_id, "state", "repaid"),
                Set(repaid.loan_id, "repaid_on", repaid.repaid_on.isoformat()),
                Set(repaid.loan_id, "repaid_early", repaid.early),
                *holders.repaid(repaid.loan_id),
            ]
        case _:
            return []


def _missed(missed: PaymentMissed) -> Sequence[Op]:
    ops: list[Op] = [Set(missed.loan_id, f"rows.{missed.number}.missed", True)]
    if missed.overdue_after_fen is not None:
        ops.append(Set(missed.loan_id, "overdue_fen", missed.overdue_after_fen))
    return ops


def _late(doc: str, dpd: int, on: date) -> Sequence[Op]:
    """Days past due, and the date of the change that said so: no event counts them every day."""
    return [Set(doc, "dpd", dpd), Set(doc, "dpd_on", on.isoformat())]


def _charged(charge: PenaltyCharged) -> Sequence[Op]:
    doc = charge.loan_id
    ops: list[Op] = [
        Add(doc, "penalty_fen", charge.penalty_fen),
        Set(doc, "overdue_fen", charge.overdue_after_fen),
        *_late(doc, charge.dpd, charge.charged_on),
    ]
    for line in charge.lines:
        ops += [
            Add(doc, f"rows.{line.number}.penalty_fen", line.penalty_fen),
            Set(doc, f"rows.{line.number}.penalty_to", charge.charged_on.isoformat()),
        ]
    return ops


def _fined(late: LatenessJudged) -> Sequence[Op]:
    """Penalty of days that are not those of the row with which it is owed."""
    if not late.penalty_fen:
        return []
    return [
        Add(late.loan_id, "penalty_fen", late.penalty_fen),
        Add(late.loan_id, f"rows.{late.number}.penalty_fen", late.penalty_fen),
        Set(late.loan_id, "overdue_fen", late.overdue_after_fen),
    ]


def _opened(loan: LoanOpened) -> Sequence[Op]:
    doc = loan.loan_id
    ops: list[Op] = [Set(doc, name, getattr(loan, name)) for name in _TERMS]
    ops += [
        Set(doc, "annual_rate", str(loan.annual_rate)),
        Set(doc, "penalty_rate", f"{loan.penalty_rate.normalize():f}"),
        Set(doc, "funded_on", loan.funded_on.isoformat()),
        Set(doc, "claims", len(loan.claims)),
        Set(doc, "state", "running"),
        Set(doc, "bucket", "current"),
        Set(doc, "loan_class", "normal"),
        Add(doc, "penalty_fen", 0),
        Set(doc, "outstanding_fen", loan.principal_fen),
        Set(doc, "overdue_fen", 0),
        Set(doc, "repayment", stored(loan.repayment)),
        *standing.opened(doc, loan.region),
        Add(doc, "early.principal_fen", 0),
        Add(doc, "early.interest_fen", 0),
        Set(doc, "rows_to", len(loan.rows)),
    ]
    for row in loan.rows:
        ops += _row(doc, row)
    return ops


def _row(doc: str, row: ScheduleRow) -> Sequence[Op]:
    at = f"rows.{row.number}"
    return [
        Set(doc, f"{at}.due_on", row.due_on.isoformat()),
        Set(doc, f"{at}.principal_fen", row.principal_fen),
        Set(doc, f"{at}.interest_fen", row.interest_fen),
        Set(doc, f"{at}.fee_fen", row.fee_fen),
        Set(doc, f"{at}.missed", False),
        Add(doc, f"{at}.paid_principal_fen", 0),
        Add(doc, f"{at}.paid_interest_fen", 0),
        Add(doc, f"{at}.paid_fee_fen", 0),
        Add(doc, f"{at}.penalty_fen", 0),
        Add(doc, f"{at}.paid_penalty_fen", 0),
    ]


def _changed(change: ScheduleChanged) -> Sequence[Op]:
    """The rows that are asked from now on: `rows_to` is the last of them, whatever longer schedule stands behind it."""
    doc = change.loan_id
    ops: list[Op] = [Set(doc, "rows_to", change.rows[-1].number)]
    for row in change.rows:
        ops += _row(doc, row)
    return ops


def _received(payment: PaymentReceived) -> Sequence[Op]:
    doc = payment.loan_id
    ops: list[Op] = [
        Set(doc, "outstanding_fen", payment.principal_after_fen),
        Set(doc, "overdue_fen", payment.overdue_after_fen),
        Add(doc, "penalty_fen", -sum(line.penalty_fen for line in payment.allocation)),
        *payments.received(payment),
    ]
    return [*ops, *_allocated(doc, payment.allocation)]


def _settled(settled: DebtSettledInKind) -> Sequence[Op]:
    """An asset took the place of a payment: `in_kind` says which, and of how much; no holder received any of it."""
    doc = settled.loan_id
    in_kind = {
        "settled_on": settled.settled_on.isoformat(),
        "settled_fen": settled.settled_fen,
        "principal_fen": sum(line.principal_fen for line in settled.lines),
        "interest_fen": sum(line.interest_fen for line in settled.lines),
    }
    return [
        Set(doc, "outstanding_fen", settled.principal_after_fen),
        Set(doc, "overdue_fen", settled.overdue_after_fen),
        Add(doc, "penalty_fen", -sum(line.penalty_fen for line in settled.lines)),
        Set(doc, f"measures.{settled.measure_id}", "settlement_in_kind"),
        standing.taken(settled, "settlement_in_kind", settled.settled_on),
        Set(doc, f"in_kind.{settled.asset_id}", in_kind),
        *_allocated(doc, settled.lines),
        *holders.settled(settled),
    ]


def _allocated(doc: str, allocation: Sequence[AllocationLine]) -> Sequence[Op]:
    """What each instalment received; line 0 was not due."""
    ops: list[Op] = []
    for line in allocation:
        if line.number == _UNDUE:
            ops += [
                Add(doc, "early.principal_fen", line.principal_fen),
                Add(doc, "early.interest_fen", line.interest_fen),
            ]
        else:
            ops += [
                Add(doc, f"rows.{line.number}.paid_principal_fen", line.principal_fen),
                Add(doc, f"rows.{line.number}.paid_interest_fen", line.interest_fen),
                Add(doc, f"rows.{line.number}.paid_fee_fen", line.fee_fen),
                Add(doc, f"rows.{line.number}.paid_penalty_fen", line.penalty_fen),
            ]
    return ops


VIEW = View(
    name="repayment.loans",
    version=11,
    reads=(
        LoanOpened,
        PaymentReceived,
        ScheduleChanged,
        RepaymentDistributed,
        ClaimTransferred,
        ClaimsSubrogated,
        PaymentMissed,
        LatenessJudged,
        PenaltyCharged,
        OverdueBucketChanged,
        LoanClassified,
        LoanRescheduled,
        LoanWrittenOff,
        RecoveryReceived,
        RecoveryCostBooked,
        RecoveryCostPaid,
        PenaltyWaived,
        NonAccrualStarted,
        NonAccrualEnded,
        LoanMoved,
        DelinquencyPaused,
        DelinquencyPauseEnded,
        LoanFlagged,
        LoanUnflagged,
        DebtSettledInKind,
        LoanRepaid,
        PaymentReversed,
        PaymentRedated,
        LoanRestated,
        LoanVoided,
    ),
    project=project,
    owner_field="borrower",
    indexes=("borrower", "state", "accrual"),
)
