"""A lender who knew of the illegal purpose of a void contract: what others give back is not for him before the others have theirs."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.corrections import AdjustingLine, ClaimChange, ClaimStanding, LoanRestated
from libs.events.money import money_context
from libs.events.voidance import Voidance
from services.repayment.domain.loan_state import reopened
from tests.unit.given import given
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import LOAN, on
from tests.unit.repayment.test_voidance import ASK, MARCH, PAID, RESTATED, SAID, VOID, WATCHED

ILLEGAL = Voidance(ground="illegal_purpose", knew=("usr_3",))


def moved(order: int, interest_fen: int, fee_fen: int, back_fen: int) -> tuple[ClaimChange, AdjustingLine]:
    """What a lender got as interest is principal, and so much comes to him of the platform's fee."""
    principal_fen = interest_fen - fee_fen + back_fen
    change = ClaimChange(
        claim_id=f"clm_7_{order}",
        principal_fen=principal_fen,
        interest_fen=-interest_fen,
        penalty_fen=0,
        fee_fen=-fee_fen,
    )
    line = AdjustingLine(
        account_id=f"acc_{order}",
        principal_fen=principal_fen,
        interest_fen=-interest_fen,
        penalty_fen=0,
        fee_fen=-fee_fen,
        returned_fen=0,
        amount_fen=back_fen,
    )
    return change, line


def test_who_knew_has_none_of_what_the_platform_gives_back() -> None:
    """Whole events: the fee of 100 goes to the two others by the size of their claims, 63 and 37; he is owed 20 more than otherwise."""
    terms = replace(ILLEGAL)
    said = replace(SAID, ground="illegal_purpose", knew=("usr_3",))
    changes = [moved(1, 500, 50, 63), moved(2, 300, 30, 37), moved(3, 200, 20, 0)]
    restated = replace(
        RESTATED,
        standing=replace(
            RESTATED.standing,
            claims=(
                ClaimStanding(claim_id="clm_7_1", principal_fen=32_986),
                ClaimStanding(claim_id="clm_7_2", principal_fen=19_792),
                ClaimStanding(claim_id="clm_7_3", principal_fen=13_220),
            ),
        ),
        claims=tuple(change for change, _ in changes),
        lines=tuple(line for _, line in changes),
    )
    given(LOAN, *PAID).when(replace(VOID, terms=terms), on(MARCH)).then(said, restated, WATCHED)


def test_if_all_knew_nobody_is_before_another() -> None:
    """They share it by the size of their claims, as if nobody had known."""
    terms = replace(ILLEGAL, knew=("usr_1", "usr_2", "usr_3"))
    [_, restated, _] = given(LOAN, *PAID).when(replace(VOID, terms=terms), on(MARCH)).events
    assert restated == RESTATED


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (replace(ILLEGAL, ground="fraud"), "not_illegal_purpose"),
        (replace(ILLEGAL, ground="duress"), "not_illegal_purpose"),
        (replace(ILLEGAL, knew=("usr_9",)), "invalid_lenders"),
        (replace(ILLEGAL, knew=("usr_bo",)), "invalid_lenders"),
        (replace(ILLEGAL, knew=("usr_3", "usr_3")), "invalid_lenders"),
    ],
)
def test_only_lenders_know_and_only_of_a_purpose(terms: Voidance, code: str) -> None:
    """Said when it is proposed: who holds none of its claims, or is named twice, or on another ground, is refused by name."""
    given(LOAN, *PAID).when(replace(ASK, terms=terms), on(MARCH)).then_refused(code)
    assert given(LOAN, *PAID).when(replace(ASK, terms=ILLEGAL), on(MARCH)).events


@drawn(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_the_others_come_first_and_the_sums_are_the_same(seed: int) -> None:
    """Whatever was paid, sold or prepaid before, and whoever knew: who knew gets something only when nothing is left to anybody else,
    and what is left in all is what it is when nobody knew."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Lived(chance, terms.funded_on, sells=chance.random() < 0.5)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(1, 120)):
            for _ in lived.day():
                pass
        claims = reopened(lived.state).claims
        knew = tuple(dict.fromkeys(each.investor for each in claims if chance.random() < 0.4))
        nobody = LOAN.decide(VOID, lived.state, on(lived.today))
        said = lived.say(replace(VOID, terms=Voidance(ground="illegal_purpose", knew=knew)))
    assert not isinstance(said, str), said
    before, after = _restated(nobody), _restated(said)
    assert after.principal_after_fen == before.principal_after_fen
    left = {each.claim_id: each.principal_fen for each in after.standing.claims}
    unprotected = {each.account_id for each in claims if each.investor in knew}
    gets = any(line.amount_fen > 0 for line in after.lines if line.account_id in unprotected)
    others_fen = sum(left[each.claim_id] for each in claims if each.investor not in knew)
    assert not (gets and others_fen)


def _restated(events: Any) -> LoanRestated:
    found = next(event for event in events if isinstance(event, LoanRestated))
    assert isinstance(found, LoanRestated)
    return found
