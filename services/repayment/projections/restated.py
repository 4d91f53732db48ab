"""What a correction changes in the views of loans, claims and buckets: the numbers of now, while what was booked stays to be seen.

A part of each view's own documents: the loan's stream writes both.
"""

from collections.abc import Sequence

from libs.events.corrections import LoanRestated, MeasuredStanding, PaymentRedated, PaymentReversed
from libs.events.views import Add, Op, Set
from services.repayment.projections import holders

#: Number of what was not due (libs.events.repayment.AllocationLine).
_UNDUE = 0


def payment(event: PaymentReversed | PaymentRedated) -> Sequence[Op]:
    """The payment stands as it was booked, marked with the number of its correction."""
    at = f"payments.{event.payment_id}"
    marked: list[Op] = [Set(event.loan_id, f"{at}.corrected_by", event.correction_id)]
    if isinstance(event, PaymentReversed):
        return [*marked, Set(event.loan_id, f"{at}.reversed", True)]
    return [*marked, Set(event.loan_id, f"{at}.counts_on", event.to_date.isoformat())]


def loan(event: LoanRestated) -> Sequence[Op]:
    """The loan's document; amounts in fen."""
    doc, standing = event.loan_id, event.standing
    ops: list[Op] = [
        Set(doc, "state", "running"),
        Set(doc, "repaid_on", None),
        Set(doc, "repaid_early", None),
        Set(doc, "bucket", standing.bucket),
        Set(doc, "loan_class", standing.loan_class),
        Set(doc, "outstanding_fen", event.principal_after_fen),
        Set(doc, "overdue_fen", event.overdue_after_fen),
        Set(doc, "penalty_fen", event.penalty_after_fen),
        Set(doc, "dpd", event.dpd),
        Set(doc, "dpd_on", event.restated_on.isoformat()),
    ]
    for row in standing.rows or ():
        at = f"rows.{row.number}"
        ops += [
            Set(doc, f"{at}.due_on", row.due_on.isoformat()),
            Set(doc, f"{at}.principal_fen", row.principal_fen),
            Set(doc, f"{at}.interest_fen", row.interest_fen),
            Set(doc, f"{at}.fee_fen", row.fee_fen),
        ]
    if standing.rows is not None:
        ops.append(Set(doc, "rows_to", standing.rows[-1].number))
    if standing.measured is not None:
        ops += _measured(event, standing.measured)
    return [*ops, *_received(event), *holders.restated(standing, doc), *_given(event)]


def _given(event: LoanRestated) -> Sequence[Op]:
    """What the holders got more, or have to give back, on the day of the correction: with the payments as booked, all that they had."""
    at = f"restated.{event.restated_on.isoformat()}"
    return [
        Add(event.loan_id, f"{at}.{part}", fen)
        for part in ("principal_fen", "interest_fen")
        if (fen := sum(getattr(change, part) for change in event.claims))
    ]


def _measured(event: LoanRestated, measured: MeasuredStanding) -> Sequence[Op]:
    doc = event.loan_id
    ops: list[Op] = [
        Add(doc, "recovered_fen", event.recovered_fen),
        Add(doc, "waived_fen", event.waived_fen),
        Add(doc, "cost_fen", -event.cost_paid_fen),
        Add(doc, "paid_cost_fen", event.cost_paid_fen),
        Set(doc, "arrears_in", measured.arrears_in),
    ]
    left = {
        "interest_fen": measured.arrears_interest_fen,
        "fee_fen": measured.arrears_fee_fen,
        "accrued_fen": measured.arrears_accrued_fen,
    }
    if measured.arrears_in:
        ops += [Set(doc, f"arrears.{part}", fen) for part, fen in left.items() if fen is not None]
    if measured.matures_on is not None:
        ops.append(Set(doc, "matures_on", measured.matures_on.isoformat()))
    return ops


def _received(event: LoanRestated) -> Sequence[Op]:
    doc = event.loan_id
    ops: list[Op] = []
    for row in event.rows:
        if row.number == _UNDUE:
            ops += [
                Set(doc, "early.principal_fen", row.principal_fen),
                Set(doc, "early.interest_fen", row.interest_fen),
            ]
            continue
        at = f"rows.{row.number}"
        ops += [
            Set(doc, f"{at}.paid_principal_fen", row.principal_fen),
            Set(doc, f"{at}.paid_interest_fen", row.interest_fen),
            Set(doc, f"{at}.paid_fee_fen", row.fee_fen),
            Set(doc, f"{at}.penalty_fen", row.penalty_fen),
            Set(doc, f"{at}.paid_penalty_fen", row.paid_penalty_fen),
            Set(doc, f"{at}.penalty_to", row.penalty_to.isoformat() if row.penalty_to else None),
            Set(doc, f"{at}.missed", row.missed),
        ]
    return [
        *ops,
        *(
            Set(doc, f"payments.{line.payment_id}.taken_fen", line.after_fen + line.cost_fen)
            for line in event.retaken
        ),
    ]


def claims(event: LoanRestated) -> Sequence[Op]:
    """The claims' documents: what each has brought, now."""
    return [
        op
        for change in event.claims
        for op in (
            Add(change.claim_id, "outstanding_fen", -change.principal_fen),
            Add(change.claim_id, "principal_back_fen", change.principal_fen),
            Add(change.claim_id, "interest_fen", change.interest_fen),
            Add(change.claim_id, "penalty_fen", change.penalty_fen),
            Add(change.claim_id, "fee_fen", change.fee_fen),
        )
    ]
