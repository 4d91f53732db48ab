"""Every loan's schedule done once more in fractions from the terms that were agreed on, and what became of them on the way.

It shares no code with the platform's schedule: months are walked, days are counted one by one, holidays are chinesecalendar's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

import chinese_calendar

from tools.simulator.loan_books import require

_DAY: Final = timedelta(days=1)
#: What a loan is repaid by that names no manner.
PLAIN: Final[dict[str, Any]] = {
    "method": "equal_instalments",
    "interest_by": "month",
    "day_count": "act_365f",
    "rounding": "half_up",
    "shift": "none",
    "calendar": "weekends",
    "principal_grace": 0,
    "interest_grace": 0,
    "period_fee_permille": 0,
}

Flow = tuple[date, int, int, int]
"""Due date, principal, interest and fee of one instalment."""


def rounded(exact: Fraction, mode: str) -> int:
    """To the fen."""
    if mode == "up":
        return ceil(exact)
    if mode == "half_even":
        return round(exact)
    return floor(exact + Fraction(1, 2))


def schedule_of(terms: Any, amount: int, rate: Fraction, months: int, funded_on: date) -> list[Flow]:
    """All instalments that these terms mean. `terms` as an event has them, None for equal monthly instalments."""
    said = terms or PLAIN
    method, mode = said["method"], said["rounding"]
    numbers = [months] if method == "bullet" else list(range(1, months + 1))
    due = [due_of(said, funded_on, number) for number in numbers]
    if said["interest_by"] == "month":
        parts = [Fraction(months if method == "bullet" else 1, 12)] * len(due)
    else:
        starts = [funded_on, *due[:-1]]
        parts = [year_part(since, until, said["day_count"]) for since, until in zip(starts, due, strict=True)]
    grace = said["principal_grace"]
    worth, factor = Fraction(0), Fraction(1)
    for part in parts[grace:]:
        factor /= 1 + rate * part
        worth += factor
    asked = max(1, rounded(amount / worth, mode))
    each = max(1, rounded(Fraction(amount, max(1, len(due) - grace)), mode))
    flat_total = rounded(amount * rate * months / 12, mode)
    flat_each = max(1, rounded(Fraction(flat_total, len(due)), mode))
    fee = rounded(Fraction(amount * said["period_fee_permille"], 1000), mode)
    flows: list[Flow] = []
    balance, deferred, spread = amount, 0, 0
    for number, (day, part) in enumerate(zip(due, parts, strict=True), 1):
        last = number == len(due)
        interest = rounded((amount if method == "flat" else balance) * rate * part, mode)
        if method == "flat" and said["interest_by"] == "month":
            interest = flat_total - spread if last else min(flat_each, flat_total - spread)
            spread += interest
        if last:
            principal = balance
        elif method == "interest_first" or number <= grace:
            principal = 0
        else:
            wanted = max(0, asked - interest) if method == "equal_instalments" else each
            principal = min(balance, wanted)
        deferred += interest
        shown = 0 if number <= said["interest_grace"] else deferred
        deferred -= shown
        flows.append((day, principal, shown, fee if balance else 0))
        balance -= principal
    return flows


def worth_too_much(
    terms: Any,
    flows: list[Flow],
    *,
    amount: int,
    rate: Fraction,
    limit: Fraction,
    months: int,
    on: date,
    fee: int,
) -> bool:
    """Whether the instalments, discounted at a yearly rate, are worth more than what is paid out: before interest and the fees of
    instalments were rounded, for what rounding does is nobody's, and what a fee adds is."""
    worth, balance, waiting, since = Fraction(0), amount, Fraction(0), on
    for number, (due, principal, _, _) in enumerate(flows, 1):
        if terms["interest_by"] == "day":
            part = year_part(since, due, terms["day_count"])
        else:
            part = Fraction(months if len(flows) == 1 else 1, 12)
        waiting += (amount if terms["method"] == "flat" else balance) * rate * part
        asked = principal + (Fraction(amount * terms["period_fee_permille"], 1000) if balance else 0)
        if number > terms["interest_grace"]:
            asked, waiting = asked + waiting, Fraction(0)
        worth += asked / (1 + limit / 12) ** (months - len(flows) + number)
        balance, since = balance - principal, due
    return worth > amount - fee


def due_of(said: Any, funded_on: date, number: int) -> date:
    """The due day after so many months, where it moves to if nobody works then."""
    year, month = funded_on.year, funded_on.month
    for _ in range(number):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    day = date(year, month, 1)
    while day.day < funded_on.day and (day + _DAY).month == month:
        day += _DAY
    worked = chinese_calendar.is_workday if said["calendar"] == "china" else _is_weekday
    moved = day
    while said["shift"] != "none" and not worked(moved):
        moved += _DAY
    if said["shift"] == "modified_following" and moved.month != day.month:
        moved = day
        while not worked(moved):
            moved -= _DAY
    return moved


def _is_weekday(day: date) -> bool:
    return day.isoweekday() <= 5


