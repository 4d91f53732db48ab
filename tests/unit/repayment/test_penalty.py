"""Penalty interest by the day, charged at changes only; what it does to debits, payments, quotes and holders; five classes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from libs.events.deciding import Wake
from libs.events.money import Rounding
from libs.events.repayment import (
    AllocationLine,
    DebitRequested,
    DistributionLine,
    LoanClass,
    LoanClassified,
    LoanRepaid,
    OverdueBucketChanged,
    PaymentReceived,
    PenaltyCharged,
    PenaltyLine,
)
from services.repayment.domain.allocation import allocate, book_of, owed_fen
from services.repayment.domain.charging import accrued, charged, penalty_lines
from services.repayment.domain.distribution import distribute
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import payoff_fen
from tests.unit.given import Given, given, step
from tests.unit.repayment.stories import (
    CLAIMS,
    CONTRACTED,
    FIRST_DUE,
    FUNDED_ON,
    INSTALLMENT,
    LOAN,
    OPEN,
    ROWS,
    SECOND_DUE,
    asked_again,
    classified,
    days,
    debited,
    due,
    dues,
    failed,
    misses,
    on,
    pays,
    split,
)

RULES = profile_named("demo").on(FUNDED_ON)
BOOK = book_of(FUNDED_ON, Decimal("0.12"), ROWS, penalty_rate=Decimal("0.18"))

#: The first instalment was never paid: said late the day after, asked three times, nothing there.
UNPAID: tuple[Any, ...] = (
    CONTRACTED,
    due(1),
    failed(FIRST_DUE),
    asked_again(days(FIRST_DUE, 3), INSTALLMENT),
    failed(days(FIRST_DUE, 3)),
)


def charge(
    day: date, amounts: tuple[int, int, int, int], *lines: tuple[int, int, int, int]
) -> PenaltyCharged:
    """Charged on a day: (this time, owed now, overdue with it, dpd), and per instalment (number, open, days, penalty)."""
    return PenaltyCharged(
        loan_id="loan_7",
        borrower="usr_bo",
        charged_on=day,
        penalty_fen=amounts[0],
        penalty_after_fen=amounts[1],
        overdue_after_fen=amounts[2],
        dpd=amounts[3],
        bucket="M1",
        lines=tuple(
            PenaltyLine(number=number, open_fen=open_fen, days=count, penalty_fen=fen)
            for number, open_fen, count, fen in lines
        ),
    )


def moved(day: date, before: str, after: str, dpd: int, overdue_fen: int) -> OverdueBucketChanged:
    """Counted elsewhere."""
    return OverdueBucketChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        changed_on=day,
        from_bucket=before,
        to_bucket=after,
        dpd=dpd,
        principal_fen=100_000,
        overdue_fen=overdue_fen,
    )


def late() -> Given:
    """The loan after the evening on which it was said to be late."""
    day = days(FIRST_DUE, 1)
    spoken = given(LOAN, *UNPAID).when(misses(day), on(day)).events
    return given(LOAN, *UNPAID, *spoken)


def fen(*charges: PenaltyLine) -> list[int]:
    """The amounts of lines."""
    return [line.penalty_fen for line in charges]


# --- the formula ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, []), (3, []), (4, [67]), (10, [168]), (31, [520])]
)
def test_an_overdue_instalment_costs_the_penalty_rate_by_the_day_after_the_grace(
    count: int, expected: list[int]
) -> None:
    """34,002 · 18 % · days / 365: nothing in three days of grace, then from the due date on: 4 days are 67.07."""
    assert fen(*penalty_lines(BOOK, days(FIRST_DUE, count), RULES)) == expected


def test_each_instalment_has_its_own_days_and_its_own_grace() -> None:
    """36 days after the first and 5 after the second due date: 603.65 and 83.84."""
    assert penalty_lines(BOOK, days(SECOND_DUE, 5), RULES) == (
        PenaltyLine(number=1, open_fen=INSTALLMENT, days=36, penalty_fen=604),
        PenaltyLine(number=2, open_fen=INSTALLMENT, days=5, penalty_fen=84),
    )


def test_penalty_is_never_charged_on_penalty() -> None:
    """A second charge takes the same open amount, for the days since the first only."""
    day = days(FIRST_DUE, 10)
    book = accrued(BOOK, day, RULES)
    assert (book.penalty_fen, owed_fen(book, day)) == (168, INSTALLMENT + 168)
    assert penalty_lines(book, day, RULES) == ()
    assert penalty_lines(book, days(day, 10), RULES) == (
        PenaltyLine(number=1, open_fen=INSTALLMENT, days=10, penalty_fen=168),
    )


def test_a_contract_without_a_penalty_rate_is_never_charged() -> None:
    """Records from before penalty existed carry none."""
    assert penalty_lines(replace(BOOK, penalty_rate=Decimal(0)), days(FIRST_DUE, 400), RULES) == ()


@examples(
    st.integers(0, 10**9),
    st.decimals(0, 10, places=8),
    st.lists(st.integers(0, 200), min_size=1, max_size=4).map(sorted),
)
def test_charging_in_pieces_differs_by_half_a_fen_a_piece(
    interest_fen: int, rate: Decimal, moments: list[int]
) -> None:
    """However often it is charged, the sum is the exact amount within half a fen per charge, and never shrinks."""
    rows = (replace(ROWS[0], interest_fen=interest_fen),)
    book = book_of(FUNDED_ON, Decimal("0.12"), rows, penalty_rate=rate)
    pieces = 0
    for moment in moments:
        lines = penalty_lines(book, days(FIRST_DUE, moment), RULES)
        pieces += bool(lines)
        book = charged(book, lines, days(FIRST_DUE, moment))
    last = book.penalties[-1].to if book.penalties else FIRST_DUE
    exact = Fraction(33_002 + interest_fen) * Fraction(rate) * (last - FIRST_DUE).days / 365
    assert abs(book.penalty_fen - exact) <= Fraction(pieces, 2)


@pytest.mark.parametrize(
    ("profile", "day", "rate", "expected"),
    [
        ("demo", FUNDED_ON, "0.12", "0.18"),
        ("demo", FUNDED_ON, "9", "10"),
        ("demo", FUNDED_ON, "0.00000001", "0.00000001"),
        ("cn-p2p-2016", date(2017, 1, 1), "0.12", "0.18"),
        ("cn-p2p-2016", date(2017, 1, 1), "0.20", "0.24"),
        ("cn-p2p-2016", date(2021, 1, 1), "0.12", "0.154"),
    ],
)
def test_the_rate_is_one_and_a_half_times_the_contracts_under_the_profiles_cap(
    profile: str, day: date, rate: str, expected: str
) -> None:
    """At most the ceiling in force when the loan was funded; a ninth digit is dropped."""
    assert profile_named(profile).on(day).penalty_rate(Decimal(rate)) == Decimal(expected)


# --- when it is charged --------------------------------------------------------------------------------------------


def test_a_late_loan_is_charged_at_the_end_of_the_month_and_when_its_bucket_changes() -> None:
    """Due on 29 February: on 31 March, 31 days late, both; the whole is 519.81."""
    state = late().state
    assert LOAN.wake_on(state) == (SECOND_DUE, 2)
    asked = step(LOAN, state, dues(SECOND_DUE), on(SECOND_DUE))
    asked.then(due(2, 2 * INSTALLMENT + 520))
    answered = LOAN.evolve(asked.state, failed(SECOND_DUE, 2 * INSTALLMENT + 520))
    assert LOAN.wake_on(answered) == (SECOND_DUE, 4)
    step(LOAN, answered, misses(SECOND_DUE), on(SECOND_DUE)).then(
        charge(SECOND_DUE, (520, 520, INSTALLMENT + 520, 31), (1, INSTALLMENT, 31, 520)),
        replace(
            moved(SECOND_DUE, "M1", "M2", 31, INSTALLMENT + 520),
            overdue_principal=split("M1", "M2", 33_002, 33_002),
        ),
    )


def test_between_the_changes_an_overdue_loan_says_nothing() -> None:
    """A year without a payment: one charge a month or so, until the loan is lost; then no day wakes it."""
    terms = replace(CONTRACTED, tenor_months=1, rows=(replace(ROWS[0], principal_fen=100_000),))
    state = given(LOAN, terms, due(1, 101_000), failed(FIRST_DUE, 101_000)).state
    charges: list[PenaltyCharged] = []
    classes: list[tuple[str, int]] = []
    while (wake := LOAN.wake_on(state)) is not None:
        outcome = step(LOAN, state, Wake(business_date=wake[0], phase=wake[1]), on(wake[0]))
        state = outcome.state
        for event in outcome.events:
            if isinstance(event, DebitRequested):
                state = LOAN.evolve(state, failed(event.value_date, event.debit_fen))
        charges += [event for event in outcome.events if isinstance(event, PenaltyCharged)]
        classes += [
            (event.to_class, event.dpd) for event in outcome.events if isinstance(event, LoanClassified)
        ]
    assert classes == [("special_mention", 1), ("substandard", 91), ("doubtful", 271), ("loss", 361)]
    assert len(charges) < 24
    assert charges[-1].charged_on == days(FIRST_DUE, 361)
    exact = Fraction(101_000 * 18 * 361, 100 * 365)
    assert abs(charges[-1].penalty_after_fen - exact) <= Fraction(len(charges), 2)


# --- payments ------------------------------------------------------------------------------------------------------


def test_a_payment_is_charged_to_its_value_date_and_pays_penalty_then_interest_then_principal() -> None:
    """Ten days late 168 are owed first: 1,500 pay 168 + 1,000 + 332."""
    day = days(FIRST_DUE, 10)
    first, received, spread = late().when(pays(day, 1_500), on(day)).events
    assert first == charge(day, (168, 168, INSTALLMENT + 168, 10), (1, INSTALLMENT, 10, 168))
    assert received.allocation == (
        AllocationLine(number=1, penalty_fen=168, interest_fen=1_000, principal_fen=332),
    )
    assert (received.amount_fen, received.overdue_after_fen) == (1_500, INSTALLMENT + 168 - 1_500)
    assert (spread.penalty_fen, spread.interest_fen, spread.principal_fen) == (168, 1_000, 332)


def test_an_instalment_is_not_paid_before_its_penalty() -> None:
    """The bare instalment leaves 168 open, so the loan stays late; with them it is cured at once."""
    day = days(FIRST_DUE, 10)
    short = late().when(pays(day, INSTALLMENT), on(day))
    assert short.state.book.oldest_due_on == FIRST_DUE
    whole = late().when(pays(day, INSTALLMENT + 168), on(day))
    assert [type(event).__name__ for event in whole.events] == [
        "PenaltyCharged",
        "PaymentReceived",
        "RepaymentDistributed",
        "OverdueBucketChanged",
        "LoanClassified",
    ]
    assert whole.events[-1] == classified(day, "special_mention", "normal", 0, principal_fen=66_998)


def test_in_the_grace_the_bare_instalment_cures() -> None:
    """Nobody pays for the days on which the platform retries the debit."""
    day = days(FIRST_DUE, 3)
    asked = LOAN.evolve(late().state, asked_again(day, INSTALLMENT))
    outcome = step(LOAN, asked, debited(day, INSTALLMENT), on(day))
    assert isinstance(outcome.events[0], PaymentReceived)
    assert outcome.state.loan_class == "normal"


def test_what_a_late_payment_is_told_after_a_charge_is_not_charged_twice() -> None:
    """A value date before the last charge accrues nothing more."""
    charged_loan = late().when(pays(days(FIRST_DUE, 10), 100), on(days(FIRST_DUE, 10))).state
    again = pays(days(FIRST_DUE, 9), 100, payment_id="pay_2")
    outcome = step(LOAN, charged_loan, again, on(days(FIRST_DUE, 10)))
    assert [type(event).__name__ for event in outcome.events] == ["PaymentReceived", "RepaymentDistributed"]


def test_a_settlement_pays_the_penalty_and_a_fen_less_is_returned() -> None:
    """The quote is the function that decides: arrears, 168 of penalty, the rest with interest to the day."""
    day = days(FIRST_DUE, 10)
    amount_fen = payoff_fen(BOOK, day, RULES)
    assert amount_fen == INSTALLMENT + 168 + 66_998 + 220
    (returned,) = late().when(pays(day, amount_fen - 1, settle=True), on(day)).events
    assert returned.code == "below_payoff"
    settled = late().when(pays(day, amount_fen, settle=True), on(day))
    assert isinstance(settled.events[-1], LoanRepaid)


def test_a_quote_from_a_view_knows_the_penalties() -> None:
    """A book from rows, what they received and what was charged is the book that events led to."""
    day = days(FIRST_DUE, 10)
    state = late().when(pays(day, 100), on(day)).state
    again = book_of(
        FUNDED_ON,
        Decimal("0.12"),
        ROWS,
        [(0, 0)] * 3,
        penalty_rate=Decimal("0.18"),
        penalties=state.book.penalties,
    )
    assert again == state.book
    assert allocate(again, 100, day) == (
        AllocationLine(number=1, penalty_fen=68, interest_fen=32, principal_fen=0),
    )


def test_penalty_goes_to_the_holders_by_what_they_are_owed_and_pays_no_fee() -> None:
    """50 : 30 : 20 of 168; the fee is a tenth of interest only."""
    shares = distribute(0, 0, CLAIMS, 100, Rounding.HALF_UP, penalty_fen=168)
    assert [(line.penalty_fen, line.fee_fen) for line in shares] == [(84, 0), (50, 0), (34, 0)]
    assert all(isinstance(line, DistributionLine) for line in shares)


# --- classes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dpd", "expected"),
    [
        (0, "normal"),
        (1, "special_mention"),
        (90, "special_mention"),
        (91, "substandard"),
        (270, "substandard"),
        (271, "doubtful"),
        (360, "doubtful"),
        (361, "loss"),
        (5_000, "loss"),
    ],
)
def test_five_classes_by_days_past_due(dpd: int, expected: LoanClass) -> None:
    """Any overdue is special-mention, > 90 substandard, > 270 doubtful, > 360 loss (2023 Measures)."""
    assert RULES.class_of(dpd) == expected


def test_a_class_gets_better_only_when_all_arrears_are_met() -> None:
    """The oldest instalment of a substandard loan is paid, another stays late: the bucket moves, the class does not."""
    day = days(SECOND_DUE, 5)
    bad = classified(days(FIRST_DUE, 1), "special_mention", "substandard", 91)
    state = late().state
    for event in (bad, due(2, 68_004), failed(SECOND_DUE)):
        state = LOAN.evolve(state, event)
    state = LOAN.evolve(state, moved(SECOND_DUE, "M1", "M2", 31, INSTALLMENT))
    part = step(LOAN, state, pays(day, INSTALLMENT + 604), on(day))
    assert [type(event).__name__ for event in part.events][-1] == "OverdueBucketChanged"
    rest = pays(day, INSTALLMENT + 84, payment_id="pay_2")
    cured = step(LOAN, part.state, rest, on(day)).events[-1]
    assert (cured.from_class, cured.to_class, cured.dpd) == ("substandard", "normal", 0)


def test_the_exact_amount_is_the_formula_on_fractions() -> None:
    """Half-up on the exact quotient, checked without the domain's arithmetic."""
    for count in range(4, 40):
        exact = Fraction(INSTALLMENT * 18 * count, 100 * 365)
        (line,) = penalty_lines(replace(BOOK, rows=ROWS[:1]), days(FIRST_DUE, count), RULES)
        assert line.penalty_fen == floor(exact + Fraction(1, 2))


def test_where_and_what_stand_on_everything_that_is_counted() -> None:
    """Region and product come with the listing and go with every event that a figure adds up."""
    day = days(FIRST_DUE, 40)
    terms = replace(OPEN, region="sh", product="credit")
    opened = given(LOAN).when(terms, on(FUNDED_ON)).events
    asked = (*opened, due(1), failed(FIRST_DUE))
    late_events = given(LOAN, *asked).when(misses(day), on(day)).events
    settled = given(LOAN, *asked, *late_events).when(pays(day, 200_000, settle=True), on(day)).events
    counted = [event for event in (*opened, *late_events, *settled) if hasattr(event, "region")]
    assert {type(event).__name__ for event in counted} == {
        "LoanOpened",
        "PaymentMissed",
        "PenaltyCharged",
        "OverdueBucketChanged",
        "LoanClassified",
        "PaymentReceived",
        "LoanRepaid",
    }
    assert all((event.region, event.product) == ("sh", "credit") for event in counted)
