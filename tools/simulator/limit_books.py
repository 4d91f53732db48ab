"""What people may not do to a loan, kept once more from the log: sign or propose about themselves, stretch what a guarantor answers for
without asking him, and leave a proposal lying until it is applied a year later.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.himself import customer_behind
from tools.simulator.loan_books import require

#: How long a measure, and a compensation, waits for its signatures (chosen).
_SIGNING: Final = timedelta(days=30)
_COMPENSATION: Final = timedelta(days=10)


@dataclass(slots=True)
class _Waiting:
    """A measure or a compensation: of which loan, who proposed it, and until when it is signed; `is_over` once all have, or it ended."""

    loan: str
    proposer: str
    terms: Any = None
    until: date | None = None
    parties: set[str] = field(default_factory=set)
    is_over: bool = False


@dataclass(slots=True)
class LimitBooks:
    """Who has a part in which loan, and what waits for whose signature."""

    books: Books
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    borrowers: dict[str, str] = field(default_factory=dict)
    guarantors: dict[str, str] = field(default_factory=dict)
    lenders: dict[str, dict[str, str]] = field(default_factory=dict)
    paid_whole: set[str] = field(default_factory=set)
    correctors: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Who asked for each correction or allowed it."""
    known: dict[str, set[str]] = field(default_factory=dict)
    """Of each correction that its loan has examined: who has a part in that."""

    def record(self, where: str, events: list[Any], decided_on: str | None) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        today = date.fromisoformat(decided_on) if decided_on else date.min
        for event in events:
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, event["data"], today)

    def at_rest(self, last_closed: date | None) -> None:
        """Nothing waits for signatures beyond its last day."""
        for name, one in self.waiting.items():
            if one.until is not None and last_closed is not None:
                require(one.is_over or last_closed < one.until, f"{name} waits beyond {one.until}")

    # --- who has a part -----------------------------------------------------------------------------------------

    def _lent(self, _where: str, data: Any, _today: date) -> None:
        loan = data["loan_id"]
        self.borrowers[loan], self.guarantors[loan] = data["borrower"], data["guarantor"]
        self.lenders[loan] = {claim["claim_id"]: claim["investor"] for claim in data["claims"]}

    def _sold(self, _where: str, data: Any, _today: date) -> None:
        claim = data["claim"]
        self.lenders[data["loan_id"]][claim["claim_id"]] = claim["investor"]
        if "compensation_id" in data and claim["through"] is None:
            self.paid_whole.add(data["loan_id"])

    def _compensated(self, where: str, data: Any, today: date) -> None:
        self._sold(where, data, today)
        self._over(where, data, today)

    def _voided(self, _where: str, data: Any, _today: date) -> None:
        """Nobody guarantees what is void."""
        self.guarantors[data["loan_id"]] = ""

    def _holders(self, loan: str) -> set[str]:
        """Whoever is owed principal of it."""
        return {self.lenders[loan][claim] for claim, fen in self.books.loans[loan].claims.items() if fen}

    def _parties(self, loan: str) -> set[str]:
        guarantor = self.guarantors[loan].removeprefix("gua_")
        his = {f"usr_{guarantor}"} if guarantor else set()
        return {self.borrowers[loan], *his, *self._holders(loan)}

    def _another(self, where: str, who: str, parties: set[str], loan: str) -> None:
        require(customer_behind(who) not in parties, f"{where}: {who} has a part in {loan} himself")

    # --- measures -----------------------------------------------------------------------------------------------

    def _proposed(self, _where: str, data: Any, _today: date) -> None:
        self.waiting[data["measure_id"]] = _Waiting(data["loan_id"], data["proposed_by"], data["terms"])

    def _examined(self, where: str, data: Any, _today: date) -> None:
        name, loan = data["measure_id"], data["loan_id"]
        one = self.waiting[name]
        one.parties = self._parties(loan) | set(data["holders"])
        self._another(where, one.proposer, one.parties, loan)
        told = data["guarantor"] == self.guarantors[loan] and self._holders(loan) <= set(data["holders"])
        require(told, f"{where}: {name} does not say who has a part in {loan}")
        self._consented(where, one)

    def _consented(self, where: str, one: _Waiting) -> None:
        stretches = one.terms["kind"] in ("extension", "restructuring")
        answers = bool(self.guarantors[one.loan]) and one.loan not in self.paid_whole
        asked = one.terms.get("guarantor_consent") is not None
        require(asked or not (stretches and answers), f"{where}: the guarantor of {one.loan} was not asked")

    def _admitted(self, where: str, data: Any, today: date) -> None:
        name, one = data["measure_id"], self.waiting[data["measure_id"]]
        one.until = date.fromisoformat(data["sign_until"])
        last = today if one.terms["kind"] == "branch_move" else today + _SIGNING
        require(one.until == last, f"{where}: {name} is signed until {one.until}")

    def _signed(self, where: str, data: Any, today: date) -> None:
        name, one = data["measure_id"], self.waiting[data["measure_id"]]
        self._another(where, data["signer"], one.parties, one.loan)
        self._in_time(where, name, one, today)
        one.is_over = data.get("next_step") is None

    def _in_time(self, where: str, name: str, one: _Waiting, today: date) -> None:
        is_late = one.until is not None and today > one.until
        require(not is_late, f"{where}: {name} is signed after {one.until}")

    def _over(self, _where: str, data: Any, _today: date) -> None:
        one = self.waiting.get(data.get("compensation_id") or data["measure_id"])
        if one is not None:
            one.is_over = True

    def _rescheduled(self, where: str, data: Any, _today: date) -> None:
        self._consented(where, self.waiting[data["measure_id"]])

    # --- compensations ------------------------------------------------------------------------------------------

    def _asks(self, where: str, data: Any, today: date) -> None:
        loan, until = data["loan_id"], date.fromisoformat(data["sign_until"])
        name = data["compensation_id"]
        self.waiting[name] = one = _Waiting(loan, data["proposed_by"], until=until)
        require(until == today + _COMPENSATION, f"{where}: {name} is signed until {one.until}")
        self._another(where, data["proposed_by"], self._parties(loan), loan)

    def _signs(self, where: str, data: Any, today: date) -> None:
        name, one = data["compensation_id"], self.waiting[data["compensation_id"]]
        who = data.get("approved_by") or data.get("executed_by") or data.get("declined_by") or ""
        self._another(where, who, self._parties(one.loan), one.loan)
        if "code" not in data:
            self._in_time(where, name, one, today)
        one.is_over = "approved_by" not in data

    # --- corrections --------------------------------------------------------------------------------------------

    def _knows(self, where: str, data: Any, _today: date) -> None:
        loan, name = data["loan_id"], data["correction_id"]
        guarantor = f"usr_{data['guarantor'].removeprefix('gua_')}" if data["guarantor"] else ""
        told = {data["borrower"], *data["holders"]} | ({guarantor} if guarantor else set())
        always = self._parties(loan) - self._holders(loan)
        require(always <= told, f"{where}: {name} does not say who has a part in {loan}")
        self.known[name] = told

    def _corrects(self, where: str, data: Any, _today: date) -> None:
        """Whoever is known to have a part in its loan neither allows a correction nor refuses it; a loan's own refusal is nobody's."""
        asked = data.get("correction") or data
        who = next(
            data[by] for by in ("proposed_by", "signed_by", "authorised_by", "refused_by") if by in data
        )
        self._another(where, who, self.known.get(asked["correction_id"], set()), asked["loan_id"])
        if "refused_by" not in data:
            self.correctors[asked["correction_id"]].append(who)

    def _put_right(self, where: str, data: Any, _today: date) -> None:
        """Who is owed by it now was not always owed before; who owes and who answers for it do not change."""
        loan = data["loan_id"]
        for who in self.correctors[data["correction_id"]]:
            self._another(where, who, self._parties(loan) - self._holders(loan), loan)


