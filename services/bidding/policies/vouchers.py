"""From a redeemed voucher to money on the investor's account: the loan's end settles or returns what was redeemed for it."""

from libs.events.bidding import FundsCollected, ListingCancelled, ListingExpired, ListingRefused
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.vouchers import VoucherCredited, VoucherPaid
from services.bidding.commands.vouchers import (
    MARKETING_STREAM,
    CreditVoucher,
    ReturnVouchers,
    SettleVouchers,
)


def on_bidding(event: RecordedEvent) -> list[Send]:
    """The marketing account hears of every loan that is funded or never comes about: it alone knows who redeemed what."""
    match event.data:
        case FundsCollected() as collected:
            settle = SettleVouchers(
                loan_id=collected.loan_id,
                claims=collected.claims,
                funded_on=collected.funded_on,
                tenor_months=collected.tenor_months,
            )
            return [Send("vouchers", MARKETING_STREAM, settle)]
        case ListingExpired(loan_id=loan_id) if loan_id:
            return [_back(loan_id, "listing_expired")]
        case ListingCancelled() as cancelled:
            return [_back(cancelled.loan_id, "listing_cancelled")]
        case ListingRefused() as refused:
            return [_back(refused.loan_id, "listing_refused")]
        case VoucherPaid() as paid:
            credit = CreditVoucher(
                voucher_id=paid.voucher_id, loan_id=paid.loan_id, amount_fen=paid.amount_fen
            )
            return [Send("voucher", paid.paid_to, credit)]
        case _:
            return []


def _back(loan_id: str, code: str) -> Send:
    return Send("vouchers", MARKETING_STREAM, ReturnVouchers(loan_id=loan_id, code=code))


SAGAS = (
    Saga(
        name="settle vouchers",
        why="Whoever redeemed a voucher for a loan is paid when it is funded, or may redeem it again when it never comes about.",
        opened_by={},  # most loans have none, which no event says
        closed_by={},
        steps=(
            Step(on=FundsCollected, send=SettleVouchers),
            Step(on=ListingExpired, send=ReturnVouchers),
            Step(on=ListingCancelled, send=ReturnVouchers),
            Step(on=ListingRefused, send=ReturnVouchers),
        ),
    ),
    Saga(
        name="voucher",
        why="What the marketing account paid arrives on the investor's account.",
        opened_by={VoucherPaid: lambda paid: paid.voucher_id},
        closed_by={VoucherCredited: lambda credited: credited.voucher_id},
        steps=(Step(on=VoucherPaid, send=CreditVoucher),),
    ),
)
