"""What a lender of a void contract was to get and got: the past says what it said, and what becomes principal does so on that day."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.money import money_context
from libs.events.repayment import LoanRepaid
from tests.unit.given import given as told_before
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import LOAN, on, pays
from tests.unit.repayment.test_cash_history import of, sums
from tests.unit.repayment.test_cash_history import told as held
from tests.unit.repayment.test_voidance import PAID, VOID, VOIDED

#: What is received is said of its month for ever; what was expected of it is what came of it, once nothing of it is open.
_CAME = ("received_principal_fen", "received_interest_fen", "received_penalty_fen", "fee_fen")
_WHEN = ("early_fen", "late_fen")


def months(*events: Any) -> list[dict[str, Any]]:
    """The first lender's, what is nothing left out."""
    [claim, *_], loan = held(*events)
    return [month.model_dump(exclude_defaults=True) for month in of(claim, loan=loan).months]


def test_what_came_in_time_stays_in_time_and_what_becomes_principal_is_of_its_day() -> None:
    """February says the same; in March 500 of interest become principal, nobody was early or late, and the rest is due."""
    february = {
        "month": "2024-02",
        "expected_principal_fen": 16_501,
        "expected_interest_fen": 500,
        "received_principal_fen": 16_501,
        "received_interest_fen": 500,
        "fee_fen": 50,
    }
    march = {
        "month": "2024-03",
        "expected_principal_fen": 500 + 32_999,
        "expected_interest_fen": -500,
        "received_principal_fen": 500,
        "received_interest_fen": -500,
        "fee_fen": -50,
    }
    assert months(*PAID)[0] == february
    assert months(*VOIDED) == [february, march]
    paid = told_before(LOAN, *VOIDED).when(pays(date(2024, 4, 2), 65_998), on(date(2024, 4, 2)))
    assert any(isinstance(event, LoanRepaid) for event in paid.events)
    april = {"month": "2024-04", "received_principal_fen": 32_999, "late_fen": 32_999}
    assert months(*VOIDED, *paid.events) == [february, march, april]


@given(seed=st.integers(0, 2**32), sells=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_month_that_is_over_says_the_same_of_what_came(seed: int, sells: bool) -> None:
    """Whatever was paid, sold, missed or prepaid before: of each claim what came in a month before, and how much of it early or late, stays;
    what was expected of that month is what came of it. In all, expected is received and what is open."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Lived(chance, terms.funded_on, sells=sells)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(1, 160)):
            for _ in lived.day():
                pass
        before = _all(lived.events)
        said = lived.say(VOID)
        assert not isinstance(said, str), said
        this_month, after = lived.today.isoformat()[:7], _all(lived.events)
        for claim in before:
            over = {name for name in before[claim] | after[claim] if name < this_month}
            for name in over:
                was, now = before[claim].get(name, {}), after[claim].get(name, {})
                assert {each: was.get(each, 0) for each in (*_CAME, *_WHEN)} == {
                    each: now.get(each, 0) for each in (*_CAME, *_WHEN)
                }
                assert _expected(now) == _expected(was) - was.get("missed_fen", 0)
        for _ in range(40):
            for _ in lived.day():
                pass
    claims, loan = held(*lived.events)
    for each in claims:
        total = sums(of(each, loan=loan))
        assert total["received_principal_fen"] == each["principal_back_fen"]
        assert total["received_interest_fen"] == each["interest_fen"] == total["expected_interest_fen"]
        left = each["outstanding_fen"] if loan["state"] == "running" else 0
        assert total["expected_principal_fen"] == total["received_principal_fen"] + left


def _all(events: Any) -> dict[str, dict[str, Mapping[str, Any]]]:
    claims, loan = held(*events)
    return {
        claim["claim_id"]: {month.month: month.model_dump() for month in of(claim, loan=loan).months}
        for claim in claims
    }


def _expected(month: Mapping[str, Any]) -> int:
    return int(month.get("expected_principal_fen", 0) + month.get("expected_interest_fen", 0))
