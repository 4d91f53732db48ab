"""What a loan costs by its real cash flows: the checked rates, pyxirr as the oracle, and the ceiling for every method."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

import pytest
import pyxirr
from hypothesis import assume, given
from hypothesis import strategies as st

from libs.events.cost import cost_is_within
from libs.events.money import Rounding
from libs.events.schedules.cost import annual_cost, compounded, is_allowed
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import PLAIN, Method, RepaymentTerms

FUNDED_ON = date(2024, 1, 15)
_METHODS: tuple[Method, ...] = get_args(Method)
TERMS = st.builds(
    RepaymentTerms,
    method=st.sampled_from(_METHODS),
    rounding=st.sampled_from(Rounding),
    period_fee_permille=st.integers(0, 5),
)
SEASONAL = RepaymentTerms(
    method="equal_instalments",
    interest_by="day",
    day_count="act_360",
    rounding=Rounding.HALF_EVEN,
    principal_grace=1,
    interest_grace=1,
    period_fee_permille=1,
)


def test_the_checked_costs() -> None:
    """10,000 over 12 months: flat 0.6 % a month is 13.03 % a year, compounded 13.84 %; 12 % with 200 up front
    15.85 %, compounded 17.06 % (rules.md 1.6)."""
    flat = schedule(
        RepaymentTerms(method="flat"),
        amount_fen=1_000_000,
        annual_rate=Decimal("0.072"),
        months=12,
        funded_on=FUNDED_ON,
    )
    with_fee = schedule(
        PLAIN, amount_fen=1_000_000, annual_rate=Decimal("0.12"), months=12, funded_on=FUNDED_ON
    )
    costs = [
        annual_cost(flat.rows, paid_out_fen=1_000_000, months=12),
        annual_cost(with_fee.rows, paid_out_fen=980_000, months=12),
    ]
    assert [round(cost, 4) for cost in costs] == [Decimal("0.1303"), Decimal("0.1585")]
    assert [round(compounded(cost), 4) for cost in costs] == [Decimal("0.1384"), Decimal("0.1706")]


def test_the_checked_xirr() -> None:
    """The flows of rules.md 1.6 give 0.373363: pyxirr is an oracle worth asking."""
    flows = [-10_000, 2_750, 4_250, 3_250, 2_750]
    days = [date(2008, 1, 1), date(2008, 3, 1), date(2008, 10, 30), date(2009, 2, 15), date(2009, 4, 1)]
    assert round(pyxirr.xirr(days, flows) or 0, 6) == 0.373363


@given(TERMS, st.integers(10**5, 10**9), st.integers(1, 40), st.integers(1, 48), st.integers(0, 50))
def test_the_cost_is_what_pyxirr_finds(
    terms: RepaymentTerms, amount_fen: int, percent: int, months: int, fee_permille: int
) -> None:
    """The monthly rate of return times twelve, to the millionth and never below; with a fee of each month, too."""
    rate = Decimal(percent).scaleb(-2)
    rows = schedule(terms, amount_fen=amount_fen, annual_rate=rate, months=months, funded_on=FUNDED_ON).rows
    paid_out_fen = amount_fen - amount_fen * fee_permille // 1000
    flows = [0.0] * (months - len(rows)) + [
        float(row.principal_fen + row.interest_fen + row.fee_fen) for row in rows
    ]
    monthly = pyxirr.irr([-float(paid_out_fen), *flows])
    assert monthly is not None
    found = annual_cost(rows, paid_out_fen=paid_out_fen, months=months)
    assert -1e-7 < float(found) - 12 * monthly < 1e-6 + 1e-7


@given(
    st.builds(
        RepaymentTerms,
        method=st.sampled_from([method for method in _METHODS if method != "flat"]),
        rounding=st.sampled_from(Rounding),
    ),
    st.integers(1, 10**9),
    st.integers(1, 3_000),
    st.integers(1, 48),
)
def test_a_rate_at_the_ceiling_is_not_above_it(
    terms: RepaymentTerms, amount_fen: int, basis_points: int, months: int
) -> None:
    """However interest is rounded to the fen, a loan without fees at the ceiling's rate is allowed, and one with a fee on top is not."""
    ceiling = Decimal(basis_points).scaleb(-4)
    loan: dict[str, Any] = {
        "terms": terms,
        "amount_fen": amount_fen,
        "annual_rate": ceiling,
        "months": months,
    }
    table = ((date.min, ceiling),)
    assert is_allowed(table, FUNDED_ON, fee_fen=0, **loan)
    if terms.method != "bullet":  # simple interest until the end leaves room for a fee
        assert not is_allowed(table, FUNDED_ON, fee_fen=1, **loan)


