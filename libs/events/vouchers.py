"""Events of `bidding` about vouchers 红包: the platform's own money, which goes out to investors and never comes back from them.

All but `VoucherCredited` stand in the one stream of the marketing account, which holds `marketing:platform`. What it has paid and
the investor's account has not been credited with lies in `clearing:voucher:<voucher>`.
"""

from datetime import date

from libs.events.bank import Posting
from libs.events.codec import event
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code


@event("bidding.MarketingFunded.v1")
class MarketingFunded:
    """The platform paid in from its own funds, under the bank's reference."""

    account_id: str
    bank_reference: str
    amount_fen: PositiveFen
    balance_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.VoucherGranted.v1")
class VoucherGranted:
    """An investor may redeem a voucher until the end of `valid_to`, for a loan of `tenor_min_months` or longer (None: of any); its money
    is reserved (`reserved_after_fen`: for all)."""

    voucher_id: str
    investor: str
    amount_fen: PositiveFen
    bid_min_fen: PositiveFen
    valid_to: date
    granted_by: str
    reserved_after_fen: Count
    tenor_min_months: int | None = None


@event("bidding.VoucherRedeemed.v1")
class VoucherRedeemed:
    """The investor names the loan that he bids on, another one than before if he had: he is paid when it is funded."""

    voucher_id: str
    investor: str
    loan_id: str


@event("bidding.VoucherReturned.v1")
class VoucherReturned:
    """The loan did not come about, is too short for it, or the investor's part of it is too small (`code`): he may redeem it again."""

    voucher_id: str
    investor: str
    loan_id: str
    code: Code


@event("bidding.VoucherPaid.v1")
class VoucherPaid:
    """The loan is funded and the investor has his claim: the money leaves the marketing account for his (`paid_to`)."""

    account_id: str
    voucher_id: str
    investor: str
    paid_to: str
    loan_id: str
    claim_id: str
    amount_fen: PositiveFen
    balance_after_fen: Count
    reserved_after_fen: Count
    postings: tuple[Posting, ...]


@event("bidding.VoucherExpired.v1")
class VoucherExpired:
    """Its last day ended and it was not paid, nor is to be for a loan that was funded until then: the money is no longer reserved."""

    voucher_id: str
    investor: str
    amount_fen: PositiveFen
    reserved_after_fen: Count


@event("bidding.VoucherCredited.v1")
class VoucherCredited:
    """A voucher's money arrived on the investor's account."""

    account_id: str
    owner: str
    voucher_id: str
    loan_id: str
    amount_fen: PositiveFen
    available_after_fen: Count
    held_after_fen: Count
    postings: tuple[Posting, ...]
