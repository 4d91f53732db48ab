"""The life of a loan whose borrower always has money: nothing is said that need not be."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.deciding import Wake
from services.repayment.commands import RecordDebit
from tests.unit.given import context, step
from tests.unit.repayment.stories import LOAN, OPEN


@pytest.mark.parametrize("day", [date(2024, 2, 28), date(2024, 2, 29), date(2025, 1, 31)])
def test_an_undisturbed_life_takes_one_wake_and_one_debit_a_month(day: date) -> None:
    """A borrower who always has money: n dues, n payments, the end; nothing else is ever said."""
    life = _in_time(day)
    kinds = [type(event).__name__ for event in life]
    assert kinds == [
        "LoanOpened",
        *["InstallmentDue", "PaymentReceived", "RepaymentDistributed"] * 6,
        "LoanRepaid",
    ]


def _in_time(day: date) -> list[Any]:
    state: Any = LOAN.initial
    events: list[Any] = []

    def say(command: Any, today: date) -> tuple[Any, ...]:
        nonlocal state
        outcome = step(LOAN, state, command, context(today))
        state = outcome.state
        events.extend(outcome.events)
        return outcome.events

    say(replace(OPEN, tenor_months=6, funded_on=day), day)
    while (due := LOAN.wake_on(state)) is not None:
        assert due[1] == 2
        (asked,) = say(Wake(business_date=due[0], phase=2), due[0])
        answer = RecordDebit(
            debit_id=asked.debit_id,
            account_id="acc_bo",
            debited_fen=asked.debit_fen,
            value_date=asked.value_date,
        )
        say(answer, due[0])
    return events
