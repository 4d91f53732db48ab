"""A new schedule for what is not paid: an extension 展期 of what is not due yet, a restructuring of all that is open.

Both keep the contract's rate *(chosen: docs/decisions/0025)*, manner and due days and come once each *(chosen)*; the loan is at least special-mention afterwards.
Limits: General Rules on Loans art. 12 (extension); rules.md 1.4 (a restructured loan is observed for two periods and a year).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from libs.events.deciding import Refused
from libs.events.measures import Extension, LoanRescheduled, Restructuring
from libs.events.repayment import LoanClass
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.day_count import year_fraction
from libs.events.schedules.due_dates import due_on
from libs.events.schedules.row import ScheduleRow
from libs.events.schedules.rows import MONTH, fees_asked, flows
from libs.events.schedules.terms import require_sound
from services.repayment.domain.accruing import accrued_interest_fen
from services.repayment.domain.allocation import counted_due, open_lines, rescheduled
from services.repayment.domain.deferring import ON_ITS_WAY, is_on_its_way
from services.repayment.domain.loan_day import better_bucket, charged_by, classified, penalties
from services.repayment.domain.loan_state import LoanEvent, Running
from services.repayment.domain.pausing_loan import pause_ended
from services.repayment.domain.prepaying import manner_of
from services.repayment.domain.profile import Rules
from services.repayment.domain.schedule import interest_used_fen
from services.repayment.domain.trading import release_all

_YEAR = 12
_LONG_YEARS = 5
_EXTENSION_MAX = 3 * _YEAR
#: More months than any loan lives, however late it is.
_MONTHS_MAX = 200 * _YEAR


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is spread anew, from which row on, over how many months of the contract after which one, and the arrears that the first new
    row asks as well; what has accrued on principal that was not due stands in that row's own interest. `fined_fen` of the principal was overdue:
    it bore penalty until `fined_to`, and bears interest since."""

    from_number: int
    principal_fen: int
    since: int
    months: int
    interest_fen: int = 0
    fee_fen: int = 0
    accrued_fen: int | None = None
    fined_fen: int = 0
    fined_to: date = date.min


def extension_max(months: int) -> int:
    """By how many months a loan of so many is extended at most, over its life: its own term up to a year, half of it up to five,
    three years beyond (General Rules on Loans art. 12)."""
    if months <= _YEAR:
        return months
    return months // 2 if months <= _LONG_YEARS * _YEAR else _EXTENSION_MAX


def reschedule(
    rules: Rules, measure_id: str, terms: Extension | Restructuring, state: Running, on: date
) -> Sequence[LoanEvent]:
    """The loan's rows from here on. Refusals stand on CarryOutMeasure."""
    _require_may(rules, terms, state, on)
    _require_consent(terms, state)
    plan = (
        _extended(rules, terms, state, on)
        if isinstance(terms, Extension)
        else _restructured(rules, terms, state, on)
    )
    _require_not_his(state, plan)
    rows = _spread(rules, state, plan)
    floor = _worse(rules, state.loan_class, "special_mention")
    until = None
    if isinstance(terms, Restructuring):
        until = max(
            on + timedelta(days=rules.observed_days), rows[min(len(rows), rules.observed_periods) - 1].due_on
        )
    charges = penalties(rules, state, on)
    book = rescheduled(charged_by(state.book, charges), rows)
    # Rows that are made anew have not been missed.
    unmissed = replace(state, next_missed=min(state.next_missed, rows[0].number))
    events: list[LoanEvent] = [
        *charges,
        LoanRescheduled(
            loan_id=state.loan_id,
            borrower=state.borrower,
            measure_id=measure_id,
            kind=terms.kind,
            months=terms.months,
            rescheduled_on=on,
            from_number=plan.from_number,
            first_due_on=rows[0].due_on,
            periods=len(rows),
            principal_fen=plan.principal_fen,
            interest_fen=plan.interest_fen,
            fee_fen=plan.fee_fen,
            accrued_fen=plan.accrued_fen,
            matures_on=rows[-1].due_on,
            floor_class=floor,
            floor_until=until,
            product=state.product,
            region=state.region,
        ),
        ScheduleChanged(
            loan_id=state.loan_id,
            borrower=state.borrower,
            change_id=measure_id,
            reason="extended" if isinstance(terms, Extension) else "restructured",
            changed_on=on,
            outstanding_fen=book.outstanding_fen,
            rows=rows,
            product=state.product,
            region=state.region,
        ),
        *better_bucket(rules, unmissed, book, on),
    ]
    if floor != state.loan_class:
        events += classified(state, book, floor, on, measure_id=measure_id)
    if isinstance(terms, Restructuring):
        events += pause_ended(measure_id, state, on, "restructured")
    return [*events, *release_all(state, "loan_rescheduled")]


