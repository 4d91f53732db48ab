"""Collecting, kept once more from the log: a case per late loan, one collector at a time, the law's limits, kept promises."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import LoanBook, require
from tools.simulator.promise_books import PromiseBooks

#: The national standard of 2025-03-13 (rules.md 1.8): hours of the debtor's day, and effective calls on one of them.
_FROM_MINUTE: Final = 8 * 60
_TO_MINUTE: Final = 22 * 60
_CALLS_MAX: Final = 3
#: Attempts at the debtor himself before others may be asked for him.
_ATTEMPTS: Final = 3
_NOT_REACHED: Final = ("no_answer", "wrong_number")


@dataclass(slots=True)
class CaseBook:
    """An open case: what is said to be overdue."""

    debtor: str
    loan: str
    overdue_fen: int


@dataclass(slots=True)
class DebtorBook:
    """Who holds a debtor until when, his calls by local day, and who is not to be asked for him."""

    collector: str = ""
    until: datetime | None = None
    calls: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    open_calls: dict[str, str] = field(default_factory=dict)
    unanswered: int = 0
    stopped: set[str] = field(default_factory=set)
    agreed: tuple[int, int] = (0, 0)
    dead: set[str] = field(default_factory=set)
    """Loans that say that he has died."""


@dataclass(slots=True)
class CaseBooks:
    """All cases and debtors."""

    books: Books
    minutes_east: int
    """How far east of UTC the debtors live."""
    cases: dict[str, CaseBook] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """The debtor of each case that ever was."""
    promises: PromiseBooks = field(default_factory=PromiseBooks)
    debtors: defaultdict[str, DebtorBook] = field(default_factory=lambda: defaultdict(DebtorBook))
    payments: dict[str, int] = field(default_factory=dict)
    missed: set[tuple[str, int, str]] = field(default_factory=set)
    """Instalments that were said to be missed and open. While the word travels the loan may be asked otherwise, and they are missed no more."""

    def record(self, where: str, events: list[Any]) -> None:
        """Fold one decision. Raises WrongBooks."""
        for event in events:
            self.promises.record(where, event)
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, event["data"])
        self.promises.require_said(where, events)

    def day_over(self, where: str, day: date, is_here: Callable[[str], bool]) -> None:
        """The promises phase of a day is over on the partition where these debtors are: none of them waits any more."""
        for promise in self.promises.promises.values():
            if promise.status == "open" and is_here(self.owners[promise.case]):
                due = promise.promised_on
                said = f"{where}: the promise of {promise.case} for {due} was not judged on {day}"
                require(due > day, said)

    def at_rest(self) -> None:
        """Cases are exactly the late loans, and what they call overdue is what the loan says. One that was written off has a case if an
        instalment of it was missed, for as long as anything of it is owed."""
        self.promises.at_rest()
        late = {loan.loan_id: loan for loan in self.books.loans.values() if _is_late(loan)}
        cases = {case.loan: case for case in self.cases.values()}
        for name in [name for name in cases if self.books.loans[name].written_off]:
            late.setdefault(name, self.books.loans[name])
        require(late.keys() == cases.keys(), f"late are {sorted(late)}, cases are of {sorted(cases)}")
        for name, loan in late.items():
            missed = sum(row.asked_fen + row.penalty_fen for row in loan.rows.values() if row.missed)
            said = cases[name].overdue_fen
            require(said == missed, f"the case of {name} says {said} is overdue, it is {missed}")

    # --- cases --------------------------------------------------------------------------------------------------

    def _missed(self, _where: str, data: Any) -> None:
        if not data.get("paid_on"):
            self.missed.add(_miss(data))

    def _opened(self, where: str, data: Any) -> None:
        name = data["case_id"]
        require(name not in self.cases, f"{where}: {name} is open already")
        require(_miss(data) in self.missed, f"{where}: {name} is opened for nothing")
        self.cases[name] = CaseBook(data["debtor_id"], data["loan_id"], data["overdue_fen"])
        self.owners[name] = data["debtor_id"]

    def _overdue(self, _where: str, data: Any) -> None:
        self.cases[data["case_id"]].overdue_fen = data["overdue_fen"]

    def _paid(self, _where: str, data: Any) -> None:
        self.payments[data["payment_id"]] = data["amount_fen"]

    def _case_paid(self, where: str, data: Any) -> None:
        amount = data["amount_fen"]
        taken = self.payments.get(data["payment_id"])
        require(taken == amount, f"{where}: {data['case_id']} counts {amount}, the loan took {taken}")
        if data["case_id"] in self.cases:  # a closed one counts what came late towards its promise
            self._overdue(where, data)

    def _closed(self, where: str, data: Any) -> None:
        name = data["case_id"]
        del self.cases[name]
        require(not self.promises.open_of(name), f"{where}: {name} is closed with a promise")

    # --- promises -----------------------------------------------------------------------------------------------

    def _promised(self, where: str, data: Any) -> None:
        case = self.cases[data["case_id"]]
        amount = data["amount_fen"]
        require(amount <= case.overdue_fen, f"{where}: {amount} is promised, overdue is {case.overdue_fen}")
        self._leased(where, data, None)

    # --- who works on whom --------------------------------------------------------------------------------------

    def _claimed(self, where: str, data: Any) -> None:
        debtor = self.debtors[data["debtor_id"]]
        at, who = _time(data["claimed_at"]), data["collector"]
        free = debtor.until is None or debtor.until <= at or debtor.collector == who
        require(free, f"{where}: {who} claims {data['debtor_id']}, whom {debtor.collector} holds")
        debtor.collector, debtor.until = who, _time(data["claimed_until"])

    def _let_go(self, _where: str, data: Any) -> None:
        self.debtors[data["debtor_id"]].until = None

    def _leased(self, where: str, data: Any, at: datetime | None) -> None:
        debtor, who = self.debtors[data["debtor_id"]], data["collector"]
        holds = debtor.until is not None and debtor.collector == who and (at is None or at < debtor.until)
        require(holds, f"{where}: {who} works on {data['debtor_id']} and does not hold him")

    def _flagged(self, _where: str, data: Any) -> None:
        if data["flag"] == "death":
            self.debtors[data["debtor_id"]].dead.add(data["loan_id"])

    def _unflagged(self, _where: str, data: Any) -> None:
        if data["flag"] == "death":
            self.debtors[data["debtor_id"]].dead.discard(data["loan_id"])

    # --- the law's limits ---------------------------------------------------------------------------------------

    def _reached_for(self, where: str, data: Any) -> None:
        at, debtor = _time(data["started_at"]), self.debtors[data["debtor_id"]]
        self._leased(where, data, at)
        if data["direction"] == "inbound":
            return
        himself = data["party"] == "debtor"
        if not himself:
            require(data["party_id"] not in debtor.stopped, f"{where}: {data['party_id']} had refused")
            away = debtor.dead or debtor.unanswered >= _ATTEMPTS
            require(bool(away), f"{where}: the debtor can be reached himself")
        minute = (at.hour * 60 + at.minute + self.minutes_east) % (24 * 60)
        agreed = himself and debtor.agreed[0] <= minute < debtor.agreed[1]
        timely = data["channel"] == "letter" or _FROM_MINUTE <= minute < _TO_MINUTE or agreed
        require(timely, f"{where}: {data['debtor_id']} is disturbed at minute {minute} of his day")
        if data["channel"] == "call":
            day = data["local_day"]
            calls = debtor.calls[day] + sum(other == day for other in debtor.open_calls.values())
            require(calls < _CALLS_MAX, f"{where}: call number {calls + 1} to {data['debtor_id']} on {day}")
            debtor.open_calls[data["contact_id"]] = day

    def _logged(self, _where: str, data: Any) -> None:
        debtor, outcome = self.debtors[data["debtor_id"]], data["outcome"]
        debtor.open_calls.pop(data["contact_id"], None)
        outbound = data["direction"] == "outbound"
        if outbound and data["channel"] == "call" and outcome not in _NOT_REACHED:
            debtor.calls[data["local_day"]] += 1
        if data["party"] == "debtor":
            if data["effective"]:
                debtor.unanswered = 0
            elif outbound:
                debtor.unanswered += 1
        elif outcome in ("refuses", "wrong_number"):
            debtor.stopped.add(data["party_id"])
        if data["agreed_hours"] is not None:
            hours = data["agreed_hours"]
            debtor.agreed = (hours["from_minute"], hours["to_minute"])


_HANDLERS: dict[str, Callable[[CaseBooks, str, Any], None]] = {
    "repayment.PaymentMissed.v1": CaseBooks._missed,
    "repayment.PaymentReceived.v1": CaseBooks._paid,
    "collections.CaseOpened.v1": CaseBooks._opened,
    "collections.MissAdded.v1": CaseBooks._overdue,
    "collections.ArrearsUpdated.v1": CaseBooks._overdue,
    "collections.CasePaymentRecorded.v1": CaseBooks._case_paid,
    "collections.CaseClosed.v1": CaseBooks._closed,
    "collections.PromiseMade.v1": CaseBooks._promised,
    "collections.DebtorClaimed.v1": CaseBooks._claimed,
    "collections.DebtorReleased.v1": CaseBooks._let_go,
    "collections.DebtorFlagged.v1": CaseBooks._flagged,
    "collections.DebtorUnflagged.v1": CaseBooks._unflagged,
    "collections.ContactStarted.v1": CaseBooks._reached_for,
    "collections.ContactLogged.v1": CaseBooks._logged,
}


def _miss(data: Any) -> tuple[str, int, str]:
    return data["loan_id"], data["number"], data["due_on"]


def _is_late(loan: LoanBook) -> bool:
    if loan.written_off:
        return any(row.missed and row.asked_fen for row in loan.rows.values())
    return loan.bucket != "current"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
