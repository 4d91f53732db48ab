"""The ceiling of a date, and what a loan costs: its fee counts."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.cost import CEILINGS_CN, ceiling_on, cost_is_within, is_allowed

rates = st.integers(0, 50_000).map(lambda basis: Decimal(basis).scaleb(-5))


@pytest.mark.parametrize(
    ("on", "ceiling"),
    [
        (date(2012, 7, 5), None),
        (date(2015, 8, 25), Decimal("0.194")),
        (date(2015, 8, 31), Decimal("0.184")),
        (date(2015, 9, 1), Decimal("0.24")),
        (date(2020, 8, 19), Decimal("0.24")),
        (date(2020, 8, 20), Decimal("0.154")),
        (date(2099, 1, 1), Decimal("0.12")),
    ],
)
def test_the_ceiling_of_a_date(on: date, ceiling: Decimal | None) -> None:
    """The ceiling in force is the last that had started; a row counts from its first day."""
    assert ceiling_on(CEILINGS_CN, on) == ceiling


def test_before_the_first_ceiling_anything_is_allowed() -> None:
    """The day before it, and from the day itself what lies at it and not what lies above."""
    loan = {"amount_fen": 10_000_00, "fee_fen": 0, "months": 12}
    first, (since, ceiling) = date(2012, 7, 5), CEILINGS_CN[0]
    above = ceiling + Decimal("0.00000001")
    assert is_allowed(CEILINGS_CN, first, annual_rate=Decimal(10), **loan)
    assert is_allowed(CEILINGS_CN, since, annual_rate=ceiling, **loan)
    assert not is_allowed(CEILINGS_CN, since, annual_rate=above, **loan)


def test_the_cost_of_the_checked_loan() -> None:
    """10,000 over 12 months at 12 % with 200 up front costs 15.85 % nominal (rules.md 1.6)."""

    def costs_at_most(ceiling: str) -> bool:
        return cost_is_within(
            Decimal(ceiling), amount_fen=10_000_00, fee_fen=200_00, annual_rate=Decimal("0.12"), months=12
        )

    assert costs_at_most("0.1586")
    assert not costs_at_most("0.1584")


@given(st.integers(1, 10**9), rates, st.integers(1, 120))
def test_a_loan_without_a_fee_costs_its_rate(amount_fen: int, rate: Decimal, months: int) -> None:
    """At its own rate a loan is exactly at the ceiling, one step below that it is above."""
    below = rate - Decimal("0.00000001")
    assert cost_is_within(rate, amount_fen=amount_fen, fee_fen=0, annual_rate=rate, months=months)
    if rate:
        assert not cost_is_within(below, amount_fen=amount_fen, fee_fen=0, annual_rate=rate, months=months)


@given(st.integers(2, 10**9), st.data(), rates, rates.filter(bool), st.integers(1, 60))
def test_the_cost_is_that_of_the_discounted_instalments(
    amount_fen: int, data: st.DataObject, rate: Decimal, ceiling: Decimal, months: int
) -> None:
    """The multiplied-out rule says the same as discounting each instalment, in exact fractions."""
    fee_fen = data.draw(st.integers(0, min(amount_fen - 1, amount_fen // 5 + 1)))
    monthly = Fraction(rate) / 12
    growth = (1 + monthly) ** months
    instalment = amount_fen * monthly * growth / (growth - 1) if rate else Fraction(amount_fen, months)
    worth = sum(instalment / (1 + Fraction(ceiling) / 12) ** month for month in range(1, months + 1))
    within = cost_is_within(ceiling, amount_fen=amount_fen, fee_fen=fee_fen, annual_rate=rate, months=months)
    assert within == (worth <= amount_fen - fee_fen)