@given(
    TERMS,
    st.integers(10**5, 10**9),
    st.integers(1, 4_000),
    st.integers(1, 36),
    st.integers(1, 4_000),
    st.integers(0, 20),
)
def test_the_ceiling_sees_the_real_cash_flows(
    terms: RepaymentTerms, amount_fen: int, points: int, months: int, ceiling_points: int, fee_permille: int
) -> None:
    """For every method the answer is that of discounting its rows at the ceiling, fee by fee; where the answer for the rounded rows is
    another one, it is nearer than half a fen, or one, of each row."""
    assume(terms != PLAIN)
    ceiling, rate = Decimal(ceiling_points).scaleb(-4), Decimal(points).scaleb(-4)
    fee_fen = amount_fen * fee_permille // 1_000
    rows = schedule(terms, amount_fen=amount_fen, annual_rate=rate, months=months, funded_on=FUNDED_ON).rows
    first = months - len(rows) + 1
    grown = 1 + Fraction(ceiling) / 12
    worth = Fraction(0)
    for month, row in enumerate(rows, start=first):
        worth += (row.principal_fen + row.interest_fen + row.fee_fen) / grown**month
    allowed = is_allowed(
        ((date.min, ceiling),),
        FUNDED_ON,
        terms=terms,
        amount_fen=amount_fen,
        fee_fen=fee_fen,
        annual_rate=rate,
        months=months,
    )
    assert allowed == (worth <= amount_fen - fee_fen) or abs(worth - amount_fen + fee_fen) < 2 * months


@pytest.mark.parametrize(
    ("terms", "ceiling", "months", "highest"),
    [
        (RepaymentTerms(method="equal_principal"), "0.1540", 21, "0.151598"),
        (SEASONAL, "0.24", 11, "0.214537"),
    ],
)
def test_a_fee_does_not_hide_in_what_is_left_to_rounding(
    terms: RepaymentTerms, ceiling: str, months: int, highest: str
) -> None:
    """1,000.00 with 2.00 up front: what rounding its interest would have left room for was 0.000117 above. A million times as much, of
    which no rounding is seen, may cost the same to the millionth or two that principal in whole fen makes."""
    loan: dict[str, Any] = {"terms": terms, "months": months}
    table = ((date.min, Decimal(ceiling)),)
    small: dict[str, Any] = {"amount_fen": 1_000_00, "fee_fen": 2_00}
    large = {name: fen * 10**6 for name, fen in small.items()}
    for amounts, room in ((small, 1), (large, 2)):
        above = Decimal(highest) + room * Decimal("0.000001")
        assert is_allowed(table, FUNDED_ON, annual_rate=Decimal(highest), **loan, **amounts)
        assert not is_allowed(table, FUNDED_ON, annual_rate=above, **loan, **amounts)


@given(st.integers(10**6, 10**9), st.integers(1, 3_000), st.integers(1, 48), st.integers(1, 3_000))
def test_equal_instalments_are_judged_as_ever(amount_fen: int, rate: int, months: int, ceiling: int) -> None:
    """A loan that names no manner of repayment is held to the exact rule of `libs.events.cost`."""
    loan: dict[str, Any] = {
        "amount_fen": amount_fen,
        "annual_rate": Decimal(rate).scaleb(-4),
        "months": months,
        "fee_fen": 7,
    }
    limit = Decimal(ceiling).scaleb(-4)
    by_terms = is_allowed(((date.min, limit),), FUNDED_ON, terms=None, **loan)
    assert by_terms == cost_is_within(limit, **loan)
    assert is_allowed((), FUNDED_ON, terms=PLAIN, **loan)


def test_a_flat_rate_below_the_ceiling_may_cost_more_than_it() -> None:
    """9 % flat is 16 % in truth: under a ceiling of 14 % it is refused, 7 % flat is not."""
    table = ((date.min, Decimal("0.14")),)
    loan: dict[str, Any] = {
        "terms": RepaymentTerms(method="flat"),
        "amount_fen": 10**6,
        "fee_fen": 0,
        "months": 12,
    }
    assert not is_allowed(table, FUNDED_ON, annual_rate=Decimal("0.09"), **loan)
    assert is_allowed(table, FUNDED_ON, annual_rate=Decimal("0.07"), **loan)
