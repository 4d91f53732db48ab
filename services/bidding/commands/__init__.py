"""Commands of `bidding`: private to the service. People's come from the API, the others from its policies.

A command to an account that is not open is refused `unknown_account`, one of the owner of a closed account `account_closed`
(but what came after he left is paid out); a movement that would make an account or an event
larger than MAX_INTEGER is refused `amount_too_large`.
"""

from datetime import date

from libs.events import platform
from libs.events.bidding import BankCode, RiskLevel
from libs.events.card import CardRef
from libs.events.codec import command
from libs.events.measures import WriteOff
from libs.events.money import Count, PositiveFen
from libs.events.rescheduling import Prepay
from services.bidding.commands import listings

# Whoever reads the commands finds all of them here.
CancelBid = listings.CancelBid
CancelListing = listings.CancelListing
CheckListing = listings.CheckListing
ConfirmFunding = listings.ConfirmFunding
ExecutePayout = listings.ExecutePayout
FundListing = listings.FundListing
OpenListing = listings.OpenListing
RecordBid = listings.RecordBid
RecordCapture = listings.RecordCapture
RejectFunding = listings.RejectFunding
ReviewListing = listings.ReviewListing

#: The platform's fee account: a stream of its own that nobody owns, opened by its first CreditFee.
FEE_ACCOUNT = platform.FEE_ACCOUNT

# --- account -------------------------------------------------------------------------------------------------------


@command("bidding.OpenAccount")
class OpenAccount:
    """Open the custody account of `owner`, whose id it shares. No effect when it is open for the same owner.

    Refused: `invalid_owner`, `account_exists`, `verification_required` (by the owner, where the profile asks for it).
    """

    owner: str


@command("bidding.RecordSuitability")
class RecordSuitability:
    """Onboarding assessed the owner: his risk level, good until the end of `valid_to`. No effect for what is known."""

    level: RiskLevel
    valid_to: date


@command("bidding.RecordRelation")
class RecordRelation:
    """The owner is related to another user, by his word or by that one's. No effect for what is known, nor
    before the account is opened: the verification that opens it tells again.
    """

    related: str


@command("bidding.ConfirmPayee")
class ConfirmPayee:
    """Say that the account could be paid what a measure says that a recovery cost. No account remembers it: asked again it says so again.

    Refused: `unknown_account`, `account_closed`, `forbidden_payee` (the platform's own: no account of it has a part in a loss, red line 2).
    """

    measure_id: str
    loan_id: str
    terms: WriteOff
    himself: str = ""


@command("bidding.RecordDeathFlag")
class RecordDeathFlag:
    """A loan says that its borrower, the owner, has died, or (not `stands`) that it was another: the event `said` of its stream. No
    effect for what it said then or before."""

    loan_id: str
    said: PositiveFen
    stands: bool


@command("bidding.RecordCard")
class RecordCard:
    """Onboarding verified the owner by this own-name card; his account is opened if it is not, so that nobody meets it without.
    No effect when it is the one that is known.

    Refused: `invalid_owner`, `account_exists` (another owner's).
    """

    owner: str
    card_ref: CardRef


@command("bidding.CloseAccount")
class CloseAccount:
    """The owner wants to be forgotten: his account closes if nothing of his is in it, or declines by event. An account that
    never was is opened and closed, so that nobody opens it later. No effect when it is closed.

    Declined: `has_money`, `bank_request_open`, `payment_on_its_way` (less than three days ago), `has_claims`. Refused: `account_exists` (another owner's).
    """

    owner: str


@command("bidding.RequestTopUp")
class RequestTopUp:
    """The owner asks the bank to collect money. No effect when this request is known.

    Refused: `card_required` (no own-name card is known, and the profile asks for one), `too_many_requests` (1,000 wait for the bank).
    """

    top_up_id: str
    amount_fen: PositiveFen


@command("bidding.ConfirmTopUp")
class ConfirmTopUp:
    """The bank's answer to a top-up. No effect when it is the answer already given, lately (domain/requests.py).

    Refused: `unknown_top_up`, `top_up_already_answered`, `amount_differs`, `invalid_bank_reference`,
    `bank_reference_used` (by another request of this account).
    """

    top_up_id: str
    bank_reference: str
    amount_fen: PositiveFen
    succeeded: bool
    code: BankCode | None = None


