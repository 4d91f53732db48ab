"""Events about a compensation 代偿: a loan's guarantor pays its holders, and what he paid for is owed to him (subrogation).

The borrower owes the same as before, to somebody else: so the loan's book stays as it is, and only claims change. Repayment decides
it, bidding moves the money; the platform pays nothing of it (domain.md section 9, red line 2).
"""

from datetime import date

from libs.events.arrival import Arrival
from libs.events.bank import Posting
from libs.events.codec import event, record
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code
from libs.events.repayment import AllocationLine
from libs.events.schedules.terms import Covers


@record
class SubrogatedClaim:
    """The guarantor's claim, ordered after all others: the loan's instalments from number `first` through `through` are his, and
    everything that is paid on them from here on. `through` None: all of them to the last, and what ends the loan early.

    `principal_fen` is what of the outstanding principal it stands for; 0 where the instalments ask for interest only.
    """

    order: int
    claim_id: str
    account_id: str
    investor: str
    principal_fen: Count
    first: int
    through: int | None


# --- repayment: the loan -------------------------------------------------------------------------------------------


@event("repayment.CompensationProposed.v1")
class CompensationProposed:
    """One of finance proposes that the guarantor pays; the loan was `dpd` days past due and `amount_fen` what he would have paid that
    day. Another person approves it, a third asks for the money, until the end of `sign_until`, or it comes to nothing."""

    loan_id: str
    borrower: str
    compensation_id: str
    guarantor: str
    covers: Covers
    dpd: int
    amount_fen: PositiveFen
    proposed_by: str
    proposed_on: date
    product: str = ""
    region: str = ""
    sign_until: date | None = None


@event("repayment.CompensationApproved.v1")
class CompensationApproved:
    """Another person of finance agrees."""

    loan_id: str
    compensation_id: str
    guarantor: str
    approved_by: str
    approved_on: date


@event("repayment.CompensationExecuted.v1")
class CompensationExecuted:
    """The cashier asks for the money: `lines` is what the guarantor pays of each instalment, with penalty up to `value_date`; never the
    platform's fees. His account answers next, with all of `amount_fen` or nothing."""

    loan_id: str
    borrower: str
    compensation_id: str
    guarantor: str
    account_id: str
    covers: Covers
    amount_fen: PositiveFen
    lines: tuple[AllocationLine, ...]
    value_date: date
    executed_by: str


@event("repayment.CompensationDeclined.v1")
class CompensationDeclined:
    """Nothing comes of it (`code`): somebody refused it, not all signed in time (`expired`), the guarantor's account has too little, or
    the borrower paid meanwhile. What was taken goes back. `declined_by` is empty for the platform's rules."""

    loan_id: str
    compensation_id: str
    guarantor: str
    code: Code
    declined_on: date
    declined_by: str = ""


@event("repayment.ClaimsSubrogated.v1")
class ClaimsSubrogated:
    """The guarantor paid, and what he paid for is owed to him: `claim` is new, and the RepaymentDistributed of this record, whose
    payment_id is `compensation_id`, makes the holders' claims less by the same principal.

    `lines` is what he paid of each instalment, by which holders are paid and he is owed; `guaranteed_fen` is what of the principal he
    still stands in for. The book stays as it is. `arrival`: how his money came, in records that say it.
    """

    loan_id: str
    borrower: str
    compensation_id: str
    guarantor: str
    covers: Covers
    claim: SubrogatedClaim
    amount_fen: PositiveFen
    principal_fen: Count
    interest_fen: Count
    penalty_fen: Count
    lines: tuple[AllocationLine, ...]
    guaranteed_fen: Count
    value_date: date
    product: str = ""
    region: str = ""
    arrival: Arrival | None = None


# --- bidding: the guarantor's account ------------------------------------------------------------------------------


@event("bidding.CompensationDebited.v1")
class CompensationDebited:
    """The guarantor's money is taken for a loan; what the loan does not take comes back."""

    account_id: str
    owner: str
    loan_id: str
    compensation_id: str
    amount_fen: PositiveFen
    value_date: date
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.CompensationDebitDeclined.v1")
class CompensationDebitDeclined:
    """Nothing was taken from the guarantor's account: it has less than was asked for, or its owner has died (`code`)."""

    account_id: str
    owner: str
    loan_id: str
    compensation_id: str
    amount_fen: PositiveFen
    code: Code


@event("bidding.SubrogationRecorded.v1")
class SubrogationRecorded:
    """The guarantor has a claim for what he paid: `principal_fen` of it comes back to him as the borrower pays."""

    account_id: str
    owner: str
    loan_id: str
    compensation_id: str
    claim_id: str
    principal_fen: PositiveFen
