"""What a correction does to a claim that is for sale: its buyer holds no more than it could cost when it was reserved."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.claims import ReservationReleased
from services.repayment.domain.profile import profile_named
from tests.unit.given import given
from tests.unit.repayment.pause_story import ASKED_FOR, PAUSE, done
from tests.unit.repayment.stories import CONTRACTED, FIRST_DUE, INSTALLMENT, LOAN, OPENED, dues, on, pays
from tests.unit.repayment.test_correction import CORRECT, PAID, RESTATED, WRONG
from tests.unit.repayment.test_trading import RESERVE, RESERVED, freed

DEMO = profile_named("demo")
#: Offered once the payment had made it less.
LESS = replace(RESERVED, principal_fen=49_000, outstanding_fen=49_000, reserved_on=FIRST_DUE)


def released(history: tuple[object, ...]) -> list[ReservationReleased]:
    """What is for sale no more when the payment is reversed."""
    events = given(LOAN, OPENED, *history).when(CORRECT, on(FIRST_DUE)).events
    assert RESTATED in events
    return [event for event in events if isinstance(event, ReservationReleased)]


def test_a_claim_that_is_owed_more_than_its_buyer_was_told_is_for_sale_no_more() -> None:
    """Reversed is what came before it was offered: the buyer holds too little for what it costs now."""
    assert released((*PAID, LESS)) == [freed("claim_dearer")]


def test_a_claim_that_is_owed_what_it_was_stays_for_sale() -> None:
    """Reversed is what came after it was offered: it costs what its buyer was told."""
    assert released((RESERVED, *PAID)) == []


def test_nothing_is_for_sale_of_a_loan_that_is_behind_again_though_its_days_are_paused() -> None:
    """The payment of what fell due in the pause is reversed: no day has counted since, and it is unpaid all the same."""
    state: Any = given(LOAN, CONTRACTED).state
    offered = date(2024, 3, 10)
    asked = replace(RESERVE, value_date=offered)
    reverse = replace(WRONG, payment_id="pay_1", value_date=date(2024, 3, 5))
    told: list[Any] = []
    for day, command in (
        (ASKED_FOR, done(PAUSE)),
        (FIRST_DUE, dues(FIRST_DUE)),
        (date(2024, 3, 5), pays(date(2024, 3, 5), INSTALLMENT)),
        (offered, asked),
        (date(2024, 3, 12), replace(CORRECT, correction=reverse)),
    ):
        told = list(LOAN.decide(command, state, on(day)))
        for event in told:
            state = LOAN.evolve(state, event)
    assert [event for event in told if isinstance(event, ReservationReleased)] == [freed("loan_overdue")]
