"""Bodies of repayment's requests and answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from libs.events import repayment as events
from libs.events.flags import FlagKind
from libs.events.pauses import PauseCause
from libs.events.schedules.stored import read
from libs.runtime.http import Answer, DayField, Shape
from services.repayment.api.portfolio_shapes import is_sold
from services.repayment.domain.accruing import Arrears
from services.repayment.domain.allocation import Book, Penalty, book_of, days_past_due
from services.repayment.domain.pausing import Paused


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
    """One instalment: what was contracted, charged and received, and what is open of it."""

    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    paid_principal_fen: int
    paid_interest_fen: int
    missed: bool
    penalty_fen: int = 0
    paid_penalty_fen: int = 0
    penalty_to: date | None = None
    open_fen: int = 0
    fee_fen: int = 0
    paid_fee_fen: int = 0

    def left_fen(self) -> int:
        """Contracted and charged less received."""
        owed_fen = self.principal_fen + self.interest_fen + self.fee_fen + self.penalty_fen
        paid_fen = self.paid_principal_fen + self.paid_interest_fen + self.paid_fee_fen
        return owed_fen - paid_fen - self.paid_penalty_fen


class PaymentOut(BaseModel):
    """A payment as it was booked: what of it was the cost of recovery, penalty, fee, interest and principal. `corrected_by` is the last correction of it:
    it does not count any more (`reversed`; the one entered in its place is `replaced_by`, of which it is what it `replaces`), or as of `counts_on`; `taken_fen` is what the loan takes of it since another one's. One that is
    `behind_charge` was told after penalty of days after its value date was charged: a redating to its own date puts that right."""

    id: str
    value_date: date
    amount_fen: int
    penalty_fen: int
    interest_fen: int
    principal_fen: int
    early: bool
    fee_fen: int = 0
    cost_fen: int = 0
    corrected_by: str | None = None
    reversed: bool = False
    counts_on: date | None = None
    taken_fen: int | None = None
    behind_charge: bool = False
    replaces: str | None = None
    replaced_by: str | None = None


class NextDueOut(BaseModel):
    """The oldest instalment that is not fully paid."""

    number: int
    due_on: date
    open_fen: int


class PauseOut(BaseModel):
    """Days that do not count, both included, and the measure that said so."""

    id: str
    cause: PauseCause
    from_on: date
    to_on: date

    @staticmethod
    def all_of(document: Mapping[str, Any]) -> list["PauseOut"]:
        """From a document of repayment.loans, in their order; what never began is none."""
        known = document.get("pauses", {}).items()
        found = (PauseOut(id=name, **pause) for name, pause in known if pause["to_on"])
        return sorted(found, key=lambda pause: pause.from_on)


class ArrearsOut(BaseModel):
    """What a restructuring left unpaid on a day: interest and fees that were due, and what had accrued on principal that was not (null: its
    record does not say)."""

    since: date
    interest_fen: int
    fee_fen: int
    accrued_fen: int | None = None


class LoanOut(BaseModel):
    """A loan with its schedule. `measures` are those that were taken, by id, with their kind; `accrual` says whether its interest is
    income. `dpd` are the days past due on `dpd_on`, when they were last said; penalty that is not
    charged yet is in the payoff of a date, not here. `flags` are those that stand, with the day on which they were raised, `pauses` the days
    that do not count; `arrears_in` is the instalment in which a restructuring asks for what was in arrears (`arrears`), 0 for none."""

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
    repaid_on: date | None = None
    rows: list[RowOut]
    product: str = ""
    region: str = ""
    penalty_rate: str = "0"
    penalty_fen: int = 0
    loan_class: str = "normal"
    dpd: int = 0
    dpd_on: date | None = None
    next_due: NextDueOut | None = None
    payments: list[PaymentOut] = []
    repayment: dict[str, Any] | None = None
    accrual: Literal["accruing", "non_accrual"] = "accruing"
    non_accrual_since: date | None = None
    written_off_on: date | None = None
    voided_on: date | None = None
    recovered_fen: int = 0
    cost_fen: int = 0
    arrears_in: int = 0
    arrears: ArrearsOut | None = None
    waived_fen: int = 0
    branch: str = ""
    measures: dict[str, str] = {}
    flags: dict[FlagKind, date] = {}
    pauses: list[PauseOut] = []

    @staticmethod
    def of(document: dict[str, Any]) -> "LoanOut":
        """From a document of repayment.loans."""
        rows = [
            RowOut(number=int(number), **row)
            for number, row in sorted(document["rows"].items(), key=lambda item: int(item[0]))
            if int(number) <= document.get("rows_to", len(document["rows"]))
        ]
        running = document["state"] == "running"
        for row in rows:
            row.open_fen = row.left_fen() if running else 0
        oldest = next((row for row in rows if row.open_fen), None)
        made = {"id", "rows", "payments", "next_due", "flags", "pauses"}
        shown = {name: document[name] for name in LoanOut.model_fields.keys() - made if name in document}
        return LoanOut(
            id=document["loan_id"],
            rows=rows,
            next_due=None if oldest is None else NextDueOut(**oldest.model_dump(include=_NEXT_DUE)),
            payments=sorted(
                (PaymentOut(id=name, **payment) for name, payment in document.get("payments", {}).items()),
                key=lambda payment: (payment.value_date, payment.id),
            ),
            flags={flag: on for flag, on in document.get("flags", {}).items() if on},
            pauses=PauseOut.all_of(document),
            **shown,
        )

    def counted(self, today: date | None) -> "LoanOut":
        """With the days past due on a business date: what was last said of them is as old as the loan's last event."""
        if today is None or self.state != "running":
            return self
        return self.model_copy(update={"dpd": days_past_due(self.book(), today), "dpd_on": today})

    def book(self) -> Book:
        """The loan's book as the domain's functions take it."""
        rows = [
            events.ScheduleRow(
                number=row.number,
                due_on=row.due_on,
                principal_fen=row.principal_fen,
                interest_fen=row.interest_fen,
                fee_fen=row.fee_fen,
            )
            for row in self.rows
        ]
        paid_fen = [(row.paid_interest_fen, row.paid_principal_fen) for row in self.rows]
        penalties = [
            Penalty(
                number=row.number,
                to=row.penalty_to or row.due_on,
                owed_fen=row.penalty_fen - row.paid_penalty_fen,
            )
            for row in self.rows
            if row.open_fen and (row.penalty_to is not None or row.penalty_fen)
        ]
        return book_of(
            self.funded_on,
            Decimal(self.annual_rate),
            rows,
            paid_fen,
            penalty_rate=Decimal(self.penalty_rate),
            penalties=penalties,
            fees_paid_fen=[row.paid_fee_fen for row in self.rows],
            repayment=read(self.repayment),
            pauses=[
                Paused(from_on=each.from_on, to_on=each.to_on, pause_id=each.id, cause=each.cause)
                for each in self.pauses
            ],
            arrears=self._arrears(),
        )

    def _arrears(self) -> Arrears | None:
        """None also of a document from before it was said what they are."""
        if not self.arrears_in or self.arrears is None:
            return None
        return Arrears(number=self.arrears_in, **self.arrears.model_dump())


