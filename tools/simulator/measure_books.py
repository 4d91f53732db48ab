"""Measures, kept once more from the log: who signed in which order, whose word was needed and how it was given, and that nothing is done
to a loan that was not agreed, or otherwise than it was.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.elector_books import Electors
from tools.simulator.floor_books import Floors
from tools.simulator.income_books import Income
from tools.simulator.loan_books import LoanBook, require
from tools.simulator.recoveries import Recoveries

_CHAINS: Final = {
    "extension": ["risk", "general_manager"],
    "restructuring": ["risk", "general_manager"],
    "write_off": ["risk", "finance_supervisor", "general_manager"],
    "reclassification": ["risk_assessor"],
    "non_accrual": ["risk_assessor"],
    "branch_move": ["receiving_clerk"],
    "settlement_in_kind": ["legal", "risk", "general_manager", "finance_supervisor"],
    "voidance": ["legal", "finance_supervisor", "general_manager"],
    "pause": ["risk", "finance_supervisor"],
    "pause_end": ["risk"],
    "flag": ["legal"],
    "unflag": ["legal"],
}
#: Up to which amount of a waiver a post is the last (chosen).
_WAIVERS: Final = (("collections_supervisor", 500_00), ("risk", 5_000_00), ("finance_supervisor", 10**15))
_LENDERS: Final = ("extension", "restructuring", "write_off", "settlement_in_kind")
_VOTE_DAYS: Final = 10
_LOSS_DAYS: Final = 360
_OBSERVED: Final = timedelta(days=365)


@dataclass(slots=True)
class MeasureBook:
    """One measure: what is to be done, who had to do with it, its lenders' votes, and how far it is."""

    loan: str
    terms: Any
    people: list[str]
    left: list[str]
    voters: dict[str, int] | None = None
    silence: bool = False
    until: date | None = None
    votes: dict[str, bool] = field(default_factory=dict)
    approved: bool = False
    last: str = ""
    done: int = 0
    ended: bool = False

    def fen(self, *, agrees: bool) -> int:
        """Principal of those who said so."""
        voters = self.voters or {}
        return sum(fen for who, fen in voters.items() if self.votes.get(who) is agrees)

    @property
    def of_fen(self) -> int:
        """All principal that votes."""
        return sum((self.voters or {}).values())


