"""Loans of every manner of repayment: opened by their snapshot, paid fee by fee, settled to the day they agreed on."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.repayment import (
    AllocationLine,
    DistributionLine,
    InstallmentDue,
    LoanOpened,
    LoanRepaid,
    OverpaymentReturned,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
    RepaymentDistributed,
    ScheduleRow,
)
from libs.events.schedules.terms import Method, RepaymentTerms
from services.repayment.commands import OpenLoan, RecordPayment
from services.repayment.domain.allocation import Book, after, allocate, book_of, days_past_due
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import payoff_fen, settlement
from tests.unit.given import given
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FUNDED_ON,
    LAST_DUE,
    LOAN,
    OPEN,
    OPENED,
    SECOND_DUE,
    came,
    debit_id,
    debited,
    dues,
    found_nothing,
    in_time,
    misses,
    on,
    pays,
)

RULES = profile_named("demo").on(FUNDED_ON)
#: The first month asks for the fee of 2.00 only, the second for two months' interest, the third for the rest of it.
SEASON = RepaymentTerms(
    method="equal_instalments", principal_grace=1, interest_grace=1, period_fee_permille=2
)
SEASON_ROWS = (
    ScheduleRow(number=1, due_on=FIRST_DUE, principal_fen=0, interest_fen=0, fee_fen=200),
    ScheduleRow(number=2, due_on=SECOND_DUE, principal_fen=49_751, interest_fen=2_000, fee_fen=200),
    ScheduleRow(number=3, due_on=LAST_DUE, principal_fen=50_249, interest_fen=502, fee_fen=200),
)
OPEN_SEASON = replace(OPEN, repayment=SEASON)
SEASON_OPENED = replace(
    OPENED,
    repayment=SEASON,
    rows=SEASON_ROWS,
    installment_fen=50_751,
    penalty_rate=Decimal("0.18"),
)
FIRST_ASKED = InstallmentDue(
    loan_id="loan_7",
    borrower="usr_bo",
    borrower_account="acc_bo",
    number=1,
    due_on=FIRST_DUE,
    principal_fen=0,
    interest_fen=0,
    debit_id=debit_id(FIRST_DUE),
    debit_fen=200,
    value_date=FIRST_DUE,
    fee_fen=200,
)


def taken(payment_id: str, day: date, principal: tuple[int, int], *lines: AllocationLine) -> PaymentReceived:
    """A payment of these lines; the principal before and after it."""
    return PaymentReceived(
        loan_id="loan_7",
        borrower="usr_bo",
        payment_id=payment_id,
        amount_fen=sum(x.fee_fen + x.interest_fen + x.principal_fen for x in lines),
        value_date=day,
        allocation=lines,
        early=any(line.number == 0 for line in lines),
        bucket="current",
        principal_before_fen=principal[0],
        principal_after_fen=principal[1],
        overdue_after_fen=0,
    )


#: The fee goes to the platform whole, and to nobody else.
FEE_SHARED = RepaymentDistributed(
    loan_id="loan_7",
    distribution_id=f"dst_{debit_id(FIRST_DUE)}",
    payment_id=debit_id(FIRST_DUE),
    value_date=FIRST_DUE,
    principal_fen=0,
    interest_fen=0,
    fee_fen=200,
    lines=(),
    period_fee_fen=200,
)
FEE_PAID = taken(
    debit_id(FIRST_DUE),
    FIRST_DUE,
    (100_000, 100_000),
    AllocationLine(number=1, interest_fen=0, principal_fen=0, fee_fen=200),
)


# --- opening -------------------------------------------------------------------------------------------------------


def test_a_loan_is_opened_with_the_schedule_of_its_snapshot() -> None:
    """Rows of grace and fee, and the snapshot itself; once it is open nothing is said."""
    given(LOAN).when(OPEN_SEASON, on(FUNDED_ON)).then(SEASON_OPENED)
    given(LOAN, SEASON_OPENED).when(OPEN_SEASON, on(FUNDED_ON)).then()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (replace(OPEN_SEASON, repayment=replace(SEASON, principal_grace=3)), "invalid_grace"),
        (replace(OPEN_SEASON, tenor_months=0), "invalid_tenor"),
        (replace(OPEN_SEASON, tenor_months=1_000), "invalid_tenor"),
        (replace(OPEN_SEASON, repayment=replace(SEASON, period_fee_permille=1_001)), "invalid_fee"),
    ],
)
def test_a_loan_without_a_schedule_is_not_opened(wrong: OpenLoan, code: str) -> None:
    """What no schedule can be made of is refused by its name."""
    given(LOAN).when(wrong, on(FUNDED_ON)).then_refused(code)


def test_a_later_product_never_changes_a_loan_that_stands() -> None:
    """The rows in the event are what is owed, whatever the snapshot would say today (J-2937)."""
    sold = replace(SEASON_OPENED, repayment=replace(SEASON, period_fee_permille=9))
    given(LOAN, sold).when(dues(FIRST_DUE), on(FIRST_DUE)).then(FIRST_ASKED)


# --- fees ----------------------------------------------------------------------------------------------------------


def test_a_month_of_grace_asks_for_its_fee_only() -> None:
    """The debit asks 2.00, which the platform gets; Σ payment = Σ credits + fees. Paid, the same debit says nothing."""
    given(LOAN, SEASON_OPENED).when(dues(FIRST_DUE), on(FIRST_DUE)).then(FIRST_ASKED)
    given(LOAN, SEASON_OPENED, FIRST_ASKED).when(debited(FIRST_DUE, 200), on(FIRST_DUE)).then(
        FEE_PAID, FEE_SHARED
    )
    given(LOAN, SEASON_OPENED, FIRST_ASKED, FEE_PAID, FEE_SHARED).when(
        debited(FIRST_DUE, 200), on(FIRST_DUE)
    ).then()


def test_a_fee_is_paid_before_interest_and_principal() -> None:
    """Penalty, fee, interest, principal: 201 fen in the second month are its fee and a fen of interest."""
    story = (SEASON_OPENED, FIRST_ASKED, FEE_PAID, FEE_SHARED)
    paid = taken(
        "pay_1",
        SECOND_DUE,
        (100_000, 100_000),
        AllocationLine(number=2, interest_fen=1, principal_fen=0, fee_fen=200),
    )
    shared = replace(
        FEE_SHARED,
        distribution_id="dst_pay_1",
        payment_id="pay_1",
        value_date=SECOND_DUE,
        interest_fen=1,
        lines=(
            DistributionLine(
                claim_id="clm_7_1",
                account_id="acc_1",
                investor="usr_1",
                principal_fen=0,
                interest_fen=1,
                fee_fen=0,
            ),
        ),
    )
    given(LOAN, *story).when(pays(SECOND_DUE, 201), on(SECOND_DUE)).then(paid, shared)
    rest = given(LOAN, *story, paid, shared).when(pays(SECOND_DUE, 10**6, payment_id="pay_2"), on(SECOND_DUE))
    [line] = rest.events[0].allocation
    assert (line.fee_fen, line.interest_fen, line.principal_fen) == (0, 1_999, 49_751)


def test_an_unpaid_fee_is_missed_and_bears_no_penalty() -> None:
    """The evening after, the fee is missed; penalty is on principal and interest only, of which nothing is due."""
    failed = given(LOAN, SEASON_OPENED, FIRST_ASKED).when(found_nothing(FIRST_DUE, 200), on(FIRST_DUE))
    evening = FIRST_DUE + timedelta(days=1)
    late = given(LOAN, SEASON_OPENED, FIRST_ASKED, *failed.events)
    said = in_time(late.when(misses(evening), on(evening)))
    assert said.events[1] == PaymentMissed(
        loan_id="loan_7",
        borrower="usr_bo",
        number=1,
        due_on=FIRST_DUE,
        open_fen=200,
        dpd=1,
        overdue_after_fen=200,
    )
    month = date(2024, 3, 30)
    later = given(LOAN, SEASON_OPENED, FIRST_ASKED, *failed.events, *said.events).when(
        pays(month, 200), on(month)
    )
    assert isinstance(in_time(later).events[0], PaymentReceived), "no penalty is charged first"


# --- grace without a fee -------------------------------------------------------------------------------------------


def test_a_row_that_asks_for_nothing_is_never_due_nor_late() -> None:
    """In a grace without fees the loan sleeps until its first row that asks for something, and is not past due before."""
    moratorium = replace(SEASON, period_fee_permille=0)
    [opened] = given(LOAN).when(replace(OPEN, repayment=moratorium), on(FUNDED_ON)).events
    lent = given(LOAN, opened).when(dues(FIRST_DUE), on(FIRST_DUE))
    lent.then()
    assert LOAN.wake_on(lent.state) == (SECOND_DUE, 2)
    assert days_past_due(_book(opened), SECOND_DUE) == 0


def _book(opened: LoanOpened) -> Book:
    return book_of(
        opened.funded_on,
        opened.annual_rate,
        opened.rows,
        penalty_rate=opened.penalty_rate,
        repayment=opened.repayment,
    )


# --- settlement ----------------------------------------------------------------------------------------------------


def _settled(terms: RepaymentTerms, day: date) -> list[tuple[int, int, int, int]]:
    [opened] = given(LOAN).when(replace(OPEN, repayment=terms), on(FUNDED_ON)).events
    lines = settlement(_book(opened), day, RULES)
    return [(each.number, each.fee_fen, each.interest_fen, each.principal_fen) for each in lines]


@pytest.mark.parametrize(
    ("terms", "day", "lines"),
    [
        # 15 days of 1,000.00 at 12 %: 493 fen over 365, 500 over 360
        (RepaymentTerms(method="bullet"), date(2024, 2, 15), [(0, 0, 493, 100_000)]),
        (
            RepaymentTerms(method="bullet", interest_by="day", day_count="act_360"),
            date(2024, 2, 15),
            [(0, 0, 500, 100_000)],
        ),
        (
            RepaymentTerms(method="interest_first"),
            date(2024, 3, 15),
            [(1, 0, 1_000, 0), (0, 0, 493, 100_000)],
        ),
        (RepaymentTerms(method="flat"), date(2024, 2, 15), [(0, 0, 493, 100_000)]),
        # in the grace no interest was asked, so it runs from the funding: 45 days are 1,479 fen
        (SEASON, date(2024, 3, 16), [(1, 200, 0, 0), (0, 0, 1_479, 100_000)]),
        (SEASON, date(2024, 2, 15), [(0, 0, 493, 100_000)]),
        # what is not due costs no fee, and nothing costs more early than in time
        (SEASON, SECOND_DUE, [(1, 200, 0, 0), (2, 200, 2_000, 49_751), (0, 0, 0, 50_249)]),
    ],
)
def test_settling_early_costs_interest_to_the_day(
    terms: RepaymentTerms, day: date, lines: list[tuple[int, int, int, int]]
) -> None:
    """All that is due, the undue principal, and interest for the days since interest was last asked, by the contract's days."""
    assert _settled(terms, day) == lines


