"""The auditor of closed accounts: what came before its owner left excuses nothing, and what comes after excuses its kind."""

from typing import Any

import pytest

from tools.simulator.closed_books import ClosedBooks
from tools.simulator.loan_books import WrongBooks


def event(name: str) -> Any:
    """An event of the account, with money that moves."""
    postings = [{"account": "clearing:x"}, {"account": "available:acc_x"}]
    moves = {} if name in ("AccountClosed", "AdjustmentBooked") else {"postings": postings}
    return {"type": f"bidding.{name}.v1", "data": {"account_id": "acc_x", **moves}}


def told(*names: str) -> None:
    """Tell them one by one."""
    books = ClosedBooks()
    for name in names:
        books.record("w", event(name))


@pytest.mark.parametrize(
    "names",
    [
        ("FundsHeld", "AccountClosed", "AdjustmentCredited", "WithdrawalRequested", "FundsWithdrawn"),
        ("AccountClosed", "AdjustmentBooked", "InvestorCredited", "AdjustmentDebited"),
        ("AccountClosed", "AssetProceedsCredited", "WithdrawalRequested", "WithdrawalFailed"),
        ("AccountClosed", "AdjustmentBooked", "InstallmentDebited", "LoanPaymentReturned"),
    ],
)
def test_what_is_his_comes_and_goes(names: tuple[str, ...]) -> None:
    """What a correction or an asset brings, what his loans pay or ask again, and what he takes out."""
    told(*names)


@pytest.mark.parametrize(
    "names",
    [
        ("AdjustmentBooked", "AccountClosed", "InvestorCredited"),
        ("AdjustmentCredited", "AccountClosed", "WithdrawalRequested"),
        ("AccountClosed", "AdjustmentBooked", "FundsHeld"),
        ("AccountClosed", "AdjustmentCredited", "FundsDeposited"),
        ("AccountClosed", "InvestorCredited"),
    ],
)
def test_nothing_else_moves(names: tuple[str, ...]) -> None:
    """Neither by a correction of before, nor what no correction brings, nor for no reason at all."""
    with pytest.raises(WrongBooks, match="money moves on the closed account acc_x"):
        told(*names)
