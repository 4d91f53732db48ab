"""The schedule is the contract: golden numbers, known wrong answers, and an oracle on exact fractions."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.money import Rounding
from libs.events.repayment import ScheduleRow
from services.repayment.domain.schedule import (
    daily_interest_fen,
    due_date,
    equal_installments,
    installment_fen,
    monthly_interest_fen,
    reached,
)

FUNDED_ON = date(2024, 1, 15)
RATES = st.decimals(0, 1, places=8)
PRINCIPALS = st.integers(10_000, 10**10)
TENORS = st.integers(1, 60)


# --- golden numbers of rules.md 1.1 --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Rounding.HALF_UP, Rounding.HALF_EVEN])
def test_100_000_at_12_percent_over_12_months(mode: Rounding) -> None:
    """A = 8,884.88, first row 7,884.88 + 1,000.00, last payment 8,884.85, total interest 6,618.53, in both modes."""
    schedule = equal_installments(10_000_000, Decimal("0.12"), 12, FUNDED_ON, mode)
    first, last = schedule.rows[0], schedule.rows[-1]
    assert schedule.installment_fen == 888_488
    assert first == ScheduleRow(
        number=1, due_on=date(2024, 2, 15), principal_fen=788_488, interest_fen=100_000
    )
    assert last.principal_fen + last.interest_fen == 888_485
    assert sum(row.interest_fen for row in schedule.rows) == 661_853
    assert sum(row.principal_fen for row in schedule.rows) == 10_000_000


@pytest.mark.parametrize(
    ("principal_fen", "rate", "months", "expected_fen"),
    [
        (10_000_000, "0.0999", 36, 322_625),
        (13_000, "0.20", 12, 1_204),
        (942_500, "0.158", 36, 33_043),
        (1_000_000, "0.092", 36, 31_893),
    ],
    ids=["L#31", "L#1452", "Prosper 193129", "Prosper 1209647"],
)
def test_golden_instalments(principal_fen: int, rate: str, months: int, expected_fen: int) -> None:
    """100,000 at 9.99 % over 36 months: 3,226.25; 130 at 20 % over 12: 12.04; two real loans as they were billed."""
    assert expected_fen == installment_fen(principal_fen, Decimal(rate), months, Rounding.HALF_UP)


def test_the_tie_of_1000_50_at_one_percent_a_month() -> None:
    """Interest of 10.005 is 10.01 half-up and 10.00 half-even."""
    assert monthly_interest_fen(100_050, Decimal("0.12"), Rounding.HALF_UP) == 1_001
    assert monthly_interest_fen(100_050, Decimal("0.12"), Rounding.HALF_EVEN) == 1_000


def test_a_tie_behind_a_rate_that_has_no_finite_twelfth_is_still_a_tie() -> None:
    """0.30 at 20 % for one month is exactly 30.5 fen; 50 decimal digits of 0.2/12 would make it 30.4999…"""
    assert installment_fen(30, Decimal("0.20"), 1, Rounding.HALF_UP) == 31
    assert installment_fen(30, Decimal("0.20"), 1, Rounding.HALF_EVEN) == 30


def test_rate_zero_divides_the_principal() -> None:
    """A = P/n without interest, the last row takes the rest."""
    schedule = equal_installments(10_000, Decimal(0), 3, FUNDED_ON, Rounding.HALF_UP)
    assert [(row.principal_fen, row.interest_fen) for row in schedule.rows] == [
        (3_333, 0),
        (3_333, 0),
        (3_334, 0),
    ]


def test_an_instalment_is_never_less_than_a_fen() -> None:
    """Three fen over 36 months, without and with interest: a schedule always makes progress."""
    assert installment_fen(3, Decimal(0), 36, Rounding.HALF_UP) == 1
    assert installment_fen(3, Decimal("0.0001"), 36, Rounding.HALF_UP) == 1


# --- known wrong answers -------------------------------------------------------------------------------------------


def test_the_known_wrong_instalments_are_not_ours() -> None:
    """Frappe rounds every instalment up to a whole unit: 3,227.00 (L#31) and 13.00 (L#1452)."""
    assert installment_fen(10_000_000, Decimal("0.0999"), 36, Rounding.HALF_UP) != 322_700
    assert installment_fen(13_000, Decimal("0.20"), 12, Rounding.HALF_UP) != 1_300


def test_the_day_basis_divides_and_is_not_fixed_at_365() -> None:
    """1 % for 60 days of a 360-day year on 100,000 is 1,000.00; a fixed 365 makes it 1,013.89 (J-2359)."""
    assert daily_interest_fen(10_000_000, Decimal("0.06"), 60, 360, Rounding.HALF_UP) == 100_000
    assert daily_interest_fen(10_000_000, Decimal("0.06"), 60, 360, Rounding.HALF_UP) != 101_389


# --- due dates -----------------------------------------------------------------------------------------------------


def test_a_day_that_the_month_lacks_becomes_its_last_and_comes_back() -> None:
    """31 Jan -> 29 Feb (leap) -> 31 Mar -> 30 Apr; never 29 Mar."""
    assert [due_date(date(2024, 1, 31), number) for number in (1, 2, 3, 12, 13)] == [
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
        date(2025, 1, 31),
        date(2025, 2, 28),
    ]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_due_dates_agree_with_walking_month_by_month(funded_on: date, number: int) -> None:
    """The oracle steps months one by one and takes the latest day that exists, at most the original one."""
    year, month = funded_on.year, funded_on.month
    for _ in range(number):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    expected = date(year, month, 1)
    while expected.day < funded_on.day and (expected + timedelta(days=1)).month == month:
        expected += timedelta(days=1)
    assert expected == due_date(funded_on, number)


def test_rows_are_reached_on_their_due_date() -> None:
    """The due day itself counts, the day before does not."""
    rows = equal_installments(10_000, Decimal("0.12"), 3, FUNDED_ON, Rounding.HALF_UP).rows
    assert [reached(rows, date(2024, 2, day)) for day in (14, 15, 16)] == [0, 1, 1]
    assert reached(rows, date(2030, 1, 1)) == 3


# --- the oracle: exact fractions, sharing no code -------------------------------------------------------------------


def half_up(value: Fraction) -> int:
    """Half-up by definition."""
    return floor(value + Fraction(1, 2))


def oracle(principal: int, rate: Fraction, months: int) -> tuple[int, list[tuple[int, int]]]:
    """A and (principal, interest) of every row straight from the formula of rules.md 1.1."""
    r = rate / 12
    growth = (1 + r) ** months
    payment = half_up(Fraction(principal, months) if r == 0 else principal * r * growth / (growth - 1))
    rows = []
    balance = principal
    for number in range(1, months + 1):
        interest = half_up(balance * r)
        part = balance if number == months else payment - interest
        rows.append((part, interest))
        balance -= part
    return payment, rows


@given(PRINCIPALS, RATES, TENORS)
def test_a_schedule_is_what_exact_fractions_say(principal_fen: int, rate: Decimal, months: int) -> None:
    """Every row to the fen; where the oracle's last row would be negative, ours ends earlier instead."""
    payment, rows = oracle(principal_fen, Fraction(rate), months)
    schedule = equal_installments(principal_fen, rate, months, FUNDED_ON, Rounding.HALF_UP)
    assert payment == schedule.installment_fen
    if all(part >= 0 for part, _ in rows):
        assert rows == [(row.principal_fen, row.interest_fen) for row in schedule.rows]
    else:
        assert schedule.rows[-1].principal_fen == 0


@given(
    st.integers(1, 10**6),
    st.decimals(0, 10, places=8),
    st.integers(1, 120),
    st.sampled_from(Rounding),
)
def test_even_a_degenerate_schedule_repays_exactly_and_never_goes_below_zero(
    principal_fen: int, rate: Decimal, months: int, mode: Rounding
) -> None:
    """From one fen at any rate: principal sums to P, no part is negative, numbers and dates rise, interest falls."""
    schedule = equal_installments(principal_fen, rate, months, FUNDED_ON, mode)
    rows = schedule.rows
    assert schedule.installment_fen >= 1
    assert sum(row.principal_fen for row in rows) == principal_fen
    assert all(row.principal_fen >= 0 and row.interest_fen >= 0 for row in rows)
    assert [row.number for row in rows] == list(range(1, months + 1))
    assert all(earlier.due_on < later.due_on for earlier, later in pairwise(rows))
    assert all(earlier.interest_fen >= later.interest_fen for earlier, later in pairwise(rows))
    zero = [row.number for row in rows if not row.principal_fen and not row.interest_fen]
    assert zero == list(range(months - len(zero) + 1, months + 1)), "rows of nothing stand at the end only"


@given(st.integers(0, 10**12), RATES, st.integers(0, 400), st.sampled_from([360, 365]))
def test_interest_to_the_day_is_what_exact_fractions_say(
    balance_fen: int, rate: Decimal, days: int, day_basis: int
) -> None:
    """round(balance · rate · days / basis), half-up."""
    expected = half_up(balance_fen * Fraction(rate) * days / day_basis)
    assert expected == daily_interest_fen(balance_fen, rate, days, day_basis, Rounding.HALF_UP)


@pytest.mark.parametrize(("principal_fen", "months"), [(0, 12), (-1, 12), (1, 0), (1, -1)])
def test_an_instalment_without_meaning_is_an_error(principal_fen: int, months: int) -> None:
    """No principal or no period raises ValueError."""
    with pytest.raises(ValueError, match="an instalment needs"):
        installment_fen(principal_fen, Decimal("0.12"), months, Rounding.HALF_UP)
