"""Every early payment of a part, done once more in fractions: how much of it was principal, and what is asked from then on.

It shares no code with the platform, and walks the rest of a loan month by month where the platform solves it in closed form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import LoanBook, require
from tools.simulator.loan_rows import Rest
from tools.simulator.schedule_books import PLAIN, Flow, rounded, year_part

_MINIMUM_FEN: Final = 100_00
_UNDUE: Final = 0
_REASONS: Final = {
    "reamortise": "partial_prepayment_reamortised",
    "shorten": "partial_prepayment_shortened",
}


@dataclass(slots=True)
class Contract:
    """What a loan was agreed on."""

    terms: Any
    rate: Fraction
    months: int
    funded_on: date

    def used(self, principal: int, since: date, until: date) -> int:
        """Interest of the days between two dates."""
        said = self.terms
        if said["interest_by"] == "day":
            part = year_part(since, until, said["day_count"])
        else:
            part = Fraction(max(0, (until - since).days), 365)
        return rounded(principal * self.rate * part, said["rounding"])


@dataclass(slots=True)
class PrepayBooks:
    """All contracts, and which payments asked to prepay."""

    books: Books
    contracts: dict[str, Contract] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)

    def record(self, where: str, events: Sequence[Any]) -> None:
        """Fold one decision, after the loan's own book has. Raises WrongBooks."""
        for event in events:
            kind, data = event["type"], event["data"]
            if kind == "repayment.LoanOpened.v1":
                rate, funded_on = Fraction(data["annual_rate"]), date.fromisoformat(data["funded_on"])
                terms = data["repayment"] or PLAIN
                self.contracts[data["loan_id"]] = Contract(terms, rate, data["tenor_months"], funded_on)
            elif kind == "repayment.ScheduleChanged.v1" and data["reason"] == "restructured":
                contract = self.contracts[data["loan_id"]]
                contract.terms = {**contract.terms, "principal_grace": 0, "interest_grace": 0}
            elif kind == "bidding.LoanPaymentDebited.v1" and data["prepay"]:
                self.modes[data["payment_id"]] = data["prepay"]
            elif kind == "repayment.PaymentReceived.v1":
                self._paid(where, data, events)

    def _paid(self, where: str, payment: Any, events: Sequence[Any]) -> None:
        loan = self.books.loans[payment["loan_id"]]
        mode = self.modes.get(payment["payment_id"])
        changes = [e["data"] for e in events if e["type"] == "repayment.ScheduleChanged.v1"]
        early = next((line for line in payment["allocation"] if line["number"] == _UNDUE), None)
        ends = any(e["type"] == "repayment.LoanRepaid.v1" for e in events)
        name = f"{where}: {payment['payment_id']}"
        if mode is None or ends:
            require(not changes, f"{name} changes a schedule and is no prepayment")
            return
        require(early is not None and len(changes) == 1, f"{name} prepays and nothing is asked anew")
        [change] = changes
        assert early is not None
        require(change["reason"] == _REASONS[mode], f"{name} was to {mode}: {change['reason']}")
        over = sum(e["data"]["amount_fen"] for e in events if e["type"] == "repayment.OverpaymentReturned.v1")
        self._judge(name, loan, payment, early, over, change, mode)

    def _judge(
        self, name: str, loan: LoanBook, payment: Any, early: Any, over: int, change: Any, mode: str
    ) -> None:
        contract = self.contracts[loan.loan_id]
        on = date.fromisoformat(payment["value_date"])
        assert loan.before is not None
        rest = loan.before
        first = change["rows"][0]["number"]
        require(first == rest.kept + 1, f"{name} changes what is due: from {first}")
        prepaid, money = early["principal_fen"], early["principal_fen"] + early["interest_fen"] + over
        require(money >= min(_MINIMUM_FEN, rest.principal), f"{name} prepays {money}")
        owed = _interest(contract, rest, prepaid, on)
        require(early["interest_fen"] == owed, f"{name} costs {early['interest_fen']} to the day, not {owed}")
        more = prepaid + 1 + _interest(contract, rest, prepaid + 1, on)
        require(more > money, f"{name} prepays {prepaid}, {money} would have paid more")
        asked = asked_anew(contract, rest, rest.principal - prepaid, mode)
        # What a loss, or a void contract, has to come is principal alone.
        if not any(row.interest_fen or row.fee_fen for row in rest.rows):
            asked = [(due_on, fen, 0, 0) for due_on, fen, *_ in asked]
        said = [
            (date.fromisoformat(r["due_on"]), r["principal_fen"], r["interest_fen"], r["fee_fen"])
            for r in change["rows"]
        ]
        require(said == asked, f"{name} is to {mode}: asked anew is {said}, agreed was {asked}")


