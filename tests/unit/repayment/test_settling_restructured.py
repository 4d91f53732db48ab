"""What settles a loan early after a restructuring: what was in arrears, interest since that day, principal; no day costs twice."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from libs.events.measures import Extension, Restructuring
from libs.events.repayment import AllocationLine, LoanRepaid, PaymentReceived
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan_state import Running
from services.repayment.domain.prepaying import prepayment
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from services.repayment.domain.settling import payoff_fen, settlement
from tests.unit.given import fold, given
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FUNDED_ON,
    LAST_DUE,
    LOAN,
    OPEN,
    ROWS,
    SECOND_DUE,
    days,
    due,
    failed,
    line,
    on,
    pays,
)
from tests.unit.repayment.test_correcting_measures import DEMO, go_on, said, unpaid, wrong
from tests.unit.repayment.troubled_story import LATE_ON, MISSED, RESTRUCTURED, done

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
        # 2,007 were in arrears; 12 % on 1,000.00 since 2 May: nothing, 0.329 a day, and at most the row's 9.34, two days of whose month bore penalty
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
    """2,941 with the arrears in it; what is not due costs from that day on."""
    book = standing(*MISSED, *RESTRUCTURED).book
    assert settlement(book, MAY, RULES) == (line(1, 2_941, 33_002), line(0, 0, 66_998))
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
    early = replace(pays(MAY, 50_000 + 35_943 + sum(fined)), prepay="shorten")
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


#: Its first month asks for a fee alone: the interest of two months comes with the second.
GRACE = replace(
    OPEN,
    repayment=RepaymentTerms(
        method="equal_instalments", principal_grace=1, interest_grace=1, period_fee_permille=1
    ),
)


def test_what_a_grace_deferred_is_not_forgotten() -> None:
    """The month's interest stands in the row after the grace: until that is due no schedule begins anew."""
    opened = given(LOAN).when(GRACE, on(FUNDED_ON)).events
    first, *_ = opened[0].rows
    assert (first.principal_fen, first.interest_fen) == (0, 0)
    for terms in (Restructuring(months=2), Extension(months=2)):
        for day, code in ((FIRST_DUE, "manner_not_extended"), (days(SECOND_DUE, -1), "manner_not_extended")):
            given(LOAN, *opened).when(done(terms), on(day)).then_refused(code)


def test_after_a_restructuring_no_grace_runs_whatever_the_rows_are_numbered() -> None:
    """The fee of the grace's row was never paid, so the new rows begin with its number. Once the first is paid, interest runs since its day."""
    opened = given(LOAN).when(GRACE, on(FUNDED_ON)).events
    late = days(SECOND_DUE, 2)
    state = given(LOAN, *opened).when(done(Restructuring(months=2)), on(late)).state
    assert isinstance(state, Running)
    first, second = state.book.rows[:2]
    assert (first.number, first.due_on) == (1, LAST_DUE)
    settled = settlement(state.book, days(first.due_on, 2), RULES)
    assert settled[0] == replace(line(1, first.interest_fen, first.principal_fen), fee_fen=first.fee_fen)
    assert settled[1:] == (
        line(0, 66 * (100_000 - first.principal_fen) // 100_000, 100_000 - first.principal_fen),
    )
    money = sum((first.principal_fen, first.interest_fen, first.fee_fen, 30_000))
    found = prepayment(state.book, money, first.due_on, "reamortise", RULES)
    assert found.lines[-1] == line(0, 0, 30_000)
    assert found.rows[0].interest_fen < second.interest_fen


# --- corrections ---------------------------------------------------------------------------------------------------

SPRING = days(SECOND_DUE, 10)
ANEW = done(Restructuring(months=2))


def restructured_with(payment: bool) -> Lived:
    """The first instalment is paid in time, or not; the second is not. All is asked anew on 10 April, while the third is not due."""
    lived = unpaid(days(FIRST_DUE, 2))
    if payment:
        lived.say(pays(lived.today, 34_002))
    go_on(lived, SPRING)
    lived.say(ANEW)
    go_on(lived, days(SPRING, 3))
    return lived


def test_a_correction_says_what_the_restructuring_left_without_the_error() -> None:
    """The payment does not count: the restructuring left the arrears of two instalments, and so the payoff says."""
    lived, clean = restructured_with(payment=True), restructured_with(payment=False)
    restated = said(lived, wrong("pay_1", days(FIRST_DUE, 2)))
    left = clean.state.book.arrears
    assert restated.standing.measured is not None
    assert restated.standing.measured.arrears_accrued_fen == left.accrued_fen
    assert lived.state.book == clean.state.book
    assert (left.number, left.since, left.interest_fen) == (1, SPRING, 1_670)
    # 12 % on 336.66 for ten days
    assert left.accrued_fen == 111


def test_what_a_record_did_not_say_hinders_no_correction() -> None:
    """One of before it was said what had run: its inputs give the loan as it stands, and a correction goes through."""
    lived = restructured_with(payment=True)
    book = lived.state.book
    lived.state = replace(lived.state, book=replace(book, arrears=replace(book.arrears, accrued_fen=None)))
    assert is_replayable(DEMO, lived.state, lived.context)
    restated = said(lived, wrong("pay_1", days(FIRST_DUE, 2)))
    assert restated.standing.measured is not None
    assert restated.standing.measured.arrears_accrued_fen is None
    assert (lived.state.book.arrears.interest_fen, lived.state.book.arrears.accrued_fen) == (1_670, None)


def test_an_extension_asks_for_the_fee_of_the_contract() -> None:
    """The first row of a restructuring asks for the fee that was in arrears as well: 200, and the others for 100. It is paid, and the
    rest extended by a month."""
    contract = replace(
        CONTRACTED,
        tenor_months=3,
        rows=tuple(replace(row, fee_fen=100) for row in ROWS),
        repayment=RepaymentTerms(method="equal_instalments", period_fee_permille=1),
    )
    anew = CarryOutMeasure(measure_id="msr_1", terms=Restructuring(months=1))
    longer = CarryOutMeasure(measure_id="msr_2", terms=Extension(months=1))
    story = Story(contract=contract, before={date(2024, 3, 5): (anew,)}, finds={SECOND_DUE: 10**6})
    story.live(days(SECOND_DUE, 2)).say(longer, days(SECOND_DUE, 3))
    fees = [[row.fee_fen for row in change.rows] for change in story.said(ScheduleChanged)]
    assert fees == [[200, 100, 100], [100, 100, 100]]
