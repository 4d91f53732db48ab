"""Commands of `bidding`: private to the service. People's come from the API, the others from its policies."""

from datetime import date

from libs.events.codec import command
from libs.events.money import AnnualRate, Count, PositiveFen

# --- account -------------------------------------------------------------------------------------------------------


@command("bidding.OpenAccount")
class OpenAccount:
    """Open a custody account for `owner`. No effect when it is open for the same owner."""

    owner: str


@command("bidding.RequestTopUp")
class RequestTopUp:
    """Ask the bank to collect money. Refused: `unknown_account`."""

    top_up_id: str
    amount_fen: PositiveFen


@command("bidding.ConfirmTopUp")
class ConfirmTopUp:
    """The bank's answer to a top-up. Refused: `unknown_account`, `unknown_top_up`, `top_up_already_answered`, `amount_differs`."""

    top_up_id: str
    bank_reference: str
    amount_fen: PositiveFen
    succeeded: bool


@command("bidding.RequestWithdrawal")
class RequestWithdrawal:
    """Hold an amount and ask the bank to pay it out. Refused: `unknown_account`, `insufficient_available`."""

    withdrawal_id: str
    amount_fen: PositiveFen


@command("bidding.ConfirmWithdrawal")
class ConfirmWithdrawal:
    """The bank's answer to a withdrawal. Refused like ConfirmTopUp, with `unknown_withdrawal`, `withdrawal_already_answered`."""

    withdrawal_id: str
    bank_reference: str
    amount_fen: PositiveFen
    succeeded: bool


@command("bidding.PlaceBid")
class PlaceBid:
    """Hold an amount for a listing. Refused: `unknown_account`, `insufficient_available`."""

    bid_id: str
    hold_id: str
    listing_id: str
    amount_fen: PositiveFen


@command("bidding.ReleaseHold")
class ReleaseHold:
    """End a hold without a loan. No effect when it is gone."""

    hold_id: str
    reason: str


@command("bidding.CaptureHold")
class CaptureHold:
    """Turn a hold into a part of a loan. Never refused for an existing hold; refused: `unknown_hold`."""

    hold_id: str
    loan_id: str


@command("bidding.CreditProceeds")
class CreditProceeds:
    """Pay a funded loan's amount, less its fee, to the borrower's account."""

    loan_id: str
    amount_fen: PositiveFen


@command("bidding.CreditFee")
class CreditFee:
    """Book a fee on the platform's fee account; the same `fee_id` again has no effect only through the source rule."""

    loan_id: str
    fee_id: str
    amount_fen: PositiveFen


@command("bidding.DebitInstallment")
class DebitInstallment:
    """Take what is owed from the borrower's available money: all, a part, or nothing."""

    loan_id: str
    debit_id: str
    requested_fen: PositiveFen
    value_date: date


@command("bidding.PayLoan")
class PayLoan:
    """Pay on a loan by one's own wish; `settle` asks for early full payment. Refused: `unknown_account`, `insufficient_available`."""

    payment_id: str
    loan_id: str
    amount_fen: PositiveFen
    settle: bool


@command("bidding.ReturnPayment")
class ReturnPayment:
    """Give money back that the loan did not take."""

    loan_id: str
    payment_id: str
    amount_fen: PositiveFen
    reason: str


@command("bidding.CreditInvestor")
class CreditInvestor:
    """Credit one claim's share of a distribution."""

    loan_id: str
    claim_id: str
    distribution_id: str
    principal_fen: Count
    interest_fen: Count
    fee_fen: Count


# --- listing -------------------------------------------------------------------------------------------------------


@command("bidding.OpenListing")
class OpenListing:
    """Open a loan request for bids (an operator's command until applications exist).

    Refused: `invalid_tenor`, `invalid_fee`, `invalid_rate` (profile's ceiling), `invalid_amount` (profile's cap), `listing_exists`.
    """

    loan_id: str
    borrower: str
    amount_fen: PositiveFen
    annual_rate: AnnualRate
    tenor_months: int
    grade: str
    window_days: int
    origination_fee_fen: Count
    interest_fee_permille: int


@command("bidding.RecordBid")
class RecordBid:
    """Accept a held bid or decline it by event. Refused: `unknown_listing`."""

    bid_id: str
    hold_id: str
    account_id: str
    investor: str
    amount_fen: PositiveFen


@command("bidding.FundListing")
class FundListing:
    """The full-bid review passed (automatic here). Refused: `unknown_listing`, `listing_not_filled`."""


@command("bidding.RecordCapture")
class RecordCapture:
    """A hold of this funded listing was captured. No effect when it is recorded already."""

    hold_id: str
    amount_fen: PositiveFen
