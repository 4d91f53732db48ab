"""Events of `repayment`: what is owed, to whom, what was paid, and the business calendar."""

from datetime import date
from decimal import Decimal
from typing import Literal

from libs.events.arrival import Answered, Arrival
from libs.events.bidding import ClaimTerms
from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.overdue import OverduePrincipal
from libs.events.schedules import row
from libs.events.schedules.terms import RepaymentTerms

# Whoever reads repayment finds its rows here too.
ScheduleRow = row.ScheduleRow


@record
class AllocationLine:
    """How much of a payment went to one instalment. Number 0 stands for principal and interest not yet due (early settlement)."""

    number: int
    interest_fen: Count
    principal_fen: Count
    penalty_fen: Count = 0
    fee_fen: Count = 0


@record
class DistributionLine:
    """One claim holder's share of a payment; he is credited principal + interest + penalty − fee."""

    claim_id: str
    account_id: str
    investor: str
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count
    penalty_fen: Count = 0


@record
class PenaltyLine:
    """Penalty interest charged on one overdue instalment: `open_fen` (principal + interest) for `days` days."""

    number: int
    open_fen: PositiveFen
    days: Count
    penalty_fen: PositiveFen


# --- calendar ------------------------------------------------------------------------------------------------------


@event("repayment.CalendarOpened.v1")
class CalendarOpened:
    """The platform's first business date."""

    business_date: date


@event("repayment.BusinessDayCloseStarted.v1")
class BusinessDayCloseStarted:
    """The date is being closed: phase 1 begins."""

    business_date: date


@event("repayment.PhaseRecorded.v1")
class PhaseRecorded:
    """One repayment partition finished the last awaited phase of the date; `missing` partitions are still to come."""

    business_date: date
    partition: int
    missing: int


@event("repayment.BusinessDayClosed.v1")
class BusinessDayClosed:
    """The date is closed and `next_date` is open."""

    business_date: date
    next_date: date


# --- loan ----------------------------------------------------------------------------------------------------------


@event("repayment.LoanOpened.v1")
class LoanOpened:
    """The loan lives: terms as contracted, its schedule, its claims.

    `penalty_rate` is the annual rate of penalty interest on what is overdue; 0 where the contract names none. `repayment` is
    the manner of repayment, None for equal monthly instalments; whatever it says, `rows` are what is owed. `guarantor` is the
    external company that stands in for it, empty for none.
    """

    loan_id: str
    listing_id: str
    borrower: str
    borrower_account: str
    principal_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    interest_fee_permille: int
    funded_on: date
    installment_fen: PositiveFen
    rows: tuple[ScheduleRow, ...]
    claims: tuple[ClaimTerms, ...]
    penalty_rate: AnnualRate = Decimal(0)
    product: str = ""
    region: str = ""
    repayment: RepaymentTerms | None = None
    guarantor: str = ""


@event("repayment.InstallmentDue.v1")
class InstallmentDue:
    """An instalment fell due; `debit_fen` is everything owed up to `due_on` and is asked from the borrower's account.

    `value_date` is the date of the asking: `due_on`, unless the loan was woken late; then the record has several of these
    events and each asks only what the ones before it do not. Not `asked`: his account is not debited, for the day is paused or he has died.
    """

    loan_id: str
    borrower: str
    borrower_account: str
    number: int
    due_on: date
    principal_fen: Count
    interest_fen: Count
    debit_id: str
    debit_fen: PositiveFen
    value_date: date
    fee_fen: Count = 0
    asked: bool = True


@event("repayment.DebitRequested.v1")
class DebitRequested:
    """What is still open is asked from the borrower's account again."""

    loan_id: str
    borrower: str
    borrower_account: str
    debit_id: str
    debit_fen: PositiveFen
    value_date: date


@event("repayment.DebitFailureRecorded.v1")
class DebitFailureRecorded:
    """The borrower's account had nothing for a debit. `answered` where that came after its day."""

    loan_id: str
    borrower: str
    debit_id: str
    requested_fen: PositiveFen
    value_date: date
    answered: Answered | None = None


