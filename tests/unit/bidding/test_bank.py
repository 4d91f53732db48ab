"""Money in and out of an account: the bank's answer counts once, under one reference."""

from dataclasses import replace
from typing import Any

import pytest

import services.bidding.domain.unrequested as unrequested
from libs.events.bidding import (
    AccountOpened,
    FundsWithdrawn,
    Posting,
    TopUpFailed,
    UnrequestedMoneyReceived,
    WithdrawalFailed,
    WithdrawalRequested,
)
from libs.events.money import MAX_INTEGER
from services.bidding.commands import (
    ConfirmTopUp,
    ConfirmWithdrawal,
    OpenAccount,
    RecordUnrequestedMoney,
    RequestTopUp,
    RequestWithdrawal,
)
from services.bidding.domain.account import aggregate
from services.bidding.domain.profile import DEMO
from services.bidding.domain.requests import ANSWERS_KEPT, PENDING_MAX
from tests.unit.bidding.specs import (
    ANN,
    ANNS,
    AVAILABLE,
    BANK,
    HELD,
    OPENED,
    Spec,
    asked,
    deposited,
    moved,
    on,
)
from tests.unit.given import TODAY, fold


def confirm(top_up_id: str = "top_1", **changed: Any) -> ConfirmTopUp:
    """The bank answers a top-up of 500 yuan."""
    fields: dict[str, Any] = {"bank_reference": "B1", "amount_fen": 500_00, "succeeded": True}
    return ConfirmTopUp(top_up_id=top_up_id, **(fields | changed))


TOP_UP_FAILED = TopUpFailed(account_id=ANNS, owner=ANN, top_up_id="top_1", bank_reference="B1")
FUNDED = (OPENED, asked(), deposited())
TAKEN = moved(
    WithdrawalRequested,
    {AVAILABLE: -200_00, HELD: 200_00},
    (300_00, 200_00),
    withdrawal_id="wd_1",
    amount_fen=200_00,
)
PAID_OUT = moved(
    FundsWithdrawn,
    {HELD: -200_00, BANK: 200_00},
    (300_00, 0),
    withdrawal_id="wd_1",
    bank_reference="B2",
    amount_fen=200_00,
)
NOT_PAID_OUT = moved(
    WithdrawalFailed,
    {HELD: -200_00, AVAILABLE: 200_00},
    (500_00, 0),
    withdrawal_id="wd_1",
    bank_reference="B2",
    amount_fen=200_00,
)


def answer(**changed: Any) -> ConfirmWithdrawal:
    """The bank answers the withdrawal of 200 yuan."""
    fields: dict[str, Any] = {"bank_reference": "B2", "amount_fen": 200_00, "succeeded": True}
    return ConfirmWithdrawal(withdrawal_id="wd_1", **(fields | changed))


