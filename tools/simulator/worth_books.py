"""What a claim is worth on a day, once more from its contract and in fractions: the interest that has run since interest was last asked.

It shares no code with the platform's (services/repayment/domain/accruing.py): it knows the terms and rows that LoanOpened names, counts
the days as `schedule_books` does, and what a buyer must hold it finds period by period.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

from tools.simulator.schedule_books import PLAIN, rounded, year_part

_YEAR_DAYS: Final = 365


@dataclass(slots=True)
class Contract:
    """A loan's rate, its day of funding, its manner of repayment, and the scheduled interest of each due date, in their order."""

    rate: Fraction
    funded_on: date
    said: Any
    rows: list[tuple[date, int]]

    @staticmethod
    def of(data: Any) -> "Contract":
        """From LoanOpened."""
        return Contract(
            rate=Fraction(data["annual_rate"]),
            funded_on=date.fromisoformat(data["funded_on"]),
            said=data["repayment"] or PLAIN,
            rows=_rows(data),
        )

    def change(self, data: Any) -> None:
        """From ScheduleChanged: its rows take the place of all from the number of the first of them on."""
        first = data["rows"][0]["number"]
        self.rows = self.rows[: first - 1] + _rows(data)

    def restate(self, data: Any) -> None:
        """From LoanRestated: all its rows where a correction made them others."""
        rows = data["standing"]["rows"]
        self.rows = self.rows if rows is None else _rows({"rows": rows})

    def interest(self, part: int, whole: int, on: date) -> int:
        """What has accrued on a part of the principal: for the days since interest was asked, at most its share of the next row."""
        due = sum(day <= on for day, _ in self.rows)
        if due == len(self.rows):
            return 0
        share = Fraction(self._next(due) * part, whole)
        return min(self._used(part, self._since(due), on), rounded(share, self.said["rounding"]))

    def most(self, part: int, first: date, last: date) -> int:
        """The most that may have accrued on any day of these: at the end of them, or of a period that ends within."""
        ends = [min(last, day) for day, _ in self.rows if day > first]
        starts = [self._since(due) for due, (day, _) in enumerate(self.rows) if day > first]
        used = (
            self._used(part, since, end) for since, end in zip(starts, ends, strict=True) if since <= last
        )
        return max(used, default=0)

    def _next(self, due: int) -> int:
        """The interest of the row that asks next for some."""
        return next(interest for day, interest in self.rows[max(due, self._grace) :])

    def _since(self, due: int) -> date:
        return self.rows[due - 1][0] if due > self._grace else self.funded_on

    @property
    def _grace(self) -> int:
        return min(int(self.said["interest_grace"]), len(self.rows) - 1)

    def _used(self, part: int, since: date, until: date) -> int:
        if self.said["interest_by"] == "month":
            years = Fraction(max(0, (until - since).days), _YEAR_DAYS)
        else:
            years = year_part(since, until, self.said["day_count"])
        return rounded(part * self.rate * years, self.said["rounding"])


def _rows(data: Any) -> list[tuple[date, int]]:
    return [(date.fromisoformat(row["due_on"]), row["interest_fen"]) for row in data["rows"]]
