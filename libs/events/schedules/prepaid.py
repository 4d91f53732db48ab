"""What is asked of the principal that is left once a part of it was prepaid: the same due dates, or fewer of them.

Whatever was prepaid has paid its interest to the day. So the rest is asked as if it alone had been lent: from the last instalment that
is due, or from the funding while interest is deferred. No day of it is lost, and none is asked twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, assert_never

from libs.events.deciding import Refused
from libs.events.money import divide_fen
from libs.events.rescheduling import Prepay
from libs.events.schedules.day_count import year_fraction
from libs.events.schedules.due_dates import MONTHS_PER_YEAR, due_on
from libs.events.schedules.row import ScheduleRow
from libs.events.schedules.rows import MONTH, deferred, even, fees_asked, flows, interest_fen
from libs.events.schedules.terms import Method, RepaymentTerms

#: Those whose principal comes back bit by bit, at an interest that falls with it: only there are fewer instalments a thing to ask for.
_SHORTENED: Final[tuple[Method, ...]] = ("equal_instalments", "equal_principal")


@dataclass(frozen=True, slots=True)
class Standing:
    """A loan's rows, of which the first `due` stay as they are; its manner of repayment, yearly rate and day of funding."""

    terms: RepaymentTerms
    annual_rate: Decimal
    funded_on: date
    rows: Sequence[ScheduleRow]
    due: int

    @property
    def rest(self) -> Sequence[ScheduleRow]:
        """The rows that are not due."""
        return self.rows[self.due :]

    @property
    def first(self) -> int:
        """How many rows lie before the periods whose interest is still to be asked."""
        return 0 if self.due <= self.terms.interest_grace else self.due

    def parts(self) -> list[Fraction]:
        """What part of a year each of those periods is."""
        due = [row.due_on for row in self.rows[self.first :]]
        if self.terms.interest_by == "day":
            starts = [self.rows[self.first - 1].due_on if self.first else self.funded_on, *due[:-1]]
            return [
                year_fraction(since, until, self.terms.day_count)
                for since, until in zip(starts, due, strict=True)
            ]
        return [MONTH * self._months(due[-1])] if self.terms.method == "bullet" else [MONTH] * len(due)

    def _months(self, end: date) -> int:
        """The term of a loan that is repaid at once: the months after which it falls due, wherever a holiday has moved that."""
        about = (end.year - self.funded_on.year) * MONTHS_PER_YEAR + end.month - self.funded_on.month
        tried = [months for months in (about, about - 1, about + 1) if months > 0]
        return next(
            (months for months in tried if due_on(self.terms, self.funded_on, months) == end), tried[0]
        )


def require_sense(terms: RepaymentTerms, mode: Prepay) -> None:
    """Refused: `prepay_without_sense`, for fewer instalments where all principal comes at the end, or interest is flat."""
    if mode == "shorten" and terms.method not in _SHORTENED:
        raise Refused("prepay_without_sense")


def prepaid_rows(loan: Standing, left_fen: int, mode: Prepay) -> tuple[ScheduleRow, ...]:
    """The rows in place of those that are not due, when `left_fen` of their principal is left: more than nothing, less than all.

    Reamortised, the method's own schedule of what is left over the due dates that stand. Shortened, the instalment (of equal
    principal: the principal) that stands, as often as it fits; the last row takes the rest. Flat interest was agreed on for the whole
    term, so it falls in proportion, and nothing is asked of nothing. An instalment's fee stays. Refused as `require_sense` names it.
    """
    require_sense(loan.terms, mode)
    match mode:
        case "reamortise":
            principal, interest = _reamortised(loan, left_fen)
        case "shorten":
            principal, interest = _shortened(loan, left_fen)
        case _:
            assert_never(mode)
    fees = fees_asked([row.fee_fen for row in loan.rest], principal, left_fen)
    rows: list[ScheduleRow] = []
    for row, share_fen, owed_fen, fee_fen in zip(loan.rest, principal, interest, fees, strict=False):
        # In proportion, rounded row by row, flat interest would outlive its principal; any other is of days on which there was some.
        if loan.terms.method == "flat" and not left_fen:
            owed_fen = 0
        rows.append(replace(row, principal_fen=share_fen, interest_fen=owed_fen, fee_fen=fee_fen))
        left_fen -= share_fen
    return tuple(rows)


def _reamortised(loan: Standing, left_fen: int) -> tuple[Sequence[int], Sequence[int]]:
    terms, skipped = loan.terms, loan.due - loan.first
    grace = max(0, terms.principal_grace - loan.first)
    if terms.method == "flat":
        return _in_proportion(loan, left_fen, max(0, terms.principal_grace - loan.due))
    principal, interest = flows(
        replace(terms, principal_grace=grace, interest_grace=0 if loan.first else terms.interest_grace),
        amount_fen=left_fen,
        annual_rate=loan.annual_rate,
        due=[row.due_on for row in loan.rows[loan.first :]],
        parts=loan.parts(),
    )
    return principal[skipped:], interest[skipped:]


def _in_proportion(loan: Standing, left_fen: int, grace: int) -> tuple[Sequence[int], Sequence[int]]:
    whole_fen, mode = sum(row.principal_fen for row in loan.rest), loan.terms.rounding
    principal = [*[0] * grace, *even(left_fen, len(loan.rest) - grace, mode)]
    return principal, [divide_fen(row.interest_fen * left_fen, whole_fen, mode) for row in loan.rest]


def _shortened(loan: Standing, left_fen: int) -> tuple[Sequence[int], Sequence[int]]:
    terms, parts = loan.terms, loan.parts()
    asks = next(index for index, row in enumerate(loan.rows) if index >= loan.due and row.principal_fen)
    whole_fen = sum(row.principal_fen for row in loan.rest)
    share_fen = loan.rows[asks].principal_fen
    # Of the interest of a row that asks for deferred interest too, only its own period's belongs to the instalment.
    asked_fen = share_fen + interest_fen(
        whole_fen, loan.annual_rate, parts[asks - loan.first], terms.rounding
    )
    principal, interest = [], []
    for number, part in enumerate(parts, start=loan.first):
        owed_fen = interest_fen(left_fen, loan.annual_rate, part, terms.rounding)
        wanted_fen = share_fen if terms.method == "equal_principal" else max(0, asked_fen - owed_fen)
        paid_fen = 0 if number < asks else min(left_fen, wanted_fen)
        if number == len(loan.rows) - 1:
            paid_fen = left_fen
        principal.append(paid_fen)
        interest.append(owed_fen)
        left_fen -= paid_fen
        if not left_fen:
            break
    grace = 0 if loan.first else terms.interest_grace
    skipped = loan.due - loan.first
    return principal[skipped:], deferred(interest, grace)[skipped:]
