"""Oldest instalment first, within it interest before principal; a settlement is due + undue + interest to the day."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import PLAIN
from services.repayment.domain.allocation import (
    Book,
    Penalty,
    after,
    allocate,
    book_of,
    days_past_due,
    open_lines,
    overdue_fen,
    owed_fen,
)
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import payoff_fen, settlement
from tests.unit.repayment.stories import FIRST_DUE, FUNDED_ON, LAST_DUE, ROWS, SECOND_DUE, days, line

RULES = profile_named("demo").on(FUNDED_ON)
NEW = book_of(FUNDED_ON, Decimal("0.12"), ROWS)


def paid(book: Book, amount_fen: int, day: date) -> Book:
    """The book after an amount was allocated on a day."""
    return after(book, allocate(book, amount_fen, day))


def test_a_payment_pays_interest_before_principal() -> None:
    """Less than the interest pays interest only; the rest of it goes to principal."""
    assert allocate(NEW, 400, FIRST_DUE) == (line(1, 400, 0),)
    assert allocate(NEW, 1_500, FIRST_DUE) == (line(1, 1_000, 500),)


def test_a_payment_pays_the_oldest_instalment_first() -> None:
    """The second instalment receives nothing before the first is full."""
    assert allocate(NEW, 34_003, SECOND_DUE) == (line(1, 1_000, 33_002), line(2, 1, 0))


def test_a_payment_goes_on_where_the_last_one_stopped() -> None:
    """What an instalment has received is never asked again."""
    book = paid(NEW, 1_500, FIRST_DUE)
    assert allocate(book, 34_002, SECOND_DUE) == (line(1, 0, 32_502), line(2, 670, 830))


def test_nothing_is_allocated_to_what_is_not_due() -> None:
    """Only dues on or before the value date take money; the rest stays with the payer."""
    assert allocate(NEW, 50_000, days(FIRST_DUE, -1)) == ()
    assert allocate(NEW, 50_000, FIRST_DUE) == (line(1, 1_000, 33_002),)
    assert allocate(paid(NEW, 34_002, FIRST_DUE), 50_000, FIRST_DUE) == ()


def test_owed_includes_the_due_day_and_overdue_waits_for_the_miss() -> None:
    """From its due date on an instalment is owed; it is overdue once it was missed, or charged for its days."""
    assert (owed_fen(NEW, FIRST_DUE), overdue_fen(NEW, 1), overdue_fen(NEW, 2)) == (34_002, 0, 34_002)
    charged = replace(NEW, penalties=(Penalty(number=1, to=days(FIRST_DUE, 5), owed_fen=84),))
    owed_with_it = replace(NEW, penalties=(Penalty(number=1, to=FIRST_DUE, owed_fen=84),))
    assert (overdue_fen(charged, 1), overdue_fen(owed_with_it, 1)) == (34_086, 0)


@pytest.mark.parametrize(
    ("amount_fen", "day", "expected"),
    [
        (0, days(FIRST_DUE, -1), 0),
        (0, FIRST_DUE, 0),
        (0, days(FIRST_DUE, 1), 1),
        (34_001, days(FIRST_DUE, 40), 40),
        (34_002, days(FIRST_DUE, 40), 9),
        (102_007, days(LAST_DUE, 400), 0),
    ],
    ids=["before", "due day", "next day", "a fen short", "first paid", "all paid"],
)
def test_days_past_due_count_from_the_oldest_open_instalment(
    amount_fen: int, day: date, expected: int
) -> None:
    """DPD is 0 on the due day, and a partial payment does not reset it (rules.md 1.4)."""
    assert expected == days_past_due(paid(NEW, amount_fen, LAST_DUE), day)


def test_a_row_of_nothing_is_never_open() -> None:
    """Three fen over five months: two rows of zero at the end are nobody's debt."""
    rows = schedule(PLAIN, amount_fen=3, annual_rate=Decimal(0), months=5, funded_on=FUNDED_ON).rows
    book = book_of(FUNDED_ON, Decimal(0), rows)
    assert [part.number for part in open_lines(book, rows[-1].due_on)] == [1, 2, 3]
    assert after(book, allocate(book, 3, rows[-1].due_on)).oldest_due_on is None


# --- early full settlement ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "expected_fen"),
    [
        (FUNDED_ON, 100_000),
        (days(FUNDED_ON, 1), 100_033),
        (days(FUNDED_ON, 28), 100_921),
        (FIRST_DUE, 101_000),
        (days(FIRST_DUE, 1), 101_022),
    ],
    ids=["the same day", "one day", "28 days", "first due", "a day after"],
)
def test_a_settlement_costs_interest_for_the_days_the_money_was_used(day: date, expected_fen: int) -> None:
    """100,000 · 12 % · days / 365; on the due date the scheduled 1,000; after it 66,998 · 12 % · 1 / 365 = 22.03 more."""
    assert expected_fen == payoff_fen(NEW, day, RULES)


