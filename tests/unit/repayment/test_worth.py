"""What a claim is worth on a day, in every manner of repayment: one function for payoff, market and portfolio."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.repayment import LoanOpened
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.domain.accruing import accrued_interest_fen, interest_max_fen
from services.repayment.domain.allocation import UNDUE, Book, after, allocate, book_of
from services.repayment.domain.expected import Holders
from services.repayment.domain.profile import profile_named
from services.repayment.domain.schedule import reached
from services.repayment.domain.settling import settlement
from services.repayment.domain.worth import Worth, worth_of
from tests.unit.given import given
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import FUNDED_ON, LOAN, OPEN, days, on
from tests.unit.repayment.test_trading import DAY, RESERVE, RESERVED, TRANSFER, TRANSFERRED

RULES = profile_named("demo").on(FUNDED_ON)


def opened(terms: RepaymentTerms) -> LoanOpened:
    """The stories' loan of 1,000.00, repaid in another manner."""
    [loan] = given(LOAN).when(replace(OPEN, repayment=terms), on(FUNDED_ON)).events
    assert isinstance(loan, LoanOpened)
    return loan


def book(loan: LoanOpened) -> Book:
    """Its book, nothing paid."""
    return book_of(loan.funded_on, loan.annual_rate, loan.rows, repayment=loan.repayment)


@pytest.mark.parametrize(
    ("terms", "interest_max_fen", "interest_fen"),
    [
        # 12 % on 500.00: thirteen days until the end of the offer, ten until the sale, over 365 and 360
        (RepaymentTerms(method="bullet"), 214, 164),
        (RepaymentTerms(method="bullet", interest_by="day", day_count="act_360"), 217, 167),
        (RepaymentTerms(method="flat", shift="following"), 214, 164),
        (RepaymentTerms(method="equal_principal", principal_grace=1, interest_grace=1), 214, 164),
        (RepaymentTerms(method="interest_first", interest_by="day", day_count="30e_360"), 217, 167),
    ],
)
def test_a_claim_of_any_manner_is_sold(
    terms: RepaymentTerms, interest_max_fen: int, interest_fen: int
) -> None:
    """Its buyer holds what can accrue while the offer stands, and pays what has accrued by the contract's own days."""
    loan = opened(terms)
    reserved = replace(
        RESERVED,
        interest_max_fen=interest_max_fen,
        matures_on=loan.rows[-1].due_on,
        method=terms.method,
    )
    wish = replace(RESERVE, until=days(FUNDED_ON, 13))
    given(LOAN, loan).when(wish, on(DAY)).then(reserved)
    take = replace(TRANSFER, held_fen=49_500 + interest_max_fen)
    given(LOAN, loan, reserved).when(take, on(DAY)).then(replace(TRANSFERRED, interest_fen=interest_fen))
    given(LOAN, loan, reserved, TRANSFERRED).when(take, on(DAY)).then_nothing()
    short = replace(take, held_fen=49_499 + interest_fen)
    given(LOAN, loan, reserved).when(short, on(DAY)).then_refused("above_maximum")


@settings(deadline=None, max_examples=60)
@hypothesis_given(st.randoms(use_true_random=False))
def test_it_is_what_a_settlement_would_pay_and_never_more_than_a_buyer_holds(chance: Random) -> None:
    """Whatever manner, whatever day: the whole loan has accrued what settling it costs, a part of it at most its share rounded, and on
    no day while an offer stands more than the most that its buyer was told."""
    terms = random_terms(chance)
    [loan] = given(LOAN).when(terms, on(terms.funded_on)).events
    whole = book(loan)
    first = terms.funded_on + timedelta(days=chance.randint(0, 500))
    whole = after(whole, allocate(whole, 10**12, first))
    last = first + timedelta(days=chance.randint(0, 90))
    owed_fen = whole.outstanding_fen
    part_fen = chance.randint(0, owed_fen)
    most_fen = interest_max_fen(RULES, whole, part_fen, (first, last))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        paid = after(whole, allocate(whole, 10**12, day))
        accrued = [line.interest_fen for line in settlement(paid, day, RULES) if line.number == UNDUE]
        left_fen = paid.outstanding_fen
        assert accrued_interest_fen(RULES, paid, left_fen, day, of_fen=left_fen) == sum(accrued)
        share_fen = part_fen * left_fen // owed_fen if owed_fen else 0
        said_fen = accrued_interest_fen(RULES, paid, share_fen, day, of_fen=left_fen)
        assert said_fen <= most_fen
        assert abs(said_fen * left_fen - sum(accrued) * share_fen) <= 2 * left_fen
        holders = Holders({"clm_a": left_fen - share_fen, "clm_b": share_fen})
        assert worth_of(RULES, paid, holders, "clm_b", day) == Worth(share_fen, 0, said_fen)


def test_what_is_overdue_is_worth_its_interest() -> None:
    """A third of the loan is worth a third of the interest that is due, and what runs since on a third of what is not due."""
    loan = opened(RepaymentTerms(method="interest_first"))
    late = date(2024, 3, 15)
    assert reached(loan.rows, late) == 1
    holders = Holders({"clm_a": 66_700, "clm_b": 33_300})
    assert worth_of(RULES, book(loan), holders, "clm_b", late) == Worth(33_300, 333, 164)
