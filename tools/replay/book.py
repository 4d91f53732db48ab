"""A loan book: real loans, read from the CSV that Prosper published, as amounts, rates and what became of each.

Money is whole minor units of the book's currency (US cents), which the platform calls fen; there is no float between the
file and the log. A row that does not fit is an error with its line number: a loan that was left out would be a figure
that nobody can follow.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from libs.events.schedules.due_dates import due_date
from libs.runtime.errors import OperatorError

FEN_PER_UNIT: Final = 100
TENOR_MONTHS_MAX: Final = 120


class BookError(OperatorError):
    """The file is no loan book: which line, which column, and what should stand there."""


class Status(StrEnum):
    """What became of a loan, as a person would say it. Prosper's `LoanStatus` maps onto it:

    - `Completed`, `FinalPaymentInProgress`: COMPLETED, or EARLY when it was closed before its last due date;
    - `Cancelled` (one row: the lenders got their money back a month after origination): EARLY;
    - `Chargedoff`: CHARGED_OFF; `Defaulted`: DEFAULTED; `Past Due (…)`: PAST_DUE; `Current`: CURRENT.
    """

    COMPLETED = "completed"
    EARLY = "repaid early"
    CHARGED_OFF = "charged off"
    DEFAULTED = "defaulted"
    PAST_DUE = "past due"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Completed:
    """Repaid in full on a date; `early` = before the last due date, in one settlement."""

    closed_on: date
    early: bool


@dataclass(frozen=True, slots=True)
class Defaulted:
    """Nothing was paid from this instalment on (1..tenor)."""

    cycle: int


@dataclass(frozen=True, slots=True)
class Current:
    """Still running `months` whole months after its origination, `days_past_due` days late (0 = on time)."""

    months: int
    days_past_due: int


Outcome = Completed | Defaulted | Current


@dataclass(frozen=True, slots=True)
class BookLoan:
    """One loan of a book. Amounts in fen (the book's minor unit), the rate as a decimal fraction per year.

    `number` is the book's own; where it stands in the book again it carries `-2`, `-3`. `monthly_payment_fen` is what
    the lender billed, None where the book has 0. `interest_fee_permille` is the platform's share of the interest: what
    the borrower's rate is above the lender's yield.
    """

    number: str
    status: Status
    amount_fen: int
    annual_rate: Decimal
    interest_fee_permille: int
    tenor_months: int
    grade: str
    originated_on: date
    monthly_payment_fen: int | None
    investors: int
    outcome: Outcome


def read_book(path: Path) -> tuple[BookLoan, ...]:
    """Every loan of a CSV file with Prosper's columns, in the file's order.

    Raises BookError for a file that cannot be read, a missing column, and the first row that does not fit.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_loans(path.name, csv.DictReader(file, strict=True)))
    except OSError as error:
        raise BookError(f"The loan book {path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise BookError(f"The loan book {path} is not UTF-8 text ({error.reason}).") from None


def _loans(name: str, reader: "csv.DictReader[str]") -> Iterator[BookLoan]:
    seen: Counter[str] = Counter()
    try:
        missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise BookError(
                f"{name} lacks the column {missing[0]!r}: a loan book has the columns of Prosper's file."
            )
        for fields in reader:
            loan = _loan(_Row(name, reader.line_num, fields), seen)
            yield loan
    except csv.Error as error:
        raise BookError(f"{name}, line {reader.line_num}: {error}.") from None
    if not seen:
        raise BookError(f"{name} holds no loan.")


_COLUMNS: Final = (
    "LoanNumber",
    "LoanStatus",
    "LoanOriginalAmount",
    "BorrowerRate",
    "LenderYield",
    "Term",
    "CreditGrade",
    "ProsperRating (Alpha)",
    "LoanOriginationDate",
    "ClosedDate",
    "MonthlyLoanPayment",
    "LoanFirstDefaultedCycleNumber",
    "LoanMonthsSinceOrigination",
    "LoanCurrentDaysDelinquent",
    "Investors",
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row and where it stands, so that every complaint names its place."""

    file: str
    line: int
    fields: Mapping[str, Any]

    def wrong(self, column: str, expected: str) -> BookError:
        """The complaint about one field."""
        return BookError(
            f"{self.file}, line {self.line}: {column} is {self.fields.get(column)!r}, expected {expected}."
        )

    def text(self, column: str) -> str:
        """A field without surrounding blanks; a row that is too short has none."""
        value = self.fields.get(column)
        if not isinstance(value, str):
            raise self.wrong(column, "a value: the row is too short")
        return value.strip()

    def number(self, column: str, smallest: Decimal, largest: Decimal) -> Decimal:
        """A decimal number within limits."""
        expected = f"a number from {smallest} to {largest}"
        try:
            number = Decimal(self.text(column))
        except InvalidOperation:
            raise self.wrong(column, expected) from None
        if not number.is_finite() or not smallest <= number <= largest:
            raise self.wrong(column, expected)
        return number

    def whole(self, column: str, smallest: int, largest: int) -> int:
        """An integer within limits."""
        number = self.number(column, Decimal(smallest), Decimal(largest))
        if number != int(number):
            raise self.wrong(column, "a whole number")
        return int(number)

    def fen(self, column: str) -> int:
        """An amount of money in fen: never negative, at most two decimal places."""
        amount = self.number(column, Decimal(0), Decimal(10**9)) * FEN_PER_UNIT
        if amount != int(amount):
            raise self.wrong(column, "an amount with at most two decimal places")
        return int(amount)

    def day(self, column: str) -> date:
        """The date of a timestamp."""
        try:
            return date.fromisoformat(self.text(column)[:10])
        except ValueError:
            raise self.wrong(column, "a date YYYY-MM-DD") from None


def _loan(row: _Row, seen: Counter[str]) -> BookLoan:
    number = row.text("LoanNumber")
    if not number.isalnum() or not number.isascii() or len(number) > 20:
        raise row.wrong("LoanNumber", "at most 20 letters and digits")
    seen[number] += 1
    amount_fen = row.fen("LoanOriginalAmount")
    if amount_fen == 0:
        raise row.wrong("LoanOriginalAmount", "an amount above zero")
    rate = row.number("BorrowerRate", Decimal(0), Decimal(10))
    if rate != round(rate, 8):
        raise row.wrong("BorrowerRate", "a rate with at most eight decimal places")
    if rate == 0:
        raise row.wrong("BorrowerRate", "a rate above zero: no committee grants a loan without one")
    status, outcome = _outcome(row)
    return BookLoan(
        number=number if seen[number] == 1 else f"{number}-{seen[number]}",
        status=status,
        amount_fen=amount_fen,
        annual_rate=rate,
        interest_fee_permille=_fee_permille(rate, row.number("LenderYield", Decimal(-1), Decimal(10))),
        tenor_months=_tenor(row),
        grade=_grade(row),
        originated_on=row.day("LoanOriginationDate"),
        monthly_payment_fen=row.fen("MonthlyLoanPayment") or None,
        investors=row.whole("Investors", 1, 10**6),
        outcome=outcome,
    )


def _tenor(row: _Row) -> int:
    return row.whole("Term", 1, TENOR_MONTHS_MAX)


def _grade(row: _Row) -> str:
    """Prosper's rating since 2009, its credit grade before; NC, "no credit", where a row has neither."""
    grade = row.text("ProsperRating (Alpha)") or row.text("CreditGrade") or "NC"
    if not (
        grade.isascii() and grade.isalnum() and grade[0].isalpha() and grade.isupper() and len(grade) <= 8
    ):
        raise row.wrong("ProsperRating (Alpha)", "a grade of at most eight capital letters and digits")
    return grade


def _fee_permille(rate: Decimal, lender_yield: Decimal) -> int:
    """The platform's share of the interest in thousandths: (rate − yield) / rate, within 0 and 1; the rate is above 0."""
    return min(1000, max(0, round((rate - lender_yield) / rate * 1000)))


def _outcome(row: _Row) -> tuple[Status, Outcome]:
    """What became of the loan: see Status for the names, and the three outcomes for what is kept of each."""
    said = row.text("LoanStatus")
    match said:
        case "Completed" | "Cancelled":
            return _completed(row, row.day("ClosedDate"))
        case "FinalPaymentInProgress":
            months = min(row.whole("LoanMonthsSinceOrigination", 0, 1200), _tenor(row))
            return _completed(row, due_date(row.day("LoanOriginationDate"), max(months, 1)))
        case "Chargedoff":
            return Status.CHARGED_OFF, _defaulted(row)
        case "Defaulted":
            return Status.DEFAULTED, _defaulted(row)
        case "Current":
            return Status.CURRENT, _current(row, 0)
        case _ if said.startswith("Past Due"):
            return Status.PAST_DUE, _current(row, row.whole("LoanCurrentDaysDelinquent", 1, 10_000))
        case _:
            raise row.wrong("LoanStatus", "a status that Prosper uses")


def _completed(row: _Row, closed_on: date) -> tuple[Status, Completed]:
    originated_on = row.day("LoanOriginationDate")
    if closed_on < originated_on:
        raise row.wrong("ClosedDate", "a date on or after the origination")
    early = closed_on < due_date(originated_on, _tenor(row))
    return (Status.EARLY if early else Status.COMPLETED), Completed(closed_on, early)


def _defaulted(row: _Row) -> Defaulted:
    """`LoanFirstDefaultedCycleNumber`; where it is missing, the month of `ClosedDate`. Within the loan's instalments."""
    if row.text("LoanFirstDefaultedCycleNumber"):
        cycle = row.whole("LoanFirstDefaultedCycleNumber", 0, 1200)
    else:
        closed, opened = row.day("ClosedDate"), row.day("LoanOriginationDate")
        cycle = (closed.year - opened.year) * 12 + closed.month - opened.month
    return Defaulted(min(max(cycle, 1), _tenor(row)))


def _current(row: _Row, days_past_due: int) -> Current:
    """A loan that runs is younger than its term; one that is late has at least one instalment behind it."""
    months = min(row.whole("LoanMonthsSinceOrigination", 0, 1200), _tenor(row) - (days_past_due == 0))
    return Current(max(months, int(days_past_due > 0)), days_past_due)
