"""The auditor's books of what a loss brings: its cost is paid first, to the fen, and to whom it is owed."""

from typing import Any

import pytest

from tools.simulator.loan_books import WrongBooks
from tools.simulator.recoveries import Recoveries


def event(name: str, **data: Any) -> dict[str, Any]:
    """As the log tells it."""
    return {"type": f"repayment.{name}.v1", "data": {"loan_id": "loan_1", "payment_id": "pay_1", **data}}


def loss(cost_fen: int = 3_000, cost_account: str = "acc_law") -> list[dict[str, Any]]:
    """A write-off is proposed with its cost, and done."""
    terms = {"kind": "write_off", "cost_fen": cost_fen, "cost_account": cost_account}
    payee = {"measure_id": "msr_1", "account_id": cost_account}
    return [
        event("MeasureProposed", measure_id="msr_1", terms=terms),
        {"type": "bidding.PayeeConfirmed.v1", "data": payee},
        event("LoanWrittenOff"),
    ]


LOSS = loss()
BOOKED = [event("RecoveryCostBooked", measure_id="msr_1", account_id="acc_law", cost_fen=3_000)]


def cost(amount_fen: int, left_fen: int, account_id: str = "acc_law") -> dict[str, Any]:
    """What of a payment is the cost's."""
    return event("RecoveryCostPaid", account_id=account_id, amount_fen=amount_fen, left_fen=left_fen)


def debt(amount_fen: int) -> list[dict[str, Any]]:
    """What of a payment is the debt's."""
    return [
        event("PaymentReceived", amount_fen=amount_fen),
        event("RecoveryReceived", amount_fen=amount_fen, recovered_fen=amount_fen),
    ]


def given(amount_fen: int, account_id: str = "acc_law") -> list[dict[str, Any]]:
    """It comes to an account."""
    name = "bidding.LoanPaymentReturned.v1"
    data = {"payment_id": "cost:pay_1", "account_id": account_id, "amount_fen": amount_fen}
    return [{"type": name, "data": data}]


def restated(cost_paid_fen: int, owed_fen: int | None, line_fen: int) -> list[dict[str, Any]]:
    """A correction of a payment that paid some of it; nothing else of the loan is another."""
    cost = (
        None if owed_fen is None else {"measure_id": "msr_1", "account_id": "acc_law", "owed_fen": owed_fen}
    )
    lines = [{"account_id": "acc_law", "cost_fen": line_fen}]
    standing = {"measured": {"cost": cost}}
    return [
        event("LoanRestated", recovered_fen=0, cost_paid_fen=cost_paid_fen, standing=standing, lines=lines)
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
        [LOSS, BOOKED, [cost(3_000, 0)], given(3_000)],
        [LOSS, BOOKED, [cost(3_000, 0)], restated(-3_000, 3_000, -3_000), [cost(3_000, 0), *debt(500)]],
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
        ([LOSS, BOOKED, [cost(3_000, 0)], BOOKED], "is done again"),
        ([loss(cost_fen=2_999), BOOKED], "was agreed"),
        ([[LOSS[0], LOSS[2]], BOOKED], "was not asked"),
        ([loss(cost_account="acc_bo"), BOOKED], "was agreed"),
        ([LOSS, BOOKED, [cost(3_000, 0)], given(3_000, "acc_bo")], "is due"),
        ([LOSS, BOOKED, [cost(3_000, 0)], given(2_999)], "is due"),
        ([LOSS, BOOKED, [cost(3_000, 0)], given(3_000), given(3_000)], "None is due"),
        ([LOSS, BOOKED, [cost(3_000, 0)], restated(-3_000, 2_000, -3_000)], "by a correction, it is"),
        ([LOSS, BOOKED, [cost(3_000, 0)], restated(-3_000, None, -3_000)], "more of the cost"),
        ([LOSS, BOOKED, [cost(3_000, 0)], restated(-3_000, 3_000, 0)], "in all -3000"),
        ([LOSS, BOOKED, restated(-1, 3_001, -1)], "more of the cost"),
        ([BOOKED], "was not written off"),
    ],
)
def test_what_is_not_is_found(records: list[list[Any]], words: str) -> None:
    """A cost that waits while the debt is paid, is paid to another, twice, or by nobody's leave."""
    with pytest.raises(WrongBooks, match=words):
        audit(records)


def test_what_was_paid_of_a_cost_comes_to_rest_on_its_account() -> None:
    """Nothing of it stays in the clearing of its loan."""
    books = Recoveries()
    for events in (LOSS, BOOKED, [cost(3_000, 0)]):
        books.record("here", events)
    with pytest.raises(WrongBooks, match="never come to acc_law"):
        books.at_rest()
    books.record("there", given(3_000))
    books.at_rest()
