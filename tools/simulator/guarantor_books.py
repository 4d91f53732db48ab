"""Guarantors and what they paid, kept once more from the log: who was admitted by whom, what is guaranteed, who signed, whose an instalment is.

Red line 2: whatever holders get for an overdue loan comes from the guarantor's own account, to the fen, or from its borrower.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.loan_rows import holds

#: For so many days a proposal waits (chosen).
_WAITS: Final = 30
_CANNOT_PAY: Final = ("insufficient_available", "owner_deceased", "unknown_account", "account_closed")
_PARTS: Final = ("principal_fen", "interest_fen", "penalty_fen")


@dataclass(slots=True)
class _Guarantor:
    """One of them: what is proposed and by whom, his limit and last day once he is admitted, and his loans (fen)."""

    proposed: tuple[int, str, str] | None = None
    limit_fen: int = 0
    valid_to: str = ""
    takes_loans: bool = False
    proposed_on: date = date.min
    loans: dict[str, int] = field(default_factory=dict)

    def signs_until(self) -> date:
        """The last day on which somebody agrees to what is proposed."""
        assert self.proposed is not None, "nothing is proposed"
        return min(self.proposed_on + timedelta(days=_WAITS), date.fromisoformat(self.proposed[1]))


@dataclass(slots=True)
class _Compensation:
    """One under way: who signed, what was asked, and what came of the guarantor's money."""

    loan_id: str
    signers: list[str]
    asked: dict[int, dict[str, int]] = field(default_factory=dict)
    asked_fen: int = 0
    taken_fen: int = 0
    kept_fen: int = 0
    is_over: bool = False


