"""What a prepayment costs and what it leaves to be asked, on decimals of 120 digits and period by period: shares no code with the domain."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise

from libs.events.money import Rounding
from libs.events.repayment import LoanOpened
from libs.events.schedules.terms import PLAIN, RepaymentTerms
from tests.unit.events.test_schedule_oracle import fen_of, year_part

_DIGITS = 120

Row = tuple[date, int, int, int]
"""Due date, principal, interest, fee."""


@dataclass
class Oracle:
    """One contract, the rows that stand, and how many of them are due."""

    loan: LoanOpened
    rows: list[Row]
    kept: int

    @property
    def terms(self) -> RepaymentTerms:
        """How the loan is repaid."""
        return self.loan.repayment or PLAIN

    @property
    def rest(self) -> list[Row]:
        """What is not due."""
        return self.rows[self.kept :]

    def to_the_day(self, principal: int, on: date) -> int:
        """Interest that this much of the principal has cost by a date, at most its part of what the period asks."""
        with localcontext(prec=_DIGITS):
            grace = self.terms.interest_grace
            since = self.rows[self.kept - 1][0] if self.kept > grace else self.loan.funded_on
            if self.terms.interest_by == "day":
                part = year_part(since, on, self.terms.day_count) if on > since else Decimal(0)
            else:
                part = Decimal(max(0, (on - since).days)) / 365
            used = fen_of(principal * self.loan.annual_rate * part, self.terms.rounding)
            period = self.rows[max(self.kept, grace)][2]
            whole = sum(row[1] for row in self.rest)
            return min(used, fen_of(Decimal(period) * principal / whole, Rounding.HALF_UP))

    def asked_anew(self, left: int, mode: str) -> list[Row]:
        """The rows in place of those that are not due."""
        with localcontext(prec=_DIGITS):
            return self._flat(left) if self.terms.method == "flat" else self._walked(left, mode)

    def _flat(self, left: int) -> list[Row]:
        whole = sum(row[1] for row in self.rest)
        waits = max(0, self.terms.principal_grace - self.kept)
        each = max(1, fen_of(Decimal(left) / (len(self.rest) - waits), self.terms.rounding))
        rows: list[Row] = []
        for index, (due, _, interest, fee) in enumerate(self.rest):
            part = 0 if index < waits else left if index == len(self.rest) - 1 else min(left, each)
            scaled = Decimal(interest) * (left + sum(row[1] for row in rows)) / whole
            rows.append((due, part, fen_of(scaled, self.terms.rounding), fee) if left else (due, 0, 0, 0))
            left -= part
        return rows

    def _walked(self, left: int, mode: str) -> list[Row]:
        terms, rate = self.terms, self.loan.annual_rate
        start = 0 if self.kept <= terms.interest_grace else self.kept
        ends = [row[0] for row in self.rows[start:]]
        begin = self.rows[start - 1][0] if start else self.loan.funded_on
        if terms.interest_by == "day":
            rates = [rate * year_part(a, b, terms.day_count) for a, b in pairwise([begin, *ends])]
        else:
            months = self.loan.tenor_months if terms.method == "bullet" else 1
            rates = [rate * months / 12 for _ in ends]
        wanted = self._wanted(left, mode, rates, start)
        rows: list[Row] = []
        deferred = 0
        for offset, (due, period) in enumerate(zip(ends, rates, strict=True)):
            number = start + offset + 1
            interest = fen_of(left * period, terms.rounding)
            deferred += interest
            share = wanted - interest if terms.method == "equal_instalments" else wanted
            if number <= terms.principal_grace or terms.method in ("interest_first", "bullet"):
                share = 0
            share = left if number == len(self.rows) else max(0, min(left, share))
            asked = deferred if number > terms.interest_grace else 0
            deferred -= asked
            if number > self.kept and (left or mode == "reamortise"):
                rows.append((due, share, asked, self.rows[number - 1][3] if left else 0))
            left -= share
        return rows

    def _wanted(self, left: int, mode: str, rates: list[Decimal], start: int) -> int:
        terms = self.terms
        paying = rates[max(0, terms.principal_grace - start) :]
        if mode == "shorten":
            number = next(n for n in range(self.kept, len(self.rows)) if self.rows[n][1])
            whole = sum(row[1] for row in self.rest)
            interest = fen_of(whole * rates[number - start], terms.rounding)
            return self.rows[number][1] + (interest if terms.method == "equal_instalments" else 0)
        if terms.method == "equal_principal":
            return max(1, fen_of(Decimal(left) / len(paying), terms.rounding))
        worth = Decimal(0)
        for period in reversed(paying):
            worth = (1 + worth) / (1 + period)
        return max(1, fen_of(left / worth, terms.rounding))
