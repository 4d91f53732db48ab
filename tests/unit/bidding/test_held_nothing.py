"""What holds nothing any more says so in the views: a bid that ended, and the platform's account, which never holds."""

from typing import Any

import pytest

from services.bidding.projections.balances import VIEW as BALANCES
from services.bidding.projections.bids import VIEW as BIDS
from tests.unit.bidding import account_story as account
from tests.unit.bidding.voucher_story import FUNDED
from tests.unit.documents import documents, history


@pytest.mark.parametrize("ended", [account.RELEASED, account.CAPTURED], ids=["released", "captured"])
def test_a_bid_that_ended_holds_nothing(ended: Any) -> None:
    """Its investor sees no fen of it held."""
    shown = documents(BIDS, history("acc_ann", account.HELD_FUNDS, ended))
    assert shown["bid_1"]["held_fen"] == 0


def test_the_marketing_account_holds_nothing() -> None:
    """What it reserves for vouchers is available money, as its balance says."""
    shown = documents(BALANCES, history("marketing", FUNDED))["acc_marketing"]
    assert (shown["available_fen"], shown["held_fen"]) == (100_00, 0)
