"""What settles a loan early after a restructuring: what was in arrears, interest since that day, principal; no day costs twice."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from libs.events.measures import Restructuring
from libs.events.repayment import AllocationLine, LoanRepaid, PaymentReceived
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import payoff_fen, settlement
from tests.unit.given import fold, given
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FUNDED_ON,
    LOAN,
    ROWS,
    days,
    due,
    failed,
    line,
    on,
    pays,
)
from tests.unit.repayment.test_troubled import LATE_ON, MISSED, RESTRUCTURED, done

RULES = profile_named("demo").on(FUNDED_ON)
MAY = RESTRUCTURED[1].rows[0].due_on


def standing(*events: object) -> Running:
    """The loan after some events."""
    state = fold(LOAN, events)
    assert isinstance(state, Running)
    return state


@pytest.mark.parametrize(
    ("day", "arrears_fen", "used_fen"),
    [
        # 2,007 were in arrears; 12 % on 1,000.00 since 2 May: nothing, 0.329 a day, and at most the month's 10.00
        (LATE_ON, 2_007, 0),
        (days(LATE_ON, 1), 2_007, 33),
        (days(LATE_ON, 2), 2_007, 66),
        (days(LATE_ON, 28), 2_007, 921),
        # a payment that is dated before it: no day of it is given back
        (days(LATE_ON, -1), 2_007, 0),
    ],
)
def test_a_day_that_bore_penalty_bears_no_interest(day: date, arrears_fen: int, used_fen: int) -> None:
    """Interest runs since the restructuring, whatever instalment was paid last."""
    book = standing(*MISSED, *RESTRUCTURED).book
    assert settlement(book, day, RULES) == (line(1, arrears_fen, 0), line(0, used_fen, 100_000))


def test_once_the_new_row_is_due_it_is_asked_as_it_stands() -> None:
    """3,007 with the arrears in it; what is not due costs from that day on."""
    book = standing(*MISSED, *RESTRUCTURED).book
    assert settlement(book, MAY, RULES) == (line(1, 3_007, 33_002), line(0, 0, 66_998))
    assert settlement(book, days(MAY, 1), RULES)[1:] == (line(0, 22, 66_998),)


def test_it_ends_the_loan_and_a_fen_less_goes_back() -> None:
    """1,020.73 two days later: 2,007 + 66 + 100,000."""
    day = days(LATE_ON, 2)
    state = (*MISSED, *RESTRUCTURED)
    short = given(LOAN, *state).when(pays(day, 102_072, settle=True), on(day))
    assert not any(isinstance(event, PaymentReceived) for event in short.events)
    events = given(LOAN, *state).when(pays(day, 102_073, settle=True), on(day)).events
    assert [event.amount_fen for event in events if isinstance(event, PaymentReceived)] == [102_073]
    assert any(isinstance(event, LoanRepaid) for event in events)


#: The first instalment alone is missed, and 12.00 of penalty come with it; two thirds are not due.
FINED = (CONTRACTED, due(1), failed(FIRST_DUE))
MARCH = days(FIRST_DUE, 20)


def test_a_restructuring_is_no_discount() -> None:
    """What settles the loan on its day is the same before and after it, to the component: what was in arrears, penalty that was charged, and the
    interest of principal that was not due."""
    before = settlement(standing(*FINED).book, MARCH, RULES)
    state = given(LOAN, *FINED).when(done(Restructuring(months=2)), on(MARCH)).state
    assert isinstance(state, Running)
    after = settlement(state.book, MARCH, RULES)
    assert _sums(before) == _sums(after) == (335, 0, 1_000 + 441, 100_000)
    assert after == (replace(line(1, 1_441, 0), penalty_fen=335), line(0, 0, 100_000))
    # 12 % on 1,000.00
    assert payoff_fen(state.book, days(MARCH, 3), RULES) - payoff_fen(state.book, MARCH, RULES) == 99


def test_penalty_of_a_row_that_is_not_due_is_owed_with_the_first_prepayment_too() -> None:
    """It was charged before the row had a new day."""
    missed = (CONTRACTED, *(event for row in ROWS for event in (due(row.number), failed(row.due_on))))
    state = given(LOAN, *missed).when(done(Restructuring(months=3)), on(LATE_ON)).state
    assert isinstance(state, Running)
    fined = [penalty.owed_fen for penalty in state.book.penalties]
    lines = settlement(state.book, LATE_ON, RULES)
    assert [each.penalty_fen for each in lines] == [*fined, 0]
    part = given(LOAN, *missed).when(done(Restructuring(months=3)), on(LATE_ON))
    early = replace(pays(MAY, 50_000 + 36_009 + sum(fined)), prepay="shorten")
    taken = next(
        event
        for event in given(LOAN, *missed, *part.events).when(early, on(MAY)).events
        if isinstance(event, PaymentReceived)
    )
    assert [each.penalty_fen for each in taken.allocation] == [*fined, 0]


def test_it_waits_for_its_fees_too() -> None:
    """A fee of each period that was in arrears is paid with it; later ones fall away."""
    with_fee = replace(CONTRACTED, rows=tuple(replace(row, fee_fen=50) for row in ROWS))
    missed = (with_fee, *(event for row in ROWS for event in (due(row.number), failed(row.due_on))))
    before = settlement(standing(*missed).book, LATE_ON, RULES)
    state = given(LOAN, *missed).when(done(Restructuring(months=3)), on(LATE_ON)).state
    assert isinstance(state, Running)
    assert _sums(settlement(state.book, LATE_ON, RULES)) == _sums(before)
    assert _sums(before)[1] == 150


def _sums(lines: tuple[AllocationLine, ...]) -> tuple[int, int, int, int]:
    return (
        sum(each.penalty_fen for each in lines),
        sum(each.fee_fen for each in lines),
        sum(each.interest_fen for each in lines),
        sum(each.principal_fen for each in lines),
    )


def test_of_an_older_record_nobody_knows_what_ran() -> None:
    """It said only what was due: the rest of that day's interest is nobody's to ask for."""
    older = (replace(RESTRUCTURED[0], accrued_fen=None), *RESTRUCTURED[1:])
    book = standing(*MISSED, *older).book
    assert book.arrears is not None
    assert book.arrears.accrued_fen is None
    assert settlement(book, LATE_ON + timedelta(days=1), RULES) == (line(1, 2_007, 0), line(0, 33, 100_000))
