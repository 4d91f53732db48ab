"""The auditor of a loss: what is owed of a loan that is written off is what was due, whenever it was."""

from datetime import date

import pytest

from libs.events.measures import Restructuring, WriteOff
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain import troubled
from services.repayment.domain.allocation import open_lines
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, INSTALLMENT, SECOND_DUE, days, pays
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


def lost_after_a_part(lost_on: date) -> Story:
    """Of the second instalment 5.00 came with the value date of its due day; the loan is lost meanwhile."""
    loss = CarryOutMeasure(measure_id="msr_1", terms=WriteOff(ground="court"))
    part = pays(SECOND_DUE, 500, payment_id="pay_part")
    return Story(finds={FIRST_DUE: INSTALLMENT}, before={lost_on: (part, loss)})


def test_what_a_payment_has_touched_is_owed_whole_by_a_loss() -> None:
    """Its interest is not given up, though its day is still to come."""
    audited(lost_after_a_part(days(SECOND_DUE, -1)), evenings=False)


def test_a_loss_that_forgets_its_interest_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if only what is due by its date were owed."""
    monkeypatch.setattr(troubled, "lines_through", lambda book, _: open_lines(book, days(SECOND_DUE, -1)))
    with pytest.raises(WrongBooks, match="is written off with"):
        audited(lost_after_a_part(days(SECOND_DUE, -1)), evenings=False)