def _interest(contract: Contract, rest: Rest, principal: int, on: date) -> int:
    """To the day, and never more than the prepaid principal's part of what the running period asks."""
    grace = contract.terms["interest_grace"]
    since = rest.dues[rest.kept - 1] if rest.kept > grace else contract.funded_on
    running = rest.rows[max(0, grace - rest.kept)].interest_fen
    # Half-up like the whole platform's profile, whatever the loan's own rounding.
    most = int(Fraction(running * principal, rest.principal) + Fraction(1, 2))
    return min(contract.used(principal, since, on), most)


def asked_anew(contract: Contract, rest: Rest, left: int, mode: str) -> list[Flow]:
    """What is asked in place of the rows that are not due, when so much of their principal is left."""
    said, rate = contract.terms, contract.rate
    round_: Callable[[Fraction], int] = lambda exact: rounded(exact, said["rounding"])  # noqa: E731
    method, kept, count = said["method"], rest.kept, len(rest.rows)
    if method == "flat":
        scale = Fraction(left, rest.principal)
        waits = max(0, said["principal_grace"] - kept)
        each = max(1, round_(Fraction(left, count - waits)))
        flows, balance = [], left
        for number, row in enumerate(rest.rows, 1):
            principal = 0 if number <= waits else balance if number == count else min(balance, each)
            flows.append(
                (row.due_on, principal, round_(row.interest_fen * scale), row.fee_fen)
                if balance
                else (row.due_on, 0, 0, 0)
            )
            balance -= principal
        return flows
    # While interest is deferred what is left has run since the funding: those periods are walked again, unpaid.
    since = 0 if kept <= said["interest_grace"] else kept
    dues = rest.dues[since:]
    starts = [rest.dues[since - 1] if since else contract.funded_on, *dues[:-1]]
    parts = [
        year_part(begin, due, said["day_count"])
        if said["interest_by"] == "day"
        else Fraction(contract.months if method == "bullet" else 1, 12)
        for begin, due in zip(starts, dues, strict=True)
    ]
    waits = max(0, said["principal_grace"] - since)
    each = _each(contract, rest, left, mode, parts, waits, since)
    flows, balance, deferred = [], left, 0
    for number, (due, part) in enumerate(zip(dues, parts, strict=True), 1):
        if not balance and mode == "shorten":
            break
        interest = round_(balance * rate * part)
        if number == len(dues):
            principal = balance
        elif number <= waits or method in ("interest_first", "bullet"):
            principal = 0
        else:
            principal = min(balance, max(0, each - (interest if method == "equal_instalments" else 0)))
        deferred += interest
        shown = 0 if number + since <= said["interest_grace"] else deferred
        deferred -= shown
        row = rest.rows[number + since - kept - 1]
        if number + since > kept:
            flows.append((due, principal, shown, row.fee_fen if balance else 0))
        balance -= principal
    return flows


def _each(
    contract: Contract, rest: Rest, left: int, mode: str, parts: list[Fraction], waits: int, since: int
) -> int:
    """The instalment, or of equal principal its principal: of what is left over the same time, or the one of before."""
    method, mode_of = contract.terms["method"], contract.terms["rounding"]
    paying = parts[waits:]
    if mode == "shorten":
        at = next(index for index, row in enumerate(rest.rows) if row.principal_fen)
        row = rest.rows[at]
        run = rounded(rest.principal * contract.rate * parts[rest.kept - since + at], mode_of)
        return row.principal_fen + (run if method == "equal_instalments" else 0)
    if method == "equal_principal":
        return max(1, rounded(Fraction(left, len(paying)), mode_of))
    worth, factor = Fraction(0), Fraction(1)
    for part in paying:
        factor /= 1 + contract.rate * part
        worth += factor
    return max(1, rounded(left / worth, mode_of))