_NEXT_DUE = {"number", "due_on", "open_fen"}


class LoansOut(BaseModel):
    """A page of one's own loans; `next` is the cursor of the next page, null after the last."""

    items: list[LoanOut]
    next: str | None


class HeldLoanOut(BaseModel):
    """How a loan stands, for who holds a claim in it: who the borrower is, is not among it. `dpd` are the days past due on `dpd_on`: the open
    business date, as on its page."""

    id: str
    state: Literal["running", "repaid"]
    bucket: str
    loan_class: str
    grade: str
    annual_rate: str
    tenor_months: int
    principal_fen: int
    outstanding_fen: int
    overdue_fen: int
    dpd: int
    dpd_on: date | None
    next_due: NextDueOut | None


class ClaimOut(BaseModel):
    """A claim: what was lent or bought, what is outstanding, what came back (before fees), what of it was sold, what an asset
    stands for instead of money and has brought when it was sold, and how its loan stands; null of one that was sold, whose loan is others' since. `offer_id` is the offer that it is reserved for."""

    id: str
    loan_id: str
    principal_fen: int
    outstanding_fen: int
    principal_back_fen: int
    interest_fen: int
    penalty_fen: int
    fee_fen: int
    in_kind_fen: int = 0
    in_kind_back_fen: int = 0
    sold_fen: int = 0  # these two are not in documents of the version before
    offer_id: str | None = None
    loan: HeldLoanOut | None

    @staticmethod
    def of(document: dict[str, Any], loan: dict[str, Any] | None, today: date | None) -> "ClaimOut":
        """From documents of repayment.claims and repayment.loans, on a business date; the loan's may come a moment later."""
        fields = ClaimOut.model_fields.keys() & document.keys()
        shown = {name: document[name] for name in fields if name not in ("id", "loan")}
        if is_sold(document):
            loan = None
        whole = None if loan is None else LoanOut.of(loan).counted(today)
        held = (
            None if whole is None else HeldLoanOut(**whole.model_dump(include=set(HeldLoanOut.model_fields)))
        )
        return ClaimOut(id=document["claim_id"], loan=held, **shown)


class WorthOut(BaseModel):
    """What a claim is worth on a day: its principal, its interest that is due and not paid, and what has accrued since, as a settlement
    of the loan on that day would pay it. Penalty is not in it."""

    id: str
    value_date: date
    principal_fen: int
    interest_due_fen: int
    accrued_interest_fen: int


class ClaimsOut(BaseModel):
    """A page of one's own claims; `next` is the cursor of the next page, null after the last."""

    items: list[ClaimOut]
    next: str | None


class PayoffOut(BaseModel):
    """What settles the loan in full on a value date, if nothing else is paid before."""

    id: str
    value_date: date
    amount_fen: int


class SettlementOut(BaseModel):
    """What ends the loan early on any day until `valid_to`, and what of it is what; it never grows less from day to day."""

    id: str
    valid_to: date
    amount_fen: int
    penalty_fen: int
    fee_fen: int
    interest_fen: int
    principal_fen: int
    cost_fen: int = 0

    @staticmethod
    def of(loan: "LoanOut", valid_to: date, lines: Sequence[events.AllocationLine]) -> "SettlementOut":
        """By the lines as which it would be paid on the last day, after a cost that is open."""
        parts = sums_of(lines) | {"cost_fen": loan.cost_fen if lines else 0}
        return SettlementOut(id=loan.id, valid_to=valid_to, amount_fen=sum(parts.values()), **parts)


def sums_of(lines: Sequence[events.AllocationLine]) -> dict[str, int]:
    """What of a payment is what."""
    return {
        "penalty_fen": sum(line.penalty_fen for line in lines),
        "fee_fen": sum(line.fee_fen for line in lines),
        "interest_fen": sum(line.interest_fen for line in lines),
        "principal_fen": sum(line.principal_fen for line in lines),
    }