def _require_may(rules: Rules, terms: Extension | Restructuring, state: Running, on: date) -> None:
    if state.trouble.written_off_on is not None:
        raise Refused("loan_written_off")
    if terms.kind in state.trouble.reschedulings:
        raise Refused("extended_before")
    if not _is_extended(rules, state, on):
        raise Refused("manner_not_extended")
    contracted = _last_month(rules, state, state.journal.rows or state.book.rows)
    if state.trouble.granted_months + terms.months > extension_max(contracted):
        raise Refused("extension_too_long")
    # What was in arrears stands in the next row: an extension would spread its principal and forget it.
    arrears = state.book.arrears
    if isinstance(terms, Extension) and arrears and state.book.first_open <= arrears.number:
        raise Refused("arrears_unpaid")
    if isinstance(terms, Extension) and state.book.rows[-1].due_on <= on:
        raise Refused("loan_matured")


def _require_consent(terms: Extension | Restructuring, state: Running) -> None:
    """Whoever still answers for the loan is asked in writing: without it he would be free beyond the old term (processes.md 1.P,
    Civil Code art. 695). Not so one who has paid for all of it."""
    stands_in = state.guarantee is not None and state.guarantee.next_number is not None
    if stands_in and terms.guarantor_consent is None:
        raise Refused("consent_missing")


def _require_not_his(state: Running, plan: _Plan) -> None:
    """Of instalments that the guarantor paid for, interest and penalty are his as well: new rows would give them to all holders."""
    paid_for = state.guarantee.subrogated if state.guarantee else ()
    if any(each.through is not None and each.through >= plan.from_number for each in paid_for):
        raise Refused("loan_compensated")


def _is_extended(rules: Rules, state: Running, on: date) -> bool:
    """Whether a schedule may begin anew on a due day of the contract. Not of flat interest, which was agreed on as one sum for the term *(chosen:
    what more of it would be for more months, nobody said)*; nor while a grace runs *(chosen: what is deferred in it has its own day)*."""
    terms = manner_of(state.book, rules)
    through = _through(state, on)
    # What a grace has deferred stands in the row after it: rows in its place would ask for it no more.
    is_deferred = 0 < terms.interest_grace >= through
    return terms.method != "flat" and through >= terms.principal_grace and not is_deferred


def _extended(rules: Rules, terms: Extension, state: Running, on: date) -> _Plan:
    """Rows that are not due, and have received nothing. What is repaid at once has run since the funding, and goes on."""
    through = _through(state, on)
    later = state.book.rows[through:]
    principal_fen = sum(row.principal_fen for row in later)
    if not principal_fen:
        raise Refused("nothing_to_extend")
    is_one = manner_of(state.book, rules).method == "bullet"
    return _Plan(
        from_number=through + 1,
        principal_fen=principal_fen,
        since=0 if is_one else _month_before(rules, state, on),
        months=(_last_month(rules, state, state.book.rows) if is_one else len(later)) + terms.months,
    )


