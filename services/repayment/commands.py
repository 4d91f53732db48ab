"""Commands of `repayment`: private to the service. People's come from the API, the others from its policies."""

from datetime import date

from libs.events.bidding import ClaimTerms
from libs.events.codec import command
from libs.events.money import AnnualRate, PositiveFen
from libs.events.schedules.terms import RepaymentTerms

# --- calendar ------------------------------------------------------------------------------------------------------


@command("repayment.OpenCalendar")
class OpenCalendar:
    """Start the platform's calendar on a date. No effect when it started on that date; refused: `calendar_already_open`."""

    business_date: date


@command("repayment.CloseBusinessDay")
class CloseBusinessDay:
    """Close a date. No effect for one already closed; refused: `calendar_not_open`, `day_not_reached` (d+1 while d is open),
    `day_is_closing` (the same date while it closes has no effect, a later one is refused)."""

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
    """A voluntary payment left the payer's account; `settle` asks for early full payment.

    No effect for a payment that was answered before; refused: `unknown_loan`. What the loan does not take comes back by
    event (PaymentReturned: `not_the_borrower` unless its terms take anyone's, `nothing_due`, `below_payoff`, `loan_repaid`; OverpaymentReturned).
    """

    payment_id: str
    account_id: str
    payer: str
    amount_fen: PositiveFen
    value_date: date
    settle: bool