def year_part(since: date, until: date, day_count: str) -> Fraction:
    """A part of a year by its days, counted one by one where they count."""
    days = [since + _DAY * number for number in range((until - since).days)]
    if day_count in ("act_365f", "act_360"):
        return Fraction(len(days), 365 if day_count == "act_365f" else 360)
    if day_count == "act_act_isda":
        return sum((Fraction(1, 366 if day.year % 4 == 0 else 365) for day in days), Fraction(0))
    first, last = min(since.day, 30), until.day
    if last == 31 and (first == 30 or day_count == "30e_360"):
        last = 30
    months = 12 * (until.year - since.year) + until.month - since.month
    return Fraction(30 * months + last - first, 360)


@dataclass(slots=True)
class ScheduleBooks:
    """What was agreed on for each loan, from the committee to the ledger, and who made each voluntary payment."""

    agreed: dict[str, Any] = field(default_factory=dict)
    payers: dict[str, str] = field(default_factory=dict)

    def record(self, where: str, events: list[Any]) -> None:
        """Fold one decision. Raises WrongBooks."""
        for event in events:
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, event["data"])
        self._fees(where, events)

    def _approved(self, _where: str, data: Any) -> None:
        self.agreed[data["loan_id"]] = data["terms"]["repayment"]

    def _passed_on(self, where: str, data: Any) -> None:
        """Whoever takes a loan over takes over how it is repaid; one that is listed by hand is agreed on there."""
        loan = data["loan_id"]
        said = data["repayment"]
        agreed = self.agreed.setdefault(loan, said)
        require(said == agreed, f"{where}: {loan} is repaid by {said}, agreed was {agreed}")

    def _prepared(self, where: str, data: Any) -> None:
        self._passed_on(where, data["disclosure"])

    def _opened(self, where: str, data: Any) -> None:
        """Each row of the ledger is what the terms mean, to the day and the fen."""
        self._passed_on(where, data)
        expected = schedule_of(
            data["repayment"],
            data["principal_fen"],
            Fraction(data["annual_rate"]),
            data["tenor_months"],
            date.fromisoformat(data["funded_on"]),
        )
        rows = data["rows"]
        require(len(rows) == len(expected), f"{where}: {len(rows)} instalments, agreed were {len(expected)}")
        for row, (due, principal, interest, fee) in zip(rows, expected, strict=True):
            number = row["number"]
            require(row["due_on"] == due.isoformat(), f"{where}: instalment {number} on {row['due_on']}")
            require(
                row["interest_fen"] == interest,
                f"{where}: wrong interest of instalment {number}: {row['interest_fen']}, agreed was {interest}",
            )
            same = (row["principal_fen"], row["fee_fen"]) == (principal, fee)
            require(same, f"{where}: instalment {number} is not like the others")

    def _debited(self, _where: str, data: Any) -> None:
        self.payers[data["payment_id"]] = data["owner"]

    def _paid(self, where: str, data: Any) -> None:
        """A voluntary payment is the borrower's, or the loan takes anyone's and says whose it was."""
        loan, payer = data["loan_id"], self.payers.get(data["payment_id"], data["borrower"])
        said = data["payer"] or data["borrower"]
        require(said == payer, f"{where}: {data['payment_id']} was paid by {payer}, said is {said}")
        terms = self.agreed[loan]
        may = payer == data["borrower"] or (terms is not None and terms["payer"] == "anyone")
        require(may, f"{where}: {loan} is paid by {payer}, who is not its borrower")

    def _fees(self, where: str, events: list[Any]) -> None:
        """The borrower's fees of a payment go to the platform whole, beside what the lenders bear."""
        paid = [e["data"] for e in events if e["type"] == "repayment.PaymentReceived.v1"]
        shared = [e["data"] for e in events if e["type"] == "repayment.RepaymentDistributed.v1"]
        for payment, distribution in zip(paid, shared, strict=False):
            fee = sum(line["fee_fen"] for line in payment["allocation"])
            borne = sum(line["fee_fen"] for line in distribution["lines"])
            right = distribution["fee_fen"] == fee + borne and distribution["period_fee_fen"] == fee
            require(
                right, f"{where}: {payment['payment_id']} pays {fee} of fees, the platform gets another sum"
            )


_HANDLERS: dict[str, Callable[[ScheduleBooks, str, Any], None]] = {
    "onboarding.ApplicationApproved.v1": ScheduleBooks._approved,
    "onboarding.PrecedentsMet.v1": ScheduleBooks._passed_on,
    "bidding.ListingPrepared.v1": ScheduleBooks._prepared,
    "bidding.ListingOpened.v1": ScheduleBooks._passed_on,
    "bidding.LoanFunded.v1": ScheduleBooks._passed_on,
    "bidding.FundsCollected.v1": ScheduleBooks._passed_on,
    "bidding.ContractIssued.v1": ScheduleBooks._passed_on,
    "repayment.LoanOpened.v1": ScheduleBooks._opened,
    "bidding.LoanPaymentDebited.v1": ScheduleBooks._debited,
    "repayment.PaymentReceived.v1": ScheduleBooks._paid,
}
