"""Who pays on a loan by his own wish: too little, too much, early, a part of it early, or on one that is not his."""

from collections.abc import Callable
from random import Random

from libs.events.rescheduling import Prepay
from services.bidding import commands as bidding
from tools.simulator.people import Api
from tools.simulator.sight import LoanSight, Sight


def prepay_of(number: int) -> Prepay | None:
    """Two of five ask to prepay a part, one to keep the term, one to shorten it, by their number: so that no draw of a seed is used up.
    Whether the loan takes it is its own matter."""
    modes: dict[int, Prepay] = {1: "reamortise", 3: "shorten"}
    return modes.get(number % 5)


class Payers:
    """Voluntary payments, and those of who is late. `number` counts what people do, `person` picks one with his account."""

    def __init__(
        self,
        rng: Random,
        api: Api,
        sight: Sight,
        number: Callable[[], int],
        person: Callable[[], tuple[str, str]],
    ) -> None:
        self._rng, self._api, self._sight = rng, api, sight
        self._number, self._person = number, person

    def scrape_together(self, loan: LoanSight) -> None:
        """Who is late finds a part of it now and then, or more than is owed."""
        chance = self._rng.random()
        if chance < 0.3:
            amount = loan.installment_fen // self._rng.choice((1, 2, 3)) + self._rng.choice((0, 1))
            top_up = bidding.RequestTopUp(top_up_id=f"top_{self._number()}", amount_fen=amount)
            self._api.ask("bidding", loan.account, top_up, principal=loan.borrower)
        elif chance < 0.6 and (available := self._sight.available_fen.get(loan.account, 0)):
            amount = self._rng.choice((available, max(1, min(available, loan.installment_fen) // 2)))
            self._pay_on(loan.loan_id, loan.borrower, loan.account, amount, settle=False, prepays=False)

    def pay(self) -> None:
        """Somebody pays on a loan, mostly its borrower."""
        loans = list(self._sight.loans.values())
        if not loans:
            owner, account = self._person()
            self._pay_on("loan_none", owner, account, 100, settle=False, prepays=False)
            return
        loan = self._rng.choice(loans)
        owner, account = loan.borrower, loan.account
        if self._rng.random() < 0.1:
            owner, account = self._person()
        settle = self._rng.random() < 0.15
        amount = self._rng.choice(
            (
                loan.installment_fen,
                loan.installment_fen // 3,
                loan.installment_fen * 2 + 1,
                loan.outstanding_fen + loan.installment_fen,
                loan.outstanding_fen * 2,
                self._sight.available_fen.get(account, 0),
            )
        )
        self._pay_on(loan.loan_id, owner, account, max(1, amount), settle=settle, prepays=not settle)

    def _pay_on(
        self, loan_id: str, owner: str, account: str, amount: int, *, settle: bool, prepays: bool
    ) -> None:
        number = self._number()
        payment = bidding.PayLoan(
            payment_id=f"pay_{number}",
            loan_id=loan_id,
            amount_fen=amount,
            settle=settle,
            prepay=prepay_of(number) if prepays else None,
        )
        self._api.ask("bidding", account, payment, principal=owner)