METHODS: tuple[Method, ...] = ("equal_principal", "interest_first", "bullet", "flat")


@pytest.mark.parametrize("method", METHODS)
def test_a_loan_of_each_method_is_paid_to_its_end(method: Method) -> None:
    """Paid in full on its last day it is repaid, and its payment is its rows to the fen."""
    command = replace(OPEN, repayment=RepaymentTerms(method=method, period_fee_permille=1))
    [opened] = given(LOAN).when(command, on(FUNDED_ON)).events
    total = sum(row.principal_fen + row.interest_fen + row.fee_fen for row in opened.rows)
    assert allocate(_book(opened), 10**9, LAST_DUE)[-1].number == len(opened.rows)
    without_penalty = replace(opened, penalty_rate=Decimal(0))
    payment = RecordPayment(
        payment_id="pay_1",
        account_id="acc_bo",
        payer="usr_bo",
        amount_fen=total,
        value_date=LAST_DUE,
        settle=False,
    )
    loan = given(loan_aggregate(profile_named("demo")), without_penalty)
    events = in_time(loan.when(payment, on(LAST_DUE))).events
    assert events[0].amount_fen == total
    assert events[1].period_fee_fen == 100 * len(opened.rows)
    assert isinstance(events[-1], LoanRepaid)


# --- an offer until a day ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@hypothesis_given(st.randoms(use_true_random=False))
def test_a_settlement_quote_is_enough_on_every_day_until_its_last(chance: Random) -> None:
    """Whatever manner, whatever was paid: what settles a loan never grows less from one day to the next."""
    terms = random_terms(chance)
    [opened] = given(LOAN).when(terms, on(terms.funded_on)).events
    book = _book(opened)
    paid_on = terms.funded_on + timedelta(days=chance.randint(0, 100))
    book = after(book, allocate(book, chance.randint(0, terms.principal_fen), paid_on))
    costs = [payoff_fen(book, paid_on + timedelta(days=day), RULES) for day in range(150)]
    assert all(earlier <= later for earlier, later in pairwise(costs))


