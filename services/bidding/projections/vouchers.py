"""The view `bidding.vouchers`: each voucher and where it stands. Written by the marketing account's stream alone."""

from collections.abc import Sequence
from typing import Any

from libs.events.records import RecordedEvent
from libs.events.views import Op, Set, View
from libs.events.vouchers import (
    VoucherExpired,
    VoucherGranted,
    VoucherPaid,
    VoucherRedeemed,
    VoucherReturned,
)


def project(event: RecordedEvent) -> Sequence[Op]:
    """A voucher's document after one of its events. Amounts in fen."""
    voucher_id = event.data.voucher_id
    changed = [Set(voucher_id, field, value) for field, value in _fields(event.data).items()]
    return [*changed, Set(voucher_id, f"src.{event.stream}", event.address)]


def _fields(data: Any) -> dict[str, Any]:
    match data:
        case VoucherGranted():
            return {
                "voucher_id": data.voucher_id,
                "investor": data.investor,
                "amount_fen": data.amount_fen,
                "bid_min_fen": data.bid_min_fen,
                "valid_to": data.valid_to.isoformat(),
                "tenor_min_months": data.tenor_min_months,
                "state": "granted",
                "loan_id": None,
            }
        case VoucherRedeemed():
            return {"state": "redeemed", "loan_id": data.loan_id}
        case VoucherReturned():
            return {"state": "granted", "loan_id": None}
        case VoucherPaid():
            return {"state": "paid"}
        case VoucherExpired():
            return {"state": "expired"}
        case _:
            raise TypeError(f"{type(data).__name__} is not read by this view")


VIEW = View(
    name="bidding.vouchers",
    version=2,
    reads=(VoucherGranted, VoucherRedeemed, VoucherReturned, VoucherPaid, VoucherExpired),
    project=project,
    owner_field="investor",
    indexes=("investor",),
)
