"""Loan books for tests: one CSV row with Prosper's columns at a time, and invented loans of any kind."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from libs.events.schedules.due_dates import due_date
from tools.replay.book import BookLoan, Completed, Current, Defaulted, Status

ROW = {
    "LoanNumber": "19141",
    "LoanStatus": "Completed",
    "LoanOriginalAmount": "9425",
    "BorrowerRate": ".158000",
    "LenderYield": ".138000",
    "Term": "36",
    "CreditGrade": "C",
    "ProsperRating (Alpha)": "",
    "LoanOriginationDate": "2007-09-12 00:00:00",
    "ClosedDate": "2009-08-14 00:00:00",
    "MonthlyLoanPayment": "330.430000",
    "LoanFirstDefaultedCycleNumber": "",
    "LoanMonthsSinceOrigination": "78",
    "LoanCurrentDaysDelinquent": "0",
    "Investors": "258",
}


def write_book(path: Path, *rows: dict[str, str]) -> Path:
    """A CSV file of rows, each given by how it differs from ROW."""
    lines = [",".join(ROW)] + [",".join((ROW | row).values()) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _ending(
    status: Status, originated_on: date, tenor: int, months: int, days: int
) -> Completed | Defaulted | Current:
    last_due = due_date(originated_on, tenor)
    match status:
        case Status.EARLY:
            return Completed(
                min(originated_on + timedelta(days=30 * months + days), last_due - timedelta(days=1)), True
            )
        case Status.COMPLETED:
            return Completed(last_due + timedelta(days=days if days > 20 else 0), False)
        case Status.CHARGED_OFF | Status.DEFAULTED:
            return Defaulted(min(max(months, 1), tenor))
        case Status.PAST_DUE:
            return Current(min(max(months, 1), tenor), max(days, 1))
        case Status.CURRENT:
            return Current(min(months, tenor - 1), 0)


@st.composite
def book_loans(draw: st.DrawFn, number: str = "1") -> BookLoan:
    """Any loan that a book may hold."""
    status = draw(st.sampled_from(Status))
    tenor = draw(st.integers(1, 60))
    originated_on = draw(st.dates(date(2006, 1, 1), date(2014, 3, 31)))
    return BookLoan(
        number=number,
        status=status,
        amount_fen=draw(st.one_of(st.integers(1, 350).map(lambda n: n * 10_000), st.integers(10_000, 10**7))),
        annual_rate=draw(
            st.sampled_from([Decimal("0.00000001"), Decimal("0.0999"), Decimal("0.35"), Decimal(2)])
        ),
        interest_fee_permille=draw(st.integers(0, 1000)),
        tenor_months=tenor,
        grade="B",
        originated_on=originated_on,
        monthly_payment_fen=None,
        investors=draw(st.integers(1, 800)),
        outcome=_ending(status, originated_on, tenor, draw(st.integers(0, 60)), draw(st.integers(0, 120))),
    )


@st.composite
def books(draw: st.DrawFn) -> tuple[BookLoan, ...]:
    """A few loans with numbers of their own."""
    return tuple(draw(book_loans(number=str(index))) for index in range(1, draw(st.integers(1, 5)) + 1))