@dataclass(slots=True)
class MeasureBooks:
    """All measures, and what they left behind on loans."""

    books: Books
    measures: dict[str, MeasureBook] = field(default_factory=dict)
    clauses: dict[str, Any] = field(default_factory=dict)
    electors: Electors = field(default_factory=Electors)
    examined: dict[str, Any] = field(default_factory=dict)
    floors: Floors = field(default_factory=Floors)
    rescheduled: set[tuple[str, str]] = field(default_factory=set)
    branches: dict[str, str] = field(default_factory=dict)
    income: Income = field(default_factory=Income)
    recovered: Recoveries = field(default_factory=Recoveries)
    waived: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Of each loan: all penalty that it was forgiven."""
    waivable: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Of each loan: how much of it those may forgive in all who signed a waiver that it applied."""

    def record(self, where: str, events: list[Any], decided_on: str | None) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        today = date.fromisoformat(decided_on) if decided_on else date.min
        for event in events:
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, event["data"], today)
        self.recovered.record(where, events)

    def judged(self, where: str, loan: LoanBook, day: date) -> None:
        """The misses phase of a day is over for a loan."""
        self.income.judged(where, loan, day)
        self.floors.judged(where, loan, day)

    def at_rest(self, last_closed: date | None) -> None:
        """What was agreed was done, or is said to be impossible, and no vote outlives its last day."""
        self.recovered.at_rest()
        for name, book in self.measures.items():
            require(book.ended or not book.approved, f"{name} was agreed and nothing came of it")
            is_over = book.until is not None and last_closed is not None and book.until <= last_closed
            require(book.ended or not is_over, f"the vote on {name} outlives {book.until}")

    # --- the measure --------------------------------------------------------------------------------------------

    def _proposed(self, where: str, data: Any, _today: date) -> None:
        name = data["measure_id"]
        require(name not in self.measures, f"{where}: {name} is proposed again")
        require(data["proposed_by"].startswith("stf_"), f"{where}: {name} is proposed by a customer")
        require(bool(data["evidence"]), f"{where}: {name} has no evidence")
        self.measures[name] = MeasureBook(
            data["loan_id"], data["terms"], [data["proposed_by"]], _chain(data["terms"])
        )

    def _examined(self, where: str, data: Any, _today: date) -> None:
        """Lenders are asked where their money is touched and their contract does not say it, each with all he is owed."""
        name, loan = data["measure_id"], data["loan_id"]
        kind, clause = self.measures[name].terms["kind"], self.clauses.get(loan) or {}
        before = self.waived[loan] if kind == "waiver" else 0
        said_fen = data["waived_before_fen"]
        require(said_fen == before, f"{where}: {loan} was forgiven {before}, said is {said_fen}")
        self.measures[name].left = _chain(self.measures[name].terms, before)
        needed = kind in _LENDERS
        given = needed and kind in clause.get("measures", ())
        meant = "clause" if given else "vote" if needed else "not_needed"
        require(data["mandate"] == meant, f"{where}: the mandate of {name} is {data['mandate']}, not {meant}")
        right = self.electors.owed(self.books.loans[loan]) if meant == "vote" else {}
        require(bool(right) or meant != "vote", f"{where}: {name} asks nobody")
        said = {voter["investor"]: voter["principal_fen"] for voter in data["voters"]}
        require(said == right, f"{where}: {name} asks {said}, owed are {right}")
        silence = meant == "vote" and bool(clause.get("silence_consents"))
        require(data["silence_consents"] == silence, f"{where}: silence on {name} is told wrongly")
        self.examined[name] = data

    def _admitted(self, where: str, data: Any, _today: date) -> None:
        name, book = data["measure_id"], self.measures[data["measure_id"]]
        require(data["steps"] == book.left, f"{where}: {name} goes to {data['steps']}, not to {book.left}")
        told = self.examined[name]
        same = all(data[field] == told[field] for field in ("mandate", "voters", "silence_consents"))
        require(same, f"{where}: {name} is admitted otherwise than its loan said")

    def _signed(self, where: str, data: Any, _today: date) -> None:
        name, book = data["measure_id"], self.measures[data["measure_id"]]
        require(not book.ended, f"{where}: {name} is signed after its end")
        require(data["step"] == book.left[0], f"{where}: {name} waits for {book.left[0]}")
        require(data["signer"] not in book.people, f"{where}: {data['signer']} signs {name} a second time")
        book.people.append(data["signer"])
        book.last = data["step"]
        book.left.pop(0)
        book.ended = "code" in data

    def _asked(self, where: str, data: Any, today: date) -> None:
        name, book = data["measure_id"], self.measures[data["measure_id"]]
        require(not book.left, f"{where}: the lenders of {name} are asked before {book.left} have signed")
        require(
            data["voters"] == self.examined[name]["voters"],
            f"{where}: {name} asks others than its loan named",
        )
        book.voters = {voter["investor"]: voter["principal_fen"] for voter in data["voters"]}
        book.silence, book.until = data["silence_consents"], date.fromisoformat(data["until"])
        days = (book.until - today).days
        require(days == _VOTE_DAYS, f"{where}: the vote on {name} is open for {days} days")

    def _voted(self, where: str, data: Any, today: date) -> None:
        name, book, who = data["measure_id"], self.measures[data["measure_id"]], data["investor"]
        is_open = book.voters is not None and book.until is not None and today <= book.until
        require(is_open and not book.ended, f"{where}: {who} votes on {name}, which is not asked")
        assert book.voters is not None, "required above"
        require(who not in book.votes, f"{where}: {who} votes on {name} again")
        require(
            book.voters.get(who) == data["principal_fen"], f"{where}: {who} votes with another's principal"
        )
        book.votes[who] = data["agrees"]
        said = data["for_fen"], data["against_fen"]
        counted = book.fen(agrees=True), book.fen(agrees=False)
        require(said == counted, f"{where}: the votes on {name} are {counted}, said are {said}")

    def _approved(self, where: str, data: Any, _today: date) -> None:
        name, book = data["measure_id"], self.measures[data["measure_id"]]
        require(not book.left and not book.ended, f"{where}: {name} is approved before {book.left} signed")
        require(data["terms"] == book.terms, f"{where}: {name} is approved as something else")
        by, told = data["mandate"], self.examined[name]["mandate"]
        if told == "vote":
            carried = 3 * book.fen(agrees=True) > 2 * book.of_fen
            lost = 3 * (book.of_fen - book.fen(agrees=False)) <= 2 * book.of_fen
            silent = by == "silence" and book.silence and not lost
            require(carried if by == "vote" else silent, f"{where}: {name} has no mandate of its lenders")
        else:
            require(by == told, f"{where}: the mandate of {name} was {told}, is {by}")
        book.approved = True

    def _ended(self, where: str, data: Any, _today: date) -> None:
        name, book = data["measure_id"], self.measures[data["measure_id"]]
        require(not book.ended, f"{where}: {name} ends again")
        is_done = "code" not in data
        passes = book.approved and data.get("code") == "payment_on_its_way"
        require(not passes, f"{where}: {name} has all its signatures and ends for a reason that passes")
        require(bool(book.done) == is_done, f"{where}: {name} ends otherwise than its loan did")
        book.ended = True

    # --- the loan -----------------------------------------------------------------------------------------------

    def _lent(self, _where: str, data: Any, _today: date) -> None:
        self.clauses[data["loan_id"]] = (data["repayment"] or {}).get("mandate")
        self.branches[data["loan_id"]] = data["region"]
        self.electors.lent(data)

    def _sold(self, _where: str, data: Any, _today: date) -> None:
        self.electors.sold(data)

    def _paid(self, _where: str, data: Any, _today: date) -> None:
        self.electors.paid(self.books.loans[data["loan_id"]], data)

    def _does(self, where: str, data: Any, *kinds: str) -> MeasureBook:
        """What the loan does was agreed, is this, and is done once."""
        name = data["measure_id"]
        book = self.measures.get(name)
        require(book is not None and book.approved, f"{where}: nobody agreed to {name}")
        assert book is not None, "required above"
        require(book.loan == data["loan_id"], f"{where}: {name} is another loan's")
        require(book.terms["kind"] in kinds, f"{where}: {name} is {book.terms['kind']}, not {kinds}")
        return book

    def _once(self, where: str, data: Any, book: MeasureBook) -> None:
        book.done += 1
        require(book.done == 1, f"{where}: {data['measure_id']} is done again")

    def _rescheduled(self, where: str, data: Any, today: date) -> None:
        book = self._does(where, data, "extension", "restructuring")
        self._once(where, data, book)
        key = data["loan_id"], data["kind"]
        require(key not in self.rescheduled, f"{where}: {key} comes again")
        self.rescheduled.add(key)
        said = data["kind"], data["months"]
        meant = book.terms["kind"], book.terms["months"]
        require(said == meant, f"{where}: {data['measure_id']} is {said}, agreed was {meant}")
        loan = self.books.loans[data["loan_id"]]
        loan.by_measure = True  # at least special-mention from now on, also where it is so already
        last = max(row.due_on for row in loan.rows.values())
        require(str(last) == data["matures_on"], f"{where}: {data['loan_id']} matures on {last}")
        late = [
            number
            for number, row in loan.rows.items()
            if number >= data["from_number"] and row.due_on <= today
        ]
        require(not late, f"{where}: {late} of {data['loan_id']} are asked anew for a day that is over")
        until = data["floor_until"] and date.fromisoformat(data["floor_until"])
        observed = data["kind"] == "extension" or (until is not None and until >= today + _OBSERVED)
        require(observed, f"{where}: {data['loan_id']} is observed until {until} only")
        require(data["floor_class"] != "normal", f"{where}: {data['loan_id']} is rescheduled as normal")
        self._observed(data, until)

    def _observed(self, data: Any, until: date | None) -> None:
        """What two people gave it without an end is its floor beside that."""
        loan = data["loan_id"]
        if data["kind"] == "restructuring":
            self.floors.observed[loan] = data["floor_class"], until
            self.income.arrears[loan] = data["from_number"]
        else:
            self.floors.given[loan] = data["floor_class"]

    def _written_off(self, where: str, data: Any, today: date) -> None:
        book = self._does(where, data, "write_off")
        self._once(where, data, book)
        require(data["ground"] == book.terms["ground"], f"{where}: {data['loan_id']} has another ground")
        dpd = self.books.loans[data["loan_id"]].dpd(today)
        is_lost = data["ground"] != "overdue" or dpd >= _LOSS_DAYS
        require(is_lost, f"{where}: {data['loan_id']} is written off after {dpd} days")

    def _costs(self, where: str, data: Any, _today: date) -> None:
        self._does(where, data, "write_off").done = 1

    def _waived(self, where: str, data: Any, _today: date) -> None:
        book = self._does(where, data, "waiver")
        self._once(where, data, book)
        waived = sum(line["waived_fen"] for line in data["lines"])
        right = waived == data["waived_fen"] <= book.terms["amount_fen"] == data["amount_fen"]
        require(right, f"{where}: {data['measure_id']} gives up {waived}, agreed was {book.terms}")
        self.waived[data["loan_id"]] += waived
        most, all_of_it = dict(_WAIVERS)[book.last], self.waived[data["loan_id"]]
        self.waivable[data["loan_id"]] = max(self.waivable[data["loan_id"]], most)
        require(all_of_it <= most, f"{where}: {book.last} gives up {all_of_it} of a loan, may {most}")

    def _beside(self, where: str, data: Any, _today: date) -> None:
        """A pause or a flag; what ends a debt as it was ends its pause by the way."""
        if data.get("cause") not in ("restructured", "written_off", "voided"):
            self._once(where, data, self._does(where, data, "pause", "pause_end", "flag", "unflag"))

    def _in_kind(self, where: str, data: Any, _today: date) -> None:
        self.electors.paid(self.books.loans[data["loan_id"]], data)
        book = self._does(where, data, "settlement_in_kind")
        self._once(where, data, book)
        require(data["terms"] == book.terms, f"{where}: {data['asset_id']} is another thing than agreed")

    def _voided(self, where: str, data: Any, _today: date) -> None:
        """Nothing is charged from here on, and the loan is watched until somebody says otherwise."""
        self._once(where, data, self._does(where, data, "voidance"))
        loan = self.books.loans[data["loan_id"]]
        loan.by_measure, loan.penalty_rate = True, Fraction(0)
        self.floors.given[data["loan_id"]] = data["floor_class"]

    def _classified(self, where: str, data: Any, today: date) -> None:
        self.floors.classified(where, self.books.loans[data["loan_id"]], data, today)
        if not data["measure_id"]:
            return
        book = self._does(
            where, data, "extension", "restructuring", "write_off", "reclassification", "voidance"
        )
        if book.terms["kind"] != "reclassification":
            return
        self._once(where, data, book)
        require(data["to_class"] == book.terms["to_class"], f"{where}: {data['loan_id']} is of another class")
        self.floors.given[data["loan_id"]] = data["to_class"]

    def _moved(self, where: str, data: Any, _today: date) -> None:
        book = self._does(where, data, "branch_move")
        self._once(where, data, book)
        said = {name: data[name] for name in ("from_branch", "to_branch")}
        require(said.items() <= book.terms.items(), f"{where}: {data['loan_id']} goes elsewhere than agreed")
        branch = self.branches.get(loan := data["loan_id"])
        require(branch == data["from_branch"], f"{where}: {loan} leaves a branch where it is not")
        self.branches[loan] = data["to_branch"]

    def _no_income(self, where: str, data: Any, _today: date) -> None:
        if data["cause"] == "by_hand":
            self._by_hand(where, data, ends=False)
        self.income.stops(where, data, self.books.loans[data["loan_id"]])

    def _income(self, where: str, data: Any, today: date) -> None:
        if data["measure_id"]:
            self._by_hand(where, data, ends=True)
        self.income.ends(where, data, self.books.loans[data["loan_id"]], today)

    def _by_hand(self, where: str, data: Any, *, ends: bool) -> None:
        book = self._does(where, data, "non_accrual")
        self._once(where, data, book)
        require(book.terms["ends"] == ends, f"{where}: {data['measure_id']} does the opposite")

    def _restated(self, where: str, data: Any, _today: date) -> None:
        """A correction decides measures again, and forgives another penalty."""
        self.electors.restated(data)
        self.waived[loan := data["loan_id"]] += data["waived_fen"]
        given, most = self.waived[loan], self.waivable[loan]
        require(0 <= given <= most, f"{where}: a correction gives up {given} of {loan}, signed are {most}")

    def _charged(self, where: str, data: Any, _today: date) -> None:
        # Penalty of the day itself is charged in the record that writes off, before it.
        known = self.books.loans[data["loan_id"]].written_off and data["loan_id"] in self.recovered.of
        require(not known, f"{where}: {data['loan_id']} is charged after it was written off")


