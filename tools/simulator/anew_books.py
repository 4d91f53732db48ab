"""Every extension and every restructuring done once more from the contract: which principal is spread, over which months, and what each new row asks.

It walks the months as `prepay_books` does. No day costs twice: until a restructuring what was due bore penalty, so the first new row asks for no
interest of that; and nothing is forgiven, so it asks for all that was due as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import require
from tools.simulator.loan_rows import Rest, Row
from tools.simulator.prepay_books import Contract, asked_anew
from tools.simulator.schedule_books import Flow, due_of

_REASONS: Final = {"extended": "extension", "restructured": "restructuring"}
_NO_GRACE: Final = {"principal_grace": 0, "interest_grace": 0}


@dataclass(slots=True)
class AnewBooks:
    """All rows as they were asked last, and what a period costs beside them."""

    books: Books
    contracts: Mapping[str, Contract]
    rows: dict[str, list[Flow]] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)
    judged: int = 0
    """How many schedules began anew."""

    def record(self, where: str, events: Sequence[Any]) -> None:
        """Fold one decision, after the loan's own book and those of prepayments have. Raises WrongBooks."""
        measures = [event["data"] for event in events if event["type"] == "repayment.LoanRescheduled.v1"]
        for event in events:
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, event["data"], measures)

    def _opened(self, _where: str, data: Any, _measures: Sequence[Any]) -> None:
        self.rows[data["loan_id"]] = _flows(data["rows"])
        self.fees[data["loan_id"]] = data["rows"][0]["fee_fen"]

    def _restated(self, _where: str, data: Any, _measures: Sequence[Any]) -> None:
        self.rows[data["loan_id"]] = _flows(data["standing"]["rows"] or ()) or self.rows[data["loan_id"]]

    def _changed(self, where: str, data: Any, measures: Sequence[Any]) -> None:
        loan, first = data["loan_id"], data["rows"][0]["number"]
        said = _flows(data["rows"])
        kept, replaced = self.rows[loan][: first - 1], self.rows[loan][first - 1 :]
        if data["reason"] in _REASONS:
            [measure] = measures
            name = f"{where}: {loan} is {data['reason']}"
            require(measure["kind"] == _REASONS[data["reason"]], f"{name} by an {measure['kind']}")
            self._is_next(name, loan, kept, date.fromisoformat(data["changed_on"]), measure["kind"])
            right = self._right(name, data, measure, kept, replaced)
            require(
                said == right, f"{name}: asked anew is {_told(said, right)}, agreed was {_told(right, said)}"
            )
            self.judged += 1
        elif data["reason"] == "written_off":
            right = self._bare(loan, date.fromisoformat(data["changed_on"]), first, replaced)
            require(said == right, f"{where}: {loan} is lost: asked is {_told(said, right)}, {right} was due")
        self.rows[loan] = kept + said

    def _is_next(self, name: str, loan: str, kept: Sequence[Flow], on: date, kind: str) -> None:
        """It begins behind what stays: what is paid; before an extension what is due, or was paid in part."""
        book = self.books.loans[loan]
        if kind == "restructuring":
            left = [number for number in range(1, len(kept) + 1) if book.is_open(number)]
            require(not left, f"{name} beside {left}, which are not paid")
        elif kept:
            stays = kept[-1][0] <= on or book.rows[len(kept)].touched
            require(stays, f"{name} from {len(kept) + 1}: the one before is not due")

    def _bare(self, loan: str, on: date, first: int, replaced: Sequence[Flow]) -> list[Flow]:
        """What was not due of a loss has principal to come, and of interest and fees what was due before a restructuring."""
        book = self.books.loans[loan]
        return [
            (day, principal, *(book.left_on(on) if number == book.left_in else (0, 0)))
            for number, (day, principal, *_) in enumerate(replaced, first)
        ]

    def _right(
        self, name: str, data: Any, measure: Any, kept: Sequence[Flow], replaced: Sequence[Flow]
    ) -> list[Flow]:
        loan, on, by = data["loan_id"], date.fromisoformat(data["changed_on"]), measure["months"]
        contract = self.contracts[loan]
        due = [row for row in replaced if row[0] <= on]
        fined, whole = (sum(row[1] for row in rows) for rows in (due, replaced))
        arrears = sum(row[2] for row in due), sum(row[3] for row in due)
        said = measure["principal_fen"], measure["interest_fen"], measure["fee_fen"]
        require(said == (whole, *arrears), f"{name} over {said}, in the rows stand {(whole, *arrears)}")
        since = max(on, kept[-1][0]) if kept else on
        begun, months = _begun(contract, since), len(replaced) - len(due) + by
        if contract.terms["method"] == "bullet":
            # It has run since the funding; once it is due, from the contract's day before.
            begun, months = (begun, by) if due else (0, contract.months + by)
            contract.months = begun + months
        flows = _spread(contract, whole, begun, months, self.fees[loan])
        if measure["kind"] == "restructuring":
            day, principal, interest, fee = flows[0]
            bore = contract.used(fined, _day(contract, begun), on)
            interest -= min(bore, interest * fined // whole)
            flows[0] = day, principal, interest + arrears[0], fee + arrears[1]
        return flows


def _spread(contract: Contract, whole: int, begun: int, months: int, fee: int) -> list[Flow]:
    """So much principal over the months of the contract after so many of them."""
    said, number = contract.terms, begun + months
    ends = [number] if said["method"] == "bullet" else range(begun + 1, number + 1)
    days = [_day(contract, month) for month in ends]
    rest = Rest(
        kept=begun,
        dues=[*(_day(contract, month) for month in range(1, begun + 1)), *days],
        rows=[Row(day, 0, 0, charged_to=day, fee_fen=fee) for day in days],
    )
    return asked_anew(
        replace(contract, terms={**said, **_NO_GRACE}, months=months), rest, whole, "reamortise"
    )


def _begun(contract: Contract, on: date) -> int:
    """How many months of the contract are over."""
    months = 0
    while _day(contract, months + 1) <= on:
        months += 1
    return months


def _day(contract: Contract, month: int) -> date:
    return due_of(contract.terms, contract.funded_on, month) if month else contract.funded_on


def _flows(rows: Sequence[Any]) -> list[Flow]:
    return [
        (date.fromisoformat(row["due_on"]), row["principal_fen"], row["interest_fen"], row["fee_fen"])
        for row in rows
    ]


def _told(flows: Sequence[Flow], others: Sequence[Flow]) -> list[str]:
    """Those that are not the others'."""
    return [f"{due} {parts}" for due, *parts in flows if (due, *parts) not in others]


_HANDLERS: dict[str, Callable[[AnewBooks, str, Any, Sequence[Any]], None]] = {
    "repayment.LoanOpened.v1": AnewBooks._opened,
    "repayment.LoanRestated.v1": AnewBooks._restated,
    "repayment.ScheduleChanged.v1": AnewBooks._changed,
}
