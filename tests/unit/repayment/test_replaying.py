"""What came to a loan gives the loan: its journal, decided again, is its state, at every place of every day."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.money import money_context
from services.repayment.domain.journal import entries_of
from services.repayment.domain.loan_state import reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable, replay
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.lives import random_terms

DEMO = profile_named("demo")


@pytest.mark.parametrize(("sells", "pays"), [(False, 0.12), (True, 0.12), (False, 0.005)])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_journal_of_a_loan_gives_its_state_at_every_place_of_every_day(
    seed: int, sells: bool, pays: float
) -> None:
    """While no debit is answered late, replaying what came gives the live state field by field, and what was taken of each payment."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Lived(chance, terms.funded_on, sells=sells, pays=pays)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(30, 200)):
            for _ in lived.day():
                if chance.random() < 0.1:
                    check(lived)
            if chance.random() < 0.3:
                check(lived)


def check(lived: Lived) -> None:
    """The anchor of every correction."""
    live = reopened(lived.state)
    again = replay(DEMO, lived.state, lived.context, entries_of(live.journal))
    assert again.state == live
    assert again.is_repaid == (lived.state.kind == "repaid")
    assert is_replayable(DEMO, lived.state, lived.context)