@dataclass(slots=True)
class GuarantorBooks:
    """All guarantors, all compensations, and for each loan which instalments are whose."""

    books: Books
    register: dict[str, _Guarantor] = field(default_factory=dict)
    compensations: dict[str, _Compensation] = field(default_factory=dict)
    guarantors: dict[str, str] = field(default_factory=dict)
    met: dict[str, str] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)
    his: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)
    subrogated: dict[str, set[str]] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    in_vain: set[str] = field(default_factory=set)
    """Loans whose guarantor's account could not pay when it was asked last."""

    def record(self, where: str, events: list[Any], decided_on: str | None) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        for event in events:
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, event["data"], decided_on or "")
        self._shared(where, events)

    def at_rest(self, last_closed: date | None) -> None:
        """Whoever was asked has paid or was told why not, and what he paid and was not needed is his again; no terms wait whose days are over."""
        for name, one in self.compensations.items():
            require(not one.asked or one.is_over, f"{name} was asked for and never answered")
            back_fen = self.returned.get(name, 0)
            same = one.taken_fen - back_fen == one.kept_fen
            require(same, f"{name} took {one.taken_fen}, gave back {back_fen} and paid for {one.kept_fen}")
        for guarantor, register in self.register.items():
            if register.proposed is not None and last_closed is not None:
                waits = last_closed < register.signs_until()
                require(waits, f"{guarantor}: what is proposed has not expired")
            for loan, counted in register.loans.items():
                if loan in self.books.loans:
                    self._counts(guarantor, loan, counted)

    def _counts(self, guarantor: str, loan: str, counted: int) -> None:
        """What is owed counts, no fen more or less, after a correction too; of what he has paid for only the holders' part must."""
        book = self.books.loans[loan]
        owed = 0 if loan in self.void else book.outstanding_fen
        least = owed
        if loan in self.subrogated and owed:
            least = sum(fen for claim, fen in book.claims.items() if claim not in self.subrogated[loan])
        right = least <= counted <= owed
        require(right, f"{guarantor}: {loan} counts {counted}, owed is {least} to {owed}")

    def require_expected(self, loan: str, expected: Mapping[str, Mapping[tuple[date, str], int]]) -> None:
        """Whoever paid for instalments may expect what is open of these, and nothing else."""
        rows = self.books.loans[loan].rows
        for each in self.his.get(loan, ()):
            asked = {
                (row.due_on, part): fen
                for number, row in rows.items()
                if holds(each, number)
                for part, fen in (("principal", row.principal_fen), ("interest", row.interest_fen))
                if fen
            }
            his = {place: fen for place, fen in expected.get(each["claim_id"], {}).items() if fen}
            require(his == asked, f"{each['claim_id']} expects {his} of instalments that ask for {asked}")

    # --- the register -------------------------------------------------------------------------------------------

    def _proposed(self, where: str, data: Any, _on: str) -> None:
        one = self.register.setdefault(data["guarantor"], _Guarantor())
        terms = data["limit_fen"], data["valid_to"], data["proposed_by"]
        on = date.fromisoformat(data["proposed_on"])
        since = (on - one.proposed_on).days
        require(since > _WAITS, f"{where}: what waits of {data['guarantor']} is changed meanwhile")
        worth = data["net_assets_fen"]
        much = worth is not None and terms[0] + data["elsewhere_fen"] > 10 * worth
        require(not much, f"{where}: {data['guarantor']} guarantees more than ten times what he owns")
        require(data["liability"] == "joint", f"{where}: {data['guarantor']} is not liable jointly")
        one.proposed, one.proposed_on = terms, on

    def _admitted(self, where: str, data: Any, _on: str) -> None:
        one = self.register[data["guarantor"]]
        said = data["limit_fen"], data["valid_to"], data["proposed_by"]
        limit_fen, valid_to, by = one.proposed or (0, "", "")
        fits = said[0] <= limit_fen and said[1] <= valid_to and said[2] == by
        require(fits, f"{where}: {data['guarantor']} is admitted on other terms")
        same = data["admitted_by"] == data["proposed_by"]
        require(not same, f"{where}: {data['admitted_by']} admits a guarantor alone")
        one.limit_fen, one.valid_to, one.takes_loans, one.proposed = said[0], said[1], True, None
        waited = (date.fromisoformat(data["admitted_on"]) - one.proposed_on).days
        require(waited <= _WAITS, f"{where}: {data['guarantor']} is admitted after {waited} days")
        one.proposed_on = date.min

    def _refused(self, where: str, data: Any, _on: str) -> None:
        one = self.register[data["guarantor"]]
        require(one.proposed is not None, f"{where}: nothing of {data['guarantor']} waits to be refused")
        early = not data["refused_by"] and date.fromisoformat(data["refused_on"]) < one.signs_until()
        require(not early, f"{where}: what is proposed of {data['guarantor']} expires too early")
        one.proposed, one.proposed_on = None, date.min

    def _suspended(self, _where: str, data: Any, _on: str) -> None:
        one = self.register[data["guarantor"]]
        one.takes_loans, one.proposed, one.proposed_on = False, None, date.min

    def _reserved(self, where: str, data: Any, on: str) -> None:
        one, loan = self.register[data["guarantor"]], data["loan_id"]
        require(one.takes_loans, f"{where}: {data['guarantor']} takes {loan} and is not admitted")
        require(on <= one.valid_to, f"{where}: {data['guarantor']} takes {loan} after his last day")
        require(loan not in one.loans, f"{where}: {loan} is guaranteed twice")
        one.loans[loan] = data["amount_fen"]
        total = sum(one.loans.values())
        require(total == data["guaranteed_fen"], f"{where}: guaranteed is told wrongly")
        require(total <= one.limit_fen, f"{where}: {data['guarantor']} guarantees {total}, more than he may")

    def _reduced(self, where: str, data: Any, _on: str) -> None:
        one, loan = self.register[data["guarantor"]], data["loan_id"]
        require(one.loans[loan] > data["left_fen"], f"{where}: {loan} counts no less than before")
        one.loans[loan] = data["left_fen"]
        require(
            sum(one.loans.values()) == data["guaranteed_fen"], f"{where}: guaranteed after is told wrongly"
        )

    def _restored(self, where: str, data: Any, _on: str) -> None:
        """A correction asks nobody whether there is room."""
        one, loan = self.register[data["guarantor"]], data["loan_id"]
        require(one.loans.get(loan, 0) < data["left_fen"], f"{where}: {loan} counts no more than before")
        one.loans[loan] = data["left_fen"]
        require(
            sum(one.loans.values()) == data["guaranteed_fen"], f"{where}: guaranteed after is told wrongly"
        )

    def _met(self, where: str, data: Any, _on: str) -> None:
        guarantor, loan = data["guarantor"], data["loan_id"]
        self.met[loan] = guarantor
        if guarantor:
            has_room = self.register.get(guarantor, _Guarantor()).loans.get(loan) == data["amount_fen"]
            require(has_room, f"{where}: {loan} has a guarantor who does not stand in for it")
            require("guarantor_signed" in data["checks"], f"{where}: the guarantor of {loan} has not signed")

    def _listed(self, where: str, data: Any, _on: str) -> None:
        agreed = self.met.get(data["loan_id"])
        is_told = agreed is None or agreed == data["guarantor"]
        require(is_told, f"{where}: {data['loan_id']} is listed without its guarantor")
        self.guarantors[data["loan_id"]] = data["guarantor"]

    def _opened(self, where: str, data: Any, _on: str) -> None:
        loan = data["loan_id"]
        require(data["guarantor"] == self.guarantors[loan], f"{where}: {loan} loses its guarantor")
        terms = data["repayment"] or {}
        self.days[loan] = terms.get("compensated_after", 30)

    # --- compensations ------------------------------------------------------------------------------------------

    def _asks(self, where: str, data: Any, _on: str) -> None:
        require(bool(self.guarantors[data["loan_id"]]), f"{where}: {data['loan_id']} has no guarantor")
        self._late_enough(where, data["loan_id"], data["proposed_on"])
        self.compensations[data["compensation_id"]] = _Compensation(data["loan_id"], [data["proposed_by"]])

    def _late_enough(self, where: str, loan: str, on: str) -> None:
        paid_for = self.his.get(loan, [])
        book = self.books.loans[loan]
        late = [
            book.counted(row.due_on, date.fromisoformat(on))
            for number, row in book.rows.items()
            if (row.open_fen or row.penalty_fen) and not any(holds(each, number) for each in paid_for)
        ]
        enough = max(late, default=0) >= self.days[loan]
        require(enough, f"{where}: the guarantor of {loan} is asked too early")

    def _approved(self, where: str, data: Any, _on: str) -> None:
        self._signs(where, data["compensation_id"], data["approved_by"])

    def _signs(self, where: str, name: str, who: str) -> None:
        one = self.compensations[name]
        require(who not in one.signers, f"{where}: {who} signs {name} a second time")
        one.signers.append(who)

    def _executed(self, where: str, data: Any, _on: str) -> None:
        one = self.compensations[data["compensation_id"]]
        require(len(one.signers) == 2, f"{where}: {data['compensation_id']} is asked for and not approved")
        self._signs(where, data["compensation_id"], data["executed_by"])
        own = f"acc_{self.guarantors[data['loan_id']].removeprefix('gua_')}"
        require(data["account_id"] == own, f"{where}: {data['account_id']} is asked to pay for others")
        for line in data["lines"]:
            require(line["fee_fen"] == 0, f"{where}: a guarantor pays the platform's fee")
            one.asked[line["number"]] = {part: line[part] for part in _PARTS}
        one.asked_fen = sum(sum(line.values()) for line in one.asked.values())
        require(one.asked_fen == data["amount_fen"], f"{where}: what is asked is not what its lines sum to")

    def _debited(self, where: str, data: Any, _on: str) -> None:
        one = self.compensations[data["compensation_id"]]
        own = f"acc_{self.guarantors[one.loan_id].removeprefix('gua_')}"
        took = {p["account"]: p["amount_fen"] for p in data["postings"]}
        asked = {f"available:{own}": -one.asked_fen, f"clearing:loan:{one.loan_id}": one.asked_fen}
        require(took == asked, f"{where}: {data['compensation_id']} is paid by {took}")
        require(not one.taken_fen, f"{where}: {data['compensation_id']} is paid twice")
        one.taken_fen = one.asked_fen

    def _given_back(self, _where: str, data: Any, _on: str) -> None:
        self.returned[data["payment_id"]] = data["amount_fen"]

    def _declined(self, _where: str, data: Any, _on: str) -> None:
        one = self.compensations[data["compensation_id"]]
        one.is_over = True
        if one.asked and data["code"] in _CANNOT_PAY:
            self.in_vain.add(one.loan_id)

    def _in_kind(self, where: str, data: Any, _on: str) -> None:
        """His money comes before a thing, where he has any; who has paid for all of it is a holder."""
        loan = data["loan_id"]
        right = "" if loan in self.void else self.guarantors[loan] or ""
        require(data["guarantor"] == right, f"{where}: {loan} is guaranteed by another than said")
        has_paid = any(each["through"] is None for each in self.his.get(loan, ()))
        asked = not data["guarantor"] or has_paid or loan in self.in_vain
        require(asked, f"{where}: a thing is taken for {loan} before its guarantor was asked")

    def _subrogated(self, where: str, data: Any, _on: str) -> None:
        name, loan, claim = data["compensation_id"], data["loan_id"], data["claim"]
        one = self.compensations[name]
        require(one.taken_fen > 0, f"{where}: {name} paid nothing and gets a claim")
        for line in data["lines"]:
            most = one.asked.get(line["number"], {})
            fits = all(line[part] <= most.get(part, 0) for part in _PARTS)
            require(fits, f"{where}: {name} pays more than was asked of instalment {line['number']}")
        paid = {part: sum(line[part] for line in data["lines"]) for part in _PARTS}
        require(sum(paid.values()) == data["amount_fen"], f"{where}: {name} is not the sum of its lines")
        owed = claim["principal_fen"] == paid["principal_fen"] == data["principal_fen"]
        require(owed, f"{where}: the claim of {name} is not what was paid for")
        self.in_vain.discard(loan)
        own = self.guarantors[loan].removeprefix("gua_")
        is_his = (claim["account_id"], claim["investor"]) == (f"acc_{own}", f"usr_{own}")
        require(is_his, f"{where}: the claim of {name} is somebody else's")
        one.is_over, one.kept_fen = True, data["amount_fen"]

    def _shared(self, where: str, events: list[Any]) -> None:
        """What is paid on an instalment is its owner's: the guarantor's if he paid for it, else the holders'."""
        data = {event["type"].split(".")[1]: event["data"] for event in events}
        paid = data.get("PaymentReceived") or data.get("ClaimsSubrogated")
        shared = data.get("RepaymentDistributed")
        if paid is None or shared is None:
            return
        loan = paid["loan_id"]
        for each in self.his.get(loan, ()):
            lines = [line for line in paid.get("allocation") or paid["lines"] if holds(each, line["number"])]
            right = {part: sum(line[part] for line in lines) for part in _PARTS}
            got = [line for line in shared["lines"] if line["claim_id"] == each["claim_id"]]
            his = {part: sum(line[part] for line in got) for part in _PARTS}
            require(his == right, f"{where}: {each['claim_id']} gets {his} of its instalments' {right}")
        if "ClaimsSubrogated" in data:
            claim = data["ClaimsSubrogated"]["claim"]
            none = all(line["claim_id"] != claim["claim_id"] for line in shared["lines"])
            require(none, f"{where}: a guarantor pays himself")
            self.his.setdefault(loan, []).append(claim)
            self.books.loans[loan].paid_for = self.his[loan]
            self.subrogated.setdefault(loan, set()).add(claim["claim_id"])

    def _voided(self, _where: str, data: Any, _on: str) -> None:
        self.void.add(data["loan_id"])

    def _rescheduled(self, _where: str, data: Any, _on: str) -> None:
        """What takes the place of instalments that he paid for is shared by all."""
        first, loan = data["rows"][0]["number"], data["loan_id"]
        kept = [each for each in self.his.get(loan, ()) if each["through"] is None or each["through"] < first]
        self.his[loan] = self.books.loans[loan].paid_for = kept


