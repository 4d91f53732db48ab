"""Whether a loan's interest is income, kept once more from the log: none after ninety days, by two people's word or once written off, and
again when all arrears are paid, those too that a restructuring gave a new day.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from tools.simulator.loan_books import LoanBook, require

_DAYS: Final = 90


@dataclass(slots=True)
class Income:
    """Loans whose interest is none; of these, those of which two people said so."""

    none: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)
    arrears: dict[str, int] = field(default_factory=dict)
    """Of each loan that was restructured: the row that asks for what was in arrears."""

    def judged(self, where: str, loan: LoanBook, day: date) -> None:
        """The misses phase of a day is over for a loan."""
        silent = loan.dpd(day) > _DAYS and loan.loan_id not in self.none
        require(not silent, f"{where}: interest of {loan.loan_id} is income after {loan.dpd(day)} days")

    def stops(self, where: str, data: Any, loan: LoanBook) -> None:
        """It is no income any more."""
        name, on = loan.loan_id, date.fromisoformat(data["started_on"])
        require(name not in self.none, f"{where}: interest of {name} stops again")
        self.none.add(name)
        if data["cause"] == "by_hand":
            self.by_hand.add(name)
        elif data["cause"] == "overdue":
            dpd = loan.dpd(on)
            require(dpd > _DAYS, f"{where}: interest of {name} stops after {dpd} days ({on})")

    def ends(self, where: str, data: Any, loan: LoanBook, today: date) -> None:
        """It is income again."""
        name, is_put_right = loan.loan_id, loan.restated_at == where
        require(name in self.none, f"{where}: interest of {name} was income")
        is_late = loan.is_behind(today) or loan.is_open(self.arrears.get(name, 0))
        require(not is_late or is_put_right, f"{where}: interest of {name} is income while it is behind")
        require(not loan.written_off, f"{where}: interest of {name} is income, written off")
        is_said = bool(data["measure_id"]) or name not in self.by_hand or is_put_right
        require(is_said, f"{where}: interest of {name} is income, and two people said no")
        self.none.discard(name)
        self.by_hand.discard(name)
