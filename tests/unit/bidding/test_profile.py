"""The tables of a jurisdiction change on their day, and a loan's cost counts its fee."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.cost import cost_is_within
from services.bidding.domain.profile import CN_P2P_2016, DEMO, profile_named

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
    assert CN_P2P_2016.rate_ceiling(on) == ceiling


def test_the_demo_has_no_ceiling() -> None:
    """Real loan books come from anywhere, at any rate."""
    assert DEMO.rate_ceiling(date(2016, 8, 24)) is None


def test_tables_are_in_order() -> None:
    """A table's rows start one after the other, so that the last that started is the one in force."""
    for table in (CN_P2P_2016.rate_ceilings, CN_P2P_2016.automatic_reviews_fen):
        starts = [row[0] for row in table]
        assert starts == sorted(set(starts))


def test_a_profile_is_found_by_name() -> None:
    """A setting names a profile; a wrong name is told what there is."""
    assert profile_named("demo") is DEMO
    assert profile_named("cn-p2p-2016") is CN_P2P_2016
    with pytest.raises(ValueError, match=r"no profile us: choose demo or cn-p2p-2016"):
        profile_named("us")


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
