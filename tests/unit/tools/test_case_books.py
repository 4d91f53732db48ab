"""The auditor's books of cases: a case is opened for a miss that was said, whatever has become of the instalment since."""

from typing import Any

import pytest

from tools.simulator.books import Books
from tools.simulator.case_books import CaseBooks
from tools.simulator.loan_books import WrongBooks

MISS = {"loan_id": "loan_1", "number": 2, "due_on": "2024-03-31", "paid_on": None}
CASE = {"case_id": "case_1", "debtor_id": "dbt_1", "loan_id": "loan_1", "number": 2, "due_on": "2024-03-31"}


def _audited(*events: tuple[str, dict[str, Any]]) -> CaseBooks:
    books = CaseBooks(Books(), minutes_east=0)
    books.record("here", [{"type": f"{name}.v1", "data": data} for name, data in events])
    return books


OPENED = "collections.CaseOpened", CASE | {"overdue_fen": 1}


def test_a_case_is_opened_for_a_miss_that_was_said() -> None:
    """It travels to collections, and meanwhile the loan may be restructured, so that the instalment is not missed any more (seed 6014 with late
    answers and restructurings together)."""
    assert _audited(("repayment.PaymentMissed", MISS), OPENED).cases.keys() == {"case_1"}


@pytest.mark.parametrize(
    "miss",
    [None, MISS | {"number": 1}, MISS | {"due_on": "2024-02-29"}, MISS | {"paid_on": "2024-04-01"}],
    ids=("none", "another", "of_another_day", "paid_since"),
)
def test_a_case_for_nothing_is_named(miss: dict[str, Any] | None) -> None:
    """No miss, that of another instalment, or of one that has been paid since."""
    with pytest.raises(WrongBooks, match="case_1 is opened for nothing"):
        _audited(*[("repayment.PaymentMissed", miss)] if miss else [], OPENED)
