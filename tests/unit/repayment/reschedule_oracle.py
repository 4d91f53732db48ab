"""What a new schedule asks, on decimals of 120 digits and from the contract alone: shares no code with the domain.

It knows a loan of which the first instalments were paid on their days, and nothing else.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise

from libs.events.schedules.terms import RepaymentTerms
from tests.unit.events.test_schedule_oracle import due_of, fen_of, oracle, year_part
from tests.unit.repayment.prepay_oracle import Row

_DIGITS = 120


@dataclass(frozen=True)
class Contract:
    """What was agreed on."""

    terms: RepaymentTerms
    amount: int
    rate: Decimal
    months: int
    funded_on: date

    @property
    def fee(self) -> int:
        """Of each period in which principal is lent."""
        with localcontext(prec=_DIGITS):
            return fen_of(Decimal(self.amount * self.terms.period_fee_permille) / 1000, self.terms.rounding)

    def rows(self) -> list[Row]:
        """The contract's own."""
        with localcontext(prec=_DIGITS):
            asked = oracle(self.terms, self.amount, self.rate, self.months, self.funded_on)
        rows, left = [], self.amount
        for due, principal, interest in asked:
            rows.append((due, principal, interest, self.fee if left else 0))
            left -= principal
        return rows

    def extended(self, on: date, by: int) -> list[Row]:
        """What is not due on a day, over so many months more."""
        later = [row for row in self.rows() if row[0] > on]
        principal = sum(row[1] for row in later)
        if self.terms.method == "bullet":
            return self._spread(principal, 0, self.months + by)
        return self._spread(principal, self._begun(on), len(later) + by)

    def restructured(self, on: date, by: int, paid: int) -> list[Row]:
        """All but what the first `paid` rows have paid, what was in arrears with the first."""
        rows = self.rows()
        due, later = [row for row in rows[paid:] if row[0] <= on], [row for row in rows if row[0] > on]
        whole, fined = sum(row[1] for row in (*due, *later)), sum(row[1] for row in due)
        begun = self._begun(on)
        (day, principal, interest, fee), *others = self._spread(whole, begun, len(later) + by)
        with localcontext(prec=_DIGITS):
            since = due_of(self.funded_on, begun, self.terms) if begun else self.funded_on
            cost = fen_of(fined * self.rate * self._part(since, on), self.terms.rounding)
            # Days of penalty cost no interest, and take no more of it than the share of what bore penalty.
            own = interest - min(cost, interest * fined // whole)
        arrears = sum(row[2] for row in due), sum(row[3] for row in due)
        return [(day, principal, own + arrears[0], fee + arrears[1]), *others]

    def _begun(self, on: date) -> int:
        """How many of the contract's months are over."""
        months = 0
        while due_of(self.funded_on, months + 1, self.terms) <= on:
            months += 1
        return months

    def _part(self, since: date, until: date) -> Decimal:
        if self.terms.interest_by == "day":
            return year_part(since, until, self.terms.day_count)
        return Decimal((until - since).days) / 365

    def _spread(self, whole: int, begun: int, months: int) -> list[Row]:
        """So much principal from the end of a month on, each row's principal by the method, its fee while some is left."""
        terms = self.terms
        ends = [months] if terms.method == "bullet" else list(range(1, months + 1))
        due = [due_of(self.funded_on, begun + month, terms) for month in ends]
        with localcontext(prec=_DIGITS):
            since = due_of(self.funded_on, begun, terms) if begun else self.funded_on
            if terms.interest_by == "day":
                rates = [self.rate * year_part(*each, terms.day_count) for each in pairwise([since, *due])]
            else:
                rates = [self.rate * (months if len(ends) == 1 else 1) / 12 for _ in due]
            wanted = self._wanted(whole, rates)
            rows, left = [], whole
            for number, (day, rate) in enumerate(zip(due, rates, strict=True), 1):
                interest = fen_of(left * rate, terms.rounding)
                share = max(0, wanted - interest) if terms.method == "equal_instalments" else wanted
                share = left if number == len(due) else min(left, share)
                rows.append((day, share, interest, self.fee if left else 0))
                left -= share
        return rows

    def _wanted(self, whole: int, rates: list[Decimal]) -> int:
        if self.terms.method in ("interest_first", "bullet"):
            return 0
        if self.terms.method == "equal_principal":
            return max(1, fen_of(Decimal(whole) / len(rates), self.terms.rounding))
        worth = Decimal(0)
        for rate in reversed(rates):
            worth = (1 + worth) / (1 + rate)
        return max(1, fen_of(whole / worth, self.terms.rounding))
