"""What a new schedule leaves on a loan: the best class that it may have, what of it is for sale, and how long it may be stretched further."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from libs.events.claims import ReservationReleased
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import Extension, LoanRescheduled, MeasureTerms, Reclassification, Restructuring
from libs.events.repayment import InstallmentDue, LoanClassified, LoanOpened, PaymentMissed, PenaltyLine
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.order import Allocation, Component, PayOrder
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.domain.charging import penalty_lines
from services.repayment.domain.profile import profile_named
from services.repayment.domain.restructuring import extension_max
from services.repayment.domain.trouble import Floor, floor_on
from tests.unit.given import given, step
from tests.unit.repayment.asset_story import LORRY
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FUNDED_ON,
    LAST_DUE,
    LOAN,
    OPEN,
    SECOND_DUE,
    classified,
    days,
    dues,
    found_nothing,
    in_time,
    line,
    misses,
    on,
    pays,
)
from tests.unit.repayment.test_trading import RESERVED
from tests.unit.repayment.troubled_story import (
    BANKRUPT,
    EXTENDED,
    LATE_ON,
    MARCH,
    MISSED,
    PAID,
    RESTRUCTURED,
    done,
)

DOUBT = done(Reclassification(to_class="doubtful"), "msr_0")


def test_what_two_people_said_without_an_end_outlives_a_restructuring() -> None:
    """It is observed beside that, for a year: afterwards the loan is as doubtful as it was."""
    outcome = given(LOAN, *MISSED).when(DOUBT, on(LATE_ON))
    said = in_time(given(LOAN, *MISSED, *outcome.events).when(done(Restructuring(months=3)), on(LATE_ON)))
    assert said.events[1] == replace(RESTRUCTURED[0], floor_class="doubtful")
    trouble = said.state.trouble
    assert trouble.floor == Floor(best="doubtful")
    assert trouble.observed == Floor(best="doubtful", until=days(LATE_ON, 365))
    assert floor_on(trouble, days(LATE_ON, 366)) == "doubtful"


def test_a_restructuring_betters_no_class() -> None:
    """What is doubtful by its days stays so: no row of it was paid."""
    story = (*MISSED, classified(LATE_ON, "normal", "doubtful", 63))
    outcome = in_time(given(LOAN, *story).when(done(Restructuring(months=3)), on(LATE_ON)))
    said = [type(event).__name__ for event in outcome.events]
    assert said == ["MeasureApplied", "LoanRescheduled", "ScheduleChanged"]
    assert outcome.events[1] == replace(RESTRUCTURED[0], floor_class="doubtful")
    assert outcome.state.loan_class == "doubtful"


# --- every manner whose rows may begin anew ------------------------------------------------------------------------

PRINCIPAL_FIRST: tuple[Component, ...] = ("principal", "interest", "fee", "penalty")
ONE = RepaymentTerms(method="bullet")
DAILY = RepaymentTerms(method="equal_instalments", interest_by="day")
FIVE_DAYS = (FIRST_DUE, SECOND_DUE, LAST_DUE, date(2024, 5, 31), date(2024, 6, 30))


def lent(manner: RepaymentTerms) -> LoanOpened:
    """The loan as it is opened with this manner of repayment."""
    [opened] = given(LOAN).when(replace(OPEN, repayment=manner), on(FUNDED_ON)).events
    assert isinstance(opened, LoanOpened)
    return opened


def asked(manner: RepaymentTerms, terms: MeasureTerms, day: date, *past: Any) -> list[tuple[date, int, int]]:
    """The rows that a measure puts in place of the others: due date, principal, interest."""
    events = given(LOAN, lent(manner), *past).when(done(terms), on(day)).events
    change = next(event for event in events if isinstance(event, ScheduleChanged))
    return [(row.due_on, row.principal_fen, row.interest_fen) for row in change.rows]


@pytest.mark.parametrize(
    ("manner", "rows"),
    [
        # 100,000 at 12 % over five months of the year, or over 151 days of 365.
        (ONE, [(date(2024, 6, 30), 100_000, 5_000)]),
        (replace(ONE, interest_by="day"), [(date(2024, 6, 30), 100_000, 4_964)]),
        # 31 March and 30 June are Sundays; the month of a Sunday's instalment is a month all the same.
        (
            RepaymentTerms(method="interest_first", shift="following"),
            [
                (FIRST_DUE, 0, 1_000),
                (date(2024, 4, 1), 0, 1_000),
                (LAST_DUE, 0, 1_000),
                (date(2024, 5, 31), 0, 1_000),
                (date(2024, 7, 1), 100_000, 1_000),
            ],
        ),
        # 953 is 29 days of 365; what is left of the principal runs on by its days.
        (
            DAILY,
            list(
                zip(
                    FIVE_DAYS,
                    (19_644, 19_778, 20_000, 20_183, 20_395),
                    (953, 819, 597, 414, 201),
                    strict=True,
                )
            ),
        ),
    ],
    ids=["at once", "at once, by the day", "shifted", "by the day"],
)
def test_what_an_extension_asks(manner: RepaymentTerms, rows: list[tuple[date, int, int]]) -> None:
    """Two months more: interest runs on as the contract counts it, to the new days, and no day is asked twice."""
    assert asked(manner, Extension(months=2), date(2024, 2, 15)) == rows


def test_a_grace_that_is_over_is_no_hindrance() -> None:
    """The month without principal is paid; 100,000 over two months and two more, at a per cent a month, is 25,628 a month."""
    manner = RepaymentTerms(method="equal_instalments", principal_grace=1)
    day = days(FIRST_DUE, 1)
    paid = given(LOAN, lent(manner)).when(pays(FIRST_DUE, 1_000), on(FIRST_DUE)).events
    rows = asked(manner, Extension(months=2), day, *paid)
    assert rows[0] == (SECOND_DUE, 24_628, 1_000)
    assert (len(rows), rows[-1][0]) == (4, date(2024, 6, 30))


@pytest.mark.parametrize(("month", "interest_fen"), [("month", 6_000 - 66), ("day", 2_959 + 3_025 - 66)])
def test_what_is_repaid_at_once_is_restructured(month: Any, interest_fen: int) -> None:
    """Three months after its day of 30 April, 92 days, of which two bore penalty; what it asked of interest by then comes with the one new row."""
    manner = replace(ONE, interest_by=month)
    rows = asked(manner, Restructuring(months=3), LATE_ON)
    assert rows == [(date(2024, 7, 31), 100_000, interest_fen)]


@pytest.mark.parametrize(
    ("day", "until", "interest_fen"),
    [
        # all of it was due on 30 April, with 3,000 of interest; of the three months that follow 29 days have borne penalty: 953.42
        (date(2024, 5, 29), date(2024, 7, 31), 3_000 + 3_000 - 953),
        # the last day of the month begins the next one: nothing of it has run
        (date(2024, 5, 31), date(2024, 8, 31), 3_000 + 3_000),
    ],
)
def test_no_day_costs_penalty_and_interest(day: date, until: date, interest_fen: int) -> None:
    """What is overdue bears penalty until it is restructured, and interest from then on."""
    assert asked(ONE, Restructuring(months=3), day) == [(until, 100_000, interest_fen)]


def test_of_what_was_not_due_the_whole_period_costs() -> None:
    """The first instalment is missed, two are to come: twenty days of 33,002 bore penalty, and of 66,998 interest."""
    rows = asked(RepaymentTerms(method="equal_instalments"), Restructuring(months=2), days(FIRST_DUE, 20))
    assert rows[0][2] == 1_000 + 1_000 - 217


def test_days_of_penalty_take_no_more_than_their_part_of_the_interest() -> None:
    """31 days until a Sunday whose instalment moves to Monday would be 3.36 of 330.02 at 12 %, a month of which costs 3.30: the rest is interest
    of what was not due."""
    manner = RepaymentTerms(method="equal_instalments", shift="following")
    rows = asked(manner, Restructuring(months=2), SECOND_DUE)
    assert rows[0] == (days(SECOND_DUE, 1), 24_628, 1_000 + 1_000 - 330)


def test_a_loan_repaid_at_once_is_extended_by_its_own_months() -> None:
    """It has one row and three months: four more are too many."""
    given(LOAN, lent(ONE)).when(done(Extension(months=4)), on(MARCH)).then_refused("extension_too_long")


def test_the_periods_that_are_observed_may_be_longer_than_a_year() -> None:
    """A loan of three years that is repaid at once is given eighteen months more: its next period ends then (rules.md 1.4: two periods and
    a year)."""
    [opened] = given(LOAN).when(replace(OPEN, repayment=ONE, tenor_months=36), on(FUNDED_ON)).events
    late = date(2027, 2, 2)
    events = given(LOAN, opened).when(done(Restructuring(months=18)), on(late)).events
    [said] = [event for event in events if isinstance(event, LoanRescheduled)]
    assert (said.matures_on, said.floor_until) == (date(2028, 7, 31), date(2028, 7, 31))


# --- what was there before -----------------------------------------------------------------------------------------


def released(code: str) -> ReservationReleased:
    """The claim that was for sale is not any more."""
    return ReservationReleased(
        loan_id="loan_7",
        offer_id=RESERVED.offer_id,
        claim_id=RESERVED.claim_id,
        account_id=RESERVED.account_id,
        investor=RESERVED.investor,
        code=code,
    )


def test_nobody_buys_what_was_due_otherwise() -> None:
    """Whoever offered a claim offered it as it was due then: the offer ends, as the last of what is said."""
    extended = in_time(given(LOAN, *PAID, RESERVED).when(done(Extension(months=2)), on(MARCH)))
    assert extended.events[1:] == (*EXTENDED, released("loan_rescheduled"))


def test_its_own_term_is_the_contracts_however_short_it_has_become() -> None:
    """Half a year that was prepaid down to fewer instalments was lent for half a year: that is how far it may be stretched."""
    [opened] = given(LOAN).when(replace(OPEN, tenor_months=6), on(FUNDED_ON)).events
    early = replace(pays(FUNDED_ON, 60_000), prepay="shorten")
    story = (opened, *given(LOAN, opened).when(early, on(FUNDED_ON)).events)
    state = given(LOAN, *story).state
    assert len(state.book.rows) < 6
    assert given(LOAN, *story).when(done(Extension(months=6)), on(FUNDED_ON)).refused is None
    given(LOAN, *story).when(done(Extension(months=7)), on(FUNDED_ON)).then_refused("extension_too_long")


def test_a_row_that_has_received_something_is_not_extended() -> None:
    """A payment dated on the next due day has come before it: that instalment stays, and the last one is spread."""
    paid = given(LOAN, *PAID).when(pays(SECOND_DUE, 1_670), on(MARCH)).events
    events = given(LOAN, *PAID, *paid).when(done(Extension(months=2)), on(MARCH)).events
    [said] = [event for event in events if isinstance(event, LoanRescheduled)]
    assert (said.from_number, said.principal_fen, said.first_due_on) == (3, 33_666, LAST_DUE)


def test_fees_in_arrears_come_with_the_first_new_row() -> None:
    """Two permille of 100,000 an instalment: three were missed, and the first new one has its own as well."""
    manner = RepaymentTerms(method="equal_instalments", period_fee_permille=2)
    events = given(LOAN, lent(manner)).when(done(Restructuring(months=3)), on(LATE_ON)).events
    change = next(event for event in events if isinstance(event, ScheduleChanged))
    assert [row.fee_fen for row in change.rows] == [800, 200, 200]
    [said] = [event for event in events if isinstance(event, LoanRescheduled)]
    assert said.fee_fen == 600


def test_a_loss_has_no_better_class_before_nothing_is_owed() -> None:
    """Its instalment is paid in time, and nothing is behind; once all is paid it is as good as any."""
    story = (*PAID, *BANKRUPT)
    paid = given(LOAN, *story).when(pays(SECOND_DUE, 33_332), on(SECOND_DUE)).events
    assert not [event for event in paid if isinstance(event, LoanClassified)]
    last = given(LOAN, *story, *paid).when(pays(LAST_DUE, 33_666, payment_id="pay_2"), on(LAST_DUE)).events
    [better] = [event for event in last if isinstance(event, LoanClassified)]
    assert (better.from_class, better.to_class) == ("loss", "normal")


def test_a_thing_settles_in_the_order_of_what_the_loan_has_become() -> None:
    """Substandard, it pays principal first: a thing for 1,500 pays 1,500 of it, and none of the interest."""
    order = Allocation(performing=PayOrder(), non_performing=PayOrder(components=PRINCIPAL_FIRST))
    manner = RepaymentTerms(method="equal_instalments", allocation=order)
    worse = classified(LATE_ON, "normal", "substandard", 63)
    thing = replace(LORRY, agreed_fen=1_500)
    events = given(LOAN, lent(manner), worse).when(done(thing), on(LATE_ON)).events
    [settled] = [event for event in events if isinstance(event, DebtSettledInKind)]
    assert settled.lines == (line(1, 0, 1_500),)


# --- how long, and from which day on ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("months", "longest"), [(1, 1), (12, 12), (13, 6), (60, 30), (61, 36), (240, 36)])
def test_how_long_a_loan_is_extended(months: int, longest: int) -> None:
    """Up to a year its own term, up to five half of it, beyond three years (General Rules on Loans art. 12)."""
    assert extension_max(months) == longest


def test_what_is_asked_anew_is_asked_for_and_missed_again() -> None:
    """Three instalments were asked for and missed; those that take their places are asked on their own days, and missed on the days after."""
    late = given(LOAN, *MISSED).when(misses(LATE_ON), on(LATE_ON))
    answered = step(LOAN, late.state, found_nothing(LATE_ON), on(LATE_ON))
    anew = step(LOAN, answered.state, done(Restructuring(months=3)), on(LATE_ON))
    first = anew.state.book.rows[0].due_on
    assert [late.state.next_missed, LOAN.wake_on(anew.state)] == [4, (first, 2)]
    asked = step(LOAN, anew.state, dues(first), on(first))
    assert [event.number for event in asked.events if isinstance(event, InstallmentDue)] == [1]
    empty = step(LOAN, asked.state, found_nothing(first), on(first))
    evening = days(first, 1)
    missed = step(LOAN, empty.state, misses(evening), on(evening))
    assert [event.number for event in missed.events if isinstance(event, PaymentMissed)] == [1]


def test_what_is_asked_anew_bears_penalty_from_its_new_day() -> None:
    """Penalty up to the restructuring was charged, and stays; of the days from then on to the new due day interest is asked. Ten days after that,
    ten days of penalty."""
    late = given(LOAN, CONTRACTED).when(done(Restructuring(months=2)), on(days(FIRST_DUE, 20)))
    book = late.state.book
    [charged] = book.penalties
    assert (charged.to, charged.owed_fen) == (days(FIRST_DUE, 20), 335)
    first = book.rows[0]
    open_fen = first.principal_fen + first.interest_fen
    day, rules = days(first.due_on, 10), profile_named("demo").on(FUNDED_ON)
    # 18 % a year
    owed_fen = round(Fraction(open_fen * 18 * 10, 100 * 365))
    assert penalty_lines(book, day, rules) == (
        PenaltyLine(number=1, open_fen=open_fen, days=10, penalty_fen=owed_fen),
    )
