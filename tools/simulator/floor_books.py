"""How good a loan's class may be: what two people said of it, beside what observation leaves it until its last day and not a day longer."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from tools.simulator.loan_books import LoanBook, require

_CLASSES: Final = ("normal", "special_mention", "substandard", "doubtful", "loss")


@dataclass(slots=True)
class Floors:
    """Of each loan: the best class that somebody gave it, and the best while it is observed, until the end of which day."""

    given: dict[str, str] = field(default_factory=dict)
    observed: dict[str, tuple[str, date | None]] = field(default_factory=dict)

    def best(self, loan: str, on: date) -> str:
        """The best of a day."""
        watched, until = self.observed.get(loan, ("normal", None))
        if until is not None and until < on:
            watched = "normal"
        return max(self.given.get(loan, "normal"), watched, key=_CLASSES.index)

    def classified(self, where: str, loan: LoanBook, data: Any, today: date) -> None:
        """Nothing is better that is not paid; what gets better by itself is no better than somebody said."""
        to_class = data["to_class"]
        is_better = _CLASSES.index(to_class) < _CLASSES.index(data["from_class"])
        is_late = is_better and loan.is_behind(today) and loan.restated_at != where
        require(not is_late, f"{where}: {loan.loan_id} is better and not cured")
        best = self.best(loan.loan_id, today)
        holds = loan.runs and not data["measure_id"] and _CLASSES.index(to_class) < _CLASSES.index(best)
        require(not holds, f"{where}: {loan.loan_id} is {to_class}, at best {best}")

    def judged(self, where: str, loan: LoanBook, day: date) -> None:
        """The misses of a day are said: what is observed no longer, and paid as it fell due, is no worse than it must be."""
        _, until = self.observed.get(loan.loan_id, ("", None))
        if until is None or until >= day or loan.written_off or loan.unanswered:
            return
        if loan.oldest is None or loan.oldest.due_on <= day:
            return
        best = self.best(loan.loan_id, day)
        right = _CLASSES.index(loan.loan_class) <= _CLASSES.index(best)
        require(right, f"{where}: {loan.loan_id} was observed until {until} and is {loan.loan_class} still")
