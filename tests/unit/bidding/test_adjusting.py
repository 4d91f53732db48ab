"""Money of corrections: collected first, then paid on in order; what an account owes is taken from the next money that comes."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

import services.bidding.domain.account as account
import services.bidding.domain.settling as settling
from libs.events.adjustments import (
    AdjustmentBooked,
    AdjustmentCredited,
    AdjustmentDebited,
    CorrectionCollected,
    CorrectionOpened,
    CorrectionSettled,
    FeeAdjusted,
)
from libs.events.bidding import AccountClosed, AccountClosureDeclined, Posting
from libs.events.corrections import AdjustingLine, LoanRestated, Share, Standing
from libs.events.sagas import Send
from services.bidding.commands import CloseAccount, ConfirmTopUp
from services.bidding.commands.adjustments import (
    BookAdjustment,
    CreditAdjustment,
    OpenSettlement,
    RecordCollected,
)
from services.bidding.domain.profile import DEMO
from tests.unit.bidding.account_story import credit_fee, fee, rich
from tests.unit.bidding.specs import ANN, ANNS, AVAILABLE, OPENED, Spec, asked, deposited, moved, on
from tests.unit.given import TODAY, given

ACCOUNT = account.aggregate(DEMO)
WAY = "clearing:correction:cor_1"
WAY_ACROSS = "clearing:prior_year:cor_1"
SAID: dict[str, Any] = {"correction_id": "cor_1", "loan_id": "loan_1", "booking": "same_year"}


def line(account_id: str, amount_fen: int, fee_fen: int = 0) -> AdjustingLine:
    """What an account gets, or gives back below zero; a holder's all principal, but for the fee."""
    is_holder = account_id not in ("acc_bo", "acc_fees")
    return AdjustingLine(
        account_id=account_id,
        principal_fen=amount_fen if is_holder else 0,
        interest_fen=0,
        penalty_fen=0,
        fee_fen=fee_fen,
        returned_fen=amount_fen if account_id == "acc_bo" else 0,
        amount_fen=amount_fen,
    )


PAYER, HOLDER, PLATFORM = line("acc_bo", 600_00), line(ANNS, -590_00), line("acc_fees", -10_00, 10_00)
OPEN = OpenSettlement(lines=(PAYER, HOLDER, PLATFORM), **SAID)
OPENED_ALL = CorrectionOpened(lines=OPEN.lines, **SAID)
SETTLED = CorrectionSettled(correction_id="cor_1", loan_id="loan_1")


def collected(account_id: str, amount_fen: int, open_fen: int) -> CorrectionCollected:
    """An account gave, and the payer got it."""
    paid = (Share(account_id="acc_bo", amount_fen=amount_fen),)
    return CorrectionCollected(
        account_id=account_id, amount_fen=amount_fen, paid=paid, open_fen=open_fen, **SAID
    )


FIRST = collected(ANNS, 500_00, 100_00)
SETTLEMENT_SPECS = [
    Spec("a settlement opens with its lines", (), OPEN, (OPENED_ALL,), on()),
    Spec(
        "what moves nothing is settled",
        (),
        replace(OPEN, lines=()),
        (replace(OPENED_ALL, lines=()), SETTLED),
        on(),
    ),
    Spec(
        "what does not sum to zero is no settlement", (), replace(OPEN, lines=(PAYER,)), "invalid_lines", on()
    ),
    Spec("it is opened once", (OPENED_ALL,), OPEN, (), on()),
    Spec(
        "what was given is paid on at once",
        (OPENED_ALL,),
        RecordCollected(account_id=ANNS, rest_fen=90_00),
        (FIRST,),
        on(),
    ),
    Spec("and once", (OPENED_ALL, FIRST), RecordCollected(account_id=ANNS, rest_fen=90_00), (), on()),
    Spec(
        "the last fen settles it",
        (OPENED_ALL, FIRST, collected(ANNS, 90_00, 10_00)),
        RecordCollected(account_id="acc_fees", rest_fen=0),
        (collected("acc_fees", 10_00, 0), SETTLED),
        on(),
    ),
    Spec(
        "nothing is given for what is not open",
        (),
        RecordCollected(account_id=ANNS, rest_fen=0),
        "unknown_settlement",
        on(),
    ),
    Spec(
        "nobody gives who does not owe",
        (OPENED_ALL,),
        RecordCollected(account_id="acc_cem", rest_fen=5),
        "unknown_account",
        on(),
    ),
]


