"""What a correction does to a claim that is for sale, or was sold: a buyer holds no more than it could cost when it was reserved, and has what he
paid for whatever is put right before his day."""

from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.claims import ReservationReleased
from libs.events.corrections import LoanRestated
from services.repayment.commands import ReserveClaim, TransferClaim
from services.repayment.domain.profile import profile_named
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from tests.unit.documents import documents, history
from tests.unit.given import given
from tests.unit.repayment.correction_story import CORRECT, PAID, RESTATED, WRONG
from tests.unit.repayment.pause_story import ASKED_FOR, PAUSE, done
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FUNDED_ON,
    INSTALLMENT,
    LOAN,
    OPEN,
    OPENED,
    days,
    debit_id,
    debited,
    dues,
    on,
    pays,
)
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


SOLD_ON = days(FIRST_DUE, 5)
OFFER = ReserveClaim(
    offer_id="offer_1", claim_id="clm_7_3", seller="usr_3", principal_fen=None, value_date=SOLD_ON
)
TAKE = TransferClaim(
    offer_id="offer_1",
    hold_id="hold_1",
    buyer="usr_9",
    buyer_account="acc_9",
    price_permille=1000,
    fee_permille=0,
    held_fen=1_000_000,
    value_date=SOLD_ON,
)


def lived(*commands: tuple[Any, date]) -> list[Any]:
    """What a loan says to them, one after the other."""
    told: list[Any] = []
    for command, day in commands:
        told += given(LOAN, *told).when(command, on(day)).events
    return told


def test_a_payment_is_reversed_whatever_was_sold_since() -> None:
    """The third holder gives back 66.00 of principal that he had got before he sold all that was left, 134.00: the buyer keeps the 134.00 that
    he paid for, and the 66.00 are owed to the seller again."""
    paid = [(OPEN, FUNDED_ON), (dues(FIRST_DUE), FIRST_DUE), (debited(FIRST_DUE, INSTALLMENT), FIRST_DUE)]
    told = lived(*paid, (OFFER, SOLD_ON), (TAKE, SOLD_ON))
    got_fen = 20_000 - told[-1].claim.principal_fen
    day = days(SOLD_ON, 1)
    wrong = replace(
        CORRECT, correction=replace(CORRECT.correction, payment_id=debit_id(FIRST_DUE), value_date=FIRST_DUE)
    )
    put_right = given(LOAN, *told).when(wrong, on(day))
    restated = next(event for event in put_right.events if isinstance(event, LoanRestated))
    assert [(line.claim_id, line.principal_fen) for line in restated.standing.claims] == [
        ("clm_7_1", 50_000),
        ("clm_7_2", 30_000),
        ("clm_7_3", got_fen),
        ("clm_7_4", 20_000 - got_fen),
    ]
    moved = {line.account_id: line.principal_fen for line in restated.lines}
    assert (moved["acc_3"], "acc_9" in moved) == (-got_fen, False)
    holders = {claim.claim_id: claim.investor for claim in put_right.state.claims}
    assert (holders["clm_7_3"], holders["clm_7_4"]) == ("usr_3", "usr_9")
    shown = documents(CLAIMS_HELD, history("loan_7", *told, *put_right.events))["clm_7_3"]
    assert (shown["outstanding_fen"], shown["sold_whole"]) == (got_fen, False)


def test_what_was_sold_is_not_made_less() -> None:
    """Prepaid before the sale by a later date, less would have been there to be sold: the sale stands, and the correction is refused."""
    prepaid = replace(pays(days(SOLD_ON, 1), 50_000), prepay="reamortise")
    paid = [(OPEN, FUNDED_ON), (dues(FIRST_DUE), FIRST_DUE), (debited(FIRST_DUE, INSTALLMENT), FIRST_DUE)]
    told = lived(*paid, (OFFER, SOLD_ON), (TAKE, SOLD_ON), (prepaid, days(SOLD_ON, 1)))
    moved = replace(CORRECT.correction, kind="redate", value_date=days(SOLD_ON, 1), to_date=days(SOLD_ON, -1))
    again = given(LOAN, *told).when(replace(CORRECT, correction=moved), on(days(SOLD_ON, 2)))
    assert again.refused == "claim_sold_since"
