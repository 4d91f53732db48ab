"""Debtors who keep their word: what they have promised they bring and pay, so that corrections find payments which kept a promise.

They draw from a chance of their own, so that what they do not do changes nobody else.
"""

from random import Random
from typing import Any

from services.bidding import commands as bidding
from tools.simulator.people import Api
from tools.simulator.sight import Sight


class PromiseKeepers:
    """All of them: loan -> what was promised last, until it is paid or given up."""

    def __init__(self, chance: Random, api: Api, sight: Sight) -> None:
        self._chance, self._api, self._sight = chance, api, sight
        self._promises: dict[str, int] = {}
        self._brought: set[str] = set()
        self._number = 0

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        match kind:
            case "collections.PromiseMade.v1" if self._chance.random() < 0.7:
                self._promises[data["loan_id"]] = data["amount_fen"]
            case (
                "collections.PromiseKept.v1"
                | "collections.PromiseBroken.v1"
                | "collections.PromiseReleased.v1"
            ):
                self._promises.pop(data["loan_id"], None)
                self._brought.discard(data["loan_id"])
            case _:
                pass

    def work(self) -> None:
        """Pay what one has, or bring it first."""
        for loan_id, amount_fen in list(self._promises.items()):
            loan = self._sight.loans.get(loan_id)
            if loan is None:
                continue
            self._number += 1
            if self._sight.available_fen.get(loan.account, 0) >= amount_fen:
                del self._promises[loan_id]
                payment = bidding.PayLoan(
                    payment_id=f"pay_promised_{self._number}",
                    loan_id=loan_id,
                    amount_fen=amount_fen,
                    settle=False,
                )
                self._api.ask("bidding", loan.account, payment, principal=loan.borrower)
            elif loan_id not in self._brought:
                self._brought.add(loan_id)
                top_up = bidding.RequestTopUp(
                    top_up_id=f"top_promised_{self._number}", amount_fen=2 * amount_fen
                )
                self._api.ask("bidding", loan.account, top_up, principal=loan.borrower)
