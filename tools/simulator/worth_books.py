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
class Left:
    """What a restructuring left unpaid of interest, since when, and in which row it is asked."""

    number: int
    since: date
    interest_fen: int


@dataclass(slots=True)
class Contract:
    """A loan's rate, its day of funding, its manner of repayment, and each due date with its scheduled interest and principal, in their order."""

    rate: Fraction
    funded_on: date
    said: Any
    rows: list[tuple[date, int, int]]
    left: Left | None = None

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
        """From ScheduleChanged: its rows take the place of all from the number of the first of them on. A restructuring pays nothing and forgives
        nothing: what was due of them, and what had run on the others, is owed. After it no grace runs any more."""
        first = data["rows"][0]["number"]
        if data["reason"] == "restructured":
            on = date.fromisoformat(data["changed_on"])
            whole = sum(principal for day, _, principal in self.rows if day > on)
            due = sum(interest for day, interest, _ in self.rows[first - 1 :] if day <= on)
            self.left = Left(first, on, due + (self.interest(whole, whole, on) if whole else 0))
            self.said = {**self.said, "interest_grace": 0}
        self.rows = self.rows[: first - 1] + _rows(data)

    def restate(self, data: Any) -> None:
        """From LoanRestated: all its rows where a correction made them others, and what it leaves of a restructuring."""
        rows, measured = data["standing"]["rows"], data["standing"]["measured"]
        self.rows = self.rows if rows is None else _rows({"rows": rows})
        if self.left is not None and measured is not None:
            fen = measured["arrears_interest_fen"] + measured["arrears_accrued_fen"]
            self.left = Left(measured["arrears_in"], self.left.since, fen)

    def interest(self, part: int, whole: int, on: date, due: int | None = None) -> int:
        """What has accrued on a part of the principal: for the days since interest was asked, at most its share of the next row. `due` are the
        rows that count as due, if not those of the date."""
        due = sum(day <= on for day, *_ in self.rows) if due is None else due
        if due == len(self.rows):
            return 0
        mode, left = self.said["rounding"], self._left(due)
        most = self.rows[left.number - 1][1] if left else self._next(due)
        before = rounded(Fraction(left.interest_fen * part, whole), mode) if left else 0
        return min(
            before + self._used(part, self._since(due), on), rounded(Fraction(most * part, whole), mode)
        )

    def most(self, part: int, first: date, last: date) -> int:
        """The most that may have accrued on any day of these: at the end of them, or of a period that ends within."""
        most = 0
        for due, (day, *_) in enumerate(self.rows):
            since, left = self._since(due), self._left(due)
            if day > first and since <= last:
                whole = sum(principal for *_, principal in self.rows[due:])
                share = Fraction(left.interest_fen * part, whole) if left else Fraction(0)
                before = rounded(share, self.said["rounding"])
                most = max(most, before + self._used(part, since, min(last, day)))
        return most

    def _next(self, due: int) -> int:
        """The interest of the row that asks next for some."""
        return next(interest for _, interest, _ in self.rows[max(due, self._grace) :])

    def _left(self, due: int) -> Left | None:
        """Until the row is due that asks for it."""
        return self.left if self.left is not None and due < self.left.number else None

    def _since(self, due: int) -> date:
        left = self._left(due)
        if left is not None:
            return left.since
        return self.rows[due - 1][0] if due > self._grace else self.funded_on

    @property
    def _grace(self) -> int:
        return min(int(self.said["interest_grace"]), len(self.rows) - 1)

    def _used(self, part: int, since: date, until: date) -> int:
        if until <= since:
            return 0
        if self.said["interest_by"] == "month":
            years = Fraction((until - since).days, _YEAR_DAYS)
        else:
            years = year_part(since, until, self.said["day_count"])
        return rounded(part * self.rate * years, self.said["rounding"])


def _rows(data: Any) -> list[tuple[date, int, int]]:
    return [
        (date.fromisoformat(row["due_on"]), row["interest_fen"], row["principal_fen"]) for row in data["rows"]
    ]
