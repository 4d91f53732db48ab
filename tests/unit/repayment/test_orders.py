"""In which order a payment pays: by the loan's terms for its standing, instalment by instalment or component by component."""

from dataclasses import replace
from datetime import date
from itertools import permutations
from random import Random

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.repayment import AllocationLine, LoanClass, LoanRepaid, RepaymentDistributed
from libs.events.schedules.order import COMPONENTS, Allocation, PayOrder
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.domain.allocation import (
    Book,
    Penalty,
    after,
    allocate,
    book_of,
    open_lines,
    owed_fen,
)
from services.repayment.domain.pay_order import order_of
from tests.unit.given import given
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import (
    FUNDED_ON,
    LAST_DUE,
    LOAN,
    OPEN,
    OPENED,
    ROWS,
    SECOND_DUE,
    classified,
    days,
    in_time,
    line,
    on,
    pays,
    received,
)
from tools.simulator import order_books

PRINCIPAL_FIRST = PayOrder(across="vertical", components=("principal", "interest", "fee", "penalty"))
BY_COMPONENT = PayOrder(across="vertical")
TERMS = RepaymentTerms(
    method="equal_instalments",
    allocation=Allocation(performing=BY_COMPONENT, non_performing=PRINCIPAL_FIRST),
)
AGREED = replace(OPENED, repayment=TERMS)
BOOK = book_of(FUNDED_ON, OPENED.annual_rate, ROWS)


def test_by_component_all_interest_is_paid_before_any_principal() -> None:
    """Both instalments' interest, 16.70, then principal from the oldest on: two of them are partly paid. Told again, nothing."""
    paid = received("pay_1", SECOND_DUE, (line(1, 1_000, 330), line(2, 670, 0)), (100_000, 99_670))
    payment = pays(SECOND_DUE, 2_000)
    answer = given(LOAN, AGREED).when(payment, on(SECOND_DUE))
    assert in_time(answer).events[0] == paid
    assert [(each.number, each.interest_fen) for each in answer.state.book.paid] == [(1, 1_000), (2, 670)]
    given(LOAN, AGREED, *answer.events).when(payment, on(SECOND_DUE)).then()


def test_a_non_performing_loan_is_paid_by_its_other_order() -> None:
    """Substandard: all principal that is due first; until then, and when it is cured, the order of a performing loan."""
    bad = classified(SECOND_DUE, "normal", "substandard", 91)
    answer = given(LOAN, AGREED, bad).when(pays(SECOND_DUE, 40_000), on(SECOND_DUE))
    assert in_time(answer).events[0].allocation == (line(1, 0, 33_002), line(2, 0, 6_998))
    classes: tuple[LoanClass, ...] = ("normal", "special_mention", "substandard", "doubtful", "loss")
    orders = [order_of(TERMS, name) for name in classes]
    assert orders == [BY_COMPONENT, BY_COMPONENT, PRINCIPAL_FIRST, PRINCIPAL_FIRST, PRINCIPAL_FIRST]


@pytest.mark.parametrize(
    "components", [("penalty", "fee", "interest"), ("interest", "interest", "fee", "principal"), ()]
)
def test_what_is_no_order_opens_no_loan(components: tuple[str, ...]) -> None:
    """Each component once, or it is refused by name."""
    order = PayOrder(components=components)  # type: ignore[arg-type]  # what the log may bring
    terms = replace(TERMS, allocation=Allocation(non_performing=order))
    given(LOAN).when(replace(OPEN, repayment=terms), on(FUNDED_ON)).then_refused("invalid_allocation")


def test_interest_that_outlives_its_principal_is_shared_by_what_was_owed_last() -> None:
    """All principal is repaid, 20.07 of interest is left: it goes to the holders as the last principal did, five to three to two."""
    terms = replace(TERMS, allocation=Allocation(performing=PRINCIPAL_FIRST))
    opened = replace(OPENED, repayment=terms)
    first = given(LOAN, opened).when(pays(LAST_DUE, 100_000), on(LAST_DUE))
    assert not any(claim.principal_fen for claim in first.state.claims)
    assert LOAN.wake_on(first.state) is not None, "it is asked for still"
    last = given(LOAN, opened, *first.events).when(pays(LAST_DUE, 2_007, payment_id="pay_2"), on(LAST_DUE))
    [shared] = [event for event in last.events if isinstance(event, RepaymentDistributed)]
    assert [each.interest_fen for each in shared.lines] == [1_004, 602, 401]
    assert isinstance(last.events[-1], LoanRepaid)