# --- who may pay ---------------------------------------------------------------------------------------------------

OPEN_TO_ALL = replace(SEASON, payer="anyone")


def test_a_loan_whose_terms_say_so_takes_anyones_payment() -> None:
    """It is allocated like the borrower's, and says who paid; what is too much goes back to where it came from. Told again,
    nothing is said."""
    opened = replace(SEASON_OPENED, repayment=OPEN_TO_ALL)
    payment = replace(pays(FIRST_DUE, 250, payer="usr_other"), account_id="acc_other")
    paid = came(replace(FEE_PAID, payment_id="pay_1", payer="usr_other"), 250, account_id="acc_other")
    shared = replace(FEE_SHARED, payment_id="pay_1", distribution_id="dst_pay_1")
    back = OverpaymentReturned(loan_id="loan_7", payment_id="pay_1", account_id="acc_other", amount_fen=50)
    given(LOAN, opened).when(payment, on(FIRST_DUE)).then(paid, shared, back)
    given(LOAN, opened, paid, shared, back).when(payment, on(FIRST_DUE)).then()


@pytest.mark.parametrize("opened", [SEASON_OPENED, OPENED], ids=["by its terms", "without terms"])
def test_a_loan_whose_terms_do_not_say_so_gives_a_strangers_payment_back(opened: LoanOpened) -> None:
    """All of it, by its name, as ever."""
    payment = replace(pays(FIRST_DUE, 250, payer="usr_other"), account_id="acc_other")
    given(LOAN, opened).when(payment, on(FIRST_DUE)).then(
        PaymentReturned(
            loan_id="loan_7",
            payment_id="pay_1",
            account_id="acc_other",
            amount_fen=250,
            code="not_the_borrower",
        )
    )