def _chain(terms: Any, before: int = 0) -> list[str]:
    if terms["kind"] != "waiver":
        return list(_CHAINS[terms["kind"]])
    below = [post for post, limit in _WAIVERS if limit < terms["amount_fen"] + before]
    return [post for post, _ in _WAIVERS[: len(below) + 1]]


_HANDLERS: dict[str, Callable[[MeasureBooks, str, Any, date], None]] = {
    "repayment.LoanOpened.v1": MeasureBooks._lent,
    "repayment.ClaimTransferred.v1": MeasureBooks._sold,
    "repayment.ClaimsSubrogated.v1": MeasureBooks._sold,
    "repayment.RepaymentDistributed.v1": MeasureBooks._paid,
    "repayment.MeasureProposed.v1": MeasureBooks._proposed,
    "repayment.MeasureExamined.v1": MeasureBooks._examined,
    "repayment.MeasureAdmitted.v1": MeasureBooks._admitted,
    "repayment.MeasureSigned.v1": MeasureBooks._signed,
    "repayment.MeasureRefused.v1": MeasureBooks._signed,
    "repayment.MandateAsked.v1": MeasureBooks._asked,
    "repayment.MandateVoted.v1": MeasureBooks._voted,
    "repayment.MeasureApproved.v1": MeasureBooks._approved,
    "repayment.MeasureExecuted.v1": MeasureBooks._ended,
    "repayment.MeasureFailed.v1": MeasureBooks._ended,
    "repayment.LoanRescheduled.v1": MeasureBooks._rescheduled,
    "repayment.LoanWrittenOff.v1": MeasureBooks._written_off,
    "repayment.RecoveryCostBooked.v1": MeasureBooks._costs,
    "repayment.PenaltyWaived.v1": MeasureBooks._waived,
    "repayment.LoanClassified.v1": MeasureBooks._classified,
    "repayment.NonAccrualStarted.v1": MeasureBooks._no_income,
    "repayment.NonAccrualEnded.v1": MeasureBooks._income,
    "repayment.PenaltyCharged.v1": MeasureBooks._charged,
    "repayment.LoanRestated.v1": MeasureBooks._restated,
    "repayment.LoanMoved.v1": MeasureBooks._moved,
    "repayment.DebtSettledInKind.v1": MeasureBooks._in_kind,
    "repayment.LoanVoided.v1": MeasureBooks._voided,
    "repayment.DelinquencyPaused.v1": MeasureBooks._beside,
    "repayment.DelinquencyPauseEnded.v1": MeasureBooks._beside,
    "repayment.LoanFlagged.v1": MeasureBooks._beside,
    "repayment.LoanUnflagged.v1": MeasureBooks._beside,
}