def _restructured(rules: Rules, terms: Restructuring, state: Running, on: date) -> _Plan:
    """All that is open. A debit that is on its way would pay dues that are none any more, the guarantor's too."""
    if is_on_its_way(state):
        raise Refused(ON_ITS_WAY)
    if not state.book.is_behind(on):
        raise Refused("nothing_overdue")
    if not state.book.outstanding_fen:
        raise Refused("nothing_to_extend")
    # What a row has received stays its own, so one that received a part is paid first.
    if state.book.paid:
        raise Refused("partly_paid")
    due, through = open_lines(state.book, on), _through(state, on)
    months = len(state.book.rows) - through + terms.months
    undue_fen = sum(row.principal_fen for row in state.book.rows[through:])
    # Penalty stays with the number of its row, so there must be one.
    if len(due) > months:
        raise Refused("term_too_short")
    return _Plan(
        from_number=state.book.first_open,
        principal_fen=state.book.outstanding_fen,
        since=_month_before(rules, state, on),
        months=months,
        interest_fen=sum(line.interest_fen for line in due),
        fee_fen=sum(line.fee_fen for line in due),
        accrued_fen=accrued_interest_fen(rules, state.book, undue_fen, on, of_fen=undue_fen, through=through),
        fined_fen=state.book.outstanding_fen - undue_fen,
        fined_to=on,
    )


def _spread(rules: Rules, state: Running, plan: _Plan) -> tuple[ScheduleRow, ...]:
    """The new rows: amounts by the one schedule, due on the contract's days after today, arrears with the first."""
    book, manner = state.book, manner_of(state.book, rules)
    # None runs any more.
    terms = replace(manner, principal_grace=0, interest_grace=0)
    require_sound(
        terms,
        amount_fen=plan.principal_fen,
        annual_rate=book.annual_rate,
        months=plan.months,
        funded_on=book.funded_on,
    )
    is_one = terms.method == "bullet"
    ends = (plan.months,) if is_one else range(1, plan.months + 1)
    due = [due_on(terms, book.funded_on, plan.since + month) for month in ends]
    since = due_on(terms, book.funded_on, plan.since) if plan.since else book.funded_on
    if terms.interest_by == "month":
        parts = [MONTH * plan.months] if is_one else [MONTH] * len(due)
    else:
        starts = [since, *due[:-1]]
        parts = [year_fraction(one, other, terms.day_count) for one, other in zip(starts, due, strict=True)]
    principal, interest = flows(
        terms, amount_fen=plan.principal_fen, annual_rate=book.annual_rate, due=due, parts=parts
    )
    # No day costs twice: until the restructuring these bore penalty.
    fined_fen = interest_used_fen(
        terms,
        plan.fined_fen,
        book.annual_rate,
        (since, plan.fined_to),
        day_basis=rules.day_basis,
        mode=rules.rounding,
    )
    own = [interest[0] - min(fined_fen, interest[0] * plan.fined_fen // plan.principal_fen), *interest[1:]]
    # The contract's, as a row says it that asks for principal: rows after the last of those have none.
    fee_fen = next(row.fee_fen for row in reversed(book.rows) if row.principal_fen)
    fees = fees_asked([fee_fen] * len(due), principal, plan.principal_fen)
    return tuple(
        ScheduleRow(
            number=plan.from_number + place,
            due_on=day,
            principal_fen=principal[place],
            interest_fen=own[place] + (plan.interest_fen if place == 0 else 0),
            fee_fen=fees[place] + (plan.fee_fen if place == 0 else 0),
        )
        for place, day in enumerate(due)
    )


def _through(state: Running, on: date) -> int:
    """The last row that is due, or has received something."""
    return counted_due(state.book, on)


def _month_before(rules: Rules, state: Running, on: date) -> int:
    """The month of the contract's last due day that is over: interest of new rows runs from there."""
    book, terms = state.book, manner_of(state.book, rules)
    since = max(on, book.rows[book.last_touched - 1].due_on) if book.last_touched else on
    return next(month for month in range(_MONTHS_MAX) if due_on(terms, book.funded_on, month + 1) > since)


def _last_month(rules: Rules, state: Running, rows: Sequence[ScheduleRow]) -> int:
    """After how many months rows end, wherever a holiday has moved that."""
    terms, funded_on, end = manner_of(state.book, rules), state.book.funded_on, rows[-1].due_on
    if terms.method != "bullet":
        return len(rows)
    return next(month for month in range(1, _MONTHS_MAX) if due_on(terms, funded_on, month) >= end)


def _worse(rules: Rules, one: LoanClass, other: LoanClass) -> LoanClass:
    return max(one, other, key=rules.class_rank)
