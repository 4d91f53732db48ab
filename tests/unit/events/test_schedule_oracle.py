"""Every schedule against an oracle on decimals of 120 digits that shares no code with it, over all methods and conventions."""

from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import get_args

import chinese_calendar
from hypothesis import given
from hypothesis import strategies as st

from libs.events.money import Rounding
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import DayCount, Method, RepaymentTerms, Shift

_MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_CEILING,
}
_DAY = timedelta(days=1)


# --- the oracle ----------------------------------------------------------------------------------------------------


def fen_of(value: Decimal, mode: Rounding) -> int:
    """To the fen; what the 120 digits cut off a tie is put back first."""
    return int(value.quantize(Decimal("1e-40")).quantize(Decimal(1), _MODES[mode]))


def _days(since: date, until: date) -> list[date]:
    return [since + _DAY * number for number in range((until - since).days)]


def year_part(since: date, until: date, day_count: str) -> Decimal:
    """Day by day where days are real; by the three fields of both dates where months have thirty of them."""
    if day_count == "act_365f":
        return Decimal(len(_days(since, until))) / 365
    if day_count == "act_360":
        return Decimal(len(_days(since, until))) / 360
    if day_count == "act_act_isda":
        lengths = [(date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days for day in _days(since, until)]
        return Decimal(lengths.count(365)) / 365 + Decimal(lengths.count(366)) / 366
    d1, d2 = since.day, until.day
    if day_count == "30_360_us":
        if d2 == 31 and d1 in (30, 31):
            d2 = 30
        if d1 == 31:
            d1 = 30
    else:
        d1, d2 = (30 if day == 31 else day for day in (d1, d2))
    return Decimal(360 * (until.year - since.year) + 30 * (until.month - since.month) + d2 - d1) / 360


def due_of(funded_on: date, number: int, terms: RepaymentTerms) -> date:
    """Walk month by month, take the latest day that exists, then look for a worked one."""
    year, month = funded_on.year, funded_on.month
    for _ in range(number):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    day = date(year, month, 1)
    while day.day < funded_on.day and (day + _DAY).month == month:
        day += _DAY
    worked = _is_weekday if terms.calendar == "weekends" else chinese_calendar.is_workday
    moved = day
    while terms.shift != "none" and not worked(moved):
        moved += _DAY
    if terms.shift == "modified_following" and moved.month != day.month:
        moved = day
        while not worked(moved):
            moved -= _DAY
    return moved


def _is_weekday(day: date) -> bool:
    return day.isoweekday() <= 5


def _principal(terms: RepaymentTerms, amount: int, owed: list[Decimal]) -> list[int] | None:
    """Of methods whose principal needs no interest to be known; None for equal instalments."""
    count, grace = len(owed), terms.principal_grace
    if terms.method in ("interest_first", "bullet"):
        return [0] * (count - 1) + [amount]
    if terms.method == "equal_instalments":
        return None
    each = max(1, fen_of(Decimal(amount) / (count - grace), terms.rounding))
    parts = [0] * grace
    while len(parts) < count - 1:
        parts.append(each if sum(parts) + each <= amount else amount - sum(parts))
    return [*parts, amount - sum(parts)]


def oracle(
    terms: RepaymentTerms, amount: int, rate: Decimal, months: int, funded_on: date
) -> list[tuple[date, int, int]]:
    """(due, principal, interest) of every row, from the formulas of rules.md 1.1 as they stand there."""
    numbers = [months] if terms.method == "bullet" else list(range(1, months + 1))
    due = [due_of(funded_on, number, terms) for number in numbers]
    if terms.interest_by == "month":
        parts = [Decimal(months if terms.method == "bullet" else 1) / 12] * len(due)
    else:
        parts = [year_part(a, b, terms.day_count) for a, b in pairwise([funded_on, *due])]
    rates = [rate * part for part in parts]
    worth, factor = Decimal(0), Decimal(1)
    for period in rates[terms.principal_grace :]:
        factor /= 1 + period
        worth += factor
    asked = max(1, fen_of(Decimal(amount) / worth, terms.rounding))
    principal = _principal(terms, amount, rates)
    rows, balance, deferred, spread = [], amount, 0, 0
    total = fen_of(amount * rate * months / 12, terms.rounding)
    evenly = max(1, fen_of(Decimal(total) / len(due), terms.rounding))
    for index, (day, period) in enumerate(zip(due, rates, strict=True)):
        is_last = index == len(due) - 1
        if terms.method != "flat":
            interest = fen_of(balance * period, terms.rounding)
        elif terms.interest_by == "day":
            interest = fen_of(amount * period, terms.rounding)
        else:
            interest = total - spread if is_last else min(evenly, total - spread)
            spread += interest
        if principal is not None:
            part = principal[index]
        elif is_last:
            part = balance
        else:
            part = 0 if index < terms.principal_grace else min(balance, max(0, asked - interest))
        balance -= part
        shown = 0 if index < terms.interest_grace else interest + deferred
        deferred = deferred + interest if index < terms.interest_grace else 0
        rows.append((day, part, shown))
    return rows


# --- the property --------------------------------------------------------------------------------------------------


@st.composite
def contracts(draw: st.DrawFn) -> tuple[RepaymentTerms, int, Decimal, int, date]:
    """Any contract that may be made, within the years that the calendar of China knows."""
    months = draw(st.integers(1, 36))
    method: Method = draw(st.sampled_from(get_args(Method)))
    has_grace = method not in ("interest_first", "bullet")
    principal_grace = draw(st.integers(0, min(6, months - 1))) if has_grace else 0
    day_counts: tuple[DayCount, ...] = get_args(DayCount)
    shifts: tuple[Shift, ...] = get_args(Shift)
    terms = RepaymentTerms(
        method=method,
        interest_by=draw(st.sampled_from(("month", "day"))),
        day_count=draw(st.sampled_from(day_counts)),
        rounding=draw(st.sampled_from(Rounding)),
        shift=draw(st.sampled_from(shifts)),
        calendar=draw(st.sampled_from(("weekends", "china"))),
        principal_grace=principal_grace,
        interest_grace=draw(st.integers(0, principal_grace)),
        period_fee_permille=draw(st.integers(0, 20)),
    )
    least = months * months if method == "flat" else 1  # flat interest must not outlive its principal
    amount = draw(st.one_of(st.integers(least, 2_000), st.integers(least, 10**12)))
    rate = Decimal(draw(st.integers(0, 10**8))).scaleb(-8)
    return terms, amount, rate, months, draw(st.dates(date(2012, 1, 1), date(2022, 6, 1)))


@given(contracts())
def test_a_schedule_is_what_the_oracle_says(
    contract: tuple[RepaymentTerms, int, Decimal, int, date],
) -> None:
    """Every due date, principal and interest of every method and convention, to the day and the fen; principal sums to the
    amount, dates rise, and nothing is negative."""
    terms, amount, rate, months, funded_on = contract
    rows = schedule(terms, amount_fen=amount, annual_rate=rate, months=months, funded_on=funded_on).rows
    with localcontext() as context:
        context.prec = 120
        expected = oracle(terms, amount, rate, months, funded_on)
    assert [(row.due_on, row.principal_fen, row.interest_fen) for row in rows] == expected
    assert sum(row.principal_fen for row in rows) == amount
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert all(earlier.due_on < later.due_on for earlier, later in pairwise(rows))
    assert all(min(row.principal_fen, row.interest_fen, row.fee_fen) >= 0 for row in rows)
