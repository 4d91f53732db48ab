"""No command without its three cases: it does something, it refuses by name, and done already it has no effect."""

import pytest

from services.bidding.commands import CancelBid, CaptureHold, ConfirmPayee, CreditFee
from services.bidding.commands.adjustments import BookAdjustment, CreditAdjustment
from services.bidding.commands.assets import CreditAssetProceeds
from services.bidding.commands.compensation import RecordSubrogation
from services.bidding.commands.market import CapturePurchase, ConfirmReservation, CreditSale
from services.bidding.commands.papers import RecordSignedBlank, VoidContract
from services.bidding.commands.redemption import ConfirmUnsold
from services.bidding.commands.standing import (
    ConsiderOrders,
    EndOrderOf,
    EndService,
    QueueListing,
    RecordAnswers,
    RecordOrderDropped,
    RecordOrderHeld,
    ReturnBids,
    ReturnSpent,
)
from services.bidding.commands.vouchers import CreditVoucher, ReturnVouchers, SettleVouchers
from services.bidding.domain import aggregates
from services.bidding.domain.profile import DEMO
from tests.unit.bidding import (
    test_account,
    test_adjusting,
    test_assets,
    test_bank,
    test_bank_days,
    test_cancelling,
    test_card,
    test_compensation,
    test_contract,
    test_deal_pack,
    test_deceased,
    test_eligibility,
    test_listing,
    test_market,
    test_marketing,
    test_newcomers,
    test_payee,
    test_payout,
    test_publishing,
    test_redemption,
    test_standing,
    test_standing_bids,
    test_standing_service,
    test_stock,
    test_voiding,
    test_waiting,
    test_waiting_breaks,
)

SPECS = [
    *test_bank.SPECS,
    *test_bank.UNREQUESTED_SPECS,
    *test_card.SPECS,
    *test_account.SPECS,
    *test_listing.SPECS,
    *test_eligibility.SPECS,
    *test_contract.SPECS,
    *test_deal_pack.SPECS,
    *test_deceased.SPECS,
    *test_payee.SPECS,
    *test_cancelling.SPECS,
    *test_compensation.SPECS,
    *test_assets.SPECS,
    *test_payout.SPECS,
    *test_publishing.SPECS,
    *test_waiting.SPECS,
    *test_marketing.SPECS,
    *test_marketing.CREDIT_SPECS,
    *test_newcomers.SPECS,
    *test_redemption.SPECS,
    *test_redemption.UNSOLD_SPECS,
    *test_market.SPECS,
    *test_market.LISTING_SPECS,
    *test_market.LAWFUL_SPECS,
    *test_market.ACCOUNT_SPECS,
    *test_bank_days.SPECS,
    *test_standing.SPECS,
    *test_standing_service.SPECS,
    *test_standing_bids.ACCOUNT_SPECS,
    *test_standing_bids.LISTING_SPECS,
    *test_adjusting.SPECS,
    *test_adjusting.SETTLEMENT_SPECS,
    *test_stock.SPECS,
    *test_voiding.SPECS,
    *test_waiting_breaks.SPECS,
]
COMMANDS = [kind for aggregate in aggregates(DEMO) for kind in aggregate.commands]

#: A question is answered each time; and only the source rule recognises these when they come again: a captured hold is forgotten, and neither fees, vouchers nor sales are listed.
#: A question is answered each time; and only the source rule recognises these when they come again: a captured hold is forgotten, and neither fees, vouchers, sales nor corrections are listed.
NEVER_WITHOUT_EFFECT = (
    CaptureHold,
    ConfirmPayee,
    CreditFee,
    CreditVoucher,
    CapturePurchase,
    CreditSale,
    ConfirmUnsold,
    ConfirmReservation,
    RecordSubrogation,
    CreditAssetProceeds,
    BookAdjustment,
    CreditAdjustment,
)
#: These tell the marketing account, or the queue of standing orders, what became of something, which is never wrong to say.
NEVER_REFUSED = (
    RecordSignedBlank,
    VoidContract,
    ConfirmReservation,
    SettleVouchers,
    ReturnVouchers,
    EndOrderOf,
    EndService,
    QueueListing,
    ConsiderOrders,
    RecordOrderHeld,
    RecordOrderDropped,
    RecordAnswers,
    ReturnBids,
    ReturnSpent,
)


#: Asked for by people and refused each time: which of its refusals it is, is the answer.
ALWAYS_REFUSED = (CancelBid,)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_command_is_specified_in_all_its_cases(kind: type) -> None:
    """Each command has a spec that does, one that refuses, and one without effect where that exists."""
    cases = {spec.case for spec in SPECS if type(spec.when) is kind}
    missing = {"has no effect"} if kind in NEVER_WITHOUT_EFFECT else set()
    missing |= {"does", "has no effect"} if kind in ALWAYS_REFUSED else set()
    missing |= {"refuses"} if kind in NEVER_REFUSED else set()
    assert cases == {"does", "refuses", "has no effect"} - missing


def test_the_refusals_of_a_command_stand_on_it() -> None:
    """A code that a command is refused with is named in its docstring, or is one that the module names for all."""
    for_all = {"unknown_account", "account_closed", "amount_too_large"}
    for spec in SPECS:
        if isinstance(spec.then, str) and spec.then not in for_all:
            assert f"`{spec.then}`" in (type(spec.when).__doc__ or ""), spec.says
