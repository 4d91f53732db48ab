"""Early payment of a part: what it pays, what is asked from then on, and what it is given back for."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.repayment import AllocationLine, LoanOpened, PaymentReceived, PaymentReturned, ScheduleRow
from libs.events.rescheduling import Prepay, ScheduleChanged
from libs.events.schedules.prepaid import Standing, prepaid_rows
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import Method, RepaymentTerms
from services.repayment.commands import RecordPayment
from services.repayment.domain.allocation import UNDUE, book_of
from services.repayment.domain.prepaying import prepayment
from services.repayment.domain.profile import profile_named
from tests.unit.given import given
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.prepay_oracle import Oracle
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FUNDED_ON,
    LAST_DUE,
    LOAN,
    OPEN,
    OPENED,
    SECOND_DUE,
    came,
    days,
    debited,
    distributed,
    due,
    failed,
    in_time,
    line,
    on,
    pays,
    received,
)

RULES = profile_named("demo").on(FUNDED_ON)
#: Fifteen days into the first month.
EARLY = date(2024, 2, 15)


def prepays(day: date, amount_fen: int, mode: Prepay, payment_id: str = "pay_1") -> RecordPayment:
    """A payment that asks to prepay a part."""
    return replace(pays(day, amount_fen, payment_id=payment_id), prepay=mode)


def rows(*said: tuple[int, date, int, int]) -> tuple[ScheduleRow, ...]:
    """Number, due date, principal and interest of each."""
    return tuple(
        ScheduleRow(number=number, due_on=day, principal_fen=principal, interest_fen=interest)
        for number, day, principal, interest in said
    )


def changed(mode: str, outstanding_fen: int, *said: tuple[int, date, int, int]) -> ScheduleChanged:
    """These rows are asked from now on."""
    return ScheduleChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        change_id="pay_1",
        reason="partial_prepayment_shortened" if mode == "shorten" else "partial_prepayment_reamortised",
        changed_on=EARLY,
        outstanding_fen=outstanding_fen,
        rows=rows(*said),
    )


#: 50,247 fen are 50,000 of principal and 15 days of interest on it: 50,000 · 12 % · 15 / 365 = 246.58.
PAID = received("pay_1", EARLY, (line(UNDUE, 247, 50_000),), (100_000, 50_000), early=True)
SHARED = distributed("pay_1", EARLY, (1, 25_000, 124, 12), (2, 15_000, 74, 7), (3, 10_000, 49, 5))
REAMORTISED = changed(
    "reamortise",
    50_000,
    (1, FIRST_DUE, 16_501, 500),
    (2, SECOND_DUE, 16_666, 335),
    (3, LAST_DUE, 16_833, 168),
)
#: The instalment stays at 340.02: 335.02 + 5.00, and the rest of 164.98 with the second.
SHORTENED = changed("shorten", 50_000, (1, FIRST_DUE, 33_502, 500), (2, SECOND_DUE, 16_498, 165))


@pytest.mark.parametrize(("mode", "asked"), [("reamortise", REAMORTISED), ("shorten", SHORTENED)])
def test_a_part_is_prepaid_with_its_interest_to_the_day(mode: Prepay, asked: ScheduleChanged) -> None:
    """Half of it: smaller instalments on the same dates, or the same instalment and one month less. Told again, nothing is said."""
    paid = given(LOAN, OPENED).when(prepays(EARLY, 50_247, mode), on(EARLY))
    paid.then(came(PAID, 50_247, mode=mode), SHARED, asked)
    given(LOAN, OPENED, *paid.events).when(prepays(EARLY, 50_247, mode), on(EARLY)).then()


@pytest.mark.parametrize(
    ("terms", "amount_fen", "day", "mode", "code"),
    [
        (None, 9_999, EARLY, "reamortise", "below_prepay_minimum"),
        (None, 34_002 + 9_999, FIRST_DUE, "shorten", "below_prepay_minimum"),
        (None, 90_000, LAST_DUE, "reamortise", "nothing_to_prepay"),
        (RepaymentTerms(method="flat"), 50_000, EARLY, "shorten", "prepay_without_sense"),
        (RepaymentTerms(method="bullet"), 50_000, EARLY, "shorten", "prepay_without_sense"),
        (RepaymentTerms(method="interest_first"), 50_000, EARLY, "shorten", "prepay_without_sense"),
    ],
)
def test_what_cannot_be_prepaid_goes_back_whole(
    terms: RepaymentTerms | None, amount_fen: int, day: date, mode: Prepay, code: str
) -> None:
    """By its name, and nothing of the loan has changed."""
    [opened] = given(LOAN).when(replace(OPEN, repayment=terms), on(FUNDED_ON)).events
    back = PaymentReturned(
        loan_id="loan_7", payment_id="pay_1", account_id="acc_bo", amount_fen=amount_fen, code=code
    )
    answer = given(LOAN, opened).when(prepays(day, amount_fen, mode), on(day))
    answer.then(back)
    assert answer.state.book == given(LOAN, opened).when(prepays(day, amount_fen, mode), on(day)).state.book


def test_all_that_is_due_is_paid_first() -> None:
    """On a due day its instalment, as scheduled; what is left of the money is principal, which has cost nothing since."""
    paid = given(LOAN, OPENED, due(1)).when(prepays(FIRST_DUE, 34_002 + 20_000, "reamortise"), on(FIRST_DUE))
    assert paid.events[0].allocation == (line(1, 1_000, 33_002), line(UNDUE, 0, 20_000))
    assert [row.number for row in paid.events[2].rows] == [2, 3]
    assert paid.events[2].outstanding_fen == 46_998
    # The debit that was under way finds nothing to pay.
    late = given(LOAN, OPENED, due(1), *paid.events).when(debited(FIRST_DUE, 34_002), on(FIRST_DUE))
    assert late.events[0].code == "nothing_due"


def test_what_was_asked_for_is_due_whatever_date_the_money_has() -> None:
    """Dated the day before, come after the asking: the instalment that was asked for is paid first, and never asked anew."""
    eve = days(FIRST_DUE, -1)
    asked = given(LOAN, OPENED, due(1), failed(FIRST_DUE))
    paid = asked.when(prepays(eve, 34_002 + 20_000, "reamortise"), on(FIRST_DUE))
    received_ = next(event for event in paid.events if isinstance(event, PaymentReceived))
    assert received_.allocation == (line(1, 1_000, 33_002), line(UNDUE, 0, 20_000))
    assert [row.number for row in paid.events[2].rows] == [2, 3]


def test_the_last_of_it_may_be_less_than_the_least() -> None:
    """54.66 yuan are left, which is under the least that is prepaid in part: all of it settles the loan, a part goes back."""
    little = given(
        LOAN, OPENED, *given(LOAN, OPENED).when(prepays(EARLY, 95_000, "shorten"), on(EARLY)).events
    )
    assert little.state.book.outstanding_fen == 5_466 < RULES.prepay_min_fen
    part = little.when(prepays(EARLY, 5_465, "shorten", "pay_2"), on(EARLY))
    assert [event.code for event in part.events] == ["below_prepay_minimum"]
    whole = little.when(prepays(EARLY, 6_000, "shorten", "pay_2"), on(EARLY))
    assert type(whole.events[-1]).__name__ == "LoanRepaid"


@pytest.mark.parametrize("method", ["flat", "equal_principal", "equal_instalments"])
def test_nothing_is_asked_of_nothing(method: Method) -> None:
    """Of five yuan-cents that are left for a year the first rows take all: the rest ask for no interest and no fee."""
    terms = RepaymentTerms(method=method, period_fee_permille=10)
    lent = schedule(
        terms, amount_fen=120_000, annual_rate=Decimal("0.12"), months=12, funded_on=FUNDED_ON
    ).rows
    standing = Standing(terms, Decimal("0.12"), FUNDED_ON, lent, 0)
    asked = prepaid_rows(standing, 5, "reamortise")
    assert [row.principal_fen for row in asked] == [1] * 5 + [0] * 7
    assert [row.fee_fen for row in asked] == [1_200] * 5 + [0] * 7
    assert all(row.interest_fen == 0 for row in asked[5:])


def test_flat_interest_ends_with_its_principal() -> None:
    """Of 2.76 yuan over 24 months 23 rows take 12 fen each, and 3 of interest; the last asks for nothing, so no loan is open of which nothing
    is owed."""
    terms = RepaymentTerms(method="flat")
    lent = schedule(
        terms, amount_fen=500_000, annual_rate=Decimal("0.12"), months=24, funded_on=FUNDED_ON
    ).rows
    asked = prepaid_rows(Standing(terms, Decimal("0.12"), FUNDED_ON, lent, 0), 276, "reamortise")
    assert [(row.principal_fen, row.interest_fen) for row in asked] == [(12, 3)] * 23 + [(0, 0)]


def test_what_settles_the_loan_ends_it() -> None:
    """Whoever prepays with all that the loan costs has settled it: 100,493 fen on that day; what is more comes back."""
    paid = given(LOAN, OPENED).when(prepays(EARLY, 100_500, "shorten"), on(EARLY))
    assert [type(event).__name__ for event in paid.events] == [
        "PaymentReceived",
        "RepaymentDistributed",
        "OverpaymentReturned",
        "LoanRepaid",
    ]
    assert paid.events[0].amount_fen == 100_493


def test_the_changed_schedule_is_asked_and_paid_to_its_end() -> None:
    """The shortened loan is asked for its two rows, and is repaid with the second; Σ interest is what was quoted."""
    state: Any = given(LOAN, OPENED).when(prepays(EARLY, 50_247, "shorten"), on(EARLY)).state
    assert LOAN.wake_on(state) == (FIRST_DUE, 2)
    story = (OPENED, PAID, SHARED, SHORTENED)
    last = given(LOAN, *story).when(pays(SECOND_DUE, 50_665, payment_id="pay_2"), on(SECOND_DUE))
    assert in_time(last).events[0].allocation == (line(1, 500, 33_502), line(2, 165, 16_498))
    assert type(last.events[-1]).__name__ == "LoanRepaid"


def test_a_second_prepayment_pays_no_day_twice() -> None:
    """Five days later half of the rest: 25,000 for 20 days since the funding are 164 fen, as if it had been the first."""
    later = days(EARLY, 5)
    paid = given(LOAN, OPENED, PAID, SHARED, REAMORTISED).when(
        prepays(later, 25_164, "reamortise", "pay_2"), on(later)
    )
    assert paid.events[0].allocation == (line(UNDUE, 164, 25_000),)


# --- every manner, against the oracle ------------------------------------------------------------------------------


def _contract(chance: Random) -> LoanOpened:
    terms = random_terms(chance)
    large = tuple(replace(each, principal_fen=each.principal_fen + 20_000) for each in terms.claims)
    command = replace(
        terms, claims=large, principal_fen=sum(each.principal_fen for each in large), tenor_months=9
    )
    [opened] = given(LOAN).when(command, on(terms.funded_on)).events
    assert isinstance(opened, LoanOpened)
    return opened


@settings(deadline=None, max_examples=120)
@hypothesis_given(st.randoms(use_true_random=False))
def test_a_prepayment_is_what_the_oracle_says(chance: Random) -> None:
    """Of any manner, at any moment, in both modes: the most principal that the money pays with its interest, and row by row what
    the contract then means. Σ principal of the rows is what is left, and nothing is negative."""
    opened = _contract(chance)
    book = book_of(opened.funded_on, opened.annual_rate, opened.rows, repayment=opened.repayment)
    methods: tuple[Method, ...] = ("equal_instalments", "equal_principal")
    method = opened.repayment.method if opened.repayment else "equal_instalments"
    mode: Prepay = chance.choice(("reamortise", "shorten")) if method in methods else "reamortise"
    last = (opened.rows[-1].due_on - opened.funded_on).days
    day = days(opened.funded_on, chance.randint(0, last - 1))
    reached = sum(row.due_on <= day for row in opened.rows)
    due_fen = sum(
        row.principal_fen + row.interest_fen + row.fee_fen for row in opened.rows if row.due_on <= day
    )
    whole = sum(row.principal_fen for row in opened.rows[reached:])
    if whole <= RULES.prepay_min_fen:
        return
    money = chance.randint(RULES.prepay_min_fen, whole)
    found = prepayment(book, due_fen + money, day, mode, RULES)
    early: AllocationLine = found.lines[-1]
    contract = [(row.due_on, row.principal_fen, row.interest_fen, row.fee_fen) for row in opened.rows]
    oracle = Oracle(opened, contract, reached)
    assert early.interest_fen == oracle.to_the_day(early.principal_fen, day)
    assert early.principal_fen + early.interest_fen <= money
    if early.principal_fen == whole:
        assert found.rows == ()
        return
    more = early.principal_fen + 1
    assert more + oracle.to_the_day(more, day) > money
    asked = [(row.due_on, row.principal_fen, row.interest_fen, row.fee_fen) for row in found.rows]
    assert asked == oracle.asked_anew(whole - early.principal_fen, mode)
    assert sum(row.principal_fen for row in found.rows) == whole - early.principal_fen
    assert min(min(row[1:]) for row in asked) >= 0
    assert found.saved_fen >= -len(found.rows), "rounding aside, nobody pays more for paying early"


def test_an_instalment_that_is_kept_is_never_exceeded() -> None:
    """100,000 yuan at 12 % over twelve months, 30,000 prepaid on the third due day: 8,884.88 as often as it fits, then the rest."""
    command = replace(
        OPEN,
        principal_fen=10_000_000,
        tenor_months=12,
        annual_rate=Decimal("0.12"),
        claims=(replace(OPEN.claims[0], principal_fen=10_000_000),),
    )
    [opened] = given(LOAN).when(command, on(FUNDED_ON)).events
    book = book_of(opened.funded_on, opened.annual_rate, opened.rows)
    found = prepayment(book, 3 * 888_488 + 3_000_000, opened.rows[2].due_on, "shorten", RULES)
    asked = [row.principal_fen + row.interest_fen for row in found.rows]
    assert asked[:-1] == [888_488] * (len(asked) - 1)
    assert 0 < asked[-1] <= 888_488
    assert len(found.rows) < 9


def test_a_prepayment_of_a_loss_asks_for_no_interest_again() -> None:
    """Rows that a write-off has left without interest and fees are asked anew without any, in either mode."""
    bare = tuple(replace(row, interest_fen=0) for row in OPENED.rows)
    book = book_of(FUNDED_ON, OPENED.annual_rate, bare)
    for mode in get_args(Prepay):
        done = prepayment(book, 50_000, days(FUNDED_ON, 5), mode, RULES)
        assert sum(row.principal_fen for row in done.rows) == 50_000
        assert not any(row.interest_fen or row.fee_fen for row in done.rows)
