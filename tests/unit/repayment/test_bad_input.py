"""Nonsense is refused by its name, or its money goes back, and nothing of the loan is changed by it. (Over HTTP: runtime/test_http_prepayments.)"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from libs.events.codec import Undecodable, encode
from libs.events.repayment import PaymentReturned
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands import OpenLoan, RecordDebit, RecordDebitFailure, RecordPayment
from tests.unit.given import given
from tests.unit.repayment.stories import (
    FUNDED_ON,
    LOAN,
    OPEN,
    OPENED,
    SECOND_DUE,
    claim,
    days,
    debited,
    found_nothing,
    on,
    pays,
)

# --- deciders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"tenor_months": 0}, "invalid_tenor"),
        ({"tenor_months": 1_000}, "invalid_tenor"),
        ({"tenor_months": -1}, "invalid_tenor"),
        ({"annual_rate": Decimal("0.123456789")}, "invalid_rate"),
        ({"annual_rate": Decimal("-0.01")}, "invalid_rate"),
        ({"annual_rate": Decimal("10.01")}, "invalid_rate"),
        ({"annual_rate": Decimal("NaN")}, "invalid_rate"),
        ({"funded_on": date(9999, 12, 31)}, "invalid_date"),
        ({"principal_fen": 0, "claims": ()}, "invalid_amount"),
        ({"principal_fen": 10**15, "claims": (claim(1, 10**15),)}, "invalid_amount"),
        ({"claims": ()}, "invalid_claims"),
        ({"principal_fen": 99_999}, "invalid_claims"),
        ({"interest_fee_permille": 1_001}, "invalid_fee"),
    ],
)
def test_a_loan_of_nonsense_is_not_opened(changed: dict[str, Any], code: str) -> None:
    """Amounts, rates, terms and dates: each by its name."""
    command: OpenLoan = replace(OPEN, **changed)
    given(LOAN).when(command, on(FUNDED_ON)).then_refused(code)


def test_flat_interest_that_would_outlive_its_principal_is_not_lent() -> None:
    """Three fen in two parts of two and one are a loan, two in twelve are none: refused, as the quote and the listing are."""
    tiny = replace(
        OPEN,
        principal_fen=2,
        tenor_months=12,
        claims=(replace(OPEN.claims[0], principal_fen=2),),
        repayment=RepaymentTerms(method="flat"),
    )
    given(LOAN).when(tiny, on(FUNDED_ON)).then_refused("invalid_amount")
    three = replace(tiny, principal_fen=3, tenor_months=2, claims=(replace(OPEN.claims[0], principal_fen=3),))
    assert given(LOAN).when(three, on(FUNDED_ON)).state.kind == "running"


@pytest.mark.parametrize(
    "command",
    [pays(SECOND_DUE, 1), debited(SECOND_DUE, 1), found_nothing(SECOND_DUE, 1)],
    ids=lambda command: type(command).__name__,
)
def test_money_for_a_loan_that_is_none_is_refused(
    command: RecordPayment | RecordDebit | RecordDebitFailure,
) -> None:
    """By name; its account gives it back (the saga of payments)."""
    given(LOAN).when(command, on(SECOND_DUE)).then_refused("unknown_loan")


@pytest.mark.parametrize("settle", [False, True])
def test_a_payment_from_before_the_loan_goes_back(settle: bool) -> None:
    """Dated before the funding it pays nothing, not even all; the loan is as it was."""
    before = days(FUNDED_ON, -1)
    payment = pays(before, 200_000, settle=settle)
    back = PaymentReturned(
        loan_id="loan_7",
        payment_id="pay_1",
        account_id="acc_bo",
        amount_fen=200_000,
        code="before_funding",
    )
    given(LOAN, OPENED).when(payment, on(FUNDED_ON)).then(back)
    given(LOAN, OPENED, back).when(payment, on(FUNDED_ON)).then()
    assert given(LOAN, OPENED).when(payment, on(FUNDED_ON)).state.book.rows == OPENED.rows


def test_a_payment_on_a_loan_that_is_repaid_goes_back() -> None:
    """Whatever it asks for."""
    settled = given(LOAN, OPENED).when(pays(FUNDED_ON, 100_000, settle=True), on(FUNDED_ON))
    late = replace(pays(SECOND_DUE, 50_000, payment_id="pay_2"), prepay="reamortise")
    [back] = given(LOAN, OPENED, *settled.events).when(late, on(SECOND_DUE)).events
    assert (back.code, back.amount_fen) == ("loan_repaid", 50_000)


@pytest.mark.parametrize("amount_fen", [0, -1, 10**15 + 1])
def test_an_amount_that_is_none_is_no_command(amount_fen: int) -> None:
    """Zero, less, or beyond what can be said never reaches a decider."""
    with pytest.raises(Undecodable, match="amount_fen"):
        encode(RecordPayment, pays(SECOND_DUE, amount_fen))
