"""Commands of `repayment`: private to the service. People's come from the API, the others from its policies."""

from datetime import date

from libs.events.bidding import ClaimTerms
from libs.events.codec import command
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.onboarding import Code
from libs.events.rescheduling import Prepay
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands import compensation, guarantees

# Whoever reads the commands finds all of them here.
ProposeCompensation = compensation.ProposeCompensation
ApproveCompensation = compensation.ApproveCompensation
RefuseCompensation = compensation.RefuseCompensation
ExecuteCompensation = compensation.ExecuteCompensation
RecordCompensation = compensation.RecordCompensation
DeclineCompensation = compensation.DeclineCompensation
ProposeGuarantor = guarantees.ProposeGuarantor
AdmitGuarantor = guarantees.AdmitGuarantor
RefuseGuarantor = guarantees.RefuseGuarantor
SuspendGuarantor = guarantees.SuspendGuarantor
ReserveGuarantee = guarantees.ReserveGuarantee
ReduceGuarantee = guarantees.ReduceGuarantee
RestoreGuarantee = guarantees.RestoreGuarantee

# --- calendar ------------------------------------------------------------------------------------------------------


@command("repayment.OpenCalendar")
class OpenCalendar:
    """Start the platform's calendar on a date. No effect when it started on that date; refused: `calendar_already_open`."""

    business_date: date


@command("repayment.CloseBusinessDay")
class CloseBusinessDay:
    """Close a date. No effect for one already closed; refused: `calendar_not_open`, `day_not_reached` (d+1 while d is open),
    `day_is_closing` (the same date while it closes has no effect, a later one is refused), `before_calendar` (before the first)."""

    business_date: date


@command("repayment.RecordPhaseDone")
class RecordPhaseDone:
    """A repayment partition finished the last awaited phase of a date; the last of `partitions` closes the day.

    No effect for a partition that was recorded; refused: `calendar_not_open`, `day_not_closing`, `invalid_partition`.
    """

    business_date: date
    partition: int
    partitions: int


# --- loan ----------------------------------------------------------------------------------------------------------


@command("repayment.OpenLoan")
class OpenLoan:
    """Open the loan of a funded listing with its schedule and claims. No effect when it is open.

    Refused: `invalid_tenor`, `invalid_fee`, `invalid_claims` (they must be distinct and sum to the principal), and what
    `libs.events.schedules.terms.require_sound` names.
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
    claims: tuple[ClaimTerms, ...]
    product: str = ""
    region: str = ""
    repayment: RepaymentTerms | None = None
    guarantor: str = ""


@command("repayment.RecordDebit")
class RecordDebit:
    """A debit found money. No effect for a debit that was answered before; refused: `unknown_loan`."""

    debit_id: str
    account_id: str
    debited_fen: PositiveFen
    value_date: date


@command("repayment.RecordDebitFailure")
class RecordDebitFailure:
    """A debit found nothing. No effect for a debit that was answered before; refused: `unknown_loan`."""

    debit_id: str
    requested_fen: PositiveFen
    value_date: date


@command("repayment.RecordPayment")
class RecordPayment:
    """A voluntary payment left the payer's account; `settle` asks for early full payment, `prepay` for early payment of a part. It is entered
    in the place of payment `replaces` (empty for none), which was reversed: both are marked with each other's number.

    No effect for a payment that was answered before; refused: `unknown_loan`. What the loan does not take comes back by
    event (PaymentReturned: `not_the_borrower` unless its terms take anyone's, `nothing_due`, `below_payoff`, `loan_repaid`,
    `before_funding`, of `replaces` `unknown_payment` (another loan's too), `payment_of_another` (who pays is neither its payer nor the
    borrower), `payment_not_reversed`, `payment_replaced`, of `prepay` what `services.repayment.domain.prepaying` names;
    OverpaymentReturned).
    """

    payment_id: str
    account_id: str
    payer: str
    amount_fen: PositiveFen
    value_date: date
    settle: bool
    prepay: Prepay | None = None
    replaces: str = ""


# --- claims for sale -----------------------------------------------------------------------------------------------


@command("repayment.ReserveClaim")
class ReserveClaim:
    """A holder offers his claim, whole (`principal_fen` None) or in part: nothing else is done with it meanwhile. No effect for
    an offer that has it. An offer that `may_wait` (a redemption's) is reserved in a blocked window too, and not transferred in it.

    It is for sale until the end of `until` (None: as long as the loan runs): that bounds the interest that can accrue.

    Refused: `unknown_loan`, `loan_repaid`, `loan_written_off`, `blocked_window` (near a due date), `loan_overdue`, `unknown_claim`
    (another's, too), `share_not_for_sale` (an asset took its place: a share in that is nobody's claim), `claim_subrogated` (a guarantor's, of
    certain instalments), `claim_reserved` (for another offer), `part_too_large`,
    `part_too_small`, `rest_too_small`, `too_many_claims` (after the split).
    """

    offer_id: str
    claim_id: str
    seller: str
    principal_fen: PositiveFen | None
    value_date: date
    may_wait: bool = False
    until: date | None = None


@command("repayment.TransferClaim")
class TransferClaim:
    """A buyer whose money is held takes a reserved claim: principal, price, interest and fee are fixed and it is his. No effect
    for an offer that was transferred.

    Refused: `unknown_loan`, `loan_repaid`, `loan_written_off`, `blocked_window`, `loan_overdue`, `claim_not_reserved`, `value_date_passed` (a later due
    date was asked for), `nothing_left` (of it: repaid meanwhile), `above_investor_cap` (of one investor in one loan), `above_maximum` (he holds less than it costs).
    """

    offer_id: str
    hold_id: str
    buyer: str
    buyer_account: str
    price_permille: Count
    fee_permille: Count
    held_fen: PositiveFen
    value_date: date
    investor_cap_fen: PositiveFen | None = None


@command("repayment.ReleaseClaim")
class ReleaseClaim:
    """An offer ended (`code`): its claim is free again. No effect for one that has none. Refused: `unknown_loan`."""

    offer_id: str
    code: Code