AGGREGATE = aggregate(DEMO)
SPECS = [
    Spec("an account opens for its owner, under his id", (), OpenAccount(owner=ANN), (OPENED,)),
    Spec("the id of no user opens nothing", (), OpenAccount(owner="acc_ann"), "invalid_owner"),
    Spec("nobody can own the platform's account", (), OpenAccount(owner="usr_fees"), "invalid_owner"),
    Spec(
        "an id that a document's path would split opens nothing",
        (),
        OpenAccount(owner="usr_a.b"),
        "invalid_owner",
    ),
    Spec("an account has one owner", (OPENED,), OpenAccount(owner="usr_bob"), "account_exists"),
    Spec("an account opens once", (OPENED,), OpenAccount(owner=ANN), ()),
    Spec(
        "the owner asks to pay in", (OPENED,), RequestTopUp(top_up_id="top_1", amount_fen=500_00), (asked(),)
    ),
    Spec(
        "as many top-ups wait for the bank as may",
        (
            OPENED,
            *(replace(asked(), top_up_id=f"top_{number}", amount_fen=1) for number in range(PENDING_MAX)),
        ),
        RequestTopUp(top_up_id="top_x", amount_fen=1),
        "too_many_requests",
    ),
    Spec(
        "and as many withdrawals",
        (
            OPENED,
            *(
                moved(
                    WithdrawalRequested,
                    {AVAILABLE: -1, HELD: 1},
                    (500_00, 500_00),
                    withdrawal_id=f"wd_{number}",
                    amount_fen=1,
                )
                for number in range(PENDING_MAX)
            ),
        ),
        RequestWithdrawal(withdrawal_id="wd_x", amount_fen=1),
        "too_many_requests",
    ),
    Spec(
        "without an account there is no top-up",
        (),
        RequestTopUp(top_up_id="top_1", amount_fen=1),
        "unknown_account",
    ),
    Spec(
        "somebody else's account is unknown",
        (OPENED,),
        RequestTopUp(top_up_id="top_1", amount_fen=1),
        "unknown_account",
        on(principal="usr_bob"),
    ),
    Spec(
        "what could not be booked cannot be asked for, pending requests counted",
        (*FUNDED, asked("top_2", MAX_INTEGER - 600_00)),
        RequestTopUp(top_up_id="top_3", amount_fen=100_01),
        "amount_too_large",
    ),
    Spec(
        "and held money",
        (*FUNDED, TAKEN),
        RequestTopUp(top_up_id="top_3", amount_fen=MAX_INTEGER - 500_00 + 1),
        "amount_too_large",
    ),
    Spec(
        "to the last fen that can be said",
        (*FUNDED, TAKEN),
        RequestTopUp(top_up_id="top_3", amount_fen=MAX_INTEGER - 500_00),
        (asked("top_3", MAX_INTEGER - 500_00),),
    ),
    Spec(
        "a pending top-up is asked once",
        (OPENED, asked()),
        RequestTopUp(top_up_id="top_1", amount_fen=500_00),
        (),
    ),
    Spec(
        "an answered top-up is not asked again",
        FUNDED,
        RequestTopUp(top_up_id="top_1", amount_fen=500_00),
        (),
    ),
    Spec("a confirmed top-up is available", (OPENED, asked()), confirm(), (deposited(),), on()),
    Spec(
        "a refused top-up moves no money", (OPENED, asked()), confirm(succeeded=False), (TOP_UP_FAILED,), on()
    ),
    Spec("money without a request is refused", (OPENED,), confirm(), "unknown_top_up", on()),
    Spec("another amount is refused", (OPENED, asked()), confirm(amount_fen=499_99), "amount_differs", on()),
    Spec(
        "another reference comes too late",
        FUNDED,
        confirm(bank_reference="B9"),
        "top_up_already_answered",
        on(),
    ),
    Spec("another outcome comes too late", FUNDED, confirm(succeeded=False), "top_up_already_answered", on()),
    Spec("another amount comes too late", FUNDED, confirm(amount_fen=1), "top_up_already_answered", on()),
    Spec(
        "a reference answers one request",
        (*FUNDED, asked("top_2")),
        confirm("top_2"),
        "bank_reference_used",
        on(),
    ),
    Spec(
        "a reference is a short code",
        (OPENED, asked()),
        confirm(bank_reference="a\nb"),
        "invalid_bank_reference",
        on(),
    ),
    Spec(
        "and nobody's name",
        (OPENED, asked()),
        confirm(bank_reference="for Mr Ann"),
        "invalid_bank_reference",
        on(),
    ),
    Spec(
        "of at most 64 letters",
        (OPENED, asked()),
        confirm(bank_reference="b" * 65),
        "invalid_bank_reference",
        on(),
    ),
    Spec("and at least one", (OPENED, asked()), confirm(bank_reference=""), "invalid_bank_reference", on()),
    Spec(
        "which may be as long as that",
        (OPENED, asked()),
        confirm(bank_reference="b" * 64),
        (deposited(reference="b" * 64),),
        on(),
    ),
    Spec("no account, no deposit", (), confirm(), "unknown_account", on()),
    Spec("the same answer again has no effect", FUNDED, confirm(), (), on()),
    Spec(
        "the same refusal again has no effect",
        (OPENED, asked(), TOP_UP_FAILED),
        confirm(succeeded=False),
        (),
        on(),
    ),
    Spec(
        "a second top-up adds to the first",
        (*FUNDED, asked("top_2")),
        confirm("top_2", bank_reference="B3"),
        (deposited(after_fen=1_000_00, top_up_id="top_2", reference="B3"),),
        on(),
    ),
    Spec(
        "a withdrawal is held", FUNDED, RequestWithdrawal(withdrawal_id="wd_1", amount_fen=200_00), (TAKEN,)
    ),
    Spec(
        "nobody withdraws what he does not have",
        FUNDED,
        RequestWithdrawal(withdrawal_id="wd_1", amount_fen=500_01),
        "insufficient_available",
    ),
    Spec(
        "held money cannot be withdrawn",
        (*FUNDED, TAKEN),
        RequestWithdrawal(withdrawal_id="wd_2", amount_fen=300_01),
        "insufficient_available",
    ),
    Spec(
        "a withdrawal is held once",
        (*FUNDED, TAKEN),
        RequestWithdrawal(withdrawal_id="wd_1", amount_fen=200_00),
        (),
    ),
    Spec("a paid withdrawal leaves the account", (*FUNDED, TAKEN), answer(), (PAID_OUT,), on()),
    Spec(
        "a refused one is available again", (*FUNDED, TAKEN), answer(succeeded=False), (NOT_PAID_OUT,), on()
    ),
    Spec("an unknown withdrawal is refused", FUNDED, answer(), "unknown_withdrawal", on()),
    Spec("another amount is not paid", (*FUNDED, TAKEN), answer(amount_fen=1), "amount_differs", on()),
    Spec(
        "a withdrawal has one answer",
        (*FUNDED, TAKEN, PAID_OUT),
        answer(succeeded=False),
        "withdrawal_already_answered",
        on(),
    ),
    Spec(
        "a top-up's reference is used",
        (*FUNDED, TAKEN),
        answer(bank_reference="B1"),
        "bank_reference_used",
        on(),
    ),
    Spec(
        "a withdrawal's reference is used",
        (*FUNDED, TAKEN, PAID_OUT, asked("top_2")),
        confirm("top_2", bank_reference="B2"),
        "bank_reference_used",
        on(),
    ),
    Spec("the same answer again pays nothing", (*FUNDED, TAKEN, PAID_OUT), answer(), (), on()),
    Spec(
        "the same refusal again frees nothing",
        (*FUNDED, TAKEN, NOT_PAID_OUT),
        answer(succeeded=False),
        (),
        on(),
    ),
]


