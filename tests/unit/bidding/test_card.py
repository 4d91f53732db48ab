"""Customer money moves over its owner's own-name card: the account knows it, its orders name it, the law asks for it."""

from dataclasses import replace

import pytest

from libs.events.bidding import (
    AccountClosed,
    CardRecorded,
    TopUpFailed,
    WithdrawalFailed,
    WithdrawalRequested,
)
from services.bidding.commands import (
    ConfirmTopUp,
    ConfirmWithdrawal,
    RecordCard,
    RequestTopUp,
    RequestWithdrawal,
)
from services.bidding.domain.account import aggregate
from services.bidding.domain.profile import CN_P2P_2016
from tests.unit.bidding.specs import ANN, ANNS, AVAILABLE, HELD, OPENED, Spec, asked, deposited, moved, on
from tests.unit.given import TODAY

LAW = aggregate(CN_P2P_2016)
CARD, OTHER = "card_" + "a1" * 16, "card_" + "b2" * 16
RECORD = RecordCard(owner=ANN, card_ref=CARD)
RECORDED = CardRecorded(account_id=ANNS, owner=ANN, card_ref=CARD)
CLOSED = AccountClosed(account_id=ANNS, owner=ANN, closed_on=TODAY)
TOP_UP = RequestTopUp(top_up_id="top_1", amount_fen=500_00)
WITHDRAW = RequestWithdrawal(withdrawal_id="wdr_1", amount_fen=200_00)
ASKED = replace(asked(), card_ref=CARD)
FUNDED = (OPENED, RECORDED, ASKED, deposited())
TAKEN = moved(
    WithdrawalRequested,
    {AVAILABLE: -200_00, HELD: 200_00},
    (300_00, 200_00),
    withdrawal_id="wdr_1",
    amount_fen=200_00,
    card_ref=CARD,
)
NOT_OWN = WithdrawalFailed(
    account_id=ANNS,
    owner=ANN,
    withdrawal_id="wdr_1",
    bank_reference="B2",
    amount_fen=200_00,
    code="not_own_name",
    available_after_fen=500_00,
    held_after_fen=0,
    postings=moved(
        WithdrawalFailed,
        {HELD: -200_00, AVAILABLE: 200_00},
        (500_00, 0),
        withdrawal_id="wdr_1",
        bank_reference="B2",
        amount_fen=200_00,
    ).postings,
)
REFUSED_IN = ConfirmTopUp(
    top_up_id="top_1", bank_reference="B1", amount_fen=500_00, succeeded=False, code="not_own_name"
)
REFUSED_OUT = ConfirmWithdrawal(
    withdrawal_id="wdr_1", bank_reference="B2", amount_fen=200_00, succeeded=False, code="not_own_name"
)
TOP_UP_FAILED = TopUpFailed(
    account_id=ANNS, owner=ANN, top_up_id="top_1", bank_reference="B1", code="not_own_name"
)

SPECS = [
    Spec("an account learns its owner's card", (OPENED,), RECORD, (RECORDED,), on()),
    Spec("once", (OPENED, RECORDED), RECORD, (), on()),
    Spec(
        "another one replaces it",
        (OPENED, RECORDED),
        replace(RECORD, card_ref=OTHER),
        (replace(RECORDED, card_ref=OTHER),),
        on(),
    ),
    Spec("an account that is not open yet opens with it", (), RECORD, (OPENED, RECORDED), on()),
    Spec("the account is another's", (OPENED,), replace(RECORD, owner="usr_bob"), "account_exists", on()),
    Spec("and is nobody's but a user's", (), replace(RECORD, owner="acc_ann"), "invalid_owner", on()),
    Spec("a closed account still learns it, for what is left", (OPENED, CLOSED), RECORD, (RECORDED,), on()),
    Spec("a top-up names the card", (OPENED, RECORDED), TOP_UP, (ASKED,)),
    Spec("without a card nothing is collected", (OPENED,), TOP_UP, "card_required"),
    Spec("a request that is known stays known", (OPENED, asked()), TOP_UP, ()),
    Spec("a withdrawal names the card", FUNDED, WITHDRAW, (TAKEN,)),
    Spec("without a card nothing is paid out", (OPENED, asked(), deposited()), WITHDRAW, "card_required"),
    Spec("a withdrawal is held once", (*FUNDED, TAKEN), WITHDRAW, ()),
    Spec("a closed account pays out what came after its end", (*FUNDED, CLOSED), WITHDRAW, (TAKEN,)),
    Spec("to its owner", (*FUNDED, CLOSED), WITHDRAW, "unknown_account", on(principal="usr_bob")),
    Spec("and takes nothing in", (*FUNDED, CLOSED), replace(TOP_UP, top_up_id="top_2"), "account_closed"),
    Spec("the bank says why it collects nothing", (*FUNDED[:3],), REFUSED_IN, (TOP_UP_FAILED,), on()),
    Spec("and why it pays nothing out: the money is free", (*FUNDED, TAKEN), REFUSED_OUT, (NOT_OWN,), on()),
    Spec("the same refusal again frees nothing", (*FUNDED, TAKEN, NOT_OWN), REFUSED_OUT, (), on()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_the_card_and_the_account(spec: Spec) -> None:
    """Every rule of the own-name card holds under the law."""
    spec.check(LAW)
