"""Bodies of repayment's requests and answers."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from libs.events import repayment as events
from libs.runtime.http import Answer, DayField, Shape
from services.repayment.domain.allocation import Book, book_of


class CalendarIn(Shape):
    """A business date."""

    business_date: DayField


class CalendarOut(Answer):
    """The calendar, and what happens to the date."""

    business_date: date
    status: Literal["open", "closing"]

    @staticmethod
    def opened(event: events.CalendarOpened) -> "CalendarOut":
        """The platform's first business date is open."""
        return CalendarOut(id="calendar", business_date=event.business_date, status="open")

    @staticmethod
    def closing(event: events.BusinessDayCloseStarted) -> "CalendarOut":
        """The date's phases have begun; the next date opens when they are done."""
        return CalendarOut(id="calendar", business_date=event.business_date, status="closing")


class RowOut(BaseModel):
    """One instalment: what was contracted and what it has received."""

    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    paid_principal_fen: int
    paid_interest_fen: int
    missed: bool


class LoanOut(BaseModel):
    """A loan with its schedule."""

    id: str
    listing_id: str
    borrower: str
    state: Literal["running", "repaid"]
    bucket: str
    principal_fen: int
    outstanding_fen: int
    overdue_fen: int
    annual_rate: str
    tenor_months: int
    installment_fen: int
    grade: str
    funded_on: date
    repaid_on: date | None
    rows: list[RowOut]

    @staticmethod
    def of(document: dict[str, Any]) -> "LoanOut":
        """From a document of repayment.loan-schedule."""
        rows = [
            RowOut(number=int(number), **row)
            for number, row in sorted(document["rows"].items(), key=lambda item: int(item[0]))
        ]
        shown = {name: document.get(name) for name in LoanOut.model_fields if name not in ("id", "rows")}
        return LoanOut(id=document["loan_id"], rows=rows, **shown)

    def book(self) -> Book:
        """The loan's book as the domain's functions take it."""
        rows = [
            events.ScheduleRow(
                number=row.number,
                due_on=row.due_on,
                principal_fen=row.principal_fen,
                interest_fen=row.interest_fen,
            )
            for row in self.rows
        ]
        paid_fen = [(row.paid_interest_fen, row.paid_principal_fen) for row in self.rows]
        return book_of(self.funded_on, Decimal(self.annual_rate), rows, paid_fen)


class PayoffOut(BaseModel):
    """What settles the loan in full on a value date, if nothing else is paid before."""

    id: str
    value_date: date
    amount_fen: int


class BucketOut(BaseModel):
    """How many running loans are this late, and their whole outstanding principal."""

    bucket: str
    loans: int
    principal_fen: int


class BucketsOut(BaseModel):
    """The book by lateness."""

    items: list[BucketOut]