MONEY = RecordUnrequestedMoney(booking_id="bankref_B77", amount_fen=30_00)
BOOKED = UnrequestedMoneyReceived(
    booking_id="bankref_B77",
    bank_reference="B77",
    amount_fen=30_00,
    received_on=TODAY,
    postings=(
        Posting(account="bank:custody", amount_fen=-30_00),
        Posting(account="unrequested:bank", amount_fen=30_00),
    ),
)
UNREQUESTED_SPECS = [
    Spec("money that nobody asked for is booked under the bank's reference", (), MONEY, (BOOKED,), on()),
    Spec("once", (BOOKED,), MONEY, (), on()),
    Spec("of one amount", (BOOKED,), replace(MONEY, amount_fen=30_01), "amount_differs", on()),
    Spec("under a reference", (), replace(MONEY, booking_id="bankref_B 77"), "invalid_bank_reference", on()),
    Spec("that is the bank's", (), replace(MONEY, booking_id="acc_ann"), "invalid_bank_reference", on()),
]


@pytest.mark.parametrize("spec", UNREQUESTED_SPECS, ids=lambda spec: spec.says)
def test_money_without_a_request(spec: Spec) -> None:
    """It has a stream of its own per booking: nothing that the bank received is without its place."""
    spec.check(unrequested.AGGREGATE)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_the_bank_and_the_account(spec: Spec) -> None:
    """Every rule of opening an account and of moving money in and out of it holds."""
    spec.check(AGGREGATE)


def test_an_account_id_is_its_owners_suffix() -> None:
    """The opened account is the one that follows from its owner, so a retry always meets the same stream."""
    spec = Spec(
        "", (), OpenAccount(owner="usr_7f-x_2"), (AccountOpened(account_id="acc_7f-x_2", owner="usr_7f-x_2"),)
    )
    spec.check(AGGREGATE)


def test_an_account_remembers_the_last_answers_only() -> None:
    """Its state stays small however often its owner pays in: the answer before the last hundred is forgotten, and what is kept
    still tells another answer from the first."""
    story: list[Any] = [OPENED]
    for number in range(ANSWERS_KEPT + 1):
        top_up = f"top_{number}"
        story += [asked(top_up, 1), deposited(1, number + 1, top_up, f"B{number}")]
    state = fold(AGGREGATE, story)
    assert [answer.request_id for answer in state.top_ups.answered] == [
        f"top_{number}" for number in range(1, ANSWERS_KEPT + 1)
    ]
    for top_up, code in (("top_0", "unknown_top_up"), ("top_1", "top_up_already_answered")):
        spec = Spec("", tuple(story), confirm(top_up, bank_reference="other", amount_fen=1), code, on())
        spec.check(AGGREGATE)