def test_a_settlement_never_costs_more_than_the_period_that_runs() -> None:
    """30 days on 66,998 are 660.80 of the 670 that the contract names; on a basis of 300 they would be 803.98."""
    book = paid(NEW, 34_002, FIRST_DUE)
    day = days(SECOND_DUE, -1)
    assert settlement(book, day, RULES) == (line(0, 661, 66_998),)
    assert settlement(book, day, replace(RULES, day_basis=300)) == (line(0, 670, 66_998),)


def test_a_settlement_on_a_due_date_takes_that_instalment_as_scheduled() -> None:
    """Its interest is the contract's, and what follows costs none yet."""
    book = paid(NEW, 34_002, FIRST_DUE)
    assert settlement(book, SECOND_DUE, RULES) == (line(2, 670, 33_332), line(0, 0, 33_666))


def test_a_settlement_pays_arrears_first_and_then_what_is_not_due() -> None:
    """Everything due and open, oldest first, then line 0."""
    book = paid(NEW, 1_500, FIRST_DUE)
    assert settlement(book, days(FIRST_DUE, 3), RULES) == (line(1, 0, 32_502), line(0, 66, 66_998))


def test_a_settlement_after_the_last_due_date_is_the_arrears() -> None:
    """Nothing is undue any more, so no interest to the day is added."""
    assert payoff_fen(NEW, days(LAST_DUE, 100), RULES) == 100_000 + 1_000 + 670 + 337


def test_a_settlement_pays_interest_that_outlives_its_principal() -> None:
    """Rows of the log from before a flat loan's interest ended with its principal: what is still asked is earned, and ends the loan."""
    rows = (*ROWS[:2], replace(ROWS[2], principal_fen=0))
    book = paid(book_of(FUNDED_ON, Decimal("0.12"), rows), 68_004, SECOND_DUE)
    assert settlement(book, days(SECOND_DUE, 2), RULES) == (line(3, 337, 0),)


def test_a_settlement_dated_before_an_instalment_that_was_touched_counts_it_as_due() -> None:
    """Its interest was paid as scheduled, so it is not accrued a second time."""
    book = paid(NEW, 1_500, FIRST_DUE)
    assert settlement(book, days(FIRST_DUE, -1), RULES) == (line(1, 0, 32_502), line(0, 0, 66_998))


def test_the_settled_book_owes_nothing() -> None:
    """After line 0 nothing is open, whatever the date."""
    settled = after(NEW, settlement(NEW, days(FUNDED_ON, 3), RULES))
    assert settled.oldest_due_on is None
    assert settled.outstanding_fen == 0
    assert payoff_fen(settled, LAST_DUE, RULES) == 0


def test_a_quote_from_a_view_equals_the_contract() -> None:
    """A book built from rows and what each received is the book that payments led to."""
    book = paid(NEW, 34_102, SECOND_DUE)
    assert book == book_of(FUNDED_ON, Decimal("0.12"), ROWS, [(1_000, 33_002), (100, 0), (0, 0)])


def test_more_payments_than_rows_are_an_error() -> None:
    """A view that does not belong to these rows raises ValueError."""
    with pytest.raises(ValueError, match="zip"):
        book_of(FUNDED_ON, Decimal("0.12"), ROWS, [(0, 0)] * 4)


@given(
    st.integers(10_000, 10**9),
    st.decimals(0, 1, places=6),
    st.integers(1, 36),
    st.integers(0, 1_200),
    st.integers(0, 10**9),
)
def test_a_settlement_is_the_formula_on_exact_fractions(
    principal_fen: int, rate: Decimal, months: int, after_days: int, paid_fen: int
) -> None:
    """Due and open + undue principal + min(round(undue · rate · days / 365), scheduled interest of the running month)."""
    rows = schedule(
        PLAIN, amount_fen=principal_fen, annual_rate=rate, months=months, funded_on=FUNDED_ON
    ).rows
    day = days(FUNDED_ON, after_days)
    book = paid(book_of(FUNDED_ON, rate, rows), paid_fen, day)
    due = [row for row in rows if row.due_on <= day]
    undue = rows[len(due) :]
    undue_fen = sum(row.principal_fen for row in undue)
    used = (day - (due[-1].due_on if due else FUNDED_ON)).days
    accrued = floor(undue_fen * Fraction(rate) * used / 365 + Fraction(1, 2))
    interest_fen = min(accrued, undue[0].interest_fen) if undue else 0
    due_fen = sum(row.principal_fen + row.interest_fen for row in due)
    assert payoff_fen(book, day, RULES) == max(0, due_fen - paid_fen) + undue_fen + interest_fen
