"""Events of `bidding`: customer money at the custodian, listings and bids.

Every money event stands in one account's stream and carries `postings` that sum to zero. Posting names:
`bank:custody` (the outside), `available:<account>`, `held:<account>`, `fees:platform`, `marketing:platform` (its own, for
vouchers), `clearing:loan:<loan>`, `clearing:voucher:<voucher>`, `clearing:offer:<offer>`, `unrequested:bank` (came in and is
nobody's yet).
"""

from datetime import date
from typing import Literal

from libs.events import account, bank, contracts, hold, publication
from libs.events.codec import event, record
from libs.events.money import AnnualRate, Count, PositiveFen
from libs.events.rescheduling import Prepay
from libs.events.schedules.terms import RepaymentTerms

# Whoever reads bidding finds all of its events here: those of the account itself, of holds, of the bank and of the papers too.
AccountClosed = account.AccountClosed
AccountClosureDeclined = account.AccountClosureDeclined
AccountOpened = account.AccountOpened
CardRecorded = account.CardRecorded
OwnerDeathRecorded = account.OwnerDeathRecorded
OwnerDeathWithdrawn = account.OwnerDeathWithdrawn
RelationRecorded = account.RelationRecorded
RiskLevel = account.RiskLevel
SuitabilityRecorded = account.SuitabilityRecorded
BankCode = bank.BankCode
Certificate = contracts.Certificate
ContractIssued = contracts.ContractIssued
FundsDeposited = bank.FundsDeposited
FundsWithdrawn = bank.FundsWithdrawn
Posting = bank.Posting
TopUpFailed = bank.TopUpFailed
TopUpRequested = bank.TopUpRequested
UnrequestedMoneyReceived = bank.UnrequestedMoneyReceived
WithdrawalFailed = bank.WithdrawalFailed
WithdrawalRequested = bank.WithdrawalRequested
FundsHeld = hold.FundsHeld
HoldCaptured = hold.HoldCaptured
HoldReduced = hold.HoldReduced
HoldReleased = hold.HoldReleased
Disclosure = publication.Disclosure
ListingChecked = publication.ListingChecked
ListingPrepared = publication.ListingPrepared
PayoutApproved = publication.PayoutApproved


CancelCode = Literal["borrower_withdrew", "terms_wrong", "duplicate", "suspected_fraud", "unlawful"]
"""Why a listing is taken back before it is filled: by its borrower's wish, or by an operator for one of the others."""


@record
class Bid:
    """An accepted bid: the investor's money held for a listing; `order` is its place in the log's order, from 1, `standing_order`
    what made it (empty: the investor himself)."""

    order: int
    bid_id: str
    hold_id: str
    account_id: str
    investor: str
    amount_fen: PositiveFen
    standing_order: str = ""


@record
class ClaimTerms:
    """A claim as funding creates it: who holds how much of the loan's principal; `order` decides ties of a split."""

    order: int
    claim_id: str
    account_id: str
    investor: str
    principal_fen: PositiveFen


# --- account -------------------------------------------------------------------------------------------------------


@event("bidding.LoanProceedsCredited.v1")
class LoanProceedsCredited:
    """The borrower received the loan less the up-front fee."""

    account_id: str
    owner: str
    loan_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.FeeCredited.v1")
class FeeCredited:
    """The platform's fee account received a fee; `fee_id` names its cause (`origination:<loan>`, a distribution's id,
    `transfer:<offer>`). `offer_id` is that of the sale whose seller bore it, else empty."""

    account_id: str
    loan_id: str
    fee_id: str
    amount_fen: PositiveFen
    balance_after_fen: Count
    postings: tuple[Posting, ...]
    offer_id: str = ""


@event("bidding.InstallmentDebited.v1")
class InstallmentDebited:
    """A debit request found money: all of it or a part."""

    account_id: str
    owner: str
    loan_id: str
    debit_id: str
    requested_fen: PositiveFen
    debited_fen: PositiveFen
    value_date: date
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.InstallmentDebitFailed.v1")
class InstallmentDebitFailed:
    """A debit request found nothing, or was declined by name (`code`): `owner_deceased`, `day_over`."""

    account_id: str
    owner: str
    loan_id: str
    debit_id: str
    requested_fen: PositiveFen
    value_date: date
    code: str = ""


@event("bidding.LoanPaymentDebited.v1")
class LoanPaymentDebited:
    """The payer's voluntary payment left his account; the loan answers next. `settle` asks for early full payment, `prepay` for
    early payment of a part; it is entered in the place of payment `replaces`, which was reversed (empty for none)."""

    account_id: str
    owner: str
    loan_id: str
    payment_id: str
    amount_fen: PositiveFen
    settle: bool
    value_date: date
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
    prepay: Prepay | None = None
    replaces: str = ""


@event("bidding.LoanPaymentReturned.v1")
class LoanPaymentReturned:
    """Money that the loan did not take came back to the payer's account."""

    account_id: str
    owner: str
    loan_id: str
    payment_id: str
    amount_fen: PositiveFen
    reason: str
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.InvestorCredited.v1")
class InvestorCredited:
    """A claim's share of a repayment arrived: principal + interest + penalty − fee."""

    account_id: str
    owner: str
    loan_id: str
    claim_id: str
    distribution_id: str
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
    penalty_fen: Count = 0


# --- listing -------------------------------------------------------------------------------------------------------


