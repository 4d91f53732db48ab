"""What a lender's history says of a loan of which an asset settled some: nobody received that, and what is paid after it is for what is left."""

from collections import Counter
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.money import money_context
from libs.events.repayment import PaymentReceived
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.cash_history import Instalment, Piece, pieces_of
from tests.unit.repayment.asset_story import LORRY, SETTLED
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import LAST_DUE, OPENED, SECOND_DUE, days, distributed, line, received
from tests.unit.repayment.test_cash_history import of, require_sums, sums, told
from tests.unit.repayment.test_pause_lives import Poor

IN_TIME = (
    received("pay_1", SECOND_DUE, (line(2, 670, 33_332),), (66_998, 33_666)),
    distributed("pay_1", SECOND_DUE, (1, 16_666, 335, 34), (2, 10_000, 201, 20), (3, 6_666, 134, 13)),
)


def test_money_in_time_is_in_time_whatever_an_asset_settled_before_it() -> None:
    """A lorry took the place of February's instalment; March's is paid on its day: nothing is late, missed or expected of February."""
    [_, second, _], loan = told(OPENED, SETTLED, *IN_TIME)
    assert [month.model_dump(exclude_defaults=True) for month in of(second, loan=loan).months] == [
        {
            "month": "2024-03",
            "expected_principal_fen": 10_000,
            "expected_interest_fen": 201,
            "received_principal_fen": 10_000,
            "received_interest_fen": 201,
            "fee_fen": 20,
        },
        {"month": "2024-04", "expected_principal_fen": 10_099, "expected_interest_fen": 101},
    ]


def test_money_that_came_with_an_asset_is_for_what_the_asset_left() -> None:
    """On one day the asset is first, whatever of it: the second instalment's money is not the first's; an end in kind is for all rows."""
    rows = [Instalment(SECOND_DUE, 100, 100), Instalment(LAST_DUE, 100, 60)]
    assert pieces_of({LAST_DUE: 100}, rows, is_owed=True, in_kind={LAST_DUE: 60}) == {
        LAST_DUE: [Piece(LAST_DUE, SECOND_DUE, 40), Piece(LAST_DUE, LAST_DUE, 60)]
    }
    before, after = days(SECOND_DUE, -9), days(SECOND_DUE, 9)
    nothing = [Instalment(SECOND_DUE, 100, 30), Instalment(LAST_DUE, 100, 0)]
    assert pieces_of({before: 30}, nothing, is_owed=False, in_kind={after: 170}) == {
        before: [Piece(before, SECOND_DUE, 30)]
    }


class Settled(Poor):
    """A loan of which things settle something now and then, in the morning of a day that has no money yet."""

    assets = 0

    def meanwhile(self, place: str) -> None:
        """A thing for some of the arrears, or for all that is owed, if the loan can."""
        if place != "early" or self.chance.random() > 0.05 or self.today in _paid_on(self.events):
            return
        self.assets += 1
        worth = self.chance.choice((100, 10_000, 30_000, 1_000_000))
        terms = replace(
            LORRY, agreed_fen=worth, valued_fen=10**9, valued_on=self.today, acquired_on=self.today
        )
        self.say(CarryOutMeasure(measure_id=f"msr_{self.assets}", terms=terms))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_in_every_life_late_is_what_came_after_the_day_of_its_instalment(seed: int) -> None:
    """However much of a loan assets settle: each claim's sums hold, and what its history calls late is what payments brought to
    instalments that were due before, within a fen a claim and payment."""
    chance = Random(seed)
    terms = replace(random_terms(chance), guarantor="")
    lived = Settled(chance, terms.funded_on)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(60, 300)):
            for _ in lived.day():
                pass
    claims, loan = told(*lived.events)
    require_sums(claims, loan)
    due_on = {row.number: row.due_on for row in lived.events[0].rows}
    late: Counter[str] = Counter()
    for payment in (event for event in lived.events if isinstance(event, PaymentReceived)):
        for part in (part for part in payment.allocation if part.number):
            if payment.value_date > due_on[part.number]:
                late["fen"] += part.principal_fen + part.interest_fen
    told_fen = sum(sums(of(claim, loan=loan))["late_fen"] for claim in claims)
    slack = len(claims) * (len(loan.get("payments", {})) + len(due_on))
    assert abs(told_fen - late["fen"]) <= slack


def _paid_on(events: list[Any]) -> set[date]:
    return {event.value_date for event in events if isinstance(event, PaymentReceived)}
