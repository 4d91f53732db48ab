"""Events of `repayment` about a booking that was wrong: who asked for its correction, who allowed it, what it came to.

A correction is a stream of its own (`cor_…`). Nothing that was booked is taken out of the log: the loan says that a payment does not
count, or counts as of another date, and in the same record where it stands now and what each account has to get or give back.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event, record
from libs.events.lateness import Freed, Unjudged
from libs.events.money import Count, Fen, PositiveFen
from libs.events.onboarding import Code
from libs.events.overdue import OverduePrincipal
from libs.events.repayment import AllocationLine, LoanClass
from libs.events.schedules.row import ScheduleRow

CorrectionKind = Literal["reverse", "redate"]
"""The payment does not count at all, or counts as of another value date."""

CorrectionBooking = Literal["same_day", "same_year", "prior_year"]
"""How a wrong entry is put right (processes.md 1.P): on its day, later in its year, across the year's end."""

CorrectionRole = Literal["supervisor", "finance_head"]


@record
class Correction:
    """What is asked: this of that payment of that loan. `value_date` is the payment's as booked, `to_date` the right one."""

    correction_id: str
    loan_id: str
    payment_id: str
    kind: CorrectionKind
    reason: Code
    value_date: date
    to_date: date | None = None


def counts_from(asked: Correction) -> date:
    """The first day on which anything counts otherwise: by it an error is of today, of this year, or of one before."""
    return min(asked.value_date, asked.to_date or asked.value_date)


# --- correction ----------------------------------------------------------------------------------------------------


@event("repayment.CorrectionProposed.v1")
class CorrectionProposed:
    """A clerk asks for a correction; `signatures` people have to allow it. `himself` is the clerk as a customer, empty for none."""

    correction: Correction
    proposed_by: str
    proposed_on: date
    signatures: Count
    himself: str = ""


@event("repayment.CorrectionAdmitted.v1")
class CorrectionAdmitted:
    """The loan has said who has a part in it on that day, as customers (`guarantor`: empty for none): none of them allows it or refuses it."""

    correction_id: str
    loan_id: str
    borrower: str
    guarantor: str
    holders: tuple[str, ...]


@event("repayment.CorrectionSigned.v1")
class CorrectionSigned:
    """One more person allows it, another has to. `himself` is he as a customer, empty for none.

    Said again, of the same person, where the year had ended before the loan was put right: what he allowed needs one more."""

    correction_id: str
    loan_id: str
    role: CorrectionRole
    signed_by: str
    signed_on: date
    himself: str = ""


@event("repayment.CorrectionAuthorised.v1")
class CorrectionAuthorised:
    """The last person allows it: the loan is put right next. `people` are all who asked for it or allowed it, as customers, where they are."""

    correction: Correction
    booking: CorrectionBooking
    role: CorrectionRole
    authorised_by: str
    authorised_on: date
    people: tuple[str, ...] = ()


@event("repayment.CorrectionRefused.v1")
class CorrectionRefused:
    """It does not come about (`code`): a person said no, or the loan did (`refused_by` is empty then)."""

    correction_id: str
    loan_id: str
    code: Code
    refused_by: str
    refused_on: date


@event("repayment.CorrectionBooked.v1")
class CorrectionBooked:
    """The loan is put right; `open_fen` moves between accounts next."""

    correction_id: str
    loan_id: str
    open_fen: Count


@event("repayment.CorrectionClosed.v1")
class CorrectionClosed:
    """All that it moved has moved."""

    correction_id: str
    loan_id: str
    closed_on: date


# --- loan ----------------------------------------------------------------------------------------------------------


@event("repayment.CorrectionExamined.v1")
class CorrectionExamined:
    """Who asks for a correction has no part in the loan; who has is the borrower, its guarantor (empty for none) and its holders of the day."""

    loan_id: str
    correction_id: str
    borrower: str
    guarantor: str
    holders: tuple[str, ...]


@event("repayment.PaymentReversed.v1")
class PaymentReversed:
    """A payment that was booked does not count. What the loan had taken of it, `amount_fen`, a recovery's cost included, goes back to its payer."""

    loan_id: str
    borrower: str
    payment_id: str
    correction_id: str
    booking: CorrectionBooking
    amount_fen: Count
    value_date: date


@event("repayment.PaymentRedated.v1")
class PaymentRedated:
    """A payment counts as of another value date."""

    loan_id: str
    borrower: str
    payment_id: str
    correction_id: str
    booking: CorrectionBooking
    from_date: date
    to_date: date


@record
class PenaltyStanding:
    """Penalty of an open instalment: charged up to `to`, and what of it is not paid; where days since its own have been charged,
    `before_fen` of that was owed before them."""

    number: int
    to: date
    owed_fen: Count
    before_fen: Count = 0


@record
class ClaimStanding:
    """What a claim is owed of the principal."""

    claim_id: str
    principal_fen: Count


@record
class FloorStanding:
    """The best class that the loan may have, until the end of `until`; None: until somebody says otherwise by hand."""

    best: LoanClass
    until: date | None = None


