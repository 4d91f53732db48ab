"""An asset's buyer pays whole or not at all, and what he paid reaches everybody who has a share in it."""

from dataclasses import replace

import pytest

from libs.events.assets import (
    AssetDisposed,
    AssetProceedsCredited,
    AssetSaleDebited,
    AssetSaleDeclined,
    AssetSold,
    ProceedsLine,
)
from libs.events.bidding import AccountClosed, Posting
from libs.events.sagas import Send
from services.bidding.commands.assets import CreditAssetProceeds, DebitAssetSale
from services.bidding.domain.account import aggregate
from services.bidding.domain.account_state import Open
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.account_story import DUE, rich
from tests.unit.bidding.specs import ANN, ANNS, AVAILABLE, Spec, moved, on
from tests.unit.given import fold

ACCOUNT = aggregate(DEMO)
CLEARING = "clearing:asset:ast_1"
_SALE = {"asset_id": "ast_1", "loan_id": "loan_1", "disposal_id": "dsp_1"}
DEBIT = DebitAssetSale(amount_fen=300_00, **_SALE)
DEBITED = moved(
    AssetSaleDebited, {AVAILABLE: -300_00, CLEARING: 300_00}, (200_00, 0), amount_fen=300_00, **_SALE
)
DECLINED = AssetSaleDeclined(
    account_id=ANNS, owner=ANN, amount_fen=300_00, code="insufficient_available", **_SALE
)
LINE = ProceedsLine(
    line_id="clm_1_1", part="holder", account_id=ANNS, amount_fen=290_00, principal_fen=320_00
)
NOTHING = ProceedsLine(line_id="clm_1_2", part="holder", account_id=ANNS, amount_fen=0, principal_fen=5)
CREDIT = CreditAssetProceeds(line=LINE, **_SALE)
CREDITED = moved(
    AssetProceedsCredited,
    {CLEARING: -290_00, AVAILABLE: 290_00},
    (790_00, 0),
    line_id="clm_1_1",
    part="holder",
    amount_fen=290_00,
    principal_fen=320_00,
    **_SALE,
)
#: All of the price, back to whoever paid it: what the story of all views ends with.
BACK = (
    Posting(account=CLEARING, amount_fen=-300_00),
    Posting(account=AVAILABLE, amount_fen=300_00),
)
LOST = moved(
    AssetProceedsCredited,
    {},
    (500_00, 0),
    line_id="clm_1_2",
    part="holder",
    amount_fen=0,
    principal_fen=5,
    **_SALE,
)
SPECS = [
    Spec("the whole price is taken", rich(), DEBIT, (DEBITED,), on()),
    Spec("once", (*rich(), DEBITED), DEBIT, (), on()),
    Spec("or nothing", rich(299_99), DEBIT, (DECLINED,), on()),
    Spec("from an account that is open", (), DEBIT, "unknown_account", on()),
    Spec("a share is paid out", rich(), CREDIT, (CREDITED,), on()),
    Spec("or is lost, and is no principal any more", rich(), CreditAssetProceeds(line=NOTHING, **_SALE), (LOST,), on()),
    Spec("to an account that is open", (), CREDIT, "unknown_account", on()),
]  # fmt: skip
SOLD = AssetSold(buyer_account=ANNS, price_fen=300_00, sold_on=DUE, **_SALE)
DISPOSED = AssetDisposed(price_fen=290_00, lines=(LINE, NOTHING), loss_fen=30_05, disposed_on=DUE, **_SALE)
ANSWERS = [
    (
        "repayment",
        SOLD,
        [Send("asset-sale", ANNS, DEBIT, {"asset_id": "ast_1", "disposal_id": "dsp_1"})],
    ),
    (
        "repayment",
        DISPOSED,
        [
            Send("asset-proceeds:clm_1_1", ANNS, CREDIT),
            Send("asset-proceeds:clm_1_2", ANNS, CreditAssetProceeds(line=NOTHING, **_SALE)),
        ],
    ),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_the_money_of_an_asset(row: Spec) -> None:
    """Each step of a buyer's and a holder's account, one row each."""
    row.check(ACCOUNT)


def test_principal_in_an_asset_is_lent_until_it_is_sold() -> None:
    """It ends with the holder's line, whatever that brings: until then he cannot be forgotten."""
    state = fold(ACCOUNT, (*rich(), CREDITED))
    assert isinstance(state, Open)
    assert state.invested_fen == -320_00


def test_who_has_left_buys_nothing() -> None:
    """A closed account is asked for no price, and still gets what is its owner's."""
    closed = (*rich(), AccountClosed(account_id=ANNS, owner=ANN, closed_on=DUE))
    declined = AssetSaleDeclined(
        account_id=ANNS, owner=ANN, amount_fen=300_00, code="account_closed", **_SALE
    )
    Spec("not by who has left", closed, DEBIT, (declined,), on()).check(ACCOUNT)
    Spec("his share is his", closed, CREDIT, (CREDITED,), on()).check(ACCOUNT)
    cost = replace(LINE, line_id="cost", part="cost", principal_fen=0)
    paid = replace(CREDITED, line_id="cost", part="cost", principal_fen=0)
    Spec("what a sale cost is his too", closed, replace(CREDIT, line=cost), (paid,), on()).check(ACCOUNT)
