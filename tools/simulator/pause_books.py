"""Pauses and flags, kept once more from the log: a calendar of single days that do not count, and who is not to be called.

The loans' own books (`loan_books`) count their days past due by this calendar; that nothing is asked in it, and nobody flagged is reached for,
is judged here; and that nothing is taken from the account of the dead.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.measure_books import MeasureBooks

#: Of one pause, and of one loan in a calendar year (chosen).
_DAYS_MAX: Final = 90
_YEAR_DAYS_MAX: Final = 120
#: How soon a pause of a loan that is over begins (chosen).
_SOON: Final = timedelta(days=30)
_DAY: Final = timedelta(days=1)
#: What ends a pause before its time, by the cause that is said.
_ENDED_BY: Final = {
    "by_hand": "pause_end",
    "restructured": "restructuring",
    "written_off": "write_off",
    "voided": "voidance",
}


@dataclass(slots=True)
class PauseBooks:
    """Each loan's last pause, every flag that stands on a loan, and those of which collections has heard."""

    books: Books
    measures: MeasureBooks
    last: dict[str, tuple[str, date]] = field(default_factory=dict)
    """Of each loan: the measure of its last pause, and that pause's last day."""
    spent: defaultdict[tuple[str, int], set[date]] = field(default_factory=lambda: defaultdict(set))
    flags: set[tuple[str, str]] = field(default_factory=set)
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    """(loan, flag) -> debtor."""
    unasked: set[str] = field(default_factory=set)
    dead: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Of each account: the loans that say that its owner has died, as far as it knows."""
    void: set[str] = field(default_factory=set)
    """Loans whose contract is void: no pause of it holds any more."""

    def record(self, where: str, event: Any, decided_on: str | None) -> None:
        """Fold one event. Raises WrongBooks."""
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            today = date.fromisoformat(decided_on) if decided_on else date.min
            handler(self, where, event["data"], today)

    def at_rest(self) -> None:
        """Collections has heard of every flag that was raised, and of none that was lifted; so have accounts of every death."""
        heard = set(self.told)
        require(heard == self.flags, f"flags are {sorted(self.flags)}, collections knows {sorted(heard)}")
        died = sorted(loan for loan, flag in self.flags if flag == "death")
        known = sorted(loan for loans in self.dead.values() for loan in loans)
        require(known == died, f"{died} say that their borrower has died, accounts know of {known}")

    # --- pauses -------------------------------------------------------------------------------------------------

    def _paused(self, where: str, data: Any, today: date) -> None:
        loan, terms = data["loan_id"], self.measures.measures[data["measure_id"]].terms
        first, last = date.fromisoformat(data["from_on"]), date.fromisoformat(data["to_on"])
        meant = max(date.fromisoformat(terms["from_on"]), today + _DAY), date.fromisoformat(terms["to_on"])
        require((first, last) == meant, f"{where}: {loan} is paused {first} to {last}, agreed was {meant}")
        require(data["cause"] == terms["cause"], f"{where}: {loan} is paused for {data['cause']}")
        asked = max(row.due_on for row in self.books.loans[loan].rows.values())
        ours = date.fromisoformat(terms["from_on"]) <= max(asked, today + _SOON)
        require(ours, f"{where}: {loan} is paused from {first}, it ends on {asked}")
        stands = loan in self.last and self.last[loan][1] > today
        require(not stands, f"{where}: {loan} is paused while it is")
        days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        require(0 < len(days) <= _DAYS_MAX, f"{where}: {loan} is paused for {len(days)} days")
        self.books.loans[loan].paused.update(days)
        for day in days:
            self.spent[loan, day.year].add(day)
            spent = len(self.spent[loan, day.year])
            require(spent <= _YEAR_DAYS_MAX, f"{where}: {loan} is paused on {spent} days of {day.year}")
        self.last[loan] = data["measure_id"], last

    def _ended(self, where: str, data: Any, today: date) -> None:
        loan = data["loan_id"]
        pause, last = self.last.get(loan, ("", date.min))
        require(
            pause == data["pause_id"] and last > today, f"{where}: {loan} ends a pause that does not stand"
        )
        kind = self.measures.measures[data["measure_id"]].terms["kind"]
        require(kind == _ENDED_BY[data["cause"]], f"{where}: a {kind} ends the pause of {loan}")
        for day in [day for day in self.books.loans[loan].paused if day > today]:
            self.books.loans[loan].paused.discard(day)
            self.spent[loan, day.year].discard(day)
        self.last[loan] = pause, today

    def _voided(self, _where: str, data: Any, _today: date) -> None:
        self.void.add(data["loan_id"])

    def _asks(self, where: str, data: Any, _today: date) -> None:
        loan, day = data["loan_id"], date.fromisoformat(data["value_date"])
        is_paused = day in self.books.loans[loan].paused and loan not in self.void
        may = not is_paused and (loan, "death") not in self.flags
        asked = data.get("asked", True)
        require(
            asked == may, f"{where}: the account of {loan} is {'asked' if asked else 'left alone'} on {day}"
        )
        if not asked:
            self.unasked.add(data["debit_id"])

    def _answers(self, where: str, data: Any, _today: date) -> None:
        name = data["debit_id"]
        require(name not in self.unasked, f"{where}: {name} was never asked and is answered")
        says_dead = data.get("code") == "owner_deceased"
        is_dead = bool(self.dead[data["account_id"]])
        require(
            says_dead == is_dead,
            f"{where}: {name} is answered as if its owner {'lived' if is_dead else 'had died'}",
        )

    def _takes(self, where: str, data: Any, _today: date) -> None:
        by_himself = data.get("standing_order") == ""
        is_dead = bool(self.dead[data["account_id"]])
        require(
            by_himself or not is_dead,
            f"{where}: money is taken from {data['account_id']}, whose owner has died",
        )

    def _dies(self, where: str, data: Any, _today: date) -> None:
        loans = self.dead[data["account_id"]]
        require(
            data["loan_id"] not in loans, f"{where}: {data['loan_id']} says twice that its borrower has died"
        )
        loans.add(data["loan_id"])

    def _lives(self, _where: str, data: Any, _today: date) -> None:
        self.dead[data["account_id"]].discard(data["loan_id"])

    # --- flags --------------------------------------------------------------------------------------------------

    def _flagged(self, where: str, data: Any, _today: date) -> None:
        flag = data["loan_id"], data["flag"]
        self._agreed(where, data)
        require(flag not in self.flags, f"{where}: {flag} is flagged again")
        self.flags.add(flag)

    def _unflagged(self, where: str, data: Any, _today: date) -> None:
        flag = data["loan_id"], data["flag"]
        self._agreed(where, data)
        require(flag in self.flags, f"{where}: {flag} is lifted where none stands")
        self.flags.discard(flag)

    def _agreed(self, where: str, data: Any) -> None:
        meant = self.measures.measures[data["measure_id"]].terms["flag"]
        require(data["flag"] == meant, f"{where}: {data['loan_id']} has {data['flag']}, agreed was {meant}")

    def _heard(self, where: str, data: Any, _today: date) -> None:
        flag = data["loan_id"], data["flag"]
        require(flag not in self.told, f"{where}: {flag} is told again")
        self.told[flag] = data["debtor_id"]

    def _forgets(self, where: str, data: Any, _today: date) -> None:
        told = self.told.pop((data["loan_id"], data["flag"]), None)
        require(told == data["debtor_id"], f"{where}: {data['loan_id']} is lifted where nobody was told")

    def _binds(self, debtor: str, loan: str) -> set[str]:
        """What stands against work on this case, as collections has heard of it."""
        dead = "death" in {flag for (_, flag), who in self.told.items() if who == debtor}
        return ({"death"} if dead else set()) | ({"dispute"} if (loan, "dispute") in self.told else set())

    def _reached_for(self, where: str, data: Any, _today: date) -> None:
        binds = self._binds(data["debtor_id"], data["loan_id"])
        free = data["direction"] == "inbound" or data["channel"] == "letter"
        require(free or not binds, f"{where}: a {data['channel']} to {data['debtor_id']} against {binds}")

    def _promised(self, where: str, data: Any, _today: date) -> None:
        binds = self._binds(data["debtor_id"], data["loan_id"])
        require("death" not in binds, f"{where}: {data['debtor_id']} promises after his death")

    def _planned(self, where: str, data: Any, _today: date) -> None:
        binds = self._binds(data["debtor_id"], data["loan_id"])
        require(not binds, f"{where}: a plan is asked for {data['debtor_id']} against {binds}")


_HANDLERS: Final[dict[str, Callable[[PauseBooks, str, Any, date], None]]] = {
    "repayment.DelinquencyPaused.v1": PauseBooks._paused,
    "repayment.DelinquencyPauseEnded.v1": PauseBooks._ended,
    "repayment.LoanVoided.v1": PauseBooks._voided,
    "repayment.InstallmentDue.v1": PauseBooks._asks,
    "repayment.DebitRequested.v1": PauseBooks._asks,
    "bidding.InstallmentDebited.v1": PauseBooks._answers,
    "bidding.InstallmentDebitFailed.v1": PauseBooks._answers,
    "bidding.CompensationDebited.v1": PauseBooks._takes,
    "bidding.AssetSaleDebited.v1": PauseBooks._takes,
    "bidding.FundsHeld.v1": PauseBooks._takes,
    "bidding.OwnerDeathRecorded.v1": PauseBooks._dies,
    "bidding.OwnerDeathWithdrawn.v1": PauseBooks._lives,
    "repayment.LoanFlagged.v1": PauseBooks._flagged,
    "repayment.LoanUnflagged.v1": PauseBooks._unflagged,
    "collections.DebtorFlagged.v1": PauseBooks._heard,
    "collections.DebtorUnflagged.v1": PauseBooks._forgets,
    "collections.ContactStarted.v1": PauseBooks._reached_for,
    "collections.PromiseMade.v1": PauseBooks._promised,
    "collections.PlanProposed.v1": PauseBooks._planned,
}
