"""In lives in which a loan is restructured, among other measures, what settles it is the same wherever it is asked, and costs no day twice."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.events.measures import LoanRescheduled, Restructuring
from libs.events.money import money_context
from libs.events.repayment import AllocationLine
from services.repayment.api.shapes import LoanOut
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.accruing import accrued_interest_fen, interest_max_fen
from services.repayment.domain.allocation import UNDUE, Book, counted_due, line_fen, lines_through
from services.repayment.domain.charging import accrued
from services.repayment.domain.expected import Holders
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import Rules, profile_named
from services.repayment.domain.settling import payoff_fen, settlement
from services.repayment.domain.worth import worth_of
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.test_loan_page import require_explained, told
from tests.unit.repayment.test_page_lives import Anything

DEMO = profile_named("demo")


class Restructured(Anything):
    """Mostly it is restructured once it is late, and what would settle it is looked at on either side of that."""

    restructured = 0

    def meanwhile(self, place: str) -> None:
        """A restructuring, or some measure, if the loan can."""
        is_late = self.state.kind == "running" and self.state.bucket != "current"
        if is_late and place not in ("ahead", "answers") and self.chance.random() < 0.05:
            self.measures += 1
            terms = Restructuring(months=self.chance.randint(1, 3))
            self.say(CarryOutMeasure(measure_id=f"msr_{self.measures}", terms=terms))
        elif self.chance.random() < 0.3:
            super().meanwhile(place)

    def say(self, command: Any) -> Sequence[Any] | str:
        """A restructuring is no discount, and no charge."""
        before = self.state
        said = super().say(command)
        is_done = any(isinstance(each, LoanRescheduled) and each.kind == "restructuring" for each in said)
        if is_done and isinstance(command, CarryOutMeasure):
            self.restructured += 1
            rules = DEMO.on(before.book.funded_on)
            was, now = (settlement(state.book, self.today, rules) for state in (before, self.state))
            assert sums(was) == sums(now), "what settles the loan on the day"
        return said


def sums(lines: Sequence[AllocationLine]) -> tuple[int, ...]:
    """What of the lines is what."""
    return tuple(
        sum(getattr(line, f"{part}_fen") for line in lines)
        for part in ("penalty", "fee", "interest", "principal")
    )


@given(seed=st.integers(0, 2**32))
@example(seed=1)
@settings(max_examples=40, deadline=None)
def test_what_settles_a_loan_is_one_figure_and_never_more_than_its_schedule(seed: int) -> None:
    """On the day of a restructuring, what settled it before. On any later day the page's figure, explained by its events; never more than what stays
    due by the schedule; a fen of interest for each day at most once; and a claim is worth its share, which its buyer was told to hold."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived, rules = Restructured(chance, terms.funded_on), DEMO.on(terms.funded_on)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(60, 300)):
            for place in lived.day():
                if place == "early" and chance.random() < 0.02:
                    lived.correct()
            if lived.restructured and isinstance(lived.state, Running) and chance.random() < 0.2:
                _is_one_figure(lived, lived.state, rules)


def _is_one_figure(lived: Restructured, state: Running, rules: Rules) -> None:
    loan, lines, _ = told(*lived.events)
    shown = LoanOut.of(loan).book()
    _costs_each_day_once(state.book)
    for on in (lived.today + timedelta(days=later) for later in (0, 1, 5, 40)):
        assert settlement(shown, on, rules) == settlement(state.book, on, rules)
        _costs_no_more(state.book, on, rules)
        _is_shared(state.book, on, rules, lived.chance)
    log = {line["event"] for line in lines}
    require_explained(loan, lines, lived.today, log)


def _costs_no_more(book: Book, on: date, rules: Rules) -> None:
    due = lines_through(accrued(book, on, rules), len(book.rows))
    assert payoff_fen(book, on, rules) <= sum(map(line_fen, due))
    through, left = counted_due(book, on), book.arrears
    if left is None or through >= left.number or on < left.since:
        return
    [early] = [line for line in settlement(book, on, rules) if line.number == UNDUE]
    # Of 12 % a year, say, and not a day more than there were since.
    most_fen = early.principal_fen * book.annual_rate * ((on - left.since).days + 2) / 360 + 1
    assert early.interest_fen <= most_fen


def _costs_each_day_once(book: Book) -> None:
    """The row that asks for arrears asks beside them for the days since the restructuring alone, of all principal, 31 of them at most in a month of 30."""
    left = book.arrears
    if left is None or left.accrued_fen is None or not book.annual_rate:
        return
    row, principal_fen = (
        book.rows[left.number - 1],
        sum(each.principal_fen for each in book.rows[left.number - 1 :]),
    )
    used = (row.due_on - left.since).days + 2
    most_fen = left.owed_fen + principal_fen * book.annual_rate * used / 360 * Decimal("1.04") + 1
    assert row.interest_fen <= most_fen, (row, left)


def _is_shared(book: Book, on: date, rules: Rules, chance: Random) -> None:
    if book.is_behind(on) or not book.outstanding_fen:
        return
    undue_fen = sum(row.principal_fen for row in book.rows[counted_due(book, on) :])
    if undue_fen != book.outstanding_fen:
        return
    part_fen = chance.randint(0, undue_fen)
    said_fen = accrued_interest_fen(rules, book, part_fen, on, of_fen=undue_fen)
    holders = Holders({"clm_mine": part_fen, "clm_rest": undue_fen - part_fen})
    assert worth_of(rules, book, holders, "clm_mine", on).accrued_interest_fen == said_fen
    assert said_fen <= interest_max_fen(rules, book, part_fen, (on - timedelta(days=3), on))
    whole_fen = accrued_interest_fen(rules, book, undue_fen, on, of_fen=undue_fen)
    assert abs(said_fen * undue_fen - whole_fen * part_fen) <= 2 * undue_fen
