"""Who enters a voided payment again: its loan's borrower pays anew, naming what it replaces, and sometimes names what he must not.

They act only where a plan asks for them (`Plan.enters_again`) and by draws of their own, so that nobody else's traffic changes.
"""

from random import Random
from typing import Any

from services.bidding import commands as bidding
from tools.simulator.people import Api
from tools.simulator.plan import Plan
from tools.simulator.sight import Sight


class Reentries:
    """All of them: what was voided and is not entered again, as (loan, payment, amount)."""

    def __init__(self, plan: Plan, api: Api, sight: Sight) -> None:
        self._chance, self._may = Random(plan.people * 19 + plan.days), plan.enters_again
        self._api, self._sight = api, sight
        self._voided: list[tuple[str, str, int]] = []
        self._counted: dict[str, str] = {}
        self._number = 0

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        if not self._may:
            return
        if kind == "repayment.PaymentReversed.v1":
            self._voided.append((data["loan_id"], data["payment_id"], data["amount_fen"]))
        elif kind == "repayment.PaymentReceived.v1":
            self._counted[data["loan_id"]] = data["payment_id"]

    def new_day(self) -> None:
        """Enter what one has the money for, now and then again what was entered, or in the place of another payment."""
        for at in list(self._voided):
            loan_id, payment_id, amount_fen = at
            loan = self._sight.loans.get(loan_id)
            money_fen = min(amount_fen, self._sight.available_fen.get(loan.account, 0)) if loan else 0
            if loan is None or not money_fen:
                continue
            named = payment_id
            if self._chance.random() < 0.4:
                named = self._chance.choice((self._counted.get(loan_id, "pay_none"), "pay_none"))
            elif self._chance.random() < 0.7:
                self._voided.remove(at)
            self._number += 1
            again = bidding.PayLoan(
                payment_id=f"pay_again_{self._number}",
                loan_id=loan_id,
                amount_fen=money_fen,
                settle=False,
                replaces=named,
            )
            self._api.ask("bidding", loan.account, again, principal=loan.borrower)
