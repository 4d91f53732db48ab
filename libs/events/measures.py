"""Events of `repayment` about measures: what the house does with a loan that is not paid as agreed, proposed, signed, carried out.

A measure is a stream of its own (`msr_…`); what it does to the loan stands in the loan's stream. Reasons are codes and evidence is
references into the vault: no event says why in words. They stand in a file of their own, and whoever needs them names it.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from libs.events import branch_moves
from libs.events.codec import event, record
from libs.events.flags import Flag, FlagKind, Unflag
from libs.events.in_kind import SettlementInKind
from libs.events.mandate import MandateBy, Voter
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference
from libs.events.overdue import OverduePrincipal
from libs.events.pauses import Pause, PauseEnd
from libs.events.repayment import LoanClass
from libs.events.voidance import Voidance

LoanMoved = branch_moves.LoanMoved  # whoever reads measures finds it here

Months = Annotated[int, Field(ge=1, le=600)]

MeasureStep = Literal[
    "collections_supervisor",
    "risk",
    "risk_assessor",
    "legal",
    "finance_supervisor",
    "general_manager",
    "receiving_clerk",
]
"""A signature, by the post that gives it; a receiving clerk is one of the branch that the loan comes to."""

WriteOffGround = Literal["overdue", "court", "insolvency"]
"""Overdue for long enough, a court's finding that nothing is to be had, or insolvency (processes.md 1.P)."""


# --- what a measure is ---------------------------------------------------------------------------------------------


@record
class Extension:
    """展期: what is not due yet is due over `months` more; `guarantor_consent` is the paper of whoever answers for the loan."""

    months: Months
    guarantor_consent: Reference | None = None
    kind: Literal["extension"] = "extension"


@record
class Restructuring:
    """All that is open, arrears too, is due over the months that are left and `months` more; `guarantor_consent` as in an extension."""

    months: Months
    guarantor_consent: Reference | None = None
    kind: Literal["restructuring"] = "restructuring"


@record
class WriteOff:
    """核销: the house expects nothing more. Claims stay, and the debtor owes. `cost_fen`: so much has its pursuit cost, which is owed to
    `cost_account` (empty: none); of a loan that is written off already it is all that the measure says."""

    ground: WriteOffGround
    kind: Literal["write_off"] = "write_off"
    cost_fen: Count = 0
    cost_account: str = ""


@record
class Waiver:
    """Penalty interest of at most `amount_fen` is given up, that of the oldest instalment first."""

    amount_fen: PositiveFen
    kind: Literal["waiver"] = "waiver"


@record
class Reclassification:
    """形态转移 by hand: the loan is of another class, worse, or better once it is cured."""

    to_class: LoanClass
    kind: Literal["reclassification"] = "reclassification"


@record
class NonAccrual:
    """The loan's interest is no income any more, all of it or none; `ends`: it is again, for the reason is gone and nothing is in arrears."""

    kind: Literal["non_accrual"] = "non_accrual"
    ends: bool = False


@record
class BranchMove:
    """贷款划转: another branch looks after the loan. No money moves."""

    from_branch: Code
    to_branch: Code
    kind: Literal["branch_move"] = "branch_move"


MeasureTerms = (
    Extension
    | Restructuring
    | WriteOff
    | Waiver
    | Reclassification
    | NonAccrual
    | BranchMove
    | SettlementInKind
    | Voidance
    | Pause
    | PauseEnd
    | Flag
    | Unflag
)
MeasureKind = Literal[
    "extension",
    "restructuring",
    "write_off",
    "waiver",
    "reclassification",
    "non_accrual",
    "branch_move",
    "settlement_in_kind",
    "voidance",
    "pause",
    "pause_end",
    "flag",
    "unflag",
]


# --- the measure ---------------------------------------------------------------------------------------------------


@event("repayment.MeasureProposed.v1")
class MeasureProposed:
    """Somebody of the staff proposes a measure for a reason (a code), with the papers that prove it. The loan answers next.

    `debtor_id`, here and at its end, is whose plan it was (collections), empty for all others. `himself` is whoever proposes as a
    customer, empty where the staff's register names none."""

    measure_id: str
    loan_id: str
    terms: MeasureTerms
    reason: Code
    evidence: tuple[Reference, ...]
    proposed_by: str
    proposed_on: date
    debtor_id: str = ""
    himself: str = ""


@event("repayment.MeasureExamined.v1")
class MeasureExamined:
    """On the loan: it could be done today. `voters` are the lenders whose word is needed; none where the contract gives it, or no
    money of theirs is touched (`mandate`). `guarantor` (none: empty) and `holders` of its claims sign nothing of it. Of a waiver,
    `waived_before_fen` is what the loan was forgiven before. `flags` stand on it."""

    loan_id: str
    measure_id: str
    borrower: str
    examined_on: date
    mandate: MandateBy
    voters: tuple[Voter, ...] = ()
    silence_consents: bool = False
    product: str = ""
    region: str = ""
    guarantor: str = ""
    holders: tuple[str, ...] = ()
    waived_before_fen: Count = 0
    flags: tuple[FlagKind, ...] = ()


@event("repayment.MeasureAdmitted.v1")
class MeasureAdmitted:
    """The measure goes the way of its kind: `steps` in this order, each another person's, then its lenders' word. All sign until the end
    of `sign_until`, or it comes to nothing; the last of them may give up `waivable_fen` of a loan (None: it is no waiver). `flags` stood
    on its loan."""

    measure_id: str
    loan_id: str
    kind: MeasureKind
    borrower: str
    steps: tuple[MeasureStep, ...]
    mandate: MandateBy
    voters: tuple[Voter, ...]
    silence_consents: bool
    admitted_on: date
    guarantor: str = ""
    holders: tuple[str, ...] = ()
    sign_until: date | None = None
    waivable_fen: Count | None = None
    flags: tuple[FlagKind, ...] = ()


