"""The view of a loan: what was contracted, what each instalment has received, where it stands. Written by its stream only.

A borrower reads his own loan in it; what the early settlement of not yet due principal paid stands beside the rows.
"""

from collections.abc import Sequence

from libs.events.records import RecordedEvent
from libs.events.repayment import (
    LoanOpened,
    LoanRepaid,
    OverdueBucketChanged,
    PaymentMissed,
    PaymentReceived,
)
from libs.events.views import Add, Op, Set, View

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
)


def project(event: RecordedEvent) -> Sequence[Op]:
    """Changes of the loan's document; amounts in fen, dates as ISO text, the rate as decimal text.

    `src` names the last event behind the document, so each of its numbers can be followed down.
    """
    changes = _changes(event.data)
    return [*changes, Set(changes[0].doc, f"src.{event.stream}", event.address)] if changes else []


def _changes(data: object) -> Sequence[Op]:
    match data:
        case LoanOpened() as loan:
            return _opened(loan)
        case PaymentReceived() as payment:
            return _received(payment)
        case PaymentMissed() as missed:
            return [Set(missed.loan_id, f"rows.{missed.number}.missed", True)]
        case OverdueBucketChanged() as changed:
            return [
                Set(changed.loan_id, "bucket", changed.to_bucket),
                Set(changed.loan_id, "overdue_fen", changed.overdue_fen),
            ]
        case LoanRepaid() as repaid:
            return [
                Set(repaid.loan_id, "state", "repaid"),
                Set(repaid.loan_id, "repaid_on", repaid.repaid_on.isoformat()),
                Set(repaid.loan_id, "repaid_early", repaid.early),
            ]
        case _:
            return []


def _opened(loan: LoanOpened) -> Sequence[Op]:
    doc = loan.loan_id
    ops: list[Op] = [Set(doc, name, getattr(loan, name)) for name in _TERMS]
    ops += [
        Set(doc, "annual_rate", str(loan.annual_rate)),
        Set(doc, "funded_on", loan.funded_on.isoformat()),
        Set(doc, "claims", len(loan.claims)),
        Set(doc, "state", "running"),
        Set(doc, "bucket", "current"),
        Set(doc, "outstanding_fen", loan.principal_fen),
        Set(doc, "overdue_fen", 0),
        Add(doc, "early.principal_fen", 0),
        Add(doc, "early.interest_fen", 0),
    ]
    for row in loan.rows:
        at = f"rows.{row.number}"
        ops += [
            Set(doc, f"{at}.due_on", row.due_on.isoformat()),
            Set(doc, f"{at}.principal_fen", row.principal_fen),
            Set(doc, f"{at}.interest_fen", row.interest_fen),
            Set(doc, f"{at}.missed", False),
            Add(doc, f"{at}.paid_principal_fen", 0),
            Add(doc, f"{at}.paid_interest_fen", 0),
        ]
    return ops


def _received(payment: PaymentReceived) -> Sequence[Op]:
    doc = payment.loan_id
    ops: list[Op] = [
        Set(doc, "outstanding_fen", payment.principal_after_fen),
        Set(doc, "overdue_fen", payment.overdue_after_fen),
    ]
    for line in payment.allocation:
        if line.number == _UNDUE:
            ops += [
                Add(doc, "early.principal_fen", line.principal_fen),
                Add(doc, "early.interest_fen", line.interest_fen),
            ]
        else:
            ops += [
                Add(doc, f"rows.{line.number}.paid_principal_fen", line.principal_fen),
                Add(doc, f"rows.{line.number}.paid_interest_fen", line.interest_fen),
            ]
    return ops


VIEW = View(
    name="repayment.loan-schedule",
    version=1,
    reads=(LoanOpened, PaymentReceived, PaymentMissed, OverdueBucketChanged, LoanRepaid),
    project=project,
    owner_field="borrower",
    indexes=("borrower", "state"),
)
