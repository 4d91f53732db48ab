"""What a correction does to a claim that is for sale: its buyer holds no more than it could cost when it was reserved."""

from dataclasses import replace

from libs.events.claims import ReservationReleased
from services.repayment.domain.profile import profile_named
from tests.unit.given import given
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPENED, on
from tests.unit.repayment.test_correction import CORRECT, PAID, RESTATED
from tests.unit.repayment.test_trading import RESERVED, freed

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
