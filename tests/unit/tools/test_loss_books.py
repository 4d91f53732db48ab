"""The auditor of a loss: what is owed of a loan that is written off is what was due, whenever it was, and is asked on its day."""

from dataclasses import replace
from datetime import date

import pytest

from libs.events.measures import LoanWrittenOff, Restructuring, WriteOff
from libs.events.repayment import InstallmentDue, PaymentMissed
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain import troubled
from services.repayment.domain.allocation import open_lines
from tests.unit.given import given
from tests.unit.repayment.late_story import Story
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FUNDED_ON,
    INSTALLMENT,
    LOAN,
    OPEN,
    SECOND_DUE,
    days,
    on,
    pays,
)
from tests.unit.tools.test_late_books import audited
from tools.simulator.bucket_books import buckets_of
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


def fined_and_bare() -> Story:
    """Interest comes first: what a loss asks of its rows after a restructuring is nothing, and of the second and third the penalty of before."""
    terms = replace(OPEN, tenor_months=6, repayment=RepaymentTerms(method="interest_first"))
    (contract,) = given(LOAN).when(terms, on(FUNDED_ON)).events
    anew = CarryOutMeasure(measure_id="msr_1", terms=Restructuring(months=3))
    loss = CarryOutMeasure(measure_id="msr_2", terms=WriteOff(ground="court"))
    return Story(contract=contract, before={date(2024, 5, 10): (anew,), date(2024, 5, 20): (loss,)})


def test_an_instalment_of_penalty_alone_is_asked_and_missed_on_its_day() -> None:
    """As all others: on its due day the loan asks for it, and the evening after says that it was not paid."""
    story = fined_and_bare()
    end = date(2024, 8, 5)
    book = audited(story, evenings=False, until=end)
    book.by_measure = True
    book.closed("the last evening", end, buckets_of("demo"))
    loss = next(day for day, event in story.events if isinstance(event, LoanWrittenOff))
    since = [(day, event) for day, event in story.events if day > loss]
    asked = [
        (day, event.number, event.principal_fen, event.interest_fen, event.debit_fen)
        for day, event in since
        if isinstance(event, InstallmentDue)
    ]
    missed = [
        (day, event.number, event.open_fen, event.overdue_after_fen)
        for day, event in since
        if isinstance(event, PaymentMissed)
    ]
    assert asked == [
        (date(2024, 5, 31), 1, 0, 3_000, 3_035),
        (date(2024, 6, 30), 2, 0, 0, 3_055),
        (date(2024, 7, 31), 3, 0, 0, 3_060),
    ]
    assert missed == [
        (date(2024, 6, 1), 1, 3_000, 3_035),
        (date(2024, 7, 1), 2, 20, 3_055),
        (date(2024, 8, 1), 3, 5, 3_060),
    ]


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
