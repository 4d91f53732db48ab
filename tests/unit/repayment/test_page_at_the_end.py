"""The page of a loan that is repaid, however it came to that, says that nothing of it is owed and no day of it is past due."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.corrections import Correction, LoanRestated
from libs.events.measures import LoanWrittenOff, WriteOff
from libs.events.money import money_context
from libs.events.repayment import AllocationLine, LoanRepaid, PaymentReceived, PenaltyCharged
from services.repayment.api.page_shapes import LoanPageOut
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan_account import account_of
from services.repayment.projections.off_balance import VIEW as LOSSES
from tests.unit.documents import documents, history
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, days, pays
from tests.unit.repayment.test_loan_page import require_explained, shown, told

DAY_9 = days(FIRST_DUE, 9)
ALL = 10**6


def page_of(story: Story, today: date) -> LoanPageOut:
    """What is shown of it."""
    return shown(told(story.contract, *(event for _, event in story.events))[0], today)


def require_at_rest(page: LoanPageOut) -> None:
    """Nothing is owed, nothing is late."""
    assert page.state == "repaid"
    assert (page.outstanding_fen, page.overdue_fen, page.penalty_fen) == (0, 0, 0)
    assert (page.dpd, page.bucket, page.loan_class) == (0, "current", "normal")
    assert (page.totals.open_fen, page.overdue_principal_fen) == (0, 0)


_SETTLES = {DAY_9: [pays(DAY_9, ALL, settle=True)]}
_COURT = CarryOutMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
#: Each is settled nine days after its first due date, before the day comes to the loan.
ENDS: dict[str, dict[str, Any]] = {
    "late": {},
    "answered_late": {"told_on": {FIRST_DUE: DAY_9}},
    "lost": {"before": {days(FIRST_DUE, 5): (_COURT,)}},
}


@pytest.mark.parametrize("end", ENDS)
def test_a_loan_that_is_repaid_is_not_past_due(end: str) -> None:
    """Whatever was said of it before: its penalty, said with the days of then, may be the last before its end."""
    story = Story(paid=_SETTLES, **ENDS[end]).live(days(DAY_9, 3))
    [repaid] = story.said(LoanRepaid)
    page = page_of(story, days(DAY_9, 3))
    require_at_rest(page)
    assert page.dpd_on == repaid.repaid_on


# --- settled as of a day before penalty was charged ----------------------------------------------------------------

#: Told in April, and of the day before the first due date: nothing was due then, and no penalty of the days since is owed.
TOLD_ON = date(2024, 4, 2)
_BEFORE = {TOLD_ON: [pays(days(FIRST_DUE, -1), ALL, settle=True)]}


@pytest.mark.parametrize("lost_on", [None, date(2024, 4, 1)], ids=("late", "lost"))
def test_penalty_of_days_after_a_settlement_lapses_by_name(lost_on: date | None) -> None:
    """It was charged at the month's end. The payment says that nobody owes it, the page and its history leave nothing of it, and of a loss the
    register says what became of it, and of the interest that was owed with it."""
    before = {} if lost_on is None else {lost_on: (_COURT,)}
    story = Story(paid=_BEFORE, before=before).live(days(TOLD_ON, 3))
    charged_fen = sum(charge.penalty_fen for charge in story.said(PenaltyCharged))
    [payment] = story.said(PaymentReceived)
    assert charged_fen >= 520
    unpaid = {1: 79, 2: 670} if lost_on else {1: 0}  # 9.21 of 10.00 for 28 days
    assert payment.lapsed == tuple(
        AllocationLine(
            number=number,
            interest_fen=interest_fen,
            principal_fen=0,
            penalty_fen=charged_fen if number == 1 else 0,
        )
        for number, interest_fen in unpaid.items()
    )
    page = page_of(story, days(TOLD_ON, 3))
    require_at_rest(page)
    assert [(row.penalty_fen, row.paid_penalty_fen) for row in page.rows] == [(0, 0)] * 3
    events = [story.contract, *(event for _, event in story.events)]
    loan, lines, _ = told(*events)
    assert account_of(lines)["penalty_fen"] == 0
    with money_context():
        require_explained(loan, lines, TOLD_ON, {each.address for each in history("loan_7", *events)})
    [*losses] = story.said(LoanWrittenOff)
    for loss, name in zip(losses, ("loan:loan_7", "segment::", "sum"), strict=False):
        row = documents(LOSSES, history("loan_7", *events))[name]
        assert row["lapsed_fen"] == charged_fen + 79 + 670
        assert loss.penalty_fen == charged_fen
        assert (row["left_fen"], row["left_penalty_fen"], row["left_interest_fen"]) == (0, 0, 0)
        assert row["written_off_fen"] == row["recovered_fen"] + row["lapsed_fen"]


def test_penalty_of_days_before_a_settlement_is_owed() -> None:
    """Settled late as of today, or of a day on which it had been charged: it is paid, and none lapses."""
    story = Story(paid={TOLD_ON: [pays(days(TOLD_ON, -1), ALL, settle=True)]}).live(days(TOLD_ON, 3))
    [payment] = story.said(PaymentReceived)
    charged_fen = sum(charge.penalty_fen for charge in story.said(PenaltyCharged))
    assert sum(line.penalty_fen for line in payment.allocation) == charged_fen
    assert payment.lapsed == ()


def test_what_lapsed_stands_in_no_row_after_a_correction() -> None:
    """Another payment is reversed, and the settlement decided again: nothing of the penalty comes back."""
    other_on, reversed_on = date(2024, 2, 10), days(TOLD_ON, 3)
    other = replace(pays(other_on, 20_000, payment_id="pay_0"), prepay="reamortise")
    error = Correction(
        correction_id="cor_1",
        loan_id="loan_7",
        payment_id="pay_0",
        kind="reverse",
        reason="wrong_date",
        value_date=other_on,
        to_date=None,
    )
    reversal = CorrectPayment(correction=error, booking="same_year")
    story = Story(paid={other_on: [other], **_BEFORE, reversed_on: [reversal]}).live(reversed_on)
    assert story.said(LoanRestated)
    page = page_of(story, reversed_on)
    require_at_rest(page)
    assert [(row.penalty_fen, row.paid_penalty_fen) for row in page.rows] == [(0, 0)] * 3


def test_a_loan_whose_payment_did_not_say_what_lapsed_owes_no_penalty() -> None:
    """As records of before rules 10 are: the loan's end says it."""
    story = Story(paid=_BEFORE).live(TOLD_ON)
    silent = (
        replace(event, lapsed=()) if isinstance(event, PaymentReceived) else event
        for _, event in story.events
    )
    require_at_rest(shown(told(story.contract, *silent)[0], TOLD_ON))
