"""What a new schedule leaves on a loan: the best class that it may have, what of it is for sale, and how long it may be stretched further."""

from dataclasses import replace

from libs.events.measures import Reclassification, Restructuring
from services.repayment.domain.trouble import Floor, floor_on
from tests.unit.given import given
from tests.unit.repayment.stories import LOAN, classified, days, in_time, on
from tests.unit.repayment.test_troubled import LATE_ON, MISSED, RESTRUCTURED, done

DOUBT = done(Reclassification(to_class="doubtful"), "msr_0")


def test_what_two_people_said_without_an_end_outlives_a_restructuring() -> None:
    """It is observed beside that, for a year: afterwards the loan is as doubtful as it was."""
    outcome = given(LOAN, *MISSED).when(DOUBT, on(LATE_ON))
    said = in_time(given(LOAN, *MISSED, *outcome.events).when(done(Restructuring(months=3)), on(LATE_ON)))
    assert said.events[1] == replace(RESTRUCTURED[0], floor_class="doubtful")
    trouble = said.state.trouble
    assert trouble.floor == Floor(best="doubtful")
    assert trouble.observed == Floor(best="doubtful", until=days(LATE_ON, 365))
    assert floor_on(trouble, days(LATE_ON, 366)) == "doubtful"


def test_a_restructuring_betters_no_class() -> None:
    """What is doubtful by its days stays so: no row of it was paid."""
    story = (*MISSED, classified(LATE_ON, "normal", "doubtful", 63))
    outcome = in_time(given(LOAN, *story).when(done(Restructuring(months=3)), on(LATE_ON)))
    said = [type(event).__name__ for event in outcome.events]
    assert said == ["MeasureApplied", "LoanRescheduled", "ScheduleChanged"]
    assert outcome.events[1] == replace(RESTRUCTURED[0], floor_class="doubtful")
    assert outcome.state.loan_class == "doubtful"
