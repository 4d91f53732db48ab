"""What the borrower pays is what the holders and the platform get, to the fen."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.money import Rounding
from libs.events.repayment import DistributionLine
from services.repayment.domain.distribution import distribute
from tests.unit.repayment.stories import CLAIMS, claim


def share(order: int, principal_fen: int, interest_fen: int, fee_fen: int) -> DistributionLine:
    """What investor `order` gets."""
    return DistributionLine(
        claim_id=f"clm_7_{order}",
        account_id=f"acc_{order}",
        investor=f"usr_{order}",
        principal_fen=principal_fen,
        interest_fen=interest_fen,
        fee_fen=fee_fen,
    )


def test_principal_and_interest_are_split_by_what_each_claim_is_still_owed() -> None:
    """50 : 30 : 20 of 33,002 + 1,000; the fen of 9,900.6 goes to the largest remainder; a tenth of interest is the fee."""
    assert distribute(33_002, 1_000, CLAIMS, 100, Rounding.HALF_UP) == (
        share(1, 16_501, 500, 50),
        share(2, 9_901, 300, 30),
        share(3, 6_600, 200, 20),
    )


def test_888_49_among_three_equal_lenders() -> None:
    """296.17 / 296.16 / 296.16: equal remainders are served in claim order (rules.md 1.1)."""
    lenders = [claim(order, 29_617) for order in (1, 2, 3)]
    shares = distribute(88_849, 0, lenders, 100, Rounding.HALF_UP)
    assert [line.principal_fen for line in shares] == [29_617, 29_616, 29_616]


def test_the_fee_is_rounded_for_each_holder() -> None:
    """5 fen of interest at 100 permille is 0.5: one fen half-up, none half-even."""
    lender = [claim(1, 1_000)]
    assert distribute(0, 5, lender, 100, Rounding.HALF_UP) == (share(1, 0, 5, 1),)
    assert distribute(0, 5, lender, 100, Rounding.HALF_EVEN) == (share(1, 0, 5, 0),)


def test_a_holder_who_gets_nothing_has_no_line() -> None:
    """One fen among three goes to one."""
    assert distribute(1, 0, CLAIMS, 100, Rounding.HALF_UP) == (share(1, 1, 0, 0),)


def test_money_for_claims_that_are_all_repaid_is_an_error() -> None:
    """There is nobody to give it to: ValueError."""
    with pytest.raises(ValueError, match="nobody"):
        distribute(1, 0, [], 100, Rounding.HALF_UP)


@given(
    st.data(),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=50).filter(any),
    st.integers(0, 10**9),
    st.integers(0, 1000),
    st.sampled_from(Rounding),
)
def test_nothing_is_lost_and_nobody_gets_more_than_his_own(
    data: st.DataObject, owed: list[int], interest_fen: int, permille: int, mode: Rounding
) -> None:
    """Σ principal and Σ interest are the payment's; no claim goes below zero; a fee never exceeds its interest."""
    lenders = [
        DistributionLine(
            claim_id=f"clm_{order}",
            account_id=f"acc_{order}",
            investor=f"usr_{order}",
            principal_fen=fen,
            interest_fen=0,
            fee_fen=0,
        )
        for order, fen in enumerate(owed)
    ]
    principal_fen = data.draw(st.integers(0, sum(owed)))
    shares = distribute(principal_fen, interest_fen, lenders, permille, mode)
    assert sum(line.principal_fen for line in shares) == principal_fen
    assert sum(line.interest_fen for line in shares) == interest_fen
    by_claim = {line.claim_id: line for line in shares}
    for lender in lenders:
        line = by_claim.get(lender.claim_id)
        if line is None:
            continue
        assert line.principal_fen <= lender.principal_fen
        assert 0 <= line.fee_fen <= line.interest_fen
        assert line.interest_fen in _near(Fraction(interest_fen * lender.principal_fen, sum(owed)))


def _near(exact: Fraction) -> tuple[int, int]:
    return floor(exact), floor(exact) + 1