def booked(owed_fen: int = 590_00) -> AdjustmentBooked:
    """Ann's account knows of it."""
    return AdjustmentBooked(account_id=ANNS, owner=ANN, line=HOLDER, owed_after_fen=owed_fen, **SAID)


def debited(amount_fen: int, rest_fen: int, after_fen: int) -> AdjustmentDebited:
    """It is taken."""
    return moved(
        AdjustmentDebited,
        {AVAILABLE: -amount_fen, WAY: amount_fen},
        (after_fen, 0),
        correction_id="cor_1",
        loan_id="loan_1",
        amount_fen=amount_fen,
        rest_fen=rest_fen,
        owed_after_fen=rest_fen,
    )


def fees(amount_fen: int, after_fen: int, rest_fen: int) -> FeeAdjusted:
    """The platform gives back, or gets."""
    legs = sorted(((WAY, -amount_fen), ("fees:platform", amount_fen)), key=lambda leg: leg[1])
    return FeeAdjusted(
        account_id="acc_fees",
        amount_fen=amount_fen,
        balance_after_fen=after_fen,
        rest_fen=rest_fen,
        owed_after_fen=rest_fen,
        postings=tuple(Posting(account=name, amount_fen=fen) for name, fen in legs if fen),
        **SAID,
    )


BOOK = BookAdjustment(line=HOLDER, **SAID)
BOOK_FEE = BookAdjustment(line=PLATFORM, **SAID)
CREDIT = CreditAdjustment(account_id=ANNS, amount_fen=70_00, **SAID)
CREDITED = moved(
    AdjustmentCredited,
    {WAY: -70_00, AVAILABLE: 70_00},
    (70_00, 0),
    correction_id="cor_1",
    loan_id="loan_1",
    amount_fen=70_00,
)
OWING = (*rich(500_00), booked(), debited(500_00, 90_00, 0))
SPECS = [
    Spec(
        "what there is is taken, the rest is owed",
        rich(500_00),
        BOOK,
        (booked(), debited(500_00, 90_00, 0)),
        on(),
    ),
    Spec("without an account nothing is owed", (), BOOK, "unknown_account", on()),
    Spec("money of a correction comes", (OPENED,), CREDIT, (CREDITED,), on()),
    Spec("without an account it does not", (), CREDIT, "unknown_account", on()),
    Spec(
        "a fee that was wrong is given back", (fee(30_00, 30_00),), BOOK_FEE, (fees(-10_00, 20_00, 0),), on()
    ),
    Spec("as far as there are fees", (fee(4_00, 4_00),), BOOK_FEE, (fees(-4_00, 0, 6_00),), on()),
    Spec("also where there are none yet", (), BOOK_FEE, (fees(0, 0, 10_00),), on()),
    Spec(
        "the rest of the next fees",
        (fees(0, 0, 10_00),),
        credit_fee(25_00),
        (fee(25_00, 25_00), fees(-10_00, 15_00, 0)),
        on(),
    ),
    Spec(
        "a fee that was lacking comes",
        (fee(30_00, 30_00),),
        CreditAdjustment(account_id="acc_fees", amount_fen=2_00, **SAID),
        (fees(2_00, 32_00, 0),),
        on(),
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_what_a_correction_does_to_an_account(spec: Spec) -> None:
    """Each rule by its sentence."""
    spec.check(ACCOUNT)


@pytest.mark.parametrize("spec", SETTLEMENT_SPECS, ids=lambda spec: spec.says)
def test_how_a_correction_is_settled(spec: Spec) -> None:
    """Each rule by its sentence."""
    spec.check(settling.AGGREGATE)


@pytest.mark.parametrize("spec", [*SPECS, *SETTLEMENT_SPECS], ids=lambda spec: spec.says)
def test_across_the_years_end_all_of_it_goes_through_the_prior_year(spec: Spec) -> None:
    """The same of a correction of a year that is over: every fen lies in its prior-year adjustment, and everything said says so."""
    is_of_account = spec in SPECS
    across(spec).check(ACCOUNT if is_of_account else settling.AGGREGATE)


def across(told: Any) -> Any:
    """The same of the year before."""
    match told:
        case "same_year":
            return "prior_year"
        case str():
            return told.replace("clearing:correction:", "clearing:prior_year:")
        case tuple():
            return tuple(map(across, told))
        case dict():
            return {name: across(value) for name, value in told.items()}
        case _ if is_dataclass(told) and not isinstance(told, type):
            return replace(told, **{each.name: across(getattr(told, each.name)) for each in fields(told)})
        case _:
            return told


def test_the_next_money_goes_to_the_prior_year_too() -> None:
    """What is still owed keeps the clearing of its correction."""
    pending = across((*OWING, asked("top_2")))
    confirm = ConfirmTopUp(top_up_id="top_2", amount_fen=500_00, bank_reference="B2", succeeded=True)
    taken = across(debited(90_00, 0, 410_00))
    assert WAY_ACROSS in {posting.account for posting in taken.postings}
    given(ACCOUNT, *pending).when(confirm, on()).then(deposited(500_00, 500_00, "top_2", "B2"), taken)


def test_the_next_money_pays_what_is_owed_first() -> None:
    """Of 500.00 that the bank pays in, 90.00 go to the correction by an entry of their own; the rest is Ann's."""
    pending = (*OWING, asked("top_2"))
    confirm = ConfirmTopUp(top_up_id="top_2", amount_fen=500_00, bank_reference="B2", succeeded=True)
    given(ACCOUNT, *pending).when(confirm, on()).then(
        deposited(500_00, 500_00, "top_2", "B2"), debited(90_00, 0, 410_00)
    )


def test_an_account_that_owes_is_not_closed() -> None:
    """Its next money is somebody's."""
    declined = AccountClosureDeclined(account_id=ANNS, owner=ANN, code="owes_correction")
    given(ACCOUNT, *OWING).when(CloseAccount(owner=ANN), on()).then(declined)


def test_whoever_has_left_gets_what_a_correction_owes_him_and_owes_what_it_takes() -> None:
    """His account is closed, and he may be erased: the money stands there, what he owes is booked there and paid by what comes next."""
    gone = (OPENED, AccountClosed(account_id=ANNS, owner=ANN, closed_on=TODAY))
    given(ACCOUNT, *gone).when(CREDIT, on()).then(CREDITED)
    given(ACCOUNT, *gone).when(BOOK, on()).then(booked())
    given(ACCOUNT, *gone, booked()).when(CREDIT, on()).then(CREDITED, debited(70_00, 520_00, 0))


RESTATED = LoanRestated(
    borrower="usr_bo",
    restated_on=TODAY,
    standing=Standing(
        first_open=1,
        paid=(),
        penalties=(),
        claims=(),
        weights=(),
        bucket="current",
        loan_class="normal",
        next_due=1,
        next_missed=1,
        asked_on=TODAY,
    ),
    rows=(),
    retaken=(),
    lines=(PAYER, HOLDER),
    claims=(),
    platform_fen=-10_00,
    from_bucket="current",
    principal_before_fen=0,
    principal_after_fen=590_00,
    overdue_after_fen=0,
    penalty_after_fen=0,
    dpd=0,
    **SAID,
)
#: What each event is answered with.
ANSWERS: list[tuple[str, Any, list[Send]]] = [
    ("repayment", RESTATED, [Send("open-settlement", "adj_1", OPEN)]),
    (
        "bidding",
        OPENED_ALL,
        [
            Send(f"adjust:{each.account_id}", each.account_id, BookAdjustment(line=each, **SAID))
            for each in OPEN.lines
        ],
    ),
    (
        "bidding",
        debited(500_00, 90_00, 0),
        [Send("collected", "adj_1", RecordCollected(account_id=ANNS, rest_fen=90_00))],
    ),
    (
        "bidding",
        fees(-10_00, 20_00, 0),
        [Send("collected", "adj_1", RecordCollected(account_id="acc_fees", rest_fen=0))],
    ),
    ("bidding", fees(2_00, 32_00, 0), []),
    (
        "bidding",
        FIRST,
        [Send("pay:acc_bo", "acc_bo", CreditAdjustment(account_id="acc_bo", amount_fen=500_00, **SAID))],
    ),
]
