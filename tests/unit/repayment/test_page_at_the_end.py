"""The page of a loan that is repaid, however it came to that, says that nothing of it is owed and no day of it is past due."""

from datetime import date
from typing import Any

import pytest

from libs.events.measures import WriteOff
from libs.events.repayment import LoanRepaid
from services.repayment.api.page_shapes import LoanPageOut
from services.repayment.commands.measures import CarryOutMeasure
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, days, pays
from tests.unit.repayment.test_loan_page import shown, told

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