def test_a_row_that_owes_its_penalty_alone_is_open_and_what_is_paid_after_it_counts() -> None:
    """Both instalments are paid but for 5.00 of penalty on the first: the book of who holds the loan's view is the state's, and only that
    and the last instalment are owed."""
    penalty = Penalty(number=1, to=SECOND_DUE, owed_fen=500)
    book = after(replace(BOOK, penalties=(penalty,)), (line(1, 1_000, 33_002), line(2, 670, 33_332)))
    assert book == book_of(
        FUNDED_ON, OPENED.annual_rate, ROWS, [(1_000, 33_002), (670, 33_332)], penalties=[penalty]
    )
    assert (book.first_open, owed_fen(book, SECOND_DUE), book.outstanding_fen) == (1, 500, 33_666)


def _book(chance: Random) -> Book:
    """Some instalments with penalties, some partly paid in whatever order."""
    command = random_terms(chance)
    [opened] = given(LOAN).when(command, on(command.funded_on)).events
    penalties = [
        Penalty(number=row.number, to=row.due_on, owed_fen=chance.randint(0, 500))
        for row in opened.rows
        if row.principal_fen + row.interest_fen and chance.random() < 0.5
    ]
    book = book_of(opened.funded_on, opened.annual_rate, opened.rows, penalties=penalties)
    for _ in range(chance.randint(0, 2)):
        day = days(opened.funded_on, chance.randint(0, 250))
        book = after(book, allocate(book, chance.randint(0, command.principal_fen), day, _order(chance)))
    return book


def _order(chance: Random) -> PayOrder:
    components = chance.choice(list(permutations(COMPONENTS)))
    return PayOrder(across=chance.choice(("horizontal", "vertical")), components=components)


@settings(deadline=None, max_examples=80)
@hypothesis_given(st.randoms(use_true_random=False))
def test_an_allocation_is_what_the_accountant_says(chance: Random) -> None:
    """In every order, over whatever was paid before: the amount, or all that is due, part by part as the simulation's accountant
    sorts it; and what is open falls by exactly that."""
    book, order = _book(chance), _order(chance)
    day = days(book.funded_on, chance.randint(0, 300))
    amount_fen = chance.randint(1, 200_000)
    lines = allocate(book, amount_fen, day, order)
    due = {each.number: Due(book.rows[each.number - 1].due_on, each) for each in open_lines(book, day)}
    plain = {"across": order.across, "components": list(order.components)}
    paid = [{name: getattr(each, name) for name in _FIELDS} for each in lines]
    assert order_books.said(paid) == order_books.expected(due, amount_fen, day, plain)
    left = after(book, lines)
    assert left.outstanding_fen == book.outstanding_fen - sum(each.principal_fen for each in lines)
    assert left.penalty_fen == book.penalty_fen - sum(each.penalty_fen for each in lines)
    still = {each.number: each for each in open_lines(left, day)}
    for each in lines:
        before, now = due[each.number], still.get(each.number)
        for name in _FIELDS[1:]:
            assert getattr(before, name) - getattr(each, name) == (getattr(now, name) if now else 0)


_FIELDS = ("number", "penalty_fen", "fee_fen", "interest_fen", "principal_fen")


class Due:
    """An open instalment as the accountant reads it."""

    def __init__(self, due_on: date, owed: AllocationLine) -> None:
        self.due_on = due_on
        self.principal_fen, self.interest_fen = owed.principal_fen, owed.interest_fen
        self.fee_fen, self.penalty_fen = owed.fee_fen, owed.penalty_fen


def test_today_is_the_order_of_a_loan_that_names_none() -> None:
    """The oldest instalment's interest and principal before the next one's, whatever the loan's class."""
    classes: tuple[LoanClass, ...] = ("normal", "loss")
    for name in classes:
        order = order_of(None, name)
        assert allocate(BOOK, 34_003, SECOND_DUE, order) == (line(1, 1_000, 33_002), line(2, 1, 0))