@command("bidding.RecordUnrequestedMoney")
class RecordUnrequestedMoney:
    """The bank received money under its reference that answers no request (stream `bankref_<reference>`). No effect when it is
    booked. Refused: `invalid_bank_reference`, `amount_differs` (from what is booked under it).
    """

    booking_id: str
    amount_fen: PositiveFen


@command("bidding.RequestWithdrawal")
class RequestWithdrawal:
    """The owner wants an amount paid out: it is held until the bank answers. No effect when this request is known.

    Refused: `insufficient_available`, `card_required` (no own-name card is known, and the profile asks for one), `too_many_requests`
    (1,000 wait for the bank).
    """

    withdrawal_id: str
    amount_fen: PositiveFen


@command("bidding.ConfirmWithdrawal")
class ConfirmWithdrawal:
    """The bank's answer to a withdrawal. No effect when it is the answer already given, lately (domain/requests.py).

    Refused: `unknown_withdrawal`, `withdrawal_already_answered`, `amount_differs`, `invalid_bank_reference`,
    `bank_reference_used` (by another request of this account).
    """

    withdrawal_id: str
    bank_reference: str
    amount_fen: PositiveFen
    succeeded: bool
    code: BankCode | None = None


@command("bidding.PlaceBid")
class PlaceBid:
    """The owner holds an amount for a listing. No effect while this hold stands. Refused: `insufficient_available`.

    `allow_partial`: where less is left, the listing may take that and the rest is available again.
    """

    bid_id: str
    hold_id: str
    listing_id: str
    amount_fen: PositiveFen
    allow_partial: bool = False


@command("bidding.ReleaseHold")
class ReleaseHold:
    """End a hold without a loan; `reason` is a code. No effect when it is gone."""

    hold_id: str
    reason: str


@command("bidding.ReduceHold")
class ReduceHold:
    """Keep a part of a hold, which the listing took, and make the rest available. No effect when it holds no more, or is gone."""

    hold_id: str
    keep_fen: PositiveFen


@command("bidding.CaptureHold")
class CaptureHold:
    """Turn a hold into a part of a loan. Never refused for an existing hold. Refused: `unknown_hold`.

    `amount_fen` is what the listing took (None: all of it): a rest that was not released yet is released first, because
    this command may overtake ReduceHold.
    """

    hold_id: str
    loan_id: str
    amount_fen: PositiveFen | None = None


@command("bidding.CreditProceeds")
class CreditProceeds:
    """Pay a funded loan's amount, less its fee, to the borrower's account. No effect when it was paid."""

    loan_id: str
    amount_fen: PositiveFen


@command("bidding.CreditFee")
class CreditFee:
    """Book a fee on the platform's fee account; that of a sale comes from its offer's money. Refused: `not_fee_account`.

    Only the source rule recognises the same fee again: the account keeps no list of its fees.
    """

    loan_id: str
    fee_id: str
    amount_fen: PositiveFen
    offer_id: str = ""


@command("bidding.DebitInstallment")
class DebitInstallment:
    """Take what is owed from the borrower's available money: all, a part, or nothing; declined by event: `owner_deceased`, `day_over` (more
    than a day after its value date). No effect for the last debit again."""

    loan_id: str
    debit_id: str
    requested_fen: PositiveFen
    value_date: date


@command("bidding.PayLoan")
class PayLoan:
    """The owner pays on a loan by his own wish; `settle` asks for early full payment, `prepay` for early payment of a part; `replaces` names a
    payment that was reversed, in whose place this one is entered. No effect for the last payment again.

    Refused: `insufficient_available`, `invalid_prepay` (with `settle`).
    """

    payment_id: str
    loan_id: str
    amount_fen: PositiveFen
    settle: bool
    prepay: Prepay | None = None
    replaces: str = ""


@command("bidding.ReturnPayment")
class ReturnPayment:
    """Give money on that the loan did not take: back to its payer, or to whom a recovery's cost is owed; `reason` is a code. No effect for the last return again."""

    loan_id: str
    payment_id: str
    amount_fen: PositiveFen
    reason: str


@command("bidding.CreditInvestor")
class CreditInvestor:
    """Credit one claim's share of a distribution: principal + interest + penalty − fee. No effect when that is nothing.

    Refused: `invalid_fee` (larger than the share). Only the source rule recognises the same share again: an account keeps
    no list of its claims.
    """

    loan_id: str
    claim_id: str
    distribution_id: str
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count
    penalty_fen: Count = 0