@event("repayment.PaymentReceived.v1")
class PaymentReceived:
    """A payment was taken and allocated; `amount_fen` is the allocated sum, never more than was owed.

    `bucket` is the overdue bucket in which the loan is counted, so a view can move its principal. `payer` is who paid, empty
    for the borrower; `arrival` how it came, None in records from before it was said. `guarantor` guarantees the loan, empty for nobody.
    `cost_fen` of the payment went to a recovery's cost before that, and is no part of `amount_fen`.
    `overdue_principal`, here and in other events, says how much of the loan's principal is overdue where that changes by the record.
    `behind_charge`: it counts as of a day before one up to which penalty had been charged; a redating to its own date puts that right.
    `lapsed` is what an end as of such a day leaves unpaid of instalments that were not due on it, and nobody owes any more: penalty that was
    charged for the days since, and of a loan that was written off the interest and fees that were owed then.
    """

    loan_id: str
    borrower: str
    payment_id: str
    amount_fen: PositiveFen
    value_date: date
    allocation: tuple[AllocationLine, ...]
    early: bool
    bucket: str
    principal_before_fen: Count
    principal_after_fen: Count
    overdue_after_fen: Count
    product: str = ""
    region: str = ""
    payer: str = ""
    guarantor: str = ""
    arrival: Arrival | None = None
    cost_fen: Count = 0
    overdue_principal: OverduePrincipal | None = None
    behind_charge: bool = False
    lapsed: tuple[AllocationLine, ...] = ()


@event("repayment.RepaymentDistributed.v1")
class RepaymentDistributed:
    """The payment in the same record, split among the claim holders of that moment. Σ shares + fees = the payment.

    `fee_fen` is all that the platform gets: what holders bear, and the borrower's `period_fee_fen` in it.
    """

    loan_id: str
    distribution_id: str
    payment_id: str
    value_date: date
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count
    lines: tuple[DistributionLine, ...]
    penalty_fen: Count = 0
    period_fee_fen: Count = 0


@event("repayment.OverpaymentReturned.v1")
class OverpaymentReturned:
    """The payment's rest that was not owed goes back to the payer."""

    loan_id: str
    payment_id: str
    account_id: str
    amount_fen: PositiveFen


@event("repayment.PaymentReturned.v1")
class PaymentReturned:
    """The loan took nothing of a payment (`code`); all of it goes back. `answered` of a debit's that came after its day."""

    loan_id: str
    payment_id: str
    account_id: str
    amount_fen: PositiveFen
    code: str
    answered: Answered | None = None


@event("repayment.PaymentMissed.v1")
class PaymentMissed:
    """An instalment was not fully paid by the evening after its due date, all debits answered. Said once, and `again` of a loan that
    a correction makes late anew.

    `open_fen` is without penalty, or what of that is open where nothing else is. `overdue_after_fen` is everything overdue with it,
    charged penalty included; None in records from before it was said, and of one that had been paid (`paid_on`) before a debit's late answer
    showed that it was missed.
    """

    loan_id: str
    borrower: str
    number: int
    due_on: date
    open_fen: PositiveFen
    dpd: int
    product: str = ""
    region: str = ""
    overdue_after_fen: PositiveFen | None = None
    again: bool = False
    overdue_principal: OverduePrincipal | None = None
    paid_on: date | None = None


@event("repayment.PenaltyCharged.v1")
class PenaltyCharged:
    """Penalty interest up to `charged_on` became owed; each of `lines` can be recomputed by itself (decisions/0005).

    `penalty_after_fen` is all penalty that is owed now, `overdue_after_fen` everything overdue with it, `bucket` where the
    loan is counted.
    """

    loan_id: str
    borrower: str
    charged_on: date
    penalty_fen: PositiveFen
    penalty_after_fen: PositiveFen
    overdue_after_fen: PositiveFen
    dpd: int
    bucket: str
    lines: tuple[PenaltyLine, ...]
    product: str = ""
    region: str = ""


@event("repayment.OverdueBucketChanged.v1")
class OverdueBucketChanged:
    """The loan moved between overdue buckets.

    `principal_fen` is its outstanding principal now, counted under `from_bucket` until now; overdue amounts likewise.
    """

    loan_id: str
    borrower: str
    changed_on: date
    from_bucket: str
    to_bucket: str
    dpd: int
    principal_fen: Count
    overdue_fen: Count
    product: str = ""
    region: str = ""
    overdue_principal: OverduePrincipal | None = None


LoanClass = Literal["normal", "special_mention", "substandard", "doubtful", "loss"]
"""The five classes of loans, best first (domain.md section 4)."""


@event("repayment.LoanClassified.v1")
class LoanClassified:
    """The loan moved between the five classes; `principal_fen` is its outstanding principal now. `measure_id` is the measure by which
    it did: empty where its days past due, or their end, say so."""

    loan_id: str
    borrower: str
    classified_on: date
    from_class: LoanClass
    to_class: LoanClass
    dpd: int
    principal_fen: Count
    product: str = ""
    region: str = ""
    measure_id: str = ""


@event("repayment.LoanRepaid.v1")
class LoanRepaid:
    """Nothing is owed any more; the claims are zero."""

    loan_id: str
    borrower: str
    repaid_on: date
    early: bool
    product: str = ""
    region: str = ""