@event("repayment.MeasureSigned.v1")
class MeasureSigned:
    """One post agreed; `next_step` is None after the last."""

    measure_id: str
    loan_id: str
    step: MeasureStep
    signer: str
    signed_on: date
    next_step: MeasureStep | None


@event("repayment.MeasureRefused.v1")
class MeasureRefused:
    """One post refused it for a reason (`code`): that is its end."""

    measure_id: str
    loan_id: str
    step: MeasureStep
    signer: str
    code: Code
    refused_on: date
    debtor_id: str = ""


@event("repayment.MeasureApproved.v1")
class MeasureApproved:
    """All have signed and the lenders' word is there (`mandate`; of `of_fen` principal, `for_fen` agreed): the loan does it next. Of a
    waiver, `waivable_fen` is how much of the loan, over its life, the last signature may give up."""

    measure_id: str
    loan_id: str
    terms: MeasureTerms
    mandate: MandateBy
    for_fen: Count
    of_fen: Count
    approved_on: date
    waivable_fen: Count | None = None


@event("repayment.MeasureExecuted.v1")
class MeasureExecuted:
    """The loan has done it."""

    measure_id: str
    loan_id: str
    kind: MeasureKind
    executed_on: date
    debtor_id: str = ""


@event("repayment.MeasureFailed.v1")
class MeasureFailed:
    """It came to nothing (`code`): the loan cannot, the lenders do not want it, or not all signed in time (`expired`)."""

    measure_id: str
    loan_id: str
    code: Code
    failed_on: date
    debtor_id: str = ""


# --- what the loan did ---------------------------------------------------------------------------------------------


@event("repayment.MeasureApplied.v1")
class MeasureApplied:
    """The loan does what a measure's `terms` say: what that comes to is said by the events after it in its record. It is decided again where
    a correction changes what came before it, so it says its place: not yet woken for phase `before_phase` of `applied_on`. Of a waiver,
    `waivable_fen` is how much of the loan, over its life, its last signature may give up: then no more than that either."""

    loan_id: str
    borrower: str
    measure_id: str
    terms: MeasureTerms
    applied_on: date
    before_phase: Count
    waivable_fen: Count | None = None


@event("repayment.LoanRescheduled.v1")
class LoanRescheduled:
    """The loan is due otherwise from here on; its rows say so next (ScheduleChanged).

    `principal_fen` is spread anew from the row `from_number` on, at the contract's rate and in its manner, over `periods` due days of
    the contract, the first of them `first_due_on`. `interest_fen` and `fee_fen` are arrears that the first of these rows asks as
    well (0 in an extension); `accrued_fen` is the interest that had run on principal which was not due, None in an extension and in records
    from before it was said. The loan is at least of class `floor_class` until the end of `floor_until`, None for until somebody
    says otherwise by hand.
    """

    loan_id: str
    borrower: str
    measure_id: str
    kind: Literal["extension", "restructuring"]
    months: Months
    rescheduled_on: date
    from_number: Months
    first_due_on: date
    periods: Months
    principal_fen: PositiveFen
    interest_fen: Count
    fee_fen: Count
    matures_on: date
    floor_class: LoanClass
    floor_until: date | None
    product: str = ""
    region: str = ""
    accrued_fen: Count | None = None


@event("repayment.LoanWrittenOff.v1")
class LoanWrittenOff:
    """The loan is off the balance: counted in `from_bucket` until now and in no bucket of the running book from here on.

    What is owed is fixed: principal, interest and fees that were due by then, penalty that was charged, and no more of it. Rows that were
    not due ask for no interest and no fee any more (`dropped_interest_fen`, `dropped_fee_fen`); but what a restructuring had left in
    arrears was due before, and is owed.
    """

    loan_id: str
    borrower: str
    measure_id: str
    ground: WriteOffGround
    written_off_on: date
    from_bucket: str
    dpd: Count
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count
    penalty_fen: Count
    dropped_interest_fen: Count
    dropped_fee_fen: Count
    overdue_after_fen: Count
    product: str = ""
    region: str = ""
    overdue_principal: OverduePrincipal | None = None


@event("repayment.RecoveryReceived.v1")
class RecoveryReceived:
    """收回已核销: the payment in the same record is of a loan that was written off; it was distributed as the original debt says, to
    those who hold its claims now. `recovered_fen` are all payments since."""

    loan_id: str
    borrower: str
    payment_id: str
    amount_fen: PositiveFen
    principal_fen: Count
    value_date: date
    recovered_fen: PositiveFen
    outstanding_fen: Count
    product: str = ""
    region: str = ""


@record
class WaivedLine:
    """Penalty of one instalment that is owed no more."""

    number: int
    waived_fen: PositiveFen


@event("repayment.PenaltyWaived.v1")
class PenaltyWaived:
    """Charged penalty is given up: `waived_fen` of it, at most the measure's `amount_fen`. No money moves."""

    loan_id: str
    borrower: str
    measure_id: str
    amount_fen: PositiveFen
    waived_fen: PositiveFen
    waived_on: date
    lines: tuple[WaivedLine, ...]
    penalty_after_fen: Count
    overdue_after_fen: Count
    dpd: Count
    bucket: str
    product: str = ""
    region: str = ""
