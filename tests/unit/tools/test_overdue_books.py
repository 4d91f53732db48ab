"""The auditor of what is overdue: before rows are asked anew it is of the rows that were, afterwards of the new ones, which nobody has missed."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.corrections import LoanRestated
from libs.events.measures import Restructuring
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain import loan_day, restatement, restructuring
from tests.unit.repayment.correction_story import UNPAY
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import FIRST_DUE, INSTALLMENT, days
from tests.unit.tools.test_late_books import recorded
from tools.simulator.books import Books
from tools.simulator.loan_books import WrongBooks
from tools.simulator.page_books import PageBooks

PUT_RIGHT, ANEW, END = days(FIRST_DUE, 6), days(FIRST_DUE, 10), days(FIRST_DUE, 40)
RESTRUCTURED = CarryOutMeasure(measure_id="msr_1", terms=Restructuring(months=3))


def late() -> Story:
    """The first instalment is ten days late when what is owed is asked anew."""
    return Story(before={ANEW: (RESTRUCTURED,)})


def corrected() -> Story:
    """It was paid in time, by money of another loan: four days before."""
    return Story(finds={FIRST_DUE: INSTALLMENT}, before={PUT_RIGHT: (UNPAY,), ANEW: (RESTRUCTURED,)})


STORIES = (late, corrected)


def audited(story: Story) -> None:
    """Every decision of the loan."""
    story.live(END)
    books = Books()
    pages = PageBooks(books)
    for day, events in story.decisions:
        said = [recorded(event) for event in events]
        books.record(f"on {day}", said)
        pages.record(f"on {day}", said)


@pytest.mark.parametrize("story", STORIES)
def test_what_is_said_before_rows_are_anew_is_of_the_rows_that_were(story: Any) -> None:
    """The charge of the same decision counts what was missed (seed 2 of restructurings), and the bucket after it nothing."""
    audited(story())
    assert story is late or [*story().live(END).said(LoanRestated)]


def _of_the_old_rows(real: Any) -> Any:
    """New rows that reuse the numbers of those that were missed."""
    return lambda rules, state, book, on: real(rules, replace(state, next_missed=2), book, on)


def _a_row_more(real: Any) -> Any:
    return lambda book, next_missed: real(book, next_missed + 1)


@pytest.mark.parametrize(
    ("room", "name", "plant", "story"),
    [
        (restructuring, "better_bucket", _of_the_old_rows, late),
        (restructuring, "better_bucket", _of_the_old_rows, corrected),
        (loan_day, "overdue_fen", _a_row_more, late),
        (restatement, "overdue_fen", _a_row_more, corrected),
    ],
)
def test_what_was_not_missed_is_not_overdue(
    room: Any, name: str, plant: Any, story: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says it: a restructuring, a charge, a correction."""
    monkeypatch.setattr(room, name, plant(getattr(room, name)))
    with pytest.raises(WrongBooks, match="overdue, missed is"):
        audited(story())
