"""Interest to the day as the ledger asks it, and which rows a date has reached. The schedule's own tests: tests/unit/events."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from libs.events.money import Rounding
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import PLAIN, RepaymentTerms
from services.repayment.domain.schedule import daily_interest_fen, interest_used_fen, reached

FUNDED_ON = date(2024, 1, 15)
RATES = st.decimals(0, 1, places=8)


def test_the_day_basis_divides_and_is_not_fixed_at_365() -> None:
    """1 % for 60 days of a 360-day year on 100,000 is 1,000.00; a fixed 365 makes it 1,013.89 (J-2359)."""
    assert daily_interest_fen(10_000_000, Decimal("0.06"), 60, 360, Rounding.HALF_UP) == 100_000
    assert daily_interest_fen(10_000_000, Decimal("0.06"), 60, 360, Rounding.HALF_UP) != 101_389


def test_rows_are_reached_on_their_due_date() -> None:
    """The due day itself counts, the day before does not."""
    rows = schedule(PLAIN, amount_fen=10_000, annual_rate=Decimal("0.12"), months=3, funded_on=FUNDED_ON).rows
    assert [reached(rows, date(2024, 2, day)) for day in (14, 15, 16)] == [0, 1, 1]
    assert reached(rows, date(2030, 1, 1)) == 3


def test_interest_that_is_used_runs_by_the_contracts_day_count() -> None:
    """31 days of 100,000 at 12 %: 1,019.18 over 365 where none is agreed, 1,033.33 by Act/360; nothing backwards."""
    days = (date(2024, 1, 15), date(2024, 2, 15))
    by_day = RepaymentTerms(method="bullet", interest_by="day", day_count="act_360")
    by_month = RepaymentTerms(method="bullet", rounding=Rounding.UP)
    for terms, expected in ((None, 101_918), (by_month, 101_918), (by_day, 103_333)):
        assert expected == interest_used_fen(
            terms, 10_000_000, Decimal("0.12"), days, day_basis=365, mode=Rounding.HALF_UP
        )
        assert not interest_used_fen(
            terms, 10_000_000, Decimal("0.12"), days[::-1], day_basis=365, mode=Rounding.HALF_UP
        )


@given(st.integers(0, 10**12), RATES, st.integers(0, 400), st.sampled_from([360, 365]))
def test_interest_to_the_day_is_what_exact_fractions_say(
    balance_fen: int, rate: Decimal, days: int, day_basis: int
) -> None:
    """round(balance · rate · days / basis), half-up."""
    expected = floor(balance_fen * Fraction(rate) * days / day_basis + Fraction(1, 2))
    assert expected == daily_interest_fen(balance_fen, rate, days, day_basis, Rounding.HALF_UP)
