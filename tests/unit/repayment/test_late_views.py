"""What the views and the page say of what is told late, or put right behind a measure: each of it in one place that can fail."""

from dataclasses import replace
from datetime import date
from random import Random

import pytest

from libs.events.in_kind import SettlementInKind
from libs.events.lateness import LatenessJudged
from libs.events.measures import Extension, MeasureTerms, Restructuring, WriteOff
from libs.events.money import money_context
from services.repayment.api.explaining import settlement_explained
from services.repayment.api.page_shapes import HeldPageOut, LoanPageOut
from services.repayment.api.shapes import LoanOut
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.off_balance import VIEW as LOSSES
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history, nested
from tests.unit.given import given
from tests.unit.repayment.asset_story import LORRY
from tests.unit.repayment.correction_story import CORRECT, PAID
from tests.unit.repayment.inputs import Lived
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, FUNDED_ON, INSTALLMENT, LOAN, OPEN, OPENED, days, on, pays
from tests.unit.repayment.test_correcting_measures import go_on, wrong
from tests.unit.repayment.test_lateness import DAY_33, JUDGED, WITH_THE_SECOND
from tests.unit.repayment.test_loan_page import quote, shown, told
from tests.unit.repayment.troubled_story import done

COST = WriteOff(ground="court", cost_fen=3_000, cost_account="acc_law")


def test_lateness_that_costs_nothing_is_no_row_of_the_page() -> None:
    """It names no instalment."""
    nothing: LatenessJudged = replace(JUDGED, lines=(), number=0, penalty_fen=0, penalty_after_fen=0)
    page = shown(told(OPENED, nothing)[0], days(FIRST_DUE, 5))
    assert [row.number for row in page.rows] == [1, 2, 3]
    assert page.penalty_fen == 0


def test_what_is_overdue_knows_the_penalty_of_a_late_answer() -> None:
    """The row of the loan says what the loan says."""
    judged = replace(JUDGED, overdue_after_fen=520)
    row = documents(BUCKETS, history("loan_7", OPENED, judged))["loan:loan_7"]
    assert row["overdue_fen"] == 520


def test_the_page_says_that_a_payment_came_behind_a_charge() -> None:
    """Told 33 days late: two people may redate it to its own date."""
    day = days(FIRST_DUE, 33)
    late = Story(paid={day: [pays(FIRST_DUE, INSTALLMENT)]}).live(day)
    [payment] = shown(told(*_events(late))[0], day).payments
    assert payment.behind_charge
    in_time = Story(finds=WITH_THE_SECOND, told_on={FIRST_DUE: DAY_33}).live(DAY_33)
    assert not any(each.behind_charge for each in shown(told(*_events(in_time))[0], DAY_33).payments)


def _events(story: Story) -> list[object]:
    return [OPENED, *(event for _, event in story.events)]


@pytest.mark.parametrize("terms", [Extension(months=1), Restructuring(months=2)], ids=lambda each: each.kind)
def test_a_holder_is_told_when_the_loan_ends_also_once_that_is_another_day(terms: MeasureTerms) -> None:
    """A prepayment that made it shorter is reversed: it ends on the day of its last row."""
    with money_context():
        lived = Lived(Random(0), FUNDED_ON)
        lived.open(replace(OPEN, tenor_months=8))
        go_on(lived, days(FUNDED_ON, 5))
        prepaid_on = lived.today
        lived.say(replace(pays(prepaid_on, 60_000, payment_id="pay_1"), prepay="shorten"))
        go_on(lived, days(FIRST_DUE, 3))
        lived.say(CarryOutMeasure(measure_id="msr_1", terms=terms))
        go_on(lived, days(lived.today, 2))
        lived.say(wrong("pay_1", prepaid_on))
        loan = nested("loan_7", documents(LOANS, history("loan_7", *lived.events))["loan_7"])
        page = HeldPageOut.of(LoanPageOut.shown(loan, None, None))
    assert [line.matures_on for line in page.taken] == [lived.state.book.rows[-1].due_on]


def test_nobody_is_quoted_a_cost_once_nothing_is_owed() -> None:
    """A thing settled the whole debt, and nobody pays the cost any more."""
    day = days(FIRST_DUE, 20)
    story = Story(before={day: (done(COST, "msr_1"), done(_worth(150_000, day), "msr_2"))}).live(day)
    assert story.state.kind == "repaid"
    loan, lines, _ = told(*_events(story))
    for part in ("amount", "cost"):
        found = settlement_explained(loan, lines, f"settlement.{part}_fen", part, quote(loan, day), day)
        assert (found.value_fen, sum(share.amount_fen for share in found.shares)) == (0, 0)


def _worth(fen: int, on_day: date) -> SettlementInKind:
    """A thing that is worth more than the debt, of that day."""
    return replace(LORRY, agreed_fen=fen, valued_fen=2 * fen, valued_on=on_day, acquired_on=on_day)


def test_a_cost_that_went_back_is_owed_again_in_every_view() -> None:
    """The payment that paid it is reversed, and nothing came after it."""
    lost = given(LOAN, OPENED, *PAID).when(done(COST, "msr_1"), on(FIRST_DUE)).events
    paid = (
        given(LOAN, OPENED, *PAID, *lost)
        .when(pays(FIRST_DUE, 3_000, payment_id="pay_2"), on(FIRST_DUE))
        .events
    )
    reverse = replace(CORRECT, correction=replace(CORRECT.correction, payment_id="pay_2"))
    back = given(LOAN, OPENED, *PAID, *lost, *paid).when(reverse, on(FIRST_DUE)).events
    events = history("loan_7", OPENED, *PAID, *lost, *paid, *back)
    row = documents(LOSSES, events)["loan:loan_7"]
    assert (row["cost_fen"], row["cost_paid_fen"]) == (3_000, 0)
    loan = documents(LOANS, events)["loan_7"]
    assert LoanOut.of(nested("loan_7", loan)).cost_fen == 3_000
    assert loan["paid_cost_fen"] == 0
