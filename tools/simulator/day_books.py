"""Money and the date on which it counts, kept once more from the log: what left an account on a day counts on that day, and has
reached the loan before the day judges it, whoever pays while the day is being closed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tools.simulator.books import Books
from tools.simulator.loan_books import require


@dataclass(slots=True)
class Outgoing:
    """Money that has left a borrower's account for a loan and has not come there: the date on which it counts."""

    loan_id: str
    value_date: date


@dataclass(slots=True)
class DayBooks:
    """Debits that loans have asked for, and money on its way to them."""

    books: Books
    asked: dict[str, date] = field(default_factory=dict)
    outgoing: dict[str, Outgoing] = field(default_factory=dict)

    def record(self, where: str, event: Any, on: str | None) -> None:
        """Fold one event of a decision that was made on a business date. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, event["data"], None if on is None else date.fromisoformat(on))

    def judged(self, where: str, loan_id: str, day: date) -> None:
        """The misses phase of a day is over for a loan: all money of that day and before has come, and nothing was told too soon."""
        late = [
            name
            for name, money in self.outgoing.items()
            if money.loan_id == loan_id and money.value_date <= day
        ]
        require(not late, f"{where}: {loan_id} is judged on {day} before {late} has come")
        loan = self.books.loans[loan_id]
        for number, row in loan.rows.items():
            is_early = row.missed and not loan.counted(row.due_on, day)
            require(not is_early, f"{where}: {loan_id} misses {number} too soon")

    def _asks(self, where: str, data: Any, today: date | None) -> None:
        """A debit is dated by the day that asks."""
        asked_on = date.fromisoformat(data["value_date"])
        require(asked_on == today, f"{where}: {data['debit_id']} is asked on {asked_on}, today is {today}")
        self.asked[data["debit_id"]] = asked_on

    def _answers(self, where: str, data: Any, today: date | None) -> None:
        """What a debit finds counts on the day on which it was asked, and was there by then: accounts are one day ahead of it."""
        name, value_date = data["debit_id"], date.fromisoformat(data["value_date"])
        require(
            self.asked.get(name) == value_date,
            f"{where}: {name} is answered for {value_date}, asked on {self.asked.get(name)}",
        )
        is_over = today is not None and (today - value_date).days > 1
        code = data.get("code", "")
        is_right = code in ("day_over", "owner_deceased") if is_over else code != "day_over"
        require(is_right, f"{where}: {name} of {value_date} is answered {code!r} on {today}")
        if "debited_fen" in data:
            self.outgoing[name] = Outgoing(data["loan_id"], value_date)

    def _pays(self, where: str, data: Any, today: date | None) -> None:
        """A voluntary payment counts on the date of the account on which it left."""
        value_date = date.fromisoformat(data["value_date"])
        require(value_date == today, f"{where}: {data['payment_id']} is dated {value_date}, today is {today}")
        self.outgoing[data["payment_id"]] = Outgoing(data["loan_id"], value_date)

    def _comes(self, where: str, data: Any, _today: date | None) -> None:
        """The loan takes it on that date."""
        money = self.outgoing.pop(data["payment_id"], None)
        require(money is not None, f"{where}: {data['payment_id']} comes from nowhere")
        assert money is not None, "required above"
        value_date = date.fromisoformat(data["value_date"])
        require(
            money.value_date == value_date,
            f"{where}: {data['payment_id']} of {money.value_date} counts on {value_date}",
        )

    def _costs(self, where: str, data: Any, today: date | None) -> None:
        """Or all that it takes of it is what its pursuit cost."""
        if data["is_all"]:
            self._comes(where, data, today)

    def _returns(self, _where: str, data: Any, _today: date | None) -> None:
        """Or sends it back."""
        self.outgoing.pop(data["payment_id"], None)

    def _refuses(self, _where: str, data: Any, _today: date | None) -> None:
        """Or does not know it, or its payer."""
        self.outgoing.pop(data["about"].get("payment_id", ""), None)


_HANDLERS: dict[str, Callable[[DayBooks, str, Any, date | None], None]] = {
    "repayment.InstallmentDue.v1": DayBooks._asks,
    "repayment.DebitRequested.v1": DayBooks._asks,
    "bidding.InstallmentDebited.v1": DayBooks._answers,
    "bidding.InstallmentDebitFailed.v1": DayBooks._answers,
    "bidding.LoanPaymentDebited.v1": DayBooks._pays,
    "repayment.PaymentReceived.v1": DayBooks._comes,
    "repayment.RecoveryCostPaid.v1": DayBooks._costs,
    "repayment.PaymentReturned.v1": DayBooks._returns,
    "system.CommandRefused.v1": DayBooks._refuses,
}