@record
class CostStanding:
    """What of a recovery's cost is open, 0 for nothing, by which measure, and to whom it is owed."""

    measure_id: str
    account_id: str
    owed_fen: Count


@record
class MeasuredStanding:
    """What measures left behind, decided again: floors of its class, and all that came since it was written off. `matures_on` where they made its
    rows others; `arrears_in` is the row in which a restructuring asks for arrears, 0 for none, so much interest and fee of
    it they are, and so much had accrued beside them (None: as before); whether its interest is no income by hand; `cost` where another one is open
    (None: as before)."""

    floor: FloorStanding | None
    observed: FloorStanding | None
    recovered_fen: Count
    matures_on: date | None = None
    arrears_in: Count = 0
    no_income_by_hand: bool = False
    arrears_interest_fen: Count | None = None
    arrears_fee_fen: Count | None = None
    cost: CostStanding | None = None
    arrears_accrued_fen: Count | None = None


@record
class Standing:
    """Where a loan stands: `rows` None where they are what they were, `measured` where no measure was applied. The fields are those of its
    state."""

    first_open: int
    paid: tuple[AllocationLine, ...]
    penalties: tuple[PenaltyStanding, ...]
    claims: tuple[ClaimStanding, ...]
    weights: tuple[Count, ...]
    bucket: str
    loan_class: LoanClass
    next_due: int
    next_missed: int
    asked_on: date
    rows: tuple[ScheduleRow, ...] | None = None
    measured: MeasuredStanding | None = None
    unjudged: tuple[Unjudged, ...] = ()
    freed: tuple[Freed, ...] = ()
    answered_on: date | None = None


@record
class RowStanding:
    """What an instalment has received in all, and the penalty that was charged on it up to `penalty_to`; number 0: what was not due."""

    number: int
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count
    paid_penalty_fen: Count
    penalty_fen: Count
    missed: bool
    penalty_to: date | None = None


@record
class Retaken:
    """A payment of which the loan now takes another amount than it had for its debt, or for a recovery's cost (`cost_fen` now)."""

    payment_id: str
    before_fen: Count
    after_fen: Count
    cost_fen: Count = 0


@record
class AdjustingLine:
    """What one account gets (or gives back, below zero) so that it has had what it would have had: as holder of claims principal +
    interest + penalty − fee, as payer `returned_fen`, as whom a recovery's cost is owed to `cost_fen`. What moves is `amount_fen`, the sum of them."""

    account_id: str
    principal_fen: Fen
    interest_fen: Fen
    penalty_fen: Fen
    fee_fen: Fen
    returned_fen: Fen
    amount_fen: Fen
    cost_fen: Fen = 0


@record
class Share:
    """An amount for one account."""

    account_id: str
    amount_fen: PositiveFen


@record
class ClaimChange:
    """What one claim got more than it had (or less, below zero)."""

    claim_id: str
    principal_fen: Fen
    interest_fen: Fen
    penalty_fen: Fen
    fee_fen: Fen


@record
class OwedChange:
    """What is owed more of a loan than before (or less, below zero), due or not, part by part."""

    principal_fen: Fen
    interest_fen: Fen
    fee_fen: Fen
    penalty_fen: Fen


@event("repayment.LoanRestated.v1")
class LoanRestated:
    """The loan stands where it would stand without the error: `standing`, and LoanRepaid follows when that is the end; `rows` are those to
    which anything has happened. Nothing of the past is rewritten: `lines` and the platform's `platform_fen` are what moves now, and sum to zero.

    Before it the loan was counted in `from_bucket` with `principal_before_fen` (in no bucket, None, when it was repaid); what it comes
    to be counted in is told by the events after it in the record. Of what measures did, `recovered_fen` more (or less, below zero) counts as
    recovered since its write-off, `cost_paid_fen` more of what its pursuit cost is paid, and `waived_fen` more was given up. Its guarantor stands in for `guaranteed_fen` (None: for all that is owed).
    `owed` is the change of a loan that was written off, which is in a register of its own; `branch` looks after it (empty before rules 8: it was not said).
    """

    loan_id: str
    borrower: str
    correction_id: str
    booking: CorrectionBooking
    restated_on: date
    standing: Standing
    rows: tuple[RowStanding, ...]
    retaken: tuple[Retaken, ...]
    lines: tuple[AdjustingLine, ...]
    claims: tuple[ClaimChange, ...]
    platform_fen: Fen
    from_bucket: str | None
    principal_before_fen: Count
    principal_after_fen: Count
    overdue_after_fen: Count
    penalty_after_fen: Count
    dpd: Count
    product: str = ""
    region: str = ""
    branch: str = ""
    owed: OwedChange | None = None
    guarantor: str = ""
    recovered_fen: Fen = 0
    waived_fen: Fen = 0
    guaranteed_fen: Count | None = None
    cost_paid_fen: Fen = 0
    overdue_principal: OverduePrincipal | None = None


def moved_fen(restated: LoanRestated) -> int:
    """What is collected, and paid out, in all: the sum of the lines that get something."""
    return max(0, restated.platform_fen) + sum(max(0, line.amount_fen) for line in restated.lines)
