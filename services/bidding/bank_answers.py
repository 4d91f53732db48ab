"""The bank's answer as a command: made here only, so that a call-back and an asked-for answer are one command and count once.

A command's id follows from its call (libs/runtime/http/calls.py), and the call from the route that the bank calls back on.
"""

from typing import Final

from libs.runtime.http import Call, Order
from libs.runtime.http.access import BANK
from services.bidding.commands import ConfirmTopUp, ConfirmWithdrawal
from services.bidding.custodian import BankAnswer, Kind

#: Where the bank calls back, below `/bidding`.
TOP_UP_ROUTE: Final = "/bank/top-ups/{account}/{top_up}"
WITHDRAWAL_ROUTE: Final = "/bank/withdrawals/{account}/{withdrawal}"

_ROUTES: Final[dict[Kind, tuple[str, str]]] = {
    "collect": (f"POST /bidding{TOP_UP_ROUTE}", "top_up"),
    "pay_out": (f"POST /bidding{WITHDRAWAL_ROUTE}", "withdrawal"),
}


def order_of(kind: Kind, account: str, request_id: str, answer: BankAnswer) -> Order:
    """What the answer asks of the log."""
    said = {
        "bank_reference": answer.bank_reference,
        "amount_fen": answer.amount_fen,
        "succeeded": answer.succeeded,
        "code": answer.code,
    }
    command = (
        ConfirmTopUp(top_up_id=request_id, **said)  # type: ignore[arg-type]  # one dict of all fields
        if kind == "collect"
        else ConfirmWithdrawal(withdrawal_id=request_id, **said)  # type: ignore[arg-type]
    )
    return Order(account, command, key=answer.key())


def call_of(kind: Kind, account: str, request_id: str) -> Call:
    """The call-back that the bank has made, or would have."""
    route, name = _ROUTES[kind]
    return Call(BANK, route, {"account": account, name: request_id}, None, b"")
