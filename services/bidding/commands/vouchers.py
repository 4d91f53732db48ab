"""Commands of `bidding` about vouchers and the platform's marketing account, which pays them."""

from datetime import date

from libs.events import platform
from libs.events.bidding import ClaimTerms
from libs.events.codec import command
from libs.events.money import PositiveFen
from libs.events.onboarding import Code

#: The one stream of the marketing account, and the account's id: the platform's, like its fee account.
MARKETING_STREAM = "marketing"
MARKETING_ACCOUNT = platform.MARKETING_ACCOUNT


@command("bidding.FundMarketing")
class FundMarketing:
    """The bank received money of the platform's own for the marketing account. No effect for the same booking again.

    Refused: `invalid_bank_reference`, `amount_differs` (from what is booked under it), `amount_too_large`.
    """

    booking_id: str
    amount_fen: PositiveFen


@command("bidding.GrantVoucher")
class GrantVoucher:
    """Give an investor a voucher: `amount_fen` for a bid of at least `bid_min_fen` on a loan of at least `tenor_min_months` (None: of
    any), until the end of `valid_to`. No effect when he has it. `himself` is who the member of staff is as a customer, None where the register names none.

    Refused: `forbidden_not_staff`, `forbidden_holder` (it would be his own), `invalid_owner` (the investor's id), `invalid_validity` (a day that is over),
    `voucher_exists` (on other terms), `marketing_exhausted` (what is not reserved is less), `too_many_vouchers`.
    """

    voucher_id: str
    investor: str
    amount_fen: PositiveFen
    bid_min_fen: PositiveFen
    valid_to: date
    himself: str | None = None
    tenor_min_months: int | None = None


@command("bidding.RedeemVoucher")
class RedeemVoucher:
    """The investor names the loan that he bids on, or another one instead: nobody tells him that a loan was funded before his
    word came, or never comes about. No effect for the same loan again.

    Refused: `unknown_voucher` (also to everybody else, and when it has ended), `voucher_expired`,
    `term_too_short` (`tenor_months` is the loan's, where the asker knows it; its funding asks again).
    """

    voucher_id: str
    loan_id: str
    tenor_months: int | None = None


@command("bidding.SettleVouchers")
class SettleVouchers:
    """A loan is funded: each voucher that was redeemed for it is paid for a claim that is large enough, one voucher a claim, or
    returned (also where the loan is too short for it), or over where its last day is. What it was in time for, the day of the funding says, not the day on which this comes
    (None: sent before commands named it, in time; so is `tenor_months`, the loan's). No effect where no voucher is.
    """

    loan_id: str
    claims: tuple[ClaimTerms, ...]
    funded_on: date | None = None
    tenor_months: int | None = None


@command("bidding.ReturnVouchers")
class ReturnVouchers:
    """A loan does not come about (`code`): what was redeemed for it may be redeemed again, or is over. No effect where nothing was."""

    loan_id: str
    code: Code


@command("bidding.CreditVoucher")
class CreditVoucher:
    """Pay a voucher's money into the investor's account. Refused: `unknown_account`.

    Only the source rule recognises the same voucher again: an account keeps no list of them.
    """

    voucher_id: str
    loan_id: str
    amount_fen: PositiveFen