_HANDLERS: dict[str, Callable[[GuarantorBooks, str, Any, str], None]] = {
    "repayment.GuarantorProposed.v1": GuarantorBooks._proposed,
    "repayment.GuarantorAdmitted.v1": GuarantorBooks._admitted,
    "repayment.GuarantorSuspended.v1": GuarantorBooks._suspended,
    "repayment.GuaranteeReserved.v1": GuarantorBooks._reserved,
    "repayment.GuaranteeReduced.v1": GuarantorBooks._reduced,
    "repayment.GuaranteeRestored.v1": GuarantorBooks._restored,
    "onboarding.PrecedentsMet.v1": GuarantorBooks._met,
    "bidding.ListingOpened.v1": GuarantorBooks._listed,
    "repayment.LoanOpened.v1": GuarantorBooks._opened,
    "repayment.CompensationProposed.v1": GuarantorBooks._asks,
    "repayment.CompensationApproved.v1": GuarantorBooks._approved,
    "repayment.CompensationExecuted.v1": GuarantorBooks._executed,
    "repayment.CompensationDeclined.v1": GuarantorBooks._declined,
    "repayment.ClaimsSubrogated.v1": GuarantorBooks._subrogated,
    "repayment.DebtSettledInKind.v1": GuarantorBooks._in_kind,
    "repayment.ScheduleChanged.v1": GuarantorBooks._rescheduled,
    "repayment.LoanVoided.v1": GuarantorBooks._voided,
    "repayment.GuarantorRefused.v1": GuarantorBooks._refused,
    "bidding.CompensationDebited.v1": GuarantorBooks._debited,
    "bidding.LoanPaymentReturned.v1": GuarantorBooks._given_back,
}
