"""How long a replay may be: what would stop its partition is refused by name, and nothing changes."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.corrections import Correction, LoanRestated
from libs.events.voidance import Voidance
from services.repayment.commands import RecordPayment
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain import replay_start, restatement
from tests.unit.given import context, decided
from tests.unit.repayment.stories import FIRST_DUE, LOAN, OPEN, claim

HOLDERS, PAYMENTS = 3, 2
WRONG = Correction(
    correction_id="cor_1",
    loan_id="loan_7",
    payment_id="pay_1",
    kind="reverse",
    reason="wrong_loan",
    value_date=FIRST_DUE,
)
REVERSE = CorrectPayment(correction=WRONG, booking="same_year")
VOID = CarryOutMeasure(measure_id="msr_1", terms=Voidance(ground="fraud"))


def paid_twice() -> Any:
    """The state of a loan of three holders whose first instalment came in two payments on its day."""
    claims = tuple(claim(order, 1_000_00) for order in range(1, HOLDERS + 1))
    opening = replace(OPEN, principal_fen=HOLDERS * 1_000_00, claims=claims)
    state = LOAN.initial
    payments = (
        RecordPayment(
            payment_id=f"pay_{number}",
            account_id="acc_bo",
            payer="usr_bo",
            amount_fen=50_00,
            value_date=FIRST_DUE,
            settle=False,
        )
        for number in range(1, PAYMENTS + 1)
    )
    for command, on in ((opening, OPEN.funded_on), *((payment, FIRST_DUE) for payment in payments)):
        events = decided(LOAN, state, command, context(on))
        assert not isinstance(events, str), events
        for event in events:
            state = LOAN.evolve(state, event)
    return state


@pytest.mark.parametrize("spare", [0, -1])
@pytest.mark.parametrize("command", [REVERSE, VOID], ids=["correction", "voidance"])
def test_what_replays_more_shares_than_a_decision_may_make_is_refused(
    monkeypatch: pytest.MonkeyPatch, command: Any, spare: int
) -> None:
    """As many shares as there may be are made; one more is refused by name."""
    monkeypatch.setattr(replay_start, "SHARES_MAX", HOLDERS * PAYMENTS + spare)
    outcome = decided(LOAN, paid_twice(), command, context(FIRST_DUE))
    if spare < 0:
        assert outcome == "replay_too_long"
    else:
        assert [type(event) for event in outcome].count(LoanRestated) == 1


@pytest.mark.parametrize("spare", [0, -1])
@pytest.mark.parametrize(
    ("command", "accounts"), [(REVERSE, HOLDERS + 1), (VOID, HOLDERS)], ids=["correction", "voidance"]
)
def test_what_moves_money_between_more_accounts_than_a_command_can_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, command: Any, accounts: int, spare: int
) -> None:
    """Each holder has a line, and the payer one whose money goes back; the settlement of one more could not be opened."""
    monkeypatch.setattr(restatement, "LINES_MAX", accounts + spare)
    outcome = decided(LOAN, paid_twice(), command, context(FIRST_DUE))
    if spare < 0:
        assert outcome == "too_many_accounts"
    else:
        assert [type(event) for event in outcome].count(LoanRestated) == 1
