"""A funded listing becomes a loan: its schedule and claims are fixed, and terms without meaning are refused by name."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.repayment.commands import OpenLoan
from tests.unit.given import given
from tests.unit.repayment.stories import (
    CLAIMS,
    CONTRACTED,
    FUNDED_ON,
    LOAN,
    OPEN,
    OPENED,
    SETTLED,
    on,
)

# --- OpenLoan ------------------------------------------------------------------------------------------------------


def test_a_funded_listing_becomes_a_loan_with_its_schedule_and_claims() -> None:
    """OpenLoan fixes terms, rows, claims and the penalty's rate, 1.5 times the contract's, in one event."""
    given(LOAN).when(OPEN, on(FUNDED_ON)).then(CONTRACTED)


def test_claims_stand_in_claim_order_whatever_order_they_came_in() -> None:
    """Order is a number, and ties of a split depend on it."""
    given(LOAN).when(replace(OPEN, claims=CLAIMS[::-1]), on(FUNDED_ON)).then(CONTRACTED)


def test_opening_an_open_loan_again_says_nothing() -> None:
    """The outcome already holds, whatever the loan has become."""
    given(LOAN, OPENED).when(OPEN).then_nothing()
    given(LOAN, OPENED, *SETTLED).when(OPEN).then_nothing()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(OPEN, tenor_months=0), "invalid_tenor"),
        (replace(OPEN, tenor_months=601), "invalid_tenor"),
        (replace(OPEN, interest_fee_permille=-1), "invalid_fee"),
        (replace(OPEN, interest_fee_permille=1001), "invalid_fee"),
        (replace(OPEN, claims=CLAIMS[:2]), "invalid_claims"),
        (replace(OPEN, claims=()), "invalid_claims"),
        (replace(OPEN, claims=(CLAIMS[0], CLAIMS[0])), "invalid_claims"),
        (replace(OPEN, claims=(*CLAIMS[:2], replace(CLAIMS[2], order=1))), "invalid_claims"),
        (
            replace(
                OPEN,
                principal_fen=2_001,
                claims=tuple(
                    replace(CLAIMS[0], order=order, claim_id=f"clm_{order}", principal_fen=1)
                    for order in range(2_001)
                ),
            ),
            "invalid_claims",
        ),
    ],
    ids=[
        "no month",
        "601 months",
        "negative fee",
        "fee over all",
        "sum short",
        "nobody",
        "twice",
        "tie",
        "2,001 claims",
    ],
)
def test_a_loan_that_cannot_be_served_is_refused_by_name(command: OpenLoan, code: str) -> None:
    """Terms without meaning, or claims that are not distinct or do not sum to the principal."""
    given(LOAN).when(command, on(FUNDED_ON)).then_refused(code)


def test_a_loan_without_interest_is_a_loan() -> None:
    """Rate zero: principal only, three parts."""
    outcome = given(LOAN).when(replace(OPEN, annual_rate=Decimal(0)), on(FUNDED_ON))
    (opened,) = outcome.events
    assert [(row.principal_fen, row.interest_fen) for row in opened.rows] == [
        (33_333, 0),
        (33_333, 0),
        (33_334, 0),
    ]
