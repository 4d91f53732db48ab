"""The one schedule: rows of principal, interest and fee for every method, exact to the fen.

Rates are `Decimal`, but every formula is computed on whole numbers and divided once, by `divide_fen`: (1 + rate/12)^n has no
finite decimal, and an instalment that is an exact tie must be rounded as one. Formulas: rules.md 1.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import Final, assert_never

from libs.events.money import Rounding, divide_fen
from libs.events.repayment import ScheduleRow
from libs.events.schedules.day_count import year_fraction
from libs.events.schedules.due_dates import MONTHS_PER_YEAR, due_on
from libs.events.schedules.terms import RepaymentTerms, require_sound

#: A monthly period as a part of a year.
MONTH: Final = Fraction(1, MONTHS_PER_YEAR)
_PERMILLE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is to be paid: rows, numbered from 1, and one instalment without its fee: A where all are equal (the last differs by
    rounding), else the first that asks for anything."""

    installment_fen: int
    rows: tuple[ScheduleRow, ...]


@dataclass(frozen=True, slots=True)
class _Loan:
    """What the methods compute with: the loan, its due dates, and the part of a year that each period is."""

    amount_fen: int
    annual_rate: Decimal
    terms: RepaymentTerms
    due: tuple[date, ...]
    parts: tuple[Fraction, ...]

    def interest_fen(self, balance_fen: int, part: Fraction) -> int:
        """Interest on a balance for a part of a year."""
        return interest_fen(balance_fen, self.annual_rate, part, self.terms.rounding)


def schedule(
    terms: RepaymentTerms, *, amount_fen: int, annual_rate: Decimal, months: int, funded_on: date
) -> Schedule:
    """The schedule of a loan. Σ principal is the amount exactly, and no row has a negative part; where rounding up repays a tiny
    loan early, the rows after that are zero. Refused as `require_sound` names it.
    """
    require_sound(terms, amount_fen=amount_fen, annual_rate=annual_rate, months=months, funded_on=funded_on)
    loan = _loan(terms, amount_fen, annual_rate, months, funded_on)
    asked_fen, principal, interest = _by_method(loan)
    interest = deferred(interest, terms.interest_grace)
    fee_fen = divide_fen(amount_fen * terms.period_fee_permille, _PERMILLE, terms.rounding)
    fees = fees_asked([fee_fen] * len(principal), principal, amount_fen)
    rows = [
        ScheduleRow(
            number=number,
            due_on=due,
            principal_fen=principal[number - 1],
            interest_fen=interest[number - 1],
            fee_fen=fees[number - 1],
        )
        for number, due in enumerate(loan.due, start=1)
    ]
    return Schedule(asked_fen or _first_asked(rows), tuple(rows))


def unrounded(
    terms: RepaymentTerms, *, amount_fen: int, annual_rate: Decimal, months: int, funded_on: date
) -> tuple[list[int], int]:
    """What each row of `schedule` asks for before interest and fee are rounded to the fen, which is what was agreed on: whole numbers
    of a part of a fen, and how many such parts a fen has. Refused as `schedule`."""
    require_sound(terms, amount_fen=amount_fen, annual_rate=annual_rate, months=months, funded_on=funded_on)
    loan = _loan(terms, amount_fen, annual_rate, months, funded_on)
    _, principal, _ = _by_method(loan)
    rate, years = annual_rate.as_integer_ratio(), lcm(*(part.denominator for part in loan.parts))
    per = rate[1] * years * _PERMILLE
    balances = [amount_fen - repaid for repaid in accumulate(principal[:-1], initial=0)]
    bearing = [amount_fen] * len(principal) if terms.method == "flat" else balances
    spans = [int(part * years) for part in loan.parts]
    interest = [fen * rate[0] * span * _PERMILLE for fen, span in zip(bearing, spans, strict=True)]
    fee = amount_fen * terms.period_fee_permille * rate[1] * years
    asked = zip(principal, deferred(interest, terms.interest_grace), balances, strict=True)
    return [share_fen * per + owed + (fee if balance else 0) for share_fen, owed, balance in asked], per


def flows(
    terms: RepaymentTerms,
    *,
    amount_fen: int,
    annual_rate: Decimal,
    due: Sequence[date],
    parts: Sequence[Fraction],
) -> tuple[list[int], list[int]]:
    """Principal and interest of each period, for due dates that stand and periods that are these parts of a year."""
    loan = _Loan(amount_fen, annual_rate, terms, tuple(due), tuple(parts))
    _, principal, interest = _by_method(loan)
    return principal, deferred(interest, terms.interest_grace)


def fees_asked(fees: Sequence[int], principal: Sequence[int], amount_fen: int) -> list[int]:
    """Of the fees of periods those that are asked: a period's is, whatever else it asks for, while principal is left when it begins."""
    repaid = accumulate(principal, initial=0)
    return [fee if fen < amount_fen else 0 for fee, fen in zip(fees, repaid, strict=False)]


def interest_fen(balance_fen: int, annual_rate: Decimal, part: Fraction, mode: Rounding) -> int:
    """Simple interest: round(balance · annual rate · part of a year)."""
    rate, per = annual_rate.as_integer_ratio()
    return divide_fen(balance_fen * rate * part.numerator, per * part.denominator, mode)


