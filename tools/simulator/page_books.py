"""What people read of loans, kept once more from the log: pages row by row, histories event by event, what is late, what lenders got.

It adds up what events say and knows no projection; whatever a page shows at rest must be that.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.line_books import LineBooks
from tools.simulator.loan_books import LoanBook, require
from tools.simulator.reentry_books import ReentryBooks

#: Events of a loan that always stand in its history. Others may, if they move an amount.
_TOLD: Final = (
    "repayment.LoanOpened.v1",
    "repayment.PaymentReceived.v1",
    "repayment.DebtSettledInKind.v1",
    "repayment.PenaltyCharged.v1",
    "repayment.OverdueBucketChanged.v1",
    "repayment.LoanRepaid.v1",
)
#: Rows are asked anew, and a loan is in another bucket.
_ANEW, _MOVED = "repayment.ScheduleChanged.v1", "repayment.OverdueBucketChanged.v1"
_COMPONENTS: Final = ("principal", "interest", "fee", "penalty")
#: What is written off stands beside the running book, in no segment of it.
_WRITTEN_OFF: Final = "written_off"
_SHARED: Final = ("principal", "interest", "penalty")


@dataclass(slots=True)
class PageBooks:
    """Events of each loan by their addresses, what was paid and charged on it, where it is, and what came on each claim."""

    books: Books
    told: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    paid: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    segments: dict[str, tuple[str, str]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    received: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lines: LineBooks = field(default_factory=LineBooks)
    again: ReentryBooks = field(default_factory=ReentryBooks)
    entries: dict[str, Any] = field(default_factory=dict)
    """How each open case stands in the queue."""
    restated: set[str] = field(default_factory=set)
    """Loans that were corrected: what the borrower's fees of each period came to then, only the loan's own rows say."""

    def record(self, where: str, events: list[Any]) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        for index, event in enumerate(events):
            self.lines.record(event)
            self.again.record(where, event)
            kind, data = event["type"], event["data"]
            if kind in _TOLD:
                self.told[data["loan_id"]].add(f"{where}/{index}")
            if kind == "repayment.LoanOpened.v1":
                self.segments[data["loan_id"]] = data["region"], data["product"]
                self.branches[data["loan_id"]] = data["region"]
            elif kind == "repayment.LoanMoved.v1":
                self.branches[data["loan_id"]] = data["to_branch"]
            elif kind in ("repayment.PaymentReceived.v1", "repayment.DebtSettledInKind.v1"):
                for line in data.get("allocation") or data["lines"]:
                    for each in _COMPONENTS:
                        self.paid[data["loan_id"]][each] += line[f"{each}_fen"]
            elif kind == "repayment.RepaymentDistributed.v1":
                self._came(data["value_date"], data["lines"])
            elif kind == "collections.CaseRanked.v1":
                self.entries[data["case_id"]] = data["entry"]
            elif kind == "collections.CaseClosed.v1":
                self.entries.pop(data["case_id"], None)
            elif kind == "repayment.LoanRestated.v1":
                self._restated(where, data)
        self._require_overdue(where, events)

    def _require_overdue(self, where: str, events: list[Any]) -> None:
        """What a loan calls overdue is what is open of instalments that it has called missed, on any day and at any hour; what it says before its
        rows are asked anew is of the rows that it had."""
        kinds = [event["type"] for event in events]
        anew = kinds.index(_ANEW) if _ANEW in kinds else len(events)
        for said, is_before in (
            (_overdue(events[:anew]), anew < len(events)),
            (_overdue(events[anew:]), False),
        ):
            if said is not None:
                loan_id, overdue = said
                loan = self.books.loans[loan_id]
                missed = loan.overdue_before_fen if is_before else loan.overdue_fen
                require(overdue == missed, f"{where}: {loan_id} says {overdue} overdue, missed is {missed}")

    def _restated(self, where: str, data: Any) -> None:
        """What a correction gives the claims, or takes from them, the loan has received more or less; what it says beside it changes nothing of what
        is overdue."""
        missed, overdue = self.books.loans[data["loan_id"]].overdue_fen, data["overdue_after_fen"]
        require(
            overdue == missed, f"{where}: {data['loan_id']} stands at {overdue} overdue, missed is {missed}"
        )
        self.restated.add(data["loan_id"])
        self._came(data["restated_on"], data["claims"])
        for change in data["claims"]:
            for each in _SHARED:
                self.paid[data["loan_id"]][each] += change[f"{each}_fen"]

    def _came(self, day: str, lines: Iterable[Any]) -> None:
        for line in lines:
            for each in _COMPONENTS:
                self.received[line["claim_id"]][f"{day[:7]} {each}"] += line[f"{each}_fen"]

    # --- at rest ------------------------------------------------------------------------------------------------

    def require_page(self, page: Mapping[str, Any]) -> None:
        """Each instalment asks for what is open of it and stands where it stands; the totals are the rows'."""
        loan = self.books.loans[page["id"]]
        running = page["state"] == "running"
        for shown in page["rows"] if running else ():
            row = loan.rows[shown["number"]]
            said = {each: shown[f"{each}_fen"] - shown[f"paid_{each}_fen"] for each in _COMPONENTS}
            kept = {each: getattr(row, f"{each}_fen") for each in _COMPONENTS}
            name = f"instalment {shown['number']} of {loan.loan_id}"
            require(said == kept, f"the page of {name} shows open {said}, the books have {kept}")
            owed = row.asked_fen + row.penalty_fen
            is_overdue = bool(owed and row.missed)
            is_right = (shown["status"] == "paid") == (not owed) and (
                shown["status"] == "overdue"
            ) == is_overdue
            require(is_right, f"the page calls {name} {shown['status']}, open is {owed}")
        is_late = page["dpd"] > 0 and not running
        require(not is_late, f"the page of {loan.loan_id} is {page['dpd']} days past due, and it is repaid")
        late = sum(row.principal_fen for row in loan.rows.values() if running and row.missed)
        missed = loan.overdue_fen if running else 0
        overdue = page["overdue_fen"]
        require(overdue == missed, f"the page of {loan.loan_id} has {overdue} overdue, missed is {missed}")
        split = late, loan.outstanding_fen - late
        told = page["overdue_principal_fen"], page["normal_principal_fen"]
        require(told == split, f"the page of {loan.loan_id} splits its principal {told}, the books {split}")
        is_partly = all(split)
        right = page["partly_overdue"] == is_partly
        require(right, f"the page of {loan.loan_id} is partly overdue: {page['partly_overdue']}")
        owed = sum(row.asked_fen + row.penalty_fen for row in loan.rows.values())
        asked = page["totals"]["open_fen"]
        require(asked == owed, f"the page of {loan.loan_id} has {asked} open in all, the books {owed}")
        self.again.require_marks(loan.loan_id, page["payments"])
        paid = {each: page["totals"][f"paid_{each}_fen"] for each in _COMPONENTS}
        self._require_paid(f"the page of {loan.loan_id}", loan, paid)

    def require_history(
        self,
        loan_id: str,
        events: Iterable[str],
        paid: Mapping[str, int],
        left: Mapping[str, int],
        sum_fen: int,
    ) -> None:
        """Every event that moved an amount has its line, and the lines come to what was paid and what is open."""
        missing = self.told[loan_id] - {*events}
        require(not missing, f"the history of {loan_id} leaves out {sorted(missing)}")
        loan = self.books.loans[loan_id]
        self._require_paid(f"the history of {loan_id}", loan, paid)
        for name, kept in (("outstanding_fen", loan.outstanding_fen), ("penalty_fen", loan.penalty_fen)):
            said = left.get(name, 0)
            require(said == kept, f"the history of {loan_id} leaves {name} {said}, the books {kept}")
        right = sum_fen == loan.outstanding_fen
        require(right, f"the history of {loan_id} sums to {sum_fen} outstanding")

    def _require_paid(self, what: str, loan: LoanBook, paid: Mapping[str, int]) -> None:
        kept = {each: self.paid[loan.loan_id][each] for each in _COMPONENTS}
        if loan.loan_id in self.restated:
            kept["fee"] = paid["fee"]
        require(paid == kept, f"{what} says paid {paid}, the books say {kept}")

    def require_segments(self, segments: Iterable[Mapping[str, Any]]) -> None:
        """Each segment counts its loans, their principal, and what their cases say is overdue."""
        kept: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        for loan in self.books.loans.values():
            if loan.runs and loan.bucket != _WRITTEN_OFF:
                segment = kept[*self.segments[loan.loan_id], loan.bucket]
                segment["loans"] += 1
                segment["principal_fen"] += loan.outstanding_fen
                missed = (row.principal_fen for row in loan.rows.values() if row.missed)
                segment["overdue_principal_fen"] += sum(missed)
        for case in self.entries.values():
            if case["bucket"] == _WRITTEN_OFF:
                continue  # off the balance: in no segment
            kept[case["region"], case["product"], case["bucket"]]["overdue_fen"] += case["overdue_fen"]
        shown: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        for each in segments:
            sums = ("loans", "principal_fen", "overdue_principal_fen", "overdue_fen")
            fields = {name: each.get(name, 0) for name in sums}
            shown[each["region"], each["product"], each["bucket"]].update(fields)
        for key in sorted({*kept, *shown}):
            said, own = +shown[key], +kept[key]
            require(said == own, f"the segment {':'.join(key)} shows {dict(said)}, the books say {dict(own)}")

    def require_branches(self, shown: Iterable[Mapping[str, Any]]) -> None:
        """Each branch has the loans that it looks after, wherever their borrowers live."""
        kept: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for loan in self.books.loans.values():
            if loan.runs and loan.bucket != _WRITTEN_OFF:
                kept[self.branches[loan.loan_id]].update(loans=1, principal_fen=loan.outstanding_fen)
        said = {
            each["branch"]: Counter({name: each[name] for name in ("loans", "principal_fen")})
            for each in shown
        }
        for branch in sorted({*kept, *said}):
            shows, has = +said.get(branch, Counter()), +kept[branch]
            require(shows == has, f"the branch {branch} shows {dict(shows)}, the books say {dict(has)}")

    def require_received(self, claim: str, months: Iterable[Mapping[str, Any]]) -> None:
        """What a claim's history says came in each month is what distributions brought it then."""
        said: Counter[str] = Counter()
        for month in months:
            for each in ("principal", "interest", "penalty"):
                said[f"{month['month']} {each}"] += month[f"received_{each}_fen"]
            said[f"{month['month']} fee"] += month["fee_fen"]
        shown, kept = _nonzero(said), _nonzero(self.received[claim])
        require(shown == kept, f"{claim} shows received {shown}, it was {kept}")


def _nonzero(amounts: Mapping[str, int]) -> dict[str, int]:
    return {name: fen for name, fen in amounts.items() if fen}


def _overdue(events: Iterable[Any]) -> tuple[str, int] | None:
    """The loan that says last what of it is overdue, and how much; a loan that moves says it too."""
    said = None
    for event in events:
        data = event["data"]
        fen = data["overdue_fen"] if event["type"] == _MOVED else data.get("overdue_after_fen")
        said = said if fen is None else (data["loan_id"], fen)
    return said
