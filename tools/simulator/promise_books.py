"""Promises, kept once more from the log: what payments brought towards each, and that none is called kept which corrected payments do not keep.

What a case counts is what collections says of it; what a payment is, the loan says. At rest the two are one, but for payments that their case
remembers no more: these count for good as they did last.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from tools.simulator.loan_books import require

#: Of each payment how much the loan took, and as of when.
Payments = dict[str, tuple[int, date]]

#: So many of its last payments a case remembers (decision 24).
_REMEMBERED: Final = 32


@dataclass(slots=True)
class PromiseBook:
    """A promise and the payments that were recorded since it was made, until another was."""

    promise_id: str
    case: str
    collector: str
    amount_fen: int
    promised_on: date
    status: Literal["open", "kept", "broken", "released"] = "open"
    payments: list[str] = field(default_factory=list)
    is_last: bool = True

    def paid_fen(self, counted: Payments) -> int:
        """What of them is dated by its date."""
        found = [counted[payment] for payment in self.payments]
        return sum(amount for amount, day in found if day <= self.promised_on)


@dataclass(slots=True)
class PromiseBooks:
    """All promises, payments as cases count them, and as the loans do."""

    promises: dict[str, PromiseBook] = field(default_factory=dict)
    counted: Payments = field(default_factory=dict)
    loans: Payments = field(default_factory=dict)
    last: dict[str, deque[str]] = field(default_factory=dict)
    """By case: the payments that it remembers."""
    forgotten: Payments = field(default_factory=dict)

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        kind, data = event["type"], event["data"]
        match kind:
            case "repayment.PaymentReceived.v1":
                self.loans[data["payment_id"]] = data["amount_fen"], date.fromisoformat(data["value_date"])
            case "repayment.RecoveryCostPaid.v1" if data["is_all"]:
                self.loans[data["payment_id"]] = 0, date.fromisoformat(data["value_date"])
            case "repayment.PaymentReversed.v1":
                self.loans[data["payment_id"]] = 0, self.loans[data["payment_id"]][1]
            case "repayment.PaymentRedated.v1":
                counts_on = date.fromisoformat(data["to_date"])
                self.loans[data["payment_id"]] = self.loans[data["payment_id"]][0], counts_on
            case "repayment.LoanRestated.v1":
                for line in data["retaken"]:
                    self.loans[line["payment_id"]] = line["after_fen"], self.loans[line["payment_id"]][1]
            case "collections.CasePaymentRecorded.v1":
                self._paid(data)
            case "collections.CasePaymentCorrected.v1":
                forgotten = data["payment_id"] in self.forgotten
                require(not forgotten, f"{where}: {data['payment_id']} is corrected and remembered no more")
                was = self.counted[data["payment_id"]][0]
                require(was == data["before_fen"], f"{where}: {was} of {data['payment_id']} was counted")
                value_date = date.fromisoformat(data["value_date"])
                self.counted[data["payment_id"]] = data["amount_fen"], value_date
            case "collections.PromiseMade.v1":
                self._made(where, data)
            case "collections.PromiseReopened.v1":
                self._decided(where, data, "kept", "open")
            case "collections.PromiseMended.v1":
                self._decided(where, data, "broken", "kept")
            case (
                "collections.PromiseKept.v1"
                | "collections.PromiseBroken.v1"
                | "collections.PromiseReleased.v1"
            ):
                self._decided(where, data, "open", kind.split(".")[1].removeprefix("Promise").lower())
            case _:
                pass

    def open_of(self, case: str) -> list[PromiseBook]:
        """A case's promises that nothing has decided."""
        return [one for one in self.promises.values() if one.case == case and one.status == "open"]

    def require_said(self, where: str, events: Iterable[Any]) -> None:
        """No payment that keeps a promise goes by without a word, and a case waits for one promise at a time."""
        for event in events:
            if event["type"] in ("collections.CasePaymentRecorded.v1", "collections.PromiseReopened.v1"):
                case = event["data"]["case_id"]
                still = self.open_of(case)
                require(len(still) <= 1, f"{where}: {case} has {len(still)} promises")
                for promise in still:
                    kept = promise.paid_fen(self.counted) >= promise.amount_fen
                    require(not kept, f"{where}: the promise of {case} is kept and nobody says so")

    def at_rest(self) -> None:
        """What is called kept was paid in time, by what payments are now or were when they were last remembered; what is called broken was not."""
        now = self.loans | self.forgotten
        for promise in self.promises.values():
            paid, name = promise.paid_fen(now), promise.promise_id
            kept = promise.status != "kept" or paid >= promise.amount_fen
            require(kept, f"the promise {name} is called kept, {paid} of {promise.amount_fen} was paid")
            broken = promise.status != "broken" or paid < promise.amount_fen
            require(broken, f"the promise {name} is called broken, {paid} of {promise.amount_fen} was paid")

    def require_figures(self, collectors: Mapping[str, Mapping[str, Any]]) -> None:
        """A collector's figures count the promises that are kept and broken now."""
        kept: dict[str, Counter[str]] = {who: Counter() for who in collectors}
        for promise in self.promises.values():
            figures = kept.setdefault(promise.collector, Counter())
            figures["promises_made"] += 1
            if promise.status in ("kept", "broken"):
                figures[f"promises_{promise.status}"] += 1
                figures[f"promises_{promise.status}_fen"] += promise.amount_fen
        for who, figures in kept.items():
            for name in ("made", "kept", "kept_fen", "broken", "broken_fen"):
                said = collectors.get(who, {}).get(f"promises_{name}", 0)
                own = figures[f"promises_{name}"]
                require(said == own, f"{who} is shown with promises {name} {said}, the books say {own}")

    def _made(self, where: str, data: Any) -> None:
        require(not self.open_of(data["case_id"]), f"{where}: {data['case_id']} has two promises")
        for other in self.promises.values():
            other.is_last = other.is_last and other.case != data["case_id"]
        self.promises[data["promise_id"]] = PromiseBook(
            promise_id=data["promise_id"],
            case=data["case_id"],
            collector=data["collector"],
            amount_fen=data["amount_fen"],
            promised_on=date.fromisoformat(data["promised_on"]),
        )

    def _paid(self, data: Any) -> None:
        self.counted[data["payment_id"]] = data["amount_fen"], date.fromisoformat(data["value_date"])
        last = self.last.setdefault(data["case_id"], deque())
        last.append(data["payment_id"])
        if len(last) > _REMEMBERED:
            oldest = last.popleft()
            self.forgotten[oldest] = self.counted[oldest]
        for promise in self.promises.values():
            if promise.case == data["case_id"] and promise.is_last:
                promise.payments.append(data["payment_id"])

    def _decided(self, where: str, data: Any, before: str, after: Any) -> None:
        promise = self.promises.get(data["promise_id"])
        known = promise is not None and promise.status == before
        require(known, f"{where}: nobody made the promise {data['promise_id']}, or it is not {before}")
        assert promise is not None
        paid = promise.paid_fen(self.counted)
        require(paid == data["paid_fen"], f"{where}: {paid} was paid on the promise")
        right = (paid >= promise.amount_fen) == (after == "kept")
        require(right, f"{where}: {after} with {paid}")
        promise.status = after