def installment_fen(
    principal_fen: int, annual_rate: Decimal, parts: Sequence[Fraction], mode: Rounding
) -> int:
    """The equal instalment A over periods that are these parts of a year: A = P·Π(1+r_i)/f_n with f_1 = 1 and
    f_k = 1 + f_(k−1)·(1+r_k). With equal periods that is P·r·(1+r)^n / ((1+r)^n − 1), at rate zero P/n (rules.md 1.1).

    Never below one fen, so that a schedule always makes progress. Raises ValueError unless P > 0 and there is a period.
    """
    if principal_fen <= 0 or not parts:
        raise ValueError("an instalment needs a principal and a number of periods above zero")
    rate, per = annual_rate.as_integer_ratio()
    # With 1+r_k = grown/flat of period k, all is multiplied by the flats: f becomes `worth`, their product `none`.
    all_grown, none, worth = 1, 1, 0
    for part in parts:
        flat = per * part.denominator
        grown = flat + rate * part.numerator
        none *= flat
        worth = none + worth * grown
        all_grown *= grown
    return max(1, divide_fen(principal_fen * all_grown, worth, mode))


def _loan(
    terms: RepaymentTerms, amount_fen: int, annual_rate: Decimal, months: int, funded_on: date
) -> _Loan:
    numbers = (months,) if terms.method == "bullet" else range(1, months + 1)
    due = tuple(due_on(terms, funded_on, number) for number in numbers)
    if terms.interest_by == "month":
        parts = (MONTH * months,) if terms.method == "bullet" else (MONTH,) * months
    else:
        starts = (funded_on, *due[:-1])
        parts = tuple(
            year_fraction(since, until, terms.day_count) for since, until in zip(starts, due, strict=True)
        )
    return _Loan(amount_fen, annual_rate, terms, due, parts)


def _by_method(loan: _Loan) -> tuple[int, list[int], list[int]]:
    """The equal instalment (0 where there is none), principal and interest of each row."""
    method, months, grace = loan.terms.method, len(loan.due), loan.terms.principal_grace
    match method:
        case "equal_instalments":
            return _equal_instalments(loan)
        case "equal_principal":
            principal = [0] * grace + even(loan.amount_fen, months - grace, loan.terms.rounding)
            return 0, principal, _on_balance(loan, principal)
        case "interest_first" | "bullet":
            principal = [*[0] * (months - 1), loan.amount_fen]
            return 0, principal, _on_balance(loan, principal)
        case "flat":
            principal = [0] * grace + even(loan.amount_fen, months - grace, loan.terms.rounding)
            return 0, principal, _flat(loan)
        case _:
            assert_never(method)


def _equal_instalments(loan: _Loan) -> tuple[int, list[int], list[int]]:
    """Interest on the falling balance, principal = A − interest, the last row takes the rest."""
    grace, mode = loan.terms.principal_grace, loan.terms.rounding
    asked_fen = installment_fen(loan.amount_fen, loan.annual_rate, loan.parts[grace:], mode)
    balance_fen, principal, interest = loan.amount_fen, [], []
    for number, part in enumerate(loan.parts, start=1):
        owed_fen = loan.interest_fen(balance_fen, part)
        if number == len(loan.parts):
            share_fen = balance_fen
        elif number <= grace:
            share_fen = 0
        else:
            share_fen = min(balance_fen, max(0, asked_fen - owed_fen))
        principal.append(share_fen)
        interest.append(owed_fen)
        balance_fen -= share_fen
    return asked_fen, principal, interest


def even(total_fen: int, count: int, mode: Rounding) -> list[int]:
    """A sum in equal parts of at least one fen, rounded; the last takes the rest."""
    each_fen = max(1, divide_fen(total_fen, count, mode))
    parts: list[int] = []
    for _ in range(count - 1):
        parts.append(min(each_fen, total_fen - sum(parts)))
    return [*parts, total_fen - sum(parts)]


def _on_balance(loan: _Loan, principal: Sequence[int]) -> list[int]:
    interest: list[int] = []
    balance_fen = loan.amount_fen
    for share_fen, part in zip(principal, loan.parts, strict=True):
        interest.append(loan.interest_fen(balance_fen, part))
        balance_fen -= share_fen
    return interest


def _flat(loan: _Loan) -> list[int]:
    """Interest on the first principal all the time: by the month one sum spread evenly, by the day that of each period."""
    if loan.terms.interest_by == "day":
        return [loan.interest_fen(loan.amount_fen, part) for part in loan.parts]
    total_fen = loan.interest_fen(loan.amount_fen, MONTH * len(loan.parts))
    return even(total_fen, len(loan.parts), loan.terms.rounding)


def deferred(interest: list[int], grace: int) -> list[int]:
    """The first rows ask for no interest, the one after them for theirs too."""
    if not grace:
        return interest
    return [*[0] * grace, sum(interest[: grace + 1]), *interest[grace + 1 :]]


def _first_asked(rows: Sequence[ScheduleRow]) -> int:
    return next(owed for row in rows if (owed := row.principal_fen + row.interest_fen))
