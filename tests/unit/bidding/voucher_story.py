"""Ann's vouchers in the specs: the marketing account with 100 yuan, two vouchers of hers, what becomes of them."""

from datetime import date
from typing import Any

from libs.events.bidding import Posting
from libs.events.vouchers import (
    MarketingFunded,
    VoucherCredited,
    VoucherExpired,
    VoucherGranted,
    VoucherPaid,
    VoucherRedeemed,
    VoucherReturned,
)
from services.bidding.commands.vouchers import (
    MARKETING_STREAM,
    CreditVoucher,
    FundMarketing,
    GrantVoucher,
    RedeemVoucher,
    ReturnVouchers,
    SettleVouchers,
)
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.specs import moved

__all__ = ["MARKETING_STREAM"]

VALID_TO = date(2024, 3, 31)
MARKETING, ON_ITS_WAY = "marketing:platform", "clearing:voucher:vch_1"
TERMS: dict[str, Any] = {
    "voucher_id": "vch_1",
    "investor": "usr_ann",
    "amount_fen": 50_00,
    "bid_min_fen": 900_00,
    "valid_to": VALID_TO,
}

FUND = FundMarketing(booking_id="bankref_M1", amount_fen=100_00)
FUNDED = MarketingFunded(
    account_id="acc_marketing",
    bank_reference="M1",
    amount_fen=100_00,
    balance_after_fen=100_00,
    postings=(
        Posting(account="bank:custody", amount_fen=-100_00),
        Posting(account=MARKETING, amount_fen=100_00),
    ),
)


def grant(**changed: Any) -> GrantVoucher:
    """Ann is to have a voucher of 50 yuan for a bid of 900."""
    return GrantVoucher(**(TERMS | changed))


def granted(reserved_fen: int = 50_00, **changed: Any) -> VoucherGranted:
    """She has it."""
    return VoucherGranted(**(TERMS | {"granted_by": "stf_ole", "reserved_after_fen": reserved_fen} | changed))


HERS: dict[str, Any] = {"voucher_id": "vch_1", "investor": "usr_ann"}
GRANTED = granted()
REDEEM = RedeemVoucher(voucher_id="vch_1", loan_id="loan_1")
REDEEMED = VoucherRedeemed(loan_id="loan_1", **HERS)
SETTLE = SettleVouchers(loan_id="loan_1", claims=listing.CLAIMS, funded_on=listing.FUNDED_ON, tenor_months=12)
EXPIRED_LISTING = ReturnVouchers(loan_id="loan_1", code="listing_expired")
CANCELLED_LISTING = ReturnVouchers(loan_id="loan_1", code="listing_cancelled")
PAID = VoucherPaid(
    account_id="acc_marketing",
    paid_to="acc_ann",
    loan_id="loan_1",
    claim_id="clm_1_1",
    amount_fen=50_00,
    balance_after_fen=50_00,
    reserved_after_fen=0,
    postings=(
        Posting(account=MARKETING, amount_fen=-50_00),
        Posting(account=ON_ITS_WAY, amount_fen=50_00),
    ),
    **HERS,
)
CREDIT = CreditVoucher(voucher_id="vch_1", loan_id="loan_1", amount_fen=50_00)
CREDITED = moved(
    VoucherCredited,
    {ON_ITS_WAY: -50_00, "available:acc_ann": 50_00},
    (50_00, 0),
    voucher_id="vch_1",
    loan_id="loan_1",
    amount_fen=50_00,
)


def returned(code: str) -> VoucherReturned:
    """It may be redeemed again."""
    return VoucherReturned(loan_id="loan_1", code=code, **HERS)


def expired(reserved_fen: int = 0, voucher_id: str = "vch_1") -> VoucherExpired:
    """Its last day has ended."""
    return VoucherExpired(
        voucher_id=voucher_id, investor="usr_ann", amount_fen=50_00, reserved_after_fen=reserved_fen
    )


#: One voucher that is returned, redeemed again and paid, and one that expires.
LIFE = (
    FUNDED,
    GRANTED,
    granted(100_00, voucher_id="vch_2"),
    REDEEMED,
    returned("listing_expired"),
    REDEEMED,
    PAID,
    expired(voucher_id="vch_2"),
)
