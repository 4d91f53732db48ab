"""The auditor of a loss: what is owed of a loan that is written off is what was due, whenever it was."""

from datetime import date

import pytest

from libs.events.measures import Restructuring, WriteOff
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain import troubled
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, days
from tests.unit.tools.test_late_books import audited
from tools.simulator.loan_books import WrongBooks


def lost_after_a_restructuring(lost_on: date) -> Story:
    """The first instalment is ten days late when what is owed is asked anew."""
    anew = CarryOutMeasure(measure_id="msr_1", terms=Restructuring(months=3))
    loss = CarryOutMeasure(measure_id="msr_2", terms=WriteOff(ground="court"))
    return Story(before={days(FIRST_DUE, 10): (anew,), lost_on: (loss,)})


@pytest.mark.parametrize("after", [15, 35], ids=("before_its_first_row", "after_it"))
def test_arrears_of_before_a_restructuring_are_owed_by_a_loss(after: int) -> None:
    """They stand in a row that is not due yet, or is (seed 7105 of late answers and restructurings together)."""
    audited(lost_after_a_restructuring(days(FIRST_DUE, after)), evenings=False)


def test_a_loss_that_forgets_them_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they had not been due."""
    bare = troubled._bare
    monkeypatch.setattr(troubled, "_bare", lambda _arrears, row: bare(None, row))
    with pytest.raises(WrongBooks, match="is written off with"):
        audited(lost_after_a_restructuring(days(FIRST_DUE, 15)), evenings=False)