@event("bidding.ListingOpened.v1")
class ListingOpened:
    """A loan request is open for bids until the end of `closes_on`.

    `owner` is the member of staff who owns the borrower, `related` are the parties that must not bid, `application_id` is
    empty where an operator opened the listing by hand. `content_hash` is that of the disclosure's text, empty where no second
    person looked at one. `newcomers_only`: for investors who have never lent. `related_to_staff`: red line 3's mark. `repayment` is
    the manner of repayment, None for equal monthly instalments, `guarantor` the external company that guarantees the loan, empty
    where none does: both here and in what follows.
    """

    listing_id: str
    loan_id: str
    borrower: str
    borrower_account: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    bid_min_fen: PositiveFen
    closes_on: date
    origination_fee_fen: Count
    interest_fee_permille: int
    product: str = ""
    region: str = ""
    owner: str | None = None
    related: tuple[str, ...] = ()
    application_id: str = ""
    content_hash: str = ""
    newcomers_only: bool = False
    related_to_staff: bool = False
    repayment: RepaymentTerms | None = None
    guarantor: str = ""


@event("bidding.ListingRefused.v1")
class ListingRefused:
    """An approved application cannot be listed (`code`): the exposure that was reserved for it is free again. `content_hash` is
    that of its disclosure, empty where it was never prepared. `listing_id`: the listing that was prepared or scheduled, empty where it was
    refused at once."""

    loan_id: str
    application_id: str
    borrower: str
    amount_fen: PositiveFen
    code: str
    content_hash: str = ""
    guarantor: str = ""
    listing_id: str = ""


@event("bidding.BidPlaced.v1")
class BidPlaced:
    """A bid was accepted in the order of the log. `excess_fen` is what its hold has above the accepted amount: to be released."""

    listing_id: str
    bid: Bid
    raised_after_fen: Count
    remaining_after_fen: Count
    excess_fen: Count = 0


@event("bidding.BidDeclined.v1")
class BidDeclined:
    """A bid came too late or broke a rule (`code`); its hold is to be released."""

    listing_id: str
    bid_id: str
    hold_id: str
    account_id: str
    investor: str
    amount_fen: PositiveFen
    code: str


@event("bidding.ListingFilled.v1")
class ListingFilled:
    """The listing's amount is reached exactly; `reviews_needed` people must review it by the end of `review_by`, 0 = by itself."""

    listing_id: str
    loan_id: str
    amount_fen: PositiveFen
    bid_count: int
    reviews_needed: Count = 0
    review_by: date | None = None


@event("bidding.ListingReviewed.v1")
class ListingReviewed:
    """One of finance reviewed a filled listing; `order` counts the reviews from 1 to `reviews_needed`."""

    listing_id: str
    loan_id: str
    reviewer: str
    verdict: Literal["approve", "reject"]
    order: int
    reviews_needed: Count


@event("bidding.ListingCancelled.v1")
class ListingCancelled:
    """The listing becomes no loan; every hold in `bids` is to be released. `code`: a filled one by its review, by a cap or ceiling
    of that day; one that is not filled by whom `cancelled_by` names, for a CancelCode."""

    listing_id: str
    loan_id: str
    borrower: str
    application_id: str
    amount_fen: PositiveFen
    cancelled_on: date
    code: str
    bids: tuple[Bid, ...]
    cancelled_by: Literal["", "borrower", "operator"] = ""
    guarantor: str = ""


@event("bidding.ListingExpired.v1")
class ListingExpired:
    """The bidding window ended unfilled; every hold in `bids` is to be released."""

    listing_id: str
    expired_on: date
    bids: tuple[Bid, ...]
    loan_id: str = ""
    borrower: str = ""
    application_id: str = ""
    amount_fen: Count = 0
    guarantor: str = ""


@event("bidding.FundingRequested.v1")
class FundingRequested:
    """An application's filled listing passed review, or `executor` pays it out under a loan `voucher`: it goes on when onboarding
    finds the caps still kept. Both are empty where nobody has to pay it out, or not yet."""

    listing_id: str
    loan_id: str
    borrower: str
    application_id: str
    amount_fen: PositiveFen
    executor: str = ""
    voucher: str = ""


@event("bidding.LoanFunded.v1")
class LoanFunded:
    """The filled listing passed review: every hold in `bids` is to be captured; `claims` are what they become. `executor` paid it
    out under a loan `voucher` 贷款凭证; both are empty where it was small enough to need nobody. `related_to_staff`: red line 3's
    mark, by the listing or because the borrower has come near to the staff since."""

    listing_id: str
    loan_id: str
    borrower: str
    borrower_account: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    origination_fee_fen: Count
    interest_fee_permille: int
    funded_on: date
    bids: tuple[Bid, ...]
    claims: tuple[ClaimTerms, ...]
    product: str = ""
    region: str = ""
    owner: str | None = None
    application_id: str = ""
    executor: str = ""
    voucher: str = ""
    repayment: RepaymentTerms | None = None
    related_to_staff: bool = False


@event("bidding.CaptureRecorded.v1")
class CaptureRecorded:
    """One more hold of a funded loan was captured; `missing` are still to come."""

    listing_id: str
    loan_id: str
    hold_id: str
    amount_fen: PositiveFen
    missing: int


@event("bidding.FundsCollected.v1")
class FundsCollected:
    """All holds are captured: the borrower is paid, the fee taken, the loan opened."""

    listing_id: str
    loan_id: str
    borrower: str
    borrower_account: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    origination_fee_fen: Count
    interest_fee_permille: int
    funded_on: date
    claims: tuple[ClaimTerms, ...]
    product: str = ""
    region: str = ""
    owner: str | None = None
    application_id: str = ""
    repayment: RepaymentTerms | None = None
    guarantor: str = ""