_HANDLERS: dict[str, Callable[[LimitBooks, str, Any, date], None]] = {
    "repayment.LoanOpened.v1": LimitBooks._lent,
    "repayment.ClaimTransferred.v1": LimitBooks._sold,
    "repayment.ClaimsSubrogated.v1": LimitBooks._compensated,
    "repayment.LoanVoided.v1": LimitBooks._voided,
    "repayment.MeasureProposed.v1": LimitBooks._proposed,
    "repayment.MeasureExamined.v1": LimitBooks._examined,
    "repayment.MeasureAdmitted.v1": LimitBooks._admitted,
    "repayment.MeasureSigned.v1": LimitBooks._signed,
    "repayment.MeasureRefused.v1": LimitBooks._signed,
    "repayment.MeasureFailed.v1": LimitBooks._over,
    "repayment.LoanRescheduled.v1": LimitBooks._rescheduled,
    "repayment.CorrectionProposed.v1": LimitBooks._corrects,
    "repayment.CorrectionAdmitted.v1": LimitBooks._knows,
    "repayment.CorrectionRefused.v1": LimitBooks._corrects,
    "repayment.CorrectionSigned.v1": LimitBooks._corrects,
    "repayment.CorrectionAuthorised.v1": LimitBooks._corrects,
    "repayment.LoanRestated.v1": LimitBooks._put_right,
    "repayment.CompensationProposed.v1": LimitBooks._asks,
    "repayment.CompensationApproved.v1": LimitBooks._signs,
    "repayment.CompensationExecuted.v1": LimitBooks._signs,
    "repayment.CompensationDeclined.v1": LimitBooks._signs,
}
