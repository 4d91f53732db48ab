"""The auditor's books of what a loss brings: its cost is paid first, to the fen, and to whom it is owed."""

from typing import Any

import pytest

from tools.simulator.loan_books import WrongBooks
from tools.simulator.recoveries import Recoveries


def event(name: str, **data: Any) -> dict[str, Any]:
    """As the log tells it."""
    return {"type": f"repayment.{name}.v1", "data": {"loan_id": "loan_1", "payment_id": "pay_1", **data}}


LOSS = [event("LoanWrittenOff")]
BOOKED = [event("RecoveryCostBooked", account_id="acc_law", cost_fen=3_000)]


def cost(amount_fen: int, left_fen: int, account_id: str = "acc_law") -> dict[str, Any]:
    """What of a payment is the cost's."""
    return event("RecoveryCostPaid", account_id=account_id, amount_fen=amount_fen, left_fen=left_fen)


def debt(amount_fen: int) -> list[dict[str, Any]]:
    """What of a payment is the debt's."""
    return [
        event("PaymentReceived", amount_fen=amount_fen),
        event("RecoveryReceived", amount_fen=amount_fen, recovered_fen=amount_fen),
    ]


def audit(records: list[list[Any]]) -> None:
    """Fold them."""
    books = Recoveries()
    for events in records:
        books.record("here", events)


@pytest.mark.parametrize(
    "records",
    [
        [LOSS, BOOKED, [cost(3_000, 0), *debt(500)]],
        [LOSS, BOOKED, [cost(1_000, 2_000)], [cost(2_000, 0), *debt(500)]],
        [LOSS, BOOKED, [cost(3_000, 0), event("OverpaymentReturned", amount_fen=7)]],
    ],
)
def test_cost_first_is_right(records: list[list[Any]]) -> None:
    """In one payment or in two, and what the debt does not take goes back."""
    audit(records)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([LOSS, BOOKED, debt(500)], "of cost is left, and the debt is paid"),
        ([LOSS, BOOKED, [cost(1_000, 2_000), *debt(500)]], "for a cost of 3000"),
        ([LOSS, BOOKED, [cost(3_000, 0, "acc_bo")]], "owes its cost to acc_law"),
        ([LOSS, [cost(3_000, 0)]], "owes its cost to nobody"),
        ([LOSS, BOOKED, BOOKED], "costs again"),
        ([BOOKED], "was not written off"),
    ],
)
def test_what_is_not_is_found(records: list[list[Any]], words: str) -> None:
    """A cost that waits while the debt is paid, is paid to another, twice, or by nobody's leave."""
    with pytest.raises(WrongBooks, match=words):
        audit(records)
